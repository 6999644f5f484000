//! Each kind of error as it is shown, with its code. Those of maps, of the kernel's settings and of CO-RE stand with
//! what they are about.

mod common;

use common::{FUNC, R_64_32, R_64_64, RETURN, Writer, call, insn, refused, wide};
use oxbpf_elf::load;

/// `refused`, as code and text.
fn shown(bytes: &[u8]) -> (&'static str, String) {
    let error = refused(bytes);
    (error.code(), error.to_string())
}

fn is(bytes: &[u8], code: &str, text: &str) {
    let (found_code, found) = shown(bytes);
    assert_eq!((found_code, found.as_str()), (code, text));
}

fn one_program(section: &str, code: &[&[u8]]) -> Vec<u8> {
    let mut w = Writer::default();
    w.code(section, code);
    w.bytes()
}

fn patched(mut bytes: Vec<u8>, at: usize, patch: &[u8]) -> Vec<u8> {
    bytes[at..at + patch.len()].copy_from_slice(patch);
    bytes
}

/// Where the header of a section starts.
fn header(bytes: &[u8], section: usize) -> usize {
    u64::from_le_bytes(bytes[40..48].try_into().unwrap()) as usize + 64 * section
}

#[test]
fn files() {
    is(b"", "elf-malformed", "not a usable ELF file: it is empty");
    is(b"text", "elf-malformed", "not a usable ELF file: it does not start with \\x7fELF");
    let good = || one_program("tc", &[&RETURN]);
    let of_32_bits = "the ELF file is of 32 bits; clang -target bpf -c makes 64-bit relocatable ones";
    is(&patched(good(), 4, &[1]), "elf-wrong-file", of_32_bits);
    let linked = "the ELF file is already linked; clang -target bpf -c makes 64-bit relocatable ones";
    is(&patched(good(), 16, &[2]), "elf-wrong-file", linked);
    let machine = "the object is for machine 62, not for BPF (247); compile with -target bpf";
    is(&patched(good(), 18, &[62, 0]), "elf-wrong-machine", machine);
    let big = include_bytes!("objects/counts_be.o");
    let text = "the object is big-endian and runs on no little-endian machine; compile with -target bpfel";
    is(big, "elf-big-endian", text);
}

#[test]
fn sections() {
    let good = one_program("tc", &[&RETURN]);
    let at = header(&good, 1);
    let outside = patched(good.clone(), at + 24, &u64::to_le_bytes(1 << 40));
    is(&outside, "elf-section-outside", "section tc: contents lie outside the file");
    let huge = patched(good.clone(), at + 32, &u64::to_le_bytes(1 << 40));
    is(&huge, "elf-sections-overlap", "sections overlap: together they are larger than the file");
    let unnamed = patched(good, at, &u32::to_le_bytes(9999));
    is(&unnamed, "elf-bad-name", "name at offset 9999 of the string table is not usable");
    is(&one_program("tc", &[&RETURN, &[1]]), "elf-code-length", "section tc: 17 bytes are not whole instructions");
}

#[test]
fn limits() {
    let mut w = Writer::default();
    for i in 0..1025 {
        w.data(&format!(".data.{i}"), &[0]);
    }
    w.code("tc", &[&RETURN]);
    is(&w.bytes(), "elf-too-many", "1025 maps, more than 1024");
    let mut w = Writer::default();
    w.section(".bss", common::NOBITS, common::ALLOC, &[], 1 << 32);
    w.code("tc", &[&RETURN]);
    is(&w.bytes(), "elf-too-many", "4294967296 bytes of global data, more than 2147483647");
    let mut w = Writer::default();
    w.code("tc", &[&RETURN]);
    for i in 0..4097 {
        w.symbol(&format!("e{i}"), 0x10, 0, 0, 0);
    }
    is(&w.bytes(), "elf-too-many", "4097 externs, more than 4096");
}

