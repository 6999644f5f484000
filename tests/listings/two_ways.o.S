
two_ways.o:	file format elf64-bpf

Disassembly of section tcx/egress:

0000000000000000 <goes_out>:
; int goes_out(struct __sk_buff *skb)
       0:	b7 02 00 00 01 00 00 00	r2 = 0x1
; 	__u64 one = 1, *n;
       1:	7b 2a d8 ff 00 00 00 00	*(u64 *)(r10 - 0x28) = r2
; 	return skb->protocol == htons(ETH_P_IP) && skb_load_bytes(skb, ETH_HLEN, ip, sizeof(*ip)) == 0;
       2:	61 12 10 00 00 00 00 00	r2 = *(u32 *)(r1 + 0x10)
       3:	56 02 1d 00 08 00 00 00	if w2 != 0x8 goto +0x1d <goes_out+0x108>
       4:	bf a3 00 00 00 00 00 00	r3 = r10
       5:	07 03 00 00 ec ff ff ff	r3 += -0x14
; 	return skb->protocol == htons(ETH_P_IP) && skb_load_bytes(skb, ETH_HLEN, ip, sizeof(*ip)) == 0;
       6:	b4 02 00 00 0e 00 00 00	w2 = 0xe
       7:	b4 04 00 00 14 00 00 00	w4 = 0x14
       8:	85 00 00 00 1a 00 00 00	call 0x1a
; 	if (!header(skb, &ip))
       9:	55 00 17 00 00 00 00 00	if r0 != 0x0 goto +0x17 <goes_out+0x108>
; 	pair.here = ip.saddr;
      10:	61 a1 f8 ff 00 00 00 00	r1 = *(u32 *)(r10 - 0x8)
      11:	63 1a e0 ff 00 00 00 00	*(u32 *)(r10 - 0x20) = r1
; 	pair.there = ip.daddr;
      12:	61 a1 fc ff 00 00 00 00	r1 = *(u32 *)(r10 - 0x4)
      13:	63 1a e4 ff 00 00 00 00	*(u32 *)(r10 - 0x1c) = r1
; 	pair.protocol = ip.protocol;
      14:	71 a1 f5 ff 00 00 00 00	r1 = *(u8 *)(r10 - 0xb)
      15:	63 1a e8 ff 00 00 00 00	*(u32 *)(r10 - 0x18) = r1
      16:	bf a2 00 00 00 00 00 00	r2 = r10
      17:	07 02 00 00 e0 ff ff ff	r2 += -0x20
; 	n = map_lookup(&asked, &pair);
      18:	18 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00	r1 = 0x0 ll
      20:	85 00 00 00 01 00 00 00	call 0x1
; 	if (n)
      21:	15 00 03 00 00 00 00 00	if r0 == 0x0 goto +0x3 <goes_out+0xc8>
      22:	b7 01 00 00 01 00 00 00	r1 = 0x1
; 		__sync_fetch_and_add(n, 1);
      23:	db 10 00 00 00 00 00 00	lock *(u64 *)(r0 + 0x0) += r1
      24:	05 00 08 00 00 00 00 00	goto +0x8 <goes_out+0x108>
      25:	bf a2 00 00 00 00 00 00	r2 = r10
      26:	07 02 00 00 e0 ff ff ff	r2 += -0x20
      27:	bf a3 00 00 00 00 00 00	r3 = r10
      28:	07 03 00 00 d8 ff ff ff	r3 += -0x28
; 		map_update(&asked, &pair, &one, BPF_ANY);
      29:	18 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00	r1 = 0x0 ll
      31:	b7 04 00 00 00 00 00 00	r4 = 0x0
      32:	85 00 00 00 02 00 00 00	call 0x2
; }
      33:	b4 00 00 00 00 00 00 00	w0 = 0x0
      34:	95 00 00 00 00 00 00 00	exit

Disassembly of section tcx/ingress:

0000000000000000 <comes_in>:
; int comes_in(struct __sk_buff *skb)
       0:	b4 06 00 00 00 00 00 00	w6 = 0x0
; 	return skb->protocol == htons(ETH_P_IP) && skb_load_bytes(skb, ETH_HLEN, ip, sizeof(*ip)) == 0;
       1:	61 12 10 00 00 00 00 00	r2 = *(u32 *)(r1 + 0x10)
       2:	56 02 15 00 08 00 00 00	if w2 != 0x8 goto +0x15 <comes_in+0xc0>
       3:	bf a3 00 00 00 00 00 00	r3 = r10
       4:	07 03 00 00 ec ff ff ff	r3 += -0x14
; 	return skb->protocol == htons(ETH_P_IP) && skb_load_bytes(skb, ETH_HLEN, ip, sizeof(*ip)) == 0;
       5:	b4 02 00 00 0e 00 00 00	w2 = 0xe
       6:	b4 04 00 00 14 00 00 00	w4 = 0x14
       7:	85 00 00 00 1a 00 00 00	call 0x1a
; 	if (!header(skb, &ip))
       8:	55 00 0f 00 00 00 00 00	if r0 != 0x0 goto +0xf <comes_in+0xc0>
; 	pair.here = ip.daddr;
       9:	61 a1 fc ff 00 00 00 00	r1 = *(u32 *)(r10 - 0x4)
      10:	63 1a e0 ff 00 00 00 00	*(u32 *)(r10 - 0x20) = r1
; 	pair.there = ip.saddr;
      11:	61 a1 f8 ff 00 00 00 00	r1 = *(u32 *)(r10 - 0x8)
      12:	63 1a e4 ff 00 00 00 00	*(u32 *)(r10 - 0x1c) = r1
; 	pair.protocol = ip.protocol;
      13:	71 a1 f5 ff 00 00 00 00	r1 = *(u8 *)(r10 - 0xb)
      14:	63 1a e8 ff 00 00 00 00	*(u32 *)(r10 - 0x18) = r1
      15:	bf a2 00 00 00 00 00 00	r2 = r10
      16:	07 02 00 00 e0 ff ff ff	r2 += -0x20
; 	return map_lookup(&asked, &pair) ? TC_ACT_OK : TC_ACT_SHOT;
      17:	18 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00	r1 = 0x0 ll
      19:	85 00 00 00 01 00 00 00	call 0x1
      20:	b4 06 00 00 01 00 00 00	w6 = 0x1
      21:	15 00 01 00 00 00 00 00	if r0 == 0x0 goto +0x1 <comes_in+0xb8>
      22:	b4 06 00 00 00 00 00 00	w6 = 0x0
      23:	64 06 00 00 01 00 00 00	w6 <<= 0x1
; }
      24:	bc 60 00 00 00 00 00 00	w0 = w6
      25:	95 00 00 00 00 00 00 00	exit
