/* Tail calls in tc's own notation: the entry program jumps into a program
 * array by IP protocol, and the sections "1/0" and "1/1" fill slots 0 and 1
 * of the map whose id is 1. Slot 2 (ICMP) stays empty on purpose: a tail call
 * that finds nothing falls through to the next statement.
 *
 * State crosses the jump in skb->cb: cb[0] counts the programs that ran and
 * cb[1] holds the IP protocol, which becomes the minor class number.
 */
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/pkt_sched.h>
#include "oxbpf_helpers.h"

#define JMP_MAP_ID 1
#define SHORT_UDP 128 /* bytes of packet */

enum { SLOT_PROTOCOL, SLOT_UDP, SLOT_ICMP, SLOTS };

#define CLASS(minor) TC_H_MAKE(1 << 16, minor)
#define CLASS_LONG_UDP CLASS(0x100)
#define CLASS_OTHER CLASS(0x101)

struct bpf_elf_map SEC("maps") jmp_table = {
	.type = BPF_MAP_TYPE_PROG_ARRAY,
	.size_key = sizeof(__u32),
	.size_value = sizeof(__u32),
	.max_elem = SLOTS,
	.id = JMP_MAP_ID,
};

SEC("1/0")
int by_protocol(struct __sk_buff *skb)
{
	skb->cb[0]++;
	return CLASS(skb->cb[1]);
}

SEC("1/1")
int by_length(struct __sk_buff *skb)
{
	skb->cb[0]++;
	if (skb->len < SHORT_UDP) /* a second jump: short UDP goes on to slot 0 */
		tail_call(skb, &jmp_table, SLOT_PROTOCOL);
	return CLASS_LONG_UDP;
}

SEC("classifier")
int entry(struct __sk_buff *skb)
{
	__u8 protocol = 0;

	if (skb->protocol != htons(ETH_P_IP))
		return 0;
	if (skb_load_bytes(skb, ETH_HLEN + offsetof(struct iphdr, protocol), &protocol, sizeof(protocol)) < 0)
		return 0;

	skb->cb[0] = 1;
	skb->cb[1] = protocol;
	switch (protocol) {
	case IPPROTO_TCP:
		tail_call(skb, &jmp_table, SLOT_PROTOCOL);
		break;
	case IPPROTO_UDP:
		tail_call(skb, &jmp_table, SLOT_UDP);
		break;
	case IPPROTO_ICMP:
		tail_call(skb, &jmp_table, SLOT_ICMP);
		break;
	}
	return CLASS_OTHER; /* an empty slot, or no slot for this protocol */
}

LICENSE("GPL");
