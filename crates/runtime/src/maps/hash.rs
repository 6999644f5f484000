//! Hash maps: chained buckets over elements that are all allocated at the start, as the kernel's are. Plain ones, those
//! with a value for each CPU, those that drop what was used least recently, and those that hold maps.
//!
//! An update does not overwrite a value but puts another element in its place; there is one more than the map holds. A
//! pointer that a program looked up before goes on reading the old value, until that element is used again: by the
//! next update of a present key, or, in a map that is not preallocated, by whatever needs an element next. So it is
//! in Linux 6.18, measured, where each CPU has such elements. What each CPU has its own of is overwritten.
//!
//! ```text
//! storage:  | lock | used | free | spare | len | hand | buckets: u32 each | elements ... | per-CPU values ... |
//! element:  | next | hash | free | mark | value, padded to 8 | key, padded to 8                               |
//! ```
//! A link is an element's number plus one; 0 ends a chain. Free elements form a chain of their own, so that whoever
//! stands on an element when it is removed still finds the way on. Changes are made under the lock; look-ups walk
//! without it.
//!
//! **Least recently used.** A full map of that kind makes room for a new key as a clock does: a hand goes round the
//! elements in the order in which they stand, spares once each that a program looked up or updated since the hand last
//! passed, and takes the first other one.

use std::ops::Range;

use oxbpf_abi::{MapType, errno, map_flags};
use oxbpf_ir::MapDef;

use super::store::{By, Cells, Steps, Store, aligned, elements, hash, number, read};
use super::values::Values;
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
/// Of a map that drops entries, the element that the hand comes to next.
const HAND: usize = 20;
const BUCKETS: usize = 24;

/// An element's words, by offset; the link comes first.
const HASH: usize = 4;
const NEXT_FREE: usize = 8;
const MARK: usize = 12;
/// Offset of the value in an element.
const VALUE: usize = 16;

/// Marks: the element is in the map; it was used since the hand passed.
const PRESENT: u32 = 1;
const RECENT: u32 = 2;

/// Empty buckets that cost as much as a step along a chain: they stand side by side.
const BUCKETS_PER_STEP: usize = 64;

#[derive(Debug)]
pub(super) struct Hash {
    buckets: usize,
    stride: usize,
    key_off: usize,
    key_size: u32,
    values: Values,
    cells: Cells,
    max_entries: u32,
    preallocated: bool,
    lru: bool,
    /// Values are numbers of maps, which programs do not reach.
    of_maps: bool,
}

impl Hash {
    pub(super) fn new(def: &MapDef, cpus: Option<u32>) -> Hash {
        let inline = if cpus.is_none() { aligned(def.value_size) } else { 0 };
        let key_off = VALUE + inline;
        let mut hash = Hash {
            buckets: (def.max_entries as usize).next_power_of_two(),
            stride: key_off + aligned(def.key_size),
            key_off,
            key_size: def.key_size,
            values: Values::new(def, cpus),
            cells: Cells { first: 0, stride: 0, slots: cpus.unwrap_or(1) },
            max_entries: def.max_entries,
            preallocated: def.flags & map_flags::NO_PREALLOC == 0,
            lru: matches!(def.map_type, MapType::LRU_HASH | MapType::LRU_PERCPU_HASH),
            of_maps: def.map_type == MapType::HASH_OF_MAPS,
        };
        hash.cells = match cpus {
            None => Cells { first: hash.first() + VALUE, stride: hash.stride, slots: 1 },
            Some(slots) => {
                let end = hash.stride.saturating_mul(hash.count()).saturating_add(hash.first());
                Cells { first: end, stride: aligned(def.value_size), slots }
            }
        };
        hash
    }

    /// Elements, one more than the map holds.
    fn count(&self) -> usize {
        self.max_entries as usize + 1
    }

    /// Where elements start.
    fn first(&self) -> usize {
        (BUCKETS + self.buckets * 4).next_multiple_of(8)
    }

    fn element(&self, link: u32) -> usize {
        self.first() + (link as usize - 1) * self.stride
    }

