//! The frame, map values and the context.

use oxbpf_abi::ctx::Shape;
use oxbpf_isa::{AluOp, AtomicOp, Cond, Insn, MemSize, Narrow, Operand, Pseudo, Reg, Width};

use super::build::{BUFFER, CTX, FP, Fun, Kind, VARS};
use super::maps::*;
use super::topics::Topic;

/// Maps that look-ups work on, and whose values are numbers only.
const PLAIN: [usize; 7] = [ARRAY, HASH, SMALL, PERCPU, LRU, LPM, WIDE];

impl Fun<'_> {
    /// Leaves a key for a map in the buffer, with its address in r2.
    pub(crate) fn key(&mut self, map: usize) {
        let (size, off) = (MAPS[map].key, self.buffer());
        if size == 4 {
            let src = self.operand();
            self.store(MemSize::W, FP, off, src);
        } else {
            for at in (0..size as i16).step_by(4) {
                let src = self.operand();
                self.store(MemSize::W, FP, off + at, src);
            }
        }
        self.frame_ptr(Reg::R2, off);
    }

    /// A look-up with a null check, by every form that counts.
    pub(crate) fn lookup(&mut self) {
        self.topic(Topic::MapLookup);
        let map = self.w.rng.pick(&PLAIN);
        self.lookup_in(map);
    }

    fn lookup_in(&mut self, map: usize) {
        self.key(map);
        self.map(Reg::R1, map);
        self.call(1);
        self.null_checked(map);
    }

    /// Checks r0 for null and keeps or uses it.
    fn null_checked(&mut self, map: usize) {
        let zero = Operand::Imm(0);
        let keep = self.chance(60);
        let (reg, var) = if keep {
            let i = self.fresh();
            self.mov(VARS[i], Reg::R0);
            (self.w.rng.pick(&[Reg::R0, VARS[i]]), Some(i))
        } else {
            (Reg::R0, None)
        };
        match self.w.rng.below(3) {
            0 => {
                let (on, bail) = (self.code.label(), self.bail);
                self.jump_if(Cond::Ne, Width::W64, reg, zero, on);
                self.jump(bail);
                self.code.place(on);
            }
            1 => {
                let bail = self.bail;
                self.jump_if(Cond::Eq, Width::W64, reg, zero, bail);
            }
            _ => return self.guarded(map, reg, var),
        }
        match var {
            Some(i) => self.st.regs[i] = Kind::Value { map },
            None => self.touch(Reg::R0, MAPS[map].value),
        }
    }

    /// Uses a value where it is not null, and goes on in both cases.
    fn guarded(&mut self, map: usize, reg: Reg, var: Option<usize>) {
        let end = self.code.label();
        self.jump_if(Cond::Eq, Width::W64, reg, Operand::Imm(0), end);
        let before = self.st;
        match var {
            Some(i) => {
                self.st.regs[i] = Kind::Value { map };
                self.value_access();
                if self.chance(30) {
                    self.value_variable();
                }
            }
            None => self.touch(reg, MAPS[map].value),
        }
        self.st = Fun::meet(&before, &self.st);
        if let Some(i) = var {
            self.st.regs[i] = Kind::None;
        }
        self.code.place(end);
    }

    /// A load or a store at some place of `len` bytes.
    pub(crate) fn touch(&mut self, base: Reg, len: u32) {
        let size = self.fitting(len);
        let off = self.place(len, size) & !(size.bytes() as i16 - 1);
        self.touch_at(base, off, size);
    }

    /// The same, aligned or not.
    fn touch_any(&mut self, base: Reg, len: u32) {
        let size = self.fitting(len);
        let off = self.place(len, size);
        self.touch_at(base, off, size);
    }

    fn touch_at(&mut self, base: Reg, off: i16, size: MemSize) {
        match self.w.rng.below(4) {
            0 => {
                self.topic(Topic::MapWrite);
                let src = self.operand();
                self.store(size, base, off, src);
            }
            1 if size != MemSize::Dw => {
                self.topic(Topic::SignExtend);
                let size = Narrow::from_size(size).unwrap_or(Narrow::B);
                self.push(Insn::LoadSx { size, dst: Reg::R1, base, off });
            }
            _ => {
                self.load(size, Reg::R1, base, off);
                if self.chance(40) {
                    self.put_number(Reg::R1, u64::MAX >> (64 - 8 * size.bytes()));
                }
            }
        }
    }

    /// A pointer with the bytes behind it, and whether accesses must be aligned, since it may be to a frame.
    fn some_value(&mut self) -> Option<(Reg, u32, bool)> {
        let at = self.w.rng.below(3) as usize;
        (0..3).map(|i| (i + at) % 3).find_map(|i| match self.st.regs[i] {
            Kind::Value { map } => Some((VARS[i], MAPS[map].value, false)),
            Kind::Bytes { len } => Some((VARS[i], len, true)),
            _ => None,
        })
    }

    pub(crate) fn value_access(&mut self) {
        match self.some_value() {
            Some((base, len, true)) => self.touch(base, len & !7),
            Some((base, len, false)) => self.touch_any(base, len),
            None if self.held => self.stack_bytes(),
            None => self.lookup(),
        }
    }

    /// An offset that bounds make safe.
    pub(crate) fn value_variable(&mut self) {
        let Some((base, len, aligned)) = self.some_value() else {
            return if self.held { self.arithmetic() } else { self.lookup() };
        };
        self.topic(Topic::MapVariable);
        let size = if aligned { MemSize::B } else { self.fitting(len) };
        let last = len - size.bytes();
        let fixed = self.w.rng.below(last / 2 + 1);
        self.bounded(Reg::R1, (last - fixed).into());
        self.mov(Reg::R2, base);
        self.push_add(Reg::R2, Reg::R1);
        if self.chance(40) {
            let src = self.operand();
            self.store(size, Reg::R2, fixed as i16, src);
        } else {
            self.load(size, Reg::R0, Reg::R2, fixed as i16);
            self.put_number(Reg::R0, u64::MAX >> (64 - 8 * size.bytes()));
        }
    }

    /// An address inside of an array's value, from a wide load.
    pub(crate) fn global_value(&mut self) {
        self.topic(Topic::MapGlobal);
        let map = self.w.rng.pick(&[FROZEN, WIDE, FROZEN]);
        let len = MAPS[map].value;
        let size = self.size();
        let at = self.w.rng.below(len - 15);
        let value = Pseudo::MapValue { fd: map as i32, off: at as i32 };
        self.push(Insn::LoadPseudo { dst: Reg::R1, value });
        if map == FROZEN || self.chance(50) {
            self.load(size, Reg::R0, Reg::R1, 0);
            self.put_number(Reg::R0, u64::MAX);
        } else {
            let src = self.operand();
            self.store(size, Reg::R1, 0, src);
        }
    }

    /// A frozen map's constant decides a branch.
    pub(crate) fn frozen_value(&mut self) {
        self.topic(Topic::MapFrozen);
        let value = Pseudo::MapValue { fd: FROZEN as i32, off: self.w.rng.below(8) as i32 };
        self.push(Insn::LoadPseudo { dst: Reg::R1, value });
        self.load(MemSize::B, Reg::R0, Reg::R1, 0);
        let end = self.code.label();
        let imm = self.w.rng.below(10) as i32;
        self.jump_if(Cond::Gt, Width::W64, Reg::R0, Operand::Imm(imm), end);
        let before = self.st;
        self.block(2);
        self.st = Fun::meet(&before, &self.st);
        self.code.place(end);
    }

    /// Bytes of the frame's buffer, in sizes that differ.
    pub(crate) fn stack_bytes(&mut self) {
        self.topic(Topic::StackBytes);
        let (size, low) = (self.size(), self.buffer());
        let step = size.bytes() as i16;
        let off = low + step * self.w.rng.below(BUFFER as u32 / step as u32) as i16;
        let off = if low % 8 == 0 { off } else { off - off.rem_euclid(step) };
        let src = self.operand();
        self.store(size, FP, off, src);
        let read = self.fitting(step as u32);
        self.load(read, Reg::R0, FP, off);
        if self.chance(50) {
            self.put_number(Reg::R0, u64::MAX >> (64 - 8 * read.bytes()));
        }
    }

    pub(crate) fn stack_variable(&mut self) {
        self.topic(Topic::StackVariable);
        let low = self.buffer();
        if self.chance(50) {
            self.store(MemSize::Dw, FP, low, Operand::Imm(0));
            self.store(MemSize::Dw, FP, low + 8, Operand::Imm(1));
        }
        self.bounded(Reg::R1, 7);
        self.frame_ptr(Reg::R2, low);
        self.push_add(Reg::R2, Reg::R1);
        if self.chance(70) {
            self.load(MemSize::B, Reg::R0, Reg::R2, 8);
            self.put_number(Reg::R0, 255);
        } else {
            let src = self.operand();
            self.store(MemSize::B, Reg::R2, 0, src);
        }
    }

    pub(crate) fn spill(&mut self) {
        self.topic(Topic::Spill);
        let i = self.w.rng.below(3) as usize;
        let Some(slot) = self.free_slot() else { return };
        if self.st.regs[i] != Kind::None {
            let off = self.slot_off(slot);
            let num = matches!(self.st.regs[i], Kind::Num { .. });
            if num && self.chance(15) {
                // A part only: the rest of the slot is as it was.
                self.store(MemSize::W, FP, off, Operand::Reg(VARS[i]));
                self.st.slots[slot] = Kind::None;
                self.load(MemSize::W, Reg::R0, FP, off);
                return self.put_number(Reg::R0, u64::from(u32::MAX));
            }
            self.store(MemSize::Dw, FP, off, Operand::Reg(VARS[i]));
            self.st.slots[slot] = self.st.regs[i];
        }
    }

    pub(crate) fn fill(&mut self) {
        let at = self.w.rng.below(8) as usize;
        let found = (0..8).map(|i| (i + at) % 8).find(|&i| self.st.slots[i] != Kind::None);
        let Some(slot) = found else { return self.spill() };
        let i = self.fresh();
        if self.kept.0[i] {
            return;
        }
        let off = self.slot_off(slot);
        self.load(MemSize::Dw, VARS[i], FP, off);
        self.st.regs[i] = self.st.slots[slot];
    }

    pub(crate) fn atomic(&mut self) {
        self.topic(Topic::Atomic);
        let width = self.width();
        let op = AtomicOp::ROWS[self.w.rng.below(10) as usize].op;
        let (base, off) = match self.some_value() {
            Some((base, len, _)) if len >= 8 && self.chance(70) => (base, (self.w.rng.below(len / 8) * 8) as i16),
            _ => {
                let off = self.buffer();
                let off = off - off.rem_euclid(8);
                self.store(MemSize::Dw, FP, off, Operand::Imm(7));
                (FP, off)
            }
        };
        let (imm, zero) = (self.w.rng.imm(), self.w.rng.imm());
        self.set(Reg::R1, imm);
        self.set(Reg::R0, zero);
        self.push(Insn::Atomic { op, width, base, off, src: Reg::R1 });
        if op.fetches() && self.chance(50) {
            self.put_number(if op == AtomicOp::Cmpxchg { Reg::R0 } else { Reg::R1 }, u64::MAX);
        }
    }

    pub(crate) fn context_load(&mut self) {
        if !self.has_ctx() {
            return self.arithmetic();
        }
        self.topic(Topic::ContextLoad);
        let Some((off, size)) = self.context_place(false) else { return };
        self.load(size, Reg::R0, CTX, off);
        self.put_number(Reg::R0, u64::MAX >> (64 - 8 * size.bytes()));
    }

    pub(crate) fn context_store(&mut self) {
        if !self.has_ctx() {
            return self.arithmetic();
        }
        let Some((off, size)) = self.context_place(true) else { return self.context_load() };
        self.topic(Topic::ContextStore);
        let src = self.operand();
        self.store(size, CTX, off, src);
    }

    /// A number's place in the context, by the context's rows.
    fn context_place(&mut self, write: bool) -> Option<(i16, MemSize)> {
        let (layout, prog_type) = (self.w.prog_type.ctx(), self.w.prog_type);
        for _ in 0..8 {
            let field = &layout.fields[self.w.rng.below(layout.fields.len() as u32) as usize];
            let size = self.size();
            let off = field.off + self.w.rng.below(field.size / size.bytes().min(field.size)) * size.bytes();
            let may = if write { field.writable_by(prog_type) } else { field.readable_by(prog_type) };
            let plain = !matches!(field.shape, Shape::Pointer | Shape::Opaque);
            if may && plain && layout.access(off, size.bytes(), write).is_some() {
                return Some((off as i16, size));
            }
        }
        None
    }

    /// A map in a map, then a value of that.
    pub(crate) fn map_in_map(&mut self) {
        self.topic(Topic::MapInMap);
        let bail = self.bail;
        self.key(OUTER);
        self.map(Reg::R1, OUTER);
        self.call(1);
        self.jump_if(Cond::Eq, Width::W64, Reg::R0, Operand::Imm(0), bail);
        self.mov(Reg::R1, Reg::R0);
        let off = self.buffer();
        self.frame_ptr(Reg::R2, off);
        self.call(1);
        self.jump_if(Cond::Eq, Width::W64, Reg::R0, Operand::Imm(0), bail);
        self.touch(Reg::R0, MAPS[OUTER].inner.map_or(1, |inner| inner.1));
    }

    /// Makes a pointer look like a number and back: the subtraction of two of the same kind.
    pub(crate) fn distance(&mut self) {
        if let Some((base, ..)) = self.some_value() {
            self.mov(Reg::R1, base);
            self.alu(AluOp::Sub, Width::W64, Reg::R1, Operand::Reg(base));
            self.put_number(Reg::R1, u64::MAX);
        }
    }
}
