//! Hash maps: chained buckets over elements that are all allocated at the start, as the kernel's are.
//!
//! An update does not overwrite a value but puts another element in its place; there is one more than the map holds. A
//! pointer that a program looked up before goes on reading the old value, until that element is used again: by the
//! next update of a present key, or, in a map that is not preallocated, by whatever needs an element next. So it is
//! in Linux 6.18, measured, where each CPU has such elements.
//!
//! ```text
//! storage:  | lock | used | free | spare | len | - | buckets: u32 each | elements ...      |
//! element:  | next: u32 | hash: u32 | value, padded to 8 | key, padded to 8                 |
//! ```
//! A link is an element's number plus one; 0 ends a chain. Free elements form a chain too. Changes are made under the
//! lock; look-ups walk without it.

use oxbpf_abi::{errno, map_flags};
use oxbpf_ir::MapDef;

use super::{Steps, aligned, elements, read};
use crate::memory::{Elements, Storage};

/// The header's words, by offset.
const LOCK: usize = 0;
/// Elements ever used; those below may be free again.
const USED: usize = 4;
/// The chain of elements that were given back.
const FREE: usize = 8;
/// The element that the next update of a present key takes; 0 where it takes any free one.
const SPARE: usize = 12;
/// Entries in the map.
const LEN: usize = 16;
const BUCKETS: usize = 24;

/// Offset of the value in an element: after the link and the hash.
const VALUE: usize = 8;

#[derive(Debug)]
pub(super) struct Hash {
    buckets: usize,
    stride: usize,
    key_off: usize,
    key_size: u32,
    value_size: u32,
    max_entries: u32,
    preallocated: bool,
}

impl Hash {
    pub(super) fn new(def: &MapDef) -> Hash {
        let key_off = VALUE + aligned(def.value_size);
        Hash {
            buckets: (def.max_entries as usize).next_power_of_two(),
            stride: key_off + aligned(def.key_size),
            key_off,
            key_size: def.key_size,
            value_size: def.value_size,
            max_entries: def.max_entries,
            preallocated: def.flags & map_flags::NO_PREALLOC == 0,
        }
    }

    /// Elements, one more than the map holds.
    fn count(&self) -> usize {
        self.max_entries as usize + 1
    }

    /// Where elements start.
    fn first(&self) -> usize {
        (BUCKETS + self.buckets * 4).next_multiple_of(8)
    }

    pub(super) fn len(&self) -> Option<usize> {
        // Links are 32 bits, and the count one more than the entries.
        (self.max_entries < u32::MAX).then_some(())?;
        self.stride.checked_mul(self.count())?.checked_add(self.first())
    }

    pub(super) fn prepare(&self, storage: &Storage) {
        if self.preallocated {
            storage.set_u32(SPARE, self.count() as u32);
        }
    }

    pub(super) fn values(&self) -> (usize, u64, Elements) {
        let len = self.stride as u64 * self.count() as u64;
        (self.first(), len, elements(self.stride, VALUE, self.value_size))
    }

    fn element(&self, link: u32) -> usize {
        self.first() + (link as usize - 1) * self.stride
    }

    fn bucket(&self, hash: u32) -> usize {
        BUCKETS + (hash as usize & (self.buckets - 1)) * 4
    }

    /// The link cell that leads to a key's element, and the element; none where the key is absent.
    fn find(&self, storage: &Storage, key: &[u8], hash: u32, steps: &mut Steps) -> Option<(usize, u32)> {
        let mut cell = self.bucket(hash);
        // While others change the map, a walk may stray into another chain; it ends all the same.
        for _ in 0..self.count() {
            let link = storage.u32(cell);
            if link == 0 || link as usize > self.count() {
                return None;
            }
            steps.0 += 1;
            let element = self.element(link);
            if storage.u32(element + 4) == hash && storage.matches(element + self.key_off, key) {
                return Some((cell, link));
            }
            cell = element;
        }
        None
    }

    pub(super) fn lookup(&self, storage: &Storage, key: &[u8], steps: &mut Steps) -> Option<usize> {
        let (_, link) = self.find(storage, self.sized(key)?, hash(key), steps)?;
        Some(self.element(link) + VALUE)
    }

