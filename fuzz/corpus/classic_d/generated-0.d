(000) ld       #0x12
(001) ldx      #0x41c98ac3
(002) add      #0
(003) jeq      #0x40            jt 4	jf 7
(004) ldx      #0x2
(005) lsh      x
(006) jge      #0x24851729      jt 7	jf 7
(007) neg      
(008) jgt      #0x1c            jt 9	jf 12
(009) jset     #0x1             jt 10	jf 11
(010) lsh      #21
(011) jeq      x                jt 12	jf 12
(012) sub      #10
(013) jge      x                jt 14	jf 14
(014) ldh      [x + -4]
(015) ldx      #0x10
(016) ldxb     4*([20]&0xf)
(017) mul      #3
(018) ja       20
(019) tax      
(020) jge      x                jt 22	jf 21
(021) add      #1474786488
(022) jge      x                jt 26	jf 23
(023) div      #1063436512
(024) jset     x                jt 25	jf 26
(025) ld       #pktlen
(026) ldxb     4*([19]&0xf)
(027) lsh      #11
(028) ldb      [17]
(029) ldb      [-2097131]
(030) ret      
