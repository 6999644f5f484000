//! CO-RE: committed programs adapted to committed types, as libbpf adapts them.
//!
//! `tests/core/NAME.libbpf` is what `tests/core/oracle.c` printed, which is libbpf's work (1.1); tests with libbpf
//! and aya at hand are in `core/peers.rs`.

mod common;
#[path = "core/peers.rs"]
mod peers;

use std::fs::File;
use std::path::{Path, PathBuf};

use oxbpf_abi::ProgType;
use oxbpf_btf::core::CoreTarget;
use oxbpf_elf::core::read_target;
use oxbpf_elf::{ElfError, Object, load};
use oxbpf_isa::encode_all;

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/core").join(name)
}

fn target() -> CoreTarget {
    CoreTarget::new(read_target(File::open(path("target.o")).unwrap()).unwrap())
}

fn object(name: &str) -> Object {
    load(&std::fs::read(path(name)).unwrap()).unwrap()
}

/// One program's instructions in hexadecimal digits.
fn linked(object: &Object, program: usize) -> Result<String, ElfError> {
    let unit = object.unit("t", &[program], |_| Some(ProgType::SchedCls))?;
    let words = encode_all(unit.programs()[0].insns());
    Ok(words.iter().flat_map(|w| w.to_bytes()).map(|b| format!("{b:02x}")).collect())
}

/// Each program of an object, adapted, beside what libbpf made of it.
fn compare(name: &str) -> usize {
    let mut object = object(&format!("{name}.o"));
    object.relocate_core(&target());
    let expected = std::fs::read_to_string(path(&format!("{name}.libbpf"))).unwrap();
    let mut seen = 0;
    for line in expected.lines() {
        let (program, code) = line.split_once(' ').unwrap();
        let at = object.programs().iter().position(|p| p.name() == program).unwrap();
        let ours = linked(&object, at).unwrap_or_else(|_| "refused".into());
        assert_eq!(ours, code, "{name}.o: {program}");
        seen += 1;
    }
    assert_eq!(seen, object.programs().len());
    seen
}

#[test]
fn fields_are_adapted_as_by_libbpf() {
    assert_eq!(compare("fields"), 51);
}

#[test]
fn bit_fields_are_adapted_as_by_libbpf() {
    assert_eq!(compare("bits"), 10);
}

#[test]
fn types_and_enumerators_are_adapted_as_by_libbpf() {
    assert_eq!(compare("types"), 43);
}

#[test]
fn answers_are_told_in_words() {
    let target = target();
    let told = |name: &str, function: &str| {
        let mut object = object(name);
        let before = object.core_relocations().find(|r| r.function() == function).unwrap();
        assert_eq!((before.answer(&target).as_str(), before.outcome()), ("not looked up", None));
        object.relocate_core(&target);
        let record = object.core_relocations().find(|r| r.function() == function).unwrap();
        format!("{} {} -> {}", record.kind(), record.local(), record.answer(&target))
    };
    let fields = [
        ("load_nested", "byte_off struct packet.in.at.y at byte 24 -> struct packet.in.at.y at byte 52"),
        ("load_third", "byte_off struct packet[2].len at byte 340 -> struct packet[2].len at byte 640"),
        ("load_gone", "byte_off struct packet.gone at byte 164 -> absent: the instruction traps"),
        ("size_array", "byte_sz struct packet.words at byte 60 -> struct packet.words at byte 152 = 32"),
        ("exists_gone", "field_exists struct packet.gone at byte 164 -> absent: 0"),
        (
            "load_grown_signed",
            "byte_off struct packet.grown_signed at byte 128 -> struct packet.grown_signed at byte 232, of another width: \
             the instruction traps",
        ),
        (
            "load_huge",
            "byte_off type [109] huge -> error[core-out-of-range]: offset 40000 does not fit into a load or store",
        ),
    ];
    for (function, text) in fields {
        assert_eq!(told("fields.o", function), text);
    }
    assert_eq!(told("bits.o", "b"), "byte_sz struct bits.b at bit 3, 7 wide -> struct bits.b at bit 35, 7 wide = 4");
    let types = [
        ("value_negative", "enumval_value enum color.NEGATIVE -> enum color.NEGATIVE = -7"),
        ("size", "type_size struct packet -> struct packet = 312"),
        ("size_nowhere", "type_size struct nowhere -> absent: 0"),
        ("id_local", "local_type_id struct packet -> the object's own = 5"),
    ];
    for (function, text) in types {
        assert_eq!(told("types.o", function), text);
    }
}
