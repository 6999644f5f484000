//! Bounded loops: a counter in a register that calls preserve, or on the stack.

use oxbpf_isa::{AluOp, Cond, Insn, MemSize, Operand, Reg, Width};

use crate::code::Label;
use crate::fun::{Fun, Loop, join};
use crate::rows::Topic;
use crate::state::{Kind, Regs, State};

const CALLEE_SAVED: [Reg; 4] = [Reg::R6, Reg::R7, Reg::R8, Reg::R9];

/// How a loop counts and where it tests.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Up to a bound, tested at the end.
    Up,
    /// Down to zero, tested at the end.
    Down,
    /// Up to a bound, tested at the head.
    While,
    /// Up to a bound held in a register, which the verifier only knows to be below 16.
    UnknownBound,
    /// As `Up`, with the counter on the stack.
    OnStack,
    /// As `Up`, with `may_goto` at the head.
    MayGoto,
}

const FORMS: [(u32, Form); 6] =
    [(6, Form::Up), (4, Form::Down), (4, Form::While), (2, Form::UnknownBound), (2, Form::OnStack), (1, Form::MayGoto)];

/// Conditions to go on while counting up; not-equal needs steps that meet the bound.
const ON_UP: [Cond; 3] = [Cond::Lt, Cond::SLt, Cond::Ne];

impl Fun {
    pub(crate) fn loop_stmt(&mut self) {
        let most = (64 / self.times).min(16);
        let trips = if self.rng().chance(70) { self.rng().range(1, most.min(6)) } else { self.rng().range(1, most) };
        // Room for some thirty instructions in each round.
        if self.effects.cost + self.times * trips * 30 > self.cost_limit {
            return;
        }
        let form = self.rng().weighted(&FORMS);
        match form {
            Form::OnStack => self.stack_counted(trips),
            _ => self.register_counted(form, trips),
        }
    }

    fn register_counted(&mut self, form: Form, trips: u32) {
        let free: Vec<Reg> = CALLEE_SAVED.into_iter().filter(|r| !self.pinned.has(*r)).collect();
        let needed = if form == Form::UnknownBound { 2 } else { 1 };
        // One register that calls preserve stays open for other uses.
        if free.len() <= needed {
            return;
        }
        let counter = self.rng().pick(&free);
        let bound = free[usize::from(free[0] == counter)];
        let pinned = self.pinned;
        let step = self.rng().range(1, 3) as i32;
        let last = step * trips as i32;
        self.set_imm(counter, if form == Form::Down { last } else { 0 });
        self.pinned = self.pinned.with(counter);
        if form == Form::UnknownBound {
            self.masked_into(bound, 15, Regs::NONE.with(counter));
            self.pinned = self.pinned.with(bound);
        }
        self.note(Topic::Loops);
        let trips = if form == Form::UnknownBound { 15 } else { trips };
        let width = self.rng().pick(&Width::ALL);
        let head = self.open_loop(trips);
        match form {
            Form::Up | Form::MayGoto => {
                if form == Form::MayGoto {
                    self.may_goto();
                }
                let at_head = self.loop_body();
                self.alu(AluOp::Add, width, counter, Operand::Imm(step));
                self.repair(&at_head);
                let cond = self.rng().pick(&ON_UP);
                self.back(head, cond, width, counter, Operand::Imm(last));
            }
            Form::Down => {
                let at_head = self.loop_body();
                self.repair(&at_head);
                self.alu(AluOp::Sub, width, counter, Operand::Imm(step));
                self.back(head, Cond::Ne, width, counter, Operand::Imm(0));
            }
            Form::While | Form::UnknownBound | Form::OnStack => {
                let (src, step) =
                    if form == Form::While { (Operand::Imm(last), step) } else { (Operand::Reg(bound), 1) };
                self.leave_if(Cond::Ge, width, counter, src);
                let at_head = self.loop_body();
                self.alu(AluOp::Add, width, counter, Operand::Imm(step));
                self.repair(&at_head);
                self.goto(head);
                self.state = at_head;
            }
        }
        self.pinned = pinned;
        self.close_loop(trips);
    }

    fn stack_counted(&mut self, trips: u32) {
        let Some(at) = self.region(8) else { return };
        let off = self.frame_off(at);
        let pinned = self.pinned_bytes;
        self.store(MemSize::Dw, Reg::R10, off, Operand::Imm(0));
        self.pinned_bytes.add(at, 8);
        self.note(Topic::Loops);
        let head = self.open_loop(trips);
        let at_head = self.loop_body();
        let counter = self.fresh(Regs::NONE);
        self.load(MemSize::Dw, counter, Reg::R10, off);
        self.alu(AluOp::Add, Width::W64, counter, Operand::Imm(1));
        self.store(MemSize::Dw, Reg::R10, off, Operand::Reg(counter));
        self.pinned = self.pinned.with(counter);
        self.repair(&at_head);
        self.pinned = self.pinned.without(counter);
        self.back(head, Cond::Lt, Width::W64, counter, Operand::Imm(trips as i32));
        self.pinned_bytes = pinned;
        self.close_loop(trips);
    }

    /// Opens a loop at its head, where only numbers and pinned registers are sure.
    fn open_loop(&mut self, trips: u32) -> Label {
        let out = self.code.label();
        self.loops.push(Loop { out, at_out: None });
        self.times *= trips;
        self.state.forget_pointers(self.pinned);
        let head = self.code.label();
        self.code.place(head);
        head
    }

    /// The statements of the loop; returns what is known at its head.
    fn loop_body(&mut self) -> State {
        let at_head = self.state.clone();
        self.nested(|f| f.block(4));
        at_head
    }

    /// Makes every register a number again that was one at the head.
    fn repair(&mut self, at_head: &State) {
        for reg in at_head.regs_where(|k| k == Kind::Scalar) {
            if !self.state.is_scalar(reg) && !self.pinned.has(reg) {
                let imm = self.rng().imm();
                self.set_imm(reg, imm);
            }
        }
    }

    fn back(&mut self, head: Label, cond: Cond, width: Width, dst: Reg, src: Operand) {
        self.jump(Insn::JumpIf { cond, width, dst, src, off: 0 }, head);
    }

    fn leave_if(&mut self, cond: Cond, width: Width, dst: Reg, src: Operand) {
        let state = self.state.clone();
        if let Some(open) = self.loops.last_mut() {
            join(&mut open.at_out, state);
            let out = open.out;
            self.jump(Insn::JumpIf { cond, width, dst, src, off: 0 }, out);
        }
    }

    fn may_goto(&mut self) {
        let state = self.state.clone();
        if let Some(open) = self.loops.last_mut() {
            join(&mut open.at_out, state);
            let out = open.out;
            self.jump(Insn::MayGoto { off: 0 }, out);
            self.note(Topic::MayGoto);
        }
    }

    fn close_loop(&mut self, trips: u32) {
        self.times /= trips;
        if let Some(done) = self.loops.pop() {
            self.code.place(done.out);
            if let Some(state) = done.at_out {
                self.state.meet(&state);
            }
        }
    }
}
