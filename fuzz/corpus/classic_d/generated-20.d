(000) ld       #0x3
(001) ldx      #0xff
(002) ld       #pktlen
(003) tax      
(004) add      #255
(005) jeq      x                jt 9	jf 6
(006) ld       #pktlen
(007) ldh      [63]
(008) ldb      [hatype]
(009) ld       [x + 23]
(010) ja       13
(011) div      #5
(012) rsh      #30
(013) ldb      [24]
(014) neg      
(015) jgt      #0xe6ffd425      jt 16	jf 16
(016) ldx      #0x1f
(017) ret      
