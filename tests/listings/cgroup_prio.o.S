
cgroup_prio.o:	file format elf64-bpf

Disassembly of section tc:

0000000000000000 <prioritise>:
; int prioritise(struct __sk_buff *skb)
       0:	bf 16 00 00 00 00 00 00	r6 = r1
; 	__u32 class = cgroup_classid(skb);
       1:	85 00 00 00 11 00 00 00	call 0x11
; 	if (!class)
       2:	56 00 13 00 00 00 00 00	if w0 != 0x0 goto +0x13 <prioritise+0xb0>
; 	if (skb->protocol != htons(ETH_P_IP))
       3:	61 61 10 00 00 00 00 00	r1 = *(u32 *)(r6 + 0x10)
       4:	56 01 07 00 08 00 00 00	if w1 != 0x8 goto +0x7 <prioritise+0x60>
       5:	bf a3 00 00 00 00 00 00	r3 = r10
       6:	07 03 00 00 ef ff ff ff	r3 += -0x11
; 	if (skb_load_bytes(skb, ETH_HLEN + offsetof(struct iphdr, tos), &tos, sizeof(tos)))
       7:	bf 61 00 00 00 00 00 00	r1 = r6
       8:	b4 02 00 00 0f 00 00 00	w2 = 0xf
       9:	b4 04 00 00 01 00 00 00	w4 = 0x1
      10:	85 00 00 00 1a 00 00 00	call 0x1a
; 	if (skb_load_bytes(skb, ETH_HLEN + offsetof(struct iphdr, tos), &tos, sizeof(tos)))
      11:	15 00 02 00 00 00 00 00	if r0 == 0x0 goto +0x2 <prioritise+0x70>
      12:	b4 01 00 00 00 00 00 00	w1 = 0x0
; 	if (class) {
      13:	05 00 0d 00 00 00 00 00	goto +0xd <prioritise+0xd8>
; 	return dscp_major | (tos >> 2);
      14:	71 a1 ef ff 00 00 00 00	r1 = *(u8 *)(r10 - 0x11)
      15:	74 01 00 00 02 00 00 00	w1 >>= 0x2
      16:	18 02 00 00 00 00 00 00 00 00 00 00 00 00 00 00	r2 = 0x0 ll
      18:	61 20 00 00 00 00 00 00	r0 = *(u32 *)(r2 + 0x0)
; 	return dscp_major | (tos >> 2);
      19:	4c 10 00 00 00 00 00 00	w0 |= w1
      20:	b4 01 00 00 00 00 00 00	w1 = 0x0
; 	if (class) {
      21:	16 00 05 00 00 00 00 00	if w0 == 0x0 goto +0x5 <prioritise+0xd8>
; 		skb->priority = class;
      22:	63 06 20 00 00 00 00 00	*(u32 *)(r6 + 0x20) = r0
; 		skb->tc_index = class & 0xffff;
      23:	bc 01 00 00 00 00 00 00	w1 = w0
      24:	54 01 00 00 ff ff 00 00	w1 &= 0xffff
; 		skb->tc_index = class & 0xffff;
      25:	63 16 2c 00 00 00 00 00	*(u32 *)(r6 + 0x2c) = r1
      26:	bc 01 00 00 00 00 00 00	w1 = w0
      27:	63 1a fc ff 00 00 00 00	*(u32 *)(r10 - 0x4) = r1
      28:	bf a2 00 00 00 00 00 00	r2 = r10
      29:	07 02 00 00 fc ff ff ff	r2 += -0x4
; 	__u64 *seen = map_lookup(&packets, &class), one = 1;
      30:	18 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00	r1 = 0x0 ll
      32:	85 00 00 00 01 00 00 00	call 0x1
      33:	b7 01 00 00 01 00 00 00	r1 = 0x1
; 	__u64 *seen = map_lookup(&packets, &class), one = 1;
      34:	7b 1a f0 ff 00 00 00 00	*(u64 *)(r10 - 0x10) = r1
; 	if (seen)
      35:	15 00 02 00 00 00 00 00	if r0 == 0x0 goto +0x2 <prioritise+0x130>
; 		__sync_fetch_and_add(seen, 1);
      36:	db 10 00 00 00 00 00 00	lock *(u64 *)(r0 + 0x0) += r1
      37:	05 00 08 00 00 00 00 00	goto +0x8 <prioritise+0x170>
      38:	bf a2 00 00 00 00 00 00	r2 = r10
      39:	07 02 00 00 fc ff ff ff	r2 += -0x4
      40:	bf a3 00 00 00 00 00 00	r3 = r10
      41:	07 03 00 00 f0 ff ff ff	r3 += -0x10
; 		map_update(&packets, &class, &one, BPF_NOEXIST);
      42:	18 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00	r1 = 0x0 ll
      44:	b7 04 00 00 01 00 00 00	r4 = 0x1
      45:	85 00 00 00 02 00 00 00	call 0x2
; 	return TC_ACT_OK;
      46:	b4 00 00 00 00 00 00 00	w0 = 0x0
      47:	95 00 00 00 00 00 00 00	exit
