//! Why an instruction could not be adapted.

use oxbpf_btf::core::CoreError;
use thiserror::Error;

/// Why a CO-RE record could not be answered, or its answer not be put into the
/// instruction.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum CoreFault {
    /// The record has no answer.
    #[error(transparent)]
    Record(#[from] CoreError),
    /// An instruction that cannot hold an answer.
    #[error("an instruction of code {code:#04x} holds no offset or value to adapt")]
    WrongInsn {
        /// Its opcode byte.
        code: u8,
    },
    /// An instruction that holds something else than what the record is about.
    #[error("the instruction holds {holds} where the object's types say {expected}")]
    Unexpected {
        /// What it holds.
        holds: u64,
        /// What it has to.
        expected: u64,
    },
    /// An offset beyond what loads and stores have.
    #[error("offset {value} does not fit into a load or store")]
    OutOfRange {
        /// The offset.
        value: u64,
    },
    /// A load or store of another width than the field has.
    #[error("the instruction accesses {insn} bytes of a field of {field}")]
    WrongWidth {
        /// Bytes of the access.
        insn: u64,
        /// Bytes of the field, in the object.
        field: u64,
    },
    /// A field that no single load or store accesses.
    #[error("the target's field has {field} bytes, which no instruction accesses")]
    NoWidth {
        /// Bytes of the field, in the target.
        field: u64,
    },
}

impl CoreFault {
    /// The stable name of the error, for tests and machine-readable output.
    pub fn code(&self) -> &'static str {
        match self {
            CoreFault::Record(e) => e.code(),
            CoreFault::WrongInsn { .. } => "core-wrong-insn",
            CoreFault::Unexpected { .. } => "core-unexpected",
            CoreFault::OutOfRange { .. } => "core-out-of-range",
            CoreFault::WrongWidth { .. } => "core-wrong-width",
            CoreFault::NoWidth { .. } => "core-no-width",
        }
    }
}
