//! From blocks to a program: distances, and conditions that reach further than 255 instructions.
//!
//! The program is written from its end on, so that what a block leads to has its place already. Nothing falls from one
//! block into the next: where a target is out of reach, a `ret` or `ja` stands between two blocks, for all that can reach
//! it.

use oxbpf_isa::cbpf::{Cond as Op, Insn, MAX_INSNS, Operand, SockFilter};

use super::error::Fault;

/// Where a block leads.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Target {
    Accept,
    Reject,
    /// A block of a smaller number.
    Block(u32),
}

/// Instructions, and a condition at their end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Block {
    /// From where to where they are in the code of all.
    pub(super) code: (usize, usize),
    pub(super) op: Op,
    pub(super) with: Operand,
    pub(super) yes: Target,
    pub(super) no: Target,
}

/// How far a condition reaches.
const REACH: usize = 255;

/// A program from its end on.
struct Reversed {
    insns: Vec<SockFilter>,
    snaplen: u32,
    accept: usize,
    reject: usize,
    /// For each block where it, or a jump to it, can be reached.
    blocks: Vec<usize>,
}

/// The program of blocks, from the one of the largest number on, which is the first. What matches returns `snaplen`.
pub(super) fn lay_out(
    code: &[Insn],
    blocks: &[Option<Block>],
    first: u32,
    snaplen: u32,
) -> Result<Vec<SockFilter>, Fault> {
    let blocks = &blocks[..=first as usize];
    let leads = |to| blocks.iter().flatten().any(|block| block.yes == to || block.no == to);
    let mut program =
        Reversed { insns: Vec::with_capacity(64), snaplen, accept: 0, reject: 0, blocks: vec![0; blocks.len()] };
    for verdict in [Target::Reject, Target::Accept].into_iter().filter(|&v| leads(v)) {
        program.stand_in(verdict);
    }
    for (id, block) in blocks.iter().enumerate() {
        let Some(block) = block else { continue };
        program.condition(block);
        program.insns.extend(code[block.code.0..block.code.1].iter().rev().map(Insn::encode));
        program.blocks[id] = program.insns.len() - 1;
        if program.insns.len() > MAX_INSNS {
            return Err(Fault::TooLong { max: MAX_INSNS });
        }
    }
    program.insns.reverse();
    Ok(program.insns)
}

impl Reversed {
    /// How many instructions are between the next one that is written and a target.
    fn distance(&self, target: Target) -> usize {
        self.insns.len() - 1 - self.place(target)
    }

    fn place(&self, target: Target) -> usize {
        match target {
            Target::Accept => self.accept,
            Target::Reject => self.reject,
            Target::Block(id) => self.blocks[id as usize],
        }
    }

    /// Writes what stands for a target that is out of reach.
    fn stand_in(&mut self, target: Target) {
        let here = self.insns.len();
        let (insn, place) = match target {
            Target::Accept => (Insn::RetK(self.snaplen), &mut self.accept),
            Target::Reject => (Insn::RetK(0), &mut self.reject),
            Target::Block(id) => {
                let far = self.distance(target) as u32;
                (Insn::Ja(far), &mut self.blocks[id as usize])
            }
        };
        *place = here;
        self.insns.push(insn.encode());
    }

    /// Writes a block's condition, behind it what it cannot reach otherwise.
    fn condition(&mut self, block: &Block) {
        // One of them can push the other one out of reach.
        for target in [block.yes, block.no, block.yes] {
            if self.distance(target) > REACH {
                self.stand_in(target);
            }
        }
        let (jt, jf) = (self.distance(block.yes) as u8, self.distance(block.no) as u8);
        self.insns.push(Insn::JumpIf { cond: block.op, src: block.with, jt, jf }.encode());
    }
}
