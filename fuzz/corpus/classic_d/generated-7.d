(000) ld       #0xffffffff
(001) st       M[8]
(002) st       M[14]
(003) rsh      #19
(004) tax      
(005) ja       36
(006) ldb      [8]
(007) ldh      [x + 14]
(008) st       M[14]
(009) jeq      #0x0             jt 11	jf 10
(010) ld       #0x155d73fa
(011) ld       [ifidx]
(012) jeq      #0xd4e2fae2      jt 14	jf 13
(013) ldh      [x + 20]
(014) rsh      #31
(015) xor      x
(016) tax      
(017) tax      
(018) neg      
(019) neg      
(020) sub      #2
(021) ldxb     4*([63]&0xf)
(022) stx      M[8]
(023) xor      #0x18
(024) neg      
(025) mod      #4
(026) jset     #0xff            jt 27	jf 27
(027) ld       [56]
(028) jgt      #0x22            jt 40	jf 29
(029) mod      #52
(030) ldx      #0x11
(031) ldh      [22]
(032) ldb      [62]
(033) or       #0xb0708f66
(034) mul      x
(035) xor      #0xc9e43688
(036) jeq      #0x228c53b1      jt 37	jf 37
(037) ldb      [x + -11]
(038) neg      
(039) ld       [x + -24]
(040) jset     #0x38            jt 42	jf 41
(041) ldx      #0x3
(042) ld       [cpu]
(043) ldh      [0]
(044) and      #0x1d
(045) ldb      [39]
(046) ret      
