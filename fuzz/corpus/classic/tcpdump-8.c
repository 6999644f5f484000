static const struct sock_filter filter[] = {
	{ 0x28, 0, 0, 0x0000000c }, /* 0: ldh [12] */
	{ 0x15, 0, 1, 0x00000806 }, /* 1: jne #0x806, 3 */
	{ 0x06, 0, 0, 0x00040000 }, /* 2: ret #0x40000 */
	{ 0x06, 0, 0, 0x00000000 }, /* 3: ret #0x0 */
};
