/* A direct-action program in the present style: it counts IPv4 flows, drops
 * flows beyond a packet budget, and re-marks the DSCP of the rest with the
 * IPv4 header checksum kept right.
 *
 * It shows BTF maps (a hash keyed by a struct, an array), constants that the
 * loader may set before loading (.rodata), variables (.data and .bss), a
 * subprogram that is called and not inlined, direct packet access with its
 * bounds checks, and a literal format string.
 */
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/pkt_cls.h>
#include "oxbpf_helpers.h"

struct flow_key {
	__be32 saddr;
	__be32 daddr;
	__be16 sport;
	__be16 dport;
	__u8 protocol;
	__u8 pad[3];
};

struct flow {
	__u64 packets;
	__u64 bytes;
	__u64 first_ns;
	__u64 last_ns;
};

enum counter { COUNT_SEEN, COUNT_NEW, COUNT_DROPPED, COUNT_REMARKED, COUNTERS };

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, struct flow_key);
	__type(value, struct flow);
} flows SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, COUNTERS);
	__type(key, __u32);
	__type(value, __u64);
} counters SEC(".maps");

/* .rodata: settings. */
const volatile __u32 packet_budget = 100;
const volatile __u8 dscp = 46; /* expedited forwarding */
const volatile __u8 verbose = 1;

/* .data and .bss: variables, shared by all packets. */
__u32 next_flow_id = 1;
__u64 total_bytes;
__u32 last_flow_hash;

static always_inline void bump(__u32 which)
{
	__u64 *n = map_lookup(&counters, &which);

	if (n)
		__sync_fetch_and_add(n, 1);
}

/* Mixes the key's words into one: a loop in a subprogram, kept as a loop. */
static noinline __u32 flow_hash(const struct flow_key *key)
{
	const __u32 *word = (const void *)key;
	__u32 h = 0;

#pragma clang loop unroll(disable)
	for (int i = 0; i < (int)(sizeof(*key) / sizeof(*word)); i++) {
		h += word[i];
		h += h << 10;
		h ^= h >> 6;
	}
	h += h << 3;
	h ^= h >> 11;
	return h + (h << 15);
}

/* The flow of this packet, made when it is new; a full table yields NULL. */
static always_inline struct flow *flow_of(const struct flow_key *key, __u64 now)
{
	struct flow *flow = map_lookup(&flows, key);
	struct flow fresh = { .first_ns = now };

	if (flow)
		return flow;
	bump(COUNT_NEW);
	map_update(&flows, key, &fresh, BPF_NOEXIST);
	if (verbose)
		trace_printk("flow %u: proto %u\n", sizeof("flow %u: proto %u\n"), next_flow_id, key->protocol);
	__sync_fetch_and_add(&next_flow_id, 1);
	return map_lookup(&flows, key);
}

/* Sets the DSCP and keeps the ECN bits. The header's first word changes, and
 * the checksum follows by the difference of the old and the new word. */
static noinline int remark(struct __sk_buff *skb)
{
	__u32 from = 0, to;
	__u8 *tos = (__u8 *)&to + 1;
	__s64 diff;

	if (skb_load_bytes(skb, ETH_HLEN, &from, sizeof(from)) < 0)
		return 0;
	to = from;
	*tos = (dscp << 2) | (*tos & 3);
	if (to == from)
		return 0;
	diff = csum_diff(&from, sizeof(from), &to, sizeof(to), 0);
	l3_csum_replace(skb, ETH_HLEN + offsetof(struct iphdr, check), 0, diff, 0);
	skb_store_bytes(skb, ETH_HLEN, &to, sizeof(to), 0);
	return 1;
}

SEC("tc")
int tc_flow(struct __sk_buff *skb)
{
	void *data = (void *)(long)skb->data;
	void *data_end = (void *)(long)skb->data_end;
	struct ethhdr *eth = data;
	struct iphdr *ip = data + sizeof(*eth);
	__be16 *ports = (void *)(ip + 1);
	struct flow_key key = {};
	struct flow *flow;
	__u64 now;

	bump(COUNT_SEEN);
	total_bytes += skb->len;
	if ((void *)(ip + 1) > data_end || eth->h_proto != htons(ETH_P_IP))
		return TC_ACT_OK;

	key.saddr = ip->saddr;
	key.daddr = ip->daddr;
	key.protocol = ip->protocol;
	if (ip->ihl == 5 && (ip->protocol == IPPROTO_TCP || ip->protocol == IPPROTO_UDP) &&
	    (void *)(ports + 2) <= data_end) {
		key.sport = ports[0];
		key.dport = ports[1];
	}
	last_flow_hash = flow_hash(&key);

	now = ktime_get_ns();
	flow = flow_of(&key, now);
	if (!flow)
		return TC_ACT_OK;
	flow->last_ns = now;
	__sync_fetch_and_add(&flow->bytes, skb->len);
	if (__sync_fetch_and_add(&flow->packets, 1) >= packet_budget) {
		bump(COUNT_DROPPED);
		return TC_ACT_SHOT;
	}
	if (remark(skb))
		bump(COUNT_REMARKED);
	return TC_ACT_OK;
}

LICENSE("GPL");
