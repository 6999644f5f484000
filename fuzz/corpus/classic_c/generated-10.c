static const struct sock_filter filter[] = {
	{ 0x00, 0, 0, 0x00000000 }, /* 0: ld #0x0 */
	{ 0x02, 0, 0, 0x00000004 }, /* 1: st M[4] */
	{ 0x03, 0, 0, 0x00000007 }, /* 2: stx M[7] */
	{ 0x9c, 0, 0, 0x00000000 }, /* 3: mod x */
	{ 0x05, 0, 0, 0x00000000 }, /* 4: ja 5 */
	{ 0x28, 0, 0, 0xfffff030 }, /* 5: ldh vlan_avail */
	{ 0x30, 0, 0, 0xfffff03c }, /* 6: ldb vlan_tpid */
	{ 0x16, 0, 0, 0x00000000 }, /* 7: ret a */
};
