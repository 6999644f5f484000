(000) ld       #0xffff
(001) st       M[8]
(002) stx      M[14]
(003) ldh      [cpu]
(004) st       M[14]
(005) lsh      #16
(006) ret      #-2147483648
(007) neg      
(008) neg      
(009) lsh      #8
(010) ldh      [x + 2]
(011) mul      #-1
(012) or       #0x10000
(013) sub      #25
(014) jge      x                jt 15	jf 18
(015) ldx      M[8]
(016) ldx      #0x33b5fd76
(017) lsh      #13
(018) jge      #0x2             jt 19	jf 19
(019) and      x
(020) ldb      [x + 7]
(021) ret      
