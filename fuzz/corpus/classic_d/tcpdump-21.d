(000) ldh      [12]
(001) jeq      #0x800           jt 2	jf 13
(002) ldh      [16]
(003) st       M[1]
(004) ldb      [14]
(005) and      #0xf
(006) lsh      #2
(007) tax      
(008) ld       M[1]
(009) sub      x
(010) mod      #3
(011) jeq      #0x1             jt 12	jf 13
(012) ret      #262144
(013) ret      #0
