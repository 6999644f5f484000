//! LD_ABS and LD_IND, in the kernel and in the interpreter: inside, at the ends, and from the headers.

mod common;

use common::pair::*;
use common::{frame, measured};
use oxbpf_abi::ProgType;
use oxbpf_isa::{CallTarget, Insn, Narrow};

const TYPES: [ProgType; 3] = [ProgType::SchedCls, ProgType::SchedAct, ProgType::SocketFilter];

const NET: i32 = -0x10_0000;
const LINK: i32 = -0x20_0000;

/// Offsets about every end there is, for a frame of 60 bytes.
fn offsets() -> Vec<i32> {
    let ends = [0, 13, 14, 31, 42, 43, 44, 45, 46, 47, 56, 57, 58, 59, 60, 61, 64];
    let based = |base: i32| ends.map(|end| base + end);
    let mut offsets: Vec<i32> = [0, NET, LINK].into_iter().flat_map(based).collect();
    offsets.extend([
        -1,
        -4,
        -0x1000,
        -0x1000 + 4,
        NET - 1,
        NET - 14,
        LINK - 1,
        LINK - 2,
        i32::MIN,
        i32::MAX,
        0xffff,
        0x1_0000,
    ]);
    offsets
}

/// A program that loads and returns the number, plus one where the load came back.
fn absolute(size: Narrow, imm: i32) -> Vec<Insn> {
    let mut insns = prologue();
    insns.extend([wide(R[0], 0x5555), keep(0), Insn::LdAbs { size, imm }, keep(0), add(R[0], 1), Insn::Exit]);
    insns
}

/// As `absolute`, with the rest of the offset in a register, which the mark fills.
fn indirect(size: Narrow, imm: i32) -> Vec<Insn> {
    let mut insns = prologue();
    insns.extend([load(oxbpf_isa::MemSize::W, R[8], R[6], 8), wide(R[0], 0x5555), keep(0)]);
    insns.extend([Insn::LdInd { size, src: R[8], imm }, keep(0), add(R[0], 1), Insn::Exit]);
    insns
}

fn frames() -> [Vec<u8>; 2] {
    [frame(60, 0x0800), frame(46, 0x0806)]
}

#[test]
fn absolute_loads() {
    if !measured("absolute_loads") {
        return;
    }
    let (mut different, mut count) = (Vec::new(), 0);
    for prog_type in TYPES {
        for size in Narrow::ALL {
            for off in offsets() {
                let mut pair = Pair::new(&unit(prog_type, vec![result_map(8)], vec![absolute(size, off)])).unwrap();
                for bytes in frames() {
                    let what = format!("{prog_type} {size:?} at {off:#x} of {}", bytes.len());
                    different.extend(compare(&mut pair, std::slice::from_ref(&what), &input(&bytes), &what));
                    count += 1;
                }
            }
        }
    }
    all_same(count, &different);
}

#[test]
fn indirect_loads() {
    if !measured("indirect_loads") {
        return;
    }
    let (mut different, mut count) = (Vec::new(), 0);
    for prog_type in TYPES {
        for size in Narrow::ALL {
            for imm in [0, 1, 14, -1, -14, NET, LINK, i32::MIN, i32::MAX] {
                let mut pair = Pair::new(&unit(prog_type, vec![result_map(8)], vec![indirect(size, imm)])).unwrap();
                for off in offsets() {
                    // Both the register alone and what is left of the offset beside the immediate.
                    for index in [off as u32, off.wrapping_sub(imm) as u32] {
                        let bytes = frame(60, 0x0800);
                        let input = input_with(&bytes, |skb| skb.mark = index);
                        let what = format!("{prog_type} {size:?} at {index:#x} + {imm:#x}");
                        different.extend(compare(&mut pair, std::slice::from_ref(&what), &input, &what));
                        count += 1;
                    }
                }
            }
        }
    }
    all_same(count, &different);
}

#[test]
fn indices_of_64_bits() {
    if !measured("indices_of_64_bits") {
        return;
    }
    let (mut different, mut count) = (Vec::new(), 0);
    for index in [1u64 << 32, (1 << 32) + 14, u64::MAX, u64::MAX << 32, 0xffff_ffff, 0x8000_0000, (1 << 63) + 3, 20] {
        for imm in [0, 1, -1, 14, i32::MAX, i32::MIN] {
            let mut insns = prologue();
            insns.extend([wide(R[8], index), wide(R[0], 0x5555), keep(0)]);
            insns.extend([Insn::LdInd { size: Narrow::W, src: R[8], imm }, keep(0), add(R[0], 1), Insn::Exit]);
            let mut pair = Pair::new(&unit(ProgType::SchedCls, vec![result_map(8)], vec![insns])).unwrap();
            let what = format!("at {index:#x} + {imm:#x}");
            different.extend(compare(&mut pair, std::slice::from_ref(&what), &input(&frame(60, 0x0800)), &what));
            count += 1;
        }
    }
    all_same(count, &different);
}

/// What the verifier says of a load in a function that is called.
#[test]
fn loads_in_functions() {
    if !measured("loads_in_functions") {
        return;
    }
    let (mut different, mut count) = (Vec::new(), 0);
    for off in [0, 20, 57, 60, -1] {
        let mut insns = prologue();
        insns.extend([copy(R[1], R[6]), Insn::Call(CallTarget::Local(3)), keep(0), add(R[0], 1), Insn::Exit]);
        insns.extend([copy(R[6], R[1]), Insn::LdAbs { size: Narrow::W, imm: off }, add(R[0], 1), Insn::Exit]);
        match Pair::new(&unit(ProgType::SchedCls, vec![result_map(8)], vec![insns])) {
            Ok(mut pair) => {
                let what = format!("at {off}");
                different.extend(compare(&mut pair, std::slice::from_ref(&what), &input(&frame(60, 0x0800)), &what));
                count += 1;
            }
            Err(error) => println!("at {off}: {error}"),
        }
    }
    all_same(count, &different);
}
