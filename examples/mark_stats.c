/* Counts packets and bytes by skb->mark and steers each mark to the class of
 * the same minor number below the root qdisc. Marks the map has no room for
 * are no match. The map is in the legacy notation of tc's loader.
 */
#include <linux/pkt_sched.h>
#include "oxbpf_helpers.h"

#define MAX_MARK 256

struct counters {
	__u64 packets;
	__u64 bytes;
};

struct bpf_elf_map SEC("maps") mark_counters = {
	.type = BPF_MAP_TYPE_ARRAY,
	.size_key = sizeof(__u32),
	.size_value = sizeof(struct counters),
	.max_elem = MAX_MARK,
	.id = 1,
};

static always_inline void count(const struct __sk_buff *skb, __u32 mark)
{
	struct counters *c = map_lookup(&mark_counters, &mark);

	if (likely(c)) {
		__sync_fetch_and_add(&c->packets, 1);
		__sync_fetch_and_add(&c->bytes, skb->len);
	}
}

SEC("cls")
int cls_mark(struct __sk_buff *skb)
{
	__u32 mark = skb->mark;

	if (unlikely(mark >= MAX_MARK))
		return 0;
	count(skb, mark);
	return TC_H_MAKE(TC_H_ROOT, mark);
}

LICENSE("GPL");
