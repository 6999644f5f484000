
tc_flow.o:	file format elf64-bpf

Disassembly of section .text:

0000000000000000 <flow_hash>:
; static noinline __u32 flow_hash(const struct flow_key *key)
       0:	b4 02 00 00 00 00 00 00	w2 = 0x0
       1:	b7 03 00 00 00 00 00 00	r3 = 0x0
; 		h += word[i];
       2:	bf 14 00 00 00 00 00 00	r4 = r1
       3:	0f 34 00 00 00 00 00 00	r4 += r3
       4:	61 44 00 00 00 00 00 00	r4 = *(u32 *)(r4 + 0x0)
; 		h += word[i];
       5:	0c 24 00 00 00 00 00 00	w4 += w2
; 		h += h << 10;
       6:	24 04 00 00 01 04 00 00	w4 *= 0x401
; 		h ^= h >> 6;
       7:	bc 42 00 00 00 00 00 00	w2 = w4
       8:	74 02 00 00 06 00 00 00	w2 >>= 0x6
; 		h ^= h >> 6;
       9:	ac 42 00 00 00 00 00 00	w2 ^= w4
; 	for (int i = 0; i < (int)(sizeof(*key) / sizeof(*word)); i++) {
      10:	07 03 00 00 04 00 00 00	r3 += 0x4
      11:	15 03 01 00 10 00 00 00	if r3 == 0x10 goto +0x1 <flow_hash+0x68>
      12:	05 00 f5 ff 00 00 00 00	goto -0xb <flow_hash+0x10>
; 	h += h << 3;
      13:	24 02 00 00 09 00 00 00	w2 *= 0x9
; 	h ^= h >> 11;
      14:	bc 20 00 00 00 00 00 00	w0 = w2
      15:	74 00 00 00 0b 00 00 00	w0 >>= 0xb
; 	h ^= h >> 11;
      16:	ac 20 00 00 00 00 00 00	w0 ^= w2
; 	return h + (h << 15);
      17:	24 00 00 00 01 80 00 00	w0 *= 0x8001
      18:	95 00 00 00 00 00 00 00	exit

0000000000000098 <remark>:
; static noinline int remark(struct __sk_buff *skb)
      19:	bf 16 00 00 00 00 00 00	r6 = r1
      20:	b4 07 00 00 00 00 00 00	w7 = 0x0
; 	__u32 from = 0, to;
      21:	63 7a fc ff 00 00 00 00	*(u32 *)(r10 - 0x4) = r7
      22:	bf a3 00 00 00 00 00 00	r3 = r10
      23:	07 03 00 00 fc ff ff ff	r3 += -0x4
; 	if (skb_load_bytes(skb, ETH_HLEN, &from, sizeof(from)) < 0)
      24:	b4 02 00 00 0e 00 00 00	w2 = 0xe
      25:	b4 04 00 00 04 00 00 00	w4 = 0x4
      26:	85 00 00 00 1a 00 00 00	call 0x1a
; 	if (skb_load_bytes(skb, ETH_HLEN, &from, sizeof(from)) < 0)
      27:	c5 00 23 00 00 00 00 00	if r0 s< 0x0 goto +0x23 <remark+0x160>
; 	*tos = (dscp << 2) | (*tos & 3);
      28:	18 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00	r1 = 0x0 ll
      30:	71 11 00 00 00 00 00 00	r1 = *(u8 *)(r1 + 0x0)
; 	*tos = (dscp << 2) | (*tos & 3);
      31:	64 01 00 00 02 00 00 00	w1 <<= 0x2
; 	to = from;
      32:	61 a2 fc ff 00 00 00 00	r2 = *(u32 *)(r10 - 0x4)
; 	*tos = (dscp << 2) | (*tos & 3);
      33:	bc 23 00 00 00 00 00 00	w3 = w2
      34:	74 03 00 00 08 00 00 00	w3 >>= 0x8
; 	*tos = (dscp << 2) | (*tos & 3);
      35:	54 03 00 00 03 00 00 00	w3 &= 0x3
      36:	4c 13 00 00 00 00 00 00	w3 |= w1
; 	to = from;
      37:	63 2a f8 ff 00 00 00 00	*(u32 *)(r10 - 0x8) = r2
; 	*tos = (dscp << 2) | (*tos & 3);
      38:	73 3a f9 ff 00 00 00 00	*(u8 *)(r10 - 0x7) = r3
; 	if (to == from)
      39:	61 a1 f8 ff 00 00 00 00	r1 = *(u32 *)(r10 - 0x8)
      40:	1e 21 16 00 00 00 00 00	if w1 == w2 goto +0x16 <remark+0x160>
      41:	bf a1 00 00 00 00 00 00	r1 = r10
      42:	07 01 00 00 fc ff ff ff	r1 += -0x4
      43:	bf a7 00 00 00 00 00 00	r7 = r10
      44:	07 07 00 00 f8 ff ff ff	r7 += -0x8
; 	diff = csum_diff(&from, sizeof(from), &to, sizeof(to), 0);
      45:	b4 02 00 00 04 00 00 00	w2 = 0x4
      46:	bf 73 00 00 00 00 00 00	r3 = r7
      47:	b4 04 00 00 04 00 00 00	w4 = 0x4
      48:	b4 05 00 00 00 00 00 00	w5 = 0x0
      49:	85 00 00 00 1c 00 00 00	call 0x1c
; 	l3_csum_replace(skb, ETH_HLEN + offsetof(struct iphdr, check), 0, diff, 0);
      50:	bf 61 00 00 00 00 00 00	r1 = r6
      51:	b4 02 00 00 18 00 00 00	w2 = 0x18
      52:	b7 03 00 00 00 00 00 00	r3 = 0x0
      53:	bf 04 00 00 00 00 00 00	r4 = r0
      54:	b7 05 00 00 00 00 00 00	r5 = 0x0
      55:	85 00 00 00 0a 00 00 00	call 0xa
; 	skb_store_bytes(skb, ETH_HLEN, &to, sizeof(to), 0);
      56:	bf 61 00 00 00 00 00 00	r1 = r6
      57:	b4 02 00 00 0e 00 00 00	w2 = 0xe
      58:	bf 73 00 00 00 00 00 00	r3 = r7
      59:	b4 04 00 00 04 00 00 00	w4 = 0x4
      60:	b7 05 00 00 00 00 00 00	r5 = 0x0
      61:	85 00 00 00 09 00 00 00	call 0x9
      62:	b4 07 00 00 01 00 00 00	w7 = 0x1
; }
      63:	bc 70 00 00 00 00 00 00	w0 = w7
      64:	95 00 00 00 00 00 00 00	exit

