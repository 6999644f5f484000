(000) ld       #0x1e
(001) ldx      #0x75c2ae31
(002) stx      M[10]
(003) stx      M[10]
(004) ldb      [x + -22]
(005) tax      
(006) jeq      #0x21            jt 20	jf 7
(007) jge      #0xe24dfd8a      jt 8	jf 11
(008) neg      
(009) jgt      #0x10000         jt 10	jf 12
(010) jge      #0x1b            jt 11	jf 11
(011) st       M[10]
(012) ldh      [vlan_tpid]
(013) jgt      #0xe01fcc45      jt 16	jf 15
(014) ldh      [29]
(015) div      #40
(016) st       M[10]
(017) ldx      #0x4
(018) jset     #0x2b            jt 19	jf 22
(019) jgt      #0x2             jt 23	jf 25
(020) jgt      x                jt 21	jf 21
(021) jeq      #0x33            jt 22	jf 25
(022) xor      x
(023) ld       #pktlen
(024) jeq      x                jt 26	jf 25
(025) div      #45
(026) ldx      #0xe
(027) ldh      [queue]
(028) ld       #pktlen
(029) ldb      [-1048526]
(030) stx      M[10]
(031) neg      
(032) ldx      #0x2
(033) unimp    0x81
(034) ld       M[10]
(035) ldxb     4*([-1048585]&0xf)
(036) ldx      #0x12
(037) jeq      x                jt 40	jf 39
(038) ld       [x + 18]
(039) ldb      [11]
(040) jset     x                jt 41	jf 41
(041) ld       [56]
(042) jeq      #0xcedb62ef      jt 44	jf 43
(043) ld       [4]
(044) ldb      [hatype]
(045) ret      
