//! Types back to bytes, and functions as bpftool declares them.

use oxbpf_btf::{Btf, Kind, TypeId};

/// A section of types, each in words, and strings.
fn btf(types: &[&[u32]], strings: &str) -> Vec<u8> {
    let types: Vec<u8> = types.concat().iter().flat_map(|w| w.to_le_bytes()).collect();
    let (types_len, strings_len) = (types.len() as u32, strings.len() as u32);
    let header = [0x1_eb9f, 24, 0, types_len, types_len, strings_len];
    let header = header.iter().flat_map(|w: &u32| w.to_le_bytes());
    header.chain(types).chain(strings.bytes()).collect()
}

const fn info(kind: u32, vlen: u32) -> u32 {
    kind << 24 | vlen
}

const FLAG: u32 = 1 << 31;

/// All kinds; strings: a 1, b 3, c 5.
const TYPES: &[&[u32]] = &[
    &[1, info(1, 0), 4, 0x0100_0020],
    &[0, info(2, 0), 4],
    &[0, info(3, 0), 0, 1, 1, 8],
    &[3, info(4, 2), 8, 1, 1, 0, 3, 1, 32],
    &[3, FLAG | info(5, 1), 4, 1, 1, 3 << 24 | 5],
    &[3, FLAG | info(6, 2), 4, 1, 0xffff_ffff, 3, 7],
    &[5, FLAG | info(7, 0), 0],
    &[5, info(8, 0), 1],
    &[0, info(9, 0), 1],
    &[0, info(10, 0), 4],
    &[0, info(11, 0), 2],
    &[5, info(12, 1), 13],
    &[0, info(13, 5), 2, 1, 8, 0, 17, 3, 3, 1, 11, 0, 0],
    &[1, info(14, 0), 1, 2],
    &[3, info(15, 1), 16, 14, 4, 4],
    &[1, info(16, 0), 8],
    &[0, info(2, 0), 10],
    &[1, info(17, 0), 4, 0xffff_ffff],
    &[1, info(18, 0), 1],
    &[3, info(19, 1), 8, 1, 5, 0x8000_0000],
];

#[test]
fn every_kind_comes_back() {
    let bytes = btf(TYPES, "\0a\0b\0c\0");
    let mut types = Btf::parse(&bytes).unwrap();
    assert_eq!(types.to_bytes(), bytes);
    let last = types.add_string("more\0text");
    assert_eq!(types.add_string("").0, 0);
    let again = Btf::parse(&types.to_bytes()).unwrap();
    assert_eq!(again.str(last), "more?text");
    assert!(again.types().eq(types.types()));
}

#[test]
fn functions_are_declared_as_bpftool_does() {
    let types = Btf::parse(&btf(TYPES, "\0a\0b\0c\0")).unwrap();
    let c = types.find(Kind::Func, "c").unwrap();
    let want = "struct b * c(c a, const struct b *, a [8]b, restrict struct b * a, ...)";
    assert_eq!(types.declaration(c).as_deref(), Some(want));
    assert_eq!(types.declaration(TypeId(1)), None);
}

#[test]
fn hostile_declarations_end() {
    // A pointer to itself; and names that bpftool has no room for.
    let ring: &[&[u32]] = &[&[0, info(2, 0), 1], &[1, info(12, 1), 3], &[0, info(13, 0), 1]];
    assert_eq!(Btf::parse(&btf(ring, "\0a\0")).unwrap().declaration(TypeId(2)), None);
    let long = format!("\0{}\0", "a".repeat(1100));
    let one: &[&[u32]] = &[&[1, info(12, 1), 2], &[0, info(13, 0), 0]];
    assert_eq!(Btf::parse(&btf(one, &long)).unwrap().declaration(TypeId(1)), None);
    // A prototype that takes itself, twice.
    let tree: &[&[u32]] = &[&[1, info(12, 1), 2], &[0, info(13, 2), 0, 0, 2, 0, 2]];
    assert_eq!(Btf::parse(&btf(tree, "\0a\0")).unwrap().declaration(TypeId(1)), None);
}
