/* What clang makes of things this loader refuses, each in a program of its
 * own beside one that is fine.
 */
#include "oxbpf_helpers.h"

int fine(struct __sk_buff *skb);

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__array(values, int(void *));
} programs SEC(".maps") = { .values = { (void *)&fine } };

static const char *const names[] = { "a", "bb" };

struct task {
	int pid;
	int tgid;
} __attribute__((preserve_access_index));

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
	tail_call(skb, &programs, 0);
	return 0;
}

LICENSE("GPL");
