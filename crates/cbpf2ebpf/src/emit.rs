//! Collects eBPF instructions and sets jumps to classic instructions once these have their places.

use oxbpf_isa::Insn;
use oxbpf_isa::cbpf::MAX_INSNS;

/// The most eBPF instructions that come of a classic one; see [`crate::rules`].
pub(crate) const MOST: usize = 6;

// Every instruction takes one slot, so that every distance fits a jump.
const _: () = assert!(MAX_INSNS * MOST + 3 <= i16::MAX as usize);

/// The program so far.
pub(crate) struct Emitter {
    insns: Vec<Insn>,
    /// By classic instruction: where its eBPF begins.
    starts: Vec<u32>,
    /// Jumps whose distance is still to be set: the jump's index and the classic instruction that it leads to.
    jumps: Vec<(usize, usize)>,
}

impl Emitter {
    /// For a classic program of this length.
    pub(crate) fn new(len: usize) -> Emitter {
        Emitter { insns: Vec::with_capacity(len * 2), starts: Vec::with_capacity(len + 1), jumps: Vec::new() }
    }

    /// What follows belongs to this classic instruction; they come in order.
    pub(crate) fn start(&mut self, classic: usize) {
        debug_assert_eq!(self.starts.len(), classic);
        self.starts.push(self.insns.len() as u32);
    }

    pub(crate) fn push(&mut self, insn: Insn) {
        debug_assert_eq!(insn.slots(), 1);
        self.insns.push(insn);
    }

    /// A jump to a classic instruction, which stands behind the current one; its own distance is not looked at.
    pub(crate) fn jump(&mut self, insn: Insn, to: usize) {
        self.jumps.push((self.insns.len(), to));
        self.insns.push(insn);
    }

    /// The instructions, and where those of each classic one begin; the last entry is the program's length.
    pub(crate) fn finish(mut self) -> (Vec<Insn>, Vec<u32>) {
        self.starts.push(self.insns.len() as u32);
        for (at, to) in self.jumps {
            let distance = (self.starts[to] as usize - at - 1) as i16;
            match &mut self.insns[at] {
                Insn::Jump { off } | Insn::JumpIf { off, .. } => *off = distance,
                other => unreachable!("{other:?} is no jump"),
            }
        }
        (self.insns, self.starts)
    }
}
