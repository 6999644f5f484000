//! What compiling a filter expression costs: `cargo bench --bench filter`. The bar is 50 µs for each.

use std::hint::black_box;
use std::time::Duration;

use criterion::Criterion;
use oxbpf_cbpf_asm::filter::{Link, Options, compile};

const EXPRESSIONS: [(&str, &str); 6] = [
    ("shortest", "ip"),
    ("typical", "tcp port 80 and host 10.0.0.1"),
    ("ports", "port 80 or 443 or 8080"),
    ("arithmetic", "tcp port 80 and (((ip[2:2] - ((ip[0]&0xf)<<2)) - ((tcp[12]&0xf0)>>2)) != 0)"),
    ("layers", "vlan 100 and mpls and host 192.168.1.1 and tcp[tcpflags] & (tcp-syn|tcp-fin) != 0"),
    (
        "complex",
        "(src net 10.0.0.0/8 or src net 192.168.0.0/16) and not (dst net 10.0.0.0/8 or dst net 192.168.0.0/16) and \
        (tcp dst port 80 or tcp dst port 443 or udp port 53) and not ether broadcast and len > 60",
    ),
];

fn main() {
    let mut criterion = Criterion::default().warm_up_time(Duration::from_millis(500)).configure_from_args();
    let mut group = criterion.benchmark_group("filter");
    for (name, expr) in EXPRESSIONS {
        let compiled = || compile(Link::Ethernet, black_box(expr), &Options::default()).expect("compiles");
        println!("{name}: {} instructions", compiled().len());
        group.bench_function(name, |b| b.iter(compiled));
    }
    group.finish();
    criterion.final_summary();
}
