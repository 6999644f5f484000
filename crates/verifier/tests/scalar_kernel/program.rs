//! Programs by chance, with what each instruction should leave known.

use oxbpf_isa::{AluOp, CallTarget, Cond, EndianOp, Insn, MemSize, MovSx, Narrow, Operand, Reg, Width};
use oxbpf_verifier::scalar::{Scalar, Test};

use crate::random::Random;

/// How many registers hold numbers: r0 to r8; r9 is the context.
const REGS: usize = 9;

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
struct Maker<'a> {
    random: &'a mut Random,
    insns: Vec<Insn>,
    steps: Vec<Step>,
    regs: [Scalar; REGS],
    /// Undecided jumps, to be given their targets.
    jumps: Vec<(usize, usize)>,
}

/// A program of about `len` instructions.
pub fn generate(random: &mut Random, len: usize) -> Program {
    let mut maker =
        Maker { random, insns: Vec::new(), steps: Vec::new(), regs: [Scalar::UNKNOWN; REGS], jumps: Vec::new() };
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
            4 if maker.random.once_in(4) => maker.mask(),
            3 if maker.random.once_in(2) => maker.fill(),
            3 => maker.movsx(),
            4..=9 => maker.jump(),
            _ => maker.alu(),
        }
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
        maker.insns.push(Insn::Exit);
    }
    Program { insns: maker.insns, steps: maker.steps }
}

fn reg(number: usize) -> Reg {
    Reg::ALL[number]
}

