//! A function under construction, with what is known of its variables at its end.
//!
//! Variables are r7 to r9 and eight slots of the frame; r6 is the context where the function has it, r0 to r5 are
//! scratch inside of a statement. Below the slots stands a buffer for keys and the like.

use oxbpf_abi::ProgType;
use oxbpf_isa::{AluOp, CallTarget, Cond, Insn, MemSize, Operand, Pseudo, Reg, Width};

use super::topics::{Topic, Topics};
use crate::code::{Code, Label};
use crate::rng::Rng;

/// What all functions of a program share.
pub(crate) struct World {
    pub(crate) rng: Rng,
    pub(crate) prog_type: ProgType,
    /// Finished functions, which have the numbers 1 and on.
    pub(crate) functions: Vec<Code>,
    /// Statements that are still to come, about.
    pub(crate) budget: i32,
    pub(crate) topics: Topics,
}

/// What a variable holds on every path.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// Nothing to rely on; not even that it was written.
    None,
    /// A number from 0 to `max`.
    Num { max: u64 },
    /// The packet's start plus nothing, `ok` bytes of which are proved to be there.
    Packet { ok: u32 },
    /// A value of this map, at its start; never null.
    Value { map: usize },
    /// Some bytes of memory that may be read and written: a caller's frame or a ring buffer's record.
    Bytes { len: u32 },
}

/// The variables: r7 to r9, then slots.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct State {
    pub(crate) regs: [Kind; 3],
    pub(crate) slots: [Kind; SLOTS],
}

/// How many slots hold variables.
pub(crate) const SLOTS: usize = 8;
/// Bytes of the buffer below them.
pub(crate) const BUFFER: i16 = 64;

/// What kind of function this is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Role {
    Main,
    Sub,
    Callback,
}

/// A function under construction.
pub(crate) struct Fun<'w> {
    pub(crate) w: &'w mut World,
    pub(crate) code: Code,
    pub(crate) st: State,
    pub(crate) role: Role,
    /// How many calls lead here.
    pub(crate) level: u32,
    /// How many blocks are open.
    pub(crate) depth: u32,
    /// Whether a reference is held, so that the function cannot just end.
    pub(crate) held: bool,
    /// Product of the trip counts of open loops.
    pub(crate) times: u32,
    /// Where the function ends early.
    pub(crate) bail: Label,
    /// Registers and slots whose kind an open loop relies on.
    pub(crate) kept: ([bool; 3], [bool; SLOTS]),
    /// Where the frame's variables begin, below the frame pointer.
    pub(crate) base: i16,
}

pub(crate) const VARS: [Reg; 3] = [Reg::R7, Reg::R8, Reg::R9];
pub(crate) const CTX: Reg = Reg::R6;
pub(crate) const FP: Reg = Reg::R10;

