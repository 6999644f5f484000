//! The arena: address space taken once, committed block by block, with an owner for each page.
#![allow(unsafe_code)]

use std::ops::Range;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU16, AtomicU32, AtomicU64, AtomicUsize, Ordering};

use oxbpf_isa::{AtomicOp, MemSize, Width};
use rustix::mm::{MapFlags, MprotectFlags, ProtFlags, mmap_anonymous, mprotect, munmap};
use thiserror::Error;

/// Where the arena is wanted, so that addresses repeat from run to run.
const PREFERRED: usize = 0x2000_0000_0000;
/// Address space of one arena: room for a million-entry map many times over; costs nothing until committed.
const SPACE: usize = 16 << 30;
const PAGE: usize = 4096;
const PAGE_BITS: u32 = 12;

/// Why there is no memory for a guest.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[allow(missing_docs)]
pub enum ArenaError {
    #[error("the host refuses address space for the arena: {0}")]
    Host(rustix::io::Errno),
    #[error("{wanted} bytes do not fit into the arena's remaining address space")]
    Full { wanted: usize },
}

/// Address space for guest pointers.
#[derive(Debug)]
pub struct Arena {
    base: usize,
    /// Owner by page, `SPACE / PAGE` numbers in an anonymous mapping.
    owners: *mut u32,
    /// Offset of the first byte not handed out; only ever grows.
    next: AtomicUsize,
}

// SAFETY: the raw pointer is to memory that only this arena owns; owners are read and written as atomics.
unsafe impl Send for Arena {}
// SAFETY: as above; guest memory is touched through atomics or raw copies.
unsafe impl Sync for Arena {}

impl Drop for Arena {
    fn drop(&mut self) {
        // SAFETY: both mappings were made by `new` with these lengths, and no `Block` outlives the arena.
        unsafe {
            let _ = munmap(self.base as *mut _, SPACE);
            let _ = munmap(self.owners.cast(), SPACE / PAGE * size_of::<u32>());
        }
    }
}

