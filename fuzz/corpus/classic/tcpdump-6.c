static const struct sock_filter filter[] = {
	{ 0x80, 0, 0, 0x00000000 }, /* 0: ld len */
	{ 0x35, 0, 1, 0x00000064 }, /* 1: jlt #0x64, 3 */
	{ 0x06, 0, 0, 0x00040000 }, /* 2: ret #0x40000 */
	{ 0x06, 0, 0, 0x00000000 }, /* 3: ret #0x0 */
};
