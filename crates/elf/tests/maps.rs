//! Map definitions in the legacy notations, and how they are refused.

mod common;

use common::{FUNC, OBJECT, RETURN, Writer, refused};
use oxbpf_elf::{Note, Object, load};

/// An object with legacy definitions of these words, and perhaps more sections.
fn with_maps(definitions: &[&[u32]], extra: impl FnOnce(&mut Writer)) -> Vec<u8> {
    let mut w = Writer::default();
    let bytes: Vec<u8> = definitions.iter().flat_map(|d| d.iter()).flat_map(|word| word.to_le_bytes()).collect();
    let maps = w.data("maps", &bytes);
    for (i, definition) in definitions.iter().enumerate() {
        let len = definition.len() as u64 * 4;
        w.symbol(&format!("map{i}"), OBJECT, maps, i as u64 * len, len);
    }
    let tc = w.code("classifier", &[&RETURN]);
    w.symbol("main", FUNC, tc, 0, 16);
    extra(&mut w);
    w.bytes()
}

fn loaded(definitions: &[&[u32]]) -> Object {
    load(&with_maps(definitions, |_| {})).unwrap()
}

#[test]
fn twenty_bytes_are_the_first_form_of_tc_and_that_is_noted() {
    let object = loaded(&[&[2, 4, 16, 256, 7], &[1, 4, 8, 10, 8]]);
    let all: Vec<_> = object.maps().map(|m| (m.name.as_str(), m.map_type.0, m.max_entries, m.id, m.flags)).collect();
    assert_eq!(all, [("map0", 2, 256, Some(7), 0), ("map1", 1, 10, Some(8), 0)]);
    assert_eq!(object.notes(), [Note::AssumedLegacyLayout { structure: "bpf_elf_map", len: 20 }]);
}

#[test]
fn twenty_eight_bytes_have_flags_id_and_pinning() {
    let object = loaded(&[&[1, 4, 8, 10, 1, 42, 2]]);
    let map = object.maps().next().unwrap();
    assert_eq!((map.flags, map.id, map.pinning), (1, Some(42), 2));
}

#[test]
fn thirty_six_bytes_and_zeros_beyond_are_taken() {
    let long = [1, 4, 8, 10, 1, 42, 2, 0, 0, 0];
    let object = loaded(&[&long[..9], &long[..9]]);
    assert_eq!((object.maps().len(), object.notes().len()), (2, 0));
    assert_eq!(loaded(&[&long]).maps().next().unwrap().id, Some(42));
    let mut beyond = long;
    beyond[9] = 1;
    assert_eq!(refused(&with_maps(&[&beyond], |_| {})).code(), "elf-bad-map");
}

#[test]
fn other_lengths_are_refused() {
    for len in [1, 4, 6, 8] {
        let words = vec![1; len];
        assert_eq!(refused(&with_maps(&[&words], |_| {})).code(), "elf-bad-map", "{len}");
    }
    // Two symbols for three definitions.
    let error = refused(&with_maps(&[&[1, 4, 8, 10, 1], &[1; 10]], |_| {}));
    assert_eq!(error.code(), "elf-bad-map");
}

#[test]
fn tail_sections_need_their_program_array() {
    let with_section = |name: &'static str| {
        move |w: &mut Writer| {
            w.code(name, &[&RETURN]);
        }
    };
    let array: &[&[u32]] = &[&[3, 4, 4, 2, 0, 0x2a, 0]];
    for good in ["42/0", "0x2a/1", "052/0"] {
        let object = load(&with_maps(array, with_section(good))).unwrap();
        assert!(object.programs().iter().any(|p| p.is_tail() && p.section() == good));
    }
    for bad in ["41/0", "42/2"] {
        assert_eq!(refused(&with_maps(array, with_section(bad))).code(), "elf-no-tail-slot", "{bad}");
    }
    // Names that are no two numbers are names.
    let object = load(&with_maps(array, with_section("42/x"))).unwrap();
    assert!(object.programs().iter().all(|p| !p.is_tail()));
}

#[test]
fn btf_maps_need_btf() {
    let mut w = Writer::default();
    w.data(".maps", &[0; 32]);
    w.code("tc", &[&RETURN]);
    assert_eq!(refused(&w.bytes()).to_string(), "section .maps: map : the object has no BTF to describe it");
}

#[test]
fn data_of_any_stated_size_takes_no_memory() {
    let with_bss = |size| {
        let mut w = Writer::default();
        w.section(".bss", common::NOBITS, common::ALLOC, &[], size);
        w.code("tc", &[&RETURN]);
        w.bytes()
    };
    let object = load(&with_bss(1 << 30)).unwrap();
    assert_eq!(object.maps().next().unwrap().value_size, 1 << 30);
    assert_eq!(refused(&with_bss(1 << 40)).code(), "elf-too-many");
}
