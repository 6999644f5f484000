/* What the programs here share: headers of packets, and a few helpers more. */
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/pkt_cls.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include "oxbpf_helpers.h"

HELPER(long, bpf_loop, BPF_FUNC_loop, __u32 rounds, void *function, void *ctx, __u64 flags);
HELPER(long, for_each_element, BPF_FUNC_for_each_map_elem, void *map, void *function, void *ctx, __u64 flags);
HELPER(void, spin_lock, BPF_FUNC_spin_lock, struct bpf_spin_lock *lock);
HELPER(void, spin_unlock, BPF_FUNC_spin_unlock, struct bpf_spin_lock *lock);
HELPER(long, redirect, BPF_FUNC_redirect, __u32 ifindex, __u64 flags);
HELPER(long, adjust_head, BPF_FUNC_xdp_adjust_head, struct xdp_md *xdp, int delta);
HELPER(long, pull_data, BPF_FUNC_skb_pull_data, struct __sk_buff *skb, __u32 len);

struct vlan {
	__be16 tci;
	__be16 proto;
};

struct tuple {
	__u32 saddr[4];
	__u32 daddr[4];
	__u16 sport;
	__u16 dport;
	__u8 protocol;
	__u8 family;
	__u16 pad;
};

struct counter {
	__u64 packets;
	__u64 bytes;
};

/* Where the network header starts behind up to `most` tags, or null. */
static always_inline void *skip_vlans(void *data, void *end, __be16 *proto, int most)
{
	struct ethhdr *eth = data;
	void *at = eth + 1;

	if (at > end)
		return 0;
	*proto = eth->h_proto;
#pragma unroll
	for (int i = 0; i < most; i++) {
		struct vlan *tag = at;

		if (*proto != htons(ETH_P_8021Q) && *proto != htons(ETH_P_8021AD))
			break;
		if ((void *)(tag + 1) > end)
			return 0;
		*proto = tag->proto;
		at = tag + 1;
	}
	return at;
}

/* Fills in ports, where the packet has them. */
static always_inline int read_ports(void *at, void *end, struct tuple *tuple)
{
	__u16 *ports = at;

	if (tuple->protocol != IPPROTO_TCP && tuple->protocol != IPPROTO_UDP)
		return 0;
	if ((void *)(ports + 2) > end)
		return -1;
	tuple->sport = ports[0];
	tuple->dport = ports[1];
	return 0;
}

/* IPv6 with up to `most` extension headers. */
static always_inline int read_ipv6(void *at, void *end, struct tuple *tuple, int most)
{
	struct ipv6hdr *ip6 = at;
	__u8 next;

	if ((void *)(ip6 + 1) > end)
		return -1;
	__builtin_memcpy(tuple->saddr, &ip6->saddr, 16);
	__builtin_memcpy(tuple->daddr, &ip6->daddr, 16);
	tuple->family = 6;
	next = ip6->nexthdr;
	at = ip6 + 1;
	for (int i = 0; i < most; i++) {
		__u8 *extension = at;

		if (next != 0 && next != 43 && next != 60)
			break;
		if ((void *)(extension + 8) > end)
			return -1;
		next = extension[0];
		at += 8 + 8 * extension[1];
	}
	tuple->protocol = next;
	return read_ports(at, end, tuple);
}

static always_inline int read_ipv4(void *at, void *end, struct tuple *tuple)
{
	struct iphdr *ip = at;
	__u32 length;

	if ((void *)(ip + 1) > end)
		return -1;
	length = ip->ihl * 4;
	if (length < sizeof(*ip))
		return -1;
	tuple->saddr[0] = ip->saddr;
	tuple->daddr[0] = ip->daddr;
	tuple->protocol = ip->protocol;
	tuple->family = 4;
	return read_ports(at + length, end, tuple);
}
