//! Every kind of mistake as it is shown, in `error_texts.txt`; `BLESS=1` rewrites that.

use std::collections::BTreeSet;

use oxbpf_isa::text::{Dialect, MAX_SOURCE, TextFault, parse_as};

/// A number for each kind: what is added to the enumeration is missed here by the compiler, and then by the test.
fn kind(fault: &TextFault) -> usize {
    match fault {
        TextFault::Syntax { .. } => 0,
        TextFault::Mnemonic { .. } => 1,
        TextFault::Register { .. } => 2,
        TextFault::NumberedRegister { .. } => 3,
        TextFault::Width { .. } => 4,
        TextFault::Type { .. } => 5,
        TextFault::Operand { .. } => 6,
        TextFault::SameRegister { .. } => 7,
        TextFault::Number { .. } => 8,
        TextFault::Range { .. } => 9,
        TextFault::Bits { .. } => 10,
        TextFault::Constant { .. } => 11,
        TextFault::Arguments { .. } => 12,
        TextFault::Fields { .. } => 13,
        TextFault::Dialect { .. } => 14,
        TextFault::Distance { .. } => 15,
        TextFault::DuplicateLabel { .. } => 16,
        TextFault::UnknownLabel { .. } => 17,
        TextFault::Addend { .. } => 18,
        TextFault::Opcode { .. } => 19,
        TextFault::Bytes { .. } => 20,
        TextFault::NotInsn { .. } => 21,
        TextFault::Size { .. } => 22,
    }
}

/// How many kinds there are.
const KINDS: usize = 23;

const TEXTS: &[(Dialect, &str)] = &[
    (Dialect::Clang, "r0 = 1 2"),
    (Dialect::Clang, "r0 = frob(r1)"),
    (Dialect::Clang, "r11 = 1"),
    (Dialect::Gnu, "mov %r0, %r11"),
    (Dialect::Clang, "w0 += r1"),
    (Dialect::Clang, "lock *(u16 *)(r1 + 0) += r2"),
    (Dialect::Clang, "r0 = flows"),
    (Dialect::Clang, "r0 = be16 r1"),
    (Dialect::Clang, "r0 = 010"),
    (Dialect::Clang, "r0 = 2147483648"),
    (Dialect::Gnu, "endbe %r0, 17"),
    (Dialect::Gnu, "endle %r0, 0"),
    (Dialect::Gnu, "movs %r0, %r1, 64"),
    (Dialect::Gnu, "movs32 %r0, %r1, 32"),
    (Dialect::Ubpf, "movsx964 %r0, %r1"),
    (Dialect::Macros, "BPF_MOV64_IMM(BPF_REG_0, ETH_ALEN),"),
    (Dialect::Macros, "BPF_RAW_INSN(BPF_FOO, 0, 0, 0, 0),"),
    (Dialect::Macros, "BPF_LDX_MEM(BPF_W, BPF_REG_0, BPF_REG_1, len),"),
    (Dialect::Macros, "BPF_MOV64_IMM(BPF_REG_0),"),
    (Dialect::Macros, "BPF_MOV64_REG(BPF_REG_0, BPF_REG_1, 0),"),
    (Dialect::Macros, "BPF_EXIT_INSN(0),"),
    (Dialect::Macros, "BPF_RAW_INSN(0xff, 0, 0, 0, 0),"),
    (Dialect::Macros, "BPF_RAW_INSN(BPF_JMP | BPF_EXIT, 0, 0, 1, 0),"),
    (Dialect::Clang, "ld_pseudo r1, 0xf, 0x5"),
    (Dialect::Clang, "mov r0, 2 ; two"),
    (Dialect::Clang, "a:\na: exit"),
    (Dialect::Clang, "goto nowhere"),
    (Dialect::Clang, "r1 = f + 8 ll\nf: exit"),
    (Dialect::Clang, "(62) r0 = 1"),
    (Dialect::Clang, "b7 00 00 00 01 00 00 00 r0 = 2"),
    (Dialect::Clang, "   0: (b7) r0 = 2\n       b7 00 00 00 01 00 00 00"),
    (Dialect::Clang, "b7 0f 00 00 01 00 00 00 r0 = 2"),
    (Dialect::Clang, "   0: (bf) r0 = r0\n       bf 00 ff ff 00 00 00 00"),
];

#[test]
fn every_kind_is_shown_as_committed() {
    let far = format!("goto end\n{}end: exit", "r0 = 0\n".repeat(32768));
    let long = " ".repeat(MAX_SOURCE + 1);
    let more = [(Dialect::Clang, far.as_str()), (Dialect::Clang, &long)];
    let (mut shown, mut kinds, mut codes) = (String::new(), BTreeSet::new(), BTreeSet::new());
    for (dialect, text) in TEXTS.iter().chain(&more) {
        let errors = parse_as(text, *dialect).expect_err(text);
        assert_eq!(errors.len(), 1, "{text}: {errors:?}");
        kinds.insert(kind(&errors[0].fault));
        codes.insert(errors[0].code());
        shown += &(errors.render(text, "text") + "\n");
    }
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/error_texts.txt");
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(file, &shown).expect("written");
    }
    assert_eq!(shown, std::fs::read_to_string(file).expect("committed"));
    let all: BTreeSet<usize> = (0..KINDS).collect();
    assert_eq!(kinds, all);
    // Two kinds, with lower halves and without, are one to their reader.
    assert_eq!(codes.len(), KINDS - 1, "{codes:?}");
}