Disassembly of section tc:

0000000000000000 <tc_flow>:
; int tc_flow(struct __sk_buff *skb)
       0:	bf 17 00 00 00 00 00 00	r7 = r1
; 	void *data_end = (void *)(long)skb->data_end;
       1:	61 79 50 00 00 00 00 00	r9 = *(u32 *)(r7 + 0x50)
; 	void *data = (void *)(long)skb->data;
       2:	61 78 4c 00 00 00 00 00	r8 = *(u32 *)(r7 + 0x4c)
       3:	b7 01 00 00 00 00 00 00	r1 = 0x0
; 	struct flow_key key = {};
       4:	7b 1a d0 ff 00 00 00 00	*(u64 *)(r10 - 0x30) = r1
       5:	7b 1a c8 ff 00 00 00 00	*(u64 *)(r10 - 0x38) = r1
       6:	b4 06 00 00 00 00 00 00	w6 = 0x0
       7:	63 6a d8 ff 00 00 00 00	*(u32 *)(r10 - 0x28) = r6
       8:	bf a2 00 00 00 00 00 00	r2 = r10
       9:	07 02 00 00 d8 ff ff ff	r2 += -0x28
; 	__u64 *n = map_lookup(&counters, &which);
      10:	18 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00	r1 = 0x0 ll
      12:	85 00 00 00 01 00 00 00	call 0x1
; 	__be16 *ports = (void *)(ip + 1);
      13:	bf 81 00 00 00 00 00 00	r1 = r8
      14:	07 01 00 00 22 00 00 00	r1 += 0x22
; 	if (n)
      15:	15 00 02 00 00 00 00 00	if r0 == 0x0 goto +0x2 <tc_flow+0x90>
      16:	b7 02 00 00 01 00 00 00	r2 = 0x1
