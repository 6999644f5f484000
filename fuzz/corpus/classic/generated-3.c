static const struct sock_filter filter[] = {
	{ 0x03, 0, 0, 0x00000007 }, /* 0: stx M[7] */
	{ 0x40, 0, 0, 0x0000000e }, /* 1: ld [x + 14] */
	{ 0xb1, 0, 0, 0x0000003d }, /* 2: ldxb 4*([61]&0xf) */
	{ 0x04, 0, 0, 0x0000000e }, /* 3: add #14 */
	{ 0x40, 0, 0, 0xffffffeb }, /* 4: ld [x + -21] */
	{ 0x16, 0, 0, 0x00000000 }, /* 5: ret a */
};
