//! Why a record has no answer.

use std::sync::Arc;

use crate::error::BtfError;
use crate::types::TypeId;

/// Where names and paths are cut for messages.
pub(super) const MAX_SHOWN: usize = 512;

/// A name or path for a message; hostile ones are of any length.
pub(super) fn shown(text: &str) -> Arc<str> {
    Arc::from(&text[..text.floor_char_boundary(MAX_SHOWN)])
}

/// Why a CO-RE record could not be answered. That the target lacks a type or
/// field is no error but an answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CoreError {
    /// One of the two BTFs does not answer.
    #[error(transparent)]
    Btf(#[from] BtfError),
    /// An access string that does not fit the type.
    #[error("access string {access:?} of type {id}: {what}")]
    BadAccess {
        /// The object's type.
        id: TypeId,
        /// The access string, cut where it is long.
        access: Arc<str>,
        /// What is wrong with it.
        what: &'static str,
    },
    /// A type without a name cannot be looked for.
    #[error("type {id} has no name to look for")]
    Anonymous {
        /// The object's type.
        id: TypeId,
    },
    /// Types of that name in the target give different answers.
    #[error("the target has several types {name} that disagree: {first} or {second}")]
    Ambiguous {
        /// The name without flavour.
        name: Arc<str>,
        /// One answer.
        first: Arc<str>,
        /// Another.
        second: Arc<str>,
    },
    /// What only a member has was asked of an array's element.
    #[error("{kind} is asked of {field}, which is no member")]
    NotAMember {
        /// What was asked.
        kind: &'static str,
        /// Of what.
        field: Arc<str>,
    },
    /// A bit field that no load of up to 8 bytes holds.
    #[error("bit field {field} lies across more than 8 aligned bytes")]
    WideBitField {
        /// The field.
        field: Arc<str>,
    },
    /// More types of one name than anyone has.
    #[error("the target has more than {limit} types {name}")]
    TooManyCandidates {
        /// The name without flavour.
        name: Arc<str>,
        /// The limit.
        limit: usize,
    },
    /// Types so entangled that comparing them takes too long.
    #[error("comparing types takes more than {limit} steps")]
    TooComplex {
        /// The limit.
        limit: u64,
    },
}

impl CoreError {
    /// The stable name of the error, for tests and machine-readable output.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            CoreError::Btf(e) => e.code(),
            CoreError::BadAccess { .. } => "core-bad-access",
            CoreError::Anonymous { .. } => "core-anonymous",
            CoreError::Ambiguous { .. } => "core-ambiguous",
            CoreError::NotAMember { .. } => "core-not-a-member",
            CoreError::WideBitField { .. } => "core-wide-bit-field",
            CoreError::TooManyCandidates { .. } => "core-too-many-candidates",
            CoreError::TooComplex { .. } => "core-too-complex",
        }
    }
}