; 		__sync_fetch_and_add(n, 1);
      17:	db 20 00 00 00 00 00 00	lock *(u64 *)(r0 + 0x0) += r2
; 	total_bytes += skb->len;
      18:	61 72 00 00 00 00 00 00	r2 = *(u32 *)(r7 + 0x0)
      19:	18 03 00 00 00 00 00 00 00 00 00 00 00 00 00 00	r3 = 0x0 ll
      21:	79 34 00 00 00 00 00 00	r4 = *(u64 *)(r3 + 0x0)
      22:	0f 24 00 00 00 00 00 00	r4 += r2
      23:	7b 43 00 00 00 00 00 00	*(u64 *)(r3 + 0x0) = r4
; 	if ((void *)(ip + 1) > data_end || eth->h_proto != htons(ETH_P_IP))
      24:	2d 91 72 00 00 00 00 00	if r1 > r9 goto +0x72 <tc_flow+0x458>
      25:	71 81 0c 00 00 00 00 00	r1 = *(u8 *)(r8 + 0xc)
      26:	71 82 0d 00 00 00 00 00	r2 = *(u8 *)(r8 + 0xd)
      27:	64 02 00 00 08 00 00 00	w2 <<= 0x8
      28:	4c 12 00 00 00 00 00 00	w2 |= w1
; 	if ((void *)(ip + 1) > data_end || eth->h_proto != htons(ETH_P_IP))
      29:	56 02 6d 00 08 00 00 00	if w2 != 0x8 goto +0x6d <tc_flow+0x458>
; 	key.saddr = ip->saddr;
      30:	61 81 1a 00 00 00 00 00	r1 = *(u32 *)(r8 + 0x1a)
      31:	63 1a c8 ff 00 00 00 00	*(u32 *)(r10 - 0x38) = r1
; 	key.daddr = ip->daddr;
      32:	61 81 1e 00 00 00 00 00	r1 = *(u32 *)(r8 + 0x1e)
      33:	63 1a cc ff 00 00 00 00	*(u32 *)(r10 - 0x34) = r1
; 	key.protocol = ip->protocol;
      34:	71 81 17 00 00 00 00 00	r1 = *(u8 *)(r8 + 0x17)
      35:	73 1a d4 ff 00 00 00 00	*(u8 *)(r10 - 0x2c) = r1
