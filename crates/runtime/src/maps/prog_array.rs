//! Program arrays: programs by index, for tail calls. A slot holds a program's number plus one, or 0.

use oxbpf_abi::errno;
use oxbpf_ir::{MapDef, ProgIdx};

use crate::memory::Storage;

#[derive(Debug)]
pub(super) struct ProgArray {
    max_entries: u32,
}

impl ProgArray {
    pub(super) fn new(def: &MapDef) -> ProgArray {
        ProgArray { max_entries: def.max_entries }
    }

    pub(super) fn len(&self) -> Option<usize> {
        (self.max_entries as usize).checked_mul(4)
    }

    fn slot(&self, index: u32) -> Option<usize> {
        (index < self.max_entries).then(|| index as usize * 4)
    }

    pub(super) fn get(&self, storage: &Storage, index: u32) -> Option<ProgIdx> {
        storage.u32(self.slot(index)?).checked_sub(1).map(ProgIdx)
    }

    pub(super) fn set(&self, storage: &Storage, index: u32, program: ProgIdx) -> Result<(), i64> {
        let slot = self.slot(index).ok_or(errno::E2BIG)?;
        storage.set_u32(slot, program.0.checked_add(1).ok_or(errno::EINVAL)?);
        Ok(())
    }

    pub(super) fn clear(&self, storage: &Storage, index: u32) -> Result<(), i64> {
        let slot = self.slot(index).ok_or(errno::E2BIG)?;
        if storage.u32(slot) == 0 {
            return Err(errno::ENOENT);
        }
        storage.set_u32(slot, 0);
        Ok(())
    }

    /// Visits the indices in use.
    pub(super) fn for_each(&self, storage: &Storage, visit: &mut dyn FnMut(u32, ProgIdx)) {
        for index in 0..self.max_entries {
            if let Some(program) = self.get(storage, index) {
                visit(index, program);
            }
        }
    }
}
