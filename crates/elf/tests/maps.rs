//! Map definitions in the legacy notations, and how they are refused.

mod common;

use common::{FUNC, OBJECT, R_64_64, RETURN, Writer, refused, wide};
use oxbpf_elf::{MapSource, Note, Object, load};

/// An object with legacy definitions of these words, and perhaps more sections.
fn with_maps(definitions: &[&[u32]], extra: impl FnOnce(&mut Writer)) -> Vec<u8> {
    let mut w = Writer::default();
    let bytes: Vec<u8> = definitions.iter().flat_map(|d| d.iter()).flat_map(|word| word.to_le_bytes()).collect();
    let maps = w.data("maps", &bytes);
    let mut at = 0;
    for (i, definition) in definitions.iter().enumerate() {
        let len = definition.len() as u64 * 4;
        w.symbol(&format!("map{i}"), OBJECT, maps, at, len);
        at += len;
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
    // A symbol that is as long as two definitions.
    let error = refused(&with_maps(&[&[1, 4, 8, 10, 1], &[1; 10]], |_| {}));
    assert_eq!(error.to_string(), "section maps: map map1: has values beyond the known fields");
}

#[test]
fn each_definition_has_the_length_of_its_symbol() {
    let object = loaded(&[&[1, 4, 8, 10, 1, 42, 2], &[2, 4, 8, 3, 7, 0, 0, 0, 0], &[2, 4, 8, 3, 9]]);
    let all: Vec<_> = object.maps().map(|m| (m.id, m.flags)).collect();
    assert_eq!(all, [(Some(42), 1), (Some(0), 7), (Some(9), 0)]);
}

/// An object with sections of one definition each.
fn with_sections(sections: &[(&str, &[u32])]) -> Vec<u8> {
    let mut w = Writer::default();
    for (i, (section, definition)) in sections.iter().enumerate() {
        let bytes: Vec<u8> = definition.iter().flat_map(|word| word.to_le_bytes()).collect();
        let section = w.data(section, &bytes);
        w.symbol(&format!("map{i}"), OBJECT, section, 0, bytes.len() as u64);
    }
    w.code("classifier", &[&RETURN]);
    w.bytes()
}

fn layouts(object: &Object) -> Vec<String> {
    let legacy = |source| match source {
        MapSource::Legacy(layout) => layout.to_string(),
        other => format!("{other:?}"),
    };
    object.map_sources().map(legacy).collect()
}

#[test]
fn sections_of_one_map_are_of_libbpfs_dialect() {
    let long: Vec<u32> = [1, 4, 8, 10, 1, 2].into_iter().chain([0x2f73_662f; 64]).collect();
    let object = load(&with_sections(&[("maps/a", &[1, 4, 8, 10, 1]), ("maps/b", &long)])).unwrap();
    let all: Vec<_> = object.maps().map(|m| (m.name.as_str(), m.id, m.flags, m.pinning)).collect();
    assert_eq!(all, [("map0", None, 1, 0), ("map1", None, 1, 2)]);
    assert_eq!(
        layouts(&object),
        [
            "struct bpf_map_def of 20 bytes (tc reads no such section)",
            "struct bpf_map_def of 280 bytes (the only one of that length)"
        ]
    );
    assert!(object.notes().is_empty());
}

#[test]
fn a_tail_section_tells_twenty_bytes_apart() {
    let array: &[&[u32]] = &[&[3, 4, 4, 2, 7], &[2, 4, 4, 2, 8]];
    let bytes = with_maps(array, |w| {
        w.code("7/1", &[&RETURN]);
    });
    let object = load(&bytes).unwrap();
    assert_eq!(object.maps().map(|m| m.id).collect::<Vec<_>>(), [Some(7), Some(8)]);
    assert_eq!(layouts(&object)[1], "struct bpf_elf_map of 20 bytes (a tail-call section names its id)");
    assert!(object.notes().is_empty());
}

/// Key, value, entries and what the map is made after.
fn nested(object: &Object, map: usize) -> (Option<&str>, Vec<(u32, &str)>) {
    let def = object.maps().nth(map).unwrap();
    (def.inner.as_ref().map(|i| i.name.as_str()), object.map_contents(map).collect())
}

#[test]
fn tcs_maps_in_maps_go_by_id_and_index() {
    const NONE: u32 = u32::MAX;
    let outer = [12, 4, 4, 3, 0, 1, 0, 42, 0];
    let model = [2, 4, 8, 5, 0, 42, 0, 0, NONE];
    let (at_2, at_0) = ([2, 4, 8, 5, 0, 42, 0, 0, 2], [2, 4, 8, 5, 0, 42, 0, 0, 0]);
    let object = loaded(&[&outer, &model, &at_2, &at_0]);
    assert_eq!(nested(&object, 0), (Some("map1"), vec![(2, "map2"), (0, "map3")]));
    assert!(object.map_fault(0).is_none());
    let inner = object.maps().next().unwrap().inner.clone().unwrap();
    assert_eq!((inner.map_type.0, inner.key_size, inner.value_size, inner.max_entries), (2, 4, 8, 5));
}

#[test]
fn broken_maps_in_maps_are_refused_to_who_uses_them() {
    let fault = |definitions: &[&[u32]]| loaded(definitions).map_fault(0).unwrap().to_string();
    let outer: &[u32] = &[12, 4, 4, 3, 0, 1, 0, 42, 0];
    assert_eq!(fault(&[outer]), "section maps: map map0: names no map that its inner maps are made after");
    let far: &[u32] = &[2, 4, 8, 5, 0, 42, 0, 0, 3];
    assert_eq!(fault(&[outer, far]), "section maps: map map0: has an inner map beyond its entries");
    // A map of maps is no inner map.
    let deep: &[u32] = &[12, 4, 4, 3, 0, 42, 0, 42, 0];
    assert_eq!(fault(&[deep]), "section maps: map map0: names no map that its inner maps are made after");
    let wide: &[u32] = &[13, 8, 4, 3, 0, 1, 0, 42, 0];
    let reason = "has inner maps by number, but keys that are no numbers of 4 bytes";
    assert_eq!(fault(&[wide, &[2, 4, 8, 5, 0, 42, 0, 0, 1]]), format!("section maps: map map0: {reason}"));
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
    // Beyond the array's entries it cannot be filled, which whoever uses it is told.
    let object = load(&with_maps(array, with_section("42/2"))).unwrap();
    let fault = "section 42/2: the program array of that id has no such slot";
    assert_eq!(object.map_fault(0).unwrap().to_string(), fault);
    // Without such an array it is a name as good as any.
    let object = load(&with_maps(array, with_section("41/0"))).unwrap();
    assert!(object.programs().iter().all(|p| !p.is_tail()));
    let note = "section 41/0: no program array has that id, so no tail call leads to it";
    assert_eq!(object.notes().last().unwrap().to_string(), note);
    // Names that are no two numbers are names.
    let object = load(&with_maps(array, with_section("42/x"))).unwrap();
    assert!(object.programs().iter().all(|p| !p.is_tail()));
}

#[test]
fn btf_maps_need_btf_where_they_are_used() {
    let mut w = Writer::default();
    let maps = w.data(".maps", &[0; 32]);
    let flows = w.symbol("flows", OBJECT, maps, 0, 32);
    let uses = w.code("tc/uses", &[&wide(0), &RETURN]);
    w.code("tc/plain", &[&RETURN]);
    w.reloc(uses, 0, R_64_64, flows);
    let object = load(&w.bytes()).unwrap();
    let link = |section| object.unit("t", &[object.select(Some(section)).unwrap()], |p| p.prog_type());
    let error = link("tc/uses").unwrap_err();
    assert_eq!(error.code(), "elf-map-needs-btf");
    let wanted = "map flows is declared in .maps, and the object has no BTF to describe it; compile with -g";
    assert_eq!(error.to_string(), wanted);
    assert_eq!(link("tc/plain").unwrap().maps().len(), 0);
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
