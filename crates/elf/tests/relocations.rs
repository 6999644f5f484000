//! References between functions and to data, in small objects made here.

mod common;

use common::{FUNC, LOCAL_SECTION, OBJECT, R_64_32, R_64_64, RETURN, Writer, call, refused, wide};
use oxbpf_elf::load;
use oxbpf_ir::{InsnId, Unit};
use oxbpf_isa::{Insn, Pseudo};

fn linked(writer: Writer) -> Unit {
    common::link_all(&load(&writer.bytes()).unwrap()).unwrap()
}

/// The names of a program's functions, and of those it refers to, in order.
fn names_and_callees(unit: &Unit) -> (Vec<String>, Vec<String>) {
    let program = &unit.programs()[0];
    let names: Vec<String> = program.functions().iter().map(|f| f.name.clone()).collect();
    let ids = (0..program.insns().len() as u32).map(InsnId);
    let callees = ids.filter_map(|i| program.callee(i)).map(|f| names[f.index()].clone()).collect();
    (names, callees)
}

#[test]
fn subprograms_come_transitively_and_once() {
    let mut w = Writer::default();
    // .text: a at 0 calls c, b at 16 is not needed, c at 32.
    let text = w.code(".text", &[&call(3), &RETURN[8..], &RETURN, &RETURN]);
    let tc = w.code("tc", &[&call(-1), &call(-1), &call(3), &RETURN]);
    let a = w.symbol("a", FUNC, text, 0, 16);
    w.symbol("b", FUNC, text, 16, 16);
    w.symbol("c", FUNC, text, 32, 16);
    w.symbol("main", FUNC, tc, 0, 40);
    let section = w.symbol("", LOCAL_SECTION, text, 0, 0);
    w.reloc(tc, 0, R_64_32, a);
    w.reloc(tc, 8, R_64_32, a);
    w.reloc(tc, 16, R_64_32, section); // slot 4 of .text, by its number
    let (names, callees) = names_and_callees(&linked(w));
    assert_eq!(names, ["main", "a", "c"]);
    assert_eq!(callees, ["a", "a", "c", "c"]);
}

#[test]
fn callbacks_are_references_to_functions() {
    for by_section in [false, true] {
        let mut w = Writer::default();
        let text = w.code(".text", &[&RETURN, &RETURN]);
        let tc = w.code("tc", &[&wide(if by_section { 16 } else { 0 }), &RETURN]);
        w.symbol("first", FUNC, text, 0, 16);
        let named = w.symbol("callback", FUNC, text, 16, 16);
        w.symbol("main", FUNC, tc, 0, 32);
        let section = w.symbol("", LOCAL_SECTION, text, 0, 0);
        w.reloc(tc, 0, R_64_64, if by_section { section } else { named });
        let (names, callees) = names_and_callees(&linked(w));
        assert_eq!(
            (names.as_slice(), callees.as_slice()),
            (&["main".into(), "callback".into()][..], &["callback".into()][..])
        );
    }
}

#[test]
fn addresses_in_data_have_the_symbols_and_the_instructions_offset() {
    let mut w = Writer::default();
    let data = w.data(".data.counters", &[0; 32]);
    let tc = w.code("tc", &[&wide(4), &RETURN]);
    let var = w.symbol("var", OBJECT, data, 8, 8);
    w.symbol("main", FUNC, tc, 0, 32);
    w.reloc(tc, 0, R_64_64, var);
    let unit = linked(w);
    let first = unit.programs()[0].insns()[0];
    assert!(matches!(first, Insn::LoadPseudo { value: Pseudo::MapValue { fd: 0, off: 12 }, .. }), "{first:?}");
    assert_eq!(unit.maps()[0].name, ".data.counters");
}

#[test]
fn a_section_without_function_symbols_is_one_program() {
    let mut w = Writer::default();
    w.code("classifier", &[&RETURN]);
    let unit = linked(w);
    assert_eq!(unit.programs()[0].name(), "classifier");
}

#[test]
fn text_alone_holds_programs() {
    let mut w = Writer::default();
    let text = w.code(".text", &[&RETURN]);
    w.symbol("main", FUNC, text, 0, 16);
    assert_eq!(linked(w).programs()[0].name(), "main");
}

