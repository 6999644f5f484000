(000) ldx      #0x26c866c7
(001) ldb      [-1048578]
(002) ld       #pktlen
(003) ldh      [vlanp]
(004) ldx      #0x19
(005) tax      
(006) div      #1
(007) ld       [-1048544]
(008) tax      
(009) jgt      x                jt 12	jf 11
(010) ldh      [6]
(011) jge      #0x13            jt 12	jf 14
(012) jset     x                jt 13	jf 15
(013) ldxb     4*([11]&0xf)
(014) ld       [x + 6]
(015) and      x
(016) ldh      [39]
(017) sub      x
(018) and      #0xde847d3f
(019) jge      x                jt 20	jf 21
(020) and      x
(021) ret      
