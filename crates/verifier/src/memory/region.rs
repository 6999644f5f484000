//! Memory of a known size: map values, records, packets; and what helpers are given.

use oxbpf_abi::{MapType, PacketAccess, map_flags};
use oxbpf_ir::MapDef;
use oxbpf_isa::Reg as R;

use crate::code::Code;
use crate::explore::Explorer;
use crate::memory::Access;
use crate::pointer::MAX_OFFSET;
use crate::reg::{Kind, MapRef, Reg};
use crate::report::{Checked, Fault};

/// What programs may do with a map: as its flags say; device maps and constants they only read.
pub(crate) fn access_flags(def: &MapDef) -> u32 {
    match def.map_type {
        MapType::DEVMAP | MapType::DEVMAP_HASH => def.flags | map_flags::RDONLY_PROG,
        _ if def.frozen() => def.flags | map_flags::RDONLY_PROG,
        _ => def.flags,
    }
}

/// An offset that may lie before what the pointer points to.
pub(super) fn negative(base: R, code: Code) -> Box<Fault> {
    let text =
        format!("R{} min value is negative, either use unsigned index or do a if (index >=0) check.", base as u8);
    Fault::new(code, text)
}

impl Explorer<'_> {
    /// Whether `size` bytes at this constant offset lie in memory of `limit` bytes.
    fn inside(&self, base: R, reg: &Reg, off: i64, size: i64, limit: i64, zero_ok: bool) -> Checked {
        let size_ok = size > 0 || (size == 0 && zero_ok);
        if off >= 0 && size_ok && off + size <= limit {
            return Ok(());
        }
        let n = base as u8;
        let (code, text) = match reg.kind {
            Kind::MapKey(_) => {
                (Code::MapValueBounds, format!("invalid access to map key, key_size={limit} off={off} size={size}"))
            }
            Kind::MapValue(_) => {
                (Code::MapValueBounds, format!("invalid access to map value, value_size={limit} off={off} size={size}"))
            }
            Kind::Packet | Kind::PacketMeta => (
                Code::PacketBounds,
                format!(
                    "invalid access to packet, off={off} size={size}, R{n}(id={},off={},r={})",
                    reg.id, reg.off, limit
                ),
            ),
            _ => (Code::MemoryBounds, format!("invalid access to memory, mem_size={limit} off={off} size={size}")),
        };
        Err(Fault::new(code, text))
    }

    /// An access of `size` bytes, at an offset that may vary, to memory of `limit` bytes.
    pub(crate) fn region_bounds(&self, base: R, reg: &Reg, off: i64, size: u32, limit: u32) -> Checked {
        self.region_bounds_of(base, reg, off, size.into(), limit, false)
    }

    pub(crate) fn region_bounds_of(
        &self,
        base: R,
        reg: &Reg,
        off: i64,
        size: i64,
        limit: u32,
        zero_ok: bool,
    ) -> Checked {
        let n = base as u8;
        let (smin, umax) = (reg.num.smin, reg.num.umax);
        let lowest = smin.checked_add(off).filter(|low| i32::try_from(*low).is_ok());
        if smin < 0 && lowest.is_none_or(|low| low < 0) {
            return Err(negative(base, Code::UnboundedAccess));
        }
        let more = |mut fault: Box<Fault>, what: &str| {
            fault.kernel += &format!("\nR{n} {what} value is outside of the allowed memory range");
            fault
        };
        let low = smin.wrapping_add(off) as i32;
        self.inside(base, reg, low.into(), size, limit.into(), zero_ok).map_err(|f| more(f, "min"))?;
        if umax >= MAX_OFFSET as u64 {
            let text = format!("R{n} unbounded memory access, make sure to bounds check any such access");
            return Err(Fault::new(Code::UnboundedAccess, text));
        }
        self.inside(base, reg, umax as i64 + off, size, limit.into(), zero_ok).map_err(|f| more(f, "max"))
    }

    /// A packet access, which comparisons with the packet's end must have covered.
    pub(crate) fn packet_bounds(&self, base: R, reg: &Reg, off: i64, size: i64, zero_ok: bool) -> Checked {
        let n = base as u8;
        if reg.num.smin < 0 {
            return Err(negative(base, Code::PacketBounds));
        }
        let outside = format!("R{n} offset is outside of the packet");
        if reg.range < 0 {
            return Err(Fault::new(Code::PacketBounds, outside));
        }
        self.inside(base, reg, off, size, reg.range.into(), zero_ok).map_err(|mut fault| {
            fault.kernel += "\n";
            fault.kernel += &outside;
            fault
        })
    }

    /// A map's value: bounds, and members that only helpers may touch.
    pub(crate) fn map_value_bounds(&self, base: R, reg: &Reg, map: MapRef, off: i64, size: u32) -> Checked {
        let def = self.map(map);
        self.region_bounds(base, reg, off, size, def.value_size)?;
        self.check_lock_untouched(base, reg, map, off, size.into())
    }

    fn check_lock_untouched(&self, _base: R, reg: &Reg, map: MapRef, off: i64, size: i64) -> Checked {
        let Some(lock) = self.map(map).lock else { return Ok(()) };
        let (low, high) = (off + reg.num.smin, off + reg.num.umax as i64 + size);
        if low < i64::from(lock) + 4 && i64::from(lock) < high {
            let text = "bpf_spin_lock cannot be accessed directly by load/store";
            return Err(Fault::new(Code::SpecialField, text));
        }
        Ok(())
    }

    /// Maps that programs may only read, or only write.
    pub(crate) fn check_map_access(&self, map: MapRef, off: i64, size: u32, access: Access) -> Checked {
        let def = self.map(map);
        let (flag, what) = match access {
            Access::Write => (map_flags::RDONLY_PROG, "write into"),
            Access::Read => (map_flags::WRONLY_PROG, "read from"),
        };
        if access_flags(def) & flag == 0 {
            return Ok(());
        }
        let text = format!("{what} map forbidden, value_size={} off={off} size={size}", def.value_size);
        Err(Fault::new(Code::ReadOnly, text))
    }

    /// Whether programs of this type may store to the packet.
    pub(crate) fn may_write_packet(&self) -> bool {
        self.prog_type().row().packet == PacketAccess::Write
    }

    /// Memory that a helper is given: `size` bytes from where a register points to.
    ///
    /// What the helper fills without reading it may be uninitialised: on the stack it is written when the call is
    /// done, see [`Explorer::fill_raw`].
    pub(crate) fn helper_memory(&mut self, reg: R, size: u32, access: Access, zero_ok: bool, raw: bool) -> Checked {
        let value = *self.reg(reg);
        let (n, off, bytes) = (reg as u8, i64::from(value.off), i64::from(size));
        match value.kind {
            Kind::Packet | Kind::PacketMeta => {
                if access == Access::Write && !self.may_write_packet() {
                    return Err(Fault::new(Code::PacketWrite, "cannot write into packet"));
                }
                self.packet_bounds(reg, &value, off, bytes, zero_ok)
            }
            Kind::MapKey(_) if access == Access::Write => {
                let text = format!("R{n} cannot write into {}", value.type_name());
                Err(Fault::new(Code::ReadOnly, text))
            }
            Kind::MapKey(map) => {
                let limit = self.map(map).key_size;
                self.region_bounds_of(reg, &value, off, bytes, limit, zero_ok)
            }
            Kind::MapValue(map) => {
                self.check_map_access(map, off, size, access)?;
                let limit = self.map(map).value_size;
                self.region_bounds_of(reg, &value, off, bytes, limit, zero_ok)?;
                self.check_lock_untouched(reg, &value, map, off, bytes)
            }
            Kind::Mem(mem) => {
                if access == Access::Write && mem.read_only {
                    let text = format!("R{n} cannot write into {}", value.type_name());
                    return Err(Fault::new(Code::ReadOnly, text));
                }
                self.region_bounds_of(reg, &value, off, bytes, mem.size, zero_ok)
            }
            Kind::Stack(frame) => self.stack_range(reg, &value, frame, off, bytes, access, zero_ok, raw),
            _ if value.is_null() && size == 0 && zero_ok => Ok(()),
            _ => {
                let text = format!("R{n} type={} expected=fp", value.type_name());
                Err(Fault::new(Code::ArgumentType, text))
            }
        }
    }
}
