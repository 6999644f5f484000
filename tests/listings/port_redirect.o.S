
port_redirect.o:	file format elf64-bpf

Disassembly of section lb:

0000000000000000 <lb_main>:
; int lb_main(struct __sk_buff *skb)
       0:	bf 16 00 00 00 00 00 00	r6 = r1
       1:	b4 07 00 00 00 00 00 00	w7 = 0x0
; 	if (likely(skb->protocol == htons(ETH_P_IP)))
       2:	61 61 10 00 00 00 00 00	r1 = *(u32 *)(r6 + 0x10)
       3:	56 01 26 00 08 00 00 00	if w1 != 0x8 goto +0x26 <lb_main+0x150>
; 	if (load_byte(skb, ip_off + offsetof(struct iphdr, protocol)) != IPPROTO_TCP)
       4:	30 00 00 00 17 00 e0 ff	r0 = *(u8 *)skb[-0x1fffe9]
       5:	55 00 24 00 06 00 00 00	if r0 != 0x6 goto +0x24 <lb_main+0x150>
; 	if (load_half(skb, ip_off + offsetof(struct iphdr, frag_off)) & FRAGMENT_OFFSET)
       6:	28 00 00 00 14 00 e0 ff	r0 = *(u16 *)skb[-0x1fffec]
       7:	57 00 00 00 ff 1f 00 00	r0 &= 0x1fff
       8:	55 00 21 00 00 00 00 00	if r0 != 0x0 goto +0x21 <lb_main+0x150>
       9:	b4 08 00 00 22 00 e0 ff	w8 = -0x1fffde
; 	version_ihl = load_byte(skb, ip_off);
      10:	30 00 00 00 0e 00 e0 ff	r0 = *(u8 *)skb[-0x1ffff2]
; 	if (unlikely(version_ihl != 0x45)) /* options follow the header */
      11:	16 00 04 00 45 00 00 00	if w0 == 0x45 goto +0x4 <lb_main+0x80>
; 		tcp_off = ip_off + ((version_ihl & 0xf) << 2);
      12:	64 00 00 00 02 00 00 00	w0 <<= 0x2
      13:	54 00 00 00 3c 00 00 00	w0 &= 0x3c
; 		tcp_off = ip_off + ((version_ihl & 0xf) << 2);
      14:	04 00 00 00 0e 00 e0 ff	w0 += -0x1ffff2
      15:	bc 08 00 00 00 00 00 00	w8 = w0
; 	if (load_half(skb, tcp_off + offsetof(struct tcphdr, dest)) != PORT_HTTP)
      16:	bc 81 00 00 00 00 00 00	w1 = w8
      17:	04 01 00 00 02 00 00 00	w1 += 0x2
      18:	67 01 00 00 20 00 00 00	r1 <<= 0x20
      19:	c7 01 00 00 20 00 00 00	r1 s>>= 0x20
; 	if (load_half(skb, tcp_off + offsetof(struct tcphdr, dest)) != PORT_HTTP)
      20:	48 10 00 00 00 00 00 00	r0 = *(u16 *)skb[r1]
      21:	55 00 14 00 50 00 00 00	if r0 != 0x50 goto +0x14 <lb_main+0x150>
; 		      htons(PORT_FIRST + (skb->queue_mapping & QUEUE_MASK)));
      22:	61 64 0c 00 00 00 00 00	r4 = *(u32 *)(r6 + 0xc)
      23:	54 04 00 00 07 00 00 00	w4 &= 0x7
      24:	44 04 00 00 90 1f 00 00	w4 |= 0x1f90
      25:	dc 04 00 00 10 00 00 00	r4 = be16 r4
      26:	6b 4a fe ff 00 00 00 00	*(u16 *)(r10 - 0x2) = r4
; 	l4_csum_replace(skb, tcp_off + offsetof(struct tcphdr, check), from, to, sizeof(to));
      27:	bc 82 00 00 00 00 00 00	w2 = w8
      28:	04 02 00 00 10 00 20 00	w2 += 0x200010
; 	l4_csum_replace(skb, tcp_off + offsetof(struct tcphdr, check), from, to, sizeof(to));
      29:	bf 61 00 00 00 00 00 00	r1 = r6
      30:	b7 03 00 00 00 50 00 00	r3 = 0x5000
      31:	b7 05 00 00 02 00 00 00	r5 = 0x2
      32:	85 00 00 00 0b 00 00 00	call 0xb
; 	skb_store_bytes(skb, tcp_off + offsetof(struct tcphdr, dest), &to, sizeof(to), 0);
      33:	04 08 00 00 02 00 20 00	w8 += 0x200002
      34:	bf a3 00 00 00 00 00 00	r3 = r10
      35:	07 03 00 00 fe ff ff ff	r3 += -0x2
; 	skb_store_bytes(skb, tcp_off + offsetof(struct tcphdr, dest), &to, sizeof(to), 0);
      36:	bf 61 00 00 00 00 00 00	r1 = r6
      37:	bc 82 00 00 00 00 00 00	w2 = w8
      38:	b4 04 00 00 02 00 00 00	w4 = 0x2
      39:	b7 05 00 00 00 00 00 00	r5 = 0x0
      40:	85 00 00 00 09 00 00 00	call 0x9
      41:	b4 07 00 00 ff ff ff ff	w7 = -0x1
; }
      42:	bc 70 00 00 00 00 00 00	w0 = w7
      43:	95 00 00 00 00 00 00 00	exit