    fn sized<'k>(&self, key: &'k [u8]) -> Option<&'k [u8]> {
        (key.len() == self.key_size as usize).then_some(key)
    }

    pub(super) fn update(
        &self,
        storage: &Storage,
        key: &[u8],
        value: &[u8],
        flags: u64,
        steps: &mut Steps,
    ) -> Result<(), i64> {
        // Values have no lock; unlike an array, a hash asks for it first.
        if flags & map_flags::F_LOCK != 0 {
            return Err(errno::EINVAL);
        }
        storage.locked(LOCK, || {
            let hash = hash(key);
            match self.find(storage, key, hash, steps) {
                Some(_) if flags == map_flags::NOEXIST => Err(errno::EEXIST),
                Some((cell, old)) => {
                    self.replace(storage, cell, old, hash, key, value);
                    Ok(())
                }
                None if flags == map_flags::EXIST => Err(errno::ENOENT),
                None if storage.u32(LEN) >= self.max_entries => Err(errno::E2BIG),
                None => {
                    let link = self.take(storage);
                    storage.set_u32(LEN, storage.u32(LEN) + 1);
                    let bucket = self.bucket(hash);
                    self.fill(storage, link, hash, key, value);
                    storage.set_u32(self.element(link), storage.u32(bucket));
                    storage.set_u32(bucket, link);
                    Ok(())
                }
            }
        })
    }

    /// Puts another element with a new value in an element's place.
    fn replace(&self, storage: &Storage, cell: usize, old: u32, hash: u32, key: &[u8], value: &[u8]) {
        let spare = storage.u32(SPARE);
        let new = if spare == 0 { self.take(storage) } else { spare };
        self.fill(storage, new, hash, key, value);
        storage.set_u32(self.element(new), storage.u32(self.element(old)));
        storage.set_u32(cell, new);
        if spare == 0 { self.give_back(storage, old) } else { storage.set_u32(SPARE, old) }
    }

    fn fill(&self, storage: &Storage, link: u32, hash: u32, key: &[u8], value: &[u8]) {
        let element = self.element(link);
        storage.write(element + VALUE, value);
        storage.write(element + self.key_off, key);
        storage.set_u32(element + 4, hash);
    }

    pub(super) fn delete(&self, storage: &Storage, key: &[u8], steps: &mut Steps) -> Result<(), i64> {
        let key = self.sized(key).ok_or(errno::EINVAL)?;
        storage.locked(LOCK, || {
            let (cell, link) = self.find(storage, key, hash(key), steps).ok_or(errno::ENOENT)?;
            storage.set_u32(cell, storage.u32(self.element(link)));
            self.give_back(storage, link);
            storage.set_u32(LEN, storage.u32(LEN).saturating_sub(1));
            Ok(())
        })
    }

    fn give_back(&self, storage: &Storage, link: u32) {
        storage.set_u32(self.element(link), storage.u32(FREE));
        storage.set_u32(FREE, link);
    }

    /// A free element: the last one given back, or the next one never used. Since there is one more than the map
    /// holds, and the caller has room in the map, there is one.
    fn take(&self, storage: &Storage) -> u32 {
        match storage.u32(FREE) {
            0 => {
                let used = storage.u32(USED) + 1;
                storage.set_u32(USED, used);
                used
            }
            link => {
                storage.set_u32(FREE, storage.u32(self.element(link)));
                link
            }
        }
    }

    pub(super) fn for_each(&self, storage: &Storage, visit: &mut dyn FnMut(&[u8], &[u8])) {
        let (mut key, mut value) = (Vec::new(), Vec::new());
        let mut left = self.count();
        for bucket in 0..self.buckets {
            let mut link = storage.u32(BUCKETS + bucket * 4);
            while link != 0 && link as usize <= self.count() && left > 0 {
                left -= 1;
                let element = self.element(link);
                read(storage, element + self.key_off, self.key_size, &mut key);
                visit(&key, read(storage, element + VALUE, self.value_size, &mut value));
                link = storage.u32(element);
            }
        }
    }
}

/// The hash of a key. It stands in storages, so it never changes: words of eight bytes, little-endian and padded
/// with zeros, each mixed in by a multiplication with 2^64 divided by the golden ratio and a fold of the upper half.
fn hash(key: &[u8]) -> u32 {
    let mut h = key.len() as u64;
    for word in key.chunks(8) {
        let mut bytes = [0; 8];
        bytes[..word.len()].copy_from_slice(word);
        h = (h ^ u64::from_le_bytes(bytes)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        h ^= h >> 32;
    }
    h as u32
}
