//! What a classic program reaches, and where it still needs its registers. Jumps lead forward only, so that one walk
//! in each direction is enough.

use oxbpf_isa::cbpf::{Ext, Insn, Operand};

/// A set of A and X.
type Regs = u8;
const A: Regs = 1;
const X: Regs = 2;

/// What is known of each instruction of a program.
pub(crate) struct Live {
    reached: Vec<bool>,
    /// Registers whose values are read at an instruction or behind it, before they are overwritten.
    before: Vec<Regs>,
    after: Vec<Regs>,
}

impl Live {
    /// Of a checked program, whose jumps land inside it.
    pub(crate) fn of(insns: &[Insn]) -> Live {
        let mut reached = vec![false; insns.len()];
        reached[0] = true;
        for (at, insn) in insns.iter().enumerate() {
            if reached[at] {
                successors(at, insn).for_each(|next| reached[next] = true);
            }
        }
        let (mut before, mut after) = (vec![0; insns.len()], vec![0; insns.len()]);
        for (at, insn) in insns.iter().enumerate().rev() {
            after[at] = successors(at, insn).fold(0, |regs, next| regs | before[next]);
            before[at] = after[at] & !written(insn) | read(insn);
        }
        Live { reached, before, after }
    }

    /// Whether some path leads to an instruction.
    pub(crate) fn reached(&self, at: usize) -> bool {
        self.reached[at]
    }

    /// Whether A is read behind an instruction before it is overwritten.
    pub(crate) fn a_after(&self, at: usize) -> bool {
        self.after[at] & A != 0
    }

    /// Whether A is read before the program sets it.
    pub(crate) fn a_at_start(&self) -> bool {
        self.before[0] & A != 0
    }

    /// Whether X is read before the program sets it.
    pub(crate) fn x_at_start(&self) -> bool {
        self.before[0] & X != 0
    }
}

/// Where control may go on. Two entries may be the same.
fn successors(at: usize, insn: &Insn) -> impl Iterator<Item = usize> {
    let (first, second) = match *insn {
        Insn::Ja(k) => (Some(k as usize), None),
        Insn::JumpIf { jt, jf, .. } => (Some(usize::from(jt)), Some(usize::from(jf))),
        Insn::RetK(_) | Insn::RetA | Insn::RetX => (None, None),
        _ => (Some(0), None),
    };
    [first, second].into_iter().flatten().map(move |skip| at + 1 + skip)
}

fn operand(src: Operand) -> Regs {
    match src {
        Operand::K(_) => 0,
        Operand::X => X,
    }
}

fn read(insn: &Insn) -> Regs {
    match *insn {
        Insn::LdInd { .. } | Insn::Stx(_) | Insn::Txa | Insn::RetX => X,
        Insn::LdExt { ext: Ext::Nla | Ext::Nlan | Ext::XorX, .. } => A | X,
        // Without a device the program ends with what A holds.
        Insn::LdExt { ext: Ext::Ifindex | Ext::Hatype, .. } => A,
        Insn::Alu { src, .. } | Insn::JumpIf { src, .. } => A | operand(src),
        Insn::St(_) | Insn::Neg | Insn::RetA | Insn::Tax => A,
        Insn::LdImm(_) | Insn::LdLen | Insn::LdMem(_) | Insn::LdAbs { .. } | Insn::LdExt { .. } => 0,
        Insn::LdxImm(_) | Insn::LdxLen | Insn::LdxMem(_) | Insn::LdxMsh(_) | Insn::Ja(_) | Insn::RetK(_) => 0,
    }
}

fn written(insn: &Insn) -> Regs {
    match insn {
        Insn::LdImm(_) | Insn::LdLen | Insn::LdMem(_) | Insn::LdAbs { .. } | Insn::LdInd { .. } => A,
        Insn::LdExt { .. } | Insn::Alu { .. } | Insn::Neg | Insn::Txa => A,
        Insn::LdxImm(_) | Insn::LdxLen | Insn::LdxMem(_) | Insn::LdxMsh(_) | Insn::Tax => X,
        Insn::St(_) | Insn::Stx(_) | Insn::Ja(_) | Insn::JumpIf { .. } => 0,
        Insn::RetK(_) | Insn::RetA | Insn::RetX => 0,
    }
}
