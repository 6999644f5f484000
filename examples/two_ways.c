/* One map for both directions: what goes out is remembered by addresses and
 * protocol, and what comes in passes only as an answer to that. Each direction
 * is a program of its own, in one object, and the map is theirs together.
 */
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/pkt_cls.h>
#include "oxbpf_helpers.h"

struct pair {
	__be32 here;
	__be32 there;
	__u32 protocol;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__uint(pinning, 1);
	__type(key, struct pair);
	__type(value, __u64);
} asked SEC(".maps");

/* The header, or nothing where the packet is no IPv4. */
static always_inline int header(struct __sk_buff *skb, struct iphdr *ip)
{
	return skb->protocol == htons(ETH_P_IP) && skb_load_bytes(skb, ETH_HLEN, ip, sizeof(*ip)) == 0;
}

SEC("tcx/egress")
int goes_out(struct __sk_buff *skb)
{
	struct iphdr ip;
	struct pair pair = {};
	__u64 one = 1, *n;

	if (!header(skb, &ip))
		return TC_ACT_OK;
	pair.here = ip.saddr;
	pair.there = ip.daddr;
	pair.protocol = ip.protocol;
	n = map_lookup(&asked, &pair);
	if (n)
		__sync_fetch_and_add(n, 1);
	else
		map_update(&asked, &pair, &one, BPF_ANY);
	return TC_ACT_OK;
}

SEC("tcx/ingress")
int comes_in(struct __sk_buff *skb)
{
	struct iphdr ip;
	struct pair pair = {};

	if (!header(skb, &ip))
		return TC_ACT_OK;
	pair.here = ip.daddr;
	pair.there = ip.saddr;
	pair.protocol = ip.protocol;
	return map_lookup(&asked, &pair) ? TC_ACT_OK : TC_ACT_SHOT;
}

LICENSE("GPL");
