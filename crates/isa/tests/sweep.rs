//! Every opcode with every register byte, at the corners of the offset and of the immediate: decoding is
//! total, what it accepts encodes back to the same bytes, and its text parses back to the same instruction.

use std::ops::RangeInclusive;
use std::sync::OnceLock;
use std::thread;

use oxbpf_isa::text::{PrintOptions, parse, print};
use oxbpf_isa::{Insn, RawInsn, Slot, decode, encode_all};

/// Zero, the selectors that live in the offset, their neighbours, and the corners.
const OFFS: [i16; 12] = [0, 1, -1, 2, 8, 16, 32, 64, 0x7f, -0x80, i16::MAX, i16::MIN];

/// Zero, the selectors that live in the immediate, their neighbours, and the corners.
const IMMS: [i32; 28] = [
    0,
    1,
    -1,
    2,
    8,
    16,
    32,
    64,
    i16::MIN as i32,
    i16::MAX as i32,
    i32::MIN,
    i32::MAX,
    0x41,
    0x50,
    0x51,
    0xa0,
    0xa1,
    0xe1,
    0xf1,
    0x100,
    0x110,
    0x101,
    0xe0,
    0xf0,
    0x10000,
    0x10001,
    0x7fff_0000,
    195,
];

/// Second slots of wide instructions; one-slot instructions do not look at them.
const SECONDS: [RawInsn; 5] = [second(0), second(1), second(-1), second(i32::MIN), second(i32::MAX)];

const fn second(imm: i32) -> RawInsn {
    RawInsn { code: 0, regs: 0, off: 0, imm }
}

/// What the words of one opcode decode to, each word once.
fn accepted(code: u8) -> Vec<Insn> {
    let mut insns = Vec::new();
    let seconds = if code == 0x18 { &SECONDS[..] } else { &SECONDS[..1] };
    for regs in 0..=u8::MAX {
        for off in OFFS {
            for imm in IMMS {
                for &second in seconds {
                    let words = [RawInsn { code, regs, off, imm }, second];
                    let Ok((insn, slots)) = decode(&words, Slot(0)) else { continue };
                    assert_eq!(insn.encode().words(), &words[..slots as usize], "{insn:?}");
                    insns.push(insn);
                }
            }
        }
    }
    insns
}

/// What all words decode to; swept once for all tests, half of the opcodes on each of two threads.
fn all_accepted() -> &'static [Insn] {
    static ALL: OnceLock<Vec<Insn>> = OnceLock::new();
    ALL.get_or_init(|| {
        let half = |codes: RangeInclusive<u8>| move || codes.flat_map(accepted).collect::<Vec<_>>();
        let other = thread::spawn(half(0x80..=0xff));
        let mut insns = half(0x00..=0x7f)();
        insns.extend(other.join().unwrap());
        insns
    })
}

#[test]
fn accepted_words_round_trip_through_bytes_and_text() {
    let insns = all_accepted();
    assert!(insns.len() > 100_000, "only {} accepted", insns.len());
    // Jump distances lead nowhere in particular, so each line is read by itself; the labels of the other
    // options are checked with whole programs.
    let text = print(insns, &PrintOptions::default(), &());
    let source = parse(&text).unwrap_or_else(|e| panic!("{}", e[0].render(&text, "sweep")));
    for (got, want) in source.insns.iter().zip(insns) {
        assert_eq!(got, want);
    }
    assert_eq!(source.insns.len(), insns.len());
    assert!(source.symbols.is_empty());
}

#[test]
fn accepted_words_round_trip_with_bytes_and_slots_in_front() {
    let insns: Vec<Insn> = all_accepted().iter().copied().step_by(7).collect();
    let options = PrintOptions { slots: true, bytes: true, ..Default::default() };
    let text = print(&insns, &options, &());
    let source = parse(&text).unwrap_or_else(|e| panic!("{}", e[0].render(&text, "sweep")));
    assert_eq!(source.insns, insns);
}

#[test]
fn every_opcode_that_exists_is_accepted() {
    let count = (0..=u8::MAX).filter(|&code| !accepted_some(code)).count();
    // 14 operators but division's and modulo's signed forms, in two widths and with two sources, 4 byte
    // swaps and negations; 11 conditions likewise; loads, stores, jumps, calls.
    let (alu, swaps_and_negs) = (12 * 2 * 2, 3 + 2);
    let (conditional, other_jumps) = (11 * 2 * 2, 6);
    let memory = 4 + 3 + 4 + 4 + 4 + 3 + 3 + 1;
    assert_eq!(256 - count, alu + swaps_and_negs + conditional + other_jumps + memory);
}

fn accepted_some(code: u8) -> bool {
    let tries = |imm| [RawInsn { code, regs: 0, off: 0, imm }, second(0)];
    [0, 16, 0x100].into_iter().any(|imm| decode(&tries(imm), Slot(0)).is_ok())
}

#[test]
fn a_program_of_all_instructions_encodes_word_for_word() {
    let insns: Vec<Insn> = all_accepted().iter().copied().step_by(101).collect();
    let words = encode_all(&insns);
    let decoded = oxbpf_isa::decode_all(&words).unwrap();
    assert!(decoded.iter().map(|(_, insn)| insn).eq(&insns));
}
