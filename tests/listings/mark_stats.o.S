
mark_stats.o:	file format elf64-bpf

Disassembly of section cls:

0000000000000000 <cls_mark>:
; int cls_mark(struct __sk_buff *skb)
       0:	bf 16 00 00 00 00 00 00	r6 = r1
       1:	b4 00 00 00 00 00 00 00	w0 = 0x0
; 	__u32 mark = skb->mark;
       2:	61 67 08 00 00 00 00 00	r7 = *(u32 *)(r6 + 0x8)
; 	if (unlikely(mark >= MAX_MARK))
       3:	26 07 0d 00 ff 00 00 00	if w7 > 0xff goto +0xd <cls_mark+0x88>
       4:	63 7a fc ff 00 00 00 00	*(u32 *)(r10 - 0x4) = r7
       5:	bf a2 00 00 00 00 00 00	r2 = r10
       6:	07 02 00 00 fc ff ff ff	r2 += -0x4
; 	struct counters *c = map_lookup(&mark_counters, &mark);
       7:	18 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00	r1 = 0x0 ll
       9:	85 00 00 00 01 00 00 00	call 0x1
; 	if (likely(c)) {
      10:	15 00 04 00 00 00 00 00	if r0 == 0x0 goto +0x4 <cls_mark+0x78>
      11:	b7 01 00 00 01 00 00 00	r1 = 0x1
; 		__sync_fetch_and_add(&c->packets, 1);
      12:	db 10 00 00 00 00 00 00	lock *(u64 *)(r0 + 0x0) += r1
; 		__sync_fetch_and_add(&c->bytes, skb->len);
      13:	61 61 00 00 00 00 00 00	r1 = *(u32 *)(r6 + 0x0)
      14:	db 10 08 00 00 00 00 00	lock *(u64 *)(r0 + 0x8) += r1
; 	return TC_H_MAKE(TC_H_ROOT, mark);
      15:	44 07 00 00 00 00 ff ff	w7 |= -0x10000
      16:	bc 70 00 00 00 00 00 00	w0 = w7
; }
      17:	95 00 00 00 00 00 00 00	exit
