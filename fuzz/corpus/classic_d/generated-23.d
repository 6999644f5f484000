(000) ld       #0xfffffffe
(001) ldx      #0xfffffffe
(002) stx      M[5]
(003) txa      
(004) ldb      [-2097103]
(005) ldx      #0x592fb88d
(006) xor      x
(007) sub      #25
(008) jset     #0x25            jt 9	jf 10
(009) ldxb     4*([27]&0xf)
(010) jgt      #0xcbf1daa7      jt 11	jf 11
(011) ret      
