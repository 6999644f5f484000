//! Helpers on maps of every kind with random keys, values and flags, in the kernel and in the interpreter, over runs that
//! go on. Hashes that drop nothing, since what is dropped is each host's own.

mod common;

use common::pair::*;
use common::{frame, measured};
use oxbpf_abi::{MapType, ProgType, map_flags};
use oxbpf_ir::{MapDef, MapIdx, MapInit};
use oxbpf_isa::{Cond, Insn, MemSize, Operand, Width};

const LOOKUP: i32 = 1;
const UPDATE: i32 = 2;
const DELETE: i32 = 3;
const PUSH: i32 = 87;
const POP: i32 = 88;
const PEEK: i32 = 89;
const SPIN_LOCK: i32 = 93;
const SPIN_UNLOCK: i32 = 94;
const LOOKUP_PERCPU: i32 = 195;

/// Programs for each kind, cases in each, and runs of each.
const PROGRAMS: u64 = 12;
const CASES: usize = 36;
const RUNS: usize = 3;

/// Where keys and values stand in the scratch memory.
const KEY: i32 = -32;
const VALUE: i32 = -96;

const TYPES: [(ProgType, i32); 4] =
    [(ProgType::SchedCls, 0), (ProgType::Xdp, 2), (ProgType::SocketFilter, 0), (ProgType::CgroupSkb, 1)];

fn def(name: &str, map_type: MapType, key: u32, value: u32, entries: u32) -> MapDef {
    MapDef::new(name, map_type, key, value, entries)
}

fn growing(def: MapDef) -> MapDef {
    MapDef { flags: map_flags::NO_PREALLOC, ..def }
}

fn jump_if_null(over: &[Insn]) -> Insn {
    let off = over.iter().map(|insn| insn.slots() as i16).sum();
    Insn::JumpIf { cond: Cond::Eq, width: Width::W64, dst: R[0], src: Operand::Imm(0), off }
}

/// Writes a small key: of a trie one with few bits that differ.
fn put_key(cases: &mut Cases, rng: &mut Rng, def: &MapDef) -> u64 {
    let key = match def.map_type {
        MapType::LPM_TRIE => {
            let bits = u64::from(def.key_size - 4) * 8;
            let length = if rng.below(24) == 0 { bits + 1 } else { rng.below(bits + 1) };
            length | (rng.pick(&[0, 0x80, 0xff, 0xc0]) | rng.pick(&[0, 0x80, 0xff]) << 8) << 32
        }
        _ if rng.below(12) == 0 => rng.pick(&[u64::MAX, 0x8000_0000, 0xffff_ffff, 0x100]),
        _ => rng.below(6),
    };
    cases.push([wide(R[1], key), store(MemSize::Dw, R[10], KEY as i16, R[1])]);
    cases.push([store_imm(MemSize::Dw, R[10], KEY as i16 + 8, 0), store_imm(MemSize::Dw, R[10], KEY as i16 + 16, 0)]);
    key
}

fn put_value(cases: &mut Cases, rng: &mut Rng) -> u64 {
    let value = rng.next();
    cases.push([wide(R[1], value), store(MemSize::Dw, R[10], VALUE as i16, R[1])]);
    value
}

fn flags(rng: &mut Rng) -> u64 {
    match rng.below(8) {
        0 => rng.next(),
        1 => 1 << rng.below(64),
        2..5 => rng.below(8),
        _ => rng.pick(&[0, 1, 2]),
    }
}

/// What a program does with the value that it found in r0: reads its end into r8, and perhaps changes it.
fn look(rng: &mut Rng, value_size: u32) -> Vec<Insn> {
    let bytes = value_size as i16;
    let size = MemSize::ALL.into_iter().rfind(|s| s.bytes() as i16 <= bytes).unwrap_or(MemSize::B);
    let mut insns = vec![load(size, R[8], R[0], bytes - size.bytes() as i16)];
    if rng.below(2) == 0 {
        insns.push(store_imm(MemSize::B, R[0], 0, rng.below(256) as i32));
    }
    insns
}

/// A case on a map with keys that stands at `index`.
fn keyed(cases: &mut Cases, rng: &mut Rng, def: &MapDef, index: i32) {
    let key = put_key(cases, rng, def);
    let args = [map(R[1], index), copy(R[2], R[10]), add(R[2], KEY)];
    let per_cpu = oxbpf_runtime::maps::per_cpu(def.map_type);
    match rng.below(if per_cpu { 6 } else { 5 }) {
        0 => {
            cases.push(args);
            cases.push([call(DELETE)]);
            cases.keep(format!("delete({}, {key:#x})", def.name), R[0]);
        }
        1 | 2 => {
            let (value, flags) = (put_value(cases, rng), flags(rng));
            cases.push(args);
            cases.push([copy(R[3], R[10]), add(R[3], VALUE), wide(R[4], flags), call(UPDATE)]);
            cases.keep(format!("update({}, {key:#x}, {value:#x}, {flags:#x})", def.name), R[0]);
        }
        5 => {
            let cpu = rng.pick(&[0, 1, 1, 2, 63, 0xffff_ffff, 1 << 32]);
            let then = look(rng, def.value_size);
            cases.push(args);
            cases.push([wide(R[3], cpu), call(LOOKUP_PERCPU), imm(R[8], -1), jump_if_null(&then)]);
            cases.push(then);
            cases.keep(format!("lookup_percpu({}, {key:#x}, {cpu:#x})", def.name), R[8]);
        }
        _ => {
            let then = look(rng, def.value_size);
            cases.push(args);
            cases.push([call(LOOKUP), imm(R[8], -1), jump_if_null(&then)]);
            cases.push(then);
            cases.keep(format!("lookup({}, {key:#x})", def.name), R[8]);
        }
    }
}

