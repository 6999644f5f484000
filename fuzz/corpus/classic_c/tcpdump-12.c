static const struct sock_filter filter[] = {
	{ 0x20, 0, 0, 0x00000002 }, /* 0: ld [2] */
	{ 0x15, 0, 3, 0xffffffff }, /* 1: jne #0xffffffff, 5 */
	{ 0x28, 0, 0, 0x00000000 }, /* 2: ldh [0] */
	{ 0x15, 0, 1, 0x0000ffff }, /* 3: jne #0xffff, 5 */
	{ 0x06, 0, 0, 0x00040000 }, /* 4: ret #0x40000 */
	{ 0x06, 0, 0, 0x00000000 }, /* 5: ret #0x0 */
};
