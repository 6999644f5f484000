//! Two objects that clang made from `objects/*.c`, for what examples do not show.

use oxbpf_elf::{MapSource, Note, Object, load};
use oxbpf_ir::{InsnId, Unit};

const REFERENCES: &[u8] = include_bytes!("objects/references.o");
const REFUSED: &[u8] = include_bytes!("objects/refused.o");

fn link(object: &Object, section: &str) -> Result<Unit, oxbpf_elf::ElfError> {
    object.unit("t", &[object.select(Some(section))?], |p| p.prog_type())
}

/// A program's functions, and which of them its instructions refer to, in order.
fn references(section: &str) -> (Vec<String>, Vec<String>) {
    let unit = link(&load(REFERENCES).unwrap(), section).unwrap();
    let program = &unit.programs()[0];
    let names: Vec<String> = program.functions().iter().map(|f| f.name.clone()).collect();
    let callees = (0..program.insns().len() as u32).filter_map(|i| program.callee(InsnId(i)));
    let callees = callees.map(|f| names[f.index()].clone()).collect();
    (names, callees)
}

#[test]
fn callbacks_static_and_global() {
    let (names, callees) = references("tc/callbacks");
    assert_eq!(names, ["callbacks", "static_callback", "global_callback", "leaf"]);
    assert_eq!(callees, ["static_callback", "global_callback", "leaf"]);
}

#[test]
fn calls_within_and_across_sections() {
    let (names, callees) = references("tc/calls/caller");
    assert_eq!(names, ["caller", "leaf", "callee"]);
    assert_eq!(callees, ["leaf", "callee", "leaf"]);
}

#[test]
fn debug_types_tell_the_kernels_legacy_structure() {
    let object = load(REFERENCES).unwrap();
    let map = object.maps().next().unwrap();
    assert_eq!((map.name.as_str(), map.flags, map.id), ("sparse", 1, None));
    assert!(object.notes().is_empty());
    let MapSource::Legacy(layout) = object.map_sources().next().unwrap() else { panic!("a legacy map") };
    assert_eq!(layout.to_string(), "struct bpf_map_def of 20 bytes (named by BTF)");
}

#[test]
fn debug_types_of_an_unknown_structure_leave_tcs_assumed_and_noted() {
    let name = b"bpf_map_def\0";
    let places: Vec<usize> = REFERENCES.windows(name.len()).enumerate().filter(|w| w.1 == name).map(|w| w.0).collect();
    let mut renamed = REFERENCES.to_vec();
    places.iter().for_each(|&at| renamed[at] = b'x');
    let object = load(&renamed).unwrap();
    assert_eq!(object.maps().next().unwrap().id, Some(1));
    assert_eq!(object.notes(), [Note::AssumedLegacyLayout { structure: "bpf_elf_map", len: 20 }]);
}

#[test]
fn refusals_name_what_is_missing() {
    let object = load(REFUSED).unwrap();
    let error = link(&object, "tc/pointers").unwrap_err();
    assert_eq!(error.code(), "elf-unsupported");
    let text = "section .rodata: a pointer to .rodata.str1.1 in global data at 0x0 is not supported";
    assert_eq!(error.to_string(), text);
    assert_eq!(link(&object, "tc/fine").unwrap().programs().len(), 1);
}
