static const struct sock_filter filter[] = {
	{ 0x00, 0, 0, 0xfffffffe }, /* 0: ld #0xfffffffe */
	{ 0x01, 0, 0, 0xfffffffe }, /* 1: ldx #0xfffffffe */
	{ 0x03, 0, 0, 0x00000005 }, /* 2: stx M[5] */
	{ 0x87, 0, 0, 0x00000000 }, /* 3: txa */
	{ 0x30, 0, 0, 0xffe00031 }, /* 4: ldb [-2097103] */
	{ 0x01, 0, 0, 0x592fb88d }, /* 5: ldx #0x592fb88d */
	{ 0xac, 0, 0, 0x00000000 }, /* 6: xor x */
	{ 0x14, 0, 0, 0x00000019 }, /* 7: sub #25 */
	{ 0x45, 0, 1, 0x00000025 }, /* 8: jset #0x25, 9, 10 */
	{ 0xb1, 0, 0, 0x0000001b }, /* 9: ldxb 4*([27]&0xf) */
	{ 0x25, 0, 0, 0xcbf1daa7 }, /* 10: jgt #0xcbf1daa7, 11 */
	{ 0x16, 0, 0, 0x00000000 }, /* 11: ret a */
};
