//! The shared IR: what loaders build, the verifier proves, and every engine runs.
//!
//! A [`Unit`] is one object's worth of maps and [`Program`]s. A program with what is known about it is
//! [`Vetted`]: [`Vetted::unproven`] knows nothing, so that [`lower()`] puts a check before every access.
//! [`Code`] is the lowered form: three-address operations over virtual registers, each with its slot.
//!
//! ```
//! use oxbpf_abi::ProgType;
//! use oxbpf_ir::{LowerOptions, Program, ProgramParts, Vetted, lower};
//! use oxbpf_isa::{AluOp, Insn, Operand, Reg, Width};
//!
//! let mov = Insn::Alu { op: AluOp::Mov, width: Width::W64, dst: Reg::R0, src: Operand::Imm(-1) };
//! let program = Program::new(ProgramParts::new("all", ProgType::SchedCls, vec![mov, Insn::Exit])).unwrap();
//! let code = lower(&Vetted::unproven(program.into()), &LowerOptions::default());
//! assert_eq!(code.slots().len(), code.ops().len());
//! ```
#![deny(unsafe_code)]

mod build_error;
mod callbacks;
mod cfg;
mod code;
mod facts;
mod lower;
mod program;
mod unit;

pub use build_error::{BuildError, BuildFault};
pub use cfg::{Block, BlockId, Cfg};
pub use code::{Check, Code, CodeFunc, Op, Src, Target, Unsupported, VReg};
pub use facts::{Fact, Facts, RegionClass, Vetted};
pub use lower::{LowerOptions, lower};
pub use program::{FuncIdx, Function, InsnId, LineRef, Program, ProgramParts};
pub use unit::{MapDef, MapIdx, MapInit, MapPurpose, MapTypes, ProgIdx, Unit, UnitError, map_ref};
