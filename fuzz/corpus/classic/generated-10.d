(000) ld       #0x0
(001) st       M[4]
(002) stx      M[7]
(003) mod      x
(004) ja       5
(005) ldh      [vlanp]
(006) ldb      [vlan_tpid]
(007) ret      
