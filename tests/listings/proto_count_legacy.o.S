
proto_count_legacy.o:	file format elf64-bpf

Disassembly of section classifier:

0000000000000000 <by_protocol>:
; int by_protocol(struct __sk_buff *skb)
       0:	bf 16 00 00 00 00 00 00	r6 = r1
       1:	b4 07 00 00 00 00 00 00	w7 = 0x0
; 	__u8 protocol = 0;
       2:	73 7a ff ff 00 00 00 00	*(u8 *)(r10 - 0x1) = r7
; 	if (skb->protocol != htons(ETH_P_IP) ||
       3:	61 61 10 00 00 00 00 00	r1 = *(u32 *)(r6 + 0x10)
       4:	56 01 15 00 08 00 00 00	if w1 != 0x8 goto +0x15 <by_protocol+0xd0>
       5:	bf a3 00 00 00 00 00 00	r3 = r10
       6:	07 03 00 00 ff ff ff ff	r3 += -0x1
; 	    skb_load_bytes(skb, ETH_HLEN + offsetof(struct iphdr, protocol), &protocol, sizeof(protocol)) < 0)
       7:	bf 61 00 00 00 00 00 00	r1 = r6
       8:	b4 02 00 00 17 00 00 00	w2 = 0x17
       9:	b4 04 00 00 01 00 00 00	w4 = 0x1
      10:	85 00 00 00 1a 00 00 00	call 0x1a
; 	if (skb->protocol != htons(ETH_P_IP) ||
      11:	c5 00 0e 00 00 00 00 00	if r0 s< 0x0 goto +0xe <by_protocol+0xd0>
; 	key = protocol;
      12:	71 a1 ff ff 00 00 00 00	r1 = *(u8 *)(r10 - 0x1)
      13:	63 1a f8 ff 00 00 00 00	*(u32 *)(r10 - 0x8) = r1
      14:	bf a2 00 00 00 00 00 00	r2 = r10
      15:	07 02 00 00 f8 ff ff ff	r2 += -0x8
; 	count = map_lookup(map, &key);
      16:	18 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00	r1 = 0x0 ll
      18:	85 00 00 00 01 00 00 00	call 0x1
; 	if (count) {
      19:	15 00 04 00 00 00 00 00	if r0 == 0x0 goto +0x4 <by_protocol+0xc0>
      20:	b7 01 00 00 01 00 00 00	r1 = 0x1
; 		__sync_fetch_and_add(&count->packets, 1);
      21:	db 10 00 00 00 00 00 00	lock *(u64 *)(r0 + 0x0) += r1
; 		__sync_fetch_and_add(&count->bytes, skb->len);
      22:	61 61 00 00 00 00 00 00	r1 = *(u32 *)(r6 + 0x0)
      23:	db 10 08 00 00 00 00 00	lock *(u64 *)(r0 + 0x8) += r1
; 	return TC_H_MAKE(1 << 16, protocol);
      24:	71 a7 ff ff 00 00 00 00	r7 = *(u8 *)(r10 - 0x1)
      25:	44 07 00 00 00 00 01 00	w7 |= 0x10000
; 	return count_protocol(skb, &protocols);
      26:	bc 70 00 00 00 00 00 00	w0 = w7
      27:	95 00 00 00 00 00 00 00	exit
