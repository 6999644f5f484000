//! Maps from outside: against a model, shared by worlds, bounded in memory.

use std::collections::BTreeMap;
use std::sync::Arc;

use oxbpf_abi::{MapType, errno, map_flags};
use oxbpf_ir::{MapDef, MapInit, MapPurpose, Unit};
use oxbpf_runtime::maps::{Map, MapError, MapSet, Steps};
use proptest::prelude::*;

fn hash(entries: u32, flags: u32) -> Map {
    Map::new(&MapDef { flags, ..MapDef::new("h", MapType::HASH, 1, 3, entries) }).unwrap()
}

fn update(map: &Map, key: u8, value: [u8; 3], flags: u64) -> Result<(), i64> {
    map.update(&[key], &value, flags, 0, &mut Steps::default())
}

#[derive(Clone, Copy, Debug)]
enum Change {
    Update(u8, [u8; 3], u64),
    Delete(u8),
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let key = 0..12u8;
    let change = prop_oneof![
        3 => (key.clone(), any::<[u8; 3]>(), 0..3u64).prop_map(|(k, v, f)| Change::Update(k, v, f)),
        1 => key.prop_map(Change::Delete),
    ];
    prop::collection::vec(change, 0..120)
}

/// What the kernel's manual says of a hash of `room` entries.
fn model(entries: &mut BTreeMap<u8, [u8; 3]>, room: usize, change: Change) -> Result<(), i64> {
    match change {
        Change::Update(k, _, map_flags::NOEXIST) if entries.contains_key(&k) => Err(errno::EEXIST),
        Change::Update(k, _, map_flags::EXIST) if !entries.contains_key(&k) => Err(errno::ENOENT),
        Change::Update(k, _, _) if !entries.contains_key(&k) && entries.len() == room => Err(errno::E2BIG),
        Change::Update(k, v, _) => {
            entries.insert(k, v);
            Ok(())
        }
        Change::Delete(k) => entries.remove(&k).map(drop).ok_or(errno::ENOENT),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    #[test]
    fn a_hash_map_is_a_bounded_table(changes in changes(), room in 1..9u32, preallocated in any::<bool>()) {
        let map = hash(room, if preallocated { 0 } else { map_flags::NO_PREALLOC });
        let mut entries = BTreeMap::new();
        for change in changes {
            let ours = match change {
                Change::Update(k, v, f) => update(&map, k, v, f),
                Change::Delete(k) => map.delete(&[k], &mut Steps::default()),
            };
            prop_assert_eq!(ours, model(&mut entries, room as usize, change), "{:?}", change);
            let have: BTreeMap<u8, Vec<u8>> = map.entries().into_iter().map(|(k, v)| (k[0], v)).collect();
            let want: BTreeMap<u8, Vec<u8>> = entries.iter().map(|(k, v)| (*k, v.to_vec())).collect();
            prop_assert_eq!(have, want);
        }
    }
}

#[test]
fn definitions_are_refused_as_the_kernel_refuses_them() {
    let refused = |def: MapDef| Map::new(&def).expect_err("the definition is wrong").code();
    let array = || MapDef::new("a", MapType::ARRAY, 4, 8, 1);
    assert_eq!(refused(MapDef { key_size: 8, ..array() }), "map-definition");
    assert_eq!(refused(MapDef { value_size: 0, ..array() }), "map-definition");
    assert_eq!(refused(MapDef { max_entries: 0, ..array() }), "map-definition");
    assert_eq!(refused(MapDef { flags: map_flags::NO_PREALLOC, ..array() }), "map-definition");
    let both = map_flags::RDONLY_PROG | map_flags::WRONLY_PROG;
    assert_eq!(refused(MapDef { flags: both, ..array() }), "map-definition");
    assert_eq!(refused(MapDef::new("h", MapType::HASH, 4, 4 << 20, 1)), "map-definition");
    assert_eq!(refused(MapDef::new("p", MapType::PROG_ARRAY, 4, 8, 1)), "map-definition");
    assert_eq!(refused(MapDef::new("s", MapType::SOCKMAP, 4, 4, 1)), "map-unsupported");
    let far = MapInit::Entries(vec![(vec![1, 0, 0, 0], vec![0; 8])]);
    assert_eq!(refused(MapDef { init: far, ..array() }), "map-init");
    assert!(Map::new(&MapDef { value_size: 8 << 20, ..array() }).is_ok(), "arrays take large values");
}

#[test]
fn sizes_near_the_limits_of_numbers_are_errors() {
    for (map_type, value_size, entries) in [
        (MapType::ARRAY, i32::MAX as u32, u32::MAX),
        (MapType::HASH, 4_000_000, 1 << 27),
        (MapType::LPM_TRIE, 4_000_000, u32::MAX),
        (MapType::QUEUE, 4 << 20, u32::MAX),
        (MapType::PERCPU_HASH, 32 << 10, 1 << 27),
        (MapType::PROG_ARRAY, 4, u32::MAX),
        (MapType::RINGBUF, 0, 1 << 31),
    ] {
        let key_size = match map_type {
            MapType::LPM_TRIE => 8,
            MapType::QUEUE | MapType::RINGBUF => 0,
            _ => 4,
        };
        let flags = if map_type == MapType::LPM_TRIE { map_flags::NO_PREALLOC } else { 0 };
        let def = MapDef { flags, ..MapDef::new("m", map_type, key_size, value_size, entries) };
        let unit = Unit::new("u", "GPL", vec![def], vec![]).unwrap();
        let error = MapSet::new(&unit, 1 << 30).expect_err("too large");
        assert_eq!(error.code(), "map-memory", "{map_type} {value_size} {entries}: {error}");
    }
}

#[test]
fn the_limit_is_for_all_maps_together() {
    let def = MapDef::new("a", MapType::ARRAY, 4, 1000, 10);
    let set = |count: usize| {
        let unit = Unit::new("u", "GPL", vec![def.clone(); count], vec![]).unwrap();
        MapSet::new(&unit, 25_000)
    };
    assert!(set(2).is_ok());
    assert!(matches!(set(3), Err(MapError::Memory { .. })));
}

#[test]
fn frozen_contents_never_change_from_outside() {
    let init = MapInit::Entries(vec![(vec![0; 4], vec![7; 4])]);
    let def = MapDef { purpose: MapPurpose::Rodata, init, ..MapDef::new(".rodata", MapType::ARRAY, 4, 4, 1) };
    let map = Map::new(&def).unwrap();
    assert_eq!(map.write(&[0; 4], &[1; 4], map_flags::ANY), Err(errno::EPERM));
    assert_eq!(map.entries(), [(vec![0; 4], vec![7; 4])]);
}

#[test]
fn threads_may_change_a_hash_at_once() {
    let map = Arc::new(Map::new(&MapDef::new("h", MapType::HASH, 4, 8, 512)).unwrap());
    std::thread::scope(|s| {
        for thread in 0..2u32 {
            let map = map.clone();
            s.spawn(move || {
                for i in 0..20_000u32 {
                    let key = ((thread << 16) | (i % 256)).to_le_bytes();
                    map.update(&key, &u64::from(i).to_le_bytes(), map_flags::ANY, 0, &mut Steps::default()).unwrap();
                    if i % 3 == 0 {
                        map.delete(&key, &mut Steps::default()).unwrap();
                    }
                }
            });
        }
    });
    let entries = map.entries();
    let keys: std::collections::BTreeSet<_> = entries.iter().map(|e| e.0.clone()).collect();
    assert_eq!(keys.len(), entries.len(), "no key stands twice");
    assert!(entries.len() <= 512);
}

#[test]
fn a_program_array_holds_numbers_of_programs() {
    let map = Map::new(&MapDef::new("p", MapType::PROG_ARRAY, 4, 4, 3)).unwrap();
    let program = oxbpf_ir::ProgIdx(5);
    assert_eq!(map.set_program(3, Some(program)), Err(errno::E2BIG));
    assert_eq!(map.set_program(2, Some(program)), Ok(()));
    assert_eq!((map.program(2), map.program(1), map.program(3)), (Some(program), None, None));
    assert_eq!(map.write(&[0; 4], &[0; 4], 0), Err(errno::EINVAL));
    assert_eq!(map.set_program(2, None), Ok(()));
    assert_eq!(map.set_program(2, None), Err(errno::ENOENT));
}
