//! Arrays of numbers that stand for something else: programs, for tail calls, maps, and perf events. A slot holds a
//! number plus one, or 0. Programs reach them by helpers only.

use oxbpf_abi::{MapType, errno};
use oxbpf_ir::MapDef;

use super::store::{By, Steps, Store, index_of, next_index, number};
use crate::memory::Storage;

#[derive(Debug)]
pub(super) struct Slots {
    map_type: MapType,
    max_entries: u32,
}

impl Slots {
    pub(super) fn new(def: &MapDef) -> Slots {
        Slots { map_type: def.map_type, max_entries: def.max_entries }
    }

    fn slot(&self, index: u32) -> Option<usize> {
        (index < self.max_entries).then(|| index as usize * 4)
    }

    fn get(&self, storage: &Storage, index: u32) -> Option<u32> {
        storage.u32(self.slot(index)?).checked_sub(1)
    }
}

impl Store for Slots {
    fn len(&self) -> Option<usize> {
        (self.max_entries as usize).checked_mul(4)
    }

    fn read(&self, storage: &Storage, key: &[u8], _: &mut Steps) -> Result<Vec<u8>, i64> {
        if self.map_type == MapType::PERF_EVENT_ARRAY {
            return Err(errno::ENOTSUPP);
        }
        let number = self.get(storage, index_of(key)).ok_or(errno::ENOENT)?;
        Ok(number.to_le_bytes().to_vec())
    }

    /// Replaces what stands at an index; flags other than 0 are refused.
    fn update(&self, storage: &Storage, key: &[u8], value: &[u8], flags: u64, _: By, _: &mut Steps) -> Result<(), i64> {
        if flags != 0 {
            return Err(errno::EINVAL);
        }
        let slot = self.slot(index_of(key)).ok_or(errno::E2BIG)?;
        storage.set_u32(slot, number(value).checked_add(1).ok_or(errno::EINVAL)?);
        Ok(())
    }

    fn delete(&self, storage: &Storage, key: &[u8], _: &mut Steps) -> Result<(), i64> {
        let slot = self.slot(index_of(key)).ok_or(errno::E2BIG)?;
        if storage.u32(slot) == 0 {
            return Err(errno::ENOENT);
        }
        storage.set_u32(slot, 0);
        Ok(())
    }

    fn next_key(&self, _: &Storage, key: Option<&[u8]>) -> Result<Vec<u8>, i64> {
        next_index(key, self.max_entries)
    }

    fn number(&self, storage: &Storage, key: &[u8], _: &mut Steps) -> Option<u32> {
        self.get(storage, index_of(key))
    }

    /// Visits the indices in use.
    fn for_each(&self, storage: &Storage, visit: &mut dyn FnMut(&[u8], &[u8])) {
        for index in 0..self.max_entries {
            if let Some(number) = self.get(storage, index) {
                visit(&index.to_le_bytes(), &number.to_le_bytes());
            }
        }
    }
}