/// A case on a queue, stack or Bloom filter.
fn valued(cases: &mut Cases, rng: &mut Rng, def: &MapDef, index: i32) {
    let bloom = def.map_type == MapType::BLOOM_FILTER;
    let value = put_value(cases, rng);
    // A Bloom filter's few values are asked for again.
    if bloom {
        cases.push([store_imm(MemSize::Dw, R[10], VALUE as i16, rng.below(9) as i32)]);
    }
    let args = [map(R[1], index), copy(R[2], R[10]), add(R[2], VALUE)];
    cases.push(args);
    let (name, helper) = match rng.below(5) {
        0 | 1 => {
            let flags = flags(rng);
            cases.push([wide(R[3], flags), call(PUSH)]);
            cases.keep(format!("push({}, {value:#x}, {flags:#x})", def.name), R[0]);
            return;
        }
        2 | 3 if !bloom => ("pop", POP),
        _ => ("peek", PEEK),
    };
    cases.push([call(helper), load(MemSize::Dw, R[8], R[10], VALUE as i16)]);
    cases.keep(format!("{name}({})", def.name), R[0]);
    cases.keep(format!("{name}({}) value", def.name), R[8]);
}

/// A case on a map that is in a map of maps.
fn nested(cases: &mut Cases, rng: &mut Rng, outer: &MapDef, index: i32) {
    let key = put_key(cases, rng, outer);
    cases.push([map(R[1], index), copy(R[2], R[10]), add(R[2], KEY), call(LOOKUP), imm(R[8], -1)]);
    let inner = outer.inner.as_deref().expect("a map of maps has a model");
    let then = look(rng, inner.value_size);
    let mut body = vec![copy(R[1], R[0]), store_imm(MemSize::Dw, R[10], KEY as i16, rng.below(4) as i32)];
    body.extend([copy(R[2], R[10]), add(R[2], KEY)]);
    let name = match rng.below(3) {
        0 => {
            body.extend([copy(R[3], R[10]), add(R[3], VALUE), wide(R[4], flags(rng)), call(UPDATE), copy(R[8], R[0])]);
            "update"
        }
        1 if inner.map_type == MapType::HASH => {
            body.extend([call(DELETE), copy(R[8], R[0])]);
            "delete"
        }
        _ => {
            body.extend([call(LOOKUP), imm(R[8], -2), jump_if_null(&then)]);
            body.extend(then);
            "lookup"
        }
    };
    cases.push([jump_if_null(&body)]);
    cases.push(body);
    cases.keep(format!("{name} in {} at {key:#x}", outer.name), R[8]);
}

/// A case on a value with a lock.
fn locked(cases: &mut Cases, rng: &mut Rng, def: &MapDef, index: i32) {
    let lock = def.lock.expect("the map has a lock") as i32;
    if rng.below(3) == 0 {
        return keyed(cases, rng, &MapDef { value_size: lock as u32, ..def.clone() }, index);
    }
    let key = put_key(cases, rng, def);
    let add_to = rng.below(1 << 20) as i32;
    // Between lock and unlock nothing is called.
    let body = [
        copy(R[9], R[0]),
        copy(R[1], R[0]),
        add(R[1], lock),
        call(SPIN_LOCK),
        load(MemSize::W, R[8], R[9], 0),
        add(R[8], add_to),
        store(MemSize::W, R[9], 0, R[8]),
        copy(R[1], R[9]),
        add(R[1], lock),
        call(SPIN_UNLOCK),
    ];
    cases.push([map(R[1], index), copy(R[2], R[10]), add(R[2], KEY), call(LOOKUP), imm(R[8], -1), jump_if_null(&body)]);
    cases.push(body);
    cases.keep(format!("lock in {} at {key:#x}", def.name), R[8]);
}

type Case = fn(&mut Cases, &mut Rng, &MapDef, i32);

