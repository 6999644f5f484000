//! The interpreter over lowered [`Code`](oxbpf_ir::Code): runs any program, proven or not, and never past
//! what the host allows.
//!
//! ```
//! use std::sync::Arc;
//!
//! use oxbpf_abi::ProgType;
//! use oxbpf_interp::Interp;
//! use oxbpf_ir::{ProgIdx, Program, ProgramParts, Unit};
//! use oxbpf_isa::{AluOp, Insn, Operand, Reg, Width};
//! use oxbpf_runtime::{Engine, Env, Image, Input, Outcome, skb};
//!
//! let mov = Insn::Alu { op: AluOp::Mov, width: Width::W64, dst: Reg::R0, src: Operand::Imm(7) };
//! let program = Program::new(ProgramParts::new("seven", ProgType::SchedCls, vec![mov, Insn::Exit])).unwrap();
//! let unit = Arc::new(Unit::new("unit", "GPL", vec![], vec![program]).unwrap());
//! let mut instance = Interp.prepare(&Image::unproven(unit, ProgIdx(0)), &Env::default()).unwrap();
//!
//! let frame = [0u8; 60];
//! let link = skb::Link::Ethernet;
//! let input = Input { data: &frame, link, skb: skb::derive(&frame, 60, link), time_ns: 0 };
//! assert_eq!(instance.run(&input).unwrap(), Outcome::Return(7));
//! ```
#![deny(unsafe_code)]

mod instance;
mod machine;

use oxbpf_runtime::{Availability, Engine, EngineError, Env, Image, Instance};

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

    fn prepare(&self, image: &Image, env: &Env) -> Result<Box<dyn Instance>, EngineError> {
        Ok(Box::new(instance::Interpreted::new(image, env)?))
    }
}
