/* Spreads TCP port 80 over the ports 8080..8087, one per receive queue: the
 * destination port of each IPv4 packet to port 80 becomes 8080 plus the low
 * three bits of the queue, and the TCP checksum is kept right.
 *
 * The header is read with the classic packet loads. Negative offsets from
 * BPF_LL_OFF count from the link-layer header wherever skb->data stands, so
 * the same program works at ingress and egress. The helpers that write count
 * from skb->data instead, hence the subtraction.
 *
 * Returns -1 (the configured class) for a redirected packet, 0 (no match)
 * for every other one.
 */
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/tcp.h>
#include "oxbpf_helpers.h"

#define PORT_HTTP 80
#define PORT_FIRST 8080
#define QUEUE_MASK 7
#define FRAGMENT_OFFSET 0x1fff /* of iphdr.frag_off */

static always_inline void rewrite_dport(struct __sk_buff *skb, int tcp_off, __be16 from, __be16 to)
{
	l4_csum_replace(skb, tcp_off + offsetof(struct tcphdr, check), from, to, sizeof(to));
	skb_store_bytes(skb, tcp_off + offsetof(struct tcphdr, dest), &to, sizeof(to), 0);
}

static always_inline int redirect_ipv4(struct __sk_buff *skb, int ip_off)
{
	int tcp_off = ip_off + sizeof(struct iphdr);
	__u32 version_ihl;

	if (load_byte(skb, ip_off + offsetof(struct iphdr, protocol)) != IPPROTO_TCP)
		return 0;
	if (load_half(skb, ip_off + offsetof(struct iphdr, frag_off)) & FRAGMENT_OFFSET)
		return 0; /* the ports are in the first fragment only */

	version_ihl = load_byte(skb, ip_off);
	if (unlikely(version_ihl != 0x45)) /* options follow the header */
		tcp_off = ip_off + ((version_ihl & 0xf) << 2);

	if (load_half(skb, tcp_off + offsetof(struct tcphdr, dest)) != PORT_HTTP)
		return 0;

	rewrite_dport(skb, tcp_off - BPF_LL_OFF, htons(PORT_HTTP),
		      htons(PORT_FIRST + (skb->queue_mapping & QUEUE_MASK)));
	return -1;
}

SEC("lb")
int lb_main(struct __sk_buff *skb)
{
	if (likely(skb->protocol == htons(ETH_P_IP)))
		return redirect_ipv4(skb, BPF_LL_OFF + ETH_HLEN);
	return 0;
}

LICENSE("GPL");
