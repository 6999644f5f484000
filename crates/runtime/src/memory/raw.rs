//! Accesses to memory that other threads may be using: map values are shared by workers, agents and files.
//!
//! Aligned accesses are relaxed atomics, which are plain loads and stores to the machine; unaligned ones go byte by
//! byte and may tear, as they may in the kernel. Numbers are little-endian, as BPF's are here.
#![allow(unsafe_code)]

use std::sync::atomic::{AtomicU8, AtomicU16, AtomicU32, AtomicU64, Ordering};

use oxbpf_isa::{AtomicOp, MemSize, Width};

#[cfg(target_endian = "big")]
compile_error!("oxbpf runs little-endian BPF on little-endian hosts");

/// Loads a number.
///
/// # Safety
///
/// The bytes are valid for reads, and nobody writes them but through atomics.
#[inline(always)]
pub(super) unsafe fn load(at: *mut u8, size: MemSize) -> u64 {
    // SAFETY: the caller's word; each atomic is used where its address is aligned.
    unsafe {
        match size {
            MemSize::B => u64::from(AtomicU8::from_ptr(at).load(Ordering::Relaxed)),
            MemSize::H if aligned(at, 2) => u64::from(AtomicU16::from_ptr(at.cast()).load(Ordering::Relaxed)),
            MemSize::W if aligned(at, 4) => u64::from(AtomicU32::from_ptr(at.cast()).load(Ordering::Relaxed)),
            MemSize::Dw if aligned(at, 8) => AtomicU64::from_ptr(at.cast()).load(Ordering::Relaxed),
            _ => load_bytes(at, size),
        }
    }
}

/// Stores the low bytes of a number.
///
/// # Safety
///
/// The bytes are valid for writes, and nobody reads or writes them but through atomics.
#[inline(always)]
pub(super) unsafe fn store(at: *mut u8, size: MemSize, value: u64) {
    // SAFETY: as in `load`.
    unsafe {
        match size {
            MemSize::B => AtomicU8::from_ptr(at).store(value as u8, Ordering::Relaxed),
            MemSize::H if aligned(at, 2) => AtomicU16::from_ptr(at.cast()).store(value as u16, Ordering::Relaxed),
            MemSize::W if aligned(at, 4) => AtomicU32::from_ptr(at.cast()).store(value as u32, Ordering::Relaxed),
            MemSize::Dw if aligned(at, 8) => AtomicU64::from_ptr(at.cast()).store(value, Ordering::Relaxed),
            _ => store_bytes(at, size, value),
        }
    }
}

fn aligned(at: *mut u8, size: usize) -> bool {
    at.addr().is_multiple_of(size)
}

#[cold]
unsafe fn load_bytes(at: *mut u8, size: MemSize) -> u64 {
    let mut bytes = [0; 8];
    // SAFETY: the caller's word for the number's bytes.
    unsafe { copy_in(at, &mut bytes[..size.bytes() as usize]) };
    u64::from_le_bytes(bytes)
}

#[cold]
unsafe fn store_bytes(at: *mut u8, size: MemSize, value: u64) {
    // SAFETY: the caller's word for the number's bytes.
    unsafe { copy_out(at, &value.to_le_bytes()[..size.bytes() as usize]) }
}

/// Loads with acquire ordering.
///
/// # Safety
///
/// As for [`load`], and the address is a multiple of the size.
pub(super) unsafe fn load_acquire(at: *mut u8, size: MemSize) -> u64 {
    // SAFETY: the caller's word.
    unsafe {
        match size {
            MemSize::B => u64::from(AtomicU8::from_ptr(at).load(Ordering::Acquire)),
            MemSize::H => u64::from(AtomicU16::from_ptr(at.cast()).load(Ordering::Acquire)),
            MemSize::W => u64::from(AtomicU32::from_ptr(at.cast()).load(Ordering::Acquire)),
            MemSize::Dw => AtomicU64::from_ptr(at.cast()).load(Ordering::Acquire),
        }
    }
}

/// Stores with release ordering.
///
/// # Safety
///
/// As for [`store`], and the address is a multiple of the size.
pub(super) unsafe fn store_release(at: *mut u8, size: MemSize, value: u64) {
    // SAFETY: the caller's word.
    unsafe {
        match size {
            MemSize::B => AtomicU8::from_ptr(at).store(value as u8, Ordering::Release),
            MemSize::H => AtomicU16::from_ptr(at.cast()).store(value as u16, Ordering::Release),
            MemSize::W => AtomicU32::from_ptr(at.cast()).store(value as u32, Ordering::Release),
            MemSize::Dw => AtomicU64::from_ptr(at.cast()).store(value, Ordering::Release),
        }
    }
}

