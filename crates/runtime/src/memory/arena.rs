//! The arena: address space taken once, filled block by block, with an owner for each page.
#![allow(unsafe_code)]

use std::ops::Range;
use std::ptr;

use oxbpf_isa::{AtomicOp, MemSize, Width};
use rustix::mm::{MapFlags, MprotectFlags, ProtFlags, mmap, mmap_anonymous, mprotect, munmap};
use thiserror::Error;

use super::raw;
use super::storage::Storage;

/// Where the arena is wanted, so that addresses repeat from run to run.
const PREFERRED: usize = 0x2000_0000_0000;
/// Address space of one arena: room for a million-entry map many times over; costs nothing until it is used.
const SPACE: usize = 16 << 30;
/// What one owner's entry stands for: the smallest page of any host.
const GRANULE: usize = 4096;
const GRANULE_BITS: u32 = 12;

/// Why there is no memory for a guest.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[allow(missing_docs)]
pub enum ArenaError {
    #[error("the host refuses memory: {0}")]
    Host(rustix::io::Errno),
    #[error("{wanted} bytes do not fit into the arena's remaining address space")]
    Full { wanted: usize },
    #[error("{wanted} bytes are more than the limit of {limit}")]
    Limit { wanted: u64, limit: u64 },
}

/// Memory of an arena by place. Means something to the arena that gave it only, which checks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Block {
    addr: u64,
    len: usize,
}

impl Block {
    /// The guest address of its first byte.
    pub fn addr(&self) -> u64 {
        self.addr
    }

    /// All its addresses.
    pub(crate) fn range(&self) -> Range<u64> {
        self.addr..self.addr + self.len as u64
    }
}

/// Address space for guest pointers.
#[derive(Debug)]
pub struct Arena {
    base: usize,
    /// Owner by granule, `SPACE / GRANULE` numbers in an anonymous mapping.
    owners: *mut u32,
    /// Offset of the first byte not handed out; only ever grows.
    next: usize,
    page: usize,
}

// SAFETY: both mappings belong to this value alone. It is not `Sync`: its own memory is touched without atomics.
unsafe impl Send for Arena {}

impl Drop for Arena {
    fn drop(&mut self) {
        // SAFETY: both mappings were made by `new` with these lengths; no reference into them is ever made.
        unsafe {
            let _ = munmap(self.base as *mut _, SPACE);
            let _ = munmap(self.owners.cast(), SPACE / GRANULE * size_of::<u32>());
        }
    }
}

impl Arena {
    /// An arena at the preferred address, or elsewhere where that is taken.
    pub(crate) fn new() -> Result<Arena, ArenaError> {
        let none = MapFlags::PRIVATE | MapFlags::NORESERVE;
        let fixed = none | MapFlags::FIXED_NOREPLACE;
        // SAFETY: FIXED_NOREPLACE never touches an existing mapping, and without it the kernel chooses.
        let base = unsafe {
            mmap_anonymous(PREFERRED as *mut _, SPACE, ProtFlags::empty(), fixed)
                .or_else(|_| mmap_anonymous(ptr::null_mut(), SPACE, ProtFlags::empty(), none))
        }
        .map_err(ArenaError::Host)?;
        let table = SPACE / GRANULE * size_of::<u32>();
        // SAFETY: a fresh anonymous mapping.
        let owners = unsafe { mmap_anonymous(ptr::null_mut(), table, ProtFlags::READ | ProtFlags::WRITE, none) };
        match owners {
            Ok(owners) => {
                let page = rustix::param::page_size();
                Ok(Arena { base: base as usize, owners: owners.cast(), next: 0, page })
            }
            Err(e) => {
                // SAFETY: just mapped, not handed out.
                let _ = unsafe { munmap(base, SPACE) };
                Err(ArenaError::Host(e))
            }
        }
    }

    /// Whether addresses repeat from run to run.
    pub fn at_preferred_address(&self) -> bool {
        self.base == PREFERRED
    }

