(000) ldx      #0x40
(001) st       M[11]
(002) st       M[5]
(003) ld       [x + 0]
(004) jset     #0x2             jt 7	jf 8
(005) ret      #2147483647
(006) ld       [x + 11]
(007) jeq      #0xffff          jt 9	jf 9
(008) jge      #0x2             jt 9	jf 9
(009) ret      #1279976622
