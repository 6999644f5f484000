//! Every kind of error in its exact words. Which inputs have them stands with what they are about, most in `errors.rs`,
//! `core_errors.rs`, `maps.rs` and `kernel.rs`.

#[path = "../../../tests/codes/mod.rs"]
mod codes;

use codes::{Row, check, shown};
use oxbpf_btf::core::CoreError as C;
use oxbpf_btf::{BtfError, TypeId};
use oxbpf_elf::ElfError as E;
use oxbpf_elf::core::CoreFault as F;
use oxbpf_ir::{BuildError, BuildFault, UnitError};
use oxbpf_isa::{DecodeError, DecodeFault, Slot};

fn row(code: &'static str, words: &'static str, error: E) -> Row {
    (code, words, shown!(error))
}

fn core(code: &'static str, words: &'static str, fault: impl Into<F>) -> Row {
    let error = E::Core { section: "tc".into(), at: 8, kind: "byte_off", fault: fault.into() };
    let (code_found, shown) = shown!(error);
    let words_found = shown.strip_prefix("section tc: CO-RE relocation byte_off at 0x8: ").expect("the place");
    (code, words, (code_found, words_found.to_string()))
}

#[test]
fn objects() {
    let tc = || String::from("tc");
    let there = || vec![String::from("tc/a"), "tc/b".into()];
    let map = UnitError::NoSuchProgram { map: "jumps".into(), index: 7, count: 1 };
    let decode = DecodeError { slot: Slot(3), fault: DecodeFault::Register { number: 12 } };
    let build = BuildError { slot: Slot(3), fault: BuildFault::FramePointerWritten };
    check(
        include_str!("../src/error.rs"),
        &[
            row("elf-malformed", "not a usable ELF file: it is empty", E::Malformed { detail: "it is empty".into() }),
            row("elf-read", "permission denied", E::Read { detail: "permission denied".into() }),
            row("elf-no-btf", "the ELF file has no section .BTF", E::NoBtf),
            row(
                "elf-wrong-file",
                "the ELF file is of 32 bits; clang -target bpf -c makes 64-bit relocatable ones",
                E::WrongFile { what: "of 32 bits" },
            ),
            row(
                "elf-big-endian",
                "the object is big-endian and runs on no little-endian machine; compile with -target bpfel",
                E::BigEndian,
            ),
            row(
                "elf-wrong-machine",
                "the object is for machine 62, not for BPF (247); compile with -target bpf",
                E::WrongMachine { found: 62 },
            ),
            row("elf-sections-overlap", "sections overlap: together they are larger than the file", E::SectionsOverlap),
            row(
                "elf-section-outside",
                "section tc: contents lie outside the file",
                E::SectionOutside { section: tc() },
            ),
            row("elf-bad-name", "name at offset 9 of the string table is not usable", E::BadName { offset: 9 }),
            row("elf-too-many", "1025 maps, more than 1024", E::TooMany { what: "maps", count: 1025, limit: 1024 }),
            row(
                "elf-code-length",
                "section tc: 17 bytes are not whole instructions",
                E::CodeLength { section: tc(), len: 17 },
            ),
            row(
                "elf-bad-function",
                "section tc: function far at 0x8 does not fit",
                E::BadFunction { section: tc(), function: "far".into(), at: 8 },
            ),
            row(
                "elf-bad-relocation",
                "section tc: relocation at 0x4: it does not stand at an instruction",
                E::BadRelocation { section: tc(), at: 4, what: "it does not stand at an instruction" },
            ),
            row(
                "elf-bad-call",
                "section tc: call at 0x0 leads to 0x8, where no function starts",
                E::BadCall { section: tc(), at: 0, target: 8 },
            ),
            row(
                "elf-bad-map",
                "section maps: map m: it has no type",
                E::BadMap { section: "maps".into(), map: "m".into(), what: "it has no type" },
            ),
            row(
                "elf-map-needs-btf",
                "map m is declared in .maps, and the object has no BTF to describe it; compile with -g",
                E::MapNeedsBtf { map: "m".into() },
            ),
            row(
                "elf-kconfig",
                "kernel setting CONFIG_HZ: its type does not hold 1000",
                E::Kconfig { name: "CONFIG_HZ".into(), what: "its type does not hold 1000".into() },
            ),
            row(
                "elf-no-tail-slot",
                "section 1/9: the program array of that id has no such slot",
                E::NoTailSlot { section: "1/9".into() },
            ),
            row(
                "btf-too-deep",
                "section .BTF: type [7] refers on through more than 64 types",
                E::Btf { section: ".BTF", error: BtfError::TooDeep { id: TypeId(7) } },
            ),
            row(
                "isa-register",
                "program tc: insn 3: register r12 does not exist",
                E::Decode { program: tc(), error: decode },
            ),
            row(
                "build-frame-pointer-written",
                "program tc: insn 3: frame pointer is read only",
                E::Build { program: tc(), error: build },
            ),
            row("build-no-such-program", "map jumps holds program 7; the unit has 1", E::Unit(map)),
            row(
                "elf-unsupported",
                "section tc: a wide load at 0x0 is not supported",
                E::Unsupported { section: tc(), at: 0, what: "a wide load".into() },
            ),
            row(
                "elf-no-core-target",
                "section tc: CO-RE relocation byte_off of sk_buff at 0x8 needs the BTF of a kernel; give one",
                E::NoCoreTarget { section: tc(), at: 8, kind: "byte_off", what: "sk_buff".into() },
            ),
            row(
                "elf-no-program",
                "no program xdp; there are: tc/a, tc/b",
                E::NoProgram { wanted: "xdp".into(), there: there() },
            ),
            row(
                "elf-no-program",
                "no program xdp; there are: none",
                E::NoProgram { wanted: "xdp".into(), there: vec![] },
            ),
            row(
                "elf-ambiguous",
                "tc names several programs: tc/a, tc/b",
                E::Ambiguous { wanted: tc(), there: there() },
            ),
            row(
                "elf-no-program-type",
                "section lb tells no program type; give one",
                E::NoProgramType { section: "lb".into() },
            ),
        ],
    );
}

