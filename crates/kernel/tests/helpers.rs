//! Helpers on packets and sums with random arguments, in the kernel and in the interpreter.

mod common;

use common::pair::*;
use common::{frame, measured};
use oxbpf_abi::ProgType;
use oxbpf_isa::{AluOp, Insn, MemSize, Operand, Width};

const LOAD_BYTES: i32 = 26;
const STORE_BYTES: i32 = 9;
const L3_REPLACE: i32 = 10;
const L4_REPLACE: i32 = 11;
const CSUM_DIFF: i32 = 28;

/// Programs of each campaign, and cases in each.
const PROGRAMS: u64 = 60;
const CASES: usize = 40;

/// An offset: mostly inside the packet or about its end, sometimes far out.
fn offset(rng: &mut Rng, len: usize) -> u64 {
    let len = len as u64;
    match rng.below(10) {
        0..5 => rng.below(len),
        5..7 => (len - 4 + rng.below(8)) & 0xffff_ffff,
        7 => rng.below(4).wrapping_sub(2),
        8 => rng.pick(&[
            0xffff,
            0xfffe,
            0x1_0000,
            0x7fff_ffff,
            0x8000_0000,
            0xffff_ffff,
            1 << 32,
            (1 << 32) + 14,
            u64::MAX << 32,
        ]),
        _ => rng.next(),
    }
}

/// Flags: mostly of those that mean something.
fn flags(rng: &mut Rng, known: u64) -> u64 {
    match rng.below(8) {
        0..6 => rng.next() & known,
        6 => 1 << rng.below(64),
        _ => rng.next(),
    }
}

/// What the scratch memory holds from `-64` on, as one number in r1.
fn digest() -> Vec<Insn> {
    let mut insns = vec![imm(R[1], 0)];
    for off in (-64..0).step_by(8) {
        insns.push(load(MemSize::Dw, R[2], R[10], off));
        insns.push(Insn::Alu { op: AluOp::Mul, width: Width::W64, dst: R[1], src: Operand::Imm(31) });
        insns.push(Insn::Alu { op: AluOp::Add, width: Width::W64, dst: R[1], src: Operand::Reg(R[2]) });
    }
    insns
}

fn load_bytes(cases: &mut Cases, rng: &mut Rng, len: usize) {
    let (off, size) = (offset(rng, len), 1 + rng.below(64) as i32);
    cases.push([
        copy(R[1], R[6]),
        wide(R[2], off),
        copy(R[3], R[10]),
        add(R[3], -64),
        imm(R[4], size),
        call(LOAD_BYTES),
    ]);
    cases.keep(format!("load_bytes({off:#x}, {size})"), R[0]);
    cases.push(digest());
    cases.keep(format!("load_bytes({off:#x}, {size}) memory"), R[1]);
}

fn store_bytes(cases: &mut Cases, rng: &mut Rng, len: usize) {
    let (off, size, flags) = (offset(rng, len), 1 + rng.below(64) as i32, flags(rng, 3));
    let from = -64 - rng.below(64) as i32;
    cases.push([copy(R[1], R[6]), wide(R[2], off), copy(R[3], R[10]), add(R[3], from), imm(R[4], size)]);
    cases.push([wide(R[5], flags), call(STORE_BYTES)]);
    cases.keep(format!("store_bytes({off:#x}, {size}, {flags:#x})"), R[0]);
}

/// A number as a checksum's argument: with equal halves, zeros and ones more often than chance has it.
fn word(rng: &mut Rng) -> u64 {
    match rng.below(6) {
        0 => rng.pick(&[0, 0xffff, 0xffff_ffff, 0x1_0000, 0xffff_0000, 1]),
        1 => rng.below(0x1_0000),
        2 => rng.next(),
        _ => rng.next() & 0xffff_ffff,
    }
}

