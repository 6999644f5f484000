
tail_call_btf.o:	file format elf64-bpf

Disassembly of section tc:

0000000000000000 <drop>:
; 	skb->cb[0] |= 2;
       0:	61 12 30 00 00 00 00 00	r2 = *(u32 *)(r1 + 0x30)
       1:	44 02 00 00 02 00 00 00	w2 |= 0x2
       2:	63 21 30 00 00 00 00 00	*(u32 *)(r1 + 0x30) = r2
; 	return TC_ACT_SHOT;
       3:	b4 00 00 00 02 00 00 00	w0 = 0x2
       4:	95 00 00 00 00 00 00 00	exit

0000000000000028 <pass>:
; 	skb->cb[0] |= 4;
       5:	61 12 30 00 00 00 00 00	r2 = *(u32 *)(r1 + 0x30)
       6:	44 02 00 00 04 00 00 00	w2 |= 0x4
       7:	63 21 30 00 00 00 00 00	*(u32 *)(r1 + 0x30) = r2
; 	return TC_ACT_OK;
       8:	b4 00 00 00 00 00 00 00	w0 = 0x0
       9:	95 00 00 00 00 00 00 00	exit

0000000000000050 <entry>:
; int entry(struct __sk_buff *skb)
      10:	b4 02 00 00 01 00 00 00	w2 = 0x1
; 	skb->cb[0] = 1;
      11:	63 21 30 00 00 00 00 00	*(u32 *)(r1 + 0x30) = r2
; 	tail_call(skb, &stages, skb->mark);
      12:	61 13 08 00 00 00 00 00	r3 = *(u32 *)(r1 + 0x8)
      13:	18 02 00 00 00 00 00 00 00 00 00 00 00 00 00 00	r2 = 0x0 ll
      15:	85 00 00 00 0c 00 00 00	call 0xc
; 	return TC_ACT_UNSPEC; /* slot 1, or beyond the array */
      16:	b4 00 00 00 ff ff ff ff	w0 = -0x1
      17:	95 00 00 00 00 00 00 00	exit
