//! CO-RE records that have no answer: each kind of error, word for word, and only for programs that have them.

mod common;

use common::{ALLOC, FUNC, PROGBITS, RETURN, Writer};
use oxbpf_btf::Btf;
use oxbpf_btf::core::CoreTarget;
use oxbpf_elf::core::POISON;
use oxbpf_elf::{Object, load};
use oxbpf_ir::Unit;
use oxbpf_isa::{AluOp, CallTarget, Insn, MemSize, Operand, Reg, Width};

/// Strings of the object's BTF, with the access string behind.
const STRINGS: &[u8] = b"\0tc\0sk_buff\0len\0u32\0long\0color\0RED\0";
const TC: u32 = 1;
const SK_BUFF: u32 = 4;
const LEN: u32 = 12;
const U32: u32 = 16;
const LONG: u32 = 20;
const COLOR: u32 = 25;
const RED: u32 = 31;

fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|w| w.to_le_bytes()).collect()
}

fn btf(types: &[u32], strings: &[u8]) -> Vec<u8> {
    let len = types.len() as u32 * 4;
    let head = words(&[24, 0, len, len, strings.len() as u32]);
    [&[0x9f, 0xeb, 1, 0][..], &head, &words(types), strings].concat()
}

/// `[1]` u32, `[2]` struct sk_buff { u32 pad, len; }, `[3]` enum color { RED }, `[4]` an anonymous structure,
/// `[5]` u32[4], `[6]` struct long { u32 (anonymous array) len[4]; }.
fn local_types() -> Vec<u32> {
    [
        &[U32, 1 << 24, 4, 32][..],
        &[SK_BUFF, 4 << 24 | 2, 8, U32, 1, 0, LEN, 1, 32],
        &[COLOR, 6 << 24 | 1, 4, RED, 7],
        &[0, 4 << 24, 8],
        &[0, 3 << 24, 0, 1, 1, 4],
        &[LONG, 4 << 24 | 1, 16, LEN, 5, 0],
    ]
    .concat()
}

/// An object with the program `code` and another without records.
fn object(code: &[u8], type_id: u32, access: &str, kind: u32) -> Object {
    let strings = [STRINGS, access.as_bytes(), b"\0"].concat();
    let btf = btf(&local_types(), &strings);
    let mut ext = vec![0x9f, 0xeb, 1, 0];
    ext.extend(words(&[32, 0, 0, 0, 0, 0, 28, /* record length */ 16, TC, 1, 8]));
    ext.extend(words(&[type_id, STRINGS.len() as u32, kind]));
    let mut w = Writer::default();
    for name in ["tc", "tc/plain"] {
        let code = w.code(name, &[&RETURN[..8], code, &RETURN[8..]]);
        w.symbol(if name == "tc" { "core" } else { "plain" }, FUNC, code, 0, 16 + LOAD.len() as u64);
    }
    w.section(".BTF", PROGBITS, 0, &btf, btf.len() as u64);
    w.section(".BTF.ext", PROGBITS, ALLOC, &ext, ext.len() as u64);
    load(&w.bytes()).unwrap()
}

/// `r0 = *(u32 *)(r1 + 4)`
const LOAD: [u8; 8] = [0x61, 0x10, 4, 0, 0, 0, 0, 0];

const BYTE_OFF: u32 = 0;
const SIGNED: u32 = 3;
const TYPE_EXISTS: u32 = 8;
const ENUM_VALUE: u32 = 11;

fn link(object: &Object, section: &str) -> Result<Unit, (&'static str, String)> {
    let unit = object.unit("t", &[object.select(Some(section)).unwrap()], |p| p.prog_type());
    unit.map_err(|e| (e.code(), e.to_string()))
}

/// What is said of the program, adapted to `target`.
fn refused(object: &mut Object, target: &[u8]) -> (&'static str, String) {
    object.relocate_core(&CoreTarget::new(Btf::parse(target).unwrap()));
    assert!(link(object, "tc/plain").is_ok());
    link(object, "tc").unwrap_err()
}

/// A target whose `struct sk_buff` has `len` at each of the given bytes, in a structure of its own each.
fn sk_buffs(places: &[u32]) -> Vec<u8> {
    let strings = b"\0sk_buff\0len\0u32\0";
    let mut types = vec![13, 1 << 24, 4, 32];
    for place in places {
        types.extend([1, 4 << 24 | 1, place + 4, 9, 1, place * 8]);
    }
    btf(&types, strings)
}

