//! Every kind of type, written by hand and read back, in both byte orders.

mod common;

use common::Writer;
use oxbpf_btf::{Btf, BtfError, Kind, Linkage, StrOff, Type, TypeId};

/// One type of each kind, at the id of its number.
fn one_of_each() -> Writer {
    let mut w = Writer::default();
    let (x, y) = (w.text("x"), w.text("y"));
    w.add("int", 1, 0, false, 4, &[0x0100_0020]);
    w.add("", 2, 0, false, 4, &[]);
    w.add("", 3, 0, false, 0, &[1, 1, 6]);
    w.add("s", 4, 2, true, 16, &[x, 2, 0, y, 1, 5 << 24 | 64]);
    w.add("u", 5, 1, false, 8, &[x, 2, 0]);
    w.add("e", 6, 2, true, 4, &[x, 7, y, u32::MAX]);
    w.add("f", 7, 0, true, 0, &[]);
    w.add("t", 8, 0, false, 9, &[]);
    w.add("", 9, 0, false, 10, &[]);
    w.add("", 10, 0, false, 11, &[]);
    w.add("", 11, 0, false, 18, &[]);
    w.add("main", 12, 1, false, 13, &[]);
    w.add("", 13, 2, false, 1, &[x, 2, 0, 0]);
    w.add("global", 14, 0, false, 3, &[1]);
    w.add(".data", 15, 1, false, 24, &[14, 0, 24]);
    w.add("double", 16, 0, false, 8, &[]);
    w.add("tag", 17, 0, false, 4, &[u32::MAX]);
    w.add("user", 18, 0, false, 4, &[]);
    w.add("e64", 19, 1, false, 8, &[x, 1, 2]);
    w
}

#[test]
fn every_kind_is_read_in_both_byte_orders() {
    let little = Btf::parse(&one_of_each().bytes(false)).unwrap();
    let big = Btf::parse(&one_of_each().bytes(true)).unwrap();
    assert_eq!(little.len(), 20);
    for (id, t) in little.types() {
        assert_eq!(t.kind() as u32, id.0, "{t:?}");
        assert_eq!(big.get(id), Ok(t));
        let number = Kind::from_number(id.0 as u8);
        assert_eq!(number.unwrap_or(Kind::Void), t.kind());
    }
}

#[test]
fn members_have_offsets_and_bit_widths() {
    let btf = Btf::parse(&one_of_each().bytes(false)).unwrap();
    let s = btf.find(Kind::Struct, "s").unwrap();
    let all: Vec<_> = btf.members(s).map(|(name, m)| (name, m.target.0, m.bit_offset, m.bitfield)).collect();
    assert_eq!(all, [("x", 2, 0, 0), ("y", 1, 64, 5)]);
    // The typedef leads to it through volatile, const, restrict and a tag.
    assert_eq!(btf.resolve(TypeId(8)), Ok(s));
    assert_eq!(btf.members(TypeId(8)).count(), 2);
    assert_eq!(btf.members(TypeId(1)).count(), 0);
}

#[test]
fn sizes_follow_arrays_and_variables() {
    let btf = Btf::parse(&one_of_each().bytes(false)).unwrap();
    let sizes = [(1, 4), (2, 8), (3, 24), (8, 16), (14, 24), (15, 24), (19, 8)];
    for (id, size) in sizes {
        assert_eq!(btf.size_of(TypeId(id)), Ok(size), "type {id}");
    }
    for id in [0, 7, 12, 13, 17] {
        let id = TypeId(id);
        assert_eq!(btf.size_of(id), Err(BtfError::NoSize { id }));
    }
    assert_eq!(btf.size_of(TypeId(20)).unwrap_err().code(), "btf-no-type");
}

#[test]
fn values_functions_and_sections_are_kept() {
    let btf = Btf::parse(&one_of_each().bytes(false)).unwrap();
    let values = |id| match btf.get(TypeId(id)).unwrap() {
        Type::Enum(e) | Type::Enum64(e) => e.values.iter().map(|v| v.value).collect(),
        _ => vec![],
    };
    assert_eq!(values(6), [7, -1]);
    assert_eq!(values(19), [0x2_0000_0001]);

    let (func, proto) = btf.func(TypeId(12)).unwrap();
    assert_eq!((btf.str(func.name), func.linkage), ("main", Linkage::Global));
    assert_eq!((proto.ret.0, proto.params.len()), (1, 2));

    let sec = btf.datasec(".data").unwrap();
    let var = btf.var(sec.vars[0].var).unwrap();
    assert_eq!((btf.str(var.name), sec.vars[0].size), ("global", 24));
    assert!(btf.datasec(".bss").is_none());
}

