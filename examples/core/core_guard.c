/* One object for kernels with and without what it asks for: CO-RE guards.
 *
 * Nothing here is read from kernel memory, which a classifier may not do; the
 * answers come from the kernel's types when the program is loaded, and what
 * the kernel lacks is dead code that the verifier removes. Each bit of the
 * mark says which way was taken, so that a run shows the kernel it was
 * adapted to. Packets to and from TCP port 80 match.
 */
#include <linux/if_ether.h>
#include <linux/in.h>
#include "oxbpf_helpers.h"

#define adapted __attribute__((preserve_access_index))
#define field_exists(x) __builtin_preserve_field_info(x, 2)
#define field_size(x) __builtin_preserve_field_info(x, 1)
#define type_exists(type) __builtin_preserve_type_info(*(typeof(type) *)0, 0)
#define enum_exists(type, value) __builtin_preserve_enum_value(*(typeof(type) *)value, 0)
#define enum_value(type, value) __builtin_preserve_enum_value(*(typeof(type) *)value, 1)

/* As much of the kernel's types as is asked about; flavours (___) are other
 * versions of one type. */
struct sk_buff {
	char cb[48];
	__u32 mark;
} adapted;
struct sk_buff___before_6_1 {
	__u8 vlan_present : 1;
} adapted;
struct sk_buff___never {
	__u32 field_that_no_kernel_has;
} adapted;
enum bpf_func_id___some {
	BPF_FUNC_csum_level___some = 1,
	BPF_FUNC_no_kernel_has_this___some = 2,
};
struct bpf_netkit_no_kernel_has_this {
	int x;
};

#define HAS_MARK 0x01
#define HAS_VLAN_PRESENT 0x02
#define HAS_CSUM_LEVEL 0x04
#define HAS_NOTHING 0x08
#define CB_WORDS(n) ((n) << 8)
#define CSUM_LEVEL(n) ((n) << 16)

SEC("classifier")
int cls_guarded(struct __sk_buff *skb)
{
	struct sk_buff___never *never = (void *)skb;
	__u32 mark = 0, words;

	if (field_exists(((struct sk_buff *)0)->mark))
		mark |= HAS_MARK;
	if (field_exists(((struct sk_buff___before_6_1 *)0)->vlan_present))
		mark |= HAS_VLAN_PRESENT;
	if (enum_exists(enum bpf_func_id___some, BPF_FUNC_csum_level___some))
		mark |= HAS_CSUM_LEVEL |
			CSUM_LEVEL(enum_value(enum bpf_func_id___some, BPF_FUNC_csum_level___some));

	/* No kernel gets here, and none may: the load would be of nothing. */
	if (field_exists(never->field_that_no_kernel_has))
		mark |= HAS_NOTHING | never->field_that_no_kernel_has;
	if (enum_exists(enum bpf_func_id___some, BPF_FUNC_no_kernel_has_this___some))
		mark |= HAS_NOTHING |
			CSUM_LEVEL(enum_value(enum bpf_func_id___some, BPF_FUNC_no_kernel_has_this___some));
	if (type_exists(struct bpf_netkit_no_kernel_has_this))
		mark |= HAS_NOTHING;

	words = field_size(((struct sk_buff *)0)->cb) / 4;
	mark |= CB_WORDS(words);
	skb->mark = mark;

	if (skb->protocol != htons(ETH_P_IP) || load_byte(skb, ETH_HLEN + 9) != IPPROTO_TCP)
		return 0;
	__u32 l4 = ETH_HLEN + (load_byte(skb, ETH_HLEN) & 0xf) * 4;
	return load_half(skb, l4) == 80 || load_half(skb, l4 + 2) == 80 ? -1 : 0;
}

LICENSE("GPL");
