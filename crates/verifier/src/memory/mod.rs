//! Loads, stores and atomics: what a pointer allows.

pub(crate) mod region;
mod stack;

use oxbpf_abi::MapType;
use oxbpf_ir::{MapDef, MapInit};
use oxbpf_isa::{AtomicOp, MemSize, Operand, Reg as R, Width};

use crate::call::maps::structure;
use crate::code::Code;
use crate::ctx;
use crate::explore::{Explorer, Flow};
use crate::reg::{Kind, MapRef, Reg, Sock};
use crate::report::{Checked, Fault};
use crate::scalar::Tnum;

/// Whether memory is read or written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Access {
    Read,
    Write,
}

/// What is stored, or where what is loaded goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Value {
    /// A register's.
    Reg(R),
    /// A number in the instruction.
    Imm(i32),
    /// Something else: an atomic operation's, a helper's.
    Other,
}

/// Bytes that the kernel's structure of a map has at least.
const KNOWN_MAP_BYTES: i64 = 64;

impl Explorer<'_> {
    pub(crate) fn load(&mut self, size: MemSize, dst: R, base: R, off: i16, signed: bool) -> Checked {
        let kind = self.read(base)?.kind;
        self.access(base, off.into(), size.bytes(), Access::Read, Value::Reg(dst), false, signed)?;
        self.same_kind(kind)
    }

    pub(crate) fn load_acquire(&mut self, size: MemSize, dst: R, base: R, off: i16) -> Checked {
        self.read(base)?;
        self.check_atomic_base(base)?;
        let kind = self.reg(base).kind;
        self.access(base, off.into(), size.bytes(), Access::Read, Value::Reg(dst), true, false)?;
        self.same_kind(kind)
    }

    pub(crate) fn store(&mut self, size: MemSize, base: R, off: i16, src: Operand) -> Checked {
        let value = match src {
            Operand::Reg(reg) => {
                self.read(reg)?;
                Value::Reg(reg)
            }
            Operand::Imm(imm) => Value::Imm(imm),
        };
        let kind = self.read(base)?.kind;
        self.access(base, off.into(), size.bytes(), Access::Write, value, false, false)?;
        self.same_kind(kind)
    }

    pub(crate) fn store_release(&mut self, size: MemSize, base: R, off: i16, src: R) -> Checked {
        self.read(src)?;
        let kind = self.read(base)?.kind;
        self.check_atomic_base(base)?;
        self.access(base, off.into(), size.bytes(), Access::Write, Value::Reg(src), true, false)?;
        self.same_kind(kind)
    }

    pub(crate) fn atomic(&mut self, op: AtomicOp, width: Width, base: R, off: i16, src: R) -> Checked {
        let leak = |reg: R| Err(Fault::new(Code::PointerLeak, format!("R{} leaks addr into mem", reg as u8)));
        self.read(src)?;
        self.read(base)?;
        if op == AtomicOp::Cmpxchg && self.secret(self.read(R::R0)?) {
            return leak(R::R0);
        }
        if self.secret(self.reg(src)) {
            return leak(src);
        }
        self.check_atomic_base(base)?;
        let loaded = match op {
            AtomicOp::Cmpxchg => Some(R::R0),
            op if op.fetches() => Some(src),
            _ => None,
        };
        let kind = self.reg(base).kind;
        if let Some(reg) = loaded {
            self.set_unknown(reg);
        }
        let (off, bytes) = (off.into(), width.bytes());
        self.access(base, off, bytes, Access::Read, Value::Other, true, false)?;
        if let Some(reg) = loaded {
            self.access(base, off, bytes, Access::Read, Value::Reg(reg), true, false)?;
        }
        self.access(base, off, bytes, Access::Write, Value::Other, true, false)?;
        self.same_kind(kind)
    }

    fn check_atomic_base(&self, base: R) -> Checked {
        let reg = self.reg(base);
        match reg.kind {
            Kind::Ctx | Kind::Packet | Kind::PacketMeta | Kind::Sock(_) => {
                let text = format!("BPF_ATOMIC stores into R{} {} is not allowed", base as u8, reg.type_name());
                Err(Fault::new(Code::BadAtomic, text))
            }
            _ => Ok(()),
        }
    }

    /// An instruction that is rewritten by what it accesses may access nothing else.
    fn same_kind(&mut self, kind: Kind) -> Checked {
        let rewritten = |kind| matches!(kind, Kind::Ctx | Kind::Sock(_));
        let note = &mut self.notes[self.insn as usize];
        match note.base {
            None => note.base = Some(kind),
            Some(was) if was != kind && (rewritten(was) || rewritten(kind)) => {
                return Err(Fault::new(Code::MixedPointers, "same insn cannot be used with different pointers"));
            }
            Some(_) => {}
        }
        note.access(kind);
        Ok(())
    }

    /// An access of `size` bytes at `off` from a pointer.
    #[allow(clippy::too_many_arguments)]
    pub(crate) fn access(
        &mut self,
        base: R,
        off: i64,
        size: u32,
        access: Access,
        value: Value,
        strict: bool,
        signed: bool,
    ) -> Checked {
        let reg = *self.reg(base);
        self.check_alignment(&reg, off, size, strict || self.options.strict_alignment)?;
        let off = off + i64::from(reg.off);
        let n = base as u8;
        let read = access == Access::Read;
        let leaks = |what: &str, value: R| {
            let text = format!("R{} leaks addr into {what}", value as u8);
            Err(Fault::new(Code::PointerLeak, text))
        };
        let secret = match value {
            Value::Reg(v) if !read && self.secret(self.reg(v)) => Some(v),
            _ => None,
        };
        if reg.or_null {
            return self.not_memory(n, &reg);
        }
        match reg.kind {
            Kind::MapKey(_) if !read => {
                return Err(Fault::new(Code::ReadOnly, format!("write to change key R{n} not allowed")));
            }
            Kind::MapKey(map) => {
                let size_of = self.map(map).key_size;
                self.region_bounds(base, &reg, off, size, size_of)?;
                self.loaded(value, Reg::UNKNOWN);
            }
            Kind::MapValue(map) => {
                if let Some(v) = secret {
                    return leaks("map", v);
                }
                self.check_map_access(map, off, size, access)?;
                self.map_value_bounds(base, &reg, map, off, size)?;
                if read {
                    let known = self.frozen_value(map, &reg, off, size, signed);
                    self.loaded(value, known.map_or(Reg::UNKNOWN, Reg::constant));
                }
            }
            Kind::Mem(mem) => {
                if !read && mem.read_only {
                    let text = format!("R{n} cannot write into {}", reg.type_name());
                    return Err(Fault::new(Code::ReadOnly, text));
                }
                if let Some(v) = secret {
                    return leaks("mem", v);
                }
                self.region_bounds(base, &reg, off, size, mem.size)?;
                if read {
                    self.loaded(value, Reg::UNKNOWN);
                }
            }
            Kind::Ctx => {
                if let Some(v) = secret {
                    return leaks("ctx", v);
                }
                self.ctx_access(base, &reg, off, size, access, value, signed)?;
            }
            Kind::Stack(frame) => {
                self.stack_access(base, &reg, frame, off, size, access, value)?;
            }
            Kind::Packet | Kind::PacketMeta => {
                if !read && !self.may_write_packet() {
                    return Err(Fault::new(Code::PacketWrite, "cannot write into packet"));
                }
                if let Some(v) = secret {
                    return leaks("packet", v);
                }
                self.packet_bounds(base, &reg, off, i64::from(size), false)?;
                if read {
                    self.loaded(value, Reg::UNKNOWN);
                }
            }
            Kind::Sock(sock) => {
                if !read {
                    let text = format!("R{n} cannot write into {}", reg.type_name());
                    return Err(Fault::new(Code::ReadOnly, text));
                }
                self.sock_access(base, &reg, sock, off, size, value)?;
            }
            Kind::Map(map) => self.map_struct_access(base, &reg, map, off, access, value)?,
            Kind::NotInit | Kind::Scalar | Kind::PacketEnd | Kind::Func(_) => {
                return self.not_memory(n, &reg);
            }
        }
        if read
            && size < 8
            && let Value::Reg(dst) = value
        {
            let reg = self.reg_mut(dst);
            if reg.is_scalar() {
                reg.num = if signed { reg.num.sign_load(size) } else { reg.num.truncate(size) };
            }
        }
        Ok(())
    }

    fn not_memory(&self, n: u8, reg: &Reg) -> Checked {
        let code = if reg.or_null { Code::MaybeNull } else { Code::NotAPointer };
        Err(Fault::new(code, format!("R{n} invalid mem access '{}'", reg.type_name())))
    }

    pub(crate) fn loaded(&mut self, value: Value, reg: Reg) {
        if let Value::Reg(dst) = value {
            self.set(dst, reg);
        }
    }

    pub(crate) fn check_alignment(&self, reg: &Reg, off: i64, size: u32, strict: bool) -> Checked {
        let (what, strict) = match reg.kind {
            Kind::Packet | Kind::PacketMeta => return self.check_packet_alignment(reg, off, size),
            Kind::MapKey(_) => ("key ", strict),
            Kind::MapValue(_) => ("value ", strict),
            Kind::Ctx => ("context ", strict),
            Kind::Stack(_) => ("stack ", true),
            Kind::Sock(Sock::Full) => ("sock ", strict),
            Kind::Sock(Sock::Common) => ("sock_common ", strict),
            Kind::Sock(Sock::Tcp) => ("tcp_sock ", strict),
            Kind::Sock(Sock::Xdp) => ("xdp_sock ", strict),
            _ => ("", strict),
        };
        let fixed = i64::from(reg.off) + off;
        if !strict || size == 1 || reg.num.tnum.add(Tnum::constant(fixed as u64)).is_aligned(size.into()) {
            return Ok(());
        }
        let text = format!("misaligned {what}access off {}+{}+{off} size {size}", bits(reg.num.tnum), reg.off);
        Err(Fault::new(Code::Misaligned, text))
    }

    /// Packets start two bytes behind an aligned address.
    fn check_packet_alignment(&self, reg: &Reg, off: i64, size: u32) -> Checked {
        let fixed = 2 + i64::from(reg.off) + off;
        let aligned = reg.num.tnum.add(Tnum::constant(fixed as u64)).is_aligned(size.into());
        if !self.options.strict_alignment || size == 1 || aligned {
            return Ok(());
        }
        let text = format!("misaligned packet access off 2+{}+{}+{off} size {size}", bits(reg.num.tnum), reg.off);
        Err(Fault::new(Code::Misaligned, text))
    }

    #[allow(clippy::too_many_arguments)]
    fn ctx_access(
        &mut self,
        base: R,
        reg: &Reg,
        off: i64,
        size: u32,
        access: Access,
        value: Value,
        signed: bool,
    ) -> Checked {
        ctx::unmoved(base, reg)?;
        let what = match access {
            Access::Write => ctx::Use::Store,
            Access::Read if signed => ctx::Use::LoadSigned,
            Access::Read => ctx::Use::Load,
        };
        let found = ctx::access(self.prog_type(), self.options, off as i32, size, what)?;
        if access == Access::Write {
            return Ok(());
        }
        let new = match found {
            ctx::Value::Number => Reg::UNKNOWN,
            ctx::Value::Pointer(kind) => Reg::pointer(kind),
            ctx::Value::SockOrNull(sock) => Reg { or_null: true, id: self.new_id(), ..Reg::pointer(Kind::Sock(sock)) },
        };
        self.loaded(value, new);
        Ok(())
    }

    fn sock_access(&mut self, base: R, reg: &Reg, sock: Sock, off: i64, size: u32, value: Value) -> Checked {
        if reg.num.smin < 0 {
            return Err(region::negative(base, Code::SocketAccess));
        }
        ctx::sock_access(base, sock, off as i32, size, false)?;
        self.loaded(value, Reg::UNKNOWN);
        Ok(())
    }

    /// The first bytes of the kernel's `struct bpf_map`, which root may read.
    fn map_struct_access(
        &mut self,
        base: R,
        reg: &Reg,
        map: MapRef,
        off: i64,
        access: Access,
        value: Value,
    ) -> Checked {
        let n = base as u8;
        let name = structure(self.map(map).map_type);
        let refuse = |code, text| Err(Fault::new(code, text));
        if !self.options.caps.perfmon {
            let text = format!("'struct {name}' access is allowed only to CAP_PERFMON and CAP_SYS_ADMIN");
            return refuse(Code::NotAPointer, text);
        }
        if off < 0 {
            return refuse(Code::MemoryBounds, format!("R{n} is {name} invalid negative access: off={off}"));
        }
        if access == Access::Write {
            return refuse(Code::ReadOnly, format!("only read from {name} is supported"));
        }
        if reg.num.as_const() != Some(0) {
            return ctx::unmoved(base, reg);
        }
        // The kernel knows the structure's members and end by its BTF.
        if off >= KNOWN_MAP_BYTES {
            return Err(Fault::unsupported(format!("loads from struct {name} behind its first members")));
        }
        self.loaded(value, Reg::UNKNOWN);
        Ok(())
    }

    /// The definition of a map, or of the maps in it.
    pub(crate) fn map(&self, map: MapRef) -> &MapDef {
        let def = &self.unit.maps()[map.map.index()];
        match (&def.inner, map.inner) {
            (Some(inner), true) => inner,
            _ => def,
        }
    }

    /// What a map holds that never changes.
    fn frozen_value(&self, map: MapRef, reg: &Reg, off: i64, size: u32, signed: bool) -> Option<u64> {
        let def = self.map(map);
        let at = usize::try_from(off.checked_add(reg.num.as_const()? as i64)?).ok()?;
        if map.inner || !def.frozen() || def.map_type != MapType::ARRAY || def.max_entries != 1 {
            return None;
        }
        let mut word = [0; 8];
        if let Some(bytes) = first_value(def) {
            word[..size as usize].copy_from_slice(bytes.get(at..at.checked_add(size as usize)?)?);
        }
        let number = u64::from_le_bytes(word);
        Some(if signed { oxbpf_isa::sign_extend(number, size * 8) } else { number })
    }

    /// Legacy packet loads: the context is in r6, the result in r0, and a packet that is too short ends the program.
    pub(crate) fn legacy_load(&mut self, index: Option<R>) -> Checked<Flow> {
        use oxbpf_abi::ProgType::{SchedAct, SchedCls, SocketFilter};
        if !matches!(self.prog_type(), SocketFilter | SchedCls | SchedAct) {
            let text = "BPF_LD_[ABS|IND] instructions not allowed for this program type";
            return Err(Fault::new(Code::LegacyLoad, text));
        }
        let ctx = *self.read(R::R6)?;
        self.check_nothing_held("BPF_LD_[ABS|IND]", true)?;
        if ctx.kind != Kind::Ctx {
            let text = "at the time of BPF_LD_ABS|IND R6 != pointer to skb";
            return Err(Fault::new(Code::LegacyLoad, text));
        }
        if let Some(reg) = index {
            self.read(reg)?;
        }
        ctx::unmoved(R::R6, &ctx)?;
        for reg in [R::R0, R::R1, R::R2, R::R3, R::R4, R::R5] {
            *self.reg_mut(reg) = Reg::NOT_INIT;
        }
        self.set_unknown(R::R0);
        Ok(Flow::To(self.insn + 1))
    }
}

/// What a map's first value begins as, where that is not zeroes.
pub(crate) fn first_value(def: &MapDef) -> Option<&[u8]> {
    match &def.init {
        MapInit::Entries(entries) => entries.first().map(|(_, value)| value.as_slice()),
        _ => None,
    }
}

/// Known bits as the kernel writes an offset: a number where all are known.
pub(crate) fn bits(tnum: Tnum) -> String {
    match tnum.as_const() {
        Some(value) => (value as i64).to_string(),
        None => tnum.to_string(),
    }
}
