//! Classic BPF as people and tools write it: the text of `bpf_asm`, and every format of bytecode, read and written.
//!
//! [`assemble`] reads text and finds all of its mistakes; [`read`] reads any [`Format`] and can tell them apart;
//! [`write()`] writes them, byte for byte as tcpdump, tc and bpf_asm do.
//!
//! ```
//! use oxbpf_cbpf_asm::{Format, Options, assemble, write};
//!
//! let code = assemble("ldh [12]\njne #0x800, drop\nret #-1\ndrop: ret #0", &Options::default()).unwrap().code;
//! assert_eq!(write(Format::Tc, &code).unwrap(), b"4,40 0 0 12,21 0 1 2048,6 0 0 4294967295,6 0 0 0,\n");
//! ```
#![forbid(unsafe_code)]

mod assemble;
mod error;
pub mod filter;
mod format;
mod grammar;
mod layout;
mod mnemonic;

pub use assemble::{Assembled, MAX_ERRORS, MAX_SOURCE, Options, assemble};
pub use error::{Diagnostic, Fault, Place};
pub use format::{Format, FormatRow, Read, WriteError, detect, insn_text, read, write};
