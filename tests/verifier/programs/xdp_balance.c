/* Chooses a back end by a hash of the flow, rewrites addresses and checksums, and sends the packet back. */
#include "headers.h"

struct backend {
	__u8 mac[6];
	__u16 weight;
	__be32 addr;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 256);
	__type(key, __u32);
	__type(value, __u32);
} ring SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 16);
	__type(key, __u32);
	__type(value, struct backend);
} backends SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, __u32);
} next SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 8);
	__type(key, __u32);
	__type(value, struct counter);
} stats SEC(".maps");

static always_inline __u32 mix(const struct tuple *tuple)
{
	const __u32 *word = (const __u32 *)tuple;
	__u32 hash = 0x9e3779b9;

#pragma unroll
	for (int i = 0; i < (int)sizeof(*tuple) / 4; i++) {
		hash ^= word[i];
		hash = (hash << 5 | hash >> 27) * 0x85ebca6b;
	}
	return hash;
}

static always_inline __u16 fold(__u64 sum)
{
#pragma unroll
	for (int i = 0; i < 4; i++)
		if (sum >> 16)
			sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

static noinline int count(__u32 which, __u64 bytes)
{
	struct counter *counter = map_lookup(&stats, &which);

	if (!counter)
		return 0;
	counter->packets++;
	counter->bytes += bytes;
	return 1;
}

SEC("xdp/balance")
int balance(struct xdp_md *xdp)
{
	void *data = (void *)(long)xdp->data, *end = (void *)(long)xdp->data_end;
	struct tuple tuple = {};
	struct ethhdr *eth = data;
	struct backend *backend;
	struct iphdr *ip;
	__u32 slot, *chosen;
	__u64 sum = 0;
	__be16 proto;
	void *at = skip_vlans(data, end, &proto, 2);

	if (!at)
		return XDP_ABORTED;
	if (proto != htons(ETH_P_IP)) {
		tail_call(xdp, &next, 1);
		return XDP_PASS;
	}
	if (read_ipv4(at, end, &tuple)) {
		count(0, end - data);
		return XDP_DROP;
	}
	slot = mix(&tuple) & 0xff;
	chosen = map_lookup(&ring, &slot);
	if (!chosen)
		return XDP_ABORTED;
	backend = map_lookup(&backends, chosen);
	if (!backend || !backend->weight) {
		count(1, end - data);
		return XDP_PASS;
	}
	ip = at;
	if ((void *)(ip + 1) > end)
		return XDP_ABORTED;
	__builtin_memcpy(eth->h_source, eth->h_dest, 6);
	__builtin_memcpy(eth->h_dest, backend->mac, 6);
	ip->daddr = backend->addr;
	ip->ttl--;
	ip->check = 0;
#pragma unroll
	for (int i = 0; i < 10; i++)
		sum += ((__u16 *)ip)[i];
	ip->check = fold(sum);
	count(2, end - data);
	return XDP_TX;
}

LICENSE("GPL");
