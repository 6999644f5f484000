//! What programs send: ring buffers and perf events with generated sizes, flags and indices, read out after each run.

mod common;

use common::pair::*;
use common::{frame, measured};
use oxbpf_abi::{MapType, ProgType};
use oxbpf_ir::MapDef;
use oxbpf_isa::{Cond, Insn, MemSize, Operand, Width};
use oxbpf_runtime::{Event, EventKind};

const PERF_OUTPUT: i32 = 25;
const OUTPUT: i32 = 130;
const RESERVE: i32 = 131;
const SUBMIT: i32 = 132;
const DISCARD: i32 = 133;
const QUERY: i32 = 134;

const PROGRAMS: u64 = 60;
const CASES: usize = 20;
const RUNS: usize = 4;

const TYPES: [(ProgType, i32); 4] =
    [(ProgType::SchedCls, 0), (ProgType::SchedAct, 0), (ProgType::SocketFilter, 0), (ProgType::CgroupSkb, 1)];

fn maps() -> Vec<MapDef> {
    vec![
        MapDef::new("ring", MapType::RINGBUF, 0, 0, 4096),
        MapDef::new("events", MapType::PERF_EVENT_ARRAY, 4, 4, 3),
        MapDef::new("store", MapType::ARRAY, 4, 2048, 1),
    ]
}

/// A size: mostly of a few words, now and then near the buffer's.
fn size(rng: &mut Rng) -> i32 {
    match rng.below(10) {
        0 => rng.pick(&[0, 1, 2040, 2047, 2048]),
        1..4 => rng.below(2048) as i32,
        _ => rng.below(64) as i32,
    }
}

fn ring_output(cases: &mut Cases, rng: &mut Rng) {
    let (size, flags) = (size(rng), if rng.below(4) == 0 { 1 << rng.below(64) } else { rng.below(4) });
    cases.push([map(R[1], 1), map_value(R[2], 3, 0), imm(R[3], size), wide(R[4], flags), call(OUTPUT)]);
    cases.keep(format!("ringbuf_output({size}, {flags:#x})"), R[0]);
}

fn ring_reserve(cases: &mut Cases, rng: &mut Rng) {
    let size = match rng.below(8) {
        0 => rng.pick(&[4080, 4088, 4089, 5000, 0x3fff_ffff, 0x4000_0000]),
        1..4 => 8 + rng.below(2000) as i32,
        _ => 8 + rng.below(60) as i32,
    };
    let flags = if rng.below(8) == 0 { 1 << rng.below(33) } else { 0 };
    let (first, last) = (rng.next(), rng.below(256) as i32);
    let helper = if rng.below(3) == 0 { DISCARD } else { SUBMIT };
    // What stands in a record before it is written is told by its end.
    let end = size.min(4096) as i16 - 1;
    let body = [
        wide(R[1], first),
        store(MemSize::Dw, R[0], 0, R[1]),
        load(MemSize::B, R[8], R[0], end),
        store_imm(MemSize::B, R[0], end, last),
        copy(R[1], R[0]),
        imm(R[2], rng.below(4) as i32),
        call(helper),
    ];
    let off = body.iter().map(|insn| insn.slots() as i16).sum();
    cases.push([map(R[1], 1), imm(R[2], size), wide(R[3], flags), call(RESERVE), imm(R[8], -1)]);
    cases.push([Insn::JumpIf { cond: Cond::Eq, width: Width::W64, dst: R[0], src: Operand::Imm(0), off }]);
    cases.push(body);
    cases.keep(format!("ringbuf_reserve({size}, {flags:#x}), {helper}"), R[8]);
}

fn ring_query(cases: &mut Cases, rng: &mut Rng) {
    let what = if rng.below(4) == 0 { rng.next() } else { rng.below(4) };
    cases.push([map(R[1], 1), wide(R[2], what), call(QUERY)]);
    cases.keep(format!("ringbuf_query({what:#x})"), R[0]);
}

