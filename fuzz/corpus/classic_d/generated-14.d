(000) ld       #0xffffffff
(001) stx      M[0]
(002) stx      M[9]
(003) jge      #0x31            jt 4	jf 6
(004) ld       #pktlen
(005) jeq      #0x5             jt 6	jf 6
(006) and      x
(007) sub      #33
(008) ld       #0x11c10fa1
(009) sub      #1352693386
(010) lsh      x
(011) ldb      [type]
(012) and      #0x10000
(013) ldx      #0x14
(014) jeq      #0x3d            jt 17	jf 16
(015) ldx      #0xfffffffe
(016) ldx      #0x39
(017) ret      
