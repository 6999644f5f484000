//! How a run may end besides returning: the program did something that no host allows.

use std::fmt;
use std::sync::Arc;

use oxbpf_isa::Slot;
use thiserror::Error;

/// What an access does to memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Access {
    /// Loads.
    Read,
    /// Stores.
    Write,
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Access::Read => "read",
            Access::Write => "write",
        })
    }
}

/// Where an address points, in the program's terms: never a host address, so that reports repeat.
#[derive(Clone, PartialEq, Eq, Debug)]
#[allow(missing_docs)]
pub enum Place {
    /// In or just past a region.
    Region { name: String, off: i64 },
    /// A small number: a null pointer and an offset.
    Null { off: i64 },
    /// Nowhere near anything.
    Nowhere,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Region { name, off } => write!(f, "{name}{off:+}"),
            Place::Null { off } => write!(f, "null{off:+}"),
            Place::Nowhere => f.write_str("an address that belongs to nothing"),
        }
    }
}

/// Why a program was stopped.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[allow(missing_docs)]
pub enum TrapKind {
    #[error("{access} of {size} bytes at {place} is out of bounds")]
    OutOfBounds { access: Access, size: u64, place: Place },
    #[error("write of {size} bytes at {place}, which is read-only")]
    ReadOnly { size: u64, place: Place },
    #[error("read of {size} bytes at {place}, which is write-only")]
    WriteOnly { size: u64, place: Place },
    #[error("atomic access of {size} bytes at {place} is not aligned")]
    Misaligned { size: u64, place: Place },
    #[error("atomic access to the {what}")]
    AtomicNotAllowed { what: &'static str },
    #[error("{access} of {size} bytes at context offset {off} is no access this program type has")]
    Context { access: Access, off: u64, size: u64 },
    #[error("helper {id} does not exist")]
    UnknownHelper { id: u32 },
    #[error("the instruction depends on a type or field that the kernel's types lack (CO-RE)")]
    CoreUnresolved,
    #[error("helper {name} is not available to programs of type {prog_type}")]
    HelperNotAllowed { name: &'static str, prog_type: &'static str },
    #[error("argument r{reg} of helper {helper} is not {wanted}")]
    HelperArg { helper: &'static str, reg: u8, wanted: &'static str },
    #[error("helper {helper} is called while a lock is held")]
    UnderLock { helper: &'static str },
    #[error("legacy packet load while a lock is held")]
    LegacyUnderLock,
    #[error("helper {helper} failed inside: this is a defect of the toolchain")]
    HelperPanic { helper: &'static str },
    #[error("{what} is not supported")]
    Unsupported { what: String },
    #[error("helper {name} is not supported: {why}")]
    HelperRefused { name: &'static str, why: &'static str },
    #[error("legacy packet load without the context in r6")]
    LegacyWithoutContext,
    #[error("call depth exceeds {limit} frames")]
    CallDepth { limit: u32 },
    #[error("fuel of {limit} instructions is used up")]
    OutOfFuel { limit: u64 },
}

impl TrapKind {
    /// A stable name, as reports and `--json` carry it.
    pub const fn code(&self) -> &'static str {
        match self {
            TrapKind::OutOfBounds { .. } => "out-of-bounds",
            TrapKind::ReadOnly { .. } => "read-only",
            TrapKind::WriteOnly { .. } => "write-only",
            TrapKind::Misaligned { .. } => "misaligned",
            TrapKind::AtomicNotAllowed { .. } => "atomic-not-allowed",
            TrapKind::Context { .. } => "context-access",
            TrapKind::UnknownHelper { .. } => "unknown-helper",
            TrapKind::CoreUnresolved => "core-unresolved",
            TrapKind::HelperNotAllowed { .. } => "helper-not-allowed",
            TrapKind::HelperArg { .. } => "helper-argument",
            TrapKind::UnderLock { .. } | TrapKind::LegacyUnderLock => "lock-held",
            TrapKind::HelperPanic { .. } => "helper-panic",
            TrapKind::Unsupported { .. } | TrapKind::HelperRefused { .. } => "unsupported",
            TrapKind::LegacyWithoutContext => "legacy-without-context",
            TrapKind::CallDepth { .. } => "call-depth",
            TrapKind::OutOfFuel { .. } => "out-of-fuel",
        }
    }
}

/// A stopped run: why, in which program, at which instruction.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[error("trap[{}] in {program} at insn {slot}: {kind}", kind.code())]
pub struct Trap {
    /// Why.
    pub kind: TrapKind,
    /// The program that was running; after a tail call not the one that was entered.
    pub program: Arc<str>,
    /// The instruction.
    pub slot: Slot,
}
