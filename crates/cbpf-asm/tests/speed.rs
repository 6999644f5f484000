//! What assembling costs: `cargo test --release -p oxbpf-cbpf-asm --test speed -- --ignored --nocapture`.

use std::time::Instant;

use oxbpf_cbpf_asm::{Options, assemble};

/// About 70,000 bytes: a filter as people write it, again and again, up to 4,096 instructions.
fn program() -> String {
    let part = |n: usize| {
        format!(
            "/* part {n} */\n\tldh [12]\n\tjne #0x800, next{n}\n\tldb [23]\n\tjneq #6, next{n}\n\tldxb 4*([14]&0xf)\n\
             \tldh [x + 16]\n\tjeq #443, yes{n}, next{n} ; the port\nyes{n}:\tret #-1\nnext{n}:\n"
        )
    };
    (0..511).map(part).collect::<String>() + "\tret #0\n"
}

#[test]
#[ignore = "a measurement"]
fn assembling() {
    let text = program();
    let rounds = (1 << 20) / text.len() + 1;
    let mut best = 0.0f64;
    for _ in 0..15 {
        let start = Instant::now();
        for _ in 0..rounds {
            assert_eq!(assemble(&text, &Options::default()).unwrap().code.len(), 511 * 8 + 1);
        }
        best = best.max((rounds * text.len()) as f64 / start.elapsed().as_secs_f64() / 1e6);
    }
    eprintln!("{rounds} programs of {} bytes: {best:.1} MB/s at best", text.len());
    assert!(best >= 20.0, "{best} MB/s");
}
