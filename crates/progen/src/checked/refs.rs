//! What is acquired and must be released: records, sockets, locks.

use oxbpf_abi::ProgType;
use oxbpf_isa::{Cond, MemSize, Operand, Pseudo, Reg, Width};

use super::build::{CTX, FP, Fun, Kind, VARS};
use super::maps::*;
use super::topics::Topic;

impl Fun<'_> {
    /// A record of the ring buffer, written and given back.
    pub(crate) fn ringbuf(&mut self) {
        if self.held {
            return self.simple();
        }
        self.topic(Topic::Ringbuf);
        let len = 8 * self.w.rng.range(1, 6);
        self.map(Reg::R1, RINGBUF);
        self.set(Reg::R2, len as i32);
        self.set(Reg::R3, 0);
        self.call(131);
        let i = self.fresh();
        if self.kept.0[i] {
            // No variable is free: it goes back as it came.
            let end = self.code.label();
            self.jump_if(Cond::Eq, Width::W64, Reg::R0, Operand::Imm(0), end);
            self.mov(Reg::R1, Reg::R0);
            self.set(Reg::R2, 0);
            self.call(133);
            return self.code.place(end);
        }
        self.mov(VARS[i], Reg::R0);
        let end = self.code.label();
        self.jump_if(Cond::Eq, Width::W64, VARS[i], Operand::Imm(0), end);
        let (before, kept) = (self.st, self.kept);
        self.st.regs[i] = Kind::Bytes { len };
        self.kept.0[i] = true;
        self.held = true;
        for _ in 0..self.w.rng.range(1, 4) {
            self.simple();
        }
        self.held = false;
        self.kept = kept;
        self.mov(Reg::R1, VARS[i]);
        self.set(Reg::R2, 0);
        let helper = self.w.rng.pick(&[132, 132, 133]);
        self.call(helper);
        self.st.regs[i] = Kind::None;
        for kind in &mut self.st.slots {
            if *kind == (Kind::Bytes { len }) {
                *kind = Kind::None;
            }
        }
        for (k, other) in self.st.regs.iter_mut().enumerate() {
            if k != i && *other == (Kind::Bytes { len }) {
                *other = Kind::None;
            }
        }
        self.st = Fun::meet(&self.st, &before);
        self.st.regs[i] = Kind::None;
        self.code.place(end);
    }

    /// A socket, looked up or from the context.
    pub(crate) fn socket(&mut self) {
        if self.held || !self.has_ctx() {
            return self.lookup();
        }
        let has_lookup = self.w.prog_type != ProgType::SocketFilter;
        self.topic(Topic::SocketRef);
        if self.is_skb() && (self.chance(50) || !has_lookup) {
            return self.context_socket();
        }
        if !has_lookup {
            return self.lookup();
        }
        let low = self.buffer();
        for at in (0..48).step_by(8) {
            self.store(MemSize::Dw, FP, low - low.rem_euclid(8) + at, Operand::Imm(0));
        }
        self.mov(Reg::R1, CTX);
        self.frame_ptr(Reg::R2, low - low.rem_euclid(8));
        let len = self.w.rng.pick(&[12, 36]);
        self.set(Reg::R3, len);
        self.set(Reg::R4, 0);
        self.set(Reg::R5, 0);
        let helper = self.w.rng.pick(&[84, 85, 99]);
        self.call(helper);
        let end = self.code.label();
        let check = self.w.rng.below(3);
        if check > 0 {
            self.jump_if(Cond::Eq, Width::W64, Reg::R0, Operand::Imm(0), end);
        } else {
            let on = self.code.label();
            self.jump_if(Cond::Ne, Width::W64, Reg::R0, Operand::Imm(0), on);
            self.jump(end);
            self.code.place(on);
        }
        if self.chance(60) {
            let off = self.w.rng.pick(&[0, 4, 8, 12, 16, 24, 76]);
            self.load(MemSize::W, Reg::R1, Reg::R0, off);
        }
        self.mov(Reg::R1, Reg::R0);
        self.call(86);
        self.code.place(end);
    }

    /// `ctx->sk`, perhaps as a full socket.
    fn context_socket(&mut self) {
        let end = self.code.label();
        self.load(MemSize::Dw, Reg::R1, CTX, 168);
        self.jump_if(Cond::Eq, Width::W64, Reg::R1, Operand::Imm(0), end);
        if self.w.prog_type != ProgType::SocketFilter && self.chance(60) {
            let helper = self.w.rng.pick(&[95, 96]);
            self.call(helper);
            self.jump_if(Cond::Eq, Width::W64, Reg::R0, Operand::Imm(0), end);
            let off =
                if helper == 95 { self.w.rng.pick(&[0, 4, 12, 16, 44, 76]) } else { self.w.rng.pick(&[0, 4, 8, 60]) };
            self.load(MemSize::W, Reg::R2, Reg::R0, off);
        } else {
            let off = 4;
            self.load(MemSize::W, Reg::R2, Reg::R1, off);
        }
        self.code.place(end);
    }

    /// A value's lock, held over accesses to that value.
    pub(crate) fn lock(&mut self) {
        if self.held || !self.has_ctx() || self.w.prog_type == ProgType::SocketFilter {
            return self.lookup();
        }
        self.topic(Topic::SpinLock);
        let i = self.fresh();
        if self.kept.0[i] {
            return;
        }
        let lock = MAPS[LOCKED].lock.unwrap_or(0);
        if self.chance(30) {
            let value = Pseudo::MapValue { fd: LOCKED as i32, off: 0 };
            self.push(oxbpf_isa::Insn::LoadPseudo { dst: VARS[i], value });
        } else {
            let bail = self.bail;
            self.key(LOCKED);
            self.map(Reg::R1, LOCKED);
            self.call(1);
            self.jump_if(Cond::Eq, Width::W64, Reg::R0, Operand::Imm(0), bail);
            self.mov(VARS[i], Reg::R0);
        }
        self.mov(Reg::R1, VARS[i]);
        self.add(Reg::R1, lock as i32);
        self.call(93);
        // Before the lock, and behind it.
        for _ in 0..self.w.rng.range(1, 3) {
            let off = self.w.rng.pick(&[0, 4, 12, 16, 28]);
            if self.chance(50) {
                let src = self.operand();
                self.store(MemSize::W, VARS[i], off, src);
            } else {
                self.load(MemSize::W, Reg::R1, VARS[i], off);
            }
        }
        self.mov(Reg::R1, VARS[i]);
        self.add(Reg::R1, lock as i32);
        self.call(94);
    }
}
