//! Operations by chance: arithmetic, copies, conversions, the stack.

use oxbpf_isa::{AluOp, EndianOp, Insn, MemSize, MovSx, Narrow, Operand, Reg, Width};
use oxbpf_verifier::scalar::{Link, Scalar};

use crate::program::{Maker, REGS, reg};

impl Maker<'_> {
    pub(crate) fn alu(&mut self) {
        let width = self.random.pick(&Width::ALL);
        let op = self.random.pick(&AluOp::ROWS).op;
        let at = self.random.below(REGS);
        let (src, b, src_at) = self.operand(Some(op), width, at);
        self.alu_of(op, width, at, (src, b, src_at));
    }

    /// The sign as a mask of all bits, or of the low half's, and a choice by it.
    pub(crate) fn mask(&mut self) {
        let (at, width) = (self.random.below(REGS), self.random.pick(&Width::ALL));
        let shift = width.bits() as i32 - 1;
        self.alu_of(AluOp::Arsh, width, at, (Operand::Imm(shift), Scalar::constant(shift as u64), None));
        let (op, width) = (self.random.pick(&[AluOp::And, AluOp::Or]), self.random.pick(&Width::ALL));
        let mut operand = self.operand(Some(op), width, at);
        if let (Some(other), true) = (operand.2.filter(|&other| other != at), self.random.once_in(2)) {
            // An operand of which only the low half is known.
            self.alu_of(AluOp::Lsh, Width::W64, other, (Operand::Imm(32), Scalar::constant(32), None));
            operand.1 = self.regs[other];
        }
        self.alu_of(op, width, at, operand);
    }

    fn alu_of(&mut self, op: AluOp, width: Width, at: usize, (src, b, src_at): (Operand, Scalar, Option<usize>)) {
        let a = self.regs[at];
        if let (AluOp::Mov, Some(src_at)) = (op, src_at) {
            return self.copy_of(width, at, src_at);
        }
        // An immediate of a 32-bit operation is not extended.
        let b = if src_at.is_none() && width == Width::W32 && op == AluOp::Mov { b.truncate(4) } else { b };
        let fork = Scalar::fork(op, width, &a, &b);
        if fork.is_some() && src_at == Some(at) {
            return;
        }
        let now = fork.map_or(a, |fork| fork.now);
        self.regs[at] = Scalar::alu(op, width, &now, &b);
        self.links[at] = self.links[at].after(op, width, &a, &b);
        let insn = Insn::Alu { op, width, dst: reg(at), src };
        let kind = match (src_at, &fork) {
            (_, Some(_)) if a.smin != -1 => "fork of the low half",
            (_, Some(_)) => "fork",
            (Some(_), _) => "reg",
            (None, _) => "imm",
        };
        let before = format!("{} with {}", a.kernel_text(false), b.kernel_text(false));
        let mut named = vec![at];
        named.extend(src_at.filter(|&src_at| src_at != at));
        self.step(format!("{}{} {kind}", op.row().mnemonic, width.bits()), before, insn, &named);
        if let (Some(fork), Some(step)) = (fork, self.steps.last_mut()) {
            step.other = Some((step.slot, vec![(at as u8, fork.later)]));
        }
    }

    /// A copy, and perhaps something added to it.
    pub(crate) fn copy(&mut self) {
        let (at, from, width) = (self.random.below(REGS), self.random.below(REGS), self.random.pick(&Width::ALL));
        self.copy_of(width, at, from);
        if self.random.once_in(2) {
            let (op, width) = (self.random.pick(&[AluOp::Add, AluOp::Sub]), self.random.pick(&Width::ALL));
            let operand = self.operand(Some(op), width, at);
            self.alu_of(op, width, at, operand);
        }
    }

    fn named(&mut self, at: usize) {
        let ids = &mut self.ids;
        self.links[at] = self.links[at].for_copy(&self.regs[at], || {
            *ids += 1;
            *ids
        });
    }

    fn copy_of(&mut self, width: Width, at: usize, from: usize) {
        let before = self.regs[from].kernel_text(false);
        let whole = width == Width::W64 || self.regs[from].umax <= u32::MAX.into();
        if whole {
            self.named(from);
        }
        let num = self.regs[from];
        self.regs[at] = Scalar::alu(AluOp::Mov, width, &num, &num);
        self.links[at] = if whole { self.links[from] } else { Link::NONE };
        let insn = Insn::Alu { op: AluOp::Mov, width, dst: reg(at), src: Operand::Reg(reg(from)) };
        let named = if at == from { vec![at] } else { vec![at, from] };
        self.step(format!("mov{} reg", width.bits()), before, insn, &named);
    }

    pub(crate) fn neg(&mut self) {
        let (at, width) = (self.random.below(REGS), self.random.pick(&Width::ALL));
        let before = self.regs[at].kernel_text(false);
        self.regs[at] = self.regs[at].neg(width);
        self.links[at] = Link::NONE;
        self.step(format!("neg{}", width.bits()), before, Insn::Neg { width, dst: reg(at) }, &[at]);
    }

    pub(crate) fn endian(&mut self) {
        let (at, row) = (self.random.below(REGS), self.random.pick(&EndianOp::ROWS));
        let before = self.regs[at].kernel_text(false);
        self.regs[at] = self.regs[at].endian(row.op);
        if row.op != EndianOp::Le64 {
            self.links[at] = Link::NONE;
        }
        self.step(row.name.into(), before, Insn::Endian { op: row.op, dst: reg(at) }, &[at]);
    }

    pub(crate) fn movsx(&mut self) {
        let (at, from, op) = (self.random.below(REGS), self.random.below(REGS), self.random.pick(&MovSx::ALL));
        let before = self.regs[from].kernel_text(false);
        let whole = self.regs[from].umax < 1 << (op.from_bits() - 1);
        if whole {
            self.named(from);
        }
        self.regs[at] = self.regs[from].movsx(op);
        self.links[at] = if whole { self.links[from] } else { Link::NONE };
        let named = if at == from { vec![at] } else { vec![at, from] };
        self.step(format!("{op:?}"), before, Insn::MovSx { op, dst: reg(at), src: reg(from) }, &named);
    }

    /// Through the stack, of which as much or less is read than was written.
    pub(crate) fn fill(&mut self) {
        let at = self.random.below(REGS);
        let written = self.random.pick(&MemSize::ALL);
        let sizes: Vec<MemSize> = MemSize::ALL.into_iter().filter(|size| *size <= written).collect();
        let size = self.random.pick(&sizes);
        let num = self.regs[at];
        let before = num.kernel_text(false);
        let fits = |bits: u32| bits == 64 || num.umax >> bits == 0;
        let written_whole = fits(8 * written.bytes());
        if written_whole {
            self.named(at);
        }
        self.links[REGS] = if written_whole { self.links[at] } else { Link::NONE };
        let spill = Insn::Store { size: written, base: Reg::R10, off: -16, src: Operand::Reg(reg(at)) };
        self.step(format!("store {}", written.bytes()), before.clone(), spill, &[at]);
        let narrow = Narrow::from_size(size);
        // Where the sign is not known, the kernel ties what was sign-extended to what was not: nothing to copy.
        let wrong = |size: Narrow| written_whole && fits(8 * size.size().bytes()) && !fits(8 * size.size().bytes() - 1);
        let signed = narrow.filter(|size| self.random.once_in(2) && !wrong(*size));
        let (dst, base, off) = (reg(at), Reg::R10, -16);
        let (insn, kind) = match signed {
            Some(size) => (Insn::LoadSx { size, dst, base, off }, "signed"),
            None => (Insn::Load { size, dst, base, off }, "unsigned"),
        };
        let bytes = size.bytes();
        let whole = written_whole && fits(8 * bytes - u32::from(signed.is_some()));
        self.links[at] = if whole { self.links[at] } else { Link::NONE };
        self.regs[at] = if signed.is_some() { self.regs[at].sign_load(bytes) } else { self.regs[at].truncate(bytes) };
        self.step(format!("fill {bytes} of {} {kind}", written.bytes()), before, insn, &[at]);
    }
}
