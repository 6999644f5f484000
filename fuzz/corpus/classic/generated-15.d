(000) ld       #0x36
(001) st       M[13]
(002) stx      M[13]
(003) ldh      [0]
(004) neg      
(005) ldh      [x + 3]
(006) mul      #-1
(007) mul      x
(008) jgt      #0x8             jt 12	jf 9
(009) ld       #pktlen
(010) ldb      [13]
(011) ldx      M[13]
(012) jset     #0x13            jt 16	jf 13
(013) st       M[13]
(014) add      #48
(015) ldb      [ifidx]
(016) jgt      #0xb             jt 17	jf 17
(017) ld       [8]
(018) jset     x                jt 19	jf 32
(019) jset     #0x25            jt 36	jf 20
(020) jeq      #0xff            jt 21	jf 23
(021) ldx      M[13]
(022) ld       M[13]
(023) jgt      #0x14            jt 24	jf 24
(024) ldh      [vlanp]
(025) ld       #pktlen
(026) ldb      [proto]
(027) xor      x
(028) unimp    0x81
(029) ld       [x + 12]
(030) mul      x
(031) xor      x
(032) jgt      x                jt 33	jf 34
(033) ldb      [vlan_tci]
(034) ldb      [x + 21]
(035) ldxb     4*([10]&0xf)
(036) jgt      #0x3a            jt 39	jf 40
(037) ld       [x + 9]
(038) jeq      #0x10000         jt 40	jf 39
(039) stx      M[13]
(040) or       x
(041) ret      #3
