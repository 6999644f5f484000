//! Ring buffers: records that programs write and a consumer takes out in the order in which they were begun.
//!
//! ```text
//! storage:  | lock | - | produced: u64 | consumed: u64 | pending: u64 | - to 4096 | data, which arenas map twice in a row |
//! record:   | bytes, BUSY, DISCARDED: u32 | page: u32 | bytes ... | padding to 8                                   |
//! ```
//! Headers are the kernel's in all bytes: programs see those of old records in what they reserve. Positions only grow; a record is at its position modulo the buffer's size. A record that wraps is one piece to
//! programs, since the data follow themselves in their memory.

use oxbpf_abi::errno;
use oxbpf_ir::MapDef;

use super::define::PAGE;
use super::store::{By, Steps, Store};
use crate::memory::Storage;

const LOCK: usize = 0;
const PRODUCED: usize = 8;
const CONSUMED: usize = 16;
/// The first record that may still be written.
const PENDING: usize = 24;
/// Where data start.
pub(super) const DATA: usize = PAGE as usize;

/// Bytes in front of a record.
const HEADER: u64 = 8;
const BUSY: u32 = 1 << 31;
const DISCARDED: u32 = 1 << 30;
/// The page that the first data are on to the kernel, which has three others in front.
const FIRST_PAGE: u32 = 3;
/// The most bytes of a record.
const MAX_RECORD: u64 = u32::MAX as u64 / 4;

/// What [`Ring::query`] answers: by number, as the kernel has them.
const AVAIL_DATA: u64 = 0;
const RING_SIZE: u64 = 1;
const CONS_POS: u64 = 2;
const PROD_POS: u64 = 3;

#[derive(Debug)]
pub(super) struct Ring {
    size: u64,
}

impl Ring {
    pub(super) fn new(def: &MapDef) -> Ring {
        Ring { size: def.max_entries.into() }
    }

    fn u64(storage: &Storage, off: usize) -> u64 {
        let mut bytes = [0; 8];
        storage.read(off, &mut bytes);
        u64::from_le_bytes(bytes)
    }

    fn set_u64(storage: &Storage, off: usize, value: u64) {
        storage.write(off, &value.to_le_bytes());
    }

    /// Where a position's header is; it does not wrap, for everything is in steps of 8.
    fn place(&self, position: u64) -> usize {
        DATA + (position % self.size) as usize
    }

    /// Begins a record: the offset of its bytes in the storage. None where there is no room.
    pub(super) fn reserve(&self, storage: &Storage, size: u64) -> Option<usize> {
        let len = (size + HEADER).next_multiple_of(8);
        if size > MAX_RECORD || len > self.size {
            return None;
        }
        storage.locked(LOCK, || {
            let produced = Ring::u64(storage, PRODUCED);
            let pending = self.settle(storage, produced);
            let after = produced.wrapping_add(len);
            let used = |from: u64| after.wrapping_sub(from);
            if used(Ring::u64(storage, CONSUMED)) > self.size - 1 || used(pending) > self.size - 1 {
                return None;
            }
            let place = self.place(produced);
            storage.set_u32(place, size as u32 | BUSY);
            storage.set_u32(place + 4, FIRST_PAGE + (place - DATA) as u32 / PAGE);
            Ring::set_u64(storage, PRODUCED, after);
            Some(place + HEADER as usize)
        })
    }

    /// Moves on over records that are complete; the first that is not.
    fn settle(&self, storage: &Storage, produced: u64) -> u64 {
        let mut pending = Ring::u64(storage, PENDING);
        while pending < produced {
            let header = storage.u32(self.place(pending));
            if header & BUSY != 0 {
                break;
            }
            pending += len_of(header);
        }
        Ring::set_u64(storage, PENDING, pending);
        pending
    }

    /// Completes a record that [`Ring::reserve`] began at this offset.
    pub(super) fn commit(&self, storage: &Storage, off: usize, discard: bool) {
        let place = off - HEADER as usize;
        let header = storage.u32(place) & !BUSY;
        storage.set_u32(place, if discard { header | DISCARDED } else { header });
    }

    /// Writes a whole record.
    pub(super) fn output(&self, storage: &Storage, bytes: &[u8]) -> Result<(), i64> {
        let off = self.reserve(storage, bytes.len() as u64).ok_or(errno::EAGAIN)?;
        let (end, first) = (DATA + self.size as usize, off);
        let (head, tail) = bytes.split_at(bytes.len().min(end.saturating_sub(first)));
        if first < end {
            storage.write(first, head);
            storage.write(DATA, tail);
        } else {
            storage.write(first - self.size as usize, bytes);
        }
        self.commit(storage, off, false);
        Ok(())
    }

    /// What a program may ask about the buffer.
    pub(super) fn query(&self, storage: &Storage, what: u64) -> u64 {
        let (consumed, produced) = (Ring::u64(storage, CONSUMED), Ring::u64(storage, PRODUCED));
        match what {
            AVAIL_DATA => produced.wrapping_sub(consumed),
            RING_SIZE => self.size,
            CONS_POS => consumed,
            PROD_POS => produced,
            _ => 0,
        }
    }

    /// Takes out all records up to the first that is still being written.
    pub(super) fn consume(&self, storage: &Storage, take: &mut dyn FnMut(Vec<u8>)) {
        storage.locked(LOCK, || {
            let (mut at, produced) = (Ring::u64(storage, CONSUMED), Ring::u64(storage, PRODUCED));
            while at < produced {
                let place = self.place(at);
                let header = storage.u32(place);
                if header & BUSY != 0 {
                    break;
                }
                if header & DISCARDED == 0 {
                    take(self.bytes(storage, place + HEADER as usize, header));
                }
                at += len_of(header);
            }
            Ring::set_u64(storage, CONSUMED, at);
        });
    }

    fn bytes(&self, storage: &Storage, off: usize, header: u32) -> Vec<u8> {
        let end = DATA + self.size as usize;
        let len = u64::from(header & !(BUSY | DISCARDED)).min(self.size) as usize;
        let mut bytes = vec![0; len];
        let (head, tail) = bytes.split_at_mut(len.min(end.saturating_sub(off)));
        if off < end {
            storage.read(off, head);
        }
        storage.read(if off < end { DATA } else { off - self.size as usize }, tail);
        bytes
    }
}

/// Bytes from a record's header to the next.
fn len_of(header: u32) -> u64 {
    (u64::from(header & !(BUSY | DISCARDED)) + HEADER).next_multiple_of(8)
}

impl Store for Ring {
    fn len(&self) -> Option<usize> {
        usize::try_from(self.size).ok()?.checked_add(DATA)
    }

    fn read(&self, _: &Storage, _: &[u8], _: &mut Steps) -> Result<Vec<u8>, i64> {
        Err(errno::ENOTSUPP)
    }

    fn update(&self, _: &Storage, _: &[u8], _: &[u8], _: u64, _: By, _: &mut Steps) -> Result<(), i64> {
        Err(errno::ENOTSUPP)
    }

    fn delete(&self, _: &Storage, _: &[u8], _: &mut Steps) -> Result<(), i64> {
        Err(errno::ENOTSUPP)
    }

    fn next_key(&self, _: &Storage, _: Option<&[u8]>) -> Result<Vec<u8>, i64> {
        Err(errno::ENOTSUPP)
    }

    /// Records are no entries.
    fn for_each(&self, _: &Storage, _: &mut dyn FnMut(&[u8], &[u8])) {}
}
