//! What can be wrong with an object, and where.

use crate::core::CoreFault;
use oxbpf_btf::BtfError;
use oxbpf_ir::{BuildError, UnitError};
use oxbpf_isa::DecodeError;
use thiserror::Error;

/// Why an object, or one program of it, cannot be used.
///
/// `section` names the ELF section at fault, `at` is an offset in it in bytes.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum ElfError {
    /// Not an ELF file, or cut off.
    #[error("not a usable ELF file: {detail}")]
    Malformed {
        /// What the reader stumbled over.
        detail: String,
    },
    /// A file that cannot be read.
    #[error("{detail}")]
    Read {
        /// What the system says.
        detail: String,
    },
    /// An ELF file without the types that were looked for.
    #[error("the ELF file has no section .BTF")]
    NoBtf,
    /// An ELF file of 32 bits, or not relocatable.
    #[error("the ELF file is {what}; clang -target bpf -c makes 64-bit relocatable ones")]
    WrongFile {
        /// What it is.
        what: &'static str,
    },
    /// An object for big-endian machines, of which constants and data are in their order.
    #[error("the object is big-endian and runs on no little-endian machine; compile with -target bpfel")]
    BigEndian,
    /// An object for another machine.
    #[error("the object is for machine {found}, not for BPF (247); compile with -target bpf")]
    WrongMachine {
        /// The ELF machine number.
        found: u16,
    },
    /// Sections that are larger together than the file.
    #[error("sections overlap: together they are larger than the file")]
    SectionsOverlap,
    /// A section's contents lie outside the file.
    #[error("section {section}: contents lie outside the file")]
    SectionOutside {
        /// The section's name, or its number where the name is unreadable.
        section: String,
    },
    /// A name that is too long, not terminated, or not text.
    #[error("name at offset {offset} of the string table is not usable")]
    BadName {
        /// The offset in the string table.
        offset: u32,
    },
    /// More of something than this loader takes.
    #[error("{count} {what}, more than {limit}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many.
        count: u64,
        /// How many are taken.
        limit: u64,
    },
    /// A code section whose length is not a multiple of 8.
    #[error("section {section}: {len} bytes are not whole instructions")]
    CodeLength {
        /// The section.
        section: String,
        /// Its length.
        len: usize,
    },
    /// A function symbol that does not fit its section, or overlaps another.
    #[error("section {section}: function {function} at {at:#x} does not fit")]
    BadFunction {
        /// The section.
        section: String,
        /// The function.
        function: String,
        /// Where it starts.
        at: u64,
    },
    /// A relocation that cannot be applied.
    #[error("section {section}: relocation at {at:#x}: {what}")]
    BadRelocation {
        /// The section that is relocated.
        section: String,
        /// The relocation's offset.
        at: u64,
        /// What is wrong with it.
        what: &'static str,
    },
    /// A call or callback reference that names no function's start.
    #[error("section {section}: call at {at:#x} leads to {target:#x}, where no function starts")]
    BadCall {
        /// The section of the call.
        section: String,
        /// The call's offset.
        at: u64,
        /// The target's offset in its section.
        target: i64,
    },
    /// A legacy map definition that is not understood.
    #[error("section {section}: map {map}: {what}")]
    BadMap {
        /// The section.
        section: String,
        /// The map's name; empty where the section as a whole is wrong.
        map: String,
        /// What is wrong.
        what: &'static str,
    },
    /// Maps that only debug types describe, in an object without them.
    #[error("map {map} is declared in .maps, and the object has no BTF to describe it; compile with -g")]
    MapNeedsBtf {
        /// The map.
        map: String,
    },
    /// A setting of the kernel that cannot be had.
    #[error("kernel setting {name}: {what}")]
    Kconfig {
        /// The setting.
        name: String,
        /// Why.
        what: String,
    },
    /// A section `ID/idx` whose program array has no such slot.
    #[error("section {section}: the program array of that id has no such slot")]
    NoTailSlot {
        /// The section.
        section: String,
    },
    /// Broken debug types.
    #[error("section {section}: {error}")]
    Btf {
        /// `.BTF` or `.BTF.ext`.
        section: &'static str,
        /// What is wrong.
        error: BtfError,
    },
    /// Bytes that are no instruction.
    #[error("program {program}: {error}")]
    Decode {
        /// The program.
        program: String,
        /// What is wrong, in slots of the linked program.
        error: DecodeError,
    },
    /// Instructions that form no program.
    #[error("program {program}: {error}")]
    Build {
        /// The program.
        program: String,
        /// What is wrong, in slots of the linked program.
        error: BuildError,
    },
    /// Programs and maps that do not fit together.
    #[error(transparent)]
    Unit(UnitError),
    /// Something that is right and not supported.
    #[error("section {section}: {what} at {at:#x} is not supported")]
    Unsupported {
        /// The section that needs it.
        section: String,
        /// Where it is needed.
        at: u64,
        /// What is needed, with its name.
        what: String,
    },
    /// A CO-RE record that has no answer, or whose answer does not fit its
    /// instruction.
    #[error("section {section}: CO-RE relocation {kind} at {at:#x}: {fault}")]
    Core {
        /// The section of the instruction.
        section: String,
        /// The instruction's offset.
        at: u64,
        /// What was asked.
        kind: &'static str,
        /// What is wrong.
        fault: CoreFault,
    },
    /// A program that depends on types of the kernel, which were not given.
    #[error("section {section}: CO-RE relocation {kind} of {what} at {at:#x} needs the BTF of a kernel; give one")]
    NoCoreTarget {
        /// The section of the instruction.
        section: String,
        /// The instruction's offset.
        at: u64,
        /// What is asked.
        kind: &'static str,
        /// The type that is asked about.
        what: String,
    },
    /// No program where one was looked for.
    #[error("no program {wanted}; there are: {}", list(there))]
    NoProgram {
        /// What was looked for; empty where none was named.
        wanted: String,
        /// What there is, as `section` or `section/function`.
        there: Vec<String>,
    },
    /// A section of several programs, or an object of several.
    #[error("{wanted} names several programs: {}", list(there))]
    Ambiguous {
        /// What was looked for.
        wanted: String,
        /// The programs, as `section/function`.
        there: Vec<String>,
    },
    /// A section name that says no program type, and none was given.
    #[error("section {section} tells no program type; give one")]
    NoProgramType {
        /// The section.
        section: String,
    },
}

