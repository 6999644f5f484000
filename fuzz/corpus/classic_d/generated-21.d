(000) st       M[4]
(001) ldxb     4*([34]&0xf)
(002) add      #-671019515
(003) lsh      #4
(004) ldb      [28]
(005) ldx      #0xffffffff
(006) tax      
(007) jge      x                jt 8	jf 10
(008) jeq      #0x2             jt 22	jf 9
(009) ldb      [55]
(010) div      #9
(011) tax      
(012) ld       [37]
(013) jgt      x                jt 16	jf 14
(014) mul      #31
(015) jgt      #0x11            jt 16	jf 23
(016) add      x
(017) sub      #8
(018) jset     x                jt 27	jf 20
(019) ld       [-1048592]
(020) ldx      #0x3
(021) ldxb     4*([10]&0xf)
(022) ret      #4
(023) ldh      [x + 19]
(024) ldxb     4*([9]&0xf)
(025) div      #35
(026) ld       [-2097093]
(027) unimp    0x81
(028) add      x
(029) jset     #0xff            jt 31	jf 33
(030) and      #0x30
(031) jset     #0x1a            jt 32	jf 32
(032) xor      #0x9a3d14cc
(033) ldx      #0x16
(034) sub      #54
(035) tax      
(036) ldb      [vlan_tci]
(037) tax      
(038) ja       39
(039) mod      #24
(040) ret      
