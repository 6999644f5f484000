//! How much longer real filters become, as tcpdump compiles them.

use std::process::Command;

use oxbpf_abi::ProgType;
use oxbpf_cbpf2ebpf::{Migrated, migrate};
use oxbpf_ir::InsnId;
use oxbpf_isa::cbpf::{Insn, Program, SockFilter};

const FILTERS: [&str; 30] = [
    "ip",
    "arp",
    "ip6",
    "tcp",
    "udp port 53",
    "port 53",
    "tcp port 80",
    "tcp port 80 or tcp port 443",
    "host 10.0.0.1",
    "src host 10.0.0.1 and dst port 22",
    "net 192.168.0.0/16",
    "ip and not net 10.0.0.0/8",
    "ether host 00:11:22:33:44:55",
    "ether broadcast",
    "ether multicast",
    "ip broadcast or ip multicast",
    "icmp[icmptype] == icmp-echo",
    "tcp[tcpflags] & (tcp-syn|tcp-fin) != 0",
    "tcp port 80 and (((ip[2:2] - ((ip[0]&0xf)<<2)) - ((tcp[12]&0xf0)>>2)) != 0)",
    "ip[0] & 0xf != 5",
    "ip[6:2] & 0x1fff != 0",
    "vlan 100",
    "vlan and tcp port 80",
    "vlan 100 and vlan 200 and ip",
    "mpls 100 and ip host 10.0.0.1",
    "less 100",
    "greater 1000 and udp",
    "portrange 8000-8100",
    "tcp src portrange 1024-65535 and dst net 172.16.0.0/12",
    "ip6 host 2001:db8::1 or (ip host 10.0.0.1 and tcp port 25)",
];

/// What tcpdump makes of an expression; none where it is not installed.
fn compile(expression: &str) -> Option<Program> {
    let output = Command::new("tcpdump").args(["-ddd", "-y", "EN10MB", expression]).output().ok()?;
    let text = String::from_utf8(output.stdout).unwrap();
    let insn = |line: &str| {
        let mut numbers = line.split(' ').map(|n| n.parse::<u32>().unwrap());
        let mut next = || numbers.next().unwrap();
        SockFilter { code: next() as u16, jt: next() as u8, jf: next() as u8, k: next() }
    };
    let raw: Vec<SockFilter> = text.lines().skip(1).map(insn).collect();
    Some(Program::check(&raw).unwrap_or_else(|e| panic!("{expression}: {e}: {text}")))
}

/// The table of origins is ordered, complete where something is reached, and says the same both ways.
fn check_origins(program: &Program, migrated: &Migrated) {
    let origins = migrated.origins();
    assert_eq!(origins.len(), migrated.program().insns().len());
    assert!(origins.is_sorted());
    for classic in 0..program.len() {
        for i in migrated.insns_of(classic) {
            assert_eq!(migrated.origin(InsnId(i)), Some(classic));
        }
        let nothing = matches!(program.insns()[classic], Insn::Ja(0));
        assert!(nothing || !migrated.insns_of(classic).is_empty(), "insn {classic}");
    }
    assert!(migrated.prologue().all(|i| origins[i as usize].is_none()));
}

#[test]
fn real_filters_stay_below_two_and_a_half_times_their_length() {
    let (mut classic, mut ebpf) = (0, 0);
    for expression in FILTERS {
        let Some(program) = compile(expression) else { return println!("skipped: no tcpdump") };
        let migrated = migrate(&program, "filter", ProgType::SchedCls).unwrap();
        check_origins(&program, &migrated);
        let (a, b) = (program.len(), migrated.program().insns().len());
        println!("{:.2}  {a:3} {b:3}  {expression}", b as f64 / a as f64);
        assert!(2 * b <= 5 * a, "{expression}: {a} become {b}");
        classic += a;
        ebpf += b;
    }
    println!("{classic} become {ebpf}, {:.3} each", ebpf as f64 / classic as f64);
}
