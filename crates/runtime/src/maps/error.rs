//! Why a map cannot be made.

use thiserror::Error;

use crate::memory::ArenaError;

/// Why a map cannot be made.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[allow(missing_docs)]
pub enum MapError {
    #[error("map {map}: {what} is not supported")]
    Unsupported { map: String, what: String },
    /// `errno` is what the kernel answers to such a definition.
    #[error("map {map}: {what}")]
    Definition { map: String, errno: i64, what: String },
    #[error("map {map}: {source}")]
    Memory { map: String, source: ArenaError },
    #[error("map {map}: the initial entry for key {key:02x?} fails with errno {errno}")]
    Init { map: String, key: Vec<u8>, errno: i64 },
}

impl MapError {
    /// A stable code, `map-…`.
    pub const fn code(&self) -> &'static str {
        match self {
            MapError::Unsupported { .. } => "map-unsupported",
            MapError::Definition { .. } => "map-definition",
            MapError::Memory { .. } => "map-memory",
            MapError::Init { .. } => "map-init",
        }
    }

    /// The map's name.
    pub fn map(&self) -> &str {
        match self {
            MapError::Unsupported { map, .. }
            | MapError::Definition { map, .. }
            | MapError::Memory { map, .. }
            | MapError::Init { map, .. } => map,
        }
    }
}
