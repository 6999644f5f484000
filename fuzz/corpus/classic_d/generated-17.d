(000) ldx      #0x7892af21
(001) neg      
(002) ldb      [x + -15]
(003) jgt      #0x4             jt 4	jf 6
(004) and      x
(005) ld       [62]
(006) ret      
