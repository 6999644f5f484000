//! Why bytes and a value do not go together with a type.

use crate::error::BtfError;
use crate::types::TypeId;

/// Why data could not be read or written by its type.
///
/// `path` names the part, as in C: `.flows[3].port`; it is empty for the whole.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ValueError {
    /// The type itself is broken, or not there.
    #[error(transparent)]
    Type(#[from] BtfError),
    /// There are fewer bytes than the type has.
    #[error("value{path}: {need} bytes needed, {have} there")]
    TooShort {
        /// Which part.
        path: String,
        /// Bytes from the start that the part reaches to.
        need: u64,
        /// Bytes there.
        have: u64,
    },
    /// A type that data cannot have: void, a function, a forward declaration.
    #[error("value{path}: data cannot be of type {id}")]
    NoData {
        /// Which part.
        path: String,
        /// Its type.
        id: TypeId,
    },
    /// Members within members beyond [`super::MAX_VALUE_DEPTH`].
    #[error("value{path}: nested deeper than {}", super::MAX_VALUE_DEPTH)]
    TooDeep {
        /// Which part.
        path: String,
    },
    /// More parts than bytes of this length can sensibly have.
    #[error("value{path}: more than {limit} parts")]
    TooMany {
        /// Where the limit was passed.
        path: String,
        /// The limit.
        limit: usize,
    },
    /// A value of another form than the type has.
    #[error("value{path}: {expected} expected")]
    WrongForm {
        /// Which part.
        path: String,
        /// What the type takes.
        expected: &'static str,
    },
    /// A number that the type cannot hold.
    #[error("value{path}: {value} does not fit into {bits} bits")]
    OutOfRange {
        /// Which part.
        path: String,
        /// The number.
        value: String,
        /// The width of the type.
        bits: u32,
    },
    /// A member that the structure has not.
    #[error("value{path}: no member {name}")]
    NoMember {
        /// The structure.
        path: String,
        /// The name.
        name: String,
    },
    /// A name that the enumeration has not.
    #[error("value{path}: no enumerator {name}")]
    NoEnumerator {
        /// Which part.
        path: String,
        /// The name.
        name: String,
    },
    /// More elements, or a longer text, than the array has.
    #[error("value{path}: {count} elements, the array has {len}")]
    TooManyElements {
        /// Which part.
        path: String,
        /// How many were given.
        count: usize,
        /// How many there are.
        len: u32,
    },
}

impl ValueError {
    /// The stable name of the error, for tests and machine-readable output.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            ValueError::Type(e) => e.code(),
            ValueError::TooShort { .. } => "value-too-short",
            ValueError::NoData { .. } => "value-no-data",
            ValueError::TooDeep { .. } => "value-too-deep",
            ValueError::TooMany { .. } => "value-too-many",
            ValueError::WrongForm { .. } => "value-wrong-form",
            ValueError::OutOfRange { .. } => "value-out-of-range",
            ValueError::NoMember { .. } => "value-no-member",
            ValueError::NoEnumerator { .. } => "value-no-enumerator",
            ValueError::TooManyElements { .. } => "value-too-many-elements",
        }
    }
}
