//! Queues and stacks: a ring of values without keys. The oldest makes room where that is asked for.
//!
//! ```text
//! storage:  | lock | first | len | - | values ...  |      first: the oldest
//! ```

use oxbpf_abi::{MapType, errno, map_flags};
use oxbpf_ir::MapDef;

use super::store::{By, Steps, Store, aligned};
use crate::memory::Storage;

const LOCK: usize = 0;
const FIRST: usize = 4;
const LEN: usize = 8;
const VALUES: usize = 16;

#[derive(Debug)]
pub(super) struct Queue {
    stride: usize,
    value_size: u32,
    max_entries: u32,
    /// The newest comes out first.
    stack: bool,
}

impl Queue {
    pub(super) fn new(def: &MapDef) -> Queue {
        let MapDef { value_size, max_entries, map_type, .. } = *def;
        Queue { stride: aligned(value_size), value_size, max_entries, stack: map_type == MapType::STACK }
    }

    /// The place of the value that is so many behind the oldest.
    fn place(&self, storage: &Storage, behind: u32) -> usize {
        let index = (u64::from(storage.u32(FIRST)) + u64::from(behind)) % u64::from(self.max_entries);
        VALUES + index as usize * self.stride
    }

    fn len_now(&self, storage: &Storage) -> u32 {
        storage.u32(LEN).min(self.max_entries)
    }

    fn drop_oldest(&self, storage: &Storage) {
        let first = u64::from(storage.u32(FIRST)) + 1;
        storage.set_u32(FIRST, (first % u64::from(self.max_entries)) as u32);
    }

    fn get(&self, storage: &Storage, value: &mut [u8], remove: bool) -> Result<(), i64> {
        storage.locked(LOCK, || {
            let len = self.len_now(storage);
            let Some(last) = len.checked_sub(1) else {
                value.fill(0);
                return Err(errno::ENOENT);
            };
            storage.read(self.place(storage, if self.stack { last } else { 0 }), value);
            if remove {
                storage.set_u32(LEN, last);
                if !self.stack {
                    self.drop_oldest(storage);
                }
            }
            Ok(())
        })
    }
}

impl Store for Queue {
    fn len(&self) -> Option<usize> {
        self.stride.checked_mul(self.max_entries as usize)?.checked_add(VALUES)
    }

    fn read(&self, storage: &Storage, _: &[u8], _: &mut Steps) -> Result<Vec<u8>, i64> {
        let mut value = vec![0; self.value_size as usize];
        self.peek(storage, &mut value)?;
        Ok(value)
    }

    fn update(&self, storage: &Storage, _: &[u8], value: &[u8], flags: u64, by: By, _: &mut Steps) -> Result<(), i64> {
        if matches!(by, By::Program(_)) || flags & map_flags::F_LOCK != 0 {
            return Err(errno::EINVAL);
        }
        self.push(storage, value, flags)
    }

    fn delete(&self, _: &Storage, _: &[u8], _: &mut Steps) -> Result<(), i64> {
        Err(errno::EINVAL)
    }

    fn next_key(&self, _: &Storage, _: Option<&[u8]>) -> Result<Vec<u8>, i64> {
        Err(errno::EINVAL)
    }

    fn push(&self, storage: &Storage, value: &[u8], flags: u64) -> Result<(), i64> {
        if !matches!(flags, map_flags::ANY | map_flags::EXIST) {
            return Err(errno::EINVAL);
        }
        storage.locked(LOCK, || {
            let mut len = self.len_now(storage);
            if len == self.max_entries {
                if flags != map_flags::EXIST {
                    return Err(errno::E2BIG);
                }
                self.drop_oldest(storage);
                len -= 1;
            }
            storage.write(self.place(storage, len), value);
            storage.set_u32(LEN, len + 1);
            Ok(())
        })
    }

    fn pop(&self, storage: &Storage, value: &mut [u8]) -> Result<(), i64> {
        self.get(storage, value, true)
    }

    fn peek(&self, storage: &Storage, value: &mut [u8]) -> Result<(), i64> {
        self.get(storage, value, false)
    }

    /// Visits values in the order in which they would come out.
    fn for_each(&self, storage: &Storage, visit: &mut dyn FnMut(&[u8], &[u8])) {
        let len = self.len_now(storage);
        let mut value = vec![0; self.value_size as usize];
        for i in 0..len {
            storage.read(self.place(storage, if self.stack { len - 1 - i } else { i }), &mut value);
            visit(&[], &value);
        }
    }
}
