/* An object for big-endian machines, with something of everything that has a
 * byte order: instructions with offsets and constants, calls, maps of both
 * notations, data, debug types and lines.
 */
#include "oxbpf_helpers.h"

struct bpf_elf_map SEC("maps") legacy = {
	.type = BPF_MAP_TYPE_ARRAY,
	.size_key = 4,
	.size_value = 8,
	.max_elem = 256,
	.id = 7,
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __u32);
	__type(value, __u64);
} modern SEC(".maps");

__u32 step = 0x01020304;

static noinline __u64 add(__u64 *n)
{
	return n ? *n += step : 0;
}

SEC("tc")
int counts(struct __sk_buff *skb)
{
	__u32 key = skb->mark & 0x1ff;

	if (skb->cb[3] == 0x123456)
		return add(map_lookup(&modern, &key));
	return add(map_lookup(&legacy, &key)) > 5;
}

LICENSE("GPL");
