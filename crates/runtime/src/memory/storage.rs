//! Memory of a map: a file in memory that arenas map, so that several worlds, and later files and agents, share it.
#![allow(unsafe_code)]

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::ptr;
use std::sync::atomic::{AtomicU32, Ordering};

use oxbpf_isa::MemSize;
use rustix::fs::{MemfdFlags, ftruncate, memfd_create};
use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};

use super::{ArenaError, raw};

/// Bytes that do not move, reached by offset. Zero at first.
#[derive(Debug)]
pub struct Storage {
    file: OwnedFd,
    ptr: *mut u8,
    len: usize,
}

// SAFETY: the mapping belongs to this value, and its bytes are touched through atomics only.
unsafe impl Send for Storage {}
// SAFETY: as above.
unsafe impl Sync for Storage {}

impl Drop for Storage {
    fn drop(&mut self) {
        // SAFETY: mapped by `new` with this length; no reference into it is ever made.
        let _ = unsafe { munmap(self.ptr.cast(), self.len) };
    }
}

impl Storage {
    /// At least `len` bytes.
    pub(crate) fn new(name: &str, len: usize) -> Result<Storage, ArenaError> {
        let len = len.max(1);
        // The name is for people who look at the process; a zero inside would end it.
        let name: String = name.chars().filter(|c| *c != '\0').take(64).collect();
        let file = memfd_create(name, MemfdFlags::CLOEXEC).map_err(ArenaError::Host)?;
        ftruncate(&file, len as u64).map_err(ArenaError::Host)?;
        // SAFETY: a fresh mapping, of a file of this length.
        let ptr = unsafe { mmap(ptr::null_mut(), len, ProtFlags::READ | ProtFlags::WRITE, MapFlags::SHARED, &file, 0) };
        Ok(Storage { file, ptr: ptr.map_err(ArenaError::Host)?.cast(), len })
    }

    /// The file, to be mapped elsewhere too.
    pub(crate) fn file(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }

    /// Its length in bytes.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// The place of bytes of this storage; panics where they are not: that would be a defect of a map.
    #[track_caller]
    fn at(&self, off: usize, size: usize) -> *mut u8 {
        assert!(off <= self.len && size <= self.len - off, "an access lies inside its storage");
        self.ptr.wrapping_add(off)
    }

    /// The number of 4 bytes at an offset.
    pub(crate) fn u32(&self, off: usize) -> u32 {
        // SAFETY: `at` bounds the bytes.
        unsafe { raw::load(self.at(off, 4), MemSize::W) as u32 }
    }

    /// Sets the number of 4 bytes at an offset.
    pub(crate) fn set_u32(&self, off: usize, value: u32) {
        // SAFETY: `at` bounds the bytes.
        unsafe { raw::store(self.at(off, 4), MemSize::W, value.into()) }
    }

    /// Copies bytes out.
    pub(crate) fn read(&self, off: usize, to: &mut [u8]) {
        // SAFETY: `at` bounds the bytes.
        unsafe { raw::copy_in(self.at(off, to.len()), to) }
    }

    /// Copies bytes in.
    pub(crate) fn write(&self, off: usize, from: &[u8]) {
        // SAFETY: `at` bounds the bytes.
        unsafe { raw::copy_out(self.at(off, from.len()), from) }
    }

    /// Whether the bytes at an offset are these.
    pub(crate) fn matches(&self, off: usize, bytes: &[u8]) -> bool {
        let mut chunk = [0u8; 64];
        bytes.chunks(chunk.len()).enumerate().all(|(i, part)| {
            let have = &mut chunk[..part.len()];
            self.read(off + i * 64, have);
            have == part
        })
    }

    /// Runs `change` while nobody else runs one under the lock word at this aligned offset.
    pub(crate) fn locked<T>(&self, off: usize, change: impl FnOnce() -> T) -> T {
        // SAFETY: `at` bounds the word, whose offset is a multiple of 4 in a page-aligned mapping.
        let lock = unsafe { AtomicU32::from_ptr(self.at(off, 4).cast()) };
        while lock.compare_exchange_weak(0, 1, Ordering::Acquire, Ordering::Relaxed).is_err() {
            std::hint::spin_loop();
        }
        let result = change();
        lock.store(0, Ordering::Release);
        result
    }
}