fn list(there: &[String]) -> String {
    if there.is_empty() {
        return "none".to_string();
    }
    there.join(", ")
}

impl ElfError {
    /// Whether nothing is wrong with the object but that this toolchain does
    /// not do what it needs.
    pub fn is_unsupported(&self) -> bool {
        matches!(self, ElfError::Unsupported { .. } | ElfError::BigEndian)
    }

    /// A stable code, `elf-…`; of broken BTF, instructions and programs, theirs.
    pub fn code(&self) -> &'static str {
        match self {
            ElfError::Malformed { .. } => "elf-malformed",
            ElfError::Read { .. } => "elf-read",
            ElfError::NoBtf => "elf-no-btf",
            ElfError::WrongFile { .. } => "elf-wrong-file",
            ElfError::BigEndian => "elf-big-endian",
            ElfError::WrongMachine { .. } => "elf-wrong-machine",
            ElfError::SectionsOverlap => "elf-sections-overlap",
            ElfError::SectionOutside { .. } => "elf-section-outside",
            ElfError::BadName { .. } => "elf-bad-name",
            ElfError::TooMany { .. } => "elf-too-many",
            ElfError::CodeLength { .. } => "elf-code-length",
            ElfError::BadFunction { .. } => "elf-bad-function",
            ElfError::BadRelocation { .. } => "elf-bad-relocation",
            ElfError::BadCall { .. } => "elf-bad-call",
            ElfError::BadMap { .. } => "elf-bad-map",
            ElfError::MapNeedsBtf { .. } => "elf-map-needs-btf",
            ElfError::Kconfig { .. } => "elf-kconfig",
            ElfError::NoTailSlot { .. } => "elf-no-tail-slot",
            ElfError::Btf { error, .. } => error.code(),
            ElfError::Decode { error, .. } => error.code(),
            ElfError::Build { error, .. } => error.code(),
            ElfError::Unit(error) => error.code(),
            ElfError::Unsupported { .. } => "elf-unsupported",
            ElfError::Core { fault, .. } => fault.code(),
            ElfError::NoCoreTarget { .. } => "elf-no-core-target",
            ElfError::NoProgram { .. } => "elf-no-program",
            ElfError::Ambiguous { .. } => "elf-ambiguous",
            ElfError::NoProgramType { .. } => "elf-no-program-type",
        }
    }
}