fn replace(cases: &mut Cases, rng: &mut Rng, len: usize, l4: bool) {
    let off = if rng.below(4) == 0 { offset(rng, len) } else { rng.below(len as u64 / 2) * 2 };
    let size = if rng.below(6) == 0 { rng.below(16) } else { rng.pick(&[0, 2, 4]) };
    let upper = if l4 {
        flags(rng, 0xf0) & !0xf
    } else if rng.below(6) == 0 {
        flags(rng, 0)
    } else {
        0
    };
    let flags = size | upper;
    let (mut from, to) = (word(rng), word(rng));
    if size == 0 && rng.below(4) != 0 {
        from = 0;
    }
    // A field that is zero, or all ones, has rules of its own.
    if rng.below(3) == 0 && off < len as u64 - 1 {
        let field = rng.pick(&[0, 0xffff]);
        cases.push([store_imm(MemSize::H, R[10], -8, field), copy(R[1], R[6]), wide(R[2], off), copy(R[3], R[10])]);
        cases.push([add(R[3], -8), imm(R[4], 2), imm(R[5], 0), call(STORE_BYTES)]);
    }
    cases.push([copy(R[1], R[6]), wide(R[2], off), wide(R[3], from), wide(R[4], to), wide(R[5], flags)]);
    cases.push([call(if l4 { L4_REPLACE } else { L3_REPLACE })]);
    let name = format!("l{}_csum_replace({off:#x}, {from:#x}, {to:#x}, {flags:#x})", if l4 { 4 } else { 3 });
    cases.keep(name.clone(), R[0]);
    // The field as it now stands.
    cases.push([copy(R[1], R[6]), wide(R[2], off), copy(R[3], R[10]), add(R[3], -64), imm(R[4], 2), call(LOAD_BYTES)]);
    cases.push([load(MemSize::H, R[0], R[10], -64)]);
    cases.keep(format!("{name} field"), R[0]);
}

fn csum_diff(cases: &mut Cases, rng: &mut Rng) {
    let size = |rng: &mut Rng| match rng.below(4) {
        0 => 0,
        1 => rng.below(65) as i32,
        _ => rng.below(17) as i32 * 4,
    };
    let (from, to, seed) = (size(rng), size(rng), word(rng));
    for (size, ptr, len) in [(from, R[1], R[2]), (to, R[3], R[4])] {
        // An unaligned start is as good as any other.
        let at = -SCRATCH as i32 + rng.below(64) as i32;
        match size {
            0 if rng.below(2) == 0 => cases.push([imm(ptr, 0)]),
            _ => cases.push([copy(ptr, R[10]), add(ptr, at)]),
        }
        cases.push([imm(len, size)]);
    }
    cases.push([wide(R[5], seed), call(CSUM_DIFF)]);
    cases.keep(format!("csum_diff({from}, {to}, {seed:#x})"), R[0]);
}

type Case = fn(&mut Cases, &mut Rng, usize);

/// Random programs of one kind of case.
fn campaign(seed: u64, types: &[(ProgType, i32)], case: Case) {
    let mut rng = Rng(seed);
    let mut different = Vec::new();
    let mut count = 0;
    for i in 0..programs(PROGRAMS) {
        let (prog_type, verdict) = types[(i % types.len() as u64) as usize];
        let size = 54 + rng.below(if i % 8 == 0 { 1400 } else { 60 }) as usize;
        let seen = size - if prog_type.row().starts_at_l3 { 14 } else { 0 };
        let mut cases = Cases::new(&mut rng);
        for _ in 0..CASES {
            case(&mut cases, &mut rng, seen);
        }
        count += CASES;
        let mut bytes = frame(size, rng.pick(&[0x0800, 0x86dd, 0x0806]));
        for byte in &mut bytes[14..] {
            *byte = rng.next() as u8;
        }
        let (mut pair, names) = cases.finish(prog_type, verdict, vec![]);
        let what = format!("program {i} ({prog_type}, {size} bytes)");
        different.extend(compare(&mut pair, &names, &input(&bytes), &what));
    }
    all_same(count, &different);
}

const TC: [(ProgType, i32); 2] = [(ProgType::SchedCls, -1), (ProgType::SchedAct, 1)];

#[test]
fn skb_load_bytes() {
    let types = [TC[0], TC[1], (ProgType::SocketFilter, 7), (ProgType::CgroupSkb, 1)];
    if measured("skb_load_bytes") {
        campaign(1, &types, load_bytes);
    }
}

#[test]
fn skb_store_bytes() {
    if measured("skb_store_bytes") {
        campaign(2, &TC, store_bytes);
    }
}

#[test]
fn l3_csum_replace() {
    if measured("l3_csum_replace") {
        campaign(3, &TC, |cases, rng, len| replace(cases, rng, len, false));
    }
}

#[test]
fn l4_csum_replace() {
    if measured("l4_csum_replace") {
        campaign(4, &TC, |cases, rng, len| replace(cases, rng, len, true));
    }
}

#[test]
fn csum_diffs() {
    if measured("csum_diffs") {
        campaign(5, &[TC[0], TC[1], (ProgType::Xdp, 2)], |cases, rng, _| csum_diff(cases, rng));
    }
}

#[test]
fn all_of_them_mixed() {
    if measured("all_of_them_mixed") {
        campaign(6, &TC, |cases, rng, len| match rng.below(5) {
            0 => load_bytes(cases, rng, len),
            1 => store_bytes(cases, rng, len),
            2 => replace(cases, rng, len, false),
            3 => replace(cases, rng, len, true),
            _ => csum_diff(cases, rng),
        });
    }
}
