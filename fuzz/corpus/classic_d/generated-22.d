(000) ld       #0x15
(001) ldx      #0xd94c11da
(002) stx      M[5]
(003) st       M[4]
(004) ld       [queue]
(005) ld       #0x34
(006) rsh      x
(007) ldxb     4*([34]&0xf)
(008) xor      x
(009) jeq      #0xe6a96412      jt 10	jf 12
(010) or       #0x9d240edd
(011) neg      
(012) jset     x                jt 13	jf 38
(013) sub      x
(014) ldxb     4*([-1048593]&0xf)
(015) add      #-2
(016) jset     #0xc             jt 20	jf 17
(017) jset     #0x3e8d6a84      jt 18	jf 19
(018) jge      x                jt 19	jf 21
(019) tax      
(020) ld       M[5]
(021) ld       #0x39
(022) ld       [vlan_tpid]
(023) jeq      #0x1             jt 25	jf 25
(024) unimp    0x81
(025) jeq      x                jt 39	jf 27
(026) mod      x
(027) ld       [29]
(028) jge      #0x1c            jt 29	jf 29
(029) add      #18
(030) ja       33
(031) jeq      #0x1e            jt 34	jf 38
(032) rsh      x
(033) jeq      x                jt 36	jf 34
(034) lsh      #24
(035) ja       37
(036) jgt      #0xffff          jt 39	jf 37
(037) ldh      [random]
(038) tax      
(039) ldx      #0xc
(040) ldh      [62]
(041) stx      M[4]
(042) ret      
