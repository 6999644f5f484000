//! Every kind of error in its exact words, from bytes or questions that have it.

#[path = "../../../tests/codes/mod.rs"]
mod codes;
mod common;

use codes::{check, shown};
use common::Writer;
use oxbpf_btf::{Btf, BtfExt, Kind, TypeId, Value};

fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|w| w.to_le_bytes()).collect()
}

/// BTF of one type in these words.
fn one(words: &[u32]) -> Vec<u8> {
    let mut w = Writer::default();
    w.text("x");
    w.types.extend(words);
    w.bytes(false)
}

fn with(at: usize, byte: u8) -> Vec<u8> {
    let mut bytes = one(&[1, 1 << 24, 4, 32]);
    let at = if at == usize::MAX { bytes.len() - 1 } else { at };
    bytes[at] = byte;
    bytes
}

/// BTF.ext with one function record.
fn ext(record_len: u32, insn_off: u32) -> Vec<u8> {
    let mut bytes = vec![0x9f, 0xeb, 1, 0];
    bytes.extend(words(&[24, 0, 24, 24, 0, record_len, 1, 1, insn_off, 1, 77]));
    bytes
}

#[test]
fn broken_sections() {
    let parse = |bytes: &[u8]| shown!(Btf::parse(bytes).unwrap_err());
    let btf = Btf::parse(&one(&[1, 1 << 24, 4, 32])).unwrap();
    let ext = |bytes: Vec<u8>| shown!(BtfExt::parse(&bytes, &btf).unwrap_err());
    let mut w = Writer::default();
    w.add("i", 1, 0, false, 4, &[32]);
    w.add("", 3, 0, false, 0, &[1, 1, u32::MAX]);
    w.add("", 3, 0, false, 0, &[2, 1, u32::MAX]);
    w.add("", 3, 0, false, 0, &[3, 1, u32::MAX]);
    w.add("", 3, 0, false, 0, &[5, 1, 1]);
    w.add("f", 7, 0, false, 0, &[]);
    let sizes = Btf::parse(&w.bytes(false)).unwrap();
    let size = |id| shown!(sizes.size_of(TypeId(id)).unwrap_err());
    let rows = [
        ("btf-truncated", "truncated at byte 3: 1 more bytes needed", parse(&[0x9f, 0xeb, 1])),
        ("btf-bad-magic", "magic number 0xeb00 is not 0xeb9f", parse(&with(0, 0))),
        ("btf-bad-version", "version 2 is not known", parse(&with(2, 2))),
        ("btf-bad-header-length", "header length 20 is not valid", parse(&with(4, 20))),
        (
            "btf-bad-strings",
            "string section at byte 40 does not start and end with a NUL byte",
            parse(&with(usize::MAX, b'x')),
        ),
        (
            "btf-bad-string-offset",
            "string offset 9 at byte 24 is outside the string section",
            parse(&one(&[9, 1 << 24, 4, 32])),
        ),
        ("btf-unknown-kind", "type kind 20 at byte 24 is not known", parse(&one(&[0, 20 << 24, 0]))),
        ("btf-bad-field", "field size of the type at byte 24 has the value 7", parse(&one(&[0, 16 << 24, 7]))),
        (
            "btf-bad-reference",
            "type [1] refers to type [2], which is missing or of the wrong kind",
            parse(&one(&[0, 2 << 24, 2])),
        ),
        ("btf-bad-record-length", "record length 13 at byte 24 is not valid", ext(self::ext(13, 8))),
        ("btf-bad-insn-offset", "instruction offset 7 at byte 36 is not a multiple of 8", ext(self::ext(12, 7))),
        ("btf-no-type", "there is no type [7]", size(7)),
        ("btf-no-size", "type [6] has no size", size(6)),
        ("btf-too-deep", "type [5] refers on through more than 64 types", size(5)),
        ("btf-size-overflow", "the size of type [4] overflows", size(4)),
    ];
    check(include_str!("../src/error.rs"), &rows);
}

/// What a map's value is made of, in one structure.
fn data() -> Btf {
    let mut w = Writer::default();
    let (n, e, a, f, void, x) = (w.text("n"), w.text("e"), w.text("a"), w.text("f"), w.text("v"), w.text("X"));
    w.add("u32", 1, 0, false, 4, &[32]);
    w.add("color", 6, 1, false, 4, &[x, 1]);
    w.add("", 3, 0, false, 0, &[1, 1, 2]);
    w.add("fwd", 7, 0, false, 0, &[]);
    w.add("all", 4, 5, false, 16, &[n, 1, 0, e, 2, 32, a, 3, 64, f, 4, 0, void, 0, 0]);
    w.add("self", 4, 1, false, 0, &[0, 6, 0]);
    w.add("nothing", 4, 0, false, 0, &[]);
    w.add("", 3, 0, false, 0, &[7, 1, u32::MAX]);
    Btf::parse(&w.bytes(false)).unwrap()
}

#[test]
fn data_that_does_not_fit_its_type() {
    let btf = data();
    let all = btf.find(Kind::Struct, "all").unwrap();
    let encode = |name: &str, value| shown!(btf.encode(all, &Value::Struct(vec![(name.into(), value)])).unwrap_err());
    let decode = |id: u32, bytes: &[u8]| shown!(btf.decode(TypeId(id), bytes).unwrap_err());
    let rows = [
        ("btf-no-type", "there is no type [99]", decode(99, &[])),
        ("value-too-short", "value: 16 bytes needed, 8 there", decode(5, &[0; 8])),
        ("value-no-data", "value.f: data cannot be of type [4]", encode("f", Value::Int(1))),
        ("value-no-data", "value.f: data cannot be of type [4]", decode(5, &[0; 16])),
        ("value-too-deep", "value: nested deeper than 32", decode(6, &[])),
        ("value-too-many", "value[4095]: more than 4096 parts", decode(8, &[])),
        ("value-wrong-form", "value.n: a number expected", encode("n", Value::Str("x".into()))),
        ("value-out-of-range", "value.n: -1 does not fit into 32 bits", encode("n", Value::Int(-1))),
        ("value-no-member", "value: no member z", encode("z", Value::Int(1))),
        ("value-no-enumerator", "value.e: no enumerator Y", encode("e", Value::Str("Y".into()))),
        (
            "value-too-many-elements",
            "value.a: 3 elements, the array has 2",
            encode("a", Value::Array(vec![Value::Int(1), Value::Int(1), Value::Int(1)])),
        ),
    ];
    check(include_str!("../src/value/error.rs"), &rows);
}
