//! Functions of the program, and callbacks.

use oxbpf_isa::{AluOp, Cond, MemSize, Operand, Reg, Width};

use super::build::{CTX, FP, Fun, Kind, Role, VARS};
use super::maps::*;
use super::topics::Topic;

impl Fun<'_> {
    /// A new function with the context, a number, and sometimes memory of this frame.
    pub(crate) fn call_function(&mut self) {
        if self.level >= 3 || !self.has_ctx() || self.w.functions.len() > 8 || self.times > 10 {
            return self.helper();
        }
        self.topic(Topic::Subprogram);
        let memory = self.chance(40);
        let budget = self.w.rng.range(1, 6) as i32;
        let (outer, level) = (self.w.budget, self.level + 1);
        self.w.budget = budget;
        let mut f = Fun::new(self.w, Role::Sub, level);
        f.mov(CTX, Reg::R1);
        f.mov(VARS[0], Reg::R2);
        f.st.regs[0] = Kind::Num { max: u64::MAX };
        if memory {
            f.topic(Topic::CallerMemory);
            f.mov(VARS[1], Reg::R3);
            f.st.regs[1] = Kind::Bytes { len: 32 };
        }
        f.statements();
        let code = f.finish();
        self.w.functions.push(code);
        let index = self.w.functions.len();
        self.w.budget = outer - budget / 2;
        self.pass(index, memory);
        if self.chance(25) {
            self.pass(index, memory);
        }
    }

    /// The call itself.
    fn pass(&mut self, index: usize, memory: bool) {
        self.mov(Reg::R1, CTX);
        match self.some_num() {
            Some((reg, _)) if self.chance(70) => self.mov(Reg::R2, reg),
            _ => {
                let imm = self.w.rng.imm();
                self.set(Reg::R2, imm);
            }
        }
        if memory {
            let low = self.buffer();
            let low = low - low.rem_euclid(8);
            for at in (0..32).step_by(8) {
                self.store(MemSize::Dw, FP, low + at, Operand::Imm(0));
            }
            self.frame_ptr(Reg::R3, low);
        }
        self.code.call(index);
        self.packet_moved();
        if self.chance(50) {
            self.put_number(Reg::R0, u64::MAX);
        }
    }

    /// `bpf_loop` or `for_each_map_elem`, with a function that is called back.
    pub(crate) fn callback(&mut self) {
        if self.level >= 2 || self.w.functions.len() > 8 || self.times > 4 || self.role == Role::Callback {
            return self.helper();
        }
        self.topic(Topic::Callback);
        let each = self.chance(40);
        let map = self.w.rng.pick(&[ARRAY, HASH]);
        let memory = self.chance(60);
        let index = self.called_back(each.then_some(map), memory);
        let low = self.buffer();
        let low = low - low.rem_euclid(8);
        if memory {
            for at in (0..16).step_by(8) {
                self.store(MemSize::Dw, FP, low + at, Operand::Imm(0));
            }
        }
        match (each, self.some_num()) {
            (true, _) => self.map(Reg::R1, map),
            (false, Some((reg, _))) if self.chance(30) => self.mov(Reg::R1, reg),
            _ => {
                let trips = self.w.rng.pick(&[0, 1, 3, 10, 1000]);
                self.set(Reg::R1, trips);
            }
        }
        self.code.function(Reg::R2, index);
        if memory {
            self.frame_ptr(Reg::R3, low);
        } else {
            self.set(Reg::R3, 0);
        }
        self.set(Reg::R4, 0);
        self.call(if each { 164 } else { 181 });
        self.packet_moved();
        if memory && self.chance(50) {
            self.load(MemSize::Dw, Reg::R1, FP, low);
            self.put_number(Reg::R1, u64::MAX);
        } else if self.chance(40) {
            self.put_number(Reg::R0, u64::MAX);
        }
    }

    fn called_back(&mut self, each: Option<usize>, memory: bool) -> usize {
        let (outer, level) = (self.w.budget, self.level + 1);
        self.w.budget = self.w.rng.range(1, 4) as i32;
        let mut f = Fun::new(self.w, Role::Callback, level);
        // bpf_loop: number, memory. for_each_map_elem: map, key, value, memory.
        let context = if each.is_some() { Reg::R4 } else { Reg::R2 };
        if let Some(map) = each {
            f.mov(VARS[0], Reg::R3);
            f.st.regs[0] = Kind::Value { map };
        } else {
            f.mov(VARS[0], Reg::R1);
            f.st.regs[0] = Kind::Num { max: u64::MAX };
        }
        if memory {
            f.mov(VARS[1], context);
            f.st.regs[1] = Kind::Bytes { len: 16 };
            if f.chance(50) {
                f.load(MemSize::Dw, Reg::R1, VARS[1], 0);
                f.alu(AluOp::Add, Width::W64, Reg::R1, Operand::Imm(1));
                f.store(MemSize::Dw, VARS[1], 0, Operand::Reg(Reg::R1));
            }
        }
        f.statements();
        if f.chance(30)
            && let Some((reg, _)) = f.some_num()
        {
            let bail = f.bail;
            f.jump_if(Cond::Gt, Width::W64, reg, Operand::Imm(100), bail);
        }
        let code = f.finish();
        self.w.functions.push(code);
        self.w.budget = outer;
        self.w.functions.len()
    }
}
