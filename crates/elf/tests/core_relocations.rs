//! CO-RE records are told of by name, and only to programs that have them.

mod common;

use common::{ALLOC, FUNC, PROGBITS, RETURN, Writer};
use oxbpf_elf::load;

fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|w| w.to_le_bytes()).collect()
}

/// BTF with one structure, and a CO-RE record for slot 1 of section `tc`.
fn types_and_record() -> (Vec<u8>, Vec<u8>) {
    let strings = b"\0tc\0sk_buff\x000:1\0";
    let mut btf = vec![0x9f, 0xeb, 1, 0];
    btf.extend(words(&[24, 0, 12, 12, strings.len() as u32, /* struct */ 4, 4 << 24, 8]));
    btf.extend(strings);
    let mut ext = vec![0x9f, 0xeb, 1, 0];
    ext.extend(words(&[32, 0, 0, 0, 0, 0, 28, /* record length */ 16, 1, 1, 8, 1, 12, 0]));
    (btf, ext)
}

#[test]
fn a_program_with_a_core_record_is_refused_by_name() {
    let mut w = Writer::default();
    for name in ["tc", "tc/plain"] {
        let code = w.code(name, &[&RETURN]);
        w.symbol(if name == "tc" { "core" } else { "plain" }, FUNC, code, 0, 16);
    }
    let (btf, ext) = types_and_record();
    w.section(".BTF", PROGBITS, 0, &btf, btf.len() as u64);
    w.section(".BTF.ext", PROGBITS, ALLOC, &ext, ext.len() as u64);
    let object = load(&w.bytes()).unwrap();
    let link = |name| object.unit("t", &[object.select(Some(name)).unwrap()], |p| p.prog_type());
    let error = link("tc").unwrap_err();
    assert_eq!(error.code(), "elf-unsupported");
    assert_eq!(error.to_string(), "section tc: CO-RE relocation byte_off of type sk_buff at 0x8 is not supported");
    assert!(link("tc/plain").is_ok());
}