    /// Takes address space, page-aligned, with an unmapped page after it.
    pub(crate) fn reserve(&mut self, len: usize) -> Result<u64, ArenaError> {
        let full = ArenaError::Full { wanted: len };
        let pages =
            len.max(1).checked_next_multiple_of(self.page).and_then(|l| l.checked_add(self.page)).ok_or(full)?;
        let end = self.next.checked_add(pages).filter(|&end| end <= SPACE).ok_or(full)?;
        let addr = (self.base + self.next) as u64;
        self.next = end;
        Ok(addr)
    }

    /// Takes zeroed memory.
    pub(crate) fn alloc(&mut self, len: usize) -> Result<Block, ArenaError> {
        let addr = self.reserve(len)?;
        let bytes = len.max(1).next_multiple_of(self.page);
        // SAFETY: the range was just reserved from this arena's own mapping.
        unsafe { mprotect(addr as *mut _, bytes, MprotectFlags::READ | MprotectFlags::WRITE) }
            .map_err(ArenaError::Host)?;
        Ok(Block { addr, len })
    }

    /// Maps a storage; what is written through either is seen through the other.
    pub(crate) fn map(&mut self, storage: &Storage) -> Result<Block, ArenaError> {
        let addr = self.reserve(storage.len())?;
        let (rw, fixed) = (ProtFlags::READ | ProtFlags::WRITE, MapFlags::SHARED | MapFlags::FIXED);
        // SAFETY: the range was just reserved from this arena's own mapping, which this replaces; the file is as
        // long as its storage and is never cut.
        unsafe { mmap(addr as *mut _, storage.len(), rw, fixed, storage.file(), 0) }.map_err(ArenaError::Host)?;
        Ok(Block { addr, len: storage.len() })
    }

    /// Maps a storage, and behind it once more what it has from an offset on, which is a multiple of a page as its length
    /// is.
    pub(crate) fn map_twice(&mut self, storage: &Storage, from: usize) -> Result<Block, ArenaError> {
        assert!(from.is_multiple_of(self.page) && storage.len().is_multiple_of(self.page) && from < storage.len());
        let again = storage.len() - from;
        let len = storage.len().checked_add(again).ok_or(ArenaError::Full { wanted: usize::MAX })?;
        let addr = self.reserve(len)?;
        let (rw, fixed) = (ProtFlags::READ | ProtFlags::WRITE, MapFlags::SHARED | MapFlags::FIXED);
        for (at, len, off) in [(0, storage.len(), 0), (storage.len(), again, from)] {
            // SAFETY: as in `map`: the range is part of what was just reserved, and the file is long enough.
            unsafe { mmap((addr as usize + at) as *mut _, len, rw, fixed, storage.file(), off as u64) }
                .map_err(ArenaError::Host)?;
        }
        Ok(Block { addr, len })
    }

    /// Enters an owner for all granules of a range of this arena.
    pub(crate) fn own(&mut self, range: Range<u64>, owner: u32) {
        let first = (range.start as usize - self.base) >> GRANULE_BITS;
        let last = (range.end as usize - self.base).div_ceil(GRANULE).max(first + 1);
        assert!(last <= SPACE / GRANULE, "the range lies in the arena");
        for granule in first..last {
            // SAFETY: the index is below the table's length.
            unsafe { *self.owners.add(granule) = owner };
        }
    }

    /// The owner of an address; 0 for nobody and for addresses outside the arena.
    #[inline(always)]
    pub(crate) fn owner(&self, addr: u64) -> u32 {
        let off = addr.wrapping_sub(self.base as u64);
        if off >= SPACE as u64 {
            return 0;
        }
        // SAFETY: the index is below the table's length.
        unsafe { *self.owners.add((off >> GRANULE_BITS) as usize) }
    }

    // What follows wants bytes that lie in a block of this arena: memory that stays until the arena goes.

