
vlan_rewrite.o:	file format elf64-bpf

Disassembly of section tc:

0000000000000000 <rewrite>:
; int rewrite(struct __sk_buff *skb)
       0:	bf 16 00 00 00 00 00 00	r6 = r1
; 	if (skb->vlan_present)
       1:	61 61 14 00 00 00 00 00	r1 = *(u32 *)(r6 + 0x14)
       2:	16 01 0e 00 00 00 00 00	if w1 == 0x0 goto +0xe <rewrite+0x88>
; 		return skb->vlan_tci;
       3:	61 68 18 00 00 00 00 00	r8 = *(u32 *)(r6 + 0x18)
       4:	b4 01 00 00 00 00 00 00	w1 = 0x0
; 	__u32 vid = tci < 0 ? 0 : tci & VID_MASK;
       5:	c6 08 02 00 00 00 00 00	if w8 s< 0x0 goto +0x2 <rewrite+0x40>
       6:	bc 81 00 00 00 00 00 00	w1 = w8
       7:	54 01 00 00 ff 0f 00 00	w1 &= 0xfff
; 	__u32 vid = tci < 0 ? 0 : tci & VID_MASK;
       8:	63 1a f8 ff 00 00 00 00	*(u32 *)(r10 - 0x8) = r1
       9:	bf a2 00 00 00 00 00 00	r2 = r10
      10:	07 02 00 00 f8 ff ff ff	r2 += -0x8
; 	__u32 *entry = map_lookup(&vids, &vid);
      11:	18 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00	r1 = 0x0 ll
      13:	85 00 00 00 01 00 00 00	call 0x1
; 	__u32 to = entry ? *entry : default_vid;
      14:	15 00 10 00 00 00 00 00	if r0 == 0x0 goto +0x10 <rewrite+0xf8>
      15:	61 07 00 00 00 00 00 00	r7 = *(u32 *)(r0 + 0x0)
      16:	05 00 11 00 00 00 00 00	goto +0x11 <rewrite+0x110>
      17:	b4 08 00 00 ff ff ff ff	w8 = -0x1
; 	if (skb->protocol != htons(ETH_P_8021Q) && skb->protocol != htons(ETH_P_8021AD))
      18:	61 61 10 00 00 00 00 00	r1 = *(u32 *)(r6 + 0x10)
      19:	16 01 01 00 88 a8 00 00	if w1 == 0xa888 goto +0x1 <rewrite+0xa8>
      20:	56 01 ef ff 81 00 00 00	if w1 != 0x81 goto -0x11 <rewrite+0x20>
      21:	bf a3 00 00 00 00 00 00	r3 = r10
      22:	07 03 00 00 fc ff ff ff	r3 += -0x4
; 	if (skb_load_bytes(skb, ETH_HLEN, &tci, sizeof(tci)))
      23:	bf 61 00 00 00 00 00 00	r1 = r6
      24:	b4 02 00 00 0e 00 00 00	w2 = 0xe
      25:	b4 04 00 00 02 00 00 00	w4 = 0x2
      26:	85 00 00 00 1a 00 00 00	call 0x1a
; 	if (skb_load_bytes(skb, ETH_HLEN, &tci, sizeof(tci)))
      27:	55 00 e8 ff 00 00 00 00	if r0 != 0x0 goto -0x18 <rewrite+0x20>
; 	return ntohs(tci);
      28:	69 a8 fc ff 00 00 00 00	r8 = *(u16 *)(r10 - 0x4)
      29:	dc 08 00 00 10 00 00 00	r8 = be16 r8
      30:	05 00 e5 ff 00 00 00 00	goto -0x1b <rewrite+0x20>
; 	__u32 to = entry ? *entry : default_vid;
      31:	18 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00	r1 = 0x0 ll
      33:	61 17 00 00 00 00 00 00	r7 = *(u32 *)(r1 + 0x0)
; 	if (to > VID_MASK || to == vid)
      34:	26 07 02 00 ff 0f 00 00	if w7 > 0xfff goto +0x2 <rewrite+0x128>
      35:	61 a1 f8 ff 00 00 00 00	r1 = *(u32 *)(r10 - 0x8)
      36:	5e 17 0b 00 00 00 00 00	if w7 != w1 goto +0xb <rewrite+0x180>
      37:	b4 06 00 00 00 00 00 00	w6 = 0x0
; 	__u32 key = which;
      38:	63 6a fc ff 00 00 00 00	*(u32 *)(r10 - 0x4) = r6
      39:	bf a2 00 00 00 00 00 00	r2 = r10
      40:	07 02 00 00 fc ff ff ff	r2 += -0x4
; 	__u64 *count = map_lookup(&counters, &key);
      41:	18 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00	r1 = 0x0 ll
      43:	85 00 00 00 01 00 00 00	call 0x1
; 	if (count)
      44:	15 00 3e 00 00 00 00 00	if r0 == 0x0 goto +0x3e <rewrite+0x358>
      45:	b7 01 00 00 01 00 00 00	r1 = 0x1
; 		__sync_fetch_and_add(count, 1);
      46:	db 10 00 00 00 00 00 00	lock *(u64 *)(r0 + 0x0) += r1
      47:	05 00 3b 00 00 00 00 00	goto +0x3b <rewrite+0x358>
; 	if (tci >= 0 && skb_vlan_pop(skb))
      48:	c6 08 0f 00 00 00 00 00	if w8 s< 0x0 goto +0xf <rewrite+0x200>
      49:	bf 61 00 00 00 00 00 00	r1 = r6
      50:	85 00 00 00 13 00 00 00	call 0x13
