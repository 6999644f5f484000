//! One argument of a helper, checked against what the helper wants there.

use oxbpf_abi::{Arg, MapType};
use oxbpf_ir::MapDef;
use oxbpf_isa::Reg as R;

use crate::call::Call;
use crate::code::Code;
use crate::ctx;
use crate::explore::Explorer;
use crate::memory::{Access, first_value};
use crate::pointer::MAX_OFFSET;
use crate::reg::{Kind, Mem, Reg};
use crate::report::{Checked, Fault};
use crate::state::{Byte, StackSlot};

/// The number of the helper that looks at a queue's head, or asks a Bloom filter.
const MAP_PEEK: u32 = 89;

/// Arguments for which the same registers will do.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Anything,
    Number,
    Ctx,
    Map,
    Memory,
    Stack,
    Value,
    ValueOrObject,
    Record,
    Func,
    Sock,
    AnySock,
    Object,
    PerCpu,
    Dynptr,
}

const fn class(arg: Arg) -> Class {
    match arg {
        Arg::Anything => Class::Anything,
        Arg::RecordSize | Arg::Size | Arg::SizeOrZero | Arg::SliceSize => Class::Number,
        Arg::Ctx | Arg::CtxOrNull => Class::Ctx,
        Arg::Map => Class::Map,
        Arg::MapKey
        | Arg::MapValue
        | Arg::MapValueOrNull
        | Arg::UninitMapValue
        | Arg::Mem
        | Arg::MemOrNull
        | Arg::WriteMem
        | Arg::UninitMem
        | Arg::UninitMemOrNull
        | Arg::UninitLong
        | Arg::WriteInt
        | Arg::Ipv4Header
        | Arg::Ipv6Header
        | Arg::TcpHeader => Class::Memory,
        Arg::StackOrNull => Class::Stack,
        Arg::Timer | Arg::ConstStr => Class::Value,
        Arg::Lock | Arg::KptrPlace => Class::ValueOrObject,
        Arg::Record => Class::Record,
        Arg::Func => Class::Func,
        Arg::Sock => Class::Sock,
        Arg::AnySock => Class::AnySock,
        Arg::KptrOrNull | Arg::Task | Arg::TaskOrNull | Arg::CgroupOrNull => Class::Object,
        Arg::PerCpu => Class::PerCpu,
        Arg::Dynptr | Arg::RecordDynptr | Arg::UninitDynptr => Class::Dynptr,
    }
}

impl Class {
    /// What registers may hold, as messages list it; null, where that will do, is apart.
    const fn expected(self) -> &'static str {
        match self {
            Class::Anything => "",
            Class::Number => "scalar",
            Class::Ctx => "ctx",
            Class::Map => "map_ptr",
            Class::Memory => "fp, pkt, pkt_meta, map_key, map_value, mem, ringbuf_mem, buf, trusted_ptr_",
            Class::Stack => "fp",
            Class::Value => "map_value",
            Class::ValueOrObject => "map_value, ptr_",
            Class::Record => "ringbuf_mem",
            Class::Func => "func",
            Class::Sock => "sock_common, sock, tcp_sock, xdp_sock",
            Class::AnySock => "sock_common, sock, tcp_sock, xdp_sock, ptr_, trusted_ptr_",
            Class::Object => "ptr_, trusted_ptr_, rcu_ptr_",
            Class::PerCpu => "percpu_ptr_, percpu_rcu_ptr_, percpu_trusted_ptr_",
            Class::Dynptr => "fp, dynptr_ptr",
        }
    }
}

/// Whether a register of this kind, not null, may be passed for the argument.
fn fits(arg: Arg, kind: Kind) -> bool {
    match class(arg) {
        Class::Anything => true,
        Class::Number => kind == Kind::Scalar,
        Class::Ctx => kind == Kind::Ctx,
        Class::Map => matches!(kind, Kind::Map(_)),
        Class::Memory => match kind {
            Kind::Stack(_) | Kind::Packet | Kind::PacketMeta | Kind::MapKey(_) | Kind::MapValue(_) => true,
            Kind::Mem(mem) => !mem.read_only || reads(arg),
            _ => false,
        },
        Class::Stack | Class::Dynptr => matches!(kind, Kind::Stack(_)),
        Class::Value | Class::ValueOrObject => matches!(kind, Kind::MapValue(_)),
        Class::Record => matches!(kind, Kind::Mem(Mem { record: true, .. })),
        Class::Func => matches!(kind, Kind::Func(_)),
        Class::Sock | Class::AnySock => matches!(kind, Kind::Sock(_)),
        Class::Object | Class::PerCpu => false,
    }
}

