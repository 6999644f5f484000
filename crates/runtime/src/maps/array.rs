//! Arrays: values by index, all present from the start; of a per-CPU array, one for each CPU.
//!
//! Eight bytes that belong to nobody stand after each value, so that a program that runs over the end of one does not
//! land in the next. Arrays that user space may map have no such gaps: their layout is the kernel's.
//!
//! ```text
//! storage:  | value 0 of CPU 0 | gap | value 0 of CPU 1 | gap | ... | value 1 of CPU 0 | ...
//! ```

use oxbpf_abi::{errno, map_flags};
use oxbpf_ir::MapDef;

use super::store::{By, Cells, Steps, Store, aligned, elements, index_of};
use super::values::Values;
use crate::memory::{Elements, Storage};

/// As many bytes as the widest access has.
const GAP: usize = 8;

#[derive(Debug)]
pub(super) struct Array {
    cells: Cells,
    values: Values,
    max_entries: u32,
}

impl Array {
    pub(super) fn new(def: &MapDef, cpus: Option<u32>) -> Array {
        let gap = if def.flags & map_flags::MMAPABLE == 0 { GAP } else { 0 };
        let cells = Cells { first: 0, stride: aligned(def.value_size) + gap, slots: cpus.unwrap_or(1) };
        Array { cells, values: Values::new(def, cpus), max_entries: def.max_entries }
    }

    fn index(&self, key: &[u8]) -> Option<u32> {
        Some(index_of(key)).filter(|&i| i < self.max_entries)
    }
}

impl Store for Array {
    fn len(&self) -> Option<usize> {
        self.cells.len(self.max_entries as usize)
    }

    fn values(&self) -> Option<(usize, u64, Elements)> {
        let len = self.len()? as u64;
        Some((0, len, elements(self.cells.stride, 0, self.values.size)))
    }

    fn lookup(&self, _: &Storage, key: &[u8], cpu: u32, _: &mut Steps) -> Option<usize> {
        self.cells.at(self.index(key)? as usize, self.values.slot(cpu)?)
    }

    fn read(&self, storage: &Storage, key: &[u8], _: &mut Steps) -> Result<Vec<u8>, i64> {
        let index = self.index(key).ok_or(errno::ENOENT)?;
        Ok(self.values.read(storage, &self.cells, index as usize))
    }

    fn update(
        &self,
        storage: &Storage,
        key: &[u8],
        value: &[u8],
        flags: u64,
        by: By,
        _: &mut Steps,
    ) -> Result<(), i64> {
        let index = self.index(key).ok_or(errno::E2BIG)?;
        if flags & map_flags::NOEXIST != 0 {
            return Err(errno::EEXIST);
        }
        self.values.lockable(flags)?;
        self.values.write(storage, &self.cells, index as usize, value, by)
    }

    fn delete(&self, _: &Storage, _: &[u8], _: &mut Steps) -> Result<(), i64> {
        Err(errno::EINVAL)
    }

    fn next_key(&self, _: &Storage, key: Option<&[u8]>) -> Result<Vec<u8>, i64> {
        super::store::next_index(key, self.max_entries)
    }

    fn step(&self, _: &Storage, cursor: u32, _: u32, _: &mut Steps) -> Option<u32> {
        (cursor < self.max_entries).then_some(cursor + 1)
    }

    fn at(&self, _: &Storage, cursor: u32, cpu: u32) -> Option<(Vec<u8>, usize)> {
        let index = cursor.checked_sub(1).filter(|&i| i < self.max_entries)?;
        let off = self.cells.at(index as usize, self.values.slot(cpu)?)?;
        Some((index.to_le_bytes().to_vec(), off))
    }

    fn for_each(&self, storage: &Storage, visit: &mut dyn FnMut(&[u8], &[u8])) {
        for i in 0..self.max_entries {
            visit(&i.to_le_bytes(), &self.values.read(storage, &self.cells, i as usize));
        }
    }
}
