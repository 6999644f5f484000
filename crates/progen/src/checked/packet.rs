//! The packet: pointers, comparisons with its end in every form, accesses behind them.

use oxbpf_abi::{ProgType, ctx::Field};
use oxbpf_isa::{Cond, MemSize, Operand, Reg, Width};

use super::build::{CTX, FP, Fun, Kind, VARS};
use super::topics::Topic;

impl Fun<'_> {
    pub(crate) fn has_packet(&self) -> bool {
        self.has_ctx() && !matches!(self.w.prog_type, ProgType::SocketFilter)
    }

    fn writes_packet(&self) -> bool {
        matches!(self.w.prog_type, ProgType::SchedCls | ProgType::SchedAct | ProgType::Xdp)
    }

    fn field(&self, name: &str) -> i16 {
        self.w.prog_type.ctx().field(name).map_or(0, |field: &Field| field.off as i16)
    }

    /// Loads start and end and compares: afterwards a variable points to the start, with some bytes proved.
    pub(crate) fn packet_check(&mut self) {
        if !self.has_packet() {
            return self.lookup();
        }
        self.topic(Topic::PacketCheck);
        let meta = self.w.prog_type != ProgType::CgroupSkb && self.chance(12);
        let (start, end) = if meta { ("data_meta", "data") } else { ("data", "data_end") };
        if meta {
            self.topic(Topic::PacketMeta);
        }
        let (start, end) = (self.field(start), self.field(end));
        let i = self.fresh();
        self.load(MemSize::W, VARS[i], CTX, start);
        self.load(MemSize::W, Reg::R3, CTX, end);
        let len = self.w.rng.pick(&[1, 2, 4, 8, 14, 14, 20, 34, 40, 54, 62, 100]);
        self.mov(Reg::R2, VARS[i]);
        self.add(Reg::R2, len);
        // Behind a strict comparison one byte more is there.
        let more = self.compare_ends(len as u32);
        let meta_or_packet = if meta { Kind::None } else { Kind::Packet { ok: more } };
        self.st.regs[i] = meta_or_packet;
        self.packet_load(VARS[i], more);
        if !self.held && self.chance(15) && self.st.regs[i] != Kind::None {
            self.spill();
        }
    }

    /// Compares r2, start plus `len`, with the end in r3; answers how many bytes are proved.
    fn compare_ends(&mut self, len: u32) -> u32 {
        let (a, b) = (Reg::R2, Operand::Reg(Reg::R3));
        let (c, d) = (Reg::R3, Operand::Reg(Reg::R2));
        let (bail, on, w) = (self.bail, self.code.label(), Width::W64);
        let more = match self.w.rng.below(8) {
            0 | 1 => {
                self.jump_if(Cond::Gt, w, a, b, bail);
                len
            }
            2 => {
                self.jump_if(Cond::Ge, w, a, b, bail);
                len + 1
            }
            3 => {
                self.jump_if(Cond::Lt, w, a, b, on);
                self.jump(bail);
                len + 1
            }
            4 => {
                self.jump_if(Cond::Le, w, a, b, on);
                self.jump(bail);
                len
            }
            5 => {
                self.jump_if(Cond::Lt, w, c, d, bail);
                len
            }
            6 => {
                self.jump_if(Cond::Le, w, c, d, bail);
                len + 1
            }
            _ => {
                self.jump_if(Cond::Ge, w, c, d, on);
                self.jump(bail);
                len
            }
        };
        self.code.place(on);
        more
    }

    /// A load within the proved bytes, often of the last one.
    fn packet_load(&mut self, base: Reg, ok: u32) {
        let size = self.fitting(ok);
        let off = self.place(ok, size);
        self.load(size, Reg::R0, base, off);
        if self.chance(50) {
            let max = u64::MAX >> (64 - 8 * size.bytes());
            self.put_number(Reg::R0, max);
        }
    }

    /// Keeps a number where a variable is free for it.
    pub(crate) fn put_number(&mut self, from: Reg, max: u64) {
        let i = self.fresh();
        if self.kept.0[i] {
            return;
        }
        self.mov(VARS[i], from);
        self.st.regs[i] = Kind::Num { max };
    }

    /// A size of access that `len` bytes have room for.
    pub(crate) fn fitting(&mut self, len: u32) -> MemSize {
        let size = self.size();
        if size.bytes() <= len { size } else { MemSize::B }
    }

    /// An offset of an access of `size` within `len` bytes.
    pub(crate) fn place(&mut self, len: u32, size: MemSize) -> i16 {
        let last = len.saturating_sub(size.bytes());
        if self.chance(40) { last as i16 } else { self.w.rng.below(last + 1) as i16 }
    }

    /// An access through a variable that points to the packet.
    pub(crate) fn packet_access(&mut self) {
        let found = (0..3).find_map(|i| match self.st.regs[i] {
            Kind::Packet { ok } if ok > 0 => Some((VARS[i], ok)),
            _ => None,
        });
        let Some((base, ok)) = found else {
            return if self.held { self.atomic() } else { self.packet_check() };
        };
        if self.writes_packet() && self.chance(40) {
            self.topic(Topic::PacketWrite);
            let size = self.fitting(ok);
            let off = self.place(ok, size);
            let src = self.operand();
            self.store(size, base, off, src);
        } else {
            self.packet_load(base, ok);
        }
    }

    /// A variable offset into the packet, as a header's length gives it.
    pub(crate) fn packet_variable(&mut self) {
        if !self.has_packet() {
            return self.value_variable();
        }
        self.topic(Topic::PacketVariable);
        let (start, end) = (self.field("data"), self.field("data_end"));
        let limit = self.w.rng.pick(&[15, 60, 63, 255, 4095, 0x7fff]);
        self.bounded(Reg::R4, limit);
        self.load(MemSize::W, Reg::R5, CTX, start);
        self.load(MemSize::W, Reg::R3, CTX, end);
        if self.chance(50) {
            self.push_add(Reg::R5, Reg::R4);
        } else {
            self.push_add(Reg::R4, Reg::R5);
            self.mov(Reg::R5, Reg::R4);
        }
        self.mov(Reg::R2, Reg::R5);
        let len = self.w.rng.pick(&[1, 4, 8, 20]);
        self.add(Reg::R2, len);
        let ok = self.compare_ends(len as u32);
        let size = self.fitting(ok);
        let off = self.place(ok, size);
        if self.chance(20) {
            let slot = self.buffer();
            self.store(MemSize::Dw, FP, slot, Operand::Reg(Reg::R5));
            self.load(MemSize::Dw, Reg::R5, FP, slot);
        }
        self.load(size, Reg::R0, Reg::R5, off);
        self.put_number(Reg::R0, u64::MAX >> (64 - 8 * size.bytes()));
    }

    pub(crate) fn push_add(&mut self, dst: Reg, src: Reg) {
        self.alu(oxbpf_isa::AluOp::Add, Width::W64, dst, Operand::Reg(src));
    }
}