/// A program whose first instruction is relocated against an undefined symbol.
fn with_external(first: &[u8], kind: u32) -> Vec<u8> {
    let mut w = Writer::default();
    let tc = w.code("tc", &[first, &RETURN]);
    let ok = w.code("tc/ok", &[&RETURN]);
    w.symbol("main", FUNC, tc, 0, first.len() as u64 + 16);
    w.symbol("fine", FUNC, ok, 0, 16);
    let external = w.symbol("bpf_ct_release", 0x10, 0, 0, 0);
    w.reloc(tc, 0, kind, external);
    w.bytes()
}

#[test]
fn what_is_not_in_the_object_is_named_when_it_is_needed() {
    let bytes = with_external(&call(-1), R_64_32);
    let error = refused(&bytes);
    assert_eq!(error.code(), "elf-unsupported");
    assert_eq!(error.to_string(), "section tc: kernel function bpf_ct_release at 0x0 is not supported");
    assert_eq!(refused(&with_external(&wide(0), R_64_64)).code(), "elf-unsupported");
    // The other program is as good as ever.
    let object = load(&bytes).unwrap();
    let fine = object.select(Some("tc/ok")).unwrap();
    assert!(object.unit("t", &[fine], |p| p.prog_type()).is_ok());
}

#[test]
fn pointers_in_data_are_refused_when_the_data_is_used() {
    let mut w = Writer::default();
    let data = w.data(".rodata", &[0; 8]);
    let tc = w.code("tc", &[&wide(0), &RETURN]);
    let var = w.symbol("table", OBJECT, data, 0, 8);
    w.symbol("main", FUNC, tc, 0, 32);
    w.reloc(tc, 0, R_64_64, var);
    w.reloc(data, 0, common::R_ABS64, var);
    assert_eq!(refused(&w.bytes()).code(), "elf-unsupported");
}

/// A program with one relocation at `at` of `kind` against a function at 16 of `.text`.
fn relocated(first: &[u8], at: u64, kind: u32) -> Vec<u8> {
    let mut w = Writer::default();
    let text = w.code(".text", &[&RETURN, &RETURN]);
    let tc = w.code("tc", &[first, &RETURN]);
    let callee = w.symbol("callee", FUNC, text, 16, 16);
    w.symbol("main", FUNC, tc, 0, first.len() as u64 + 16);
    w.reloc(tc, at, kind, callee);
    w.bytes()
}

#[test]
fn relocations_stand_at_the_instruction_they_are_for() {
    let code = |first: &[u8], at, kind| refused(&relocated(first, at, kind)).code();
    assert!(load(&relocated(&call(-1), 0, R_64_32)).is_ok());
    assert_eq!(code(&call(-1), 4, R_64_32), "elf-bad-relocation");
    assert_eq!(code(&call(-1), 0, R_64_64), "elf-bad-relocation");
    assert_eq!(code(&wide(0), 0, R_64_32), "elf-bad-relocation");
    assert_eq!(code(&call(-1), 0, 99), "elf-bad-relocation");
    // A call into the middle of a function, and one before the section.
    assert_eq!(code(&call(0), 0, R_64_32), "elf-bad-call");
    assert_eq!(code(&call(-9), 0, R_64_32), "elf-bad-call");
}

#[test]
fn map_numbers_of_the_files_own_are_refused() {
    let mut load_map = wide(0);
    load_map[1] |= 0x10;
    let mut w = Writer::default();
    w.code("tc", &[&load_map, &RETURN]);
    assert_eq!(refused(&w.bytes()).code(), "elf-unsupported");
}

#[test]
fn functions_that_overlap_or_stick_out_are_refused() {
    for (value, size) in [(8, 16), (16, 24), (16, 0), (4, 8), (u64::MAX - 7, 8)] {
        let mut w = Writer::default();
        let tc = w.code("tc", &[&RETURN, &RETURN]);
        w.symbol("a", FUNC, tc, 0, 16);
        w.symbol("b", FUNC, tc, value, size);
        assert_eq!(refused(&w.bytes()).code(), "elf-bad-function", "{value} {size}");
    }
}
