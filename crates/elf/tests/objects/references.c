/* References between functions and to data in all the forms clang has: static
 * and global callbacks, calls within a section and across sections, variables
 * by name and by section; and the kernel's legacy map structure.
 */
#include "oxbpf_helpers.h"

HELPER(long, loop, BPF_FUNC_loop, __u32 n, void *callback, void *ctx, __u64 flags);

struct bpf_map_def {
	__u32 type;
	__u32 key_size;
	__u32 value_size;
	__u32 max_entries;
	__u32 map_flags;
};

struct bpf_map_def SEC("maps") sparse = {
	.type = BPF_MAP_TYPE_HASH,
	.key_size = 4,
	.value_size = 8,
	.max_entries = 3,
	.map_flags = BPF_F_NO_PREALLOC,
};

static int sum; /* .bss, by section */
int weights[4] = { 1, 2, 3, 4 }; /* .data, by name */

static noinline int leaf(int x)
{
	return x + weights[x & 3];
}

static long static_callback(__u32 i, void *ctx)
{
	sum += leaf(i);
	return 0;
}

long global_callback(__u32 i, void *ctx)
{
	sum += 100;
	return 0;
}

SEC("tc/callbacks")
int callbacks(struct __sk_buff *skb)
{
	__u32 key = 7;
	__u64 value = 9;

	loop(4, static_callback, 0, 0);
	loop(2, global_callback, 0, 0);
	map_update(&sparse, &key, &value, 0);
	return sum;
}

noinline SEC("tc/calls")
int callee(struct __sk_buff *skb)
{
	return leaf(skb->len);
}

SEC("tc/calls")
int caller(struct __sk_buff *skb)
{
	return leaf(2) + callee(skb);
}

LICENSE("GPL");
