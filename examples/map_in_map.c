/* Maps in a map: a table of policies by IP protocol. Each policy is an array
 * of its own, which someone outside can replace as a whole while packets pass.
 * TCP and UDP come with theirs; other protocols have none and pass uncounted.
 */
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/pkt_cls.h>
#include "oxbpf_helpers.h"

enum { SLOT_PACKETS, SLOT_LIMIT, SLOTS };

struct policy {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SLOTS);
	__type(key, __u32);
	__type(value, __u64);
} tcp_policy SEC(".maps"), udp_policy SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 256);
	__type(key, __u32);
	__array(values, struct policy);
} policies SEC(".maps") = {
	.values = {
		[IPPROTO_TCP] = (void *)&tcp_policy,
		[IPPROTO_UDP] = (void *)&udp_policy,
	},
};

SEC("tc")
int by_policy(struct __sk_buff *skb)
{
	__u32 key = 0, slot = SLOT_PACKETS;
	__u64 *packets, *limit;
	__u8 protocol = 0;
	void *policy;

	if (skb->protocol != htons(ETH_P_IP) ||
	    skb_load_bytes(skb, ETH_HLEN + offsetof(struct iphdr, protocol), &protocol, sizeof(protocol)) < 0)
		return TC_ACT_OK;
	key = protocol;
	policy = map_lookup(&policies, &key);
	if (!policy)
		return TC_ACT_OK;
	packets = map_lookup(policy, &slot);
	slot = SLOT_LIMIT;
	limit = map_lookup(policy, &slot);
	if (!packets || !limit)
		return TC_ACT_OK;
	*packets += 1;
	if (!*limit) /* nobody set one: as many as now and then */
		*limit = protocol == IPPROTO_TCP ? 16 : 8;
	return *packets > *limit ? TC_ACT_SHOT : TC_ACT_OK;
}

LICENSE("GPL");
