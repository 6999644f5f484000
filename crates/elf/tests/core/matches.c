// Which types of the running kernel match ours; aya 0.3 does not know the question.
#include "core.h"

struct list_head { struct list_head *next, *prev; };
struct qdisc_skb_cb { u32 pkt_len; u16 slave_dev_queue_mapping; };
struct iphdr { u8 ihl : 4, version : 4; u8 tos; u32 saddr; };
struct tcp_sock { u32 snd_cwnd; };
struct hlist_node { struct hlist_node *next; void *pprev; };
struct net_device;
struct sk_buff;
struct net_device_ops { s32 (*ndo_init)(struct net_device *); };
struct packet_type { struct net_device *dev; s32 (*func)(struct sk_buff *, struct net_device *); };
struct rcu_head___fwd;
struct callback_head { struct callback_head *next; };
struct ipv6hdr { u16 payload_len; u8 nexthdr; };
typedef struct { s32 counter; } atomic_t;
typedef u32 __be32;
typedef unsigned long __u64_guess;
enum bpf_func_id { BPF_FUNC_map_lookup_elem = 77, BPF_FUNC_never_there = 6 };
enum tcp_ca_state { TCP_CA_Open = 9, TCP_CA_Recovery = 8 };

PROG matches(void *ctx) { return type_matches(struct list_head) + 2 * type_matches(struct qdisc_skb_cb); }
PROG matches_not(void *ctx) { return type_matches(struct iphdr) + 2 * type_matches(struct tcp_sock); }
PROG matches_enum(void *ctx) { return type_matches(enum tcp_ca_state) + 2 * type_matches(enum bpf_func_id); }
PROG matches_typedef(void *ctx) { return type_matches(atomic_t) + 2 * type_matches(__be32); }
PROG matches_callback(void *ctx) { return type_matches(struct net_device_ops) + 2 * type_matches(struct packet_type); }
PROG matches_pointer(void *ctx) { return type_matches(struct hlist_node) + 2 * type_matches(struct callback_head); }
PROG matches_typedefed(void *ctx) { return type_matches(struct ipv6hdr) + 2 * type_matches(__u64_guess); }
