
dscp_mark.o:	file format elf64-bpf

Disassembly of section .text:

0000000000000000 <mark_ip>:
; static noinline int mark_ip(struct __sk_buff *skb)
       0:	bf 16 00 00 00 00 00 00	r6 = r1
       1:	bf a3 00 00 00 00 00 00	r3 = r10
       2:	07 03 00 00 e8 ff ff ff	r3 += -0x18
; 	if (skb_load_bytes(skb, ETH_HLEN, &ip, sizeof(ip)) || (ip.frag_off & htons(0x1fff)))
       3:	b4 02 00 00 0e 00 00 00	w2 = 0xe
       4:	b4 04 00 00 14 00 00 00	w4 = 0x14
       5:	85 00 00 00 1a 00 00 00	call 0x1a
       6:	bf 01 00 00 00 00 00 00	r1 = r0
       7:	b4 00 00 00 00 00 00 00	w0 = 0x0
; 	if (skb_load_bytes(skb, ETH_HLEN, &ip, sizeof(ip)) || (ip.frag_off & htons(0x1fff)))
       8:	55 01 12 00 00 00 00 00	if r1 != 0x0 goto +0x12 <mark_ip+0xd8>
       9:	69 a1 ee ff 00 00 00 00	r1 = *(u16 *)(r10 - 0x12)
      10:	54 01 00 00 1f ff 00 00	w1 &= 0xff1f
      11:	56 01 0f 00 00 00 00 00	if w1 != 0x0 goto +0xf <mark_ip+0xd8>
; 	port = port_at(skb, ip.protocol, ETH_HLEN + ip.ihl * 4);
      12:	71 a2 e8 ff 00 00 00 00	r2 = *(u8 *)(r10 - 0x18)
      13:	71 a1 f1 ff 00 00 00 00	r1 = *(u8 *)(r10 - 0xf)
; 	if (protocol != IPPROTO_TCP && protocol != IPPROTO_UDP)
      14:	16 01 01 00 11 00 00 00	if w1 == 0x11 goto +0x1 <mark_ip+0x80>
      15:	56 01 0b 00 06 00 00 00	if w1 != 0x6 goto +0xb <mark_ip+0xd8>
; 	port = port_at(skb, ip.protocol, ETH_HLEN + ip.ihl * 4);
      16:	64 02 00 00 02 00 00 00	w2 <<= 0x2
      17:	54 02 00 00 3c 00 00 00	w2 &= 0x3c
; 	if (skb_load_bytes(skb, transport + 2, &port, sizeof(port)))
      18:	04 02 00 00 10 00 00 00	w2 += 0x10
      19:	bf a3 00 00 00 00 00 00	r3 = r10
      20:	07 03 00 00 fe ff ff ff	r3 += -0x2
; 	if (skb_load_bytes(skb, transport + 2, &port, sizeof(port)))
      21:	bf 61 00 00 00 00 00 00	r1 = r6
      22:	b4 04 00 00 02 00 00 00	w4 = 0x2
      23:	85 00 00 00 1a 00 00 00	call 0x1a
      24:	bf 01 00 00 00 00 00 00	r1 = r0
      25:	b4 00 00 00 00 00 00 00	w0 = 0x0
; 	if (skb_load_bytes(skb, transport + 2, &port, sizeof(port)))
      26:	15 01 01 00 00 00 00 00	if r1 == 0x0 goto +0x1 <mark_ip+0xe0>
; }
      27:	95 00 00 00 00 00 00 00	exit
      28:	b4 02 00 00 b8 00 00 00	w2 = 0xb8
; 	__builtin_memcpy(&before, &ip, sizeof(before));
      29:	69 a3 e8 ff 00 00 00 00	r3 = *(u16 *)(r10 - 0x18)
