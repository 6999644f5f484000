//! Data by its type, compared with what bpftool shows of the same map.

mod common;

use common::Writer;
use oxbpf_btf::{Btf, Kind, TypeId, Value};

const OBJECT: &[u8] = include_bytes!("objects/values.o");
/// Bytes and what bpftool 7.1 shows of them, in turn.
const SHOWN: &str = include_str!("objects/values.txt");

fn btf() -> Btf {
    Btf::parse(&common::section(OBJECT, ".BTF")).unwrap()
}

fn hex(text: &str) -> Vec<u8> {
    let digit = |c: u8| (c as char).to_digit(16).unwrap() as u8;
    text.as_bytes().chunks(2).map(|c| digit(c[0]) << 4 | digit(c[1])).collect()
}

/// Pairs of bytes and what is shown of them.
fn shown() -> Vec<(Vec<u8>, String)> {
    let lines: Vec<&str> = SHOWN.lines().collect();
    // bpftool shows numbers of an unsigned 64-bit enumeration as signed ones; ours are as the type says.
    let fix = |text: &str| text.replace("-2253041775215705379", "16193702298493846237");
    lines.chunks(2).map(|c| (hex(c[0]), fix(c[1]))).collect()
}

#[test]
fn data_is_shown_as_bpftool_shows_it() {
    let btf = btf();
    let all = btf.find(Kind::Struct, "all").unwrap();
    for (bytes, text) in shown() {
        assert_eq!(btf.decode(all, &bytes).unwrap().to_string(), text);
    }
}

#[test]
fn what_was_decoded_encodes_to_bytes_that_mean_the_same() {
    let btf = btf();
    let all = btf.find(Kind::Struct, "all").unwrap();
    for (bytes, _) in shown() {
        let value = btf.decode(all, &bytes).unwrap();
        let again = btf.encode(all, &value).unwrap();
        assert_eq!(btf.decode(all, &again).unwrap(), value);
        // Outside padding and the rest of texts they are the same bytes.
        assert!(bytes[..4] == again[..4] && bytes[32..40] == again[32..40]);
    }
}

