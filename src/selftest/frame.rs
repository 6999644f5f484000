//! The frame around one instruction: operands come from memory, so that nothing is known before the program runs, and
//! the result goes to r0.
//!
//! r1 is the memory: its first 8 bytes are the first operand, the next 8 the second, then the third.

use oxbpf_isa::catalog::{Form, Kind};
use oxbpf_isa::{AtomicOp, Insn, MemSize, Operand, Reg};

use super::vector::{Subject, Vector, Wanted};

/// Which of an instruction's results a program returns.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Returned {
    /// The destination register, or whether a jump was taken.
    Register,
    /// The 8 bytes of memory.
    Memory,
    /// What an atomic operation fetched.
    Fetched,
}

/// What the results of an instruction are, in the order in which a vector names them.
pub(super) fn results(kind: Kind) -> &'static [Returned] {
    match kind {
        Kind::Store(_) | Kind::StoreRelease(_) => &[Returned::Memory],
        Kind::Atomic(op, _) if op.fetches() => &[Returned::Memory, Returned::Fetched],
        Kind::Atomic(..) => &[Returned::Memory],
        _ => &[Returned::Register],
    }
}

/// How many operands a vector of this kind names; none of what has to be a whole program.
fn arity(kind: Kind) -> Option<usize> {
    Some(match kind {
        Kind::Alu(..) | Kind::JumpIf(..) | Kind::Store(_) | Kind::StoreRelease(_) => 2,
        Kind::Neg(_) | Kind::MovSx(_) | Kind::Endian(_) | Kind::LoadImm64 => 1,
        Kind::Load(_) | Kind::LoadSx(_) | Kind::LoadAcquire(_) => 1,
        Kind::Atomic(AtomicOp::Cmpxchg, _) => 3,
        Kind::Atomic(..) => 2,
        _ => return None,
    })
}

/// Whether a vector has the operands and results that its instruction wants.
pub(super) fn check(vector: &Vector) -> Result<(), String> {
    let (name, Subject::Insn { form, operands }) = (vector.kind.name(), &vector.subject) else {
        return Ok(());
    };
    match arity(vector.kind) {
        None => return Err(format!("{name} is tested by programs")),
        Some(wanted) if operands.len() != wanted => return Err(format!("{name} has {wanted} operands")),
        Some(_) => {}
    }
    if *form == Form::Imm && i32::try_from(operands[1] as i64).is_err() {
        return Err(format!("{:#x} is no immediate", operands[1]));
    }
    match &vector.wanted {
        Wanted::Values(values) if values.len() != results(vector.kind).len() => {
            Err(format!("{name} has {} results", results(vector.kind).len()))
        }
        _ => Ok(()),
    }
}

/// The memory a program of this vector starts with.
pub(super) fn memory(operands: &[u64]) -> Vec<u8> {
    operands.iter().flat_map(|v| v.to_le_bytes()).collect()
}

const MEM: Reg = Reg::R1;
const DST: Reg = Reg::R3;
const SRC: Reg = Reg::R4;

/// A program that runs the instruction and returns one of its results.
pub(super) fn program(kind: Kind, form: Form, operands: &[u64], returned: Returned) -> Vec<Insn> {
    let src = match form {
        Form::Reg => Operand::Reg(SRC),
        Form::Imm => Operand::Imm(operands[1] as i32),
    };
    let mut insns = vec![load(DST, 0)];
    if operands.len() > 1 {
        insns.push(load(SRC, 8));
    }
    if operands.len() > 2 {
        insns.push(load(Reg::R0, 16));
    }
    insns.push(match kind {
        Kind::Alu(op, width) => Insn::Alu { op, width, dst: DST, src },
        Kind::Neg(width) => Insn::Neg { width, dst: DST },
        Kind::MovSx(op) => Insn::MovSx { op, dst: DST, src: DST },
        Kind::Endian(op) => Insn::Endian { op, dst: DST },
        Kind::LoadImm64 => Insn::LoadImm64 { dst: DST, value: operands[0] },
        Kind::Load(size) => Insn::Load { size, dst: DST, base: MEM, off: 0 },
        Kind::LoadSx(size) => Insn::LoadSx { size, dst: DST, base: MEM, off: 0 },
        Kind::LoadAcquire(size) => Insn::LoadAcquire { size, dst: DST, base: MEM, off: 0 },
        Kind::Store(size) => Insn::Store { size, base: MEM, off: 0, src },
        Kind::StoreRelease(size) => Insn::StoreRelease { size, base: MEM, off: 0, src: SRC },
        Kind::Atomic(op, width) => Insn::Atomic { op, width, base: MEM, off: 0, src: SRC },
        Kind::JumpIf(cond, width) => Insn::JumpIf { cond, width, dst: DST, src, off: 2 },
        _ => unreachable!("{} is tested by programs", kind.name()),
    });
    let fetched = if matches!(kind, Kind::Atomic(AtomicOp::Cmpxchg, _)) { Reg::R0 } else { SRC };
    match (kind, returned) {
        (Kind::JumpIf(..), _) => insns.extend([set(0), Insn::Exit, set(1)]),
        (_, Returned::Memory) => insns.push(load(Reg::R0, 0)),
        (_, Returned::Fetched) => insns.push(copy(fetched)),
        (_, Returned::Register) => insns.push(copy(DST)),
    }
    insns.push(Insn::Exit);
    insns
}

fn load(dst: Reg, off: i16) -> Insn {
    Insn::Load { size: MemSize::Dw, dst, base: MEM, off }
}

fn copy(src: Reg) -> Insn {
    mov(Operand::Reg(src))
}

fn set(value: i32) -> Insn {
    mov(Operand::Imm(value))
}

fn mov(src: Operand) -> Insn {
    Insn::Alu { op: oxbpf_isa::AluOp::Mov, width: oxbpf_isa::Width::W64, dst: Reg::R0, src }
}
