/* Packets and bytes of each flow in a table that forgets the flows that were not seen for longest, and a total that each
 * CPU has its own of.
 */
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/pkt_cls.h>
#include "oxbpf_helpers.h"

struct flow {
	__be32 from;
	__be32 to;
	__u8 protocol;
	__u8 pad[3];
};

struct counts {
	__u64 packets;
	__u64 bytes;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct flow);
	__type(value, struct counts);
} flows SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct counts);
} totals SEC(".maps");

static void count(struct counts *counts, __u32 len)
{
	counts->packets += 1;
	counts->bytes += len;
}

SEC("tc")
int flow(struct __sk_buff *skb)
{
	struct counts *counts, first = {.packets = 1, .bytes = skb->len};
	struct flow key = {};
	struct iphdr ip;
	__u32 zero = 0;

	counts = map_lookup(&totals, &zero);
	if (counts)
		count(counts, skb->len);
	if (skb->protocol != htons(ETH_P_IP) || skb_load_bytes(skb, ETH_HLEN, &ip, sizeof(ip)) < 0)
		return TC_ACT_OK;
	key.from = ip.saddr;
	key.to = ip.daddr;
	key.protocol = ip.protocol;
	counts = map_lookup(&flows, &key);
	if (counts)
		count(counts, skb->len);
	else
		map_update(&flows, &key, &first, BPF_ANY);
	return TC_ACT_OK;
}

LICENSE("GPL");
