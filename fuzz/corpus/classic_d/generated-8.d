(000) ldx      #0xff
(001) ldh      [7]
(002) div      #50
(003) lsh      #31
(004) jgt      #0x2             jt 5	jf 5
(005) ret      