#[test]
fn functions_and_references() {
    let mut w = Writer::default();
    let tc = w.code("tc", &[&RETURN]);
    w.symbol("far", FUNC, tc, 8, 16);
    is(&w.bytes(), "elf-bad-function", "section tc: function far at 0x8 does not fit");

    let relocated = |first: &[u8], at, kind| {
        let mut w = Writer::default();
        let text = w.code(".text", &[&RETURN]);
        let tc = w.code("tc", &[first, &RETURN]);
        let callee = w.symbol("callee", FUNC, text, 0, 16);
        w.reloc(tc, at, kind, callee);
        w.bytes()
    };
    let odd = "section tc: relocation at 0x4: it does not stand at an instruction";
    is(&relocated(&call(-1), 4, R_64_32), "elf-bad-relocation", odd);
    let kind = "section tc: relocation at 0x0: its kind does not belong into code";
    for number in [0, 2, 3, 4, 99] {
        is(&relocated(&call(-1), 0, number), "elf-bad-relocation", kind);
    }
    let no_load = "section tc: relocation at 0x0: it does not stand at a wide load";
    is(&relocated(&call(-1), 0, R_64_64), "elf-bad-relocation", no_load);
    let middle = "section tc: call at 0x0 leads to 0x8, where no function starts";
    is(&relocated(&call(0), 0, R_64_32), "elf-bad-call", middle);
    let mut own = wide(0);
    own[1] |= 0x10;
    let text = "section tc: a wide load of a map or kernel object without a relocation at 0x0 is not supported";
    is(&one_program("tc", &[&own, &RETURN]), "elf-unsupported", text);
}

#[test]
fn programs() {
    is(&one_program("tc", &[&insn(0xff, 0, 0, 0), &RETURN]), "isa-opcode", "program tc: insn 0: unknown opcode 0xff");
    let endless = "program tc: insn 0: control runs past the last instruction of function tc";
    is(&one_program("tc", &[&RETURN[..8]]), "build-falls-off", endless);
    let bytes = one_program("lb", &[&RETURN]);
    let object = load(&bytes).unwrap();
    let error = object.unit("t", &[0], |p| p.prog_type()).unwrap_err();
    assert_eq!(
        (error.code(), error.to_string().as_str()),
        ("elf-no-program-type", "section lb tells no program type; give one")
    );
    let missing = object.select(Some("tc")).unwrap_err();
    assert_eq!((missing.code(), missing.to_string().as_str()), ("elf-no-program", "no program tc; there are: lb"));
    let mut w = Writer::default();
    w.code("tc/a", &[&RETURN]);
    w.code("tc/b", &[&RETURN]);
    let several = load(&w.bytes()).unwrap().select(None).unwrap_err();
    let text = "the object names several programs: tc/a/tc/a, tc/b/tc/b";
    assert_eq!((several.code(), several.to_string().as_str()), ("elf-ambiguous", text));
}

#[test]
fn debug_types() {
    let mut w = Writer::default();
    w.code("tc", &[&RETURN]);
    w.section(".BTF", common::PROGBITS, 0, &[0; 24], 24);
    is(&w.bytes(), "btf-bad-magic", "section .BTF: magic number 0x0000 is not 0xeb9f");
}

#[test]
fn records_of_sections_that_share_a_name_are_left_out() {
    let mut w = Writer::default();
    for name in ["first", "second"] {
        let code = w.code("tc", &[&RETURN]);
        w.symbol(name, FUNC, code, 0, 16);
    }
    let words = |words: &[u32]| words.iter().flat_map(|w| w.to_le_bytes()).collect::<Vec<u8>>();
    let strings = b"\0tc\0a.c\0";
    let mut btf = vec![0x9f, 0xeb, 1, 0];
    btf.extend(words(&[24, 0, 0, 0, strings.len() as u32]));
    btf.extend(strings);
    let mut ext = vec![0x9f, 0xeb, 1, 0];
    ext.extend(words(&[24, 0, 0, 0, 28, /* record length */ 16, 1, 1, 0, 4, 4, 1 << 10]));
    w.section(".BTF", common::PROGBITS, 0, &btf, btf.len() as u64);
    w.section(".BTF.ext", common::PROGBITS, 0, &ext, ext.len() as u64);
    let object = load(&w.bytes()).unwrap();
    let notes: Vec<String> = object.notes().iter().map(|n| n.to_string()).collect();
    assert_eq!(notes, ["there are several sections tc: source lines of none of them are known"]);
    let unit = common::link_all(&object).unwrap();
    assert!(unit.programs().iter().all(|p| p.lines().is_empty()));
}
