//! Data by its type: the bytes of a map's key or value as a tree of named
//! members, and back.
//!
//! [`Btf::decode`] and [`Btf::encode`] are the two directions. `Display`
//! prints a [`Value`] as JSON in the form that `bpftool map dump -j` has under
//! `formatted`.
//!
//! ```
//! use oxbpf_btf::{Btf, Kind, Value};
//! # let mut bytes = vec![0x9f, 0xeb, 1, 0];
//! # for word in [
//! #     24u32, 0, 52, 52, 13, /* int */ 1, 0x0100_0000, 4, 0x0000_0020, /* struct */ 5, 0x0400_0002, 8, 9, 1, 0, 11, 1, 32,
//! # ] {
//! #     bytes.extend(word.to_le_bytes());
//! # }
//! # bytes.extend(b"\0u32\0hit\0n\0m\0");
//! let btf = Btf::parse(&bytes)?;
//! let hit = btf.find(Kind::Struct, "hit").expect("struct hit { u32 n, m; }");
//! let value = btf.decode(hit, &[7, 0, 0, 0, 1, 1, 0, 0])?;
//! assert_eq!(value.to_string(), r#"{"n":7,"m":257}"#);
//! let wanted = Value::Struct(vec![("m".into(), Value::Int(3))]);
//! assert_eq!(btf.encode(hit, &wanted)?, [0, 0, 0, 0, 3, 0, 0, 0]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod bits;
mod decode;
mod encode;
mod error;
mod json;

pub use error::ValueError;

/// The most nested members and elements of one value.
pub const MAX_VALUE_DEPTH: usize = 32;

/// Data of a type.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A truth value.
    Bool(bool),
    /// An integer or a pointer, or a number of an enumeration that has no name there.
    Int(i128),
    /// The bits of a bit field or of an integer of 128 bits, unsigned.
    Bits(u128),
    /// A floating-point number.
    Float(f64),
    /// An enumeration's value that has a name.
    Enum {
        /// Its name.
        name: String,
        /// Its number.
        value: i128,
    },
    /// A zero-terminated array of `char` that is all text up to there.
    Str(String),
    /// The elements of an array.
    Array(Vec<Value>),
    /// The members of a structure or union, in their order; anonymous ones
    /// have the empty name.
    Struct(Vec<(String, Value)>),
}
