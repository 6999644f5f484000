/* Every fourth packet is sampled: its length and first bytes go to user space through a ring buffer. What finds no room
 * is counted.
 */
#include <linux/pkt_cls.h>
#include "oxbpf_helpers.h"

#define HEAD 32

struct sample {
	__u32 number;
	__u32 len;
	__u8 head[HEAD];
};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} samples SEC(".maps");

__u32 seen;
__u32 lost;

SEC("tc")
int sample(struct __sk_buff *skb)
{
	struct sample *sample;
	__u32 number = seen++;

	if (number & 3)
		return TC_ACT_OK;
	sample = ringbuf_reserve(&samples, sizeof(*sample), 0);
	if (!sample) {
		lost++;
		return TC_ACT_OK;
	}
	sample->number = number;
	sample->len = skb->len;
	if (skb_load_bytes(skb, 0, sample->head, HEAD) < 0) {
		ringbuf_discard(sample, 0);
		return TC_ACT_OK;
	}
	ringbuf_submit(sample, 0);
	return TC_ACT_OK;
}

LICENSE("GPL");
