(000) ld       #0x5
(001) stx      M[13]
(002) stx      M[8]
(003) ldb      [36]
(004) ldb      [36]
(005) ld       M[8]
(006) ldb      [6]
(007) ldb      [x + 15]
(008) ld       [vlan_tpid]
(009) tax      
(010) ld       [59]
(011) ld       [vlan_tpid]
(012) jeq      #0x1             jt 13	jf 14
(013) jge      x                jt 14	jf 33
(014) txa      
(015) jge      #0x3a            jt 16	jf 19
(016) mul      #12
(017) ld       [9]
(018) ldb      [18]
(019) jset     #0xe27d4d7d      jt 20	jf 21
(020) jeq      #0x4ab510b9      jt 26	jf 24
(021) stx      M[13]
(022) ldb      [11]
(023) jgt      #0x27            jt 24	jf 33
(024) ld       [32]
(025) jgt      #0xffff          jt 28	jf 26
(026) unimp    0x81
(027) ld       [cpu]
(028) ldb      [ifidx]
(029) ld       #pktlen
(030) ld       M[13]
(031) jeq      #0x2f            jt 32	jf 32
(032) ld       [vlanp]
(033) ret      