    /// A link that leads to an element.
    fn valid(&self, link: u32) -> bool {
        link != 0 && link as usize <= self.count()
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
            if !self.valid(link) {
                return None;
            }
            steps.0 += 1;
            let element = self.element(link);
            if storage.u32(element + HASH) == hash && storage.matches(element + self.key_off, key) {
                return Some((cell, link));
            }
            cell = element;
        }
        None
    }

    fn link(&self, storage: &Storage, key: &[u8], steps: &mut Steps) -> Option<u32> {
        Some(self.find(storage, key, hash32(key), steps)?.1)
    }

    fn mark_recent(&self, storage: &Storage, link: u32) {
        let mark = self.element(link) + MARK;
        if self.lru && storage.u32(mark) & RECENT == 0 {
            storage.set_u32(mark, PRESENT | RECENT);
        }
    }

    fn change(
        &self,
        storage: &Storage,
        key: &[u8],
        value: &[u8],
        flags: u64,
        by: By,
        steps: &mut Steps,
    ) -> Result<(), i64> {
        let hash = hash32(key);
        let only = flags & !map_flags::F_LOCK;
        match self.find(storage, key, hash, steps) {
            Some(_) if only == map_flags::NOEXIST => Err(errno::EEXIST),
            Some((cell, old)) => {
                if self.values.per_cpu() || flags & map_flags::F_LOCK != 0 {
                    self.values.write(storage, &self.cells, old as usize - 1, value, by)?;
                    self.used_by(storage, old, by);
                } else {
                    let new = self.replace(storage, cell, old, hash, key, value, by)?;
                    self.used_by(storage, new, by);
                }
                Ok(())
            }
            None if only == map_flags::EXIST => Err(errno::ENOENT),
            None => self.insert(storage, hash, key, value, by, steps),
        }
    }

    fn used_by(&self, storage: &Storage, link: u32, by: By) {
        if matches!(by, By::Program(_)) {
            self.mark_recent(storage, link);
        }
    }

    fn insert(
        &self,
        storage: &Storage,
        hash: u32,
        key: &[u8],
        value: &[u8],
        by: By,
        steps: &mut Steps,
    ) -> Result<(), i64> {
        if storage.u32(LEN) >= self.max_entries {
            if !self.lru {
                return Err(errno::E2BIG);
            }
            self.evict(storage, steps);
        }
        let link = self.take(storage);
        let bucket = self.bucket(hash);
        self.fill(storage, link, hash, key, value, by)?;
        storage.set_u32(self.element(link), storage.u32(bucket));
        storage.set_u32(bucket, link);
        storage.set_u32(LEN, storage.u32(LEN) + 1);
        Ok(())
    }

    /// Makes room in a full map: the hand goes on to an element that was not used since it last passed.
    fn evict(&self, storage: &Storage, steps: &mut Steps) {
        let count = self.count() as u32;
        let mut hand = storage.u32(HAND) % count;
        // Once round to take the marks, and once more to find one without.
        for _ in 0..2 * u64::from(count) {
            let link = hand + 1;
            hand = (hand + 1) % count;
            steps.0 = steps.0.saturating_add(1);
            let mark = self.element(link) + MARK;
            match storage.u32(mark) {
                0 => {}
                PRESENT => {
                    self.unlink(storage, link, steps);
                    break;
                }
                _ => storage.set_u32(mark, PRESENT),
            }
        }
        storage.set_u32(HAND, hand);
    }

    /// Takes a present element out of its chain.
    fn unlink(&self, storage: &Storage, link: u32, steps: &mut Steps) {
        let mut cell = self.bucket(storage.u32(self.element(link) + HASH));
        for _ in 0..self.count() {
            let next = storage.u32(cell);
            if next == link {
                self.remove(storage, cell, link);
                return;
            }
            if !self.valid(next) {
                return;
            }
            steps.0 = steps.0.saturating_add(1);
            cell = self.element(next);
        }
    }

    fn remove(&self, storage: &Storage, cell: usize, link: u32) {
        storage.set_u32(cell, storage.u32(self.element(link)));
        self.give_back(storage, link);
        storage.set_u32(LEN, storage.u32(LEN).saturating_sub(1));
    }

    /// Puts another element with a new value in an element's place.
    #[allow(clippy::too_many_arguments)]
    fn replace(
        &self,
        storage: &Storage,
        cell: usize,
        old: u32,
        hash: u32,
        key: &[u8],
        value: &[u8],
        by: By,
    ) -> Result<u32, i64> {
        let spare = storage.u32(SPARE);
        let new = if spare == 0 { self.take(storage) } else { spare };
        self.fill(storage, new, hash, key, value, by)?;
        storage.set_u32(self.element(new), storage.u32(self.element(old)));
        storage.set_u32(cell, new);
        if spare == 0 {
            self.give_back(storage, old);
        } else {
            storage.set_u32(self.element(old) + MARK, 0);
            storage.set_u32(SPARE, old);
        }
        Ok(new)
    }

    fn fill(&self, storage: &Storage, link: u32, hash: u32, key: &[u8], value: &[u8], by: By) -> Result<(), i64> {
        let element = self.element(link);
        self.values.write_new(storage, &self.cells, link as usize - 1, value, by)?;
        storage.write(element + self.key_off, key);
        storage.set_u32(element + HASH, hash);
        storage.set_u32(element + MARK, PRESENT);
        Ok(())
    }

    fn give_back(&self, storage: &Storage, link: u32) {
        let element = self.element(link);
        storage.set_u32(element + MARK, 0);
        storage.set_u32(element + NEXT_FREE, storage.u32(FREE));
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
                storage.set_u32(FREE, storage.u32(self.element(link) + NEXT_FREE));
                link
            }
        }
    }

    /// The first element of these buckets, if it takes no more than `most` steps to find it.
    fn first_of(&self, storage: &Storage, buckets: Range<usize>, most: u32, steps: &mut Steps) -> Option<u32> {
        for (passed, bucket) in (1..).zip(buckets) {
            let link = storage.u32(BUCKETS + bucket * 4);
            if self.valid(link) {
                return Some(link);
            }
            if passed % BUCKETS_PER_STEP == 0 {
                steps.0 = steps.0.saturating_add(1);
                if steps.0 > most {
                    return None;
                }
            }
        }
        None
    }

    /// The element after one, in its chain or in later buckets.
    fn after(&self, storage: &Storage, link: u32, most: u32, steps: &mut Steps) -> Option<u32> {
        let element = self.element(link);
        let next = storage.u32(element);
        if self.valid(next) {
            return Some(next);
        }
        let bucket = storage.u32(element + HASH) as usize & (self.buckets - 1);
        self.first_of(storage, bucket + 1..self.buckets, most, steps)
    }

    fn key(&self, storage: &Storage, link: u32) -> Vec<u8> {
        let mut key = Vec::new();
        read(storage, self.element(link) + self.key_off, self.key_size, &mut key);
        key
    }
}

