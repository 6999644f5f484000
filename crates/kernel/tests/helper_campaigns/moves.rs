//! Which helpers void packet pointers: those of which the verifier says so.

use crate::common::pair::*;
use oxbpf_abi::{Arg, HELPERS, HelperRow, ProgType};
use oxbpf_ir::ProgIdx;
use oxbpf_isa::{Cond, Insn, MemSize, Operand, Reg, Width};
use oxbpf_kernel::Kernel;
use oxbpf_runtime::{Engine, EngineError, Env, Image};

/// Reads a byte by a pointer from before the call.
fn program(row: &HelperRow, prog_type: ProgType) -> Vec<Insn> {
    let field = |name| prog_type.ctx().field(name).expect("fields exist").off as i16;
    let mut insns = vec![copy(R[6], R[1]), store_imm(MemSize::Dw, R[10], -8, 0)];
    insns.extend([load(MemSize::W, R[7], R[6], field("data")), load(MemSize::W, R[8], R[6], field("data_end"))]);
    insns.extend([copy(R[1], R[7]), add(R[1], 14)]);
    insns.push(Insn::JumpIf { cond: Cond::Le, width: Width::W64, dst: R[1], src: Operand::Reg(R[8]), off: 2 });
    insns.extend(end(1));
    for (&arg, &reg) in row.proto.args.iter().zip(&R[1..6]) {
        insns.extend(argument(arg, reg));
    }
    insns.extend([call(row.id as i32), load(MemSize::B, R[1], R[7], 0)]);
    insns.extend(end(1));
    insns
}

fn argument(arg: Arg, reg: Reg) -> Vec<Insn> {
    match arg {
        Arg::Ctx => vec![copy(reg, R[6])],
        Arg::Mem | Arg::UninitMem => vec![copy(reg, R[10]), add(reg, -8)],
        Arg::Size => vec![imm(reg, 8)],
        _ => vec![imm(reg, 0)],
    }
}

/// What differs, in words, and how many were asked about.
pub fn differences() -> (usize, Vec<String>) {
    let (mut asked, mut different) = (0, Vec::new());
    for row in HELPERS.iter().filter(|row| !row.private() && row.proto.args.first() == Some(&Arg::Ctx)) {
        let takes_more = row.proto.args.iter().any(|arg| matches!(arg, Arg::Map | Arg::Func));
        let callers = [ProgType::SchedCls, ProgType::Xdp, ProgType::CgroupSkb];
        for prog_type in callers.into_iter().filter(|&t| row.callable_by(t) && !takes_more) {
            asked += 1;
            let image = Image::unproven(unit(prog_type, vec![], vec![program(row, prog_type)]), ProgIdx(0));
            let voids = match Kernel.prepare(&image, &Env::default()) {
                Ok(_) => false,
                Err(EngineError::Rejected { log, .. }) if log.contains("R7 invalid mem access") => true,
                Err(error) => panic!("{}: {error:?}", row.name),
            };
            if voids != row.proto.moves_packet {
                different.push(format!("{} of {prog_type}: the kernel's pointers are void: {voids}", row.name));
            }
        }
    }
    (asked, different)
}
