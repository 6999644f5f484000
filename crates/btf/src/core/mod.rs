//! CO-RE: what an instruction that depends on the layout of foreign types has
//! to hold, given those types.
//!
//! An object's BTF.ext records ([`CoreRelo`](crate::CoreRelo)) name a type of the object's own
//! BTF, a way into it and what of it is wanted. A [`CoreTarget`] holds the
//! types to adapt to: the running kernel's, or any BTF. A [`CoreResolver`]
//! looks each record up there; putting the results into instructions is for
//! who has the instructions.
//!
//! ```text
//!  record ──parse──→ local Spec ──find in each type of that name──→ target Specs ──agree?──→ Resolved
//! ```
//!
//! The rules are libbpf's, as found by comparing with it; `docs/core.md` tells
//! them.

mod compat;
mod error;
mod finder;
mod matches;
mod name;
mod resolver;
mod spec;
mod target;
mod value;
mod work;

pub use error::CoreError;
pub use name::essential;
pub use resolver::{CoreResolver, Resolved};
pub use spec::{Spec, Step};
pub use target::CoreTarget;
pub use value::Access;

use crate::ext::CoreKind;

/// The longest way into a type, and the deepest nesting that is compared.
pub(crate) const MAX_STEPS: usize = 64;

/// How deep types behind types are compared.
pub(crate) const MAX_COMPARE_DEPTH: u32 = 32;

/// Types of one name that are looked at. The kernel has some dozens at most.
pub(crate) const MAX_CANDIDATES: usize = 1024;

/// Members and names looked at for all records of one object; about a second.
pub(crate) const MAX_WORK: u64 = 1 << 25;

/// The three things that a record can ask about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Subject {
    Field,
    Type,
    EnumValue,
}

impl CoreKind {
    pub(crate) fn subject(self) -> Subject {
        match self {
            CoreKind::FieldByteOffset
            | CoreKind::FieldByteSize
            | CoreKind::FieldExists
            | CoreKind::FieldSigned
            | CoreKind::FieldLeftShift
            | CoreKind::FieldRightShift => Subject::Field,
            CoreKind::TypeIdLocal
            | CoreKind::TypeIdTarget
            | CoreKind::TypeExists
            | CoreKind::TypeSize
            | CoreKind::TypeMatches => Subject::Type,
            CoreKind::EnumValueExists | CoreKind::EnumValue => Subject::EnumValue,
        }
    }
}
