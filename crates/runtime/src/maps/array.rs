//! Arrays: values by index, all present from the start.
//!
//! Eight bytes that belong to nobody stand after each value, so that a program that runs over the end of one does not
//! land in the next. Arrays that user space may map have no such gaps: their layout is the kernel's.

use oxbpf_abi::{errno, map_flags};
use oxbpf_ir::MapDef;

use super::{aligned, elements, read};
use crate::memory::{Elements, Storage};

/// As many bytes as the widest access has.
const GAP: usize = 8;

#[derive(Debug)]
pub(super) struct Array {
    stride: usize,
    value_size: u32,
    max_entries: u32,
}

impl Array {
    pub(super) fn new(def: &MapDef) -> Array {
        let gap = if def.flags & map_flags::MMAPABLE == 0 { GAP } else { 0 };
        Array { stride: aligned(def.value_size) + gap, value_size: def.value_size, max_entries: def.max_entries }
    }

    pub(super) fn len(&self) -> Option<usize> {
        self.stride.checked_mul(self.max_entries as usize)
    }

    pub(super) fn values(&self) -> (usize, u64, Elements) {
        let len = self.stride as u64 * u64::from(self.max_entries);
        (0, len, elements(self.stride, 0, self.value_size))
    }

    pub(super) fn lookup(&self, index: u32) -> Option<usize> {
        (index < self.max_entries).then(|| index as usize * self.stride)
    }

    pub(super) fn update(&self, storage: &Storage, index: u32, value: &[u8], flags: u64) -> Result<(), i64> {
        let at = self.lookup(index).ok_or(errno::E2BIG)?;
        if flags & map_flags::NOEXIST != 0 {
            return Err(errno::EEXIST);
        }
        // Values have no lock.
        if flags & map_flags::F_LOCK != 0 {
            return Err(errno::EINVAL);
        }
        storage.write(at, value);
        Ok(())
    }

    pub(super) fn for_each(&self, storage: &Storage, visit: &mut dyn FnMut(&[u8], &[u8])) {
        let mut value = Vec::new();
        for i in 0..self.max_entries {
            visit(&i.to_le_bytes(), read(storage, i as usize * self.stride, self.value_size, &mut value));
        }
    }
}
