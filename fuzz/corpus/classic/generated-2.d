(000) ld       #0x8f110281
(001) ldx      #0x3574dc88
(002) st       M[7]
(003) stx      M[6]
(004) mod      #255
(005) unimp    0x81
(006) ld       #pktlen
(007) or       #0xff
(008) ldh      [-1048565]
(009) ld       #0x12
(010) ldx      M[6]
(011) tax      
(012) ldb      [6]
(013) ld       [x + 18]
(014) jge      #0x0             jt 18	jf 17
(015) lsh      #12
(016) txa      
(017) jset     x                jt 20	jf 19
(018) jeq      x                jt 19	jf 19
(019) ldb      [24]
(020) ret      #2091906800
