
mirror.o:	file format elf64-bpf

Disassembly of section tc:

0000000000000000 <mirror>:
; int mirror(struct __sk_buff *skb)
       0:	bf 16 00 00 00 00 00 00	r6 = r1
; 	__u64 number = seen++;
       1:	18 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00	r1 = 0x0 ll
       3:	79 17 00 00 00 00 00 00	r7 = *(u64 *)(r1 + 0x0)
       4:	bf 72 00 00 00 00 00 00	r2 = r7
       5:	07 02 00 00 01 00 00 00	r2 += 0x1
       6:	7b 21 00 00 00 00 00 00	*(u64 *)(r1 + 0x0) = r2
; 	if (skb->protocol != htons(ETH_P_IP) || skb_load_bytes(skb, ETH_HLEN, &ip, sizeof(ip)))
       7:	61 61 10 00 00 00 00 00	r1 = *(u32 *)(r6 + 0x10)
       8:	56 01 13 00 08 00 00 00	if w1 != 0x8 goto +0x13 <mirror+0xe0>
       9:	bf a3 00 00 00 00 00 00	r3 = r10
      10:	07 03 00 00 ec ff ff ff	r3 += -0x14
; 	if (skb->protocol != htons(ETH_P_IP) || skb_load_bytes(skb, ETH_HLEN, &ip, sizeof(ip)))
      11:	bf 61 00 00 00 00 00 00	r1 = r6
      12:	b4 02 00 00 0e 00 00 00	w2 = 0xe
      13:	b4 04 00 00 14 00 00 00	w4 = 0x14
      14:	85 00 00 00 1a 00 00 00	call 0x1a
; 	if (skb->protocol != htons(ETH_P_IP) || skb_load_bytes(skb, ETH_HLEN, &ip, sizeof(ip)))
      15:	55 00 0c 00 00 00 00 00	if r0 != 0x0 goto +0xc <mirror+0xe0>
      16:	71 a1 f5 ff 00 00 00 00	r1 = *(u8 *)(r10 - 0xb)
      17:	56 01 0a 00 06 00 00 00	if w1 != 0x6 goto +0xa <mirror+0xe0>
; 	if (ip.protocol != IPPROTO_TCP || skb_load_bytes(skb, ETH_HLEN + ip.ihl * 4 + TCP_FLAGS, &flags, sizeof(flags)))
      18:	71 a2 ec ff 00 00 00 00	r2 = *(u8 *)(r10 - 0x14)
      19:	64 02 00 00 02 00 00 00	w2 <<= 0x2
      20:	54 02 00 00 3c 00 00 00	w2 &= 0x3c
; 	if (ip.protocol != IPPROTO_TCP || skb_load_bytes(skb, ETH_HLEN + ip.ihl * 4 + TCP_FLAGS, &flags, sizeof(flags)))
      21:	04 02 00 00 1b 00 00 00	w2 += 0x1b
      22:	bf a3 00 00 00 00 00 00	r3 = r10
      23:	07 03 00 00 eb ff ff ff	r3 += -0x15
; 	if (ip.protocol != IPPROTO_TCP || skb_load_bytes(skb, ETH_HLEN + ip.ihl * 4 + TCP_FLAGS, &flags, sizeof(flags)))
      24:	bf 61 00 00 00 00 00 00	r1 = r6
      25:	b4 04 00 00 01 00 00 00	w4 = 0x1
      26:	85 00 00 00 1a 00 00 00	call 0x1a
; 	if (ip.protocol != IPPROTO_TCP || skb_load_bytes(skb, ETH_HLEN + ip.ihl * 4 + TCP_FLAGS, &flags, sizeof(flags)))
      27:	15 00 01 00 00 00 00 00	if r0 == 0x0 goto +0x1 <mirror+0xe8>
; 	if (!opens_or_closes(skb) && (!sample || number % sample))
      28:	05 00 03 00 00 00 00 00	goto +0x3 <mirror+0x100>
; 	return flags & TCP_FIN_SYN_RST;
      29:	71 a1 eb ff 00 00 00 00	r1 = *(u8 *)(r10 - 0x15)
      30:	54 01 00 00 07 00 00 00	w1 &= 0x7
; 	if (!opens_or_closes(skb) && (!sample || number % sample))
      31:	56 01 07 00 00 00 00 00	if w1 != 0x0 goto +0x7 <mirror+0x138>
      32:	18 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00	r1 = 0x0 ll
      34:	61 12 00 00 00 00 00 00	r2 = *(u32 *)(r1 + 0x0)
; 	if (!opens_or_closes(skb) && (!sample || number % sample))
      35:	16 02 11 00 00 00 00 00	if w2 == 0x0 goto +0x11 <mirror+0x1a8>
      36:	61 11 00 00 00 00 00 00	r1 = *(u32 *)(r1 + 0x0)
      37:	9f 17 00 00 00 00 00 00	r7 %= r1
      38:	55 07 0e 00 00 00 00 00	if r7 != 0x0 goto +0xe <mirror+0x1a8>
; 	if (clone_redirect(skb, monitor_ifindex, 0))
      39:	18 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00	r1 = 0x0 ll
      41:	61 12 00 00 00 00 00 00	r2 = *(u32 *)(r1 + 0x0)
; 	if (clone_redirect(skb, monitor_ifindex, 0))
      42:	bf 61 00 00 00 00 00 00	r1 = r6
      43:	b7 03 00 00 00 00 00 00	r3 = 0x0
      44:	85 00 00 00 0d 00 00 00	call 0xd
      45:	18 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00	r1 = 0x0 ll
      47:	15 00 02 00 00 00 00 00	if r0 == 0x0 goto +0x2 <mirror+0x190>
      48:	18 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00	r1 = 0x0 ll
      50:	79 12 00 00 00 00 00 00	r2 = *(u64 *)(r1 + 0x0)
      51:	07 02 00 00 01 00 00 00	r2 += 0x1
      52:	7b 21 00 00 00 00 00 00	*(u64 *)(r1 + 0x0) = r2
; }
      53:	b4 00 00 00 ff ff ff ff	w0 = -0x1
      54:	95 00 00 00 00 00 00 00	exit
