
map_in_map.o:	file format elf64-bpf

Disassembly of section tc:

0000000000000000 <by_policy>:
; int by_policy(struct __sk_buff *skb)
       0:	b4 06 00 00 00 00 00 00	w6 = 0x0
; 	__u32 key = 0, slot = SLOT_PACKETS;
       1:	63 6a f8 ff 00 00 00 00	*(u32 *)(r10 - 0x8) = r6
; 	__u8 protocol = 0;
       2:	73 6a f7 ff 00 00 00 00	*(u8 *)(r10 - 0x9) = r6
; 	if (skb->protocol != htons(ETH_P_IP) ||
       3:	61 12 10 00 00 00 00 00	r2 = *(u32 *)(r1 + 0x10)
       4:	56 02 2b 00 08 00 00 00	if w2 != 0x8 goto +0x2b <by_policy+0x180>
       5:	bf a3 00 00 00 00 00 00	r3 = r10
       6:	07 03 00 00 f7 ff ff ff	r3 += -0x9
; 	    skb_load_bytes(skb, ETH_HLEN + offsetof(struct iphdr, protocol), &protocol, sizeof(protocol)) < 0)
       7:	b4 02 00 00 17 00 00 00	w2 = 0x17
       8:	b4 04 00 00 01 00 00 00	w4 = 0x1
       9:	85 00 00 00 1a 00 00 00	call 0x1a
; 	if (skb->protocol != htons(ETH_P_IP) ||
      10:	c5 00 25 00 00 00 00 00	if r0 s< 0x0 goto +0x25 <by_policy+0x180>
; 	key = protocol;
      11:	71 a1 f7 ff 00 00 00 00	r1 = *(u8 *)(r10 - 0x9)
      12:	63 1a fc ff 00 00 00 00	*(u32 *)(r10 - 0x4) = r1
      13:	bf a2 00 00 00 00 00 00	r2 = r10
      14:	07 02 00 00 fc ff ff ff	r2 += -0x4
; 	policy = map_lookup(&policies, &key);
      15:	18 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00	r1 = 0x0 ll
      17:	85 00 00 00 01 00 00 00	call 0x1
      18:	bf 08 00 00 00 00 00 00	r8 = r0
; 	if (!policy)
      19:	15 08 1c 00 00 00 00 00	if r8 == 0x0 goto +0x1c <by_policy+0x180>
      20:	bf a9 00 00 00 00 00 00	r9 = r10
      21:	07 09 00 00 f8 ff ff ff	r9 += -0x8
; 	packets = map_lookup(policy, &slot);
      22:	bf 81 00 00 00 00 00 00	r1 = r8
      23:	bf 92 00 00 00 00 00 00	r2 = r9
      24:	85 00 00 00 01 00 00 00	call 0x1
      25:	bf 07 00 00 00 00 00 00	r7 = r0
      26:	b4 01 00 00 01 00 00 00	w1 = 0x1
; 	slot = SLOT_LIMIT;
      27:	63 1a f8 ff 00 00 00 00	*(u32 *)(r10 - 0x8) = r1
; 	limit = map_lookup(policy, &slot);
      28:	bf 81 00 00 00 00 00 00	r1 = r8
      29:	bf 92 00 00 00 00 00 00	r2 = r9
      30:	85 00 00 00 01 00 00 00	call 0x1
; 	if (!packets || !limit)
      31:	15 07 10 00 00 00 00 00	if r7 == 0x0 goto +0x10 <by_policy+0x180>
      32:	15 00 0f 00 00 00 00 00	if r0 == 0x0 goto +0xf <by_policy+0x180>
; 	*packets += 1;
      33:	79 72 00 00 00 00 00 00	r2 = *(u64 *)(r7 + 0x0)
      34:	07 02 00 00 01 00 00 00	r2 += 0x1
      35:	7b 27 00 00 00 00 00 00	*(u64 *)(r7 + 0x0) = r2
; 	if (!*limit) /* nobody set one: as many as now and then */
      36:	79 01 00 00 00 00 00 00	r1 = *(u64 *)(r0 + 0x0)
      37:	55 01 06 00 00 00 00 00	if r1 != 0x0 goto +0x6 <by_policy+0x160>
      38:	b7 01 00 00 10 00 00 00	r1 = 0x10
; 		*limit = protocol == IPPROTO_TCP ? 16 : 8;
      39:	71 a2 f7 ff 00 00 00 00	r2 = *(u8 *)(r10 - 0x9)
      40:	16 02 01 00 06 00 00 00	if w2 == 0x6 goto +0x1 <by_policy+0x150>
      41:	b7 01 00 00 08 00 00 00	r1 = 0x8
; 		*limit = protocol == IPPROTO_TCP ? 16 : 8;
      42:	7b 10 00 00 00 00 00 00	*(u64 *)(r0 + 0x0) = r1
; 	return *packets > *limit ? TC_ACT_SHOT : TC_ACT_OK;
      43:	79 72 00 00 00 00 00 00	r2 = *(u64 *)(r7 + 0x0)
      44:	b4 06 00 00 01 00 00 00	w6 = 0x1
; 	return *packets > *limit ? TC_ACT_SHOT : TC_ACT_OK;
      45:	2d 12 01 00 00 00 00 00	if r2 > r1 goto +0x1 <by_policy+0x178>
      46:	b4 06 00 00 00 00 00 00	w6 = 0x0
; 	return *packets > *limit ? TC_ACT_SHOT : TC_ACT_OK;
      47:	64 06 00 00 01 00 00 00	w6 <<= 0x1
; }
      48:	bc 60 00 00 00 00 00 00	w0 = w6
      49:	95 00 00 00 00 00 00 00	exit
