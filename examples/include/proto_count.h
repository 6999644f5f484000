/* The program of proto_count_legacy.c and proto_count_btf.c, which differ in
 * how they declare the map `protocols` and in nothing else: it counts packets
 * and bytes by IP protocol and classifies them by it.
 */
#ifndef OXBPF_PROTO_COUNT_H
#define OXBPF_PROTO_COUNT_H

#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/pkt_sched.h>

struct count {
	__u64 packets;
	__u64 bytes;
};

#define PROTOCOLS 256

static always_inline int count_protocol(struct __sk_buff *skb, void *map)
{
	__u8 protocol = 0;
	__u32 key;
	struct count *count;

	if (skb->protocol != htons(ETH_P_IP) ||
	    skb_load_bytes(skb, ETH_HLEN + offsetof(struct iphdr, protocol), &protocol, sizeof(protocol)) < 0)
		return 0; /* not ours: the next filter */

	key = protocol;
	count = map_lookup(map, &key);
	if (count) {
		__sync_fetch_and_add(&count->packets, 1);
		__sync_fetch_and_add(&count->bytes, skb->len);
	}
	return TC_H_MAKE(1 << 16, protocol);
}

#endif
