/* Rewrites VLAN identifiers by a table: frames whose identifier is there get
 * the new one, untagged frames the identifier under 0; what the table maps to
 * 0 loses its tag. The priority bits of the tag stay, and so does an inner tag.
 */
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include "oxbpf_helpers.h"

#define VID_MASK 0x0fff

/* Old to new; 0xffff, and what is not there, means "as it is". */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, __u32);
	__type(value, __u32);
} vids SEC(".maps");

enum counter { COUNT_KEPT, COUNT_PUSHED, COUNT_POPPED, COUNT_REWRITTEN, COUNT_FAILED, COUNTERS };

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, COUNTERS);
	__type(key, __u32);
	__type(value, __u64);
} counters SEC(".maps");

/* .rodata: where the table says nothing. */
const volatile __u32 default_vid = 100;

static always_inline int done(enum counter which)
{
	__u32 key = which;
	__u64 *count = map_lookup(&counters, &key);

	if (count)
		__sync_fetch_and_add(count, 1);
	return which == COUNT_FAILED ? TC_ACT_SHOT : TC_ACT_OK;
}

/* The tag's control information, wherever the tag stands; -1 without one. */
static always_inline int tag(struct __sk_buff *skb)
{
	__be16 tci;

	if (skb->vlan_present)
		return skb->vlan_tci;
	if (skb->protocol != htons(ETH_P_8021Q) && skb->protocol != htons(ETH_P_8021AD))
		return -1;
	if (skb_load_bytes(skb, ETH_HLEN, &tci, sizeof(tci)))
		return -1;
	return ntohs(tci);
}

SEC("tc")
int rewrite(struct __sk_buff *skb)
{
	int tci = tag(skb);
	__u32 vid = tci < 0 ? 0 : tci & VID_MASK;
	__u32 *entry = map_lookup(&vids, &vid);
	__u32 to = entry ? *entry : default_vid;

	if (to > VID_MASK || to == vid)
		return done(COUNT_KEPT);
	if (tci >= 0 && skb_vlan_pop(skb))
		return done(COUNT_FAILED);
	if (!to)
		return done(COUNT_POPPED);
	if (skb_vlan_push(skb, htons(ETH_P_8021Q), (tci < 0 ? 0 : tci & ~VID_MASK) | to))
		return done(COUNT_FAILED);
	return done(tci < 0 ? COUNT_PUSHED : COUNT_REWRITTEN);
}

LICENSE("GPL");
