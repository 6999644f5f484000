/* Counts flows of IPv4 and IPv6 behind VLAN tags, and marks those that are on a list. */
#include "headers.h"

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct tuple);
	__type(value, struct counter);
} flows SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, __u16);
	__type(value, __u32);
} marks SEC(".maps");

static always_inline int flow(struct __sk_buff *skb, int tags, int extensions)
{
	void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
	struct tuple tuple = {};
	struct counter *counter, first = { 1, skb->len };
	__be16 proto;
	__u32 *mark;
	void *at = skip_vlans(data, end, &proto, tags);

	if (!at)
		return TC_ACT_OK;
	if (proto == htons(ETH_P_IP)) {
		if (read_ipv4(at, end, &tuple))
			return TC_ACT_SHOT;
	} else if (proto == htons(ETH_P_IPV6)) {
		if (read_ipv6(at, end, &tuple, extensions))
			return TC_ACT_SHOT;
	} else {
		return TC_ACT_OK;
	}
	counter = map_lookup(&flows, &tuple);
	if (counter) {
		__sync_fetch_and_add(&counter->packets, 1);
		__sync_fetch_and_add(&counter->bytes, skb->len);
	} else {
		map_update(&flows, &tuple, &first, BPF_ANY);
	}
	mark = map_lookup(&marks, &tuple.dport);
	if (mark)
		skb->mark = *mark;
	return TC_ACT_OK;
}

SEC("tc/few")
int few(struct __sk_buff *skb)
{
	return flow(skb, 1, 1);
}

SEC("tc/some")
int some(struct __sk_buff *skb)
{
	return flow(skb, 2, 4);
}

SEC("tc/many")
int many(struct __sk_buff *skb)
{
	return flow(skb, 4, 8);
}

LICENSE("GPL");
