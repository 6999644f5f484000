//! The BPF instruction set as tables: wire form, typed form, and the meaning of each operator.
//!
//! [`RawInsn`] is eight bytes as they stand in an object file; [`Insn`] is the same instruction as a
//! typed value that always encodes. [`decode()`] and [`Insn::encode`] convert between them; reserved
//! bits that are set are errors. The set is RFC 9669 and what Linux has added since: `may_goto`,
//! load-acquire and store-release, `addr_space_cast`, and `callx`, although
//! no verifier accepts it.
//!
//! ```
//! use oxbpf_isa::{AluOp, Insn, Operand, RawInsn, Reg, Slot, Width, decode};
//!
//! let words = [RawInsn::from_bytes([0xb7, 0, 0, 0, 1, 0, 0, 0]), RawInsn::from_bytes([0x95, 0, 0, 0, 0, 0, 0, 0])];
//! let (insn, slots) = decode(&words, Slot(0)).unwrap();
//! assert_eq!(insn, Insn::Alu { op: AluOp::Mov, width: Width::W64, dst: Reg::R0, src: Operand::Imm(1) });
//! assert_eq!(slots, 1);
//! assert_eq!(insn.encode().words(), &words[..1]);
//! ```
//!
//! [`cbpf`] is the same for classic BPF.
#![forbid(unsafe_code)]

pub mod catalog;
pub mod cbpf;
mod decode;
mod encode;
mod eval;
mod insn;
mod ops;
mod raw;
mod rows;
pub mod text;

pub use decode::{DecodeError, DecodeFault, decode, decode_all};
pub use encode::{Encoded, encode_all};
pub use eval::sign_extend;
pub use insn::{CallTarget, Insn, Operand, Pseudo};
pub use ops::{AluOp, AluRow, AtomicOp, AtomicRow, Cond, CondRow, EndianOp, EndianRow, MemSize, MovSx, Narrow, Width};
pub use raw::{RawInsn, Reg, Slot, class, mode};
pub use rows::Fields;
