//! Hash maps: chained buckets over elements that are all allocated at the start, as the kernel's are.
//!
//! An update does not overwrite a value but puts another element in its place; there is one more than the map holds. A
//! pointer that a program looked up before goes on reading the old value, until that element is used again: by the
//! next update of a present key, or, in a map that is not preallocated, by whatever needs an element next. So it is
//! in Linux 6.18, measured, where each CPU has such elements.
//!
//! ```text
//! block:    | buckets: u32 each | elements ...                                      |
//! element:  | next: u32 | hash: u32 | value, padded to 8 | key, padded to 8          |
//! ```
//! A link is an element's number plus one; 0 ends a chain. Free elements form a chain too.

use std::hash::{BuildHasher, Hasher};

use foldhash::fast::FixedState;
use oxbpf_abi::{errno, map_flags};
use oxbpf_ir::{MapDef, MapIdx};

use super::{Entry, aligned, value_at};
use crate::memory::{ArenaError, Block, Elements, Memory, Region, RegionKind};

/// Offset of the value in an element: after the link and the hash.
const VALUE: usize = 8;

#[derive(Debug)]
pub(super) struct Hash {
    block: Block,
    buckets: u32,
    /// Where elements start in the block.
    first: usize,
    stride: usize,
    key_off: usize,
    key_size: usize,
    value_size: u32,
    max_entries: u32,
    /// Elements ever used; those below may be free again.
    used: u32,
    /// The chain of elements that were deleted.
    free: u32,
    /// The element that the next update of a present key takes; 0 where it takes any free one.
    spare: u32,
    /// Elements in the map.
    len: u32,
}

impl Hash {
    pub(super) fn new(def: &MapDef, index: MapIdx, memory: &mut Memory) -> Result<Hash, ArenaError> {
        let full = ArenaError::Full { wanted: usize::MAX };
        let buckets = def.max_entries.checked_next_power_of_two().ok_or(full)?;
        let key_off = VALUE + aligned(def.value_size);
        let stride = key_off + aligned(def.key_size);
        let first = aligned(buckets.saturating_mul(4));
        let count = def.max_entries.checked_add(1).ok_or(full)?;
        let elements = stride.checked_mul(count as usize).ok_or(full)?;
        let block = memory.alloc(first.saturating_add(elements))?;
        let shape = Elements { stride: stride as u64, off: VALUE as u64, size: def.value_size.into() };
        let region = Region::sized(&def.name, RegionKind::MapValues(index), elements as u64).with_elements(shape);
        memory.add_region(&block, first, region);
        Ok(Hash {
            block,
            buckets,
            first,
            stride,
            key_off,
            key_size: def.key_size as usize,
            value_size: def.value_size,
            max_entries: def.max_entries,
            used: 0,
            free: 0,
            spare: if def.flags & map_flags::NO_PREALLOC == 0 { count } else { 0 },
            len: 0,
        })
    }

    fn hash(&self, key: &[u8]) -> u32 {
        // A fixed seed: iteration and collisions repeat from run to run.
        let mut hasher = FixedState::default().build_hasher();
        hasher.write(key);
        hasher.finish() as u32
    }

    fn element(&self, link: u32) -> usize {
        self.first + (link as usize - 1) * self.stride
    }

    fn bucket(&self, hash: u32) -> usize {
        (hash & (self.buckets - 1)) as usize * 4
    }

    /// The link cell that leads to a key's element, and the element; or the chain's last cell.
    fn find(&self, key: &[u8], hash: u32) -> Result<(usize, u32), usize> {
        let mut cell = self.bucket(hash);
        loop {
            let link = self.block.u32(cell);
            if link == 0 {
                return Err(cell);
            }
            let element = self.element(link);
            if self.block.u32(element + 4) == hash && self.block.matches(element + self.key_off, key) {
                return Ok((cell, link));
            }
            cell = element;
        }
    }

    pub(super) fn lookup(&self, key: &[u8]) -> u64 {
        if key.len() != self.key_size {
            return 0;
        }
        match self.find(key, self.hash(key)) {
            Ok((_, link)) => self.block.addr() + (self.element(link) + VALUE) as u64,
            Err(_) => 0,
        }
    }

    pub(super) fn update(&mut self, key: &[u8], value: &[u8], flags: u64) -> Result<(), i64> {
        // Values have no lock; unlike an array, a hash asks for it first.
        if flags & map_flags::F_LOCK != 0 {
            return Err(errno::EINVAL);
        }
        let hash = self.hash(key);
        match self.find(key, hash) {
            Ok(_) if flags == map_flags::NOEXIST => Err(errno::EEXIST),
            Ok((cell, old)) => {
                let next = self.block.u32(self.element(old));
                let new = match self.spare {
                    0 => self.take(),
                    spare => spare,
                };
                self.fill(new, hash, key, value);
                self.block.set_u32(self.element(new), next);
                self.block.set_u32(cell, new);
                match self.spare {
                    0 => self.give_back(old),
                    _ => self.spare = old,
                }
                Ok(())
            }
            Err(_) if flags == map_flags::EXIST => Err(errno::ENOENT),
            Err(_) if self.len == self.max_entries => Err(errno::E2BIG),
            Err(_) => {
                let link = self.take();
                self.len += 1;
                let bucket = self.bucket(hash);
                self.fill(link, hash, key, value);
                self.block.set_u32(self.element(link), self.block.u32(bucket));
                self.block.set_u32(bucket, link);
                Ok(())
            }
        }
    }

    /// Writes an element's contents; it is linked afterwards.
    fn fill(&self, link: u32, hash: u32, key: &[u8], value: &[u8]) {
        let element = self.element(link);
        self.block.write(element + VALUE, value);
        self.block.write(element + self.key_off, key);
        self.block.set_u32(element + 4, hash);
    }

    pub(super) fn delete(&mut self, key: &[u8]) -> Result<(), i64> {
        if key.len() != self.key_size {
            return Err(errno::EINVAL);
        }
        let (cell, link) = self.find(key, self.hash(key)).map_err(|_| errno::ENOENT)?;
        self.block.set_u32(cell, self.block.u32(self.element(link)));
        self.give_back(link);
        self.len -= 1;
        Ok(())
    }

    fn give_back(&mut self, link: u32) {
        self.block.set_u32(self.element(link), self.free);
        self.free = link;
    }

    /// A free element: the last one given back, or the next one never used. Since there is one more than the map
    /// holds, and the caller has room in the map, there is one.
    fn take(&mut self) -> u32 {
        match self.free {
            0 => {
                self.used += 1;
                debug_assert!(self.used <= self.max_entries + 1);
                self.used
            }
            link => {
                self.free = self.block.u32(self.element(link));
                link
            }
        }
    }

    pub(super) fn entries(&self) -> Vec<Entry> {
        let mut out = Vec::new();
        for bucket in 0..self.buckets as usize {
            let mut link = self.block.u32(bucket * 4);
            while link != 0 {
                let element = self.element(link);
                let mut key = vec![0; self.key_size];
                self.block.read(element + self.key_off, &mut key);
                out.push((key, value_at(&self.block, element + VALUE, self.value_size)));
                link = self.block.u32(element);
            }
        }
        out
    }
}
