/* Mirrors what a monitor asked for to another interface: TCP packets that open
 * or close a connection whole, everything else that it samples. The packet
 * itself goes on as it came.
 */
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/pkt_cls.h>
#include "oxbpf_helpers.h"

/* .rodata: where copies go, and every how many packets one is taken. */
const volatile __u32 monitor_ifindex = 1;
const volatile __u32 sample = 4;

__u64 seen, mirrored, failed;

#define TCP_FLAGS 13
#define TCP_FIN_SYN_RST 0x07

static always_inline int opens_or_closes(struct __sk_buff *skb)
{
	struct iphdr ip;
	__u8 flags;

	if (skb->protocol != htons(ETH_P_IP) || skb_load_bytes(skb, ETH_HLEN, &ip, sizeof(ip)))
		return 0;
	if (ip.protocol != IPPROTO_TCP || skb_load_bytes(skb, ETH_HLEN + ip.ihl * 4 + TCP_FLAGS, &flags, sizeof(flags)))
		return 0;
	return flags & TCP_FIN_SYN_RST;
}

SEC("tc")
int mirror(struct __sk_buff *skb)
{
	__u64 number = seen++;

	if (!opens_or_closes(skb) && (!sample || number % sample))
		return TC_ACT_UNSPEC;
	if (clone_redirect(skb, monitor_ifindex, 0))
		failed++;
	else
		mirrored++;
	return TC_ACT_UNSPEC;
}

LICENSE("GPL");
