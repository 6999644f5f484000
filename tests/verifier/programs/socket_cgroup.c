/* A socket filter with legacy loads, and accounting for control groups. */
#include "headers.h"

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 128);
	__type(key, __u32);
	__type(value, struct counter);
} peers SEC(".maps");

SEC("socket/dns")
int dns(struct __sk_buff *skb)
{
	__u64 ihl = (load_byte(skb, 0) & 15) * 4;
	__u64 at, labels = 0;

	if (load_byte(skb, 9) != IPPROTO_UDP || load_half(skb, ihl + 2) != 53)
		return 0;
	at = ihl + 8 + 12;
#pragma clang loop unroll(disable)
	for (int i = 0; i < 16; i++) {
		__u64 len = load_byte(skb, at);

		if (!len)
			break;
		at += len + 1;
		labels++;
	}
	return labels > 3 ? -1 : labels;
}

SEC("cgroup_skb/ingress")
int ingress(struct __sk_buff *skb)
{
	void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
	struct iphdr *ip = data;
	struct counter *counter, none = {};
	__u32 peer;

	if ((void *)(ip + 1) > end || ip->version != 4)
		return 1;
	peer = ip->saddr;
	counter = map_lookup(&peers, &peer);
	if (!counter) {
		map_update(&peers, &peer, &none, BPF_NOEXIST);
		return 1;
	}
	counter->packets++;
	counter->bytes += skb->len;
	return counter->bytes < 1 << 30;
}

LICENSE("GPL");
