/* Two actions in one object, to be chained behind a filter:
 *
 *	... action bpf obj two_actions.o sec action/mark \
 *	    action bpf obj two_actions.o sec action/police
 *
 * The first marks a packet by its size and pipes it on; the second counts by
 * that mark and drops what is over the budget of its mark. They share a map,
 * and the mark is what one tells the other.
 */
#include <linux/pkt_cls.h>
#include "oxbpf_helpers.h"

enum { MARK_SMALL = 1, MARK_LARGE, MARKS };

#define LARGE 512 /* bytes */

struct bpf_elf_map SEC("maps") seen = {
	.type = BPF_MAP_TYPE_ARRAY,
	.size_key = sizeof(__u32),
	.size_value = sizeof(__u64),
	.max_elem = MARKS,
	.pinning = 1, /* both actions are loaded by their own command */
};

SEC("action/mark")
int mark(struct __sk_buff *skb)
{
	skb->mark = skb->len < LARGE ? MARK_SMALL : MARK_LARGE;
	return TC_ACT_PIPE;
}

SEC("action/police")
int police(struct __sk_buff *skb)
{
	__u32 key = skb->mark & 3;
	__u64 budget = key == MARK_LARGE ? 4 : 20;
	__u64 *n = map_lookup(&seen, &key);

	if (!n)
		return TC_ACT_UNSPEC;
	*n += 1;
	return *n > budget ? TC_ACT_SHOT : TC_ACT_OK;
}

LICENSE("GPL");
