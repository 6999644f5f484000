/* A policy by destination prefix: what the longest prefix that fits says is done, and counted. The prefix of no bits,
 * which fits all, is for user space to put in; without it, what no prefix fits passes.
 */
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/pkt_cls.h>
#include "oxbpf_helpers.h"

struct key {
	__u32 bits;
	__be32 address;
};

struct policy {
	__u32 action;
	__u32 mark;
	__u64 packets;
};

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 1024);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct key);
	__type(value, struct policy);
} policies SEC(".maps");

SEC("tc")
int police(struct __sk_buff *skb)
{
	struct key key = {.bits = 32};
	struct policy *policy;

	if (skb->protocol != htons(ETH_P_IP))
		return TC_ACT_OK;
	if (skb_load_bytes(skb, ETH_HLEN + offsetof(struct iphdr, daddr), &key.address, 4) < 0)
		return TC_ACT_SHOT;
	policy = map_lookup(&policies, &key);
	if (!policy) {
		/* what nobody has decided on is remembered, by its /16 */
		struct policy fresh = {.action = TC_ACT_OK, .packets = 1};

		key.bits = 16;
		map_update(&policies, &key, &fresh, BPF_NOEXIST);
		return TC_ACT_OK;
	}
	__sync_fetch_and_add(&policy->packets, 1);
	if (policy->mark)
		skb->mark = policy->mark;
	return policy->action;
}

LICENSE("GPL");
