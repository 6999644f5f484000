//! Tail calls, in the kernel and in the interpreter: how many, where they return to, and what empty slots do.

mod common;

use common::pair::*;
use common::{frame, measured};
use oxbpf_abi::{MapType, ProgType};
use oxbpf_ir::{MapDef, MapIdx, MapInit, ProgIdx};
use oxbpf_isa::{AtomicOp, CallTarget, Insn, Width};
use oxbpf_runtime::Instance;

const TAIL_CALL: i32 = 12;
const SLOTS: u32 = 8;

fn programs(slots: &[(u32, u32)]) -> MapDef {
    let mut def = MapDef::new("programs", MapType::PROG_ARRAY, 4, 4, SLOTS);
    def.init = MapInit::Programs(slots.iter().map(|&(key, program)| (key, ProgIdx(program))).collect());
    def
}

/// Adds to a slot of the results.
fn count(slot: i16, by: i32) -> [Insn; 3] {
    let add = Insn::Atomic { op: AtomicOp::Add, width: Width::W64, base: R[7], off: slot * 8, src: R[1] };
    [map_value(R[7], 0, 0), imm(R[1], by), add]
}

/// `tail_call(ctx, programs, index)`; the context is in r6.
fn jump(index: u64) -> [Insn; 4] {
    [copy(R[1], R[6]), map(R[2], 1), wide(R[3], index), call(TAIL_CALL)]
}

fn parts(parts: &[&[Insn]]) -> Vec<Insn> {
    parts.concat()
}

/// Compares over a few runs, and answers the first run's verdict and results.
fn same(types: &[ProgType], slots: &[(u32, u32)], bodies: &[Vec<Insn>]) -> (u32, Vec<u64>) {
    let mut answer = (0, Vec::new());
    for &prog_type in types {
        let unit = unit(prog_type, vec![result_map(64), programs(slots)], bodies.to_vec());
        let mut pair = Pair::new(&unit).unwrap();
        let bytes = frame(60, 0x0800);
        let [first, _] = pair.run(&input(&bytes)).unwrap();
        answer = (first.verdict.clone().unwrap(), first.results());
        let mut different = Vec::new();
        for run in 0..3 {
            different.extend(compare(
                &mut pair,
                &["0", "1", "2"].map(String::from),
                &input(&bytes),
                &format!("{prog_type} run {run}"),
            ));
        }
        all_same(3, &different);
        let entries = |instance: &dyn Instance| instance.map_entries(MapIdx(1)).unwrap();
        assert_eq!(entries(&*pair.interp), entries(&*pair.kernel));
    }
    answer
}

const TYPES: [ProgType; 4] = [ProgType::SchedCls, ProgType::SchedAct, ProgType::SocketFilter, ProgType::Xdp];

#[test]
fn thirty_three_follow_the_first() {
    if !measured("thirty_three_follow_the_first") {
        return;
    }
    let body = parts(&[&[copy(R[6], R[1])], &count(0, 1), &jump(0), &end(9)]);
    let (verdict, results) = same(&TYPES, &[(0, 0)], &[body]);
    assert_eq!((verdict, results[0]), (9, 34));
}

#[test]
fn two_programs_share_the_limit() {
    if !measured("two_programs_share_the_limit") {
        return;
    }
    let body = |slot: i16, next: u64| parts(&[&[copy(R[6], R[1])], &count(slot, 1), &jump(next), &end(slot.into())]);
    let (_, results) = same(&TYPES, &[(0, 0), (1, 1)], &[body(0, 1), body(1, 0)]);
    assert_eq!(results[..2], [17, 17]);
}

#[test]
fn empty_and_absent_slots_fall_through() {
    if !measured("empty_and_absent_slots_fall_through") {
        return;
    }
    let target = parts(&[&[copy(R[6], R[1])], &count(1, 1), &end(42)]);
    for index in [0, 1, 2, 7, 8, 0xffff_ffff, 1 << 32, (1 << 32) + 1, u64::MAX] {
        let caller = parts(&[&[copy(R[6], R[1])], &jump(index), &count(0, 1), &end(7)]);
        let (verdict, _) = same(&TYPES[..1], &[(1, 1)], &[caller, target.clone()]);
        // The index is a number of 32 bits.
        assert_eq!(verdict, if index as u32 == 1 { 42 } else { 7 }, "index {index:#x}");
    }
}

/// A program of two functions: the second tail-calls, and what follows it says what came back.
fn calls_function(index: u64) -> Vec<Insn> {
    let main = parts(&[
        &[copy(R[6], R[1]), imm(R[8], 5), Insn::Call(CallTarget::Local(9))],
        &[map_value(R[7], 0, 0), keep(1)],
        &count(2, 1),
        &[copy(R[0], R[8]), Insn::Exit],
    ]);
    let function = parts(&[&[copy(R[6], R[1])], &jump(index), &end(11)]);
    parts(&[&main, &function])
}

#[test]
fn a_tail_call_in_a_function_returns_to_its_caller() {
    if !measured("a_tail_call_in_a_function_returns_to_its_caller") {
        return;
    }
    let target = parts(&[&[copy(R[6], R[1]), imm(R[8], 99)], &count(0, 1), &end(42)]);
    let (verdict, results) = same(&TYPES, &[(1, 1)], &[calls_function(1), target.clone()]);
    assert_eq!((verdict, &results[..3]), (5, &[1, 42, 1][..]));
    let (verdict, results) = same(&TYPES, &[(1, 1)], &[calls_function(0), target]);
    assert_eq!((verdict, &results[..3]), (5, &[0, 11, 1][..]));
}

#[test]
fn the_limit_counts_over_functions() {
    if !measured("the_limit_counts_over_functions") {
        return;
    }
    // The program calls a function that enters the program again.
    let again = calls_function(0);
    let (_, results) = same(&TYPES, &[(0, 0)], &[again]);
    assert_eq!(results[2], 34);
    // A loop in the called program, on top of the functions' frames.
    let looping = parts(&[&[copy(R[6], R[1])], &count(0, 1), &jump(1), &end(3)]);
    let (_, results) = same(&TYPES, &[(1, 1)], &[calls_function(1), looping]);
    assert_eq!(results[0], 33);
    // Two functions in a row: the count goes on after the first came back.
    let twice = parts(&[
        &[copy(R[6], R[1]), Insn::Call(CallTarget::Local(4)), copy(R[1], R[6]), Insn::Call(CallTarget::Local(2))],
        &end(0),
        &[copy(R[6], R[1])],
        &jump(1),
        &end(11),
    ]);
    let looping = parts(&[&[copy(R[6], R[1])], &count(0, 1), &jump(1), &end(3)]);
    let (_, results) = same(&TYPES, &[(1, 1)], &[twice, looping]);
    assert_eq!(results[0], 33);
}