#[test]
fn core_records() {
    let id = TypeId(4);
    let access = C::BadAccess { id, access: "0:9".into(), what: "not numbers between colons" };
    let several = C::Ambiguous { name: "sk_buff".into(), first: "4".into(), second: "8".into() };
    let rows = [
        core("btf-no-type", "there is no type [4]", C::from(BtfError::NoType { id })),
        core("core-bad-access", "access string \"0:9\" of type [4]: not numbers between colons", access),
        core("core-anonymous", "type [4] has no name to look for", C::Anonymous { id }),
        core("core-ambiguous", "the target has several types sk_buff that disagree: 4 or 8", several),
        core(
            "core-not-a-member",
            "signed is asked of a[1], which is no member",
            C::NotAMember { kind: "signed", field: "a[1]".into() },
        ),
        core(
            "core-wide-bit-field",
            "bit field a.b lies across more than 8 aligned bytes",
            C::WideBitField { field: "a.b".into() },
        ),
        core(
            "core-too-many-candidates",
            "the target has more than 1024 types a",
            C::TooManyCandidates { name: "a".into(), limit: 1024 },
        ),
        core("core-too-complex", "comparing types takes more than 9 steps", C::TooComplex { limit: 9 }),
        core(
            "core-wrong-insn",
            "an instruction of code 0x95 holds no offset or value to adapt",
            F::WrongInsn { code: 0x95 },
        ),
        core(
            "core-unexpected",
            "the instruction holds 8 where the object's types say 4",
            F::Unexpected { holds: 8, expected: 4 },
        ),
        core("core-out-of-range", "offset 40000 does not fit into a load or store", F::OutOfRange { value: 40000 }),
        core(
            "core-wrong-width",
            "the instruction accesses 1 bytes of a field of 4",
            F::WrongWidth { insn: 1, field: 4 },
        ),
        core("core-no-width", "the target's field has 3 bytes, which no instruction accesses", F::NoWidth { field: 3 }),
    ];
    check(include_str!("../../btf/src/core/error.rs"), &rows);
    check(include_str!("../src/core/fault.rs"), &rows);
}