; 	if (ip->ihl == 5 && (ip->protocol == IPPROTO_TCP || ip->protocol == IPPROTO_UDP) &&
      36:	71 82 0e 00 00 00 00 00	r2 = *(u8 *)(r8 + 0xe)
      37:	54 02 00 00 0f 00 00 00	w2 &= 0xf
; 	if (ip->ihl == 5 && (ip->protocol == IPPROTO_TCP || ip->protocol == IPPROTO_UDP) &&
      38:	56 02 09 00 05 00 00 00	if w2 != 0x5 goto +0x9 <tc_flow+0x180>
      39:	16 01 01 00 11 00 00 00	if w1 == 0x11 goto +0x1 <tc_flow+0x148>
      40:	56 01 07 00 06 00 00 00	if w1 != 0x6 goto +0x7 <tc_flow+0x180>
; 	    (void *)(ports + 2) <= data_end) {
      41:	bf 81 00 00 00 00 00 00	r1 = r8
      42:	07 01 00 00 26 00 00 00	r1 += 0x26
; 	if (ip->ihl == 5 && (ip->protocol == IPPROTO_TCP || ip->protocol == IPPROTO_UDP) &&
      43:	2d 91 04 00 00 00 00 00	if r1 > r9 goto +0x4 <tc_flow+0x180>
; 		key.sport = ports[0];
      44:	69 81 22 00 00 00 00 00	r1 = *(u16 *)(r8 + 0x22)
      45:	6b 1a d0 ff 00 00 00 00	*(u16 *)(r10 - 0x30) = r1
; 		key.dport = ports[1];
      46:	69 81 24 00 00 00 00 00	r1 = *(u16 *)(r8 + 0x24)
      47:	6b 1a d2 ff 00 00 00 00	*(u16 *)(r10 - 0x2e) = r1
      48:	bf a9 00 00 00 00 00 00	r9 = r10
      49:	07 09 00 00 c8 ff ff ff	r9 += -0x38
; 	last_flow_hash = flow_hash(&key);
      50:	bf 91 00 00 00 00 00 00	r1 = r9
      51:	85 10 00 00 ff ff ff ff	call -0x1
; 	last_flow_hash = flow_hash(&key);
      52:	18 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00	r1 = 0x0 ll
      54:	63 01 00 00 00 00 00 00	*(u32 *)(r1 + 0x0) = r0
; 	now = ktime_get_ns();
      55:	85 00 00 00 05 00 00 00	call 0x5
      56:	bf 08 00 00 00 00 00 00	r8 = r0
; 	struct flow *flow = map_lookup(&flows, key);
      57:	18 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00	r1 = 0x0 ll
      59:	bf 92 00 00 00 00 00 00	r2 = r9
      60:	85 00 00 00 01 00 00 00	call 0x1
      61:	b7 01 00 00 00 00 00 00	r1 = 0x0
; 	struct flow fresh = { .first_ns = now };
      62:	7b 1a f0 ff 00 00 00 00	*(u64 *)(r10 - 0x10) = r1
      63:	7b 1a e0 ff 00 00 00 00	*(u64 *)(r10 - 0x20) = r1
      64:	7b 1a d8 ff 00 00 00 00	*(u64 *)(r10 - 0x28) = r1
; 	struct flow fresh = { .first_ns = now };
      65:	7b 8a e8 ff 00 00 00 00	*(u64 *)(r10 - 0x18) = r8
; 	if (flow)
      66:	15 00 01 00 00 00 00 00	if r0 == 0x0 goto +0x1 <tc_flow+0x220>
; 	if (!flow)
      67:	05 00 28 00 00 00 00 00	goto +0x28 <tc_flow+0x360>
      68:	b4 01 00 00 01 00 00 00	w1 = 0x1
      69:	63 1a fc ff 00 00 00 00	*(u32 *)(r10 - 0x4) = r1
      70:	bf a2 00 00 00 00 00 00	r2 = r10
      71:	07 02 00 00 fc ff ff ff	r2 += -0x4
; 	__u64 *n = map_lookup(&counters, &which);
      72:	18 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00	r1 = 0x0 ll
      74:	85 00 00 00 01 00 00 00	call 0x1
; 	if (n)
      75:	15 00 02 00 00 00 00 00	if r0 == 0x0 goto +0x2 <tc_flow+0x270>
      76:	b7 01 00 00 01 00 00 00	r1 = 0x1
; 		__sync_fetch_and_add(n, 1);
      77:	db 10 00 00 00 00 00 00	lock *(u64 *)(r0 + 0x0) += r1
      78:	bf a2 00 00 00 00 00 00	r2 = r10
      79:	07 02 00 00 c8 ff ff ff	r2 += -0x38
      80:	bf a3 00 00 00 00 00 00	r3 = r10
      81:	07 03 00 00 d8 ff ff ff	r3 += -0x28
; 	map_update(&flows, key, &fresh, BPF_NOEXIST);
      82:	18 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00	r1 = 0x0 ll
      84:	b7 04 00 00 01 00 00 00	r4 = 0x1
      85:	85 00 00 00 02 00 00 00	call 0x2
; 	if (verbose)
      86:	18 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00	r1 = 0x0 ll
      88:	71 11 00 00 00 00 00 00	r1 = *(u8 *)(r1 + 0x0)
; 	if (verbose)
      89:	16 01 08 00 00 00 00 00	if w1 == 0x0 goto +0x8 <tc_flow+0x310>
; 		trace_printk("flow %u: proto %u\n", sizeof("flow %u: proto %u\n"), next_flow_id, key->protocol);
      90:	18 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00	r1 = 0x0 ll
      92:	61 13 00 00 00 00 00 00	r3 = *(u32 *)(r1 + 0x0)
; 		trace_printk("flow %u: proto %u\n", sizeof("flow %u: proto %u\n"), next_flow_id, key->protocol);
      93:	71 a4 d4 ff 00 00 00 00	r4 = *(u8 *)(r10 - 0x2c)
      94:	18 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00	r1 = 0x0 ll
      96:	b4 02 00 00 13 00 00 00	w2 = 0x13
      97:	85 00 00 00 06 00 00 00	call 0x6
      98:	b4 01 00 00 01 00 00 00	w1 = 0x1
; 	__sync_fetch_and_add(&next_flow_id, 1);
      99:	18 02 00 00 00 00 00 00 00 00 00 00 00 00 00 00	r2 = 0x0 ll
     101:	c3 12 00 00 00 00 00 00	lock *(u32 *)(r2 + 0x0) += r1
     102:	bf a2 00 00 00 00 00 00	r2 = r10
     103:	07 02 00 00 c8 ff ff ff	r2 += -0x38
; 	return map_lookup(&flows, key);
     104:	18 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00	r1 = 0x0 ll
     106:	85 00 00 00 01 00 00 00	call 0x1
; 	if (!flow)
     107:	15 00 1f 00 00 00 00 00	if r0 == 0x0 goto +0x1f <tc_flow+0x458>
; 	flow->last_ns = now;
     108:	7b 80 18 00 00 00 00 00	*(u64 *)(r0 + 0x18) = r8
; 	__sync_fetch_and_add(&flow->bytes, skb->len);
     109:	61 71 00 00 00 00 00 00	r1 = *(u32 *)(r7 + 0x0)
     110:	db 10 08 00 00 00 00 00	lock *(u64 *)(r0 + 0x8) += r1
     111:	b7 01 00 00 01 00 00 00	r1 = 0x1
; 	if (__sync_fetch_and_add(&flow->packets, 1) >= packet_budget) {
     112:	db 10 00 00 01 00 00 00	r1 = atomic_fetch_add((u64 *)(r0 + 0x0), r1)
     113:	18 02 00 00 00 00 00 00 00 00 00 00 00 00 00 00	r2 = 0x0 ll
     115:	61 22 00 00 00 00 00 00	r2 = *(u32 *)(r2 + 0x0)
; 	if (__sync_fetch_and_add(&flow->packets, 1) >= packet_budget) {
     116:	ad 21 09 00 00 00 00 00	if r1 < r2 goto +0x9 <tc_flow+0x3f0>
     117:	b4 06 00 00 02 00 00 00	w6 = 0x2
     118:	63 6a d8 ff 00 00 00 00	*(u32 *)(r10 - 0x28) = r6
     119:	bf a2 00 00 00 00 00 00	r2 = r10
     120:	07 02 00 00 d8 ff ff ff	r2 += -0x28
; 	__u64 *n = map_lookup(&counters, &which);
     121:	18 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00	r1 = 0x0 ll
     123:	85 00 00 00 01 00 00 00	call 0x1
; 	if (n)
     124:	15 00 0e 00 00 00 00 00	if r0 == 0x0 goto +0xe <tc_flow+0x458>
     125:	05 00 0b 00 00 00 00 00	goto +0xb <tc_flow+0x448>
; 	if (remark(skb))
     126:	bf 71 00 00 00 00 00 00	r1 = r7
     127:	85 10 00 00 12 00 00 00	call 0x12
; 	if (remark(skb))
     128:	16 00 0a 00 00 00 00 00	if w0 == 0x0 goto +0xa <tc_flow+0x458>
     129:	b4 01 00 00 03 00 00 00	w1 = 0x3
     130:	63 1a d8 ff 00 00 00 00	*(u32 *)(r10 - 0x28) = r1
     131:	bf a2 00 00 00 00 00 00	r2 = r10
     132:	07 02 00 00 d8 ff ff ff	r2 += -0x28
; 	__u64 *n = map_lookup(&counters, &which);
     133:	18 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00	r1 = 0x0 ll
     135:	85 00 00 00 01 00 00 00	call 0x1
; 	if (n)
     136:	15 00 02 00 00 00 00 00	if r0 == 0x0 goto +0x2 <tc_flow+0x458>
     137:	b7 01 00 00 01 00 00 00	r1 = 0x1
; 		__sync_fetch_and_add(n, 1);
     138:	db 10 00 00 00 00 00 00	lock *(u64 *)(r0 + 0x0) += r1
; }
     139:	bc 60 00 00 00 00 00 00	w0 = w6
     140:	95 00 00 00 00 00 00 00	exit
