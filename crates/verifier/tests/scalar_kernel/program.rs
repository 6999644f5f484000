//! Programs by chance, with what each instruction should leave known.

use oxbpf_isa::{AluOp, CallTarget, Insn, MemSize, Narrow, Operand, Reg, Width};
use oxbpf_verifier::scalar::{Link, Scalar};

use crate::random::Random;

/// How many registers hold numbers: r0 to r8; r9 is the context.
pub(crate) const REGS: usize = 9;

/// What is expected at an instruction.
pub struct Step {
    /// The operation, for the account.
    pub label: String,
    /// What its operands were.
    pub before: String,
    /// The instruction's slot.
    pub slot: usize,
    /// What the registers it names hold afterwards.
    pub after: Vec<(u8, Scalar)>,
    /// Another path from here: its target, and what the registers hold there.
    pub other: Option<(usize, Vec<(u8, Scalar)>)>,
}

/// A program and what is expected of it.
pub struct Program {
    /// Its instructions.
    pub insns: Vec<Insn>,
    /// The first path.
    pub steps: Vec<Step>,
}

/// A program being made.
pub(crate) struct Maker<'a> {
    pub(crate) random: &'a mut Random,
    pub(crate) insns: Vec<Insn>,
    pub(crate) steps: Vec<Step>,
    pub(crate) regs: [Scalar; REGS],
    /// What ties the registers, and last the slot of the stack that is written.
    pub(crate) links: [Link; REGS + 1],
    pub(crate) ids: u32,
    /// Undecided jumps, to be given their targets.
    pub(crate) jumps: Vec<(usize, usize)>,
}

/// A program of about `len` instructions.
pub fn generate(random: &mut Random, len: usize) -> Program {
    let mut maker = Maker {
        random,
        insns: Vec::new(),
        steps: Vec::new(),
        regs: [Scalar::UNKNOWN; REGS],
        links: [Link::NONE; REGS + 1],
        ids: 0,
        jumps: Vec::new(),
    };
    maker.insns.push(Insn::Alu { op: AluOp::Mov, width: Width::W64, dst: Reg::R9, src: Operand::Reg(Reg::R1) });
    maker.insns.push(Insn::Call(CallTarget::Helper(7)));
    for reg in 0..REGS {
        maker.fresh(reg);
    }
    for _ in 0..len {
        match maker.random.below(17) {
            0 => {
                let reg = maker.random.below(REGS);
                maker.fresh(reg);
            }
            1 => maker.neg(),
            2 => maker.endian(),
            5 if maker.random.once_in(2) => maker.copy(),
            4 if maker.random.once_in(4) => maker.mask(),
            3 if maker.random.once_in(2) => maker.fill(),
            3 => maker.movsx(),
            4..=9 => maker.jump(),
            _ => maker.alu(),
        }
    }
    // All registers are read where a path ends: of one that is not, the kernel does not care.
    let end = maker.insns.len();
    for number in 1..REGS {
        let src = Operand::Reg(reg(number));
        maker.insns.push(Insn::Alu { op: AluOp::Xor, width: Width::W64, dst: Reg::R0, src });
    }
    maker.insns.push(Insn::Exit);
    for (jump, step) in std::mem::take(&mut maker.jumps) {
        let target = maker.insns.len();
        if let Insn::JumpIf { off, .. } = &mut maker.insns[jump] {
            *off = (target - jump - 1) as i16;
        }
        if let Some(other) = &mut maker.steps[step].other {
            other.0 = target;
        }
        maker.insns.push(Insn::Jump { off: (end as i64 - target as i64 - 1) as i16 });
    }
    Program { insns: maker.insns, steps: maker.steps }
}

/// The register of this number.
pub(crate) fn reg(number: usize) -> Reg {
    Reg::ALL[number]
}

impl Maker<'_> {
    pub(crate) fn step(&mut self, label: String, before: String, insn: Insn, named: &[usize]) {
        let after = named.iter().map(|&at| (at as u8, self.regs[at])).collect();
        self.steps.push(Step { label, before, slot: self.insns.len(), after, other: None });
        self.insns.push(insn);
    }

    /// A register that holds a number of which the load's size is known, or a constant.
    pub(crate) fn fresh(&mut self, at: usize) {
        let dst = reg(at);
        self.links[at] = Link::NONE;
        let (label, insn, scalar) = match self.random.below(8) {
            0 | 1 => {
                let insn = Insn::Load { size: MemSize::Dw, dst, base: Reg::R10, off: -8 };
                ("load 8".to_string(), insn, Scalar::UNKNOWN)
            }
            2 | 3 => {
                let size = self.random.pick(&Narrow::ALL);
                let bytes = size.size().bytes();
                let insn = Insn::LoadSx { size, dst, base: Reg::R9, off: 0 };
                (format!("loadsx {bytes}"), insn, Scalar::UNKNOWN.sign_load(bytes))
            }
            4..=6 => {
                let size = self.random.pick(&[MemSize::B, MemSize::H, MemSize::W]);
                let insn = Insn::Load { size, dst, base: Reg::R9, off: 0 };
                (format!("load {}", size.bytes()), insn, Scalar::UNKNOWN.truncate(size.bytes()))
            }
            _ => {
                let value = self.random.number();
                self.regs[at] = Scalar::constant(value);
                self.step("constant".into(), String::new(), Insn::LoadImm64 { dst, value }, &[at]);
                // A wide load takes two slots; the second one stands for the jumps' distances only.
                self.insns.push(Insn::Exit);
                return;
            }
        };
        self.regs[at] = scalar;
        self.step(label, String::new(), insn, &[at]);
    }

    /// A register or an immediate, and what it is.
    pub(crate) fn operand(
        &mut self,
        op: Option<AluOp>,
        width: Width,
        other: usize,
    ) -> (Operand, Scalar, Option<usize>) {
        if self.random.once_in(2) {
            let at = self.random.below(REGS);
            return (Operand::Reg(reg(at)), self.regs[at], Some(at));
        }
        let imm = match op {
            Some(AluOp::Lsh | AluOp::Rsh | AluOp::Arsh) => {
                let common = self.random.pick(&[1, 8, 16, 24, 31, 32, 48, 56, 63]);
                let any = self.random.below(64) as i32;
                self.random.pick(&[common, any]) % width.bits() as i32
            }
            _ if self.random.once_in(2) => self.random.bound(&self.regs[other].clone()) as i32,
            _ => self.random.number() as i32,
        };
        let imm = match op {
            Some(AluOp::Div | AluOp::SDiv | AluOp::Mod | AluOp::SMod) if imm == 0 => 3,
            _ => imm,
        };
        (Operand::Imm(imm), Scalar::constant(imm as i64 as u64), None)
    }
}
