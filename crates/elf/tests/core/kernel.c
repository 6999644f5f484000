// Types of the running kernel, of which we declare what we use. Nothing here can hold still: the answers are
// compared with libbpf's and aya's on the same kernel.
#include "core.h"

struct sock;
struct net_device { int ifindex; char name[16]; u32 mtu; } KEEP;
struct sk_buff {
	struct { struct net_device *dev; };
	struct sock *sk;
	char cb[48];
	u32 len, data_len;
	u16 mac_len, queue_mapping;
	u8 cloned : 1, fclone : 2;
	u8 pkt_type : 3;
	u8 ip_summed : 2;
	u32 priority, mark, hash, napi_id;
	u16 protocol;
	u16 vlan_tci;
	u16 network_header;
	unsigned char *head, *data;
	u32 truesize;
} KEEP;
struct sk_buff___old { u8 vlan_present : 1; u32 gone; } KEEP;
struct sk_buff___wide { u64 len; u16 mark; s64 priority; } KEEP;
struct in6_addr { union { u8 bytes[16]; u32 words[4]; } in6_u; } KEEP;
struct sock_common {
	struct { u32 skc_daddr, skc_rcv_saddr; };
	u16 skc_family;
	volatile u8 skc_state;
	u8 skc_reuse : 4;
	struct { u16 skc_dport; u16 skc_num; };
} KEEP;
struct sock { struct sock_common __sk_common; u16 sk_protocol; u64 sk_max_pacing_rate; } KEEP;
struct iphdr { u8 ihl : 4, version : 4; u8 tos; u32 saddr; } KEEP;
struct tcphdr { u16 source, dest; u16 doff : 4, syn : 1, ack : 1; } KEEP;
struct tcp_sock { u32 snd_cwnd; u32 srtt_us; u8 nonagle : 4; } KEEP;
struct task_struct { int pid; char comm[16]; struct task_struct *real_parent; u32 in_execve : 1; } KEEP;
struct list_head { struct list_head *next, *prev; } KEEP;
struct nothing_of_the_kernel { int x; } KEEP;
struct qdisc_skb_cb { u32 pkt_len; u16 slave_dev_queue_mapping; } KEEP;
struct console { char name[16]; } KEEP;
struct workspace { void *mem; } KEEP;
typedef struct { s32 counter; } KEEP atomic_t;
typedef u32 __be32;
typedef u64 not_a_typedef_of_the_kernel_t;
typedef unsigned int (*nf_hookfn_guess)(void *);
union bpf_attr { u32 map_type; } KEEP;
union nothing_union { u32 x; } KEEP;

enum bpf_func_id { BPF_FUNC_map_lookup_elem = 77, BPF_FUNC_loop = 5, BPF_FUNC_never_there = 6 };
enum bpf_func_id___renamed { BPF_FUNC_redirect___x };
enum tcp_ca_state { TCP_CA_Open = 9, TCP_CA_Recovery = 8 };
enum perf_callchain_context { PERF_CONTEXT_HV = 1, PERF_CONTEXT_MAX = 2 };
enum nothing_enum { NOTHING_AT_ALL = 3 };

PROG len(struct sk_buff *p) { return p->len; }
PROG mark(struct sk_buff *p) { return p->mark; }
PROG anonymous(struct sk_buff *p) { return p->napi_id + p->vlan_tci + p->hash; }
PROG protocol(struct sk_buff *p) { return p->protocol; }
PROG control(struct sk_buff *p) { return p->cb[17]; }
PROG pointer(struct sk_buff *p) { return (u64)p->data; }
PROG through(struct sk_buff *p) { return p->dev->ifindex + p->dev->name[3]; }
PROG third(struct sk_buff *p) { return p[2].truesize; }
PROG store(struct sk_buff *p) { p->priority = 3; p->queue_mapping = 4; return 0; }
PROG nested(struct sock *p) { return p->__sk_common.skc_dport + p->__sk_common.skc_num; }
PROG state(struct sock *p) { return p->__sk_common.skc_state; }
PROG family(struct sock *p) { return p->__sk_common.skc_family; }
PROG big_offset(struct tcp_sock *p) { return p->snd_cwnd + p->srtt_us; }
PROG words(struct in6_addr *p) { return p->in6_u.words[3]; }
PROG wide(struct sk_buff___wide *p) { return p->len; }
PROG narrow(struct sk_buff___wide *p) { return p->mark; }
PROG gone(struct sk_buff___old *p) { return p->gone; }
PROG guarded(struct sk_buff___old *p) { return field_exists(p->gone) ? p->gone : 9; }
PROG no_type(struct nothing_of_the_kernel *p) { return p->x; }
PROG task(struct task_struct *p) { return p->pid + p->real_parent->pid; }
PROG typedefed(atomic_t *p) { return p->counter; }
PROG circle(struct list_head *p) { return (u64)p->next->next->prev; }
PROG console_name(struct console *p) { return p->name[1]; }
PROG unioned(union bpf_attr *p) { return p->map_type; }