/// Whether a helper only reads the memory that it is given so.
const fn reads(arg: Arg) -> bool {
    !matches!(
        arg,
        Arg::UninitMapValue | Arg::WriteMem | Arg::UninitMem | Arg::UninitMemOrNull | Arg::UninitLong | Arg::WriteInt
    )
}

/// Whether what the helper is given need not be initialised.
const fn raw(arg: Arg) -> bool {
    matches!(arg, Arg::UninitMapValue | Arg::UninitMem | Arg::UninitMemOrNull | Arg::UninitLong)
}

const fn access(arg: Arg) -> Access {
    if reads(arg) { Access::Read } else { Access::Write }
}

fn wrong(code: Code, text: String) -> Checked {
    Err(Fault::new(code, text))
}

impl Explorer<'_> {
    /// Checks argument `index`, from 0, of the call at hand.
    pub(super) fn check_argument(&mut self, call: &mut Call, index: usize) -> Checked {
        let reg = [R::R1, R::R2, R::R3, R::R4, R::R5][index];
        let value = *self.read(reg)?;
        let n = reg as u8;
        let arg = self.resolve(call, index)?;
        if arg == Arg::Anything {
            if self.secret(&value) {
                return wrong(Code::PointerLeak, format!("R{n} leaks addr into helper function"));
            }
            return Ok(());
        }
        if value.in_packet() && !call.proto.pkt_access {
            return wrong(Code::ArgumentType, "helper access to the packet is not allowed".into());
        }
        let null = arg.or_null() && value.is_null();
        if !null {
            if !fits(arg, value.kind) || (value.or_null && !arg.or_null()) {
                let text = format!("R{n} type={} expected={}", value.type_name(), class(arg).expected());
                return wrong(Code::ArgumentType, text);
            }
            if class(arg) == Class::Dynptr {
                return Err(call.unsupported());
            }
            check_offset(reg, &value, usize::from(call.proto.releases) == index + 1)?;
        }
        if usize::from(call.proto.releases) == index + 1 {
            if value.ref_id == 0 && !value.is_null() {
                return wrong(Code::NotAReference, format!("R{n} must be referenced when passed to release function"));
            }
            call.release = Some(reg);
        }
        if value.ref_id != 0 {
            if call.ref_id != 0 {
                let text = format!("more than one arg with ref_obj_id R{n} {} {}", value.ref_id, call.ref_id);
                return wrong(Code::NotAReference, text);
            }
            call.ref_id = value.ref_id;
        }
        self.check_pointee(call, index, arg, reg, &value)
    }

    /// The kind of an argument, which for some depends on the map.
    fn resolve(&self, call: &Call, index: usize) -> Checked<Arg> {
        let arg = call.proto.args[index];
        let map_type = call.map.map(|map| self.map(map).map_type);
        match (arg, map_type) {
            (Arg::MapValue, Some(MapType::SOCKMAP | MapType::SOCKHASH)) => Ok(Arg::AnySock),
            (Arg::UninitMapValue | Arg::MapValueOrNull, Some(MapType::SOCKMAP | MapType::SOCKHASH)) => {
                Err(Fault::new(Code::ArgumentType, "invalid arg_type for sockmap/sockhash"))
            }
            (Arg::UninitMapValue, Some(MapType::BLOOM_FILTER)) if call.proto.id == MAP_PEEK => Ok(Arg::MapValue),
            _ => Ok(arg),
        }
    }

    /// What the argument points to, or how large it is.
    fn check_pointee(&mut self, call: &mut Call, index: usize, arg: Arg, reg: R, value: &Reg) -> Checked {
        match arg {
            Arg::Map => {
                let Kind::Map(map) = value.kind else { unreachable!("of a kind that fits") };
                (call.map, call.map_uid) = (Some(map), value.map_uid);
                self.notes[self.insn as usize].map.meet(Some(map));
                Ok(())
            }
            Arg::MapKey => self.check_key(call, reg, value),
            Arg::MapValueOrNull if value.is_null() => Ok(()),
            Arg::MapValue | Arg::MapValueOrNull | Arg::UninitMapValue => {
                let size = call.map.map_or(0, |map| self.map(map).value_size);
                self.helper_memory(reg, size, access(arg), false, raw(arg))
            }
            Arg::UninitLong | Arg::WriteInt | Arg::Ipv4Header | Arg::Ipv6Header | Arg::TcpHeader => {
                let size = arg.fixed_size().unwrap_or_default();
                self.helper_memory(reg, size, access(arg), false, raw(arg))?;
                match arg {
                    Arg::UninitLong | Arg::WriteInt => self.check_alignment(value, 0, size, true),
                    _ => Ok(()),
                }
            }
            Arg::Size | Arg::SizeOrZero => {
                self.check_size(call, call.proto.args[index - 1], reg, value, arg == Arg::SizeOrZero)
            }
            Arg::RecordSize => {
                let Some(size) = value.as_const() else {
                    return wrong(Code::ArgumentConstant, format!("R{} is not a known constant'", reg as u8));
                };
                call.record = size as u32;
                self.mark_precise(reg);
                Ok(())
            }
            Arg::Func => {
                let Kind::Func(func) = value.kind else { unreachable!("of a kind that fits") };
                call.func = Some(func);
                Ok(())
            }
            Arg::Lock => self.check_lock(call, reg, value),
            Arg::ConstStr => self.check_text(reg, value),
            Arg::Ctx
            | Arg::CtxOrNull
            | Arg::Sock
            | Arg::AnySock
            | Arg::Record
            | Arg::StackOrNull
            | Arg::TaskOrNull
            | Arg::CgroupOrNull
            | Arg::Mem
            | Arg::MemOrNull
            | Arg::WriteMem
            | Arg::UninitMem
            | Arg::UninitMemOrNull
            | Arg::Anything => Ok(()),
            Arg::Timer
            | Arg::KptrPlace
            | Arg::KptrOrNull
            | Arg::SliceSize
            | Arg::Task
            | Arg::PerCpu
            | Arg::Dynptr
            | Arg::RecordDynptr
            | Arg::UninitDynptr => Err(call.unsupported()),
        }
    }

    /// A size, and the memory in the register before it.
    fn check_size(&mut self, call: &mut Call, memory: Arg, reg: R, value: &Reg, zero_ok: bool) -> Checked {
        let (n, num) = (reg as u8, value.num);
        call.size_max = num.umax;
        if num.smin < 0 {
            let text = format!("R{n} min value is negative, either use unsigned or 'var &= const'");
            return wrong(Code::ArgumentSize, text);
        }
        if num.umin == 0 && !zero_ok {
            let text = format!("R{n} invalid zero-sized read: u64=[{},{}]", num.umin, num.umax as i64);
            return wrong(Code::ArgumentSize, text);
        }
        if num.umax >= MAX_OFFSET as u64 {
            let text = format!("R{n} unbounded memory access, use 'var &= const' or 'if (var < const)'");
            return wrong(Code::ArgumentSize, text);
        }
        let raw = raw(memory) && num.as_const().is_some();
        let before = R::new(n - 1).expect("sizes follow memory");
        self.helper_memory(before, num.umax as u32, access(memory), zero_ok, raw)?;
        self.mark_precise(reg);
        Ok(())
    }

    /// A map's key; of arrays, whether it is a known number.
    fn check_key(&mut self, call: &mut Call, reg: R, value: &Reg) -> Checked {
        let Some(map) = call.map else {
            return Err(Fault::new(Code::ArgumentType, "invalid map_ptr to access map->key"));
        };
        let def = self.map(map);
        let (size, map_type) = (def.key_size, def.map_type);
        self.helper_memory(reg, size, Access::Read, false, false)?;
        if matches!(map_type, MapType::ARRAY | MapType::PERCPU_ARRAY) && self.options.caps.bpf {
            call.key = self.constant_key(value, size as usize)?;
        }
        self.notes[self.insn as usize].key.meet(call.key.map(|key| key as u32));
        Ok(())
    }

    /// The number that a key on the stack is known to be; acceptance may rest on it.
    fn constant_key(&mut self, key: &Reg, size: usize) -> Checked<Option<u64>> {
        let (Kind::Stack(frame), Some(var)) = (key.kind, key.num.as_const()) else { return Ok(None) };
        let below = -(i64::from(key.off) + var as i64);
        let Ok(below) = usize::try_from(below) else { return Ok(None) };
        let (Some(slot), first) = (below.checked_sub(1).map(|b| b / 8), (8 - below % 8) % 8) else { return Ok(None) };
        let Some(entry) = self.cur.state.frames[frame as usize].stack.get(slot).copied() else { return Ok(None) };
        let run = |byte| entry.bytes[first..].iter().take_while(|b| **b == byte).count();
        if run(Byte::Zero) >= size {
            return Ok(Some(0));
        }
        let spilled = |entry: &StackSlot| entry.is_spill() && entry.spill.is_scalar();
        if !spilled(&entry) || run(Byte::Spill) != size {
            return Ok(None);
        }
        let Some(number) = entry.spill.num.as_const() else { return Ok(None) };
        self.mark_slot_precise(frame, slot);
        Ok(Some(number))
    }

    /// A text in a map whose contents never change, with its terminating zero.
    fn check_text(&mut self, reg: R, value: &Reg) -> Checked {
        let n = reg as u8;
        let Kind::MapValue(map) = value.kind else { unreachable!("of a kind that fits") };
        let (def, refuse) = (self.map(map), |text: String| wrong(Code::ArgumentConstant, text));
        if !def.frozen() || map.inner {
            return refuse(format!("R{n} does not point to a readonly map'"));
        }
        let Some(var) = value.num.as_const() else {
            return refuse(format!("R{n} is not a constant address'"));
        };
        if def.map_type != MapType::ARRAY {
            return refuse("no direct value access support for this map type".into());
        }
        let size = def.value_size as i64 - i64::from(value.off);
        self.map_value_bounds(reg, value, map, value.off.into(), u32::try_from(size).unwrap_or(0))?;
        let at = (i64::from(value.off) + var as i64) as usize;
        match text_at(self.map(map), at) {
            Some(_) => Ok(()),
            None => refuse("string is not zero-terminated".into()),
        }
    }

    /// The format of `snprintf`, in r3, and the size of its values, in r5.
    pub(super) fn check_format(&self) -> Checked {
        const VALUE: u64 = 8;
        let (format, size) = (self.reg(R::R3), self.reg(R::R5).num.tnum.value);
        if size % VALUE != 0 {
            // The kernel says nothing but the error's number.
            return wrong(Code::ArgumentSize, "EINVAL".into());
        }
        let Kind::MapValue(map) = format.kind else { unreachable!("a text was seen there") };
        let at = i64::from(format.off) + format.num.as_const().unwrap_or_default() as i64;
        match text_at(self.map(map), at as usize) {
            Some(text) if super::format::valid(text, size / VALUE) => Ok(()),
            _ => wrong(Code::ArgumentConstant, "Invalid format string".into()),
        }
    }
}

/// The text at an offset of a map's first value, without its terminating zero, where it has one.
fn text_at(def: &MapDef, at: usize) -> Option<&[u8]> {
    let Some(bytes) = first_value(def) else {
        // Zeroes, of which the first ends the text.
        return (at < def.value_size as usize).then_some(&[]);
    };
    let text = bytes.get(at..)?;
    Some(&text[..text.iter().position(|c| *c == 0)?])
}

/// Pointers to what has no inside, or is given back, are passed as they were got.
fn check_offset(reg: R, value: &Reg, releases: bool) -> Checked {
    let n = reg as u8;
    if releases && value.off != 0 {
        let text = format!("R{n} must have zero offset when passed to release func or trusted arg to kfunc");
        return wrong(Code::NotAReference, text);
    }
    let movable = matches!(
        value.kind,
        Kind::Stack(_)
            | Kind::Packet
            | Kind::PacketMeta
            | Kind::MapKey(_)
            | Kind::MapValue(_)
            | Kind::Mem(_)
            | Kind::Scalar
    );
    if movable && !releases { Ok(()) } else { ctx::unmoved(reg, value) }
}
