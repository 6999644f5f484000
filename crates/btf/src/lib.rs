//! BTF and BTF.ext: the debug types, functions and source lines that clang
//! puts into an object and the kernel shows of itself.
//!
//! [`Btf`] is the type to look at: [`Btf::parse`] takes the bytes of a `.BTF`
//! section (or of `/sys/kernel/btf/vmlinux`) and answers by [`TypeId`] or by
//! name. [`BtfExt`] holds what `.BTF.ext` says about instructions. [`Value`] is
//! data by its type.
//!
//! ```
//! use oxbpf_btf::{Btf, Kind};
//! # let mut bytes = vec![0x9f, 0xeb, 1, 0];
//! # for word in [24u32, 0, 16, 16, 5, /* int */ 1, 0x0100_0000, 4, 0x0100_0020] {
//! #     bytes.extend(word.to_le_bytes());
//! # }
//! # bytes.extend(b"\0int\0");
//! let btf = Btf::parse(&bytes)?;
//! let int = btf.find(Kind::Int, "int").expect("C has an int");
//! assert_eq!(btf.size_of(int)?, 4);
//! # Ok::<(), oxbpf_btf::BtfError>(())
//! ```
//!
//! Input is hostile: every offset and count is checked against the bytes that
//! are there, memory is bounded by a small multiple of the input's length,
//! and walks along type references are bounded by [`MAX_DEPTH`].
//!
//! [`core`] answers CO-RE records against another BTF. Not here: BTF that
//! extends another one (kernel modules).

#![forbid(unsafe_code)]

pub mod core;
mod declare;
mod encode;
mod error;
mod ext;
mod kind;
mod parse;
mod place;
mod query;
mod reader;
mod types;
mod value;

pub use error::BtfError;
pub use ext::{BtfExt, CoreKind, CoreRelo, FuncInfo, LineInfo, SectionInfo};
pub use kind::Kind;
pub use query::{MAX_DEPTH, MAX_STR, Members};
pub use types::{
    Array, Btf, Composite, DataSec, Enum, EnumValue, Func, FuncProto, Int, Linkage, Member, Param, SecVar, StrOff,
    Type, TypeId, Var,
};
pub use value::{MAX_VALUE_DEPTH, Value, ValueError};
