//! The choice of statements, arithmetic, and bounds.

use oxbpf_abi::ProgType;
use oxbpf_isa::{AluOp, Cond, EndianOp, Insn, MovSx, Operand, Reg, Width};

use super::build::{Fun, Kind, Role, VARS};
use super::topics::Topic;

type Statement = fn(&mut Fun<'_>);

/// What is written most, with weights; those of a held reference first.
const SIMPLE: &[(u32, Statement)] = &[
    (16, |f| f.arithmetic()),
    (8, |f| f.bound()),
    (6, |f| f.value_access()),
    (6, |f| f.value_variable()),
    (5, |f| f.stack_bytes()),
    (5, |f| f.spill()),
    (5, |f| f.fill()),
    (4, |f| f.stack_variable()),
    (5, |f| f.atomic()),
    (5, |f| f.context_load()),
    (3, |f| f.context_store()),
    (5, |f| f.packet_access()),
    (2, |f| f.global_value()),
    (2, |f| f.linked()),
    (1, |f| f.distance()),
];

const ALL: &[(u32, Statement)] = &[
    (12, |f| f.packet_check()),
    (5, |f| f.packet_variable()),
    (14, |f| f.lookup()),
    (3, |f| f.map_change()),
    (3, |f| f.map_in_map()),
    (2, |f| f.frozen_value()),
    (2, |f| f.queue()),
    (9, |f| f.helper()),
    (6, |f| f.helper_memory()),
    (7, |f| f.branch()),
    (3, |f| f.switch()),
    (5, |f| f.counted_loop()),
    (3, |f| f.variable_loop()),
    (1, |f| f.may_goto()),
    (5, |f| f.call_function()),
    (3, |f| f.callback()),
    (2, |f| f.tail_call()),
    (4, |f| f.legacy_load()),
    (5, |f| f.ringbuf()),
    (4, |f| f.socket()),
    (3, |f| f.lock()),
];

impl Fun<'_> {
    /// One statement, which may hold others.
    pub(crate) fn statement(&mut self) {
        self.w.budget -= 1;
        if self.code.slots() > 3000 {
            self.w.budget = 0;
        }
        let simple = self.held || self.chance(45);
        let statement = self.w.rng.weighted(if simple { SIMPLE } else { ALL });
        statement(self);
    }

    /// A few statements of a block.
    pub(crate) fn block(&mut self, most: u32) {
        self.depth += 1;
        for _ in 0..self.w.rng.range(1, most) {
            if self.w.budget > 0 || self.depth > 3 {
                if self.depth > 3 { self.simple() } else { self.statement() }
            }
        }
        self.depth -= 1;
    }

    /// A statement that holds no others.
    pub(crate) fn simple(&mut self) {
        self.w.budget -= 1;
        let statement = self.w.rng.weighted(SIMPLE);
        statement(self);
    }

    pub(crate) fn arithmetic(&mut self) {
        self.topic(Topic::Arithmetic);
        let Some((dst, max)) = self.some_num() else { return self.new_number() };
        let i = VARS.iter().position(|v| *v == dst).unwrap_or(0);
        let (width, imm) = (self.width(), self.w.rng.imm());
        let max = match self.w.rng.below(12) {
            0 => {
                let imm = imm & 0xffff;
                self.alu(AluOp::And, width, dst, Operand::Imm(imm));
                imm as u64
            }
            1 => {
                let by = self.w.rng.below(width.bits());
                self.alu(AluOp::Rsh, width, dst, Operand::Imm(by as i32));
                (if width == Width::W32 { max.min(u64::from(u32::MAX)) } else { max }) >> by
            }
            2 => {
                let by = self.w.rng.below(5);
                self.alu(AluOp::Lsh, width, dst, Operand::Imm(by as i32));
                u64::MAX
            }
            3 => {
                let op = self.w.rng.pick(&[AluOp::Div, AluOp::Mod, AluOp::SDiv, AluOp::SMod]);
                self.alu(op, width, dst, Operand::Imm(imm | 1));
                u64::MAX
            }
            4 => {
                self.topic(Topic::SignExtend);
                let op = self.w.rng.pick(&MovSx::ALL);
                self.push(Insn::MovSx { op, dst, src: dst });
                u64::MAX
            }
            5 => {
                let op = EndianOp::ROWS[self.w.rng.below(9) as usize];
                self.push(Insn::Endian { op: op.op, dst });
                if op.bits < 64 { (1 << op.bits) - 1 } else { u64::MAX }
            }
            6 => {
                self.push(Insn::Neg { width, dst });
                u64::MAX
            }
            7 => {
                let by = self.w.rng.below(width.bits());
                self.alu(AluOp::Arsh, width, dst, Operand::Imm(by as i32));
                u64::MAX
            }
            8 => {
                let op = self.w.rng.pick(&[AluOp::Lsh, AluOp::Rsh, AluOp::Arsh, AluOp::Div, AluOp::Mod]);
                let src = self.some_num().map_or(dst, |(reg, _)| reg);
                self.alu(op, width, dst, Operand::Reg(src));
                u64::MAX
            }
            _ => {
                let op = self.w.rng.pick(&[AluOp::Add, AluOp::Sub, AluOp::Mul, AluOp::Or, AluOp::And, AluOp::Xor]);
                let src = self.operand();
                self.alu(op, width, dst, src);
                u64::MAX
            }
        };
        let max = if width == Width::W32 { max.min(u64::from(u32::MAX)) } else { max };
        self.st.regs[i] = Kind::Num { max };
    }

    /// A number in a variable: constant, random, or from the context.
    pub(crate) fn new_number(&mut self) {
        let i = self.fresh();
        match self.w.rng.below(4) {
            0 => {
                let imm = self.w.rng.imm();
                self.set(VARS[i], imm);
                self.st.regs[i] = Kind::Num { max: i64::from(imm) as u64 };
            }
            1 => {
                let value = self.w.rng.imm64();
                self.push(Insn::LoadImm64 { dst: VARS[i], value });
                self.st.regs[i] = Kind::Num { max: value };
            }
            2 if !self.held => {
                self.call(7);
                self.mov(VARS[i], Reg::R0);
                self.st.regs[i] = Kind::Num { max: u64::MAX };
            }
            _ if self.has_ctx() => self.context_load(),
            _ => {}
        }
    }

    /// A comparison that bounds a number, by every form.
    pub(crate) fn bound(&mut self) {
        if self.held {
            return self.mask();
        }
        self.topic(Topic::Bound);
        let Some((reg, _)) = self.some_num() else { return self.new_number() };
        let limit = self.w.rng.pick(&[1, 3, 7, 8, 15, 31, 40, 47, 63, 100, 255, 1000, 4095]);
        self.bound_to(reg, limit);
    }

    /// Bounds a variable to `limit` at most: the function ends where it is above.
    pub(crate) fn bound_to(&mut self, reg: Reg, limit: u64) {
        let (bail, imm) = (self.bail, Operand::Imm(limit as i32));
        let above = Operand::Imm(limit as i32 + 1);
        let on = self.code.label();
        match self.w.rng.below(7) {
            0 => self.jump_if(Cond::Gt, Width::W64, reg, imm, bail),
            1 => self.jump_if(Cond::Ge, Width::W64, reg, above, bail),
            2 => {
                self.jump_if(Cond::Le, Width::W64, reg, imm, on);
                self.jump(bail);
            }
            3 => {
                self.jump_if(Cond::Lt, Width::W64, reg, above, on);
                self.jump(bail);
            }
            4 => {
                self.jump_if(Cond::SGt, Width::W64, reg, imm, bail);
                self.jump_if(Cond::SLt, Width::W64, reg, Operand::Imm(0), bail);
            }
            5 => {
                self.set(Reg::R1, limit as i32);
                self.jump_if(Cond::Gt, Width::W64, reg, Operand::Reg(Reg::R1), bail);
            }
            _ => {
                self.alu(AluOp::Mov, Width::W32, reg, Operand::Reg(reg));
                self.jump_if(Cond::Gt, Width::W32, reg, imm, bail);
            }
        }
        self.code.place(on);
        if let Some(i) = VARS.iter().position(|v| *v == reg)
            && let Kind::Num { max } = self.st.regs[i]
        {
            self.st.regs[i] = Kind::Num { max: max.min(limit) };
        }
    }

    /// Bounds a number without a branch.
    fn mask(&mut self) {
        if let Some((reg, _)) = self.some_num() {
            let mask = (1u64 << self.w.rng.below(12)) - 1;
            self.alu(AluOp::And, Width::W64, reg, Operand::Imm(mask as i32));
            if let Some(i) = VARS.iter().position(|v| *v == reg) {
                self.st.regs[i] = Kind::Num { max: mask };
            }
        }
    }

    /// A copy, bounded; so the other is too.
    pub(crate) fn linked(&mut self) {
        if self.held {
            return self.mask();
        }
        self.topic(Topic::LinkedScalars);
        let Some((reg, max)) = self.some_num() else { return };
        let copy = self.put(reg, Kind::Num { max });
        if copy != reg && self.chance(70) {
            let add = self.w.rng.below(8);
            if add > 4 && max < 1 << 20 {
                self.add(copy, add as i32);
            }
            let limit = self.w.rng.range(8, 60) as i32;
            let bail = self.bail;
            self.jump_if(Cond::Gt, Width::W64, copy, Operand::Imm(limit), bail);
            for i in (0..3).filter(|&i| VARS[i] == copy || VARS[i] == reg) {
                if let Kind::Num { max } = self.st.regs[i] {
                    self.st.regs[i] = Kind::Num { max: max.min(limit as u64) };
                }
            }
        }
    }

    /// A number that is at most `limit`, in a scratch register.
    pub(crate) fn bounded(&mut self, dst: Reg, limit: u64) {
        match self.some_num() {
            Some((reg, max)) if max <= limit => self.mov(dst, reg),
            Some((reg, _)) if self.chance(50) && !self.held => {
                self.bound_to(reg, limit);
                self.mov(dst, reg);
            }
            Some((reg, _)) => {
                self.mov(dst, reg);
                let mask = if limit == u64::MAX { 0 } else { (limit + 1).next_power_of_two() / 2 };
                let mask = if (limit + 1).is_power_of_two() { limit } else { mask.max(1) - 1 };
                self.alu(AluOp::And, Width::W64, dst, Operand::Imm(mask as i32));
            }
            None => {
                let imm = self.w.rng.below(limit as u32 + 1) as i32;
                self.set(dst, imm);
            }
        }
    }

    pub(crate) fn is_skb(&self) -> bool {
        self.w.prog_type != ProgType::Xdp
    }

    pub(crate) fn main_or_sub(&self) -> bool {
        self.role != Role::Callback
    }
}
