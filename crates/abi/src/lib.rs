//! What a host offers a BPF program, as rows: program types, context fields, map types, helpers and
//! return codes, with the kernel's numbers; and [`layout`], the memory that lowered code may name.
//!
//! Rows are facts of the UAPI. They are consumed by loaders, the verifier, engines and listings;
//! nothing here runs.
//!
//! ```
//! use oxbpf_abi::{ProgType, ctx};
//!
//! let mark = ctx::SKB.field("mark").unwrap();
//! assert_eq!((mark.off, mark.size), (8, 4));
//! assert!(mark.writable_by(ProgType::SchedCls));
//! assert!(!mark.writable_by(ProgType::SocketFilter));
//! ```
#![forbid(unsafe_code)]

pub mod act;
pub mod ctx;
pub mod errno;
mod helpers;
pub mod layout;
mod license;
mod maps;
mod progs;
mod protos;
pub mod uapi;

pub use helpers::{
    CORE_POISON, HELPERS, HelperRow, PRIVATE_HELPERS, TAIL_CALL, call_id, call_name, helper_by_id, helper_by_name,
    helper_name, plain,
};
pub use license::is_gpl_compatible;
pub use maps::{MAP_TYPES, MapType, MapTypeRow, map_flags};
pub use progs::{PROG_TYPES, PacketAccess, ProgType, ProgTypeRow};
pub use protos::{Arg, PROTOS, Proto, Ret, proto, proto_for};
