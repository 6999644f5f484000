
two_actions.o:	file format elf64-bpf

Disassembly of section action/mark:

0000000000000000 <mark>:
; 	skb->mark = skb->len < LARGE ? MARK_SMALL : MARK_LARGE;
       0:	61 13 00 00 00 00 00 00	r3 = *(u32 *)(r1 + 0x0)
       1:	b4 02 00 00 01 00 00 00	w2 = 0x1
; 	skb->mark = skb->len < LARGE ? MARK_SMALL : MARK_LARGE;
       2:	a6 03 01 00 00 02 00 00	if w3 < 0x200 goto +0x1 <mark+0x20>
       3:	b4 02 00 00 02 00 00 00	w2 = 0x2
; 	skb->mark = skb->len < LARGE ? MARK_SMALL : MARK_LARGE;
       4:	63 21 08 00 00 00 00 00	*(u32 *)(r1 + 0x8) = r2
; 	return TC_ACT_PIPE;
       5:	b4 00 00 00 03 00 00 00	w0 = 0x3
       6:	95 00 00 00 00 00 00 00	exit

Disassembly of section action/police:

0000000000000000 <police>:
; 	__u32 key = skb->mark & 3;
       0:	61 16 08 00 00 00 00 00	r6 = *(u32 *)(r1 + 0x8)
       1:	54 06 00 00 03 00 00 00	w6 &= 0x3
       2:	63 6a fc ff 00 00 00 00	*(u32 *)(r10 - 0x4) = r6
       3:	bf a2 00 00 00 00 00 00	r2 = r10
       4:	07 02 00 00 fc ff ff ff	r2 += -0x4
; 	__u64 *n = map_lookup(&seen, &key);
       5:	18 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00	r1 = 0x0 ll
       7:	85 00 00 00 01 00 00 00	call 0x1
       8:	b4 01 00 00 ff ff ff ff	w1 = -0x1
; 	if (!n)
       9:	15 00 0a 00 00 00 00 00	if r0 == 0x0 goto +0xa <police+0xa0>
      10:	b7 02 00 00 04 00 00 00	r2 = 0x4
; 	__u64 budget = key == MARK_LARGE ? 4 : 20;
      11:	16 06 01 00 02 00 00 00	if w6 == 0x2 goto +0x1 <police+0x68>
      12:	b7 02 00 00 14 00 00 00	r2 = 0x14
; 	*n += 1;
      13:	79 03 00 00 00 00 00 00	r3 = *(u64 *)(r0 + 0x0)
      14:	07 03 00 00 01 00 00 00	r3 += 0x1
      15:	b4 01 00 00 01 00 00 00	w1 = 0x1
      16:	2d 23 01 00 00 00 00 00	if r3 > r2 goto +0x1 <police+0x90>
      17:	b4 01 00 00 00 00 00 00	w1 = 0x0
      18:	7b 30 00 00 00 00 00 00	*(u64 *)(r0 + 0x0) = r3
; 	return *n > budget ? TC_ACT_SHOT : TC_ACT_OK;
      19:	64 01 00 00 01 00 00 00	w1 <<= 0x1
; }
      20:	bc 10 00 00 00 00 00 00	w0 = w1
      21:	95 00 00 00 00 00 00 00	exit