fn perf_output(cases: &mut Cases, rng: &mut Rng, packet: u64) {
    let index = rng.pick(&[0, 0, 0xffff_ffff, 0xffff_ffff, 1, 2, 3, 77]);
    let taken = match rng.below(4) {
        0 => packet.saturating_sub(2) + rng.below(5),
        1 => rng.below(packet),
        2 => rng.below(1 << 20),
        _ => 0,
    };
    let odd = if rng.below(10) == 0 { 1 << (52 + rng.below(12)) } else { 0 };
    let flags = index | taken << 32 | odd;
    let size = size(rng);
    cases.push([copy(R[1], R[6]), map(R[2], 2), wide(R[3], flags), map_value(R[4], 3, 0), imm(R[5], size)]);
    cases.push([call(PERF_OUTPUT)]);
    cases.keep(format!("perf_event_output({flags:#x}, {size})"), R[0]);
}

/// Whether both say the same: the kernel's perf events are padded to 8 bytes with 4 in front.
fn same(ours: &Event, kernel: &Event) -> bool {
    let place = |event: &Event| (event.map, event.kind, event.cpu, event.packet);
    let bytes = match ours.kind {
        EventKind::Ringbuf => ours.bytes == kernel.bytes,
        EventKind::Perf => {
            let padded = (ours.bytes.len() + 4).next_multiple_of(8) - 4;
            kernel.bytes.len() == padded && kernel.bytes.starts_with(&ours.bytes)
        }
    };
    bytes && place(ours) == place(kernel)
}

fn campaign(seed: u64, case: impl Fn(&mut Cases, &mut Rng, u64)) {
    let mut rng = Rng(seed);
    let (mut different, mut count, mut events) = (Vec::new(), 0, 0);
    for i in 0..programs(PROGRAMS) {
        let (prog_type, verdict) = TYPES[(i % 4) as usize];
        let length = 60 + rng.below(200);
        let seen = length - if prog_type.row().starts_at_l3 { 14 } else { 0 };
        let mut cases = Cases::new(&mut rng);
        // What is sent changes from case to case.
        for n in 0..CASES {
            cases.push([map_value(R[1], 3, 0), store_imm(MemSize::W, R[1], (n % 8) as i16 * 4, rng.next() as i32)]);
            case(&mut cases, &mut rng, seen);
        }
        let (mut pair, names) = cases.finish(prog_type, verdict, maps());
        let bytes = frame(length as usize, 0x0800);
        for run in 0..RUNS {
            different.extend(compare(&mut pair, &names, &input(&bytes), &format!("program {i} run {run}")));
            let (ours, kernel) = (pair.interp.events().unwrap(), pair.kernel.events().unwrap());
            // In order for each map.
            for map in [1, 2].map(oxbpf_ir::MapIdx) {
                let of = |all: &[Event]| all.iter().filter(|e| e.map == map).cloned().collect::<Vec<_>>();
                let (ours, kernel) = (of(ours), of(kernel));
                events += ours.len();
                if ours.len() != kernel.len() {
                    different.push(format!("program {i} run {run}: {} events, kernel {}", ours.len(), kernel.len()));
                }
                let wrong = ours.iter().zip(&kernel).find(|(a, b)| !same(a, b));
                different.extend(wrong.map(|(a, b)| format!("program {i} run {run}: ours {a:?}, kernel {b:?}")));
            }
            count += names.len();
        }
    }
    println!("{events} events");
    assert!(events as u64 > programs(PROGRAMS), "programs send");
    all_same(count, &different);
}

#[test]
fn ring_buffers() {
    if measured("ring_buffers") {
        campaign(61, |cases, rng, _| match rng.below(4) {
            0 => ring_output(cases, rng),
            1 => ring_query(cases, rng),
            _ => ring_reserve(cases, rng),
        });
    }
}

#[test]
fn perf_events() {
    if measured("perf_events") {
        campaign(62, perf_output);
    }
}
