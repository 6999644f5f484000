/* What clang makes of things this loader refuses, each in a program of its
 * own beside one that is fine.
 */
#include "oxbpf_helpers.h"

extern int kernel_function(struct __sk_buff *skb) __attribute__((section(".ksyms")));
extern const int CONFIG_HZ __attribute__((section(".kconfig")));

int fine(struct __sk_buff *skb);

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__array(values, int(void *));
} programs SEC(".maps") = { .values = { (void *)&fine } };

struct inner {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} inner SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 2);
	__type(key, __u32);
	__array(values, struct inner);
} outer SEC(".maps") = { .values = { [1] = &inner } };

struct {
	__uint(type, BPF_MAP_TYPE_BLOOM_FILTER);
	__uint(max_entries, 8);
	__uint(value_size, 4);
	__uint(map_extra, 3);
} bloom SEC(".maps");

static const char *const names[] = { "a", "bb" };

struct task {
	int pid;
	int tgid;
} __attribute__((preserve_access_index));

SEC("tc/kfunc")
int kfunc(struct __sk_buff *skb)
{
	return kernel_function(skb);
}

SEC("tc/kconfig")
int kconfig(struct __sk_buff *skb)
{
	return CONFIG_HZ;
}

SEC("tc/map_of_maps")
int map_of_maps(struct __sk_buff *skb)
{
	__u32 key = 1;

	return map_lookup(&outer, &key) != 0;
}

SEC("tc/map_extra")
int map_extra(struct __sk_buff *skb)
{
	__u32 key = 1;

	return map_lookup(&bloom, &key) != 0;
}

SEC("tc/pointers")
int pointers(struct __sk_buff *skb)
{
	return names[skb->len & 1][skb->mark & 1];
}

SEC("tc/core")
int core(struct __sk_buff *skb)
{
	struct task *task = (void *)(long)skb->data;

	if ((void *)(task + 2) > (void *)(long)skb->data_end)
		return 0;
	return task->tgid;
}

SEC("tc/fine")
int fine(struct __sk_buff *skb)
{
	__u32 key = 0;

	if (map_lookup(&inner, &key))
		tail_call(skb, &programs, 0);
	return 0;
}

LICENSE("GPL");
