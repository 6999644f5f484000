//! Which registers are read later on, whatever path is taken.

use oxbpf_abi::proto;
use oxbpf_ir::{InsnId, Program};
use oxbpf_isa::{AluOp, AtomicOp, CallTarget, Insn, Operand, Reg};

use crate::shape::Shape;

/// Registers as bits, r0 the lowest.
pub(crate) type RegSet = u16;

const fn bit(reg: Reg) -> RegSet {
    1 << reg as u16
}

const ARGS: RegSet = 0b11_1110;
const CALL_CLOBBERS: RegSet = 0b11_1111;
const ALL: RegSet = 0x7ff;

/// The registers that are read after the start of each instruction before they are written.
pub(crate) fn live_registers(program: &Program, shape: &Shape) -> Vec<RegSet> {
    let count = program.insns().len();
    let effects: Vec<_> = (0..count as u32).map(|i| effect(program, InsnId(i))).collect();
    let mut live = vec![0; count];
    let mut changed = true;
    while changed {
        changed = false;
        for i in (0..count).rev() {
            let after = shape.next(i as u32).fold(0, |set, n| set | live[n as usize]);
            let (read, written) = effects[i];
            let before = read | (after & !written);
            changed |= before != std::mem::replace(&mut live[i], before);
        }
    }
    live
}

fn operand(src: Operand) -> RegSet {
    match src {
        Operand::Reg(reg) => bit(reg),
        Operand::Imm(_) => 0,
    }
}

/// What an instruction reads and writes.
fn effect(program: &Program, id: InsnId) -> (RegSet, RegSet) {
    match program.insns()[id.index()] {
        Insn::Alu { op: AluOp::Mov, dst, src, .. } => (operand(src), bit(dst)),
        Insn::Alu { dst, src, .. } => (bit(dst) | operand(src), bit(dst)),
        Insn::Neg { dst, .. } | Insn::Endian { dst, .. } => (bit(dst), bit(dst)),
        Insn::MovSx { dst, src, .. } | Insn::AddrSpaceCast { dst, src, .. } => (bit(src), bit(dst)),
        Insn::LoadImm64 { dst, .. } | Insn::LoadPseudo { dst, .. } => (0, bit(dst)),
        Insn::Load { dst, base, .. } | Insn::LoadSx { dst, base, .. } | Insn::LoadAcquire { dst, base, .. } => {
            (bit(base), bit(dst))
        }
        Insn::Store { base, src, .. } => (bit(base) | operand(src), 0),
        Insn::StoreRelease { base, src, .. } => (bit(base) | bit(src), 0),
        Insn::Atomic { op: AtomicOp::Cmpxchg, base, src, .. } => (bit(base) | bit(src) | bit(Reg::R0), bit(Reg::R0)),
        Insn::Atomic { op, base, src, .. } => (bit(base) | bit(src), if op.fetches() { bit(src) } else { 0 }),
        // The kernel's analysis takes these to read everything and to write nothing.
        Insn::LdAbs { .. } | Insn::LdInd { .. } => (ALL, 0),
        Insn::Jump { .. } | Insn::JumpLong { .. } | Insn::MayGoto { .. } => (0, 0),
        Insn::JumpIf { dst, src, .. } => (bit(dst) | operand(src), 0),
        Insn::Call(target) => (arguments(target), CALL_CLOBBERS),
        Insn::CallX { .. } => (ALL, 0),
        Insn::Exit => (bit(Reg::R0), 0),
    }
}

fn arguments(target: CallTarget) -> RegSet {
    match target {
        CallTarget::Helper(id) => match u32::try_from(id).ok().and_then(proto) {
            Some(row) => ARGS & ((2 << row.args.len()) - 1),
            None => ARGS,
        },
        CallTarget::Local(_) | CallTarget::Kfunc { .. } => ARGS,
    }
}
