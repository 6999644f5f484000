static const struct sock_filter filter[] = {
	{ 0x28, 0, 0, 0xfffff004 }, /* 0: ldh type */
	{ 0x15, 0, 1, 0x00000004 }, /* 1: jne #0x4, 3 */
	{ 0x06, 0, 0, 0x00000000 }, /* 2: ret #0x0 */
	{ 0x06, 0, 0, 0x00040000 }, /* 3: ret #0x40000 */
};
