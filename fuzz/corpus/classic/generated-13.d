(000) ld       #0xf
(001) ldx      #0x1
(002) st       M[14]
(003) ja       7
(004) ldb      [cpu]
(005) ld       [63]
(006) ldb      [nla]
(007) mul      x
(008) ldh      [x + 20]
(009) ldh      [x + 21]
(010) jgt      #0x9a14d81e      jt 14	jf 15
(011) and      #0xd
(012) jgt      #0x7f            jt 27	jf 17
(013) jeq      #0x4             jt 14	jf 14
(014) ret      #0
(015) ldxb     4*([1]&0xf)
(016) ldxb     4*([28]&0xf)
(017) mul      #25
(018) jeq      #0x7f            jt 22	jf 20
(019) jeq      #0x39            jt 21	jf 20
(020) jset     #0x6f59c1c8      jt 27	jf 23
(021) add      x
(022) ldxb     4*([2]&0xf)
(023) stx      M[14]
(024) ld       [6]
(025) jgt      x                jt 26	jf 27
(026) and      #0x32
(027) ret      