/// Programs with cases on each of these maps in turn; more maps stand behind it.
fn campaign(seed: u64, types: &[(ProgType, i32)], defs: Vec<MapDef>, more: Vec<MapDef>, case: Case) {
    let mut rng = Rng(seed);
    let (mut different, mut count) = (Vec::new(), 0);
    let bytes = frame(60, 0x0800);
    for def in defs {
        let mut here = 0;
        for i in 0..programs(PROGRAMS) {
            let (prog_type, verdict) = types[(i % types.len() as u64) as usize];
            let mut cases = Cases::new(&mut rng);
            for _ in 0..CASES {
                case(&mut cases, &mut rng, &def, 1);
            }
            let maps = [vec![def.clone()], more.clone()].concat();
            let (mut pair, names) = cases.finish(prog_type, verdict, maps);
            for run in 0..RUNS {
                different.extend(compare(&mut pair, &names, &input(&bytes), &format!("program {i} run {run}")));
                here += names.len();
            }
        }
        println!("{}: {here} cases", def.name);
        count += here;
    }
    all_same(count, &different);
}

#[test]
fn keys_and_values() {
    if !measured("keys_and_values") {
        return;
    }
    use MapType as T;
    let entry = |key: u8, value: &[u8]| (vec![key, 0, 0, 0], value.to_vec());
    let mut filled = def("filled_percpu_hash", T::PERCPU_HASH, 4, 6, 4);
    filled.init = MapInit::Entries(vec![entry(0, &[1; 6]), entry(3, &[2; 6])]);
    let mut routes = growing(def("filled_trie", T::LPM_TRIE, 8, 8, 8));
    routes.init = MapInit::Entries(vec![(vec![0; 8], vec![9; 8]), (vec![8, 0, 0, 0, 0x80, 0, 0, 0], vec![7; 8])]);
    let defs = vec![
        def("percpu_array", T::PERCPU_ARRAY, 4, 5, 4),
        def("percpu_hash", T::PERCPU_HASH, 4, 8, 4),
        growing(def("growing_percpu_hash", T::PERCPU_HASH, 8, 16, 3)),
        filled,
        def("lru_hash", T::LRU_HASH, 4, 8, 64),
        def("lru_percpu_hash", T::LRU_PERCPU_HASH, 4, 8, 64),
        growing(def("trie", T::LPM_TRIE, 8, 8, 8)),
        growing(def("narrow_trie", T::LPM_TRIE, 5, 3, 9)),
        routes,
    ];
    campaign(41, &TYPES, defs, vec![], keyed);
}

#[test]
fn values_without_keys() {
    if !measured("values_without_keys") {
        return;
    }
    use MapType as T;
    let mut filled = def("filled_stack", T::STACK, 0, 8, 5);
    filled.init = MapInit::Entries((1..4).map(|i| (vec![], vec![i; 8])).collect());
    let defs = vec![
        def("queue", T::QUEUE, 0, 8, 3),
        def("narrow_queue", T::QUEUE, 0, 3, 2),
        def("stack", T::STACK, 0, 8, 3),
        filled,
        // So wide that nothing is found that was not put in.
        MapDef { extra: 3, ..def("bloom", T::BLOOM_FILTER, 0, 8, 4096) },
    ];
    campaign(42, &TYPES, defs, vec![], valued);
}

#[test]
fn maps_in_maps() {
    if !measured("maps_in_maps") {
        return;
    }
    use MapType as T;
    let (array, hash) = (def("a", T::ARRAY, 4, 8, 3), def("h", T::HASH, 4, 8, 3));
    let holding = |outer: MapDef, inner: &MapDef, held: &[(u8, u32)]| MapDef {
        inner: Some(Box::new(inner.clone())),
        init: MapInit::Maps(held.iter().map(|&(key, map)| (vec![key, 0, 0, 0], MapIdx(map))).collect()),
        ..outer
    };
    let defs = vec![
        holding(def("array_of_arrays", T::ARRAY_OF_MAPS, 4, 4, 4), &array, &[(0, 2), (1, 3), (3, 2)]),
        holding(def("array_of_hashes", T::ARRAY_OF_MAPS, 4, 4, 4), &hash, &[(0, 4), (2, 5)]),
        holding(def("hash_of_hashes", T::HASH_OF_MAPS, 4, 4, 4), &hash, &[(5, 4), (1, 5)]),
        holding(growing(def("hash_of_arrays", T::HASH_OF_MAPS, 4, 4, 4)), &array, &[(0, 2), (3, 3)]),
    ];
    campaign(43, &TYPES, defs, vec![array.clone(), array, hash.clone(), hash], nested);
}

#[test]
fn values_with_locks() {
    if !measured("values_with_locks") {
        return;
    }
    use MapType as T;
    let defs = vec![
        MapDef { lock: Some(8), ..def("locked_array", T::ARRAY, 4, 12, 4) },
        MapDef { lock: Some(4), ..def("locked_hash", T::HASH, 4, 16, 4) },
    ];
    // Socket filters must not lock.
    campaign(44, &[TYPES[0], TYPES[1], TYPES[3]], defs, vec![], locked);
}
