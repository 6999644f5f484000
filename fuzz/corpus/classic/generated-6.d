(000) ld       #0x37
(001) st       M[11]
(002) stx      M[4]
(003) tax      
(004) ld       #pktlen
(005) jgt      #0x3b            jt 9	jf 19
(006) or       x
(007) ldh      [x + 3]
(008) ldb      [vlanp]
(009) jgt      #0x439b6800      jt 10	jf 10
(010) div      #-1539146584
(011) ld       #pktlen
(012) stx      M[11]
(013) or       #0x2
(014) ld       [vlan_tci]
(015) ldh      [5]
(016) jge      x                jt 17	jf 18
(017) jge      x                jt 18	jf 20
(018) jge      #0x1a            jt 21	jf 22
(019) jge      #0xffffffff      jt 22	jf 22
(020) div      x
(021) or       #0x30
(022) ld       M[4]
(023) or       x
(024) or       x
(025) and      x
(026) sub      #3
(027) jgt      #0x2             jt 30	jf 29
(028) ld       #0xc
(029) sub      x
(030) lsh      x
(031) jset     #0xda6e25ed      jt 32	jf 33
(032) jgt      x                jt 33	jf 35
(033) neg      
(034) jge      #0x20            jt 35	jf 37
(035) jset     #0x26            jt 37	jf 36
(036) jset     #0x21            jt 37	jf 38
(037) tax      
(038) div      x
(039) ret      
