//! The interpreter over lowered [`Code`](oxbpf_ir::Code): runs any program, proven or not, and never past
//! what the host allows; and the direct interpreter of [`classic`] programs.
//!
//! ```
//! use std::sync::Arc;
//!
//! use oxbpf_abi::ProgType;
//! use oxbpf_interp::Interp;
//! use oxbpf_ir::{ProgIdx, Program, ProgramParts, Unit};
//! use oxbpf_isa::{AluOp, Insn, Operand, Reg, Width};
//! use oxbpf_runtime::skb::Link;
//! use oxbpf_runtime::{Engine, Env, Image, Input, Outcome};
//!
//! let mov = Insn::Alu { op: AluOp::Mov, width: Width::W64, dst: Reg::R0, src: Operand::Imm(7) };
//! let program = Program::new(ProgramParts::new("seven", ProgType::SchedCls, vec![mov, Insn::Exit])).unwrap();
//! let unit = Arc::new(Unit::new("unit", "GPL", vec![], vec![program]).unwrap());
//! let mut instance = Interp.prepare(&Image::unproven(unit, ProgIdx(0)), &Env::default()).unwrap();
//!
//! assert_eq!(instance.run(&Input::new(&[0; 60], Link::Ethernet)).unwrap(), Outcome::Return(7));
//! ```
#![deny(unsafe_code)]

pub mod classic;
mod instance;
mod machine;

use std::sync::Arc;

use oxbpf_runtime::{Availability, Compiled, Engine, EngineError, Image};

/// The interpreter as an [`Engine`]; available everywhere.
#[derive(Clone, Copy, Debug, Default)]
pub struct Interp;

impl Engine for Interp {
    fn name(&self) -> &'static str {
        "interp"
    }

    fn availability(&self) -> Availability {
        Availability::Available(format!("oxbpf {}", env!("CARGO_PKG_VERSION")))
    }

    fn compile(&self, image: &Image) -> Result<Arc<dyn Compiled>, EngineError> {
        Ok(Arc::new(instance::Lowered::new(image)))
    }
}
