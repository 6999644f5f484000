//! From blocks to a program: distances, and conditions that reach further than 255 instructions.

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

/// Which sides of a block's condition go by an instruction behind it.
#[derive(Clone, Copy, Default)]
struct Detour {
    yes: bool,
    no: bool,
}

impl Detour {
    fn len(self) -> usize {
        usize::from(self.yes) + usize::from(self.no)
    }
}

/// Where everything is.
struct Places {
    /// The first instruction of each block that there is.
    blocks: Vec<usize>,
    accept: usize,
    reject: usize,
}

impl Places {
    fn of(&self, target: Target) -> usize {
        match target {
            Target::Accept => self.accept,
            Target::Reject => self.reject,
            Target::Block(id) => self.blocks[id as usize],
        }
    }
}

/// The program of blocks, from the one of the largest number on, which is the first. What matches returns `snaplen`.
pub(super) fn lay_out(
    code: &[Insn],
    blocks: &[Option<Block>],
    first: u32,
    snaplen: u32,
) -> Result<Vec<SockFilter>, Fault> {
    let blocks = &blocks[..=first as usize];
    let mut detours = vec![Detour::default(); blocks.len()];
    let mut places = place(blocks, &detours);
    // Detours only grow, so that this ends.
    while widen(blocks, &mut detours, &places) {
        places = place(blocks, &detours);
    }
    let len = places.accept.max(places.reject) + 1;
    if len > MAX_INSNS {
        return Err(Fault::TooLong { max: MAX_INSNS });
    }
    let mut program = Vec::with_capacity(len);
    for (block, detour) in blocks.iter().zip(&detours).rev() {
        let Some(block) = block else { continue };
        program.extend(code[block.code.0..block.code.1].iter().map(Insn::encode));
        condition(&mut program, block, *detour, &places, snaplen);
    }
    for verdict in [Target::Accept, Target::Reject] {
        if places.of(verdict) == program.len() {
            program.push(ret(verdict, snaplen));
        }
    }
    Ok(program)
}

fn ret(verdict: Target, snaplen: u32) -> SockFilter {
    Insn::RetK(if verdict == Target::Accept { snaplen } else { 0 }).encode()
}

/// Adds a block's condition and its detours.
fn condition(program: &mut Vec<SockFilter>, block: &Block, detour: Detour, places: &Places, snaplen: u32) {
    let next = program.len() + 1;
    let distance = |target: Target, detoured: bool, place: usize| match detoured {
        true => place as u8,
        // What does not fit has a detour.
        false => (places.of(target) - next) as u8,
    };
    let jt = distance(block.yes, detour.yes, 0);
    let jf = distance(block.no, detour.no, usize::from(detour.yes));
    program.push(Insn::JumpIf { cond: block.op, src: block.with, jt, jf }.encode());
    for (target, detoured) in [(block.yes, detour.yes), (block.no, detour.no)] {
        if !detoured {
            continue;
        }
        let insn = match target {
            Target::Block(_) => Insn::Ja((places.of(target) - program.len() - 1) as u32).encode(),
            verdict => ret(verdict, snaplen),
        };
        program.push(insn);
    }
}

/// Where blocks are with these detours. Verdicts that nothing needs are where the others are not.
fn place(blocks: &[Option<Block>], detours: &[Detour]) -> Places {
    let mut next = 0;
    let mut starts = vec![0; blocks.len()];
    let (mut accepts, mut rejects) = (false, false);
    for id in (0..blocks.len()).rev() {
        let Some(block) = blocks[id] else { continue };
        starts[id] = next;
        next += block.code.1 - block.code.0 + 1 + detours[id].len();
        for (target, detoured) in [(block.yes, detours[id].yes), (block.no, detours[id].no)] {
            accepts |= target == Target::Accept && !detoured;
            rejects |= target == Target::Reject && !detoured;
        }
    }
    let accept = next;
    let reject = if accepts { next + 1 } else { next };
    match (accepts, rejects) {
        // The last block falls on one of them at least.
        (true, false) => Places { blocks: starts, accept, reject: 0 },
        (false, true) => Places { blocks: starts, accept: 0, reject },
        _ => Places { blocks: starts, accept, reject },
    }
}

/// Adds detours for the sides that are too far; whether there were any.
fn widen(blocks: &[Option<Block>], detours: &mut [Detour], places: &Places) -> bool {
    let mut any = false;
    for (id, block) in blocks.iter().enumerate() {
        let Some(block) = block else { continue };
        let next = places.blocks[id] + block.code.1 - block.code.0 + 1;
        let far = |target: Target, detoured: bool| !detoured && places.of(target) > next + REACH;
        let wider = Detour {
            yes: detours[id].yes || far(block.yes, detours[id].yes),
            no: detours[id].no || far(block.no, detours[id].no),
        };
        any |= wider.len() > detours[id].len();
        detours[id] = wider;
    }
    any
}
