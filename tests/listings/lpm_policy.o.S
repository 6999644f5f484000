
lpm_policy.o:	file format elf64-bpf

Disassembly of section tc:

0000000000000000 <police>:
; int police(struct __sk_buff *skb)
       0:	bf 16 00 00 00 00 00 00	r6 = r1
       1:	b7 01 00 00 20 00 00 00	r1 = 0x20
; 	struct key key = {.bits = 32};
       2:	7b 1a f8 ff 00 00 00 00	*(u64 *)(r10 - 0x8) = r1
; 	if (skb->protocol != htons(ETH_P_IP))
       3:	61 61 10 00 00 00 00 00	r1 = *(u32 *)(r6 + 0x10)
       4:	b4 00 00 00 00 00 00 00	w0 = 0x0
; 	if (skb->protocol != htons(ETH_P_IP))
       5:	56 01 25 00 08 00 00 00	if w1 != 0x8 goto +0x25 <police+0x158>
; 	if (skb_load_bytes(skb, ETH_HLEN + offsetof(struct iphdr, daddr), &key.address, 4) < 0)
       6:	bf a3 00 00 00 00 00 00	r3 = r10
       7:	07 03 00 00 fc ff ff ff	r3 += -0x4
; 	if (skb_load_bytes(skb, ETH_HLEN + offsetof(struct iphdr, daddr), &key.address, 4) < 0)
       8:	bf 61 00 00 00 00 00 00	r1 = r6
       9:	b4 02 00 00 1e 00 00 00	w2 = 0x1e
      10:	b4 04 00 00 04 00 00 00	w4 = 0x4
      11:	85 00 00 00 1a 00 00 00	call 0x1a
      12:	bf 01 00 00 00 00 00 00	r1 = r0
      13:	b4 00 00 00 02 00 00 00	w0 = 0x2
; 	if (skb_load_bytes(skb, ETH_HLEN + offsetof(struct iphdr, daddr), &key.address, 4) < 0)
      14:	c5 01 1c 00 00 00 00 00	if r1 s< 0x0 goto +0x1c <police+0x158>
      15:	bf a2 00 00 00 00 00 00	r2 = r10
      16:	07 02 00 00 f8 ff ff ff	r2 += -0x8
; 	policy = map_lookup(&policies, &key);
      17:	18 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00	r1 = 0x0 ll
      19:	85 00 00 00 01 00 00 00	call 0x1
; 	if (!policy) {
      20:	55 00 10 00 00 00 00 00	if r0 != 0x0 goto +0x10 <police+0x128>
      21:	b7 01 00 00 00 00 00 00	r1 = 0x0
; 		struct policy fresh = {.action = TC_ACT_OK, .packets = 1};
      22:	7b 1a e8 ff 00 00 00 00	*(u64 *)(r10 - 0x18) = r1
      23:	b4 01 00 00 10 00 00 00	w1 = 0x10
; 		key.bits = 16;
      24:	63 1a f8 ff 00 00 00 00	*(u32 *)(r10 - 0x8) = r1
      25:	b7 01 00 00 01 00 00 00	r1 = 0x1
; 		struct policy fresh = {.action = TC_ACT_OK, .packets = 1};
      26:	7b 1a f0 ff 00 00 00 00	*(u64 *)(r10 - 0x10) = r1
      27:	bf a2 00 00 00 00 00 00	r2 = r10
      28:	07 02 00 00 f8 ff ff ff	r2 += -0x8
      29:	bf a3 00 00 00 00 00 00	r3 = r10
      30:	07 03 00 00 e8 ff ff ff	r3 += -0x18
; 		map_update(&policies, &key, &fresh, BPF_NOEXIST);
      31:	18 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00	r1 = 0x0 ll
      33:	b7 04 00 00 01 00 00 00	r4 = 0x1
      34:	85 00 00 00 02 00 00 00	call 0x2
      35:	b4 00 00 00 00 00 00 00	w0 = 0x0
      36:	05 00 06 00 00 00 00 00	goto +0x6 <police+0x158>
      37:	b7 01 00 00 01 00 00 00	r1 = 0x1
; 	__sync_fetch_and_add(&policy->packets, 1);
      38:	db 10 08 00 00 00 00 00	lock *(u64 *)(r0 + 0x8) += r1
; 	if (policy->mark)
      39:	61 01 04 00 00 00 00 00	r1 = *(u32 *)(r0 + 0x4)
      40:	16 01 01 00 00 00 00 00	if w1 == 0x0 goto +0x1 <police+0x150>
; 		skb->mark = policy->mark;
      41:	63 16 08 00 00 00 00 00	*(u32 *)(r6 + 0x8) = r1
; 	return policy->action;
      42:	61 00 00 00 00 00 00 00	r0 = *(u32 *)(r0 + 0x0)
; }
      43:	95 00 00 00 00 00 00 00	exit
