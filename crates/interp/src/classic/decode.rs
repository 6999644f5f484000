//! Instructions to operations, index for index.

use std::mem::discriminant;

use oxbpf_isa::Narrow;
use oxbpf_isa::cbpf::{AluOp, Cond, Ext, Insn, Operand};

use super::op::{Fused, Op, Ways, for_each_fused};

/// The operations of a checked program.
pub(super) fn decode(insns: &[Insn]) -> Box<[Op]> {
    let mut ops = vec![Op::RetA; insns.len()];
    // From the end on: what a jump leads to stands behind it.
    for (at, insn) in insns.iter().enumerate().rev() {
        let fused = match insns.get(at + 1) {
            Some(&Insn::JumpIf { cond, src: Operand::K(k), jt, jf }) => {
                fused(insn, cond, k, ways(at + 1, jt, jf), &ops)
            }
            _ => None,
        };
        let op = fused.unwrap_or_else(|| single(at, insn));
        ops[at] = either(op, ops.get(at + 1), at + 1).unwrap_or(op);
    }
    ops.into_boxed_slice()
}

/// Two comparisons in a row that lead to the same place if either holds: one less to predict.
fn either(op: Op, next: Option<&Op>, at_next: usize) -> Option<Op> {
    match (op, next) {
        (Op::EqK(a, first), Some(&Op::EqK(b, second)))
            if usize::from(first.fails) == at_next && first.holds == second.holds =>
        {
            Some(Op::EqEitherK([a, b], second))
        }
        _ => None,
    }
}

/// Whether both ways lead to operations of one kind, so that which of them it is need not be predicted.
fn alike(ways: Ways, ops: &[Op]) -> bool {
    let [holds, fails] = [ways.holds, ways.fails].map(|at| discriminant(&ops[usize::from(at)]));
    holds == fails
}

/// A checked program has 4,096 instructions at most, and its jumps land inside.
fn ways(at: usize, jt: u8, jf: u8) -> Ways {
    Ways { holds: target(at, jt.into()), fails: target(at, jf.into()) }
}

fn target(at: usize, skip: u32) -> u16 {
    (at + 1 + skip as usize) as u16
}

macro_rules! fuse {
    ($($fused:ident $kind:ident $bytes:literal $cond:ident $way:ident,)*) => {
        /// A load with the comparison behind it.
        fn fused(load: &Insn, cond: Cond, k: u32, ways: Ways, ops: &[Op]) -> Option<Op> {
            let (indirect, size, off) = match *load {
                Insn::LdAbs { size, k } => (false, size, k),
                Insn::LdInd { size, k } => (true, size, k),
                _ => return None,
            };
            let fused = Fused { off, k, ways };
            Some(match (indirect, size.size().bytes(), cond, alike(ways, ops)) {
                $((fuse!(@ $kind), $bytes, Cond::$cond, fuse!(@ $way)) => Op::$fused(fused),)*
                _ => return None,
            })
        }
    };
    (@ abs) => { false };
    (@ ind) => { true };
    (@ go) => { false };
    (@ pick) => { true };
}
for_each_fused!(fuse);

fn single(at: usize, insn: &Insn) -> Op {
    match *insn {
        Insn::LdImm(k) => Op::LdImm(k),
        Insn::LdLen => Op::LdLen,
        Insn::LdMem(m) => Op::LdMem(m),
        Insn::LdAbs { size: Narrow::B, k } => Op::AbsB(k),
        Insn::LdAbs { size: Narrow::H, k } => Op::AbsH(k),
        Insn::LdAbs { size: Narrow::W, k } => Op::AbsW(k),
        Insn::LdInd { size: Narrow::B, k } => Op::IndB(k),
        Insn::LdInd { size: Narrow::H, k } => Op::IndH(k),
        Insn::LdInd { size: Narrow::W, k } => Op::IndW(k),
        Insn::LdExt { ext: Ext::XorX, .. } => Op::XorX,
        Insn::LdExt { ext, .. } => Op::Ext(ext),
        Insn::LdxImm(k) => Op::LdxImm(k),
        Insn::LdxLen => Op::LdxLen,
        Insn::LdxMem(m) => Op::LdxMem(m),
        Insn::LdxMsh(k) => Op::LdxMsh(k),
        Insn::St(m) => Op::St(m),
        Insn::Stx(m) => Op::Stx(m),
        Insn::Alu { op, src } => arithmetic(op, src),
        Insn::Neg => Op::Neg,
        Insn::Ja(k) => Op::Jump(target(at, k)),
        Insn::JumpIf { cond, src, jt, jf } => jump(cond, src, ways(at, jt, jf)),
        Insn::RetK(k) => Op::RetK(k),
        Insn::RetA => Op::RetA,
        Insn::RetX => Op::RetX,
        Insn::Tax => Op::Tax,
        Insn::Txa => Op::Txa,
    }
}

fn arithmetic(op: AluOp, src: Operand) -> Op {
    match (op, src) {
        (AluOp::Add, Operand::K(k)) => Op::AddK(k),
        (AluOp::Sub, Operand::K(k)) => Op::SubK(k),
        (AluOp::Mul, Operand::K(k)) => Op::MulK(k),
        (AluOp::Div, Operand::K(k)) => Op::DivK(k),
        (AluOp::Or, Operand::K(k)) => Op::OrK(k),
        (AluOp::And, Operand::K(k)) => Op::AndK(k),
        (AluOp::Lsh, Operand::K(k)) => Op::LshK(k),
        (AluOp::Rsh, Operand::K(k)) => Op::RshK(k),
        (AluOp::Mod, Operand::K(k)) => Op::ModK(k),
        (AluOp::Xor, Operand::K(k)) => Op::XorK(k),
        (AluOp::Add, Operand::X) => Op::AddX,
        (AluOp::Sub, Operand::X) => Op::SubX,
        (AluOp::Mul, Operand::X) => Op::MulX,
        (AluOp::Div, Operand::X) => Op::DivX,
        (AluOp::Or, Operand::X) => Op::OrX,
        (AluOp::And, Operand::X) => Op::AndX,
        (AluOp::Lsh, Operand::X) => Op::LshX,
        (AluOp::Rsh, Operand::X) => Op::RshX,
        (AluOp::Mod, Operand::X) => Op::ModX,
        (AluOp::Xor, Operand::X) => Op::XorX,
    }
}

fn jump(cond: Cond, src: Operand, ways: Ways) -> Op {
    match (cond, src) {
        (Cond::Eq, Operand::K(k)) => Op::EqK(k, ways),
        (Cond::Gt, Operand::K(k)) => Op::GtK(k, ways),
        (Cond::Ge, Operand::K(k)) => Op::GeK(k, ways),
        (Cond::Set, Operand::K(k)) => Op::SetK(k, ways),
        (Cond::Eq, Operand::X) => Op::EqX(ways),
        (Cond::Gt, Operand::X) => Op::GtX(ways),
        (Cond::Ge, Operand::X) => Op::GeX(ways),
        (Cond::Set, Operand::X) => Op::SetX(ways),
    }
}
