(000) ldx      #0x5
(001) st       M[7]
(002) xor      #0xd3bb1239
(003) rsh      x
(004) jeq      #0x7f            jt 8	jf 5
(005) ld       [queue]
(006) ja       10
(007) neg      
(008) ld       [type]
(009) jset     x                jt 10	jf 13
(010) mod      #65536
(011) or       #0x15
(012) ld       #pktlen
(013) xor      #0x5a4fa513
(014) tax      
(015) div      #33
(016) ldh      [17]
(017) ld       [x + 14]
(018) xor      #0x6eccb150
(019) stx      M[7]
(020) ld       [x + 16]
(021) jeq      x                jt 25	jf 22
(022) mod      #29
(023) mul      #255
(024) mod      #59
(025) ldh      [x + 10]
(026) lsh      #25
(027) rsh      #1
(028) jgt      #0x2d            jt 29	jf 30
(029) txa      
(030) ret      
