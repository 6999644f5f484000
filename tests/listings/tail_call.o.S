
tail_call.o:	file format elf64-bpf

Disassembly of section 1/0:

0000000000000000 <by_protocol>:
; 	skb->cb[0]++;
       0:	61 12 30 00 00 00 00 00	r2 = *(u32 *)(r1 + 0x30)
       1:	04 02 00 00 01 00 00 00	w2 += 0x1
       2:	63 21 30 00 00 00 00 00	*(u32 *)(r1 + 0x30) = r2
; 	return CLASS(skb->cb[1]);
       3:	61 10 34 00 00 00 00 00	r0 = *(u32 *)(r1 + 0x34)
       4:	54 00 00 00 ff ff 00 00	w0 &= 0xffff
       5:	44 00 00 00 00 00 01 00	w0 |= 0x10000
; 	return CLASS(skb->cb[1]);
       6:	95 00 00 00 00 00 00 00	exit

Disassembly of section 1/1:

0000000000000000 <by_length>:
; 	skb->cb[0]++;
       0:	61 12 30 00 00 00 00 00	r2 = *(u32 *)(r1 + 0x30)
       1:	04 02 00 00 01 00 00 00	w2 += 0x1
       2:	63 21 30 00 00 00 00 00	*(u32 *)(r1 + 0x30) = r2
; 	if (skb->len < SHORT_UDP) /* a second jump: short UDP goes on to slot 0 */
       3:	61 12 00 00 00 00 00 00	r2 = *(u32 *)(r1 + 0x0)
       4:	26 02 04 00 7f 00 00 00	if w2 > 0x7f goto +0x4 <by_length+0x48>
; 		tail_call(skb, &jmp_table, SLOT_PROTOCOL);
       5:	18 02 00 00 00 00 00 00 00 00 00 00 00 00 00 00	r2 = 0x0 ll
       7:	b4 03 00 00 00 00 00 00	w3 = 0x0
       8:	85 00 00 00 0c 00 00 00	call 0xc
; 	return CLASS_LONG_UDP;
       9:	b4 00 00 00 00 01 01 00	w0 = 0x10100
      10:	95 00 00 00 00 00 00 00	exit

Disassembly of section classifier:

0000000000000000 <entry>:
; int entry(struct __sk_buff *skb)
       0:	bf 17 00 00 00 00 00 00	r7 = r1
       1:	b4 06 00 00 00 00 00 00	w6 = 0x0
; 	__u8 protocol = 0;
       2:	73 6a ff ff 00 00 00 00	*(u8 *)(r10 - 0x1) = r6
; 	if (skb->protocol != htons(ETH_P_IP))
       3:	61 71 10 00 00 00 00 00	r1 = *(u32 *)(r7 + 0x10)
       4:	56 01 17 00 08 00 00 00	if w1 != 0x8 goto +0x17 <entry+0xe0>
       5:	bf a3 00 00 00 00 00 00	r3 = r10
       6:	07 03 00 00 ff ff ff ff	r3 += -0x1
       7:	b4 08 00 00 01 00 00 00	w8 = 0x1
; 	if (skb_load_bytes(skb, ETH_HLEN + offsetof(struct iphdr, protocol), &protocol, sizeof(protocol)) < 0)
       8:	bf 71 00 00 00 00 00 00	r1 = r7
       9:	b4 02 00 00 17 00 00 00	w2 = 0x17
      10:	b4 04 00 00 01 00 00 00	w4 = 0x1
      11:	85 00 00 00 1a 00 00 00	call 0x1a
; 	if (skb_load_bytes(skb, ETH_HLEN + offsetof(struct iphdr, protocol), &protocol, sizeof(protocol)) < 0)
      12:	c5 00 0f 00 00 00 00 00	if r0 s< 0x0 goto +0xf <entry+0xe0>
; 	skb->cb[0] = 1;
      13:	63 87 30 00 00 00 00 00	*(u32 *)(r7 + 0x30) = r8
; 	skb->cb[1] = protocol;
      14:	71 a1 ff ff 00 00 00 00	r1 = *(u8 *)(r10 - 0x1)
      15:	63 17 34 00 00 00 00 00	*(u32 *)(r7 + 0x34) = r1
      16:	b4 06 00 00 01 01 01 00	w6 = 0x10101
; 	switch (protocol) {
      17:	16 01 05 00 01 00 00 00	if w1 == 0x1 goto +0x5 <entry+0xb8>
      18:	b4 03 00 00 00 00 00 00	w3 = 0x0
      19:	16 01 04 00 06 00 00 00	if w1 == 0x6 goto +0x4 <entry+0xc0>
      20:	56 01 07 00 11 00 00 00	if w1 != 0x11 goto +0x7 <entry+0xe0>
      21:	b4 03 00 00 01 00 00 00	w3 = 0x1
; 		break;
      22:	05 00 01 00 00 00 00 00	goto +0x1 <entry+0xc0>
      23:	b4 03 00 00 02 00 00 00	w3 = 0x2
      24:	bf 71 00 00 00 00 00 00	r1 = r7
      25:	18 02 00 00 00 00 00 00 00 00 00 00 00 00 00 00	r2 = 0x0 ll
      27:	85 00 00 00 0c 00 00 00	call 0xc
; }
      28:	bc 60 00 00 00 00 00 00	w0 = w6
      29:	95 00 00 00 00 00 00 00	exit
