(000) ldh      [12]
(001) jeq      #0x800           jt 2	jf 16
(002) ldb      [23]
(003) jeq      #0x6             jt 4	jf 16
(004) ldh      [20]
(005) jset     #0x1fff          jt 16	jf 6
(006) ldb      [22]
(007) sub      #3
(008) st       M[2]
(009) ldxb     4*([14]&0xf)
(010) ldb      [x + 26]
(011) div      #4
(012) tax      
(013) ld       M[2]
(014) jgt      x                jt 15	jf 16
(015) ret      #262144
(016) ret      #0