impl<'w> Fun<'w> {
    pub(crate) fn new(w: &'w mut World, role: Role, level: u32) -> Fun<'w> {
        let mut code = Code::default();
        let bail = code.label();
        let base = w.rng.pick(&[0, 0, 0, 8, 24]);
        let st = State { regs: [Kind::None; 3], slots: [Kind::None; SLOTS] };
        Fun { w, code, st, role, level, depth: 0, held: false, times: 1, bail, kept: Default::default(), base }
    }

    /// The main function, finished.
    pub(crate) fn main(w: &'w mut World) -> Code {
        let mut f = Fun::new(w, Role::Main, 0);
        f.mov(CTX, Reg::R1);
        if f.chance(70) {
            f.init_vars();
        }
        f.statements();
        f.finish()
    }

    /// Statements until the budget is used up.
    pub(crate) fn statements(&mut self) {
        while self.w.budget > 0 {
            self.statement();
        }
    }

    /// What r0 may be at the end of a main function: all of it where the type has no rule.
    pub(crate) fn finish(mut self) -> Code {
        let ranged =
            self.role == Role::Callback || (self.role == Role::Main && self.w.prog_type == ProgType::CgroupSkb);
        match self.some_num() {
            Some((reg, _)) if ranged && self.chance(60) => {
                self.mov(Reg::R0, reg);
                self.alu(AluOp::And, Width::W64, Reg::R0, Operand::Imm(1));
            }
            Some((reg, _)) if !ranged && self.chance(60) => self.mov(Reg::R0, reg),
            _ => {
                let imm = self.w.rng.below(2) as i32;
                self.set(Reg::R0, imm);
            }
        }
        self.code.push(Insn::Exit);
        if !self.code.leads_to(self.bail) {
            return self.code;
        }
        self.code.place(self.bail);
        let imm = self.w.rng.below(2) as i32;
        self.set(Reg::R0, imm);
        self.code.push(Insn::Exit);
        self.code
    }

    /// Gives the variables numbers.
    pub(crate) fn init_vars(&mut self) {
        for (i, var) in VARS.into_iter().enumerate().take(3) {
            if self.chance(75) {
                let imm = self.w.rng.imm();
                self.set(var, imm);
                self.st.regs[i] = Kind::Num { max: i64::from(imm) as u64 };
            }
        }
    }

    pub(crate) fn topic(&mut self, topic: Topic) {
        self.w.topics.add(topic);
    }

    pub(crate) fn chance(&mut self, percent: u32) -> bool {
        self.w.rng.chance(percent)
    }

    pub(crate) fn has_ctx(&self) -> bool {
        self.role != Role::Callback
    }

    /// A variable in a register that holds a number.
    pub(crate) fn some_num(&mut self) -> Option<(Reg, u64)> {
        let at = self.w.rng.below(3) as usize;
        (0..3).map(|i| (i + at) % 3).find_map(|i| match self.st.regs[i] {
            Kind::Num { max } => Some((VARS[i], max)),
            _ => None,
        })
    }

    /// A register for a new value; whatever it held is gone.
    pub(crate) fn fresh(&mut self) -> usize {
        let at = self.w.rng.below(3) as usize;
        let order = || (0..3).map(|i| (i + at) % 3).filter(|&i| !self.kept.0[i]);
        let i = order().find(|&i| self.st.regs[i] == Kind::None).or_else(|| order().next()).unwrap_or(at);
        self.st.regs[i] = Kind::None;
        i
    }

    /// A slot that may be written, if there is one.
    pub(crate) fn free_slot(&mut self) -> Option<usize> {
        let at = self.w.rng.below(SLOTS as u32) as usize;
        (0..SLOTS).map(|i| (i + at) % SLOTS).find(|&i| !self.kept.1[i])
    }

    pub(crate) fn put(&mut self, from: Reg, kind: Kind) -> Reg {
        let i = self.fresh();
        self.mov(VARS[i], from);
        self.st.regs[i] = kind;
        VARS[i]
    }

    /// Pointers into the packet are void from here on.
    pub(crate) fn packet_moved(&mut self) {
        let all = self.st.regs.iter_mut().chain(&mut self.st.slots);
        all.filter(|k| matches!(k, Kind::Packet { .. })).for_each(|k| *k = Kind::None);
    }

    /// What holds where two paths meet.
    pub(crate) fn meet(a: &State, b: &State) -> State {
        let both = |a: Kind, b: Kind| match (a, b) {
            (Kind::Num { max: a }, Kind::Num { max: b }) => Kind::Num { max: a.max(b) },
            (Kind::Packet { ok: a }, Kind::Packet { ok: b }) => Kind::Packet { ok: a.min(b) },
            (a, b) if a == b => a,
            _ => Kind::None,
        };
        let mut out = *a;
        out.regs.iter_mut().zip(b.regs).for_each(|(k, b)| *k = both(*k, b));
        out.slots.iter_mut().zip(b.slots).for_each(|(k, b)| *k = both(*k, b));
        out
    }

    pub(crate) fn slot_off(&self, slot: usize) -> i16 {
        -self.base - 8 * (slot as i16 + 1)
    }

    /// The lowest byte of the buffer.
    pub(crate) fn buffer(&self) -> i16 {
        -self.base - 8 * SLOTS as i16 - BUFFER
    }

    // Instructions.

    pub(crate) fn push(&mut self, insn: Insn) {
        self.code.push(insn);
    }

    pub(crate) fn alu(&mut self, op: AluOp, width: Width, dst: Reg, src: Operand) {
        self.push(Insn::Alu { op, width, dst, src });
    }

    pub(crate) fn mov(&mut self, dst: Reg, src: Reg) {
        self.alu(AluOp::Mov, Width::W64, dst, Operand::Reg(src));
    }

    pub(crate) fn set(&mut self, dst: Reg, imm: i32) {
        self.alu(AluOp::Mov, Width::W64, dst, Operand::Imm(imm));
    }

    pub(crate) fn add(&mut self, dst: Reg, imm: i32) {
        self.alu(AluOp::Add, Width::W64, dst, Operand::Imm(imm));
    }

    pub(crate) fn load(&mut self, size: MemSize, dst: Reg, base: Reg, off: i16) {
        self.push(Insn::Load { size, dst, base, off });
    }

    pub(crate) fn store(&mut self, size: MemSize, base: Reg, off: i16, src: Operand) {
        self.push(Insn::Store { size, base, off, src });
    }

    pub(crate) fn call(&mut self, helper: i32) {
        self.push(Insn::Call(CallTarget::Helper(helper)));
    }

    pub(crate) fn map(&mut self, dst: Reg, map: usize) {
        self.push(Insn::LoadPseudo { dst, value: Pseudo::MapFd(map as i32) });
    }

    pub(crate) fn jump_if(&mut self, cond: Cond, width: Width, dst: Reg, src: Operand, to: Label) {
        self.code.jump(Insn::JumpIf { cond, width, dst, src, off: 0 }, to);
    }

    pub(crate) fn jump(&mut self, to: Label) {
        self.code.jump(Insn::Jump { off: 0 }, to);
    }

    /// `dst = fp + off`
    pub(crate) fn frame_ptr(&mut self, dst: Reg, off: i16) {
        self.mov(dst, FP);
        self.add(dst, off.into());
    }

    pub(crate) fn size(&mut self) -> MemSize {
        self.w.rng.pick(&MemSize::ALL)
    }

    pub(crate) fn width(&mut self) -> Width {
        if self.chance(70) { Width::W64 } else { Width::W32 }
    }

    /// A number in a register or an immediate.
    pub(crate) fn operand(&mut self) -> Operand {
        match self.some_num() {
            Some((reg, _)) if self.chance(50) => Operand::Reg(reg),
            _ => Operand::Imm(self.w.rng.imm()),
        }
    }
}
