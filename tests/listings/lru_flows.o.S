
lru_flows.o:	file format elf64-bpf

Disassembly of section tc:

0000000000000000 <flow>:
; int flow(struct __sk_buff *skb)
       0:	bf 16 00 00 00 00 00 00	r6 = r1
       1:	b7 01 00 00 01 00 00 00	r1 = 0x1
; 	struct counts *counts, first = {.packets = 1, .bytes = skb->len};
       2:	7b 1a f0 ff 00 00 00 00	*(u64 *)(r10 - 0x10) = r1
       3:	61 61 00 00 00 00 00 00	r1 = *(u32 *)(r6 + 0x0)
       4:	7b 1a f8 ff 00 00 00 00	*(u64 *)(r10 - 0x8) = r1
       5:	b4 01 00 00 00 00 00 00	w1 = 0x0
; 	struct flow key = {};
       6:	63 1a ec ff 00 00 00 00	*(u32 *)(r10 - 0x14) = r1
; 	__u32 zero = 0;
       7:	63 1a cc ff 00 00 00 00	*(u32 *)(r10 - 0x34) = r1
       8:	bf a2 00 00 00 00 00 00	r2 = r10
       9:	07 02 00 00 cc ff ff ff	r2 += -0x34
; 	counts = map_lookup(&totals, &zero);
      10:	18 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00	r1 = 0x0 ll
      12:	85 00 00 00 01 00 00 00	call 0x1
; 	if (counts)
      13:	15 00 07 00 00 00 00 00	if r0 == 0x0 goto +0x7 <flow+0xa8>
; 		count(counts, skb->len);
      14:	61 61 00 00 00 00 00 00	r1 = *(u32 *)(r6 + 0x0)
; 	counts->packets += 1;
      15:	79 02 00 00 00 00 00 00	r2 = *(u64 *)(r0 + 0x0)
      16:	07 02 00 00 01 00 00 00	r2 += 0x1
      17:	7b 20 00 00 00 00 00 00	*(u64 *)(r0 + 0x0) = r2
; 	counts->bytes += len;
      18:	79 02 08 00 00 00 00 00	r2 = *(u64 *)(r0 + 0x8)
      19:	0f 12 00 00 00 00 00 00	r2 += r1
      20:	7b 20 08 00 00 00 00 00	*(u64 *)(r0 + 0x8) = r2
; 	if (skb->protocol != htons(ETH_P_IP) || skb_load_bytes(skb, ETH_HLEN, &ip, sizeof(ip)) < 0)
      21:	61 61 10 00 00 00 00 00	r1 = *(u32 *)(r6 + 0x10)
      22:	56 01 23 00 08 00 00 00	if w1 != 0x8 goto +0x23 <flow+0x1d0>
      23:	bf a3 00 00 00 00 00 00	r3 = r10
      24:	07 03 00 00 d0 ff ff ff	r3 += -0x30
; 	if (skb->protocol != htons(ETH_P_IP) || skb_load_bytes(skb, ETH_HLEN, &ip, sizeof(ip)) < 0)
      25:	bf 61 00 00 00 00 00 00	r1 = r6
      26:	b4 02 00 00 0e 00 00 00	w2 = 0xe
      27:	b4 04 00 00 14 00 00 00	w4 = 0x14
      28:	85 00 00 00 1a 00 00 00	call 0x1a
; 	if (skb->protocol != htons(ETH_P_IP) || skb_load_bytes(skb, ETH_HLEN, &ip, sizeof(ip)) < 0)
      29:	c5 00 1c 00 00 00 00 00	if r0 s< 0x0 goto +0x1c <flow+0x1d0>
; 	key.from = ip.saddr;
      30:	61 a1 dc ff 00 00 00 00	r1 = *(u32 *)(r10 - 0x24)
      31:	63 1a e4 ff 00 00 00 00	*(u32 *)(r10 - 0x1c) = r1
; 	key.to = ip.daddr;
      32:	61 a1 e0 ff 00 00 00 00	r1 = *(u32 *)(r10 - 0x20)
      33:	63 1a e8 ff 00 00 00 00	*(u32 *)(r10 - 0x18) = r1
; 	key.protocol = ip.protocol;
      34:	71 a1 d9 ff 00 00 00 00	r1 = *(u8 *)(r10 - 0x27)
      35:	73 1a ec ff 00 00 00 00	*(u8 *)(r10 - 0x14) = r1
      36:	bf a2 00 00 00 00 00 00	r2 = r10
      37:	07 02 00 00 e4 ff ff ff	r2 += -0x1c
; 	counts = map_lookup(&flows, &key);
      38:	18 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00	r1 = 0x0 ll
      40:	85 00 00 00 01 00 00 00	call 0x1
; 	if (counts)
      41:	15 00 08 00 00 00 00 00	if r0 == 0x0 goto +0x8 <flow+0x190>
; 		count(counts, skb->len);
      42:	61 61 00 00 00 00 00 00	r1 = *(u32 *)(r6 + 0x0)
; 	counts->packets += 1;
      43:	79 02 00 00 00 00 00 00	r2 = *(u64 *)(r0 + 0x0)
      44:	07 02 00 00 01 00 00 00	r2 += 0x1
      45:	7b 20 00 00 00 00 00 00	*(u64 *)(r0 + 0x0) = r2
; 	counts->bytes += len;
      46:	79 02 08 00 00 00 00 00	r2 = *(u64 *)(r0 + 0x8)
      47:	0f 12 00 00 00 00 00 00	r2 += r1
      48:	7b 20 08 00 00 00 00 00	*(u64 *)(r0 + 0x8) = r2
; 		count(counts, skb->len);
      49:	05 00 08 00 00 00 00 00	goto +0x8 <flow+0x1d0>
      50:	bf a2 00 00 00 00 00 00	r2 = r10
      51:	07 02 00 00 e4 ff ff ff	r2 += -0x1c
      52:	bf a3 00 00 00 00 00 00	r3 = r10
      53:	07 03 00 00 f0 ff ff ff	r3 += -0x10
; 		map_update(&flows, &key, &first, BPF_ANY);
      54:	18 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00	r1 = 0x0 ll
      56:	b7 04 00 00 00 00 00 00	r4 = 0x0
      57:	85 00 00 00 02 00 00 00	call 0x2
; }
      58:	b4 00 00 00 00 00 00 00	w0 = 0x0
      59:	95 00 00 00 00 00 00 00	exit
