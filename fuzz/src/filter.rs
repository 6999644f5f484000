//! Filter expressions.

use oxbpf_cbpf_asm::filter::{Link, Options, compile};
use oxbpf_isa::cbpf::{Insn, Program};

use super::steps;

/// TCP to port 80 in Ethernet: long enough for the usual loads.
const PACKET: [u8; 74] = {
    let mut p = [0; 74];
    let head = [
        2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0, 0x45, 0, 0, 60, 0, 1, 0x40, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2,
        4, 210, 0, 80, 0, 0, 0, 1, 0, 0, 0, 0, 0xa0, 2, 0xfa, 0xf0,
    ];
    let mut i = 0;
    while i < head.len() {
        p[i] = head[i];
        i += 1;
    }
    p
};

/// A link type by the first byte, and an expression: what compiles keeps the kernel's rules, and says the same optimised
/// and not; what does not is shown at its place.
pub fn filter(bytes: &[u8]) {
    let Some((&first, text)) = bytes.split_first() else { return };
    let Ok(text) = std::str::from_utf8(text) else { return };
    let link = Link::ROWS[first as usize % Link::ROWS.len()].link;
    let plain = program(link, text, false);
    match program(link, text, true) {
        Some(optimized) => {
            let Some(plain) = plain else { return };
            assert!(optimized.len() <= plain.len());
            compare(&optimized, &plain);
        }
        // No packet matches, or it is wrong, or too long in the end.
        None => {
            let matches = plain.is_some_and(|plain| steps::run(&plain, &PACKET).is_some_and(|k| k != 0));
            assert!(!matches, "a packet matches what cannot be compiled");
        }
    }
}

fn program(link: Link, text: &str, optimize: bool) -> Option<Vec<Insn>> {
    match compile(link, text, &Options { optimize, ..Options::default() }) {
        Ok(code) => Some(Program::check(&code).expect("the kernel's rules are kept").insns().to_vec()),
        Err(error) => {
            assert!(error.code().starts_with("filter-"));
            assert!(error.at + error.len <= text.len() && text.is_char_boundary(error.at));
            assert!(error.render(text, "fuzz").contains("-->"));
            None
        }
    }
}

/// Where the unoptimised program ends by itself, the optimised one says the same.
fn compare(optimized: &[Insn], plain: &[Insn]) {
    for len in [PACKET.len(), 60, 34, 14, 0] {
        let packet = &PACKET[..len];
        if let Some(verdict) = steps::run(plain, packet) {
            assert_eq!(steps::run(optimized, packet).unwrap_or(0) != 0, verdict != 0, "{len} bytes");
        }
    }
}
