/* Functions that are called back. */
#include "headers.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, __u32);
	__type(value, struct counter);
} counters SEC(".maps");

struct walk {
	__u64 sum;
	__u32 left;
	__u32 most;
};

static int add(__u32 round, struct walk *walk)
{
	walk->sum += round * 3;
	if (walk->left == 0)
		return 1;
	walk->left--;
	return 0;
}

static int greatest(void *map, __u32 *key, struct counter *counter, struct walk *walk)
{
	if (counter->packets > walk->sum) {
		walk->sum = counter->packets;
		walk->most = *key;
	}
	return 0;
}

SEC("tc/loop")
int loop(struct __sk_buff *skb)
{
	struct walk walk = { 0, skb->len & 63, 0 };

	bpf_loop(skb->len, add, &walk, 0);
	skb->mark = walk.sum;
	return TC_ACT_OK;
}

SEC("tc/each")
int each(struct __sk_buff *skb)
{
	struct walk walk = {};

	for_each_element(&counters, greatest, &walk, 0);
	skb->mark = walk.most;
	return walk.sum > 1000 ? TC_ACT_SHOT : TC_ACT_OK;
}

LICENSE("GPL");
