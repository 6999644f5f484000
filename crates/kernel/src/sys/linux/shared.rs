//! Memory that the kernel and this process share: ring buffers and the rings of perf events.

use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::ptr;
use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering};

use super::MapFd;
use crate::Errno;

/// A shared mapping, touched by atomics only.
#[derive(Debug)]
pub struct Shared {
    at: *mut u8,
    len: usize,
}

// SAFETY: the mapping belongs to this value, and its bytes are touched through atomics only.
unsafe impl Send for Shared {}

impl Drop for Shared {
    fn drop(&mut self) {
        // SAFETY: mapped by `new` with this length; no reference into it is ever made.
        unsafe { libc::munmap(self.at.cast(), self.len) };
    }
}

impl Shared {
    fn new(fd: i32, len: usize, off: i64, writable: bool) -> Result<Shared, Errno> {
        let protection = libc::PROT_READ | if writable { libc::PROT_WRITE } else { 0 };
        // SAFETY: a fresh mapping wherever the kernel likes.
        let at = unsafe { libc::mmap(ptr::null_mut(), len, protection, libc::MAP_SHARED, fd, off) };
        if at == libc::MAP_FAILED { Err(Errno::last()) } else { Ok(Shared { at: at.cast(), len }) }
    }

    /// A part of a ring buffer map.
    pub fn of_map(map: &MapFd, len: usize, off: usize, writable: bool) -> Result<Shared, Errno> {
        Shared::new(map.raw(), len, off as i64, writable)
    }

    /// A perf event's ring.
    pub fn of_event(event: &PerfFd, len: usize) -> Result<Shared, Errno> {
        Shared::new(event.raw(), len, 0, true)
    }

    /// The place of an aligned number; panics where it is not in the mapping.
    fn place(&self, off: usize, size: usize) -> *mut u8 {
        assert!(off.is_multiple_of(size) && off <= self.len && size <= self.len - off, "inside the mapping");
        self.at.wrapping_add(off)
    }

    pub fn load_u32(&self, off: usize) -> u32 {
        // SAFETY: `place` bounds and aligns it.
        unsafe { AtomicU32::from_ptr(self.place(off, 4).cast()) }.load(Ordering::Acquire)
    }

    pub fn load_u64(&self, off: usize) -> u64 {
        // SAFETY: `place` bounds and aligns it.
        unsafe { AtomicU64::from_ptr(self.place(off, 8).cast()) }.load(Ordering::Acquire)
    }

    /// Of a writable mapping.
    pub fn store_u64(&self, off: usize, value: u64) {
        // SAFETY: `place` bounds and aligns it.
        unsafe { AtomicU64::from_ptr(self.place(off, 8).cast()) }.store(value, Ordering::Release);
    }

    pub fn load_u8(&self, off: usize) -> u8 {
        // SAFETY: `place` bounds it.
        unsafe { AtomicU8::from_ptr(self.place(off, 1)) }.load(Ordering::Relaxed)
    }
}

/// A perf event's descriptor.
#[derive(Debug)]
pub struct PerfFd(OwnedFd);

/// As much of `struct perf_event_attr` as its first version has.
#[repr(C)]
#[derive(Default)]
struct PerfAttr {
    kind: u32,
    size: u32,
    config: u64,
    sample_period: u64,
    sample_type: u64,
    read_format: u64,
    flags: u64,
    wakeup_events: u32,
    bp_type: u32,
    config1: u64,
}

impl PerfFd {
    /// An event that programs on this CPU write to.
    pub fn bpf_output(cpu: u32) -> Result<PerfFd, Errno> {
        const SOFTWARE: u32 = 1;
        const BPF_OUTPUT: u64 = 10;
        const RAW: u64 = 1 << 10;
        const CLOEXEC: u64 = 1 << 3;
        let attr = PerfAttr {
            kind: SOFTWARE,
            size: size_of::<PerfAttr>() as u32,
            config: BPF_OUTPUT,
            sample_period: 1,
            sample_type: RAW,
            wakeup_events: 1,
            ..Default::default()
        };
        // SAFETY: the call reads the argument, whose size it says, and nothing else.
        let fd = unsafe { libc::syscall(libc::SYS_perf_event_open, &raw const attr, -1, cpu as i32, -1, CLOEXEC) };
        if fd < 0 {
            return Err(Errno::last());
        }
        // SAFETY: just made by the call, and nobody else was told.
        Ok(PerfFd(unsafe { OwnedFd::from_raw_fd(fd as i32) }))
    }

    /// Lets it be written to.
    pub fn enable(&self) -> Result<(), Errno> {
        const ENABLE: libc::c_ulong = 0x2400;
        // SAFETY: takes a number.
        let result = unsafe { libc::ioctl(self.raw(), ENABLE as _, 0) };
        if result < 0 { Err(Errno::last()) } else { Ok(()) }
    }

    pub fn raw(&self) -> i32 {
        self.0.as_raw_fd()
    }
}

/// Runs something while this thread stays on one CPU.
pub fn on_cpu<T>(cpu: u32, run: impl FnOnce() -> T) -> Result<T, Errno> {
    let size = size_of::<libc::cpu_set_t>();
    // SAFETY: a set of CPUs is bits, of which all may be zero.
    let (mut before, mut one): (libc::cpu_set_t, libc::cpu_set_t) = unsafe { std::mem::zeroed() };
    if cpu as usize >= size * 8 {
        return Err(Errno::INVAL);
    }
    // SAFETY: both sets have the size given; the number fits the set.
    let set = unsafe {
        libc::CPU_SET(cpu as usize, &mut one);
        libc::sched_getaffinity(0, size, &mut before) == 0 && libc::sched_setaffinity(0, size, &one) == 0
    };
    if !set {
        return Err(Errno::last());
    }
    let result = run();
    // SAFETY: as above.
    unsafe { libc::sched_setaffinity(0, size, &before) };
    Ok(result)
}
