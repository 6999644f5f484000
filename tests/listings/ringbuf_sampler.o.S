
ringbuf_sampler.o:	file format elf64-bpf

Disassembly of section tc:

0000000000000000 <sample>:
; 	__u32 number = seen++;
       0:	18 02 00 00 00 00 00 00 00 00 00 00 00 00 00 00	r2 = 0x0 ll
       2:	61 27 00 00 00 00 00 00	r7 = *(u32 *)(r2 + 0x0)
       3:	bc 73 00 00 00 00 00 00	w3 = w7
       4:	04 03 00 00 01 00 00 00	w3 += 0x1
       5:	63 32 00 00 00 00 00 00	*(u32 *)(r2 + 0x0) = r3
; 	if (number & 3)
       6:	bc 72 00 00 00 00 00 00	w2 = w7
       7:	54 02 00 00 03 00 00 00	w2 &= 0x3
; 	if (number & 3)
       8:	56 02 1f 00 00 00 00 00	if w2 != 0x0 goto +0x1f <sample+0x140>
       9:	bf 18 00 00 00 00 00 00	r8 = r1
; 	sample = ringbuf_reserve(&samples, sizeof(*sample), 0);
      10:	18 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00	r1 = 0x0 ll
      12:	b7 02 00 00 28 00 00 00	r2 = 0x28
      13:	b7 03 00 00 00 00 00 00	r3 = 0x0
      14:	85 00 00 00 83 00 00 00	call 0x83
      15:	bf 06 00 00 00 00 00 00	r6 = r0
; 	if (!sample) {
      16:	55 06 06 00 00 00 00 00	if r6 != 0x0 goto +0x6 <sample+0xb8>
; 		lost++;
      17:	18 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00	r1 = 0x0 ll
      19:	61 12 00 00 00 00 00 00	r2 = *(u32 *)(r1 + 0x0)
      20:	04 02 00 00 01 00 00 00	w2 += 0x1
      21:	63 21 00 00 00 00 00 00	*(u32 *)(r1 + 0x0) = r2
; 		return TC_ACT_OK;
      22:	05 00 11 00 00 00 00 00	goto +0x11 <sample+0x140>
; 	sample->number = number;
      23:	63 76 00 00 00 00 00 00	*(u32 *)(r6 + 0x0) = r7
      24:	bf 81 00 00 00 00 00 00	r1 = r8
; 	sample->len = skb->len;
      25:	61 12 00 00 00 00 00 00	r2 = *(u32 *)(r1 + 0x0)
      26:	63 26 04 00 00 00 00 00	*(u32 *)(r6 + 0x4) = r2
; 	if (skb_load_bytes(skb, 0, sample->head, HEAD) < 0) {
      27:	bf 63 00 00 00 00 00 00	r3 = r6
      28:	07 03 00 00 08 00 00 00	r3 += 0x8
; 	if (skb_load_bytes(skb, 0, sample->head, HEAD) < 0) {
      29:	b4 02 00 00 00 00 00 00	w2 = 0x0
      30:	b4 04 00 00 20 00 00 00	w4 = 0x20
      31:	85 00 00 00 1a 00 00 00	call 0x1a
; 	if (skb_load_bytes(skb, 0, sample->head, HEAD) < 0) {
      32:	65 00 04 00 ff ff ff ff	if r0 s> -0x1 goto +0x4 <sample+0x128>
; 		ringbuf_discard(sample, 0);
      33:	bf 61 00 00 00 00 00 00	r1 = r6
      34:	b7 02 00 00 00 00 00 00	r2 = 0x0
      35:	85 00 00 00 85 00 00 00	call 0x85
; 		return TC_ACT_OK;
      36:	05 00 03 00 00 00 00 00	goto +0x3 <sample+0x140>
; 	ringbuf_submit(sample, 0);
      37:	bf 61 00 00 00 00 00 00	r1 = r6
      38:	b7 02 00 00 00 00 00 00	r2 = 0x0
      39:	85 00 00 00 84 00 00 00	call 0x84
; }
      40:	b4 00 00 00 00 00 00 00	w0 = 0x0
      41:	95 00 00 00 00 00 00 00	exit
