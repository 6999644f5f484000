//! Values as they are read and written: whole, except a lock in them, and of a per-CPU map slot by slot.

use oxbpf_abi::{errno, map_flags};
use oxbpf_ir::MapDef;

use super::define::LOCK_SIZE;
use super::store::{By, Cells, aligned};
use crate::memory::Storage;

/// How a map's values are copied.
#[derive(Clone, Copy, Debug)]
pub(super) struct Values {
    pub(super) size: u32,
    /// Each CPU has its own, and there are so many.
    cpus: Option<u32>,
    lock: Option<u32>,
}

impl Values {
    pub(super) fn new(def: &MapDef, cpus: Option<u32>) -> Values {
        Values { size: def.value_size, cpus, lock: def.lock }
    }

    /// Whether each CPU has its own.
    pub(super) fn per_cpu(&self) -> bool {
        self.cpus.is_some()
    }

    /// The slot that a program on a CPU uses; none where the map knows no such CPU.
    pub(super) fn slot(&self, cpu: u32) -> Option<u32> {
        match self.cpus {
            None => Some(0),
            Some(count) => (cpu < count).then_some(cpu),
        }
    }

    /// Bytes of a value as somebody outside sees it.
    pub(super) fn outside(&self) -> usize {
        match self.cpus {
            None => self.size as usize,
            Some(count) => aligned(self.size) * count as usize,
        }
    }

    /// Fails where flags ask for a lock and values have none.
    pub(super) fn lockable(&self, flags: u64) -> Result<(), i64> {
        if flags & map_flags::F_LOCK != 0 && self.lock.is_none() { Err(errno::EINVAL) } else { Ok(()) }
    }

    /// What somebody outside sees; a lock as zero.
    pub(super) fn read(&self, storage: &Storage, cells: &Cells, element: usize) -> Vec<u8> {
        let mut out = vec![0; self.outside()];
        let step = if self.per_cpu() { aligned(self.size) } else { out.len().max(1) };
        for (slot, part) in out.chunks_mut(step).enumerate() {
            if let Some(off) = cells.at(element, slot as u32) {
                storage.read(off, &mut part[..self.size as usize]);
            }
        }
        if let Some(lock) = self.lock {
            out[lock as usize..(lock + LOCK_SIZE) as usize].fill(0);
        }
        out
    }

    /// Overwrites a value, or of what each CPU has a program's own.
    pub(super) fn write(
        &self,
        storage: &Storage,
        cells: &Cells,
        element: usize,
        value: &[u8],
        by: By,
    ) -> Result<(), i64> {
        let size = self.size as usize;
        match (self.cpus, by) {
            (None, _) => self.put(storage, cells.at(element, 0), &value[..size]),
            (Some(_), By::Program(cpu)) => {
                let slot = self.slot(cpu).ok_or(errno::EINVAL)?;
                self.put(storage, cells.at(element, slot), &value[..size]);
            }
            (Some(_), By::Outside) => {
                for (slot, part) in value.chunks(aligned(self.size)).enumerate() {
                    self.put(storage, cells.at(element, slot as u32), &part[..size]);
                }
            }
        }
        Ok(())
    }

    /// Writes a value where none was: what other CPUs have is zero, and so is a lock.
    pub(super) fn write_new(
        &self,
        storage: &Storage,
        cells: &Cells,
        element: usize,
        value: &[u8],
        by: By,
    ) -> Result<(), i64> {
        if let (Some(count), By::Program(_)) = (self.cpus, by) {
            let zeros = vec![0; self.size as usize];
            (0..count).for_each(|slot| self.put(storage, cells.at(element, slot), &zeros));
        }
        if let (Some(lock), Some(off)) = (self.lock, cells.at(element, 0)) {
            storage.set_u32(off + lock as usize, 0);
        }
        self.write(storage, cells, element, value, by)
    }

    /// Bytes of one value, around its lock.
    fn put(&self, storage: &Storage, off: Option<usize>, value: &[u8]) {
        let Some(off) = off else { return };
        match self.lock {
            None => storage.write(off, value),
            Some(lock) => {
                let (lock, end) = (lock as usize, (lock + LOCK_SIZE) as usize);
                storage.write(off, &value[..lock]);
                storage.write(off + end, &value[end..]);
            }
        }
    }
}
