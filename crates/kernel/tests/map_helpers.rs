//! Map helpers with random keys, values and flags, in the kernel and in the interpreter, over runs that go on.

mod common;

use common::pair::*;
use common::{frame, measured};
use oxbpf_abi::{MapType, ProgType, map_flags};
use oxbpf_ir::{MapDef, MapInit};
use oxbpf_isa::{Cond, Insn, MemSize, Operand, Width};

const LOOKUP: i32 = 1;
const UPDATE: i32 = 2;
const DELETE: i32 = 3;

const PROGRAMS: u64 = 60;
const CASES: usize = 40;
const RUNS: usize = 3;

/// Where keys and values stand in the scratch memory.
const KEY: i32 = -32;
const VALUE: i32 = -96;

/// The maps of a program: arrays and hashes of even and odd sizes, with few entries so that they fill up.
fn maps() -> Vec<MapDef> {
    let entry = |key: &[u8], value: &[u8]| (key.to_vec(), value.to_vec());
    let mut filled = MapDef::new("filled", MapType::HASH, 4, 4, 3);
    filled.init = MapInit::Entries(vec![entry(&[0; 4], &[1; 4]), entry(&[1, 0, 0, 0], &[2; 4])]);
    let mut numbers = MapDef::new("numbers", MapType::ARRAY, 4, 8, 4);
    numbers.init = MapInit::Entries(vec![entry(&[2, 0, 0, 0], &[7; 8])]);
    let mut growing = MapDef::new("growing", MapType::HASH, 2, 16, 3);
    growing.flags = map_flags::NO_PREALLOC;
    growing.init = MapInit::Entries(vec![entry(&[0; 2], &[1; 16]), entry(&[1, 0], &[2; 16])]);
    vec![
        numbers,
        MapDef::new("odd", MapType::ARRAY, 4, 5, 3),
        filled,
        MapDef::new("wide", MapType::HASH, 12, 13, 4),
        growing,
        MapDef::new("bytes", MapType::HASH, 1, 1, 2),
    ]
}

/// Writes a small key, padded with zeros, or now and then one that no map has.
fn put_key(cases: &mut Cases, rng: &mut Rng) -> u64 {
    let key = match rng.below(12) {
        0 => rng.pick(&[u64::MAX, 0x8000_0000, 0xffff_ffff, 0x100]),
        _ => rng.below(6),
    };
    cases.push([wide(R[1], key), store(MemSize::Dw, R[10], KEY as i16, R[1])]);
    cases.push([store_imm(MemSize::Dw, R[10], KEY as i16 + 8, 0)]);
    key
}

fn case(cases: &mut Cases, rng: &mut Rng, defs: &[MapDef]) {
    let index = rng.below(defs.len() as u64) as usize;
    let def = &defs[index];
    let key = put_key(cases, rng);
    let args = [map(R[1], index as i32 + 1), copy(R[2], R[10]), add(R[2], KEY)];
    match rng.below(4) {
        0 => {
            cases.push(args);
            cases.push([call(LOOKUP), imm(R[8], -1)]);
            let bytes = def.value_size as i16;
            let size = MemSize::ALL.into_iter().rfind(|s| s.bytes() as i16 <= bytes).unwrap_or(MemSize::B);
            // The last bytes of the value, then a change in place.
            let off = bytes - size.bytes() as i16;
            let skip = if rng.below(2) == 0 { 1 } else { 2 };
            cases.push([Insn::JumpIf {
                cond: Cond::Eq,
                width: Width::W64,
                dst: R[0],
                src: Operand::Imm(0),
                off: skip,
            }]);
            cases.push([load(size, R[8], R[0], off)]);
            if skip == 2 {
                cases.push([store_imm(MemSize::B, R[0], 0, rng.below(256) as i32)]);
            }
            cases.keep(format!("lookup({}, {key:#x})", def.name), R[8]);
        }
        1 => {
            cases.push(args);
            cases.push([call(DELETE)]);
            cases.keep(format!("delete({}, {key:#x})", def.name), R[0]);
        }
        _ => {
            let flags = match rng.below(8) {
                0 => rng.next(),
                1 => 1 << rng.below(64),
                _ => rng.below(9),
            };
            let value = rng.next();
            cases.push([wide(R[1], value), store(MemSize::Dw, R[10], VALUE as i16, R[1])]);
            cases.push(args);
            cases.push([copy(R[3], R[10]), add(R[3], VALUE), wide(R[4], flags), call(UPDATE)]);
            cases.keep(format!("update({}, {key:#x}, {value:#x}, {flags:#x})", def.name), R[0]);
        }
    }
}