#define BITS(name, type, field)                                                                              \
	PROG name(type *p)                                                                                   \
	{                                                                                                    \
		return field_offset(p->field) | (u64)field_size(p->field) << 16 |                            \
		       (u64)field_lshift(p->field) << 24 | (u64)field_rshift(p->field) << 32 |               \
		       (u64)field_signed(p->field) << 40 | (u64)field_exists(p->field) << 41;                \
	}
BITS(bits_cloned, struct sk_buff, cloned)
BITS(bits_fclone, struct sk_buff, fclone)
BITS(bits_pkt_type, struct sk_buff, pkt_type)
BITS(bits_ip_summed, struct sk_buff, ip_summed)
BITS(bits_ihl, struct iphdr, ihl)
BITS(bits_version, struct iphdr, version)
BITS(bits_doff, struct tcphdr, doff)
BITS(bits_syn, struct tcphdr, syn)
BITS(bits_nonagle, struct tcp_sock, nonagle)
BITS(bits_reuse, struct sock, __sk_common.skc_reuse)
BITS(bits_execve, struct task_struct, in_execve)
BITS(bits_gone, struct sk_buff___old, vlan_present)
BITS(plain_len, struct sk_buff, len)
BITS(plain_pid, struct task_struct, pid)
BITS(plain_rate, struct sock, sk_max_pacing_rate)

PROG sizes(struct sk_buff *p) { return field_size(p->cb) + field_size(p->data) + field_size(p->protocol); }
PROG size_of_element(struct task_struct *p) { return field_size(p->comm[2]); }
PROG address(struct sk_buff *p) { return (u64)&p->cb[8] + (u64)&p->protocol; }
PROG exist(struct sk_buff *p) {
	return field_exists(p->len) + 2 * field_exists(p->pkt_type) + 4 * field_exists(((struct sk_buff___old *)p)->gone);
}

PROG type_there(void *ctx) { return type_exists(struct sk_buff) + 2 * type_exists(union bpf_attr); }
PROG type_flavour(void *ctx) { return type_exists(struct sk_buff___old); }
PROG type_gone(void *ctx) { return type_exists(struct nothing_of_the_kernel) + 2 * type_exists(union nothing_union); }
PROG type_typedef(void *ctx) { return type_exists(atomic_t) + 2 * type_exists(__be32); }
PROG type_no_typedef(void *ctx) { return type_exists(not_a_typedef_of_the_kernel_t); }
PROG type_several(void *ctx) { return type_exists(struct console) + 2 * type_exists(struct workspace); }
PROG size(void *ctx) { return type_size(struct sk_buff) + type_size(struct task_struct); }
PROG size_of_typedef(void *ctx) { return type_size(atomic_t) + type_size(__be32); }
PROG id_target(void *ctx) { return type_id_target(struct sk_buff) + type_id_target(enum bpf_func_id); }
PROG id_local(void *ctx) { return type_id_local(struct sk_buff) + type_id_local(enum bpf_func_id); }

PROG value(void *ctx) { return enum_value(enum bpf_func_id, BPF_FUNC_loop); }
PROG value_other(void *ctx) { return enum_value(enum tcp_ca_state, TCP_CA_Recovery); }
PROG value_flavour(void *ctx) { return enum_value(enum bpf_func_id___renamed, BPF_FUNC_redirect___x); }
PROG value_large(void *ctx) { return enum_value(enum perf_callchain_context, PERF_CONTEXT_MAX); }
PROG value_gone(void *ctx) { return enum_value(enum bpf_func_id, BPF_FUNC_never_there); }
PROG value_guarded(void *ctx) {
	return enum_exists(enum bpf_func_id, BPF_FUNC_never_there) ? enum_value(enum bpf_func_id, BPF_FUNC_never_there) : 8;
}
PROG value_exists(void *ctx) {
	return enum_exists(enum bpf_func_id, BPF_FUNC_loop) + 2 * enum_exists(enum nothing_enum, NOTHING_AT_ALL) +
	       4 * enum_exists(enum tcp_ca_state, TCP_CA_Open);
}