impl Maker<'_> {
    fn step(&mut self, label: String, before: String, insn: Insn, named: &[usize]) {
        let after = named.iter().map(|&at| (at as u8, self.regs[at])).collect();
        self.steps.push(Step { label, before, slot: self.insns.len(), after, other: None });
        self.insns.push(insn);
    }

    /// A register that holds a number of which the load's size is known, or a constant.
    fn fresh(&mut self, at: usize) {
        let dst = reg(at);
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
    fn operand(&mut self, op: Option<AluOp>, width: Width, other: usize) -> (Operand, Scalar, Option<usize>) {
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

    fn alu(&mut self) {
        let width = self.random.pick(&Width::ALL);
        let op = self.random.pick(&AluOp::ROWS).op;
        let at = self.random.below(REGS);
        let (src, b, src_at) = self.operand(Some(op), width, at);
        self.alu_of(op, width, at, (src, b, src_at));
    }

    /// The sign as a mask of all bits, or of the low half's, and a choice by it.
    fn mask(&mut self) {
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
        if op == AluOp::Mov && width == Width::W64 && src_at.is_some() {
            return; // would tie two registers together
        }
        // An immediate of a 32-bit operation is not extended.
        let b = if src_at.is_none() && width == Width::W32 && op == AluOp::Mov { b.truncate(4) } else { b };
        let fork = Scalar::fork(op, width, &a, &b);
        if fork.is_some() && src_at == Some(at) {
            return;
        }
        let now = fork.map_or(a, |fork| fork.now);
        self.regs[at] = Scalar::alu(op, width, &now, &b);
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
        if op == AluOp::Mov
            && let Some(src_at) = src_at
            && src_at != at
        {
            self.fresh_constant(src_at);
        }
    }

    /// Cuts what ties a register to another.
    fn fresh_constant(&mut self, at: usize) {
        let imm = self.random.number() as i32;
        self.regs[at] = Scalar::constant(imm as i64 as u64);
        let insn = Insn::Alu { op: AluOp::Mov, width: Width::W64, dst: reg(at), src: Operand::Imm(imm) };
        self.step("mov64 imm".into(), String::new(), insn, &[at]);
    }

    fn neg(&mut self) {
        let (at, width) = (self.random.below(REGS), self.random.pick(&Width::ALL));
        let before = self.regs[at].kernel_text(false);
        self.regs[at] = self.regs[at].neg(width);
        self.step(format!("neg{}", width.bits()), before, Insn::Neg { width, dst: reg(at) }, &[at]);
    }

    fn endian(&mut self) {
        let (at, row) = (self.random.below(REGS), self.random.pick(&EndianOp::ROWS));
        let before = self.regs[at].kernel_text(false);
        self.regs[at] = self.regs[at].endian(row.op);
        self.step(row.name.into(), before, Insn::Endian { op: row.op, dst: reg(at) }, &[at]);
    }

    fn movsx(&mut self) {
        let (at, op) = (self.random.below(REGS), self.random.pick(&MovSx::ALL));
        let before = self.regs[at].kernel_text(false);
        self.regs[at] = self.regs[at].movsx(op);
        self.step(format!("{op:?}"), before, Insn::MovSx { op, dst: reg(at), src: reg(at) }, &[at]);
    }

    /// Through the stack, of which as much or less is read than was written.
    fn fill(&mut self) {
        let at = self.random.below(REGS);
        let written = self.random.pick(&MemSize::ALL);
        let sizes: Vec<MemSize> = MemSize::ALL.into_iter().filter(|size| *size <= written).collect();
        let size = self.random.pick(&sizes);
        let before = self.regs[at].kernel_text(false);
        let spill = Insn::Store { size: written, base: Reg::R10, off: -16, src: Operand::Reg(reg(at)) };
        self.step(format!("store {}", written.bytes()), before.clone(), spill, &[at]);
        let narrow = Narrow::from_size(size);
        let signed = narrow.filter(|_| self.random.once_in(2));
        let (dst, base, off) = (reg(at), Reg::R10, -16);
        let (insn, kind) = match signed {
            Some(size) => (Insn::LoadSx { size, dst, base, off }, "signed"),
            None => (Insn::Load { size, dst, base, off }, "unsigned"),
        };
        let bytes = size.bytes();
        self.regs[at] = if signed.is_some() { self.regs[at].sign_load(bytes) } else { self.regs[at].truncate(bytes) };
        self.step(format!("fill {bytes} of {} {kind}", written.bytes()), before, insn, &[at]);
    }

    fn jump(&mut self) {
        let (width, cond) = (self.random.pick(&Width::ALL), self.random.pick(&Cond::ROWS).cond);
        let at = self.random.below(REGS);
        let (src, b, src_at) = self.operand(None, width, at);
        let a = self.regs[at];
        let insn = |off| Insn::JumpIf { cond, width, dst: reg(at), src, off };
        let mut named = vec![at];
        named.extend(src_at.filter(|&src_at| src_at != at));
        let same = src_at == Some(at);
        let kind = if same {
            "same"
        } else if src_at.is_some() {
            "reg"
        } else {
            "imm"
        };
        let label = format!("{}{} {kind}", cond.row().mnemonic, width.bits());
        let before = format!("{} with {}", a.kernel_text(false), b.kernel_text(false));
        match Scalar::decide(cond, width, &a, &b) {
            Some(false) => self.step(label + " decided", before, insn(1), &named),
            Some(true) => self.step(label + " decided", before, insn(1), &named),
            None => {
                let mut contradiction = false;
                let mut refined = |test: Test| {
                    let (x, y) = if same {
                        let both = Scalar::refine_same(test, width, a);
                        (both, both)
                    } else {
                        Scalar::refine(test, width, a, b)
                    };
                    contradiction |= x.is_contradictory() || y.is_contradictory();
                    (x.settled(), y.settled())
                };
                let pair = |(x, y): (Scalar, Scalar)| {
                    let mut pair = vec![(at as u8, x)];
                    pair.extend(src_at.filter(|&src_at| src_at != at).map(|src_at| (src_at as u8, y)));
                    pair
                };
                let taken = pair(refined(Test::of(cond, true)));
                for (at, scalar) in pair(refined(Test::of(cond, false))) {
                    self.regs[usize::from(at)] = scalar;
                }
                let label = if contradiction { format!("{label} contradiction") } else { label };
                self.step(label, before, insn(0), &named);
                self.jumps.push((self.insns.len() - 1, self.steps.len() - 1));
                if let Some(step) = self.steps.last_mut() {
                    step.other = Some((0, taken));
                }
                return;
            }
        }
        // Decided: the next instruction ends the program, where the jump is not taken; else one is jumped over.
        if Scalar::decide(cond, width, &a, &b) == Some(true) {
            self.insns.push(Insn::Exit);
        } else if let Some(Insn::JumpIf { off, .. }) = self.insns.last_mut() {
            *off = 0;
            let jump = self.insns.len() - 1;
            self.jumps.push((jump, self.steps.len() - 1));
        }
    }
}
