//! Text, code, every format, and back; and what is no format, told as such.
//!
//! `OXBPF_PROGRAMS=100000 cargo test --release -p oxbpf-cbpf-asm --test formats` runs more than 2,000 programs.

mod common;

use common::{Rng, generated, mutant, opcodes, seeds};
use oxbpf_cbpf_asm::{Format, Options, assemble, detect, read, write};
use oxbpf_isa::cbpf::SockFilter;

/// A program of any instructions that decode, in canonical form, with jumps inside: not one that can be run.
fn any(seed: u64, opcodes: &[u16]) -> Vec<SockFilter> {
    let mut rng = Rng::new(seed ^ 0x5555);
    let len = 1 + rng.below(if seed.is_multiple_of(64) { 600 } else { 30 });
    let insn = |at: usize, rng: &mut Rng| {
        let left = len - at - 1;
        let mut raw = SockFilter::stmt(rng.pick(opcodes), rng.word() >> rng.below(32));
        if raw.code & 7 == 5 {
            if left == 0 {
                return SockFilter::stmt(0x16, 0);
            }
            (raw.jt, raw.jf) = (rng.below(left.min(256)) as u8, rng.below(left.min(256)) as u8);
        }
        raw.k = if raw.code == 5 { rng.below(left) as u32 } else { raw.k };
        match raw.decode() {
            Ok(insn) => insn.encode(),
            Err(_) => SockFilter { k: raw.k % 16, ..raw },
        }
    };
    (0..len).map(|at| insn(at, &mut rng)).collect()
}

#[test]
fn every_format_gives_back_what_was_written() {
    let opcodes = opcodes();
    let options = Options { strict: true, relax: false };
    for seed in seeds() {
        for code in [any(seed, &opcodes), generated(seed)] {
            let text = String::from_utf8(write(Format::Text, &code).unwrap()).unwrap();
            let assembled = assemble(&text, &options).unwrap_or_else(|e| panic!("{}", e[0].render(&text, "text")));
            assert_eq!(assembled.code, code, "{text}");
            for row in Format::ROWS {
                let bytes = write(row.format, &code).unwrap();
                let back = read(&bytes, Some(row.format), &options);
                assert_eq!(back.unwrap().code, code, "seed {seed}: {}", row.name);
                // An opcode of zero looks the same from both ends.
                if row.format.is_binary() && code.iter().all(|i| i.code == 0) {
                    continue;
                }
                let seen = detect(&bytes);
                if seen != row.format {
                    assert_eq!(read(&bytes, None, &options).unwrap().code, code, "seed {seed}: {}", row.name);
                }
                let same = seen == row.format || matches!((row.format, seen), (Format::AsmC, Format::Dd));
                assert!(same, "seed {seed}: {} seen as {seen:?}", row.name);
            }
        }
        // What is no program can still be carried by formats of numbers.
        let code = mutant(seed, &opcodes);
        for row in Format::ROWS.iter().filter(|r| !matches!(r.format, Format::Text | Format::D)) {
            let bytes = write(row.format, &code).unwrap();
            let back = read(&bytes, Some(row.format), &options);
            assert!(code.is_empty() || back.unwrap().code == code, "seed {seed}: {}", row.name);
        }
    }
}

/// Damaged files are read or refused, and nothing else happens.
#[test]
fn damaged_files_are_no_trouble() {
    let opcodes = opcodes();
    for seed in seeds() {
        let mut rng = Rng::new(seed ^ 0xaaaa);
        let code = any(seed, &opcodes);
        let row = rng.pick(&Format::ROWS);
        let mut bytes = write(row.format, &code).unwrap();
        for _ in 0..1 + rng.below(4) {
            let at = rng.below(bytes.len());
            match rng.below(4) {
                0 => bytes[at] = rng.word() as u8,
                1 => drop(bytes.remove(at)),
                2 => bytes.insert(at, rng.pick(b"\n\t,#[]{}()*&x0-\"':;/\xc3")),
                _ => bytes.truncate(at),
            }
            if bytes.is_empty() {
                break;
            }
        }
        for format in [None, Some(row.format), Some(rng.pick(&Format::ROWS).format)] {
            for strict in [false, true] {
                match read(&bytes, format, &Options { strict, relax: !strict }) {
                    Ok(read) => assert!(!read.code.is_empty() && read.code.len() <= 4096),
                    Err(errors) => {
                        assert!(!errors.is_empty() && errors.len() <= 20);
                        let shown = String::from_utf8_lossy(&bytes);
                        assert!(errors.iter().all(|e| !e.render(&shown, "file").is_empty()));
                    }
                }
            }
        }
    }
}
