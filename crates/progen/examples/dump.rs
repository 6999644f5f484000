//! Writes generated programs as text, one a line: for tools that load them elsewhere.
//!
//! `cargo run --release -p oxbpf-progen --example dump -- FIRST COUNT [cls|socket|xdp]`
//!
//! A line is `seed type code maps packet topics`, tab-separated; code and packet in hex, maps as
//! `kind,key,value,max[,keyhex=valuehex…]` with `;` between them, topics as a bit mask.

use std::io::Write;

use oxbpf_isa::{RawInsn, encode_all};
use oxbpf_progen::{Generator, MapKind, MapSpec, ProgType, Topic};

fn main() -> std::io::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize, default| args.get(at).and_then(|a| a.parse().ok()).unwrap_or(default);
    let (first, count) = (number(0, 0u64), number(1, 10u64));
    let prog_type = match args.get(2).map(String::as_str) {
        Some("socket") => ProgType::SocketFilter,
        Some("xdp") => ProgType::Xdp,
        _ => ProgType::SchedCls,
    };
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for seed in first..first + count {
        let made = Generator::of_type(seed, prog_type).program();
        let code: Vec<u8> = encode_all(&made.insns).into_iter().flat_map(RawInsn::to_bytes).collect();
        let maps: Vec<String> = made.maps.iter().map(map_text).collect();
        let topics = Topic::ALL.into_iter().filter(|&t| made.features.has(t)).fold(0u32, |m, t| m | 1 << t as u8);
        let (code, packet) = (hex(&code), hex(&made.packet));
        writeln!(out, "{seed}\t{prog_type:?}\t{code}\t{}\t{packet}\t{topics}", maps.join(";"))?;
    }
    out.flush()
}

fn map_text(map: &MapSpec) -> String {
    let kind = match map.kind {
        MapKind::Hash => "hash",
        MapKind::Array => "array",
    };
    let mut text = format!("{kind},{},{},{}", map.key_size, map.value_size, map.max_entries);
    for (key, value) in &map.initial {
        text.push_str(&format!(",{}={}", hex(key), hex(value)));
    }
    text
}

fn hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|b| [b >> 4, b & 15]);
    digits.map(|d| char::from(b"0123456789abcdef"[usize::from(d)])).collect()
}