#[test]
fn without_a_target_the_program_is_refused_by_name() {
    let object = object(&LOAD, 2, "0:1", BYTE_OFF);
    let (code, text) = link(&object, "tc").unwrap_err();
    assert_eq!(code, "elf-no-core-target");
    assert_eq!(text, "section tc: CO-RE relocation byte_off of sk_buff at 0x8 needs the BTF of a kernel; give one");
    assert!(object.needs_core_target());
    assert!(link(&object, "tc/plain").is_ok());
}

/// The local type, its access, the question, the places it is put into; the error's code and its words.
type Row = (u32, &'static str, u32, &'static [u32], &'static str, &'static str);

#[test]
fn each_fault_is_told_with_its_place() {
    let prefix = |kind| format!("section tc: CO-RE relocation {kind} at 0x8: ");
    let rows: [Row; 13] = [
        (
            2,
            "",
            BYTE_OFF,
            &[8],
            "core-bad-access",
            "byte_off: access string \"\" of type [2]: not numbers between colons",
        ),
        (
            2,
            "0:",
            BYTE_OFF,
            &[8],
            "core-bad-access",
            "byte_off: access string \"0:\" of type [2]: not numbers between colons",
        ),
        (
            2,
            "0:-1",
            BYTE_OFF,
            &[8],
            "core-bad-access",
            "byte_off: access string \"0:-1\" of type [2]: not numbers between colons",
        ),
        (
            2,
            "0:2",
            BYTE_OFF,
            &[8],
            "core-bad-access",
            "byte_off: access string \"0:2\" of type [2]: there is no such member",
        ),
        (
            2,
            "0:1:0",
            BYTE_OFF,
            &[8],
            "core-bad-access",
            "byte_off: access string \"0:1:0\" of type [2]: it goes on where the type has no parts",
        ),
        (
            6,
            "0:0:4",
            BYTE_OFF,
            &[8],
            "core-bad-access",
            "byte_off: access string \"0:0:4\" of type [6]: the array has no such element",
        ),
        (
            2,
            "0:1",
            TYPE_EXISTS,
            &[8],
            "core-bad-access",
            "type_exists: access string \"0:1\" of type [2]: a type has no parts here",
        ),
        (
            3,
            "1",
            ENUM_VALUE,
            &[8],
            "core-bad-access",
            "enumval_value: access string \"1\" of type [3]: there is no such enumerator",
        ),
        (
            2,
            "0",
            ENUM_VALUE,
            &[8],
            "core-bad-access",
            "enumval_value: access string \"0\" of type [2]: the type is no enumeration",
        ),
        (4, "0", TYPE_EXISTS, &[8], "core-anonymous", "type_exists: type [4] has no name to look for"),
        (
            2,
            "0:1",
            BYTE_OFF,
            &[8, 12],
            "core-ambiguous",
            "byte_off: the target has several types sk_buff that disagree: [2] struct sk_buff.len at byte 8 (byte_off 8) or [3] struct sk_buff.len at byte 12 (byte_off 12)",
        ),
        (
            6,
            "0:0:1",
            SIGNED,
            &[8],
            "core-not-a-member",
            "signed: signed is asked of struct long.len[1], which is no member",
        ),
        (2, "0:1", BYTE_OFF, &[40000], "core-out-of-range", "byte_off: offset 40000 does not fit into a load or store"),
    ];
    for (type_id, access, kind, places, code, text) in rows {
        let mut object = object(&LOAD, type_id, access, kind);
        let refused = refused(&mut object, &sk_buffs(places));
        let (asked, said) = text.split_once(": ").unwrap();
        assert_eq!(refused, (code, prefix(asked) + said));
    }
}

/// What the record "offset of sk_buff.len" makes of an instruction, where the target's `len` is `bytes` wide.
fn patched(code: &[u8; 8], off: u32, bytes: u32) -> Result<Insn, (&'static str, String)> {
    let strings = b"\0sk_buff\0len\0u32\0";
    let types = [13, 1 << 24, bytes, bytes * 8, 1, 4 << 24 | 1, off + bytes, 9, 1, off * 8];
    let mut object = object(code, 2, "0:1", BYTE_OFF);
    object.relocate_core(&CoreTarget::new(Btf::parse(&btf(&types, strings)).unwrap()));
    link(&object, "tc").map(|unit| unit.programs()[0].insns()[1])
}