impl Arena {
    /// An arena at the preferred address, or elsewhere where that is taken.
    pub fn new() -> Result<Arena, ArenaError> {
        let none = MapFlags::PRIVATE | MapFlags::NORESERVE;
        let fixed = none | MapFlags::FIXED_NOREPLACE;
        // SAFETY: FIXED_NOREPLACE never touches an existing mapping, and without it the kernel chooses.
        let base = unsafe {
            mmap_anonymous(PREFERRED as *mut _, SPACE, ProtFlags::empty(), fixed)
                .or_else(|_| mmap_anonymous(ptr::null_mut(), SPACE, ProtFlags::empty(), none))
        }
        .map_err(ArenaError::Host)?;
        let table = SPACE / PAGE * size_of::<u32>();
        // SAFETY: a fresh anonymous mapping.
        let owners = unsafe { mmap_anonymous(ptr::null_mut(), table, ProtFlags::READ | ProtFlags::WRITE, none) };
        match owners {
            Ok(owners) => Ok(Arena { base: base as usize, owners: owners.cast(), next: AtomicUsize::new(0) }),
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
    pub(crate) fn reserve(&self, len: usize) -> Result<u64, ArenaError> {
        let full = ArenaError::Full { wanted: len };
        let pages = len.max(1).checked_next_multiple_of(PAGE).and_then(|l| l.checked_add(PAGE)).ok_or(full)?;
        let grown = |next: usize| next.checked_add(pages).filter(|&end| end <= SPACE);
        let off = self.next.fetch_update(Ordering::Relaxed, Ordering::Relaxed, grown).map_err(|_| full)?;
        Ok((self.base + off) as u64)
    }

    /// Takes zeroed, writable memory.
    pub(crate) fn alloc(arena: &Arc<Arena>, len: usize) -> Result<Block, ArenaError> {
        let addr = arena.reserve(len)?;
        let bytes = len.max(1).next_multiple_of(PAGE);
        // SAFETY: the range was just reserved from this arena's own mapping.
        unsafe { mprotect(addr as *mut _, bytes, MprotectFlags::READ | MprotectFlags::WRITE) }
            .map_err(ArenaError::Host)?;
        Ok(Block { arena: arena.clone(), addr, len })
    }

    /// Enters an owner for all pages of a range of this arena.
    pub(crate) fn own(&self, range: Range<u64>, owner: u32) {
        let first = (range.start as usize - self.base) >> PAGE_BITS;
        let last = (range.end as usize - self.base).div_ceil(PAGE).max(first + 1);
        assert!(last <= SPACE / PAGE, "the range lies in the arena");
        for page in first..last {
            self.owner_cell(page).store(owner, Ordering::Relaxed);
        }
    }

    fn owner_cell(&self, page: usize) -> &AtomicU32 {
        // SAFETY: callers bound `page` by the table's length; the table lives as long as the arena.
        unsafe { AtomicU32::from_ptr(self.owners.add(page)) }
    }

    /// The owner of an address; 0 for nobody and for addresses outside the arena.
    #[inline]
    pub(crate) fn owner(&self, addr: u64) -> u32 {
        let off = addr.wrapping_sub(self.base as u64);
        if off >= SPACE as u64 {
            return 0;
        }
        self.owner_cell((off >> PAGE_BITS) as usize).load(Ordering::Relaxed)
    }

    // The accesses below want an address whose bytes lie in a `Block` of this arena: committed memory that
    // lives as long as the arena. `Memory` bounds addresses by a region, which lies in a block; a `Block` by
    // its own length.

    /// Loads a little-endian number.
    ///
    /// # Safety
    ///
    /// The bytes lie in a block of this arena.
    #[inline]
    pub(crate) unsafe fn load(&self, addr: u64, size: MemSize) -> u64 {
        // SAFETY: the caller bounded the address; unaligned reads are raw copies.
        unsafe {
            match size {
                MemSize::B => u64::from(ptr::read_unaligned(addr as *const u8)),
                MemSize::H => u64::from(u16::from_le(ptr::read_unaligned(addr as *const u16))),
                MemSize::W => u64::from(u32::from_le(ptr::read_unaligned(addr as *const u32))),
                MemSize::Dw => u64::from_le(ptr::read_unaligned(addr as *const u64)),
            }
        }
    }

    /// Stores the low bytes of a number.
    ///
    /// # Safety
    ///
    /// The bytes lie in a block of this arena.
    #[inline]
    pub(crate) unsafe fn store(&self, addr: u64, size: MemSize, value: u64) {
        // SAFETY: the caller bounded the address; unaligned writes are raw copies.
        unsafe {
            match size {
                MemSize::B => ptr::write_unaligned(addr as *mut u8, value as u8),
                MemSize::H => ptr::write_unaligned(addr as *mut u16, (value as u16).to_le()),
                MemSize::W => ptr::write_unaligned(addr as *mut u32, (value as u32).to_le()),
                MemSize::Dw => ptr::write_unaligned(addr as *mut u64, value.to_le()),
            }
        }
    }

    /// Loads with acquire ordering.
    ///
    /// # Safety
    ///
    /// The bytes lie in a block of this arena, and the address is a multiple of the size.
    pub(crate) unsafe fn load_acquire(&self, addr: u64, size: MemSize) -> u64 {
        // SAFETY: bounded and aligned by the caller.
        unsafe {
            match size {
                MemSize::B => u64::from(AtomicU8::from_ptr(addr as *mut u8).load(Ordering::Acquire)),
                MemSize::H => u64::from(AtomicU16::from_ptr(addr as *mut u16).load(Ordering::Acquire)),
                MemSize::W => u64::from(AtomicU32::from_ptr(addr as *mut u32).load(Ordering::Acquire)),
                MemSize::Dw => AtomicU64::from_ptr(addr as *mut u64).load(Ordering::Acquire),
            }
        }
    }

    /// Stores with release ordering.
    ///
    /// # Safety
    ///
    /// As for [`Arena::load_acquire`].
    pub(crate) unsafe fn store_release(&self, addr: u64, size: MemSize, value: u64) {
        // SAFETY: bounded and aligned by the caller.
        unsafe {
            match size {
                MemSize::B => AtomicU8::from_ptr(addr as *mut u8).store(value as u8, Ordering::Release),
                MemSize::H => AtomicU16::from_ptr(addr as *mut u16).store(value as u16, Ordering::Release),
                MemSize::W => AtomicU32::from_ptr(addr as *mut u32).store(value as u32, Ordering::Release),
                MemSize::Dw => AtomicU64::from_ptr(addr as *mut u64).store(value, Ordering::Release),
            }
        }
    }

    /// Reads, modifies and writes; returns what memory held.
    ///
    /// # Safety
    ///
    /// As for [`Arena::load_acquire`].
    pub(crate) unsafe fn atomic(&self, op: AtomicOp, width: Width, addr: u64, src: u64, r0: u64) -> u64 {
        // RFC 9669 section 5.3 leaves the order open; Linux orders the fetching forms fully.
        let order = if op.fetches() { Ordering::SeqCst } else { Ordering::Relaxed };
        // SAFETY: bounded and aligned by the caller.
        unsafe {
            match width {
                Width::W64 => {
                    let new = |old| Some(op.eval(width, old, src, r0));
                    match AtomicU64::from_ptr(addr as *mut u64).fetch_update(order, Ordering::Relaxed, new) {
                        Ok(old) | Err(old) => old,
                    }
                }
                Width::W32 => {
                    let (src, r0) = (u64::from(src as u32), u64::from(r0 as u32));
                    let new = |old| Some(op.eval(width, u64::from(old), src, r0) as u32);
                    match AtomicU32::from_ptr(addr as *mut u32).fetch_update(order, Ordering::Relaxed, new) {
                        Ok(old) | Err(old) => u64::from(old),
                    }
                }
            }
        }
    }

    /// Copies bytes out of the arena.
    ///
    /// # Safety
    ///
    /// The bytes lie in a block of this arena.
    pub(crate) unsafe fn copy_in(&self, addr: u64, to: &mut [u8]) {
        // SAFETY: bounded by the caller; `to` is the host's own memory, so the two do not overlap.
        unsafe { ptr::copy_nonoverlapping(addr as *const u8, to.as_mut_ptr(), to.len()) }
    }

    /// Copies bytes into the arena.
    ///
    /// # Safety
    ///
    /// The bytes lie in a block of this arena.
    pub(crate) unsafe fn copy_out(&self, addr: u64, from: &[u8]) {
        // SAFETY: as above.
        unsafe { ptr::copy_nonoverlapping(from.as_ptr(), addr as *mut u8, from.len()) }
    }

    /// Clears bytes.
    ///
    /// # Safety
    ///
    /// The bytes lie in a block of this arena.
    pub(crate) unsafe fn fill_zero(&self, addr: u64, len: usize) {
        // SAFETY: bounded by the caller.
        unsafe { ptr::write_bytes(addr as *mut u8, 0, len) }
    }
}

/// Committed memory of an arena, reached by offset. Does not move.
#[derive(Clone, Debug)]
pub struct Block {
    arena: Arc<Arena>,
    addr: u64,
    len: usize,
}

impl Block {
    /// The guest address of its first byte.
    pub fn addr(&self) -> u64 {
        self.addr
    }

    /// Its length in bytes.
    #[allow(clippy::len_without_is_empty)]
    pub fn len(&self) -> usize {
        self.len
    }

    /// The address of bytes of this block; panics where they are not: that would be a defect of a map.
    #[track_caller]
    fn at(&self, off: usize, size: usize) -> u64 {
        assert!(off <= self.len && size <= self.len - off, "an access lies inside its block");
        self.addr + off as u64
    }

    /// The number of 4 bytes at an offset.
    pub fn u32(&self, off: usize) -> u32 {
        // SAFETY: `at` bounds the bytes by this block.
        unsafe { self.arena.load(self.at(off, 4), MemSize::W) as u32 }
    }

    /// Sets the number of 4 bytes at an offset.
    pub fn set_u32(&self, off: usize, value: u32) {
        // SAFETY: `at` bounds the bytes by this block.
        unsafe { self.arena.store(self.at(off, 4), MemSize::W, value.into()) }
    }

    /// Copies bytes out.
    pub fn read(&self, off: usize, to: &mut [u8]) {
        // SAFETY: `at` bounds the bytes by this block.
        unsafe { self.arena.copy_in(self.at(off, to.len()), to) }
    }

    /// Copies bytes in.
    pub fn write(&self, off: usize, from: &[u8]) {
        // SAFETY: `at` bounds the bytes by this block.
        unsafe { self.arena.copy_out(self.at(off, from.len()), from) }
    }

    /// Clears bytes.
    pub fn clear(&self, off: usize, len: usize) {
        // SAFETY: `at` bounds the bytes by this block.
        unsafe { self.arena.fill_zero(self.at(off, len), len) }
    }

    /// Whether the bytes at an offset are these.
    pub fn matches(&self, off: usize, bytes: &[u8]) -> bool {
        let mut chunk = [0u8; 64];
        bytes.chunks(chunk.len()).enumerate().all(|(i, part)| {
            let have = &mut chunk[..part.len()];
            self.read(off + i * 64, have);
            have == part
        })
    }
}