#[test]
fn look_ups_updates_and_deletions() {
    if !measured("look_ups_updates_and_deletions") {
        return;
    }
    let mut rng = Rng(11);
    let mut different = Vec::new();
    let mut count = 0;
    let bytes = frame(60, 0x0800);
    let types = [(ProgType::SchedCls, 0), (ProgType::Xdp, 2), (ProgType::SocketFilter, 0), (ProgType::CgroupSkb, 1)];
    for i in 0..programs(PROGRAMS) {
        let (prog_type, verdict) = types[(i % 4) as usize];
        let mut cases = Cases::new(&mut rng);
        for _ in 0..CASES {
            case(&mut cases, &mut rng, &maps());
        }
        let (mut pair, names) = cases.finish(prog_type, verdict, maps());
        for run in 0..RUNS {
            different.extend(compare(&mut pair, &names, &input(&bytes), &format!("program {i} run {run}")));
            count += CASES;
        }
    }
    all_same(count, &different);
}

#[test]
fn updates_from_outside() {
    if !measured("updates_from_outside") {
        return;
    }
    let mut rng = Rng(12);
    let (mut pair, _) = Cases::new(&mut rng).finish(ProgType::SchedCls, 0, maps());
    let bytes = frame(60, 0x0800);
    let mut different = Vec::new();
    for i in 0..600 {
        let index = rng.below(maps().len() as u64);
        let def = &maps()[index as usize];
        // Sometimes of another length than the map's.
        let stretch =
            |rng: &mut Rng, size: u32| if rng.below(10) == 0 { rng.below(20) as usize } else { size as usize };
        let mut key = vec![0; stretch(&mut rng, def.key_size)];
        if let Some(first) = key.first_mut() {
            *first = rng.below(8) as u8;
        }
        let value_size = stretch(&mut rng, def.value_size);
        let value = rng.bytes(value_size);
        let flags = if rng.below(6) == 0 { rng.next() } else { rng.below(9) };
        let map = oxbpf_ir::MapIdx(index as u32 + 1);
        let ours = pair.interp.update_map(map, &key, &value, flags);
        let kernel = pair.kernel.update_map(map, &key, &value, flags);
        if ours != kernel {
            different.push(format!("{i}: {} {key:x?} {flags:#x}: ours {ours:?}, kernel {kernel:?}", def.name));
        }
    }
    different.extend(compare(&mut pair, &[], &input(&bytes), "afterwards"));
    all_same(600, &different);
}

/// What a pointer reads that was looked up before other calls changed the map.
#[test]
fn pointers_that_are_kept() {
    if !measured("pointers_that_are_kept") {
        return;
    }
    let mut rng = Rng(13);
    let mut different = Vec::new();
    let mut count = 0;
    let bytes = frame(60, 0x0800);
    let key_at = |cases: &mut Cases, index: i32, key: u64| {
        cases.push([
            store_imm(MemSize::Dw, R[10], KEY as i16, key as i32),
            map(R[1], index),
            copy(R[2], R[10]),
            add(R[2], KEY),
        ]);
    };
    for i in 0..programs(PROGRAMS) {
        let mut cases = Cases::new(&mut rng);
        for _ in 0..8 {
            let (index, held) = (rng.pick(&[1, 3, 5]), rng.below(4));
            // The jump over what uses the pointer lands behind it, so that this is put together first.
            let start = std::mem::take(&mut cases.insns);
            let mut what = String::new();
            for _ in 0..1 + rng.below(4) {
                let key = rng.below(5);
                key_at(&mut cases, index, key);
                if rng.below(3) == 0 {
                    cases.push([call(DELETE)]);
                    what += &format!(" delete {key}");
                } else {
                    let value = rng.below(1 << 31) as i32;
                    cases.push([
                        store_imm(MemSize::Dw, R[10], VALUE as i16, value),
                        copy(R[3], R[10]),
                        add(R[3], VALUE),
                    ]);
                    cases.push([imm(R[4], 0), call(UPDATE)]);
                    what += &format!(" update {key} to {value:#x}");
                }
                cases.push([load(MemSize::W, R[1], R[8], 0)]);
                cases.keep(format!("{index}: pointer to {held} after{what}"), R[1]);
                if rng.below(3) == 0 {
                    let value = rng.below(1 << 31) as i32;
                    cases.push([store_imm(MemSize::W, R[8], 0, value)]);
                    what += &format!(" store {value:#x}");
                }
            }
            let body = std::mem::replace(&mut cases.insns, start);
            key_at(&mut cases, index, held);
            cases.push([call(LOOKUP), copy(R[8], R[0])]);
            let slots = body.iter().map(|insn| insn.slots() as i16).sum();
            cases.push([Insn::JumpIf {
                cond: Cond::Eq,
                width: Width::W64,
                dst: R[8],
                src: Operand::Imm(0),
                off: slots,
            }]);
            cases.push(body);
        }
        let (mut pair, names) = cases.finish(ProgType::SchedCls, 0, maps());
        for run in 0..RUNS {
            different.extend(compare(&mut pair, &names, &input(&bytes), &format!("program {i} run {run}")));
            count += names.len();
        }
    }
    all_same(count, &different);
}