impl Store for Hash {
    fn len(&self) -> Option<usize> {
        // Links are 32 bits, and the count one more than the entries.
        (self.max_entries < u32::MAX).then_some(())?;
        let elements = self.stride.checked_mul(self.count())?.checked_add(self.first())?;
        if self.values.per_cpu() { self.cells.len(self.count()) } else { Some(elements) }
    }

    fn prepare(&self, storage: &Storage) {
        if self.preallocated {
            storage.set_u32(SPARE, self.count() as u32);
        }
    }

    fn values(&self) -> Option<(usize, u64, Elements)> {
        if self.of_maps {
            return None;
        }
        let size = self.values.size;
        Some(if self.values.per_cpu() {
            let len = (self.cells.len(self.count())? - self.cells.first) as u64;
            (self.cells.first, len, elements(self.cells.stride, 0, size))
        } else {
            (self.first(), self.stride as u64 * self.count() as u64, elements(self.stride, VALUE, size))
        })
    }

    fn lookup(&self, storage: &Storage, key: &[u8], cpu: u32, steps: &mut Steps) -> Option<usize> {
        let link = self.link(storage, key, steps)?;
        self.mark_recent(storage, link);
        self.cells.at(link as usize - 1, self.values.slot(cpu)?)
    }

    fn read(&self, storage: &Storage, key: &[u8], steps: &mut Steps) -> Result<Vec<u8>, i64> {
        let link = self.link(storage, key, steps).ok_or(errno::ENOENT)?;
        Ok(self.values.read(storage, &self.cells, link as usize - 1))
    }

    fn update(
        &self,
        storage: &Storage,
        key: &[u8],
        value: &[u8],
        flags: u64,
        by: By,
        steps: &mut Steps,
    ) -> Result<(), i64> {
        // Unlike an array, a hash asks for the lock first.
        self.values.lockable(flags)?;
        storage.locked(LOCK, || self.change(storage, key, value, flags, by, steps))
    }

    fn delete(&self, storage: &Storage, key: &[u8], steps: &mut Steps) -> Result<(), i64> {
        storage.locked(LOCK, || {
            let (cell, link) = self.find(storage, key, hash32(key), steps).ok_or(errno::ENOENT)?;
            self.remove(storage, cell, link);
            Ok(())
        })
    }

    fn next_key(&self, storage: &Storage, key: Option<&[u8]>) -> Result<Vec<u8>, i64> {
        // Somebody outside pays no fuel.
        let steps = &mut Steps::default();
        let here = key.and_then(|key| self.link(storage, key, steps)).unwrap_or(0);
        let next = self.step(storage, here, u32::MAX, steps);
        next.map(|link| self.key(storage, link)).ok_or(errno::ENOENT)
    }

    fn step(&self, storage: &Storage, cursor: u32, most: u32, steps: &mut Steps) -> Option<u32> {
        match cursor {
            0 => self.first_of(storage, 0..self.buckets, most, steps),
            link if self.valid(link) => self.after(storage, link, most, steps),
            _ => None,
        }
    }

    fn at(&self, storage: &Storage, cursor: u32, cpu: u32) -> Option<(Vec<u8>, usize)> {
        self.valid(cursor).then_some(())?;
        let off = self.cells.at(cursor as usize - 1, self.values.slot(cpu)?)?;
        Some((self.key(storage, cursor), off))
    }

    fn number(&self, storage: &Storage, key: &[u8], steps: &mut Steps) -> Option<u32> {
        self.of_maps.then_some(())?;
        let link = self.link(storage, key, steps)?;
        Some(number(&self.values.read(storage, &self.cells, link as usize - 1)))
    }

    fn for_each(&self, storage: &Storage, visit: &mut dyn FnMut(&[u8], &[u8])) {
        let mut left = self.count();
        for bucket in 0..self.buckets {
            let mut link = storage.u32(BUCKETS + bucket * 4);
            while self.valid(link) && left > 0 {
                left -= 1;
                visit(&self.key(storage, link), &self.values.read(storage, &self.cells, link as usize - 1));
                link = storage.u32(self.element(link));
            }
        }
    }
}

fn hash32(key: &[u8]) -> u32 {
    hash(key) as u32
}
