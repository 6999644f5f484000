//! Instructions to operations, index for index.

use oxbpf_isa::Narrow;
use oxbpf_isa::cbpf::{AluOp, Cond, Ext, Insn, Operand};

use super::op::{Op, Step, Way};
use super::run::{self, Abs, Acc, Ind, Masked, Source, tests};

/// The operations of a checked program.
pub(super) fn decode(insns: &[Insn]) -> Box<[Op]> {
    let op = |at| either(insns, at).or_else(|| tested(insns, at)).unwrap_or_else(|| single(insns[at]));
    (0..insns.len()).map(op).collect()
}

const fn op(run: Step) -> Op {
    Op { run, off: 0, k: 0, more: 0, holds: 0, fails: 0 }
}

/// What a source has: the load, whether either of two is a number, and its tests by condition and ways.
struct Of {
    load: Step,
    either: Step,
    tests: [[[Step; 3]; 3]; 4],
}

const fn of<S: Source>() -> Of {
    Of { load: run::load::<S>, either: run::either::<S>, tests: tests::<S>() }
}

static ACC: Of = of::<Acc>();
/// By size, in the order of [`Narrow`].
static ABS: [Of; 3] = [of::<Abs<1>>(), of::<Abs<2>>(), of::<Abs<4>>()];
static MASKED: [Of; 3] = [of::<Masked<1>>(), of::<Masked<2>>(), of::<Masked<4>>()];
static IND: [Of; 3] = [of::<Ind<1>>(), of::<Ind<2>>(), of::<Ind<4>>()];

fn index(size: Narrow) -> usize {
    match size {
        Narrow::B => 0,
        Narrow::H => 1,
        Narrow::W => 2,
    }
}

/// A load from the packet, and from which offset.
fn load(insn: Insn) -> Option<(&'static Of, u32)> {
    match insn {
        Insn::LdAbs { size, k } => Some((&ABS[index(size)], k.k())),
        Insn::LdInd { size, k } => Some((&IND[index(size)], k)),
        _ => None,
    }
}

/// A comparison with a constant, together with what is before it of a load and a mask.
fn tested(insns: &[Insn], at: usize) -> Option<Op> {
    let (of, off, more, jump) = match (insns[at], insns.get(at + 1)) {
        (Insn::LdAbs { size, k }, Some(&Insn::Alu { op: AluOp::And, src: Operand::K(mask) })) => {
            (&MASKED[index(size)], k.k(), mask, at + 2)
        }
        (Insn::JumpIf { .. }, _) => (&ACC, 0, 0, at),
        (insn, _) => load(insn).map(|(of, off)| (of, off, 0, at + 1))?,
    };
    let &Insn::JumpIf { cond, src: Operand::K(k), jt, jf } = insns.get(jump)? else { return None };
    let way = |skip: u8| {
        let target = jump + 1 + usize::from(skip);
        match insns[target] {
            Insn::RetK(k) => (Way::Ret, k),
            _ if skip == 0 => (Way::Next, 0),
            _ => (Way::Skip, (target - at) as u32),
        }
    };
    let ((if_holds, holds), (if_fails, fails)) = (way(jt), way(jf));
    let run = of.tests[cond as usize][if_holds as usize][if_fails as usize];
    Some(Op { run, off, k, more, holds, fails })
}

/// Two loads that are compared with the same number, and end the program with one result if either is it and with
/// another if neither is.
fn either(insns: &[Insn], at: usize) -> Option<Op> {
    let &[first, jump, second, last, ..] = &insns[at..] else { return None };
    let ((of, off), (other, more)) = (load(first)?, load(second)?);
    let equal = |insn, at: usize| match insn {
        Insn::JumpIf { cond: Cond::Eq, src: Operand::K(k), jt, jf } => {
            Some((k, insns[at + 1 + usize::from(jt)], insns[at + 1 + usize::from(jf)], jf))
        }
        _ => None,
    };
    let ((k, holds, _, 0), (also_k, also_holds, fails, _)) = (equal(jump, at + 1)?, equal(last, at + 3)?) else {
        return None;
    };
    match (holds, also_holds, fails) {
        (Insn::RetK(holds), Insn::RetK(also), Insn::RetK(fails))
            if k == also_k && holds == also && std::ptr::eq(of, other) =>
        {
            Some(Op { run: of.either, off, k, more, holds, fails })
        }
        _ => None,
    }
}

/// One instruction by itself.
fn single(insn: Insn) -> Op {
    let k = |run, k| Op { k, ..op(run) };
    match insn {
        Insn::LdImm(n) => k(run::ld_imm, n),
        Insn::LdLen => op(run::ld_len),
        Insn::LdMem(m) => k(run::ld_mem, m.index() as u32),
        Insn::LdAbs { size, k } => Op { off: k.k(), ..op(ABS[index(size)].load) },
        Insn::LdInd { size, k } => Op { off: k, ..op(IND[index(size)].load) },
        Insn::LdExt { ext: Ext::XorX, .. } => op(run::ALU[AluOp::Xor as usize][1]),
        Insn::LdExt { ext, .. } => k(run::ext, ext.k()),
        Insn::LdxImm(n) => k(run::ldx_imm, n),
        Insn::LdxLen => op(run::ldx_len),
        Insn::LdxMem(m) => k(run::ldx_mem, m.index() as u32),
        Insn::LdxMsh(k) => Op { off: k, ..op(run::ldx_msh) },
        Insn::St(m) => k(run::st, m.index() as u32),
        Insn::Stx(m) => k(run::stx, m.index() as u32),
        Insn::Alu { op: alu, src: Operand::K(n) } => k(run::ALU[alu as usize][0], n),
        Insn::Alu { op: alu, src: Operand::X } => op(run::ALU[alu as usize][1]),
        Insn::Neg => op(run::neg),
        Insn::Ja(skip) => Op { holds: skip + 1, ..op(run::jump) },
        // Those with a constant have a test.
        Insn::JumpIf { cond, jt, jf, .. } => {
            Op { holds: u32::from(jt) + 1, fails: u32::from(jf) + 1, ..op(run::TESTS_X[cond as usize]) }
        }
        Insn::RetK(n) => k(run::ret_k, n),
        Insn::RetA => op(run::ret_a),
        Insn::RetX => op(run::ret_x),
        Insn::Tax => op(run::tax),
        Insn::Txa => op(run::txa),
    }
}