#[test]
fn what_does_not_fit_the_instruction_is_refused() {
    let said = |code: &[u8; 8], bytes| {
        let (code, text) = patched(code, 16, bytes).unwrap_err();
        (code, text.strip_prefix("section tc: CO-RE relocation byte_off at 0x8: ").unwrap().to_string())
    };
    let text = "the instruction holds 8 where the object's types say 4";
    assert_eq!(said(&[0x61, 0x10, 8, 0, 0, 0, 0, 0], 4), ("core-unexpected", text.into()));
    assert_eq!(said(&[0x07, 0x01, 0, 0, 8, 0, 0, 0], 4), ("core-unexpected", text.into()));
    let text = "an instruction of code 0x95 holds no offset or value to adapt";
    assert_eq!(said(&[0x95, 0, 0, 0, 0, 0, 0, 0], 4), ("core-wrong-insn", text.into()));
    let text = "an instruction of code 0x0f holds no offset or value to adapt";
    assert_eq!(said(&[0x0f, 0x21, 0, 0, 0, 0, 0, 0], 4), ("core-wrong-insn", text.into()));
    let text = "the instruction accesses 1 bytes of a field of 4";
    assert_eq!(said(&[0x71, 0x10, 4, 0, 0, 0, 0, 0], 8), ("core-wrong-width", text.into()));
    let text = "the target's field has 16 bytes, which no instruction accesses";
    assert_eq!(said(&LOAD, 16), ("core-no-width", text.into()));
    // Half a wide load, and what only looks like one.
    let text = "an instruction of code 0x18 holds no offset or value to adapt";
    assert_eq!(said(&[0x18, 0, 0, 0, 4, 0, 0, 0], 4), ("core-wrong-insn", text.into()));
}

#[test]
fn what_fits_is_put_into_the_instruction() {
    let loaded = |size| Insn::Load { size, dst: Reg::R0, base: Reg::R1, off: 16 };
    assert_eq!(patched(&LOAD, 16, 4), Ok(loaded(MemSize::W)));
    assert_eq!(patched(&LOAD, 16, 8), Ok(loaded(MemSize::Dw)));
    assert_eq!(patched(&LOAD, 16, 1), Ok(loaded(MemSize::B)));
    let add = Insn::Alu { op: AluOp::Add, width: Width::W64, dst: Reg::R1, src: Operand::Imm(40000) };
    assert_eq!(patched(&[0x07, 0x01, 0, 0, 4, 0, 0, 0], 40000, 2), Ok(add));
}

#[test]
fn another_target_starts_from_what_was_compiled() {
    let mut object = object(&LOAD, 2, "0:1", BYTE_OFF);
    for (target, off) in [(sk_buffs(&[8]), Some(8)), (sk_buffs(&[]), None), (sk_buffs(&[100]), Some(100))] {
        object.relocate_core(&CoreTarget::new(Btf::parse(&target).unwrap()));
        let insn = link(&object, "tc").unwrap().programs()[0].insns()[1];
        match off {
            Some(off) => assert_eq!(insn, Insn::Load { size: MemSize::W, dst: Reg::R0, base: Reg::R1, off }),
            None => assert_eq!(insn, Insn::Call(CallTarget::Helper(POISON))),
        }
    }
}

#[test]
fn more_types_of_one_name_than_anyone_has_are_refused() {
    let (code, text) = refused(&mut object(&LOAD, 2, "0:1", BYTE_OFF), &sk_buffs(&[8; 1025]));
    assert_eq!(code, "core-too-many-candidates");
    assert!(text.ends_with(": the target has more than 1024 types sk_buff"), "{text}");
}

#[test]
fn types_too_entangled_to_be_compared_are_refused() {
    // Structures of two anonymous members each, 25 deep: 2^25 ways to a member that is not there.
    let mut types = vec![];
    for level in 1..=25 {
        let inner = level + 1;
        let name = if level == 1 { 1 } else { 0 };
        types.extend([name, 4 << 24 | 2, 8, 0, inner, 0, 0, inner, 0]);
    }
    types.extend([0, 1 << 24, 4, 32]);
    let target = btf(&types, b"\0sk_buff\0");
    let (code, text) = refused(&mut object(&LOAD, 2, "0:1", BYTE_OFF), &target);
    assert_eq!(code, "core-too-complex");
    assert!(text.ends_with(": comparing types takes more than 33554432 steps"), "{text}");
}

#[test]
fn a_bit_field_that_no_load_holds_is_refused() {
    // u32 at bit 60, 30 wide, in a structure of packed 64-bit units.
    let strings = b"\0sk_buff\0len\0u32\0";
    let types = [13, 1 << 24, 8, 64, 1, 1 << 31 | 4 << 24 | 1, 16, 9, 1, 30 << 24 | 60];
    let (code, text) = refused(&mut object(&LOAD, 2, "0:1", BYTE_OFF), &btf(&types, strings));
    assert_eq!(code, "core-wide-bit-field");
    assert!(text.ends_with(": bit field struct sk_buff.len lies across more than 8 aligned bytes"), "{text}");
}
