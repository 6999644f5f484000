//! Arrays: values by index, all present from the start.

use oxbpf_abi::{errno, map_flags};
use oxbpf_ir::{MapDef, MapIdx};

use super::{Entry, aligned, value_at};
use crate::memory::{ArenaError, Block, Elements, Memory, Region, RegionKind};

#[derive(Debug)]
pub(super) struct Array {
    values: Block,
    stride: usize,
    value_size: u32,
    max_entries: u32,
}

impl Array {
    pub(super) fn new(def: &MapDef, index: MapIdx, memory: &mut Memory) -> Result<Array, ArenaError> {
        let stride = aligned(def.value_size);
        let len = stride.saturating_mul(def.max_entries as usize);
        let values = memory.alloc(len)?;
        let elements = Elements { stride: stride as u64, off: 0, size: def.value_size.into() };
        let region = Region::sized(&def.name, RegionKind::MapValues(index), len as u64).with_elements(elements);
        let region = if def.frozen() || def.flags & map_flags::RDONLY_PROG != 0 { region.read_only() } else { region };
        memory.add_region(&values, 0, region);
        Ok(Array { values, stride, value_size: def.value_size, max_entries: def.max_entries })
    }

    pub(super) fn lookup(&self, index: u32) -> u64 {
        if index < self.max_entries { self.values.addr() + (index as usize * self.stride) as u64 } else { 0 }
    }

    pub(super) fn update(&mut self, index: u32, value: &[u8], flags: u64) -> Result<(), i64> {
        if index >= self.max_entries {
            return Err(errno::E2BIG);
        }
        if flags & map_flags::NOEXIST != 0 {
            return Err(errno::EEXIST);
        }
        // Values have no lock. The kernel asks for it last: measured on Linux 6.18.
        if flags & map_flags::F_LOCK != 0 {
            return Err(errno::EINVAL);
        }
        self.values.write(index as usize * self.stride, value);
        Ok(())
    }

    pub(super) fn entries(&self) -> Vec<Entry> {
        let value = |i: u32| value_at(&self.values, i as usize * self.stride, self.value_size);
        (0..self.max_entries).map(|i| (i.to_le_bytes().to_vec(), value(i))).collect()
    }
}
