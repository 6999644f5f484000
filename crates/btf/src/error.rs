//! What can be wrong with BTF, and where.

use crate::types::TypeId;

/// Why bytes are not BTF, or why a question about a type has no answer.
///
/// `at` is the offset in bytes from the start of the section.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BtfError {
    /// The bytes end before what they announce.
    #[error("truncated at byte {at}: {need} more bytes needed")]
    Truncated {
        /// Where the missing bytes would start.
        at: usize,
        /// How many bytes were to be read there.
        need: usize,
    },
    /// The first two bytes are not BTF's.
    #[error("magic number {found:#06x} is not 0xeb9f")]
    BadMagic {
        /// The number found, read as little-endian.
        found: u16,
    },
    /// A version other than 1.
    #[error("version {found} is not known")]
    BadVersion {
        /// The version found.
        found: u8,
    },
    /// A header length that cannot hold the fields, or is not a multiple of 4.
    #[error("header length {len} is not valid")]
    BadHeaderLength {
        /// The length found.
        len: u32,
    },
    /// The string section is not delimited by NUL bytes.
    #[error("string section at byte {at} does not start and end with a NUL byte")]
    BadStrings {
        /// Where the string section starts.
        at: usize,
    },
    /// A string offset outside the string section.
    #[error("string offset {off} at byte {at} is outside the string section")]
    BadStringOffset {
        /// Where the offset was read.
        at: usize,
        /// The offset.
        off: u32,
    },
    /// A kind beyond the known ones.
    #[error("type kind {kind} at byte {at} is not known")]
    UnknownKind {
        /// Where the type starts.
        at: usize,
        /// Its kind.
        kind: u8,
    },
    /// A field of a type has a value that its kind does not allow.
    #[error("field {field} of the type at byte {at} has the value {value}")]
    BadField {
        /// Where the type starts.
        at: usize,
        /// Which field.
        field: &'static str,
        /// Its value.
        value: u32,
    },
    /// A type refers to one that does not exist, or to one of another kind.
    #[error("type {from} refers to type {to}, which is missing or of the wrong kind")]
    BadReference {
        /// The referring type.
        from: TypeId,
        /// The type referred to.
        to: TypeId,
    },
    /// A record length in BTF.ext that is too small or not a multiple of 4.
    #[error("record length {len} at byte {at} is not valid")]
    BadRecordLength {
        /// Where the length was read.
        at: usize,
        /// The length.
        len: u32,
    },
    /// A record's instruction offset is not a multiple of 8.
    #[error("instruction offset {off} at byte {at} is not a multiple of 8")]
    BadInsnOffset {
        /// Where the offset was read.
        at: usize,
        /// The offset.
        off: u32,
    },
    /// No type has this id.
    #[error("there is no type {id}")]
    NoType {
        /// The id asked for.
        id: TypeId,
    },
    /// The type has no size: void, a function or a forward declaration.
    #[error("type {id} has no size")]
    NoSize {
        /// The type.
        id: TypeId,
    },
    /// References go round in a circle, or further than the limit.
    #[error("type {id} refers on through more than {} types", crate::MAX_DEPTH)]
    TooDeep {
        /// Where the walk began.
        id: TypeId,
    },
    /// A size beyond 64 bits.
    #[error("the size of type {id} overflows")]
    SizeOverflow {
        /// The type.
        id: TypeId,
    },
}

impl BtfError {
    /// The stable name of the error, for tests and machine-readable output.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            BtfError::Truncated { .. } => "btf-truncated",
            BtfError::BadMagic { .. } => "btf-bad-magic",
            BtfError::BadVersion { .. } => "btf-bad-version",
            BtfError::BadHeaderLength { .. } => "btf-bad-header-length",
            BtfError::BadStrings { .. } => "btf-bad-strings",
            BtfError::BadStringOffset { .. } => "btf-bad-string-offset",
            BtfError::UnknownKind { .. } => "btf-unknown-kind",
            BtfError::BadField { .. } => "btf-bad-field",
            BtfError::BadReference { .. } => "btf-bad-reference",
            BtfError::BadRecordLength { .. } => "btf-bad-record-length",
            BtfError::BadInsnOffset { .. } => "btf-bad-insn-offset",
            BtfError::NoType { .. } => "btf-no-type",
            BtfError::NoSize { .. } => "btf-no-size",
            BtfError::TooDeep { .. } => "btf-too-deep",
            BtfError::SizeOverflow { .. } => "btf-size-overflow",
        }
    }
}
