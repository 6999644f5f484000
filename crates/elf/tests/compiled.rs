//! Two objects that clang made from `objects/*.c`, for what examples do not show.

use oxbpf_elf::{Note, Object, load};
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
    let refusals = [
        ("kfunc", "section tc/kfunc: kernel function kernel_function at 0x0 is not supported"),
        ("kconfig", "section tc/kconfig: external variable CONFIG_HZ at 0x0 is not supported"),
        ("map_of_maps", "section .maps: map of maps outer at 0x0 is not supported"),
        ("map_extra", "section .maps: map_extra of map bloom at 0x0 is not supported"),
        ("pointers", "section .rodata: a pointer in global data at 0x0 is not supported"),
    ];
    for (name, text) in refusals {
        let error = link(&object, &format!("tc/{name}")).unwrap_err();
        assert_eq!((error.code(), error.to_string().as_str()), ("elf-unsupported", text));
    }
    assert_eq!(link(&object, "tc/fine").unwrap().programs().len(), 1);
}
