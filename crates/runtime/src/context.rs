//! Context accesses by field: what a load or store at an offset of `__sk_buff` or `xdp_md` does.
#![allow(unsafe_code)]

use std::sync::LazyLock;

use oxbpf_abi::ctx::Shape;
use oxbpf_abi::layout::SkBuff;
use oxbpf_abi::{PROG_TYPES, ProgType};
use oxbpf_isa::MemSize;

use crate::trap::{Access, TrapKind};

/// Bytes of the context as a register sees them: little-endian numbers at host offsets.
pub(crate) fn load(skb: &SkBuff, host: usize, size: usize) -> u64 {
    assert!(host + size <= size_of::<SkBuff>() && size <= 8);
    let mut bytes = [0u8; 8];
    // SAFETY: the range lies inside the structure, which is plain numbers without padding.
    unsafe { std::ptr::copy_nonoverlapping((skb as *const SkBuff).cast::<u8>().add(host), bytes.as_mut_ptr(), size) };
    u64::from_le_bytes(bytes)
}

pub(crate) fn store(skb: &mut SkBuff, host: usize, size: usize, value: u64) {
    assert!(host + size <= size_of::<SkBuff>() && size <= 8);
    let bytes = value.to_le_bytes();
    // SAFETY: the range lies inside the structure, whose numbers take any bit pattern.
    unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), (skb as *mut SkBuff).cast::<u8>().add(host), size) };
}

/// What an access does.
#[derive(Clone, Copy, Debug)]
struct Entry {
    host: u16,
    kind: Kind,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    /// Numbers, as many bytes as the access has.
    Plain,
    /// A 64-bit pointer in answer to a 32-bit load.
    Pointer,
    /// Only the low 16 bits are kept.
    Low16,
    /// As `Low16`; 0xffff and above mean "no queue" and are not stored.
    Queue,
}

/// Accesses of one program type: by write, offset and log2 of the size.
#[derive(Debug)]
pub(crate) struct Table {
    entries: Vec<Option<Entry>>,
    size: u64,
}

static TABLES: LazyLock<Vec<Table>> = LazyLock::new(|| PROG_TYPES.iter().map(|r| Table::new(r.prog_type)).collect());

impl Table {
    /// The table of a program type.
    pub(crate) fn of(prog_type: ProgType) -> &'static Table {
        &TABLES[prog_type as usize]
    }

    fn new(prog_type: ProgType) -> Table {
        let layout = prog_type.ctx();
        let mut entries = Vec::with_capacity(layout.size as usize * 8);
        for write in [false, true] {
            for off in 0..layout.size {
                for size in MemSize::ALL {
                    let field = layout.access(off, size.bytes(), write);
                    let field = field.filter(|f| f.shape != Shape::Opaque);
                    let field =
                        field.filter(|f| if write { f.writable_by(prog_type) } else { f.readable_by(prog_type) });
                    entries.push(field.map(|f| Entry {
                        host: f.host_at(off, size.bytes()) as u16,
                        kind: match f.shape {
                            Shape::Pointer => Kind::Pointer,
                            Shape::Queue => Kind::Queue,
                            Shape::U32 if f.kept == 2 => Kind::Low16,
                            _ => Kind::Plain,
                        },
                    }));
                }
            }
        }
        Table { entries, size: layout.size.into() }
    }

    fn entry(&self, off: u64, size: MemSize, access: Access) -> Result<Entry, TrapKind> {
        let write = u64::from(access == Access::Write);
        let found = (off < self.size).then(|| self.entries[((write * self.size + off) * 4) as usize + size as usize]);
        found.flatten().ok_or(TrapKind::Context { access, off, size: size.bytes().into() })
    }

    pub(crate) fn load(&self, skb: &SkBuff, off: u64, size: MemSize) -> Result<u64, TrapKind> {
        let entry = self.entry(off, size, Access::Read)?;
        let bytes = match entry.kind {
            Kind::Pointer => 8,
            Kind::Plain | Kind::Low16 | Kind::Queue => size.bytes() as usize,
        };
        Ok(load(skb, entry.host.into(), bytes))
    }

    /// Stores a number. `immediate` says that it comes from the instruction, sign-extended.
    pub(crate) fn store(
        &self,
        skb: &mut SkBuff,
        off: u64,
        size: MemSize,
        value: u64,
        immediate: bool,
    ) -> Result<(), TrapKind> {
        const NO_QUEUE: u64 = 0xffff;
        let entry = self.entry(off, size, Access::Write)?;
        let value = match entry.kind {
            Kind::Plain | Kind::Pointer => value,
            Kind::Low16 => value & 0xffff,
            // An immediate is compared signed, a register unsigned and whole: measured on Linux 6.18.
            Kind::Queue if immediate && value as i64 >= NO_QUEUE as i64 => return Ok(()),
            Kind::Queue if !immediate && value >= NO_QUEUE => return Ok(()),
            Kind::Queue => value & 0xffff,
        };
        store(skb, entry.host.into(), size.bytes() as usize, value);
        Ok(())
    }
}
