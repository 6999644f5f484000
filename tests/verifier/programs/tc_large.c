/* Many paths: rules one after the other, each with a look-up and an exit of its own; states that differ. */
#include "headers.h"

struct rule {
	__u32 mask;
	__u32 value;
	__u32 action;
	__u32 hits;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 256);
	__type(key, __u32);
	__type(value, struct rule);
} rules SEC(".maps");

static always_inline int match(__u32 word, __u32 index, __u32 *score)
{
	struct rule *rule = map_lookup(&rules, &index);

	if (!rule)
		return -1;
	if ((word & rule->mask) != rule->value)
		return 0;
	rule->hits++;
	*score += rule->action & 7;
	return rule->action & 8;
}

static always_inline int filter(struct __sk_buff *skb, int count)
{
	void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
	__u32 score = 0, word;

	if (data + 64 > end)
		return TC_ACT_OK;
#pragma unroll
	for (int i = 0; i < count; i++) {
		word = *(__u32 *)(data + (i * 4) % 60);
		if (match(word, i, &score))
			return TC_ACT_SHOT;
	}
	skb->mark = score;
	return score > 40 ? TC_ACT_SHOT : TC_ACT_OK;
}

SEC("tc/rules_20")
int rules_20(struct __sk_buff *skb)
{
	return filter(skb, 20);
}

SEC("tc/rules_100")
int rules_100(struct __sk_buff *skb)
{
	return filter(skb, 100);
}

/* Flags that are decided first and looked at again later: 2 to the power of eight states. */
SEC("tc/flags")
int flags(struct __sk_buff *skb)
{
	__u8 *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
	__u32 set = 0, sum = 0;

	if (data + 40 > end)
		return TC_ACT_OK;
	if (data[0] & 1)
		set |= 1;
	if (data[1] > 9)
		set |= 2;
	if (data[2] == data[3])
		set |= 4;
	if (data[4] < data[5])
		set |= 8;
	if (data[6] != 6)
		set |= 16;
	if (data[7] & 0x80)
		set |= 32;
	if (data[8] == 0x11)
		set |= 64;
	if (data[9] > 0x20)
		set |= 128;
#pragma clang loop unroll(disable)
	for (int i = 0; i < 32; i++) {
		if (data[i] & set)
			sum += data[i];
		else
			sum ^= set;
	}
	skb->mark = sum;
	return set & 3 ? TC_ACT_SHOT : TC_ACT_OK;
}

LICENSE("GPL");
