/* Tail calls in BTF notation: the program array names its programs itself, in
 * a `values` initialiser that the loader fills from relocations. Slot 1 has no
 * initialiser and stays empty, so that a jump to it falls through.
 * All three programs share the section "tc".
 *
 * The slot is the packet's mark, so it is a variable here and not a constant;
 * cb[0] tells what ran, in bits: 1 the entry, 2 the first slot, 4 the third.
 */
#include <linux/pkt_cls.h>
#include "oxbpf_helpers.h"

int drop(struct __sk_buff *skb);
int pass(struct __sk_buff *skb);

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 3);
	__uint(key_size, sizeof(__u32));
	__array(values, int(void *));
} stages SEC(".maps") = {
	.values = {
		[0] = (void *)&drop,
		[2] = (void *)&pass,
	},
};

SEC("tc")
int drop(struct __sk_buff *skb)
{
	skb->cb[0] |= 2;
	return TC_ACT_SHOT;
}

SEC("tc")
int pass(struct __sk_buff *skb)
{
	skb->cb[0] |= 4;
	return TC_ACT_OK;
}

SEC("tc")
int entry(struct __sk_buff *skb)
{
	skb->cb[0] = 1;
	tail_call(skb, &stages, skb->mark);
	return TC_ACT_UNSPEC; /* slot 1, or beyond the array */
}

LICENSE("GPL");
