//! Definitions of maps, right and wrong, put to the kernel and to the runtime.

mod common;

use common::measured;
use common::pair::{Rng, all_same, programs};
use oxbpf_abi::MapType;
use oxbpf_ir::MapDef;
use oxbpf_kernel::{KernelMap, MapSpec, cpus};
use oxbpf_runtime::maps::{Map, MapError};

/// Every type that the runtime has, with sizes that it takes.
const TYPES: [(MapType, u32, u32, u32, u32); 15] = [
    (MapType::HASH, 4, 8, 4, 0),
    (MapType::ARRAY, 4, 8, 4, 0),
    (MapType::PROG_ARRAY, 4, 4, 4, 0),
    (MapType::PERF_EVENT_ARRAY, 4, 4, 4, 0),
    (MapType::PERCPU_HASH, 4, 8, 4, 0),
    (MapType::PERCPU_ARRAY, 4, 8, 4, 0),
    (MapType::LRU_HASH, 4, 8, 4, 0),
    (MapType::LRU_PERCPU_HASH, 4, 8, 4, 0),
    (MapType::LPM_TRIE, 8, 8, 4, 1),
    (MapType::ARRAY_OF_MAPS, 4, 4, 4, 0),
    (MapType::HASH_OF_MAPS, 4, 4, 4, 0),
    (MapType::QUEUE, 0, 8, 4, 0),
    (MapType::STACK, 0, 8, 4, 0),
    (MapType::RINGBUF, 0, 0, 4096, 0),
    (MapType::BLOOM_FILTER, 0, 8, 4, 0),
];

const CASES: u64 = 1000;

/// A definition: mostly one that is taken, with one or two attributes changed. Nothing that takes much memory.
fn definition(rng: &mut Rng, kind: (MapType, u32, u32, u32, u32)) -> MapDef {
    let (map_type, key, value, entries, flags) = kind;
    let mut def = MapDef::new("m", map_type, key, value, entries);
    def.flags = flags;
    for _ in 0..rng.below(3) {
        match rng.below(6) {
            0 => def.key_size = rng.pick(&[0, 1, 3, 4, 5, 8, 20, 260, 261, 512, 513, 1024]),
            1 => {
                let large = [32760, 32768, 32769, 0x3f_fee8, 0x3f_fee9, 0x3f_ffc7, 0x3f_ffcc, 0x40_0000, 0x40_0001];
                let ends = [0x8000_0000, 0xffff_ffff];
                def.value_size = match rng.below(4) {
                    0 => rng.pick(&ends),
                    1 => rng.pick(&large),
                    _ => rng.pick(&[0, 1, 3, 4, 5, 8, 13, 64, 4096]),
                };
            }
            2 => def.max_entries = rng.pick(&[0, 1, 2, 3, 7, 64, 4095, 4096, 8192, 12288]),
            3 => def.flags ^= 1 << rng.below(16),
            4 => def.flags = rng.next() as u32 & 0x1ff,
            _ => def.extra = rng.pick(&[0, 1, 5, 15, 16, 1 << 40]),
        }
    }
    // Not for want of memory, whose answers differ by host.
    if u64::from(def.value_size) * u64::from(def.max_entries) > 64 << 20 && def.value_size < 0x8000_0000 {
        def.max_entries = 1;
    }
    def
}

/// What the maps of a map of maps are to be like.
fn inner(rng: &mut Rng) -> Option<MapDef> {
    let mut def = match rng.below(8) {
        0 => return None,
        1 => MapDef::new("i", MapType::PROG_ARRAY, 4, 4, 2),
        2 => MapDef::new("i", MapType::ARRAY_OF_MAPS, 4, 4, 2),
        3 => {
            let (map_type, key, value, entries, flags) = rng.pick(&TYPES);
            MapDef { flags, ..MapDef::new("i", map_type, key, value, entries) }
        }
        _ => MapDef::new("i", MapType::HASH, 4, 8, 2),
    };
    if matches!(def.map_type, MapType::ARRAY_OF_MAPS | MapType::HASH_OF_MAPS) {
        def.inner = Some(Box::new(MapDef::new("j", MapType::ARRAY, 4, 8, 1)));
    }
    Some(def)
}

fn kernel(def: &MapDef) -> Result<KernelMap, i64> {
    let model = def.inner.as_deref().map(kernel).transpose()?;
    let spec = MapSpec {
        flags: def.flags,
        extra: def.extra,
        inner: model.as_ref(),
        ..MapSpec::new(def.map_type.0, def.key_size, def.value_size, def.max_entries)
    };
    KernelMap::create(&spec).map_err(|error| error.errno().map_or(-1, |e| e.0.into()))
}

fn ours(def: &MapDef) -> Result<(), i64> {
    match Map::with_cpus(def, cpus().unwrap_or(1)) {
        Ok(_) => Ok(()),
        Err(MapError::Definition { errno, .. }) => Err(errno),
        Err(other) => panic!("{def:?}: {other}"),
    }
}

#[test]
fn definitions_are_taken_and_refused_alike() {
    if !measured("definitions_are_taken_and_refused_alike") {
        return;
    }
    let mut rng = Rng(21);
    let (mut different, mut count, mut refused) = (Vec::new(), 0, 0);
    for kind in TYPES {
        for _ in 0..programs(CASES) {
            let mut def = definition(&mut rng, kind);
            if matches!(kind.0, MapType::ARRAY_OF_MAPS | MapType::HASH_OF_MAPS) {
                def.inner = inner(&mut rng).map(Box::new);
            }
            let (ours, kernel) = (ours(&def), kernel(&def).map(drop));
            count += 1;
            refused += usize::from(kernel.is_err());
            if ours != kernel {
                different.push(format!("{def:?}: ours {ours:?}, kernel {kernel:?}"));
            }
        }
    }
    println!("{refused} refused by the kernel");
    assert!(refused * 5 > count && refused * 5 < count * 4, "both answers are common: {refused} of {count}");
    all_same(count, &different);
}