    /// Loads a number.
    ///
    /// # Safety
    ///
    /// The bytes lie in a block of this arena.
    #[inline(always)]
    pub(super) unsafe fn load(&self, addr: u64, size: MemSize) -> u64 {
        // SAFETY: the caller's word.
        unsafe { raw::load(addr as *mut u8, size) }
    }

    /// Stores the low bytes of a number.
    ///
    /// # Safety
    ///
    /// The bytes lie in a block of this arena.
    #[inline(always)]
    pub(super) unsafe fn store(&self, addr: u64, size: MemSize, value: u64) {
        // SAFETY: the caller's word.
        unsafe { raw::store(addr as *mut u8, size, value) }
    }

    /// Loads with acquire ordering.
    ///
    /// # Safety
    ///
    /// The bytes lie in a block of this arena, and the address is a multiple of the size.
    pub(super) unsafe fn load_acquire(&self, addr: u64, size: MemSize) -> u64 {
        // SAFETY: the caller's word.
        unsafe { raw::load_acquire(addr as *mut u8, size) }
    }

    /// Stores with release ordering.
    ///
    /// # Safety
    ///
    /// As for [`Arena::load_acquire`].
    pub(super) unsafe fn store_release(&self, addr: u64, size: MemSize, value: u64) {
        // SAFETY: the caller's word.
        unsafe { raw::store_release(addr as *mut u8, size, value) }
    }

    /// Reads, modifies and writes; returns what memory held.
    ///
    /// # Safety
    ///
    /// As for [`Arena::load_acquire`].
    pub(super) unsafe fn atomic(&self, op: AtomicOp, width: Width, addr: u64, src: u64, r0: u64) -> u64 {
        // SAFETY: the caller's word.
        unsafe { raw::atomic(op, width, addr as *mut u8, src, r0) }
    }

    /// Copies bytes out of the arena.
    ///
    /// # Safety
    ///
    /// The bytes lie in a block of this arena.
    pub(super) unsafe fn copy_in(&self, addr: u64, to: &mut [u8]) {
        // SAFETY: the caller's word.
        unsafe { raw::copy_in(addr as *mut u8, to) }
    }

    /// Copies bytes into the arena.
    ///
    /// # Safety
    ///
    /// The bytes lie in a block of this arena.
    pub(super) unsafe fn copy_out(&self, addr: u64, from: &[u8]) {
        // SAFETY: the caller's word.
        unsafe { raw::copy_out(addr as *mut u8, from) }
    }

    /// The place of bytes of a block; panics where they are not: that would be a defect of the runtime.
    #[track_caller]
    fn at(&self, block: Block, off: usize, size: usize) -> *mut u8 {
        assert!(off <= block.len && size <= block.len - off, "an access lies inside its block");
        let first = block.addr as usize;
        assert!(first >= self.base && first + block.len <= self.base + self.next, "a block is of this arena");
        (first + off) as *mut u8
    }

    /// Copies bytes out of a block of this arena's own memory.
    pub(crate) fn read(&self, block: Block, off: usize, to: &mut [u8]) {
        // SAFETY: `at` bounds the bytes; the arena is not shared between threads, and `to` is the host's memory.
        unsafe { ptr::copy_nonoverlapping(self.at(block, off, to.len()), to.as_mut_ptr(), to.len()) }
    }

    /// Copies bytes into a block of this arena's own memory.
    pub(crate) fn write(&mut self, block: Block, off: usize, from: &[u8]) {
        // SAFETY: as in `read`.
        unsafe { ptr::copy_nonoverlapping(from.as_ptr(), self.at(block, off, from.len()), from.len()) }
    }

    /// Clears bytes of a block of this arena's own memory.
    pub(crate) fn clear(&mut self, block: Block, off: usize, len: usize) {
        // SAFETY: as in `read`.
        unsafe { ptr::write_bytes(self.at(block, off, len), 0, len) }
    }
}
