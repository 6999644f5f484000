//! Classic BPF: wire form, typed form, and the rules under which Linux accepts a program.
//!
//! [`SockFilter`] is eight bytes as they stand in `struct sock_filter`; [`Insn`] is the same instruction as a
//! typed value that always encodes; [`Program`] is a sequence of them that the kernel would run.
//!
//! ```
//! use oxbpf_isa::cbpf::{Insn, Program, SockFilter};
//!
//! let raw = [SockFilter { code: 0x06, jt: 0, jf: 0, k: 0xffff_ffff }];
//! let program = Program::check(&raw).unwrap();
//! assert_eq!(program.insns(), [Insn::RetK(0xffff_ffff)]);
//! assert_eq!(Insn::RetK(0xffff_ffff).encode(), raw[0]);
//! ```

mod check;
mod codec;
mod insn;
mod ops;

pub use check::{CheckError, Fault, MAX_INSNS, Program, check_all};
pub use insn::{Insn, M, Offset, SockFilter};
pub use ops::{AluOp, AluRow, Cond, CondRow, Ext, ExtRow, LL_OFF, NET_OFF, Operand};
