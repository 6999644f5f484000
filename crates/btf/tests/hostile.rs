//! Broken sections give errors, never a panic, and questions about what still
//! parses have answers.

mod common;

use common::Rng;
use oxbpf_btf::{Btf, BtfExt};

/// Changed copies of each example's two sections.
const MUTATIONS: usize = 10_000;

/// Parses and, where that works, asks every question of every type.
fn exercise(btf: &[u8], ext: &[u8]) -> bool {
    let Ok(btf) = Btf::parse(btf) else {
        return false;
    };
    for (id, t) in btf.types() {
        let _ = (btf.resolve(id), btf.size_of(id), btf.func(id), t.name());
        for (name, member) in btf.members(id) {
            let _ = (name.len(), btf.size_of(member.target));
        }
        assert!(btf.str(t.name()).len() <= oxbpf_btf::MAX_STR);
    }
    let Ok(ext) = BtfExt::parse(ext, &btf) else {
        return false;
    };
    for section in ext.sections() {
        for line in &section.lines {
            let _ = (btf.str(line.file), btf.str(line.line_text));
        }
    }
    true
}

#[test]
fn flipped_bits_and_bytes_do_no_harm() {
    for (index, (name, btf, ext)) in common::examples().into_iter().enumerate() {
        let mut rng = Rng(0x9e37_79b9_7f4a_7c15 + index as u64);
        let mut survived = 0;
        for _ in 0..MUTATIONS {
            let (mut btf, mut ext) = (btf.clone(), ext.clone());
            for _ in 0..=rng.below(3) {
                let victim = if rng.below(2) == 0 { &mut btf } else { &mut ext };
                let at = rng.below(victim.len());
                match rng.below(3) {
                    0 => victim[at] ^= 1 << rng.below(8),
                    1 => victim[at] = rng.next() as u8,
                    _ => victim[at] = [0, 0xff, 0x7f, 0x80][rng.below(4)],
                }
            }
            survived += usize::from(exercise(&btf, &ext));
        }
        // Neither all nor none, or the test changes nothing that matters.
        assert!((1..MUTATIONS).contains(&survived), "{name}: {survived}");
    }
}

#[test]
fn a_cut_at_any_byte_is_an_error() {
    let (btf, ext) = common::example("minimal");
    for len in 0..btf.len() {
        let error = Btf::parse(&btf[..len]).unwrap_err();
        assert_eq!(error.code(), "btf-truncated", "{len}: {error}");
    }
    let whole = Btf::parse(&btf).unwrap();
    for len in 0..ext.len() {
        let error = BtfExt::parse(&ext[..len], &whole).unwrap_err();
        assert_eq!(error.code(), "btf-truncated", "{len}: {error}");
    }
}

#[test]
fn a_count_without_records_allocates_nothing() {
    let (btf, ext) = common::example("minimal");
    let btf = Btf::parse(&btf).unwrap();
    let mut ext = ext;
    // header 32, record length, section name, then the count of functions
    ext[40..44].fill(0xff);
    let error = BtfExt::parse(&ext, &btf).unwrap_err();
    assert_eq!(error.code(), "btf-truncated");
}

#[test]
fn record_lengths_are_checked_and_longer_ones_skipped() {
    let (btf, _) = common::example("minimal");
    let btf = Btf::parse(&btf).unwrap();
    let ext = |record_len: u32, insn_off: u32| {
        let mut bytes = vec![0x9f, 0xeb, 1, 0];
        for word in [24, 0, 24, 24, 0, record_len, 1, 1, insn_off, 1, 77] {
            bytes.extend(word.to_le_bytes());
        }
        bytes
    };
    let good = BtfExt::parse(&ext(12, 8), &btf).unwrap();
    assert_eq!(good.sections()[0].funcs[0].insn_off, 8);
    let code = |bytes: Vec<u8>| BtfExt::parse(&bytes, &btf).unwrap_err().code();
    assert_eq!(code(ext(4, 8)), "btf-bad-record-length");
    assert_eq!(code(ext(13, 8)), "btf-bad-record-length");
    assert_eq!(code(ext(12, 7)), "btf-bad-insn-offset");
}
