//! Basic blocks of a program: where they start, where they go.

use std::ops::Range;

use oxbpf_isa::Insn;

use crate::program::{InsnId, Program};

/// A block by its position in [`Cfg::blocks`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct BlockId(pub u32);

impl BlockId {
    /// As an index.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// A straight run of instructions, entered at its first and left at its last.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Block {
    /// Its instructions.
    pub insns: Range<u32>,
    /// Where control goes from here: the fall-through first, then the jump's target.
    pub successors: Vec<BlockId>,
}

/// The blocks of all functions of a program, in program order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cfg {
    blocks: Vec<Block>,
}

impl Cfg {
    /// The blocks of a program.
    pub fn of(program: &Program) -> Cfg {
        let starts = leaders(program);
        let block_at = |insn: u32| BlockId(starts.partition_point(|&s| s <= insn) as u32 - 1);
        let ends = starts.iter().skip(1).copied().chain([program.insns().len() as u32]);
        let block = |(start, end): (u32, u32)| {
            let last = InsnId(end - 1);
            let mut successors = Vec::new();
            if program.insns()[last.index()].falls_through() {
                successors.push(block_at(end));
            }
            if let Some(target) = program.jump_target(last) {
                successors.push(block_at(target.0));
            }
            Block { insns: start..end, successors }
        };
        Cfg { blocks: starts.iter().copied().zip(ends).map(block).collect() }
    }

    /// All blocks, in program order.
    pub fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    /// The block an instruction is in.
    pub fn block_of(&self, insn: InsnId) -> BlockId {
        BlockId(self.blocks.partition_point(|b| b.insns.start <= insn.0) as u32 - 1)
    }
}

/// Instructions at which a block starts: function entries, jump targets, and whatever follows a jump or exit.
fn leaders(program: &Program) -> Vec<u32> {
    let mut starts: Vec<u32> = program.functions().iter().map(|f| f.insns.start).collect();
    for (i, insn) in program.insns().iter().enumerate() {
        let id = InsnId(i as u32);
        if let Some(target) = program.jump_target(id) {
            starts.push(target.0);
        }
        if insn.jump_off().is_some() || *insn == Insn::Exit {
            starts.push(id.0 + 1);
        }
    }
    starts.sort_unstable();
    starts.dedup();
    starts.retain(|&s| (s as usize) < program.insns().len());
    starts
}
