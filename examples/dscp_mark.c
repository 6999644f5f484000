/* Sets the DSCP of IPv4 and IPv6 packets by the port they go to, and keeps the
 * IPv4 header's checksum right. ECN bits stay as they are.
 */
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/pkt_cls.h>
#include "oxbpf_helpers.h"

enum { DSCP_BEST_EFFORT = 0, DSCP_AF21 = 18, DSCP_AF41 = 34, DSCP_EF = 46 };

#define ECN_MASK 0x03

static always_inline __u8 dscp_of(__u16 port)
{
	switch (port) {
	case 53:
	case 5060:
		return DSCP_EF;
	case 443:
	case 22:
		return DSCP_AF41;
	case 80:
	case 8080:
		return DSCP_AF21;
	default:
		return DSCP_BEST_EFFORT;
	}
}

/* The port behind a header of this length, if the transport has ports. */
static always_inline int port_at(struct __sk_buff *skb, __u8 protocol, __u32 transport)
{
	__be16 port;

	if (protocol != IPPROTO_TCP && protocol != IPPROTO_UDP)
		return -1;
	if (skb_load_bytes(skb, transport + 2, &port, sizeof(port)))
		return -1;
	return ntohs(port);
}

static noinline int mark_ip(struct __sk_buff *skb)
{
	const __u32 check = ETH_HLEN + offsetof(struct iphdr, check);
	struct iphdr ip;
	__u16 before, after;
	int port;

	if (skb_load_bytes(skb, ETH_HLEN, &ip, sizeof(ip)) || (ip.frag_off & htons(0x1fff)))
		return TC_ACT_OK;
	port = port_at(skb, ip.protocol, ETH_HLEN + ip.ihl * 4);
	if (port < 0)
		return TC_ACT_OK;
	/* The checksum is over 16-bit words: version, length and TOS are one. */
	__builtin_memcpy(&before, &ip, sizeof(before));
	ip.tos = dscp_of(port) << 2 | (ip.tos & ECN_MASK);
	__builtin_memcpy(&after, &ip, sizeof(after));
	if (before == after)
		return TC_ACT_OK;
	l3_csum_replace(skb, check, before, after, sizeof(after));
	skb_store_bytes(skb, ETH_HLEN, &after, sizeof(after), 0);
	return TC_ACT_PIPE;
}

static noinline int mark_ipv6(struct __sk_buff *skb)
{
	__be32 first;
	__u8 next;
	int port;

	if (skb_load_bytes(skb, ETH_HLEN, &first, sizeof(first)) ||
	    skb_load_bytes(skb, ETH_HLEN + offsetof(struct ipv6hdr, nexthdr), &next, sizeof(next)))
		return TC_ACT_OK;
	port = port_at(skb, next, ETH_HLEN + sizeof(struct ipv6hdr));
	if (port < 0)
		return TC_ACT_OK;
	/* Version, traffic class of eight bits, flow label. */
	first = (first & ~htonl(0x0fc00000)) | htonl((__u32)dscp_of(port) << 22);
	skb_store_bytes(skb, ETH_HLEN, &first, sizeof(first), 0);
	return TC_ACT_PIPE;
}

SEC("tc")
int mark(struct __sk_buff *skb)
{
	switch (skb->protocol) {
	case htons(ETH_P_IP):
		return mark_ip(skb);
	case htons(ETH_P_IPV6):
		return mark_ipv6(skb);
	default:
		return TC_ACT_OK;
	}
}

LICENSE("GPL");