; 	if (tci >= 0 && skb_vlan_pop(skb))
      51:	15 00 0c 00 00 00 00 00	if r0 == 0x0 goto +0xc <rewrite+0x200>
      52:	b4 01 00 00 04 00 00 00	w1 = 0x4
; 	__u32 key = which;
      53:	63 1a fc ff 00 00 00 00	*(u32 *)(r10 - 0x4) = r1
      54:	bf a2 00 00 00 00 00 00	r2 = r10
      55:	07 02 00 00 fc ff ff ff	r2 += -0x4
; 	__u64 *count = map_lookup(&counters, &key);
      56:	18 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00	r1 = 0x0 ll
      58:	85 00 00 00 01 00 00 00	call 0x1
; 	if (count)
      59:	15 00 02 00 00 00 00 00	if r0 == 0x0 goto +0x2 <rewrite+0x1f0>
      60:	b7 01 00 00 01 00 00 00	r1 = 0x1
; 		__sync_fetch_and_add(count, 1);
      61:	db 10 00 00 00 00 00 00	lock *(u64 *)(r0 + 0x0) += r1
      62:	b4 06 00 00 02 00 00 00	w6 = 0x2
; 		return done(COUNT_FAILED);
      63:	05 00 2b 00 00 00 00 00	goto +0x2b <rewrite+0x358>
; 	if (!to)
      64:	56 07 09 00 00 00 00 00	if w7 != 0x0 goto +0x9 <rewrite+0x250>
      65:	b4 01 00 00 02 00 00 00	w1 = 0x2
; 	__u32 key = which;
      66:	63 1a fc ff 00 00 00 00	*(u32 *)(r10 - 0x4) = r1
      67:	bf a2 00 00 00 00 00 00	r2 = r10
      68:	07 02 00 00 fc ff ff ff	r2 += -0x4
; 	__u64 *count = map_lookup(&counters, &key);
      69:	18 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00	r1 = 0x0 ll
      71:	85 00 00 00 01 00 00 00	call 0x1
; 	if (count)
      72:	15 00 21 00 00 00 00 00	if r0 == 0x0 goto +0x21 <rewrite+0x350>
      73:	05 00 1e 00 00 00 00 00	goto +0x1e <rewrite+0x340>
      74:	b4 01 00 00 00 00 00 00	w1 = 0x0
; 	if (skb_vlan_push(skb, htons(ETH_P_8021Q), (tci < 0 ? 0 : tci & ~VID_MASK) | to))
      75:	c6 08 02 00 00 00 00 00	if w8 s< 0x0 goto +0x2 <rewrite+0x270>
      76:	bc 81 00 00 00 00 00 00	w1 = w8
      77:	54 01 00 00 00 f0 00 00	w1 &= 0xf000
; 	if (skb_vlan_push(skb, htons(ETH_P_8021Q), (tci < 0 ? 0 : tci & ~VID_MASK) | to))
      78:	4c 17 00 00 00 00 00 00	w7 |= w1
      79:	54 07 00 00 ff ff 00 00	w7 &= 0xffff
      80:	bf 61 00 00 00 00 00 00	r1 = r6
      81:	b4 02 00 00 81 00 00 00	w2 = 0x81
      82:	bc 73 00 00 00 00 00 00	w3 = w7
      83:	85 00 00 00 12 00 00 00	call 0x12
; 	if (skb_vlan_push(skb, htons(ETH_P_8021Q), (tci < 0 ? 0 : tci & ~VID_MASK) | to))
      84:	15 00 09 00 00 00 00 00	if r0 == 0x0 goto +0x9 <rewrite+0x2f0>
      85:	b4 01 00 00 04 00 00 00	w1 = 0x4
; 	__u32 key = which;
      86:	63 1a fc ff 00 00 00 00	*(u32 *)(r10 - 0x4) = r1
      87:	bf a2 00 00 00 00 00 00	r2 = r10
      88:	07 02 00 00 fc ff ff ff	r2 += -0x4
; 	__u64 *count = map_lookup(&counters, &key);
      89:	18 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00	r1 = 0x0 ll
      91:	85 00 00 00 01 00 00 00	call 0x1
; 	if (count)
      92:	15 00 e1 ff 00 00 00 00	if r0 == 0x0 goto -0x1f <rewrite+0x1f0>
      93:	05 00 de ff 00 00 00 00	goto -0x22 <rewrite+0x1e0>
      94:	b4 01 00 00 01 00 00 00	w1 = 0x1
; 	return done(tci < 0 ? COUNT_PUSHED : COUNT_REWRITTEN);
      95:	c6 08 01 00 00 00 00 00	if w8 s< 0x0 goto +0x1 <rewrite+0x308>
      96:	b4 01 00 00 03 00 00 00	w1 = 0x3
; 	__u32 key = which;
      97:	63 1a fc ff 00 00 00 00	*(u32 *)(r10 - 0x4) = r1
      98:	bf a2 00 00 00 00 00 00	r2 = r10
      99:	07 02 00 00 fc ff ff ff	r2 += -0x4
; 	__u64 *count = map_lookup(&counters, &key);
     100:	18 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00	r1 = 0x0 ll
     102:	85 00 00 00 01 00 00 00	call 0x1
; 	if (count)
     103:	15 00 02 00 00 00 00 00	if r0 == 0x0 goto +0x2 <rewrite+0x350>
     104:	b7 01 00 00 01 00 00 00	r1 = 0x1
; 		__sync_fetch_and_add(count, 1);
     105:	db 10 00 00 00 00 00 00	lock *(u64 *)(r0 + 0x0) += r1
     106:	b4 06 00 00 00 00 00 00	w6 = 0x0
; }
     107:	bc 60 00 00 00 00 00 00	w0 = w6
     108:	95 00 00 00 00 00 00 00	exit