/// Reads, modifies and writes; returns what memory held.
///
/// # Safety
///
/// As for [`store`], and the address is a multiple of the width's bytes.
pub(super) unsafe fn atomic(op: AtomicOp, width: Width, at: *mut u8, src: u64, r0: u64) -> u64 {
    // RFC 9669 section 5.3 leaves the order open; Linux orders the fetching forms fully.
    let order = if op.fetches() { Ordering::SeqCst } else { Ordering::Relaxed };
    // SAFETY: the caller's word.
    unsafe {
        match width {
            Width::W64 => {
                let new = |old| Some(op.eval(width, old, src, r0));
                match AtomicU64::from_ptr(at.cast()).fetch_update(order, Ordering::Relaxed, new) {
                    Ok(old) | Err(old) => old,
                }
            }
            Width::W32 => {
                let (src, r0) = (u64::from(src as u32), u64::from(r0 as u32));
                let new = |old| Some(op.eval(width, u64::from(old), src, r0) as u32);
                match AtomicU32::from_ptr(at.cast()).fetch_update(order, Ordering::Relaxed, new) {
                    Ok(old) | Err(old) => u64::from(old),
                }
            }
        }
    }
}

/// Copies bytes out of shared memory.
///
/// # Safety
///
/// As for [`load`].
pub(super) unsafe fn copy_in(at: *mut u8, to: &mut [u8]) {
    let head = to.len().min(at.align_offset(8));
    let (head, body) = to.split_at_mut(head);
    let (words, tail) = body.as_chunks_mut::<8>();
    // SAFETY: all steps stay within the bytes of the caller's word; words stand at multiples of eight.
    unsafe {
        let bytes = |at: *mut u8, to: &mut [u8]| {
            for (i, byte) in to.iter_mut().enumerate() {
                *byte = AtomicU8::from_ptr(at.add(i)).load(Ordering::Relaxed);
            }
        };
        let first_word = at.add(head.len());
        bytes(at, head);
        for (i, word) in words.iter_mut().enumerate() {
            *word = AtomicU64::from_ptr(first_word.add(i * 8).cast()).load(Ordering::Relaxed).to_le_bytes();
        }
        bytes(first_word.add(words.len() * 8), tail);
    }
}

/// Copies bytes into shared memory.
///
/// # Safety
///
/// As for [`store`].
pub(super) unsafe fn copy_out(at: *mut u8, from: &[u8]) {
    let head = from.len().min(at.align_offset(8));
    let (head, body) = from.split_at(head);
    let (words, tail) = body.as_chunks::<8>();
    // SAFETY: as in `copy_in`.
    unsafe {
        let bytes = |at: *mut u8, from: &[u8]| {
            for (i, byte) in from.iter().enumerate() {
                AtomicU8::from_ptr(at.add(i)).store(*byte, Ordering::Relaxed);
            }
        };
        let first_word = at.add(head.len());
        bytes(at, head);
        for (i, word) in words.iter().enumerate() {
            AtomicU64::from_ptr(first_word.add(i * 8).cast()).store(u64::from_le_bytes(*word), Ordering::Relaxed);
        }
        bytes(first_word.add(words.len() * 8), tail);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_and_numbers_agree_at_every_alignment() {
        let mut memory = [0u64; 8];
        let base = memory.as_mut_ptr().cast::<u8>();
        let bytes: Vec<u8> = (1..=40).collect();
        for off in 0..16 {
            for len in 0..40 {
                let mut back = vec![0; len];
                // SAFETY: off + len is below the 64 bytes of `memory`.
                unsafe {
                    copy_out(base.add(off), &bytes[..len]);
                    copy_in(base.add(off), &mut back);
                }
                assert_eq!(back, bytes[..len], "{off} {len}");
            }
            for size in MemSize::ALL {
                let value = 0x8877_6655_4433_2211;
                // SAFETY: as above.
                let loaded = unsafe {
                    store(base.add(off), size, value);
                    load(base.add(off), size)
                };
                assert_eq!(loaded, value & u64::MAX >> (64 - 8 * size.bytes()));
            }
        }
    }
}
