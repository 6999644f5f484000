/* Priority from the class of the sender's control group (net_cls): the class
 * becomes the priority, by which HTB and its kin pick a class, and its minor
 * number the tc_index. What comes without a class is classed by its DSCP, so
 * that marked traffic is told apart all the same.
 */
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/pkt_cls.h>
#include "oxbpf_helpers.h"

/* .rodata: the handle under which DSCP classes stand. */
const volatile __u32 dscp_major = 0x00020000;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 256);
	__type(key, __u32);
	__type(value, __u64);
} packets SEC(".maps");

static always_inline void count(__u32 class)
{
	__u64 *seen = map_lookup(&packets, &class), one = 1;

	if (seen)
		__sync_fetch_and_add(seen, 1);
	else
		map_update(&packets, &class, &one, BPF_NOEXIST);
}

static always_inline __u32 class_by_dscp(struct __sk_buff *skb)
{
	__u8 tos;

	if (skb->protocol != htons(ETH_P_IP))
		return 0;
	if (skb_load_bytes(skb, ETH_HLEN + offsetof(struct iphdr, tos), &tos, sizeof(tos)))
		return 0;
	return dscp_major | (tos >> 2);
}

SEC("tc")
int prioritise(struct __sk_buff *skb)
{
	__u32 class = cgroup_classid(skb);

	if (!class)
		class = class_by_dscp(skb);
	if (class) {
		skb->priority = class;
		skb->tc_index = class & 0xffff;
	}
	count(class);
	return TC_ACT_OK;
}

LICENSE("GPL");
