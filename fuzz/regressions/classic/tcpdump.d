(000) ldh      [12]
(001) jeq      #0x800           jt 2	jf 3
(002) ret      #-1
(003) ret      #0
