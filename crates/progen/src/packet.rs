//! Packet access: direct, behind a check against the packet's end, and by the legacy loads.

use oxbpf_isa::{AluOp, Cond, Insn, MemSize, Narrow, Operand, Reg, Width};

use crate::ProgType;
use crate::code::Label;
use crate::fun::Fun;
use crate::memory::Place;
use crate::rows::Topic;
use crate::state::{Kind, Regs};

/// How a check against the packet's end is written. `end_first`: the end is the left operand; `to_fail`: the
/// jump is taken when the packet is too short.
#[derive(Clone, Copy)]
struct Check {
    cond: Cond,
    end_first: bool,
    to_fail: bool,
}

const CHECKS: [(u32, Check); 5] = [
    (4, Check { cond: Cond::Gt, end_first: false, to_fail: true }),
    (2, Check { cond: Cond::Lt, end_first: true, to_fail: true }),
    (1, Check { cond: Cond::Ge, end_first: false, to_fail: true }),
    (2, Check { cond: Cond::Le, end_first: false, to_fail: false }),
    (2, Check { cond: Cond::Ge, end_first: true, to_fail: false }),
];

/// Offsets that legacy loads count from elsewhere than the packet's start: the link layer's and the network
/// layer's header (linux/filter.h).
const LL_OFF: i32 = -0x20_0000;
const NET_OFF: i32 = -0x10_0000;

impl Fun {
    /// Loads the packet's bounds, checks some length, accesses bytes.
    pub(crate) fn packet_stmt(&mut self) {
        let Some(ctx) = self.ctx else { return };
        let (data_off, end_off) = match self.world.prog_type {
            ProgType::Xdp => (0, 4),
            ProgType::SchedCls | ProgType::SocketFilter => (76, 80),
        };
        let data = self.fresh(Regs::NONE);
        self.bound(data, ctx, data_off);
        let end = self.fresh(Regs::NONE.with(data));
        self.bound(end, ctx, end_off);
        let held = Regs::of(&[data, end]);
        if self.rng().chance(30) {
            let mask = self.rng().pick(&[7, 15, 31, 0x2a]);
            let index = self.masked(mask, held);
            self.alu(AluOp::Add, Width::W64, data, Operand::Reg(index));
            self.note(Topic::VariableOffset);
        }
        if self.rng().chance(20) {
            self.remaining(data, end);
        }
        let len = if self.rng().chance(10) { self.rng().range(1, 220) } else { self.rng().range(1, 60) } as u16;
        let probe = self.fresh(held);
        self.alu(AluOp::Mov, Width::W64, probe, Operand::Reg(data));
        self.alu(AluOp::Add, Width::W64, probe, Operand::Imm(len.into()));
        self.state.set(probe, Kind::Unknown);
        self.note(Topic::Packet);
        if self.nesting >= 3 || self.rng().chance(25) {
            self.reaches_exit();
            self.check(probe, end, self.exit);
            self.state.set(data, Kind::Packet { len });
            return self.packet_touch_stmt();
        }
        let (short, too_short) = (self.code.label(), self.state.clone());
        self.check(probe, end, short);
        self.state.set(data, Kind::Packet { len });
        self.nested(|f| {
            f.packet_touch_stmt();
            f.block(2);
        });
        self.code.place(short);
        self.state.meet(&too_short);
    }

    fn bound(&mut self, dst: Reg, ctx: Reg, off: i16) {
        self.load(MemSize::W, dst, ctx, off);
        self.state.set(dst, Kind::Unknown);
    }

    /// The number of bytes from `data` to the end: a difference of pointers is a number.
    fn remaining(&mut self, data: Reg, end: Reg) {
        let len = self.fresh(Regs::of(&[data, end]));
        self.copy(len, end);
        self.alu(AluOp::Sub, Width::W64, len, Operand::Reg(data));
        self.state.set(len, Kind::Scalar);
    }

    fn check(&mut self, probe: Reg, end: Reg, fail: Label) {
        let Check { cond, end_first, to_fail } = self.rng().weighted(&CHECKS);
        let (dst, src) = if end_first { (end, probe) } else { (probe, end) };
        let insn = Insn::JumpIf { cond, width: Width::W64, dst, src: Operand::Reg(src), off: 0 };
        if to_fail {
            return self.jump(insn, fail);
        }
        let good = self.code.label();
        self.jump(insn, good);
        self.goto(fail);
        self.code.place(good);
    }

    /// Accesses behind a checked packet pointer.
    pub(crate) fn packet_touch_stmt(&mut self) {
        let Some(base) = self.pointer(|k| matches!(k, Kind::Packet { .. })) else { return };
        for _ in 0..self.rng().range(1, 3) {
            // The access before may have overwritten the pointer.
            if let Kind::Packet { len } = self.state.get(base) {
                self.touch(Place { base, off: 0, len, aligned: false });
            }
        }
    }

    /// Whether LD_ABS and LD_IND may stand here: they take the context from r6.
    pub(crate) fn legacy_loads_possible(&self) -> bool {
        self.level == 0 && self.ctx == Some(Reg::R6) && self.world.prog_type != ProgType::Xdp
    }

    /// A legacy load, seldom out of range: then it ends the program with 0.
    pub(crate) fn legacy_stmt(&mut self) {
        let size = self.rng().pick(&Narrow::ALL);
        let len = self.world.packet_len;
        let room = if self.rng().chance(4) { len + 8 } else { len - size.size().bytes() };
        let mut imm = self.rng().range(0, room) as i32;
        if self.rng().chance(50) {
            let base = self.rng().weighted(&[(8, 0), (1, LL_OFF), (1, NET_OFF)]);
            imm = if base == 0 { imm } else { base + self.rng().below(40) as i32 };
            self.push(Insn::LdAbs { size, imm });
        } else {
            let src = self.masked(15, Regs::NONE);
            imm = (imm - 15).max(0);
            self.push(Insn::LdInd { size, src, imm });
        }
        self.state.call();
        self.note(Topic::Packet);
        self.note(Topic::LegacyLoads);
    }
}
