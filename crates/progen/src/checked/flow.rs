//! Branches and loops.

use oxbpf_isa::{AluOp, Cond, Insn, MemSize, Operand, Reg, Width};

use super::build::{Fun, Kind, SLOTS, State, VARS};
use super::topics::Topic;

/// What is known and kept at a loop's head, and what was kept before.
type Entry = (State, ([bool; 3], [bool; SLOTS]));

impl Fun<'_> {
    fn condition(&mut self) -> Option<(Cond, Width, Reg, Operand)> {
        let (reg, _) = self.some_num()?;
        let cond = Cond::ROWS[self.w.rng.below(11) as usize].cond;
        Some((cond, self.width(), reg, self.operand()))
    }

    /// Two ways that meet, or one beside nothing.
    pub(crate) fn branch(&mut self) {
        self.topic(Topic::Branch);
        let Some((cond, width, dst, src)) = self.condition() else { return self.new_number() };
        let (other, end) = (self.code.label(), self.code.label());
        self.jump_if(cond, width, dst, src, other);
        let before = self.st;
        self.block(4);
        let after = std::mem::replace(&mut self.st, before);
        if self.chance(55) {
            self.jump(end);
            self.code.place(other);
            self.block(3);
        } else {
            self.code.place(other);
        }
        self.code.place(end);
        self.st = Fun::meet(&self.st, &after);
    }

    /// A chain of comparisons of one number, each with something to do.
    pub(crate) fn switch(&mut self) {
        self.topic(Topic::Switch);
        let Some((reg, _)) = self.some_num() else { return self.new_number() };
        let out = self.put(reg, Kind::Num { max: u64::MAX });
        if out == reg {
            return;
        }
        let end = self.code.label();
        for case in 0..self.w.rng.range(2, 7) {
            let next = self.code.label();
            let width = self.width();
            self.jump_if(Cond::Ne, width, reg, Operand::Imm(case as i32), next);
            let imm = self.w.rng.below(64) as i32;
            self.set(out, imm);
            self.jump(end);
            self.code.place(next);
        }
        let imm = self.w.rng.below(64) as i32;
        self.set(out, imm);
        self.code.place(end);
        if let Some(i) = VARS.iter().position(|v| *v == out) {
            self.st.regs[i] = Kind::Num { max: 63 };
        }
    }

    /// A loop whose counter is a constant, kept in a slot or in a register.
    pub(crate) fn counted_loop(&mut self) {
        let trips = match self.w.rng.below(4) {
            0 => self.w.rng.range(1, 4),
            1 | 2 => self.w.rng.range(3, 20),
            _ => self.w.rng.range(20, 200),
        };
        if self.times.saturating_mul(trips) > 400 || self.depth > 2 {
            return self.simple();
        }
        self.topic(if self.times > 1 { Topic::NestedLoop } else { Topic::BoundedLoop });
        self.times *= trips;
        let Some(slot) = self.free_slot() else { return self.simple() };
        let off = self.slot_off(slot);
        let (head, out) = (self.code.label(), self.code.label());
        self.store(MemSize::Dw, Reg::R10, off, Operand::Imm(0));
        let entry = self.enter_loop(Some(slot));
        self.code.place(head);
        self.load(MemSize::Dw, Reg::R1, Reg::R10, off);
        let width = self.width();
        let cond = self.w.rng.pick(&[Cond::Ge, Cond::SGe, Cond::Eq]);
        self.jump_if(cond, width, Reg::R1, Operand::Imm(trips as i32), out);
        self.add(Reg::R1, 1);
        self.store(MemSize::Dw, Reg::R10, off, Operand::Reg(Reg::R1));
        self.loop_body();
        self.jump(head);
        self.code.place(out);
        self.leave_loop(entry);
        self.times /= trips;
    }

    /// A loop whose number of rounds is read, and bounded.
    pub(crate) fn variable_loop(&mut self) {
        if self.times > 20 || self.depth > 2 || self.held {
            return self.simple();
        }
        let Some((reg, _)) = self.some_num() else { return self.new_number() };
        self.topic(Topic::VariableLoop);
        let limit = self.w.rng.range(1, 12);
        self.bound_to(reg, limit.into());
        let Some(slot) = self.free_slot() else { return self.simple() };
        let (head, out, off) = (self.code.label(), self.code.label(), self.slot_off(slot));
        self.store(MemSize::Dw, Reg::R10, off, Operand::Reg(reg));
        self.times *= limit + 1;
        let entry = self.enter_loop(Some(slot));
        self.code.place(head);
        self.load(MemSize::Dw, Reg::R1, Reg::R10, off);
        self.jump_if(Cond::Eq, Width::W64, Reg::R1, Operand::Imm(0), out);
        self.add(Reg::R1, -1);
        self.store(MemSize::Dw, Reg::R10, off, Operand::Reg(Reg::R1));
        self.loop_body();
        self.jump(head);
        self.code.place(out);
        self.leave_loop(entry);
        self.times /= limit + 1;
    }

    /// Leaves of what is known what holds in every round: numbers lose their bounds, proofs about packets stay out. What
    /// stays is kept until [`Fun::leave_loop`].
    pub(crate) fn enter_loop(&mut self, counter: Option<usize>) -> Entry {
        let before = self.kept;
        let spare = self.w.rng.below(3) as usize;
        if !self.kept.0[spare] {
            self.st.regs[spare] = Kind::None;
        }
        for kind in self.st.regs.iter_mut().chain(&mut self.st.slots) {
            *kind = match *kind {
                Kind::Num { .. } => Kind::Num { max: u64::MAX },
                Kind::Packet { .. } | Kind::Bytes { .. } | Kind::Value { .. } | Kind::None => Kind::None,
            };
        }
        if let Some(slot) = counter {
            self.st.slots[slot] = Kind::None;
            self.kept.1[slot] = true;
        }
        for i in 0..3 {
            self.kept.0[i] |= self.st.regs[i] != Kind::None;
        }
        for i in 0..self.st.slots.len() {
            self.kept.1[i] |= self.st.slots[i] != Kind::None;
        }
        (self.st, before)
    }

    pub(crate) fn leave_loop(&mut self, entry: Entry) {
        (self.st, self.kept) = entry;
    }

    /// Arithmetic, mostly: state that differs from round to round makes rounds many.
    pub(crate) fn loop_body(&mut self) {
        self.depth += 1;
        for _ in 0..self.w.rng.range(1, 3) {
            match self.w.rng.below(6) {
                0 | 1 => self.loop_sum(),
                2 if self.times < 60 => self.lookup(),
                3 if self.times < 60 => self.packet_check(),
                4 if self.times < 12 => self.branch(),
                _ => self.global_value(),
            }
        }
        self.depth -= 1;
    }

    fn loop_sum(&mut self) {
        if let Some((reg, _)) = self.some_num() {
            let width = self.width();
            let op = self.w.rng.pick(&[AluOp::Add, AluOp::Xor, AluOp::And, AluOp::Mul]);
            let src = self.operand();
            self.alu(op, width, reg, src);
        }
    }

    /// A loop that the kernel ends.
    pub(crate) fn may_goto(&mut self) {
        if self.held || self.depth > 1 || self.times > 1 {
            return self.simple();
        }
        self.topic(Topic::MayGoto);
        self.times *= 4;
        let entry = self.enter_loop(None);
        let (head, out) = (self.code.label(), self.code.label());
        self.code.place(head);
        self.code.jump(Insn::MayGoto { off: 0 }, out);
        if let Some((reg, _)) = self.some_num() {
            let imm = self.w.rng.imm();
            self.set(reg, imm);
        }
        self.block(2);
        self.jump(head);
        self.code.place(out);
        self.leave_loop(entry);
        self.times /= 4;
    }
}
