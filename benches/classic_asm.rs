//! What assembling classic text costs: `cargo bench --bench classic_asm`.
//!
//! A filter as people write it, again and again up to 4,089 instructions, 1 MiB of text for each round; the best of 15.

use std::time::Instant;

use oxbpf_cbpf_asm::{Options, assemble};

fn program() -> String {
    let part = |n: usize| {
        format!(
            "/* part {n} */\n\tldh [12]\n\tjne #0x800, next{n}\n\tldb [23]\n\tjneq #6, next{n}\n\tldxb 4*([14]&0xf)\n\
             \tldh [x + 16]\n\tjeq #443, yes{n}, next{n} ; the port\nyes{n}:\tret #-1\nnext{n}:\n"
        )
    };
    (0..511).map(part).collect::<String>() + "\tret #0\n"
}

fn main() {
    let text = program();
    let rounds = (1 << 20) / text.len() + 1;
    let mut best = 0.0f64;
    for _ in 0..15 {
        let start = Instant::now();
        for _ in 0..rounds {
            let assembled = assemble(&text, &Options::default());
            assert_eq!(assembled.expect("the text is sound").code.len(), 511 * 8 + 1);
        }
        best = best.max((rounds * text.len()) as f64 / start.elapsed().as_secs_f64() / 1e6);
    }
    println!("{rounds} programs of {} bytes: {best:.1} MB/s", text.len());
}
