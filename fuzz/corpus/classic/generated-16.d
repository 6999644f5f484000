(000) ld       #0x1c
(001) tax      
(002) mod      #356358968
(003) div      #255
(004) ld       [mark]
(005) ja       8
(006) ld       [x + 4]
(007) ldh      [random]
(008) ldh      [13]
(009) jeq      #0x10000         jt 10	jf 10
(010) ldx      #0xc
(011) jset     x                jt 12	jf 15
(012) ldb      [xor_x]
(013) ldx      #0x12
(014) ldx      #0x18
(015) jge      #0x0             jt 25	jf 16
(016) jgt      x                jt 19	jf 17
(017) ldh      [33]
(018) jgt      #0x10000         jt 21	jf 20
(019) ldxb     4*([31]&0xf)
(020) rsh      #26
(021) jset     #0x2d            jt 22	jf 24
(022) rsh      #25
(023) jgt      x                jt 26	jf 24
(024) ldb      [random]
(025) ld       #0xffffffff
(026) ret      
