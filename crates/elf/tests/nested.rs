//! BTF definitions of maps in maps, locks and extras, from `objects/nested.c`;
//! and that a unit has the maps its programs use, no more.

use oxbpf_abi::MapType;
use oxbpf_btf::Type;
use oxbpf_elf::{MapSource, Object, load};
use oxbpf_ir::{MapIdx, MapInit, Unit};

const NESTED: &[u8] = include_bytes!("objects/nested.o");

fn object() -> Object {
    load(NESTED).unwrap()
}

fn link(section: &str) -> Unit {
    let object = object();
    object.unit("t", &[object.select(Some(section)).unwrap()], |p| p.prog_type()).unwrap()
}

fn names(unit: &Unit) -> Vec<&str> {
    unit.maps().iter().map(|m| m.name.as_str()).collect()
}

#[test]
fn a_unit_has_the_maps_that_are_used_and_those_in_them() {
    let unit = link("tc/outer");
    assert_eq!(names(&unit), ["first", "second", "outer"]);
    let outer = &unit.maps()[2];
    let (one, three) = (1u32.to_le_bytes().to_vec(), 3u32.to_le_bytes().to_vec());
    assert_eq!(outer.init, MapInit::Maps(vec![(one, MapIdx(0)), (three, MapIdx(1))]));
    let inner = outer.inner.as_ref().unwrap();
    assert_eq!((inner.map_type, inner.key_size, inner.value_size, inner.max_entries), (MapType::ARRAY, 4, 8, 1));
    assert_eq!(names(&link("tc/counters")), ["counters"]);
    assert_eq!(names(&link("tc/data")), [".data", ".bss"]);
}

#[test]
fn a_map_of_maps_without_values_has_a_model() {
    let unit = link("tc/empty");
    let empty = &unit.maps()[0];
    assert_eq!((empty.map_type, empty.key_size, empty.value_size, empty.pinning), (MapType::HASH_OF_MAPS, 8, 4, 1));
    assert_eq!((unit.maps().len(), &empty.init), (1, &MapInit::Empty));
    let inner = empty.inner.as_ref().unwrap();
    assert_eq!((inner.map_type, inner.flags, inner.name.as_str()), (MapType::HASH, 1, "empty.inner"));
}

#[test]
fn locks_nodes_and_extras_are_kept_or_noted() {
    let counters = link("tc/counters");
    assert_eq!(counters.maps()[0].lock, Some(8));
    assert_eq!(link("tc/outer").maps()[2].lock, None);
    assert_eq!(link("tc/bloom").maps()[0].extra, 3);
    let notes: Vec<String> = object().notes().iter().map(|n| n.to_string()).collect();
    assert_eq!(notes, ["map counters: memory node 1 is of no consequence here"]);
}

#[test]
fn keys_and_values_have_types_and_variables_places() {
    let unit = link("tc/data");
    let types = unit.types().unwrap();
    let section = |name| unit.maps().iter().find(|m| m.name == name).unwrap().types.unwrap().value;
    let Ok(Type::DataSec(data)) = types.get(section(".data")) else { panic!("a section") };
    let places: Vec<_> = data.vars.iter().map(|v| (types.name(v.var), v.offset)).collect();
    assert_eq!((data.size, places), (8, vec![("seven", 0), ("eight", 4)]));
    let unit = link("tc/counters");
    let value = unit.maps()[0].types.unwrap().value;
    assert_eq!(unit.types().unwrap().name(value), "locked");
}

#[test]
fn the_object_lists_all_of_its_maps() {
    let object = object();
    assert_eq!(object.maps().len(), 10);
    let (btf, data): (Vec<_>, Vec<_>) = object.map_sources().partition(|s| *s == MapSource::Btf);
    assert_eq!((btf.len(), data), (8, vec![MapSource::Data; 2]));
    let outer = object.maps().position(|m| m.name == "outer").unwrap();
    assert_eq!(object.map_contents(outer).collect::<Vec<_>>(), [(1, "first"), (3, "second")]);
}

/// `NESTED` with a word of its types changed, all places where it stands.
fn with(from: &[u32], to: &[u32]) -> Vec<u8> {
    let bytes = |words: &[u32]| words.iter().flat_map(|w| w.to_le_bytes()).collect::<Vec<u8>>();
    let (from, to) = (bytes(from), bytes(to));
    let mut changed = NESTED.to_vec();
    let places: Vec<usize> = (0..changed.len() - from.len()).filter(|&at| changed[at..].starts_with(&from)).collect();
    assert!(!places.is_empty(), "what is to be changed is there");
    places.iter().for_each(|&at| changed[at..at + to.len()].copy_from_slice(&to));
    changed
}

#[test]
fn a_map_beyond_the_entries_is_refused() {
    // The array type of 4 elements that says `max_entries` of `outer`: kind 3, then element and index types.
    let object = object();
    let types = object.types().unwrap();
    let array = types.types().find_map(|(_, t)| match t {
        Type::Array(a) if a.len == 4 => Some([a.elem.0, a.index.0, 4]),
        _ => None,
    });
    let [elem, index, len] = array.unwrap();
    let error = match load(&with(&[3 << 24, 0, elem, index, len], &[3 << 24, 0, elem, index, 2])) {
        Ok(_) => panic!("accepted"),
        Err(e) => e,
    };
    assert_eq!(error.to_string(), "section .maps: map outer: has a map beyond its entries");
}
