//! What the instruction set's codec and texts cost: `cargo bench --bench isa`.
//!
//! A million instructions, each row as likely as any other: decoded, encoded, and in each dialect printed and read. The
//! best of 7, in million instructions per second.

use std::hint::black_box;
use std::sync::LazyLock;
use std::time::Instant;

use oxbpf_isa::text::{Dialect, PrintOptions, detect, parse_as, print};
use oxbpf_isa::{Insn, decode_all, encode_all};
use oxbpf_progen::insns;

const COUNT: usize = 1_000_000;

/// Seconds that this thread has worked, where Linux tells: others on the machine do not count. Else of the clock.
fn now() -> f64 {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let worked = told.and_then(|t| t.split(' ').next()?.parse::<f64>().ok());
    worked.map_or_else(|| START.elapsed().as_secs_f64(), |ns| ns / 1e9)
}

/// Million instructions per second, in the best of some rounds.
fn rate<T>(mut work: impl FnMut() -> T) -> f64 {
    let mut best = f64::INFINITY;
    for _ in 0..7 {
        let start = now();
        black_box(work());
        best = best.min(now() - start);
    }
    COUNT as f64 / best / 1e6
}

fn main() {
    let insns: Vec<Insn> = (0..).flat_map(|seed| insns(seed, 1000)).take(COUNT).collect();
    let words = encode_all(&insns);
    assert_eq!(decode_all(&words).expect("rows encode").len(), COUNT);
    println!("decoded {:6.1} M/s", rate(|| decode_all(&words)));
    println!("encoded {:6.1} M/s", rate(|| encode_all(&insns)));
    for row in Dialect::ROWS {
        let options = PrintOptions { dialect: row.dialect, ..PrintOptions::default() };
        let text = print(&insns, &options, &());
        assert_eq!(parse_as(&text, row.dialect).expect("what is printed is read").insns, insns);
        assert_eq!(parse_as(&text, detect(&text)).expect("and recognised").insns, insns);
        let printed = rate(|| print(&insns, &options, &()));
        let read = rate(|| parse_as(&text, row.dialect));
        println!("{:7} {printed:6.1} M/s printed {read:6.1} M/s read", row.name);
    }
}
