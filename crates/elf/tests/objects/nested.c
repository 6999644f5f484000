/* Maps in maps as BTF declares them, a lock in a value, a node and an extra:
 * each map in a program of its own, so that units show what they carry.
 */
#include "oxbpf_helpers.h"

struct inner {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} first SEC(".maps"), second SEC(".maps"), unused SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 4);
	__type(key, __u32);
	__array(values, struct inner);
} outer SEC(".maps") = { .values = { [1] = (void *)&first, [3] = (void *)&second } };

struct {
	__uint(type, BPF_MAP_TYPE_HASH_OF_MAPS);
	__uint(max_entries, 8);
	__uint(pinning, 1);
	__type(key, __u64);
	__array(values, struct {
		__uint(type, BPF_MAP_TYPE_HASH);
		__uint(max_entries, 16);
		__uint(map_flags, BPF_F_NO_PREALLOC);
		__type(key, __u32);
		__type(value, __u32);
	});
} empty SEC(".maps");

struct locked {
	__u64 count;
	struct bpf_spin_lock lock;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(numa_node, 1);
	__type(key, __u32);
	__type(value, struct locked);
} counters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_BLOOM_FILTER);
	__uint(max_entries, 8);
	__uint(value_size, 4);
	__uint(map_extra, 3);
} bloom SEC(".maps");

/* A type that nobody implements. */
struct {
	__uint(type, BPF_MAP_TYPE_XSKMAP);
	__uint(max_entries, 4);
	__uint(key_size, 4);
	__uint(value_size, 4);
} xsk SEC(".maps");

__u32 zeros[2];
__u32 seven = 7, eight = 8;

SEC("tc/outer")
int uses_outer(struct __sk_buff *skb)
{
	__u32 key = 1;
	void *map = map_lookup(&outer, &key);

	return map && map_lookup(map, &key);
}

SEC("tc/empty")
int uses_empty(struct __sk_buff *skb)
{
	__u64 key = 1;

	return map_lookup(&empty, &key) != 0;
}

SEC("tc/counters")
int uses_counters(struct __sk_buff *skb)
{
	__u32 key = 0;

	return map_lookup(&counters, &key) != 0;
}

SEC("tc/bloom")
int uses_bloom(struct __sk_buff *skb)
{
	__u32 key = 0;

	return map_lookup(&bloom, &key) != 0;
}

SEC("tc/xsk")
int uses_xsk(struct __sk_buff *skb)
{
	__u32 key = 0;

	return map_lookup(&xsk, &key) != 0;
}

SEC("tc/data")
int uses_data(struct __sk_buff *skb)
{
	zeros[1]++;
	return seven + eight;
}

LICENSE("GPL");