; 	switch (port) {
      30:	bc 31 00 00 00 00 00 00	w1 = w3
      31:	74 01 00 00 08 00 00 00	w1 >>= 0x8
; 	return ntohs(port);
      32:	69 a4 fe ff 00 00 00 00	r4 = *(u16 *)(r10 - 0x2)
      33:	dc 04 00 00 10 00 00 00	r4 = be16 r4
; 	switch (port) {
      34:	66 04 06 00 ba 01 00 00	if w4 s> 0x1ba goto +0x6 <mark_ip+0x148>
      35:	16 04 08 00 16 00 00 00	if w4 == 0x16 goto +0x8 <mark_ip+0x160>
      36:	16 04 0a 00 35 00 00 00	if w4 == 0x35 goto +0xa <mark_ip+0x178>
      37:	16 04 01 00 50 00 00 00	if w4 == 0x50 goto +0x1 <mark_ip+0x138>
      38:	05 00 07 00 00 00 00 00	goto +0x7 <mark_ip+0x170>
      39:	b4 02 00 00 48 00 00 00	w2 = 0x48
; 		return DSCP_AF21;
      40:	05 00 06 00 00 00 00 00	goto +0x6 <mark_ip+0x178>
; 	switch (port) {
      41:	16 04 fd ff 90 1f 00 00	if w4 == 0x1f90 goto -0x3 <mark_ip+0x138>
      42:	16 04 04 00 c4 13 00 00	if w4 == 0x13c4 goto +0x4 <mark_ip+0x178>
      43:	56 04 02 00 bb 01 00 00	if w4 != 0x1bb goto +0x2 <mark_ip+0x170>
      44:	b4 02 00 00 88 00 00 00	w2 = 0x88
; 		return DSCP_AF41;
      45:	05 00 01 00 00 00 00 00	goto +0x1 <mark_ip+0x178>
      46:	b4 02 00 00 00 00 00 00	w2 = 0x0
; 	ip.tos = dscp_of(port) << 2 | (ip.tos & ECN_MASK);
      47:	54 01 00 00 03 00 00 00	w1 &= 0x3
      48:	4c 21 00 00 00 00 00 00	w1 |= w2
      49:	73 1a e9 ff 00 00 00 00	*(u8 *)(r10 - 0x17) = r1
; 	__builtin_memcpy(&after, &ip, sizeof(after));
      50:	69 a4 e8 ff 00 00 00 00	r4 = *(u16 *)(r10 - 0x18)
      51:	6b 4a fe ff 00 00 00 00	*(u16 *)(r10 - 0x2) = r4
; 	if (before == after)
      52:	1e 43 e6 ff 00 00 00 00	if w3 == w4 goto -0x1a <mark_ip+0xd8>
; 	l3_csum_replace(skb, check, before, after, sizeof(after));
      53:	bf 61 00 00 00 00 00 00	r1 = r6
      54:	b4 02 00 00 18 00 00 00	w2 = 0x18
      55:	b7 05 00 00 02 00 00 00	r5 = 0x2
      56:	85 00 00 00 0a 00 00 00	call 0xa
      57:	bf a3 00 00 00 00 00 00	r3 = r10
      58:	07 03 00 00 fe ff ff ff	r3 += -0x2
; 	skb_store_bytes(skb, ETH_HLEN, &after, sizeof(after), 0);
      59:	bf 61 00 00 00 00 00 00	r1 = r6
      60:	b4 02 00 00 0e 00 00 00	w2 = 0xe
      61:	b4 04 00 00 02 00 00 00	w4 = 0x2
      62:	b7 05 00 00 00 00 00 00	r5 = 0x0
      63:	85 00 00 00 09 00 00 00	call 0x9
      64:	b4 00 00 00 03 00 00 00	w0 = 0x3
      65:	05 00 d9 ff 00 00 00 00	goto -0x27 <mark_ip+0xd8>

0000000000000210 <mark_ipv6>:
; static noinline int mark_ipv6(struct __sk_buff *skb)
      66:	bf 16 00 00 00 00 00 00	r6 = r1
      67:	bf a3 00 00 00 00 00 00	r3 = r10
      68:	07 03 00 00 f8 ff ff ff	r3 += -0x8
; 	if (skb_load_bytes(skb, ETH_HLEN, &first, sizeof(first)) ||
      69:	b4 02 00 00 0e 00 00 00	w2 = 0xe
      70:	b4 04 00 00 04 00 00 00	w4 = 0x4
      71:	85 00 00 00 1a 00 00 00	call 0x1a
      72:	b4 07 00 00 00 00 00 00	w7 = 0x0
; 	if (skb_load_bytes(skb, ETH_HLEN, &first, sizeof(first)) ||
      73:	55 00 2f 00 00 00 00 00	if r0 != 0x0 goto +0x2f <mark_ipv6+0x1b8>
      74:	bf a3 00 00 00 00 00 00	r3 = r10
      75:	07 03 00 00 f7 ff ff ff	r3 += -0x9
; 	    skb_load_bytes(skb, ETH_HLEN + offsetof(struct ipv6hdr, nexthdr), &next, sizeof(next)))
      76:	bf 61 00 00 00 00 00 00	r1 = r6
      77:	b4 02 00 00 14 00 00 00	w2 = 0x14
      78:	b4 04 00 00 01 00 00 00	w4 = 0x1
      79:	85 00 00 00 1a 00 00 00	call 0x1a
; 	if (skb_load_bytes(skb, ETH_HLEN, &first, sizeof(first)) ||
      80:	55 00 28 00 00 00 00 00	if r0 != 0x0 goto +0x28 <mark_ipv6+0x1b8>
; 	port = port_at(skb, next, ETH_HLEN + sizeof(struct ipv6hdr));
      81:	71 a1 f7 ff 00 00 00 00	r1 = *(u8 *)(r10 - 0x9)
; 	if (protocol != IPPROTO_TCP && protocol != IPPROTO_UDP)
      82:	16 01 01 00 11 00 00 00	if w1 == 0x11 goto +0x1 <mark_ipv6+0x90>
      83:	56 01 07 00 06 00 00 00	if w1 != 0x6 goto +0x7 <mark_ipv6+0xc8>
      84:	bf a3 00 00 00 00 00 00	r3 = r10
      85:	07 03 00 00 fe ff ff ff	r3 += -0x2
; 	if (skb_load_bytes(skb, transport + 2, &port, sizeof(port)))
      86:	bf 61 00 00 00 00 00 00	r1 = r6
      87:	b4 02 00 00 38 00 00 00	w2 = 0x38
      88:	b4 04 00 00 02 00 00 00	w4 = 0x2
      89:	85 00 00 00 1a 00 00 00	call 0x1a
; 	if (skb_load_bytes(skb, transport + 2, &port, sizeof(port)))
      90:	15 00 01 00 00 00 00 00	if r0 == 0x0 goto +0x1 <mark_ipv6+0xd0>
; 	if (port < 0)
      91:	05 00 1d 00 00 00 00 00	goto +0x1d <mark_ipv6+0x1b8>
      92:	b4 02 00 00 00 00 80 0b	w2 = 0xb800000
; 	first = (first & ~htonl(0x0fc00000)) | htonl((__u32)dscp_of(port) << 22);
      93:	61 a1 f8 ff 00 00 00 00	r1 = *(u32 *)(r10 - 0x8)
      94:	54 01 00 00 f0 3f ff ff	w1 &= -0xc010
; 	return ntohs(port);
      95:	69 a3 fe ff 00 00 00 00	r3 = *(u16 *)(r10 - 0x2)
      96:	dc 03 00 00 10 00 00 00	r3 = be16 r3
; 	switch (port) {
      97:	66 03 06 00 ba 01 00 00	if w3 s> 0x1ba goto +0x6 <mark_ipv6+0x130>
      98:	16 03 08 00 16 00 00 00	if w3 == 0x16 goto +0x8 <mark_ipv6+0x148>
      99:	16 03 0a 00 35 00 00 00	if w3 == 0x35 goto +0xa <mark_ipv6+0x160>
     100:	16 03 01 00 50 00 00 00	if w3 == 0x50 goto +0x1 <mark_ipv6+0x120>
     101:	05 00 07 00 00 00 00 00	goto +0x7 <mark_ipv6+0x158>
     102:	b4 02 00 00 00 00 80 04	w2 = 0x4800000
; 		return DSCP_AF21;
     103:	05 00 06 00 00 00 00 00	goto +0x6 <mark_ipv6+0x160>
; 	switch (port) {
     104:	16 03 fd ff 90 1f 00 00	if w3 == 0x1f90 goto -0x3 <mark_ipv6+0x120>
     105:	16 03 04 00 c4 13 00 00	if w3 == 0x13c4 goto +0x4 <mark_ipv6+0x160>
     106:	56 03 02 00 bb 01 00 00	if w3 != 0x1bb goto +0x2 <mark_ipv6+0x158>
     107:	b4 02 00 00 00 00 80 08	w2 = 0x8800000
; 		return DSCP_AF41;
     108:	05 00 01 00 00 00 00 00	goto +0x1 <mark_ipv6+0x160>
     109:	b4 02 00 00 00 00 00 00	w2 = 0x0
; 	first = (first & ~htonl(0x0fc00000)) | htonl((__u32)dscp_of(port) << 22);
     110:	dc 02 00 00 20 00 00 00	r2 = be32 r2
     111:	4c 12 00 00 00 00 00 00	w2 |= w1
     112:	63 2a f8 ff 00 00 00 00	*(u32 *)(r10 - 0x8) = r2
     113:	bf a3 00 00 00 00 00 00	r3 = r10
     114:	07 03 00 00 f8 ff ff ff	r3 += -0x8
; 	skb_store_bytes(skb, ETH_HLEN, &first, sizeof(first), 0);
     115:	bf 61 00 00 00 00 00 00	r1 = r6
     116:	b4 02 00 00 0e 00 00 00	w2 = 0xe
     117:	b4 04 00 00 04 00 00 00	w4 = 0x4
     118:	b7 05 00 00 00 00 00 00	r5 = 0x0
     119:	85 00 00 00 09 00 00 00	call 0x9
     120:	b4 07 00 00 03 00 00 00	w7 = 0x3
; }
     121:	bc 70 00 00 00 00 00 00	w0 = w7
     122:	95 00 00 00 00 00 00 00	exit

Disassembly of section tc:

0000000000000000 <mark>:
; 	switch (skb->protocol) {
       0:	61 12 10 00 00 00 00 00	r2 = *(u32 *)(r1 + 0x10)
       1:	16 02 04 00 86 dd 00 00	if w2 == 0xdd86 goto +0x4 <mark+0x30>
       2:	b4 00 00 00 00 00 00 00	w0 = 0x0
       3:	56 02 03 00 08 00 00 00	if w2 != 0x8 goto +0x3 <mark+0x38>
; 		return mark_ip(skb);
       4:	85 10 00 00 ff ff ff ff	call -0x1
       5:	05 00 01 00 00 00 00 00	goto +0x1 <mark+0x38>
; 		return mark_ipv6(skb);
       6:	85 10 00 00 41 00 00 00	call 0x41
; }
       7:	95 00 00 00 00 00 00 00	exit
