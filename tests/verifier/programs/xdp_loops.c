/* Loops that the verifier walks through round by round: sums over the packet, searches, options. */
#include "headers.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, __u64);
} results SEC(".maps");

static always_inline int keep(__u32 at, __u64 value)
{
	__u64 *result = map_lookup(&results, &at);

	if (result)
		*result = value;
	return XDP_PASS;
}

static always_inline int sum_bytes(struct xdp_md *xdp, int most)
{
	__u8 *at = (void *)(long)xdp->data, *end = (void *)(long)xdp->data_end;
	__u64 sum = 0;

	for (int i = 0; i < most; i++) {
		if (at + 1 > end)
			break;
		sum += *at++;
	}
	return keep(0, sum);
}

SEC("xdp/sum_64")
int sum_64(struct xdp_md *xdp)
{
	return sum_bytes(xdp, 64);
}

SEC("xdp/sum_400")
int sum_400(struct xdp_md *xdp)
{
	return sum_bytes(xdp, 400);
}

/* Finds a byte; where it is stays in the state, so that rounds differ. */
SEC("xdp/find")
int find(struct xdp_md *xdp)
{
	__u8 *data = (void *)(long)xdp->data, *end = (void *)(long)xdp->data_end;
	int found = -1;

#pragma clang loop unroll(disable)
	for (int i = 0; i < 100; i++) {
		if (data + i + 1 > end)
			break;
		if (data[i] == 0x2a) {
			found = i;
			break;
		}
	}
	return keep(1, found);
}

/* TCP options by their own lengths. */
SEC("xdp/options")
int options(struct xdp_md *xdp)
{
	void *data = (void *)(long)xdp->data, *end = (void *)(long)xdp->data_end;
	struct tcphdr *tcp = data + sizeof(struct ethhdr) + sizeof(struct iphdr);
	__u32 at = 0, length, mss = 0;
	__u8 *option;

	if ((void *)(tcp + 1) > end)
		return XDP_PASS;
	length = tcp->doff * 4;
	if (length < sizeof(*tcp))
		return XDP_DROP;
	length -= sizeof(*tcp);
	option = (void *)(tcp + 1);
#pragma clang loop unroll(disable)
	for (int i = 0; i < 20; i++) {
		__u8 *here;

		if (at >= length || at > 40)
			break;
		here = option + at;
		if (here + 4 > (__u8 *)end)
			break;
		if (*here == 0)
			break;
		if (*here == 1) {
			at++;
			continue;
		}
		if (*here == 2)
			mss = here[2] << 8 | here[3];
		if (here[1] < 2)
			break;
		at += here[1];
	}
	return keep(2, mss);
}

LICENSE("GPL");
