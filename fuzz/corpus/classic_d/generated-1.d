(000) ld       #0xa
(001) ldx      #0x7
(002) ld       [-2097116]
(003) ret      #6
(004) ldh      [x + 20]
(005) jge      #0x3ab81e83      jt 7	jf 6
(006) mod      x
(007) jset     #0x22            jt 8	jf 10
(008) or       #0x18
(009) ldb      [nla]
(010) ldb      [54]
(011) ldb      [19]
(012) add      #-1
(013) sub      #35
(014) ret      
