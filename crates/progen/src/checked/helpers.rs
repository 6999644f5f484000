//! Helper calls, with arguments by the helpers' rows.

use oxbpf_abi::{Arg, HELPERS, HelperRow, MapType, ProgType, Ret};
use oxbpf_isa::{MemSize, Narrow, Operand, Reg};

use super::build::{BUFFER, CTX, FP, Fun, Kind};
use super::maps::*;
use super::topics::Topic;

const ARGS: [Reg; 5] = [Reg::R1, Reg::R2, Reg::R3, Reg::R4, Reg::R5];

/// Helpers with a statement of their own.
const APART: [u32; 13] = [1, 12, 93, 94, 131, 132, 133, 164, 165, 181, 182, 195, 87];

/// Arguments that are made here.
const KNOWN: [Arg; 10] = [
    Arg::Ctx,
    Arg::Map,
    Arg::Mem,
    Arg::MemOrNull,
    Arg::UninitMem,
    Arg::UninitMemOrNull,
    Arg::UninitLong,
    Arg::Size,
    Arg::SizeOrZero,
    Arg::Anything,
];

fn wants_map(row: &HelperRow) -> bool {
    row.proto.args.contains(&Arg::Map)
}

impl Fun<'_> {
    /// A helper without memory, mostly.
    pub(crate) fn helper(&mut self) {
        let memory = [Arg::Mem, Arg::MemOrNull, Arg::UninitMem, Arg::UninitMemOrNull, Arg::UninitLong];
        self.helper_of(|row| !wants_map(row) && !row.proto.args.iter().any(|a| memory.contains(a)));
    }

    /// A helper that takes memory.
    pub(crate) fn helper_memory(&mut self) {
        self.topic(Topic::HelperMemory);
        let memory = [Arg::Mem, Arg::MemOrNull, Arg::UninitMem, Arg::UninitLong];
        self.helper_of(|row| row.proto.args.iter().any(|a| memory.contains(a)) && row.id != 6 && row.id != 177);
    }

    fn helper_of(&mut self, wanted: impl Fn(&HelperRow) -> bool) {
        for _ in 0..12 {
            let row = &HELPERS[self.w.rng.below(HELPERS.len() as u32) as usize];
            let ctx = row.proto.args.contains(&Arg::Ctx) && !self.has_ctx();
            let known = row.proto.args.iter().all(|arg| KNOWN.contains(arg));
            if known
                && !row.private()
                && !APART.contains(&row.id)
                && row.callable_by(self.w.prog_type)
                && !ctx
                && wanted(row)
            {
                return self.call_row(row);
            }
        }
    }

    fn call_row(&mut self, row: &'static HelperRow) {
        let map = match row.id {
            25 => EVENTS,
            130 | 134 => RINGBUF,
            _ => ARRAY,
        };
        let low = self.buffer();
        // Memory comes with its size, which is decided first.
        let mut size = 0;
        for (i, arg) in row.proto.args.iter().enumerate() {
            let reg = ARGS[i];
            let sized = matches!(row.proto.args.get(i + 1), Some(Arg::Size | Arg::SizeOrZero));
            if sized {
                size = 4 * self.w.rng.range(1, BUFFER as u32 / 4);
            }
            match arg {
                Arg::Ctx => self.mov(reg, CTX),
                Arg::Map => self.map(reg, map),
                Arg::Mem | Arg::MemOrNull => self.memory(reg, size),
                Arg::UninitMem | Arg::UninitMemOrNull | Arg::UninitLong => {
                    self.frame_ptr(reg, low - low.rem_euclid(8));
                    size = size.min(BUFFER as u32 - 8);
                }
                Arg::Size | Arg::SizeOrZero => self.size_arg(reg, size, *arg == Arg::SizeOrZero),
                _ => self.anything(row, i, reg),
            }
        }
        self.call(row.id as i32);
        if row.proto.moves_packet {
            self.topic(Topic::PacketMoved);
            self.packet_moved();
        }
        if row.proto.ret == Ret::Scalar && self.chance(40) {
            self.put_number(Reg::R0, u64::MAX);
        }
    }

    /// Memory of at least `size` bytes: the buffer, or what a variable points to.
    fn memory(&mut self, reg: Reg, size: u32) {
        let found = (0..3).find_map(|i| match self.st.regs[i] {
            Kind::Value { map } if MAPS[map].value >= size => Some(super::build::VARS[i]),
            Kind::Bytes { len } if len >= size => Some(super::build::VARS[i]),
            _ => None,
        });
        match found {
            Some(base) if self.chance(60) => self.mov(reg, base),
            _ => {
                let low = self.buffer();
                if self.chance(60) {
                    for at in (0..size as i16).step_by(4) {
                        self.store(MemSize::W, FP, low + at, Operand::Imm(0));
                    }
                }
                self.frame_ptr(reg, low);
            }
        }
    }

    /// A size: a constant, or a number within bounds.
    fn size_arg(&mut self, reg: Reg, size: u32, zero: bool) {
        match self.some_num() {
            Some(_) if self.chance(35) && size > 8 => {
                self.topic(Topic::HelperVariableSize);
                self.bounded(reg, u64::from(size) - 4);
                if !zero {
                    self.add(reg, 1);
                }
            }
            _ => self.set(reg, size as i32),
        }
    }

    /// A number; for some arguments only few are taken.
    fn anything(&mut self, row: &HelperRow, i: usize, reg: Reg) {
        match (row.name, self.some_num()) {
            ("skb_store_bytes", _) if i == 4 => self.set(reg, 0),
            (_, Some((num, _))) if self.chance(40) => self.mov(reg, num),
            _ => {
                let imm = self.w.rng.below(20) as i32;
                self.set(reg, imm);
            }
        }
    }

    /// An update or a deletion.
    pub(crate) fn map_change(&mut self) {
        let map = self.w.rng.pick(&[ARRAY, HASH, LRU, HASH, SMALL, WRITE_ONLY]);
        self.key(map);
        self.map(Reg::R1, map);
        if self.chance(70) && MAPS[map].value <= 48 {
            self.topic(Topic::MapWrite);
            let low = self.buffer();
            self.frame_ptr(Reg::R3, low);
            self.set(Reg::R4, 0);
            self.call(2);
        } else {
            self.call(3);
        }
        self.put_number(Reg::R0, u64::MAX);
    }

    pub(crate) fn queue(&mut self) {
        self.topic(Topic::QueueStack);
        let low = self.buffer();
        self.map(Reg::R1, QUEUE);
        self.frame_ptr(Reg::R2, low);
        self.set(Reg::R3, 0);
        let helper = self.w.rng.pick(&[87, 88, 89]);
        self.call(helper);
        if self.chance(50) {
            self.load(MemSize::W, Reg::R1, FP, low);
        }
    }

    pub(crate) fn tail_call(&mut self) {
        if !self.main_or_sub() || self.level > 0 || self.depth > 1 {
            return self.helper();
        }
        self.topic(Topic::TailCall);
        self.mov(Reg::R1, CTX);
        self.map(Reg::R2, PROGS);
        let imm = self.w.rng.below(5) as i32;
        match self.some_num() {
            Some((reg, _)) if self.chance(40) => self.mov(Reg::R3, reg),
            _ => self.set(Reg::R3, imm),
        }
        self.call(12);
        debug_assert_eq!(MAPS[PROGS].map_type, MapType::PROG_ARRAY.0);
    }

    /// A legacy load: the packet by offset, r0 to r5 lost.
    pub(crate) fn legacy_load(&mut self) {
        if !self.is_skb() || self.w.prog_type == ProgType::CgroupSkb || !self.main_or_sub() || self.level > 0 {
            return self.lookup();
        }
        self.topic(Topic::LegacyLoad);
        let size = self.w.rng.pick(&Narrow::ALL);
        let imm = self.w.rng.below(64) as i32;
        match self.some_num() {
            Some((src, _)) if self.chance(40) => self.push(oxbpf_isa::Insn::LdInd { size, src, imm }),
            _ => self.push(oxbpf_isa::Insn::LdAbs { size, imm }),
        }
        if self.chance(60) {
            self.put_number(Reg::R0, u64::MAX);
        }
    }
}