#[test]
fn names_numbers_and_texts_are_taken_for_what_they_mean() {
    let btf = btf();
    let all = btf.find(Kind::Struct, "all").unwrap();
    let text = |t: &str| Value::Str(t.into());
    let given = [
        ("n", text("0x10")),
        ("s", text("tcp")),
        ("c", text("NEG")),
        ("bf1", text("7")),
        ("bf2", Value::Bits(3)),
        ("ok", Value::Int(1)),
        ("sc", Value::Int(-128)),
        ("ll", Value::Int(u64::MAX.into())),
        ("ce", text("GREEN")),
        ("anon", Value::Int(-2)),
        ("b", text("BIG")),
        ("m2", Value::Array(vec![Value::Array(vec![]), Value::Array(vec![Value::Int(9)])])),
    ];
    let given = Value::Struct(given.into_iter().map(|(n, v)| (n.to_string(), v)).collect());
    let bytes = btf.encode(all, &given).unwrap();
    let Value::Struct(back) = btf.decode(all, &bytes).unwrap() else { panic!() };
    let back = |name: &str| back.iter().find(|m| m.0 == name).unwrap().1.to_string();
    let expected = [
        ("n", "16"),
        ("s", r#""tcp""#),
        ("c", r#""NEG""#),
        ("bf1", r#""0x7""#),
        ("bf2", r#""0x3""#),
        ("ok", "true"),
        ("sc", "-128"),
        ("ll", "18446744073709551615"),
        ("ce", r#""0x5""#),
        ("", r#"{"anon":-2}"#),
        ("b", r#""BIG""#),
        ("m2", "[[0,0],[9,0]]"),
        ("arr", "[0,0,0]"),
    ];
    for (name, text) in expected {
        assert_eq!(back(name), text, "{name}");
    }
}

#[test]
fn global_data_is_a_value_of_its_section() {
    let mut w = Writer::default();
    w.text("");
    w.add("int", 1, 0, false, 4, &[0x0100_0020]);
    w.add("double", 16, 0, false, 8, &[]);
    w.add("count", 14, 0, false, 1, &[1]);
    w.add("rate", 14, 0, false, 2, &[1]);
    w.add(".data", 15, 2, false, 16, &[3, 0, 4, 4, 8, 8]);
    let btf = Btf::parse(&w.bytes(false)).unwrap();
    let bytes = [&(-7i32).to_le_bytes()[..], &[0; 4], &1.5f64.to_le_bytes()].concat();
    let value = btf.decode(TypeId(5), &bytes).unwrap();
    assert_eq!(value.to_string(), r#"{"count":-7,"rate":1.5}"#);
    assert_eq!(btf.encode(TypeId(5), &value).unwrap(), bytes);
    assert_eq!(btf.decode(TypeId(2), &f64::NAN.to_le_bytes()).unwrap().to_string(), "\"NaN\"");
}

/// The message of encoding one member of `all`.
fn refused(name: &str, value: Value) -> (&'static str, String) {
    let btf = btf();
    let all = btf.find(Kind::Struct, "all").unwrap();
    let error = btf.encode(all, &Value::Struct(vec![(name.into(), value)])).unwrap_err();
    (error.code(), error.to_string())
}

#[test]
fn what_does_not_fit_is_refused_with_its_place() {
    let (int, text) = (Value::Int, |t: &str| Value::Str(t.into()));
    let one = |name: &str, value| Value::Struct(vec![(String::from(name), value)]);
    let rows: [(&str, Value, &str, &str); 13] = [
        ("n", int(-1), "value-out-of-range", "value.n: -1 does not fit into 32 bits"),
        ("n", int(1 << 32), "value-out-of-range", "value.n: 4294967296 does not fit into 32 bits"),
        ("sc", int(128), "value-out-of-range", "value.sc: 128 does not fit into 8 bits"),
        ("bf1", int(8), "value-out-of-range", "value.bf1: 8 does not fit into 3 bits"),
        ("ok", int(2), "value-out-of-range", "value.ok: 2 does not fit into 1 bits"),
        ("nil", int(2), "value-no-member", "value: no member nil"),
        ("in", one("c", int(1)), "value-no-member", "value.in: no member c"),
        ("c", text("BLUE"), "value-no-enumerator", "value.c: no enumerator BLUE"),
        ("n", text("x"), "value-wrong-form", "value.n: a number expected"),
        ("in", int(1), "value-wrong-form", "value.in: an object expected"),
        ("arr", int(1), "value-wrong-form", "value.arr: an array expected"),
        ("s", text("12345678"), "value-too-many-elements", "value.s: 9 elements, the array has 8"),
        (
            "arr",
            Value::Array(vec![int(1), int(2), int(3), int(4)]),
            "value-too-many-elements",
            "value.arr: 4 elements, the array has 3",
        ),
    ];
    for (name, value, code, message) in rows {
        assert_eq!(refused(name, value), (code, message.to_string()));
    }
}

#[test]
fn short_data_and_types_without_data_are_refused() {
    let btf = btf();
    let all = btf.find(Kind::Struct, "all").unwrap();
    let error = btf.decode(all, &[0; 8]).unwrap_err();
    assert_eq!(error.to_string(), "value: 272 bytes needed, 8 there");
    assert_eq!(btf.decode(TypeId::VOID, &[]).unwrap_err().code(), "btf-no-size");
    assert_eq!(btf.encode(TypeId(u32::MAX), &Value::Int(0)).unwrap_err().code(), "btf-no-type");
}

/// Structures of nothing within each other, `n` deep and `width` at each level.
fn nested(n: u32, width: u32) -> Btf {
    let mut w = Writer::default();
    w.text("");
    for level in 0..n {
        let inner = level + 2;
        let member = [0, if level + 1 == n { 1 } else { inner }, 0];
        w.add("s", 4, width, false, 0, &member.repeat(width as usize));
    }
    Btf::parse(&w.bytes(false)).unwrap()
}

#[test]
fn hostile_types_cost_no_more_than_their_bytes() {
    // One in the other without end.
    let error = nested(3, 1).decode(TypeId(1), &[]).unwrap_err();
    assert_eq!((error.code(), &*error.to_string()), ("value-too-deep", "value: nested deeper than 32"));
    // Two of them at each level: more than anyone has time for.
    let btf = nested(40, 2);
    assert_eq!(btf.decode(TypeId(1), &[]).unwrap_err().code(), "value-too-deep");
    let named = Value::Struct(vec![("x".into(), Value::Int(0))]);
    let error = btf.encode(TypeId(1), &named).unwrap_err();
    assert_eq!(error.code(), "value-too-many");
    // Four billion elements without a byte.
    let mut w = Writer::default();
    w.text("");
    w.add("e", 4, 0, false, 0, &[]);
    w.add("", 3, 0, false, 0, &[1, 1, u32::MAX]);
    let btf = Btf::parse(&w.bytes(false)).unwrap();
    let error = btf.decode(TypeId(2), &[]).unwrap_err();
    assert_eq!((error.code(), &*error.to_string()), ("value-too-many", "value[4095]: more than 4096 parts"));
}
