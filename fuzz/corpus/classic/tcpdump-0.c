static const struct sock_filter filter[] = {
	{ 0x06, 0, 0, 0x00040000 }, /* 0: ret #0x40000 */
};
