(000) ld       #pktlen
(001) jgt      #0x5             jt 2	jf 11
(002) ldh      [12]
(003) jeq      #0x800           jt 4	jf 11
(004) ldb      [16]
(005) mul      #4
(006) add      #3
(007) tax      
(008) ldb      [x + 14]
(009) jeq      #0x7             jt 10	jf 11
(010) ret      #262144
(011) ret      #0