#[test]
fn circles_end_and_sizes_do_not_overflow() {
    let mut w = Writer::default();
    w.text("");
    w.add("", 10, 0, false, 2, &[]); // const of 2
    w.add("", 9, 0, false, 1, &[]); // volatile of 1
    w.add("", 3, 0, false, 0, &[3, 3, 1]); // array of itself
    w.add("i", 1, 0, false, 4, &[32]);
    w.add("", 3, 0, false, 0, &[4, 4, u32::MAX]);
    w.add("", 3, 0, false, 0, &[5, 4, u32::MAX]);
    w.add("", 3, 0, false, 0, &[6, 4, u32::MAX]);
    let btf = Btf::parse(&w.bytes(false)).unwrap();
    for id in [1, 2, 3] {
        let id = TypeId(id);
        assert_eq!(btf.size_of(id), Err(BtfError::TooDeep { id }));
    }
    assert_eq!(btf.size_of(TypeId(5)), Ok(0x3_ffff_fffc));
    let id = TypeId(7);
    assert_eq!(btf.size_of(id), Err(BtfError::SizeOverflow { id }));
}

/// What one wrong word in a type does.
fn rejects(name: u32, info: u32, word: u32, tail: &[u32]) -> &'static str {
    let mut w = Writer::default();
    w.text("");
    w.types.extend([name, info, word]);
    w.types.extend(tail);
    Btf::parse(&w.bytes(false)).unwrap_err().code()
}

#[test]
fn wrong_words_are_rejected_by_name() {
    assert_eq!(rejects(0, 0, 0, &[]), "btf-unknown-kind");
    assert_eq!(rejects(0, 20 << 24, 0, &[]), "btf-unknown-kind");
    assert_eq!(rejects(1, 2 << 24, 0, &[]), "btf-bad-string-offset");
    assert_eq!(rejects(0, 2 << 24, 2, &[]), "btf-bad-reference");
    assert_eq!(rejects(0, 12 << 24, 0, &[]), "btf-bad-reference");
    assert_eq!(rejects(0, 1 << 24, 3, &[24]), "btf-bad-field");
    assert_eq!(rejects(0, 1 << 24, 4, &[33]), "btf-bad-field");
    assert_eq!(rejects(0, 12 << 24 | 3, 0, &[]), "btf-bad-field");
    assert_eq!(rejects(0, 4 << 24 | 0xffff, 0, &[]), "btf-truncated");
    assert_eq!(rejects(0, 16 << 24, 7, &[]), "btf-bad-field");
}

#[test]
fn wrong_headers_are_rejected_by_name() {
    let good = one_of_each().bytes(false);
    let with = |at: usize, byte: u8| {
        let mut bytes = good.clone();
        bytes[at] = byte;
        Btf::parse(&bytes).unwrap_err().code()
    };
    assert_eq!(with(0, 0), "btf-bad-magic");
    assert_eq!(with(2, 2), "btf-bad-version");
    assert_eq!(with(4, 20), "btf-bad-header-length");
    assert_eq!(with(4, 25), "btf-bad-header-length");
    assert_eq!(with(11, 0xff), "btf-truncated");
    assert_eq!(with(15, 0xff), "btf-truncated");
    assert_eq!(with(good.len() - 1, b'x'), "btf-bad-strings");
}

#[test]
fn text_that_is_not_utf8_is_readable() {
    let mut w = one_of_each();
    let at = w.text("caf?");
    let last = w.strings.len() - 2;
    w.strings[last] = 0xe9; // Latin-1
    let btf = Btf::parse(&w.bytes(false)).unwrap();
    assert_eq!(btf.str(StrOff(at)), "caf?");
    assert_eq!(btf.str(StrOff(u32::MAX)), "");
}
