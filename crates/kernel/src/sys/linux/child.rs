//! One system call made by a child process that may be killed while it runs.
//!
//! The child shares memory and descriptors with this process (`CLONE_VM | CLONE_FILES`), so that nothing is
//! copied, however large this process is, and a descriptor the child makes is ours. It runs on a stack of its
//! own inside a [`Scratch`], has every signal blocked, and executes nothing but two system calls: no
//! allocation, no lock, and no thread-local (which it shares with the thread that waits), hence [`super::raw`].
//! Its end is no `SIGCHLD`, so neither a handler nor a `waitpid(-1)` of the host program sees it.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use super::raw;
use crate::{Errno, KernelFailure};

/// How long a killed child may take to be gone before it is abandoned.
const GRACE: Duration = Duration::from_secs(2);
/// The child's stack; two leaf functions use well under one page of it.
const STACK: usize = 16 * 1024;
/// `job.result` before the call has returned: no errno and no descriptor.
const PENDING: i64 = i64::MIN;

/// What the child is told and what it answers, at the start of the scratch, above the stack.
#[repr(C)]
struct Job {
    nr: i64,
    args: [u64; 3],
    result: AtomicI64,
}

/// A mapping that holds everything a child touches: stack, job, and the buffers of its call.
///
/// Pages cost nothing until touched. Addresses are handed out in order and never twice.
pub struct Scratch {
    base: *mut u8,
    len: usize,
    used: usize,
}

impl Scratch {
    /// A zeroed scratch with room for `payload` bytes in at most `pieces` pieces.
    pub fn new(payload: usize, pieces: usize) -> Result<Self, Errno> {
        let head = STACK + size_of::<Job>().next_multiple_of(16);
        let len = payload
            .checked_add(head + pieces * 8)
            .and_then(|len| len.checked_next_multiple_of(4096))
            .ok_or(Errno::NOMEM)?;
        let prot = libc::PROT_READ | libc::PROT_WRITE;
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
        // SAFETY: a new anonymous mapping at an address of the kernel's choice touches no existing memory.
        let base = unsafe { libc::mmap(std::ptr::null_mut(), len, prot, flags, -1, 0) };
        if base == libc::MAP_FAILED {
            return Err(Errno::last());
        }
        Ok(Self { base: base.cast(), len, used: head })
    }

    /// Sets `len` zero bytes aside and answers their address, null for no bytes; `None` when the scratch is full.
    pub fn room(&mut self, len: usize) -> Option<u64> {
        if len == 0 {
            return Some(0);
        }
        let end = self.used.checked_add(len)?.checked_next_multiple_of(8)?;
        if end > self.len {
            return None;
        }
        let at = self.base as u64 + self.used as u64;
        self.used = end;
        Some(at)
    }

    /// Copies `bytes` in and answers their address, null for no bytes; `None` when the scratch is full.
    pub fn put(&mut self, bytes: &[u8]) -> Option<u64> {
        let at = self.room(bytes.len())?;
        if at == 0 {
            return Some(0);
        }
        // SAFETY: `room` set bytes.len() bytes at `at` aside inside the mapping, for nobody else.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), at as *mut u8, bytes.len()) };
        Some(at)
    }

    /// The `len` bytes at an address handed out before; empty for the null address or what was never handed out.
    pub fn bytes(&self, at: u64, len: usize) -> &[u8] {
        let start = (at as usize).wrapping_sub(self.base as usize);
        match start.checked_add(len) {
            // SAFETY: inside the mapping, which is initialised (zeroed) memory; no child runs while `self` is borrowed,
            // because `run` takes the scratch by value and gives it back only when the child is gone.
            Some(end) if start >= STACK && end <= self.used => unsafe {
                std::slice::from_raw_parts(self.base.add(start), len)
            },
            _ => &[],
        }
    }

    fn job(&self) -> *mut Job {
        // SAFETY: the mapping is longer than the stack and the job that stand at its start.
        unsafe { self.base.add(STACK).cast() }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // SAFETY: base and len are those of the mapping made in `new`, and nothing borrows from it any more.
        unsafe { libc::munmap(self.base.cast(), self.len) };
    }
}

/// Makes system call `nr` in a child, waits for it until `deadline` from now, then kills it.
///
/// `Ok` holds what the call returned (a negated errno below zero) and the scratch. A child that does not die of its
/// kill keeps the scratch: it is leaked.
///
/// # Safety
/// The call must read and write no memory but the scratch's.
pub unsafe fn run(nr: i64, args: [u64; 3], scratch: Scratch, deadline: Duration) -> Result<(i64, Scratch), ChildError> {
    let job = scratch.job();
    // SAFETY: the job's place is inside the mapping, 16-aligned, and no child exists yet.
    unsafe {
        job.write(Job { nr, args, result: AtomicI64::new(PENDING) });
    }
    let started = Instant::now();
    let child = Child::start(&scratch).map_err(ChildError::Start)?;
    let mut killed = false;
    if !child.wait_until(started.checked_add(deadline)) {
        child.kill();
        killed = true;
        if !child.wait_until(Instant::now().checked_add(GRACE)) {
            // Still in the kernel: it may write to the scratch at any time, so the scratch must stay.
            std::mem::forget(scratch);
            return Err(ChildError::Failed(KernelFailure::Hung { reaped: false }));
        }
    }
    let end = child.reap();
    // SAFETY: as above; the field is atomic, and the child is gone.
    let result = unsafe { (*job).result.load(Ordering::Acquire) };
    match (result, end) {
        (PENDING, _) if killed => Err(ChildError::Failed(KernelFailure::Hung { reaped: true })),
        (PENDING, end) => Err(ChildError::Failed(end)),
        (result, _) => Ok((result, scratch)),
    }
}

/// Why a call in a child has no result.
#[derive(Debug)]
pub enum ChildError {
    /// The child could not be made.
    Start(Errno),
    /// The child died or hung in the call.
    Failed(KernelFailure),
}

/// A running child, by its pid descriptor.
struct Child {
    pidfd: std::os::fd::OwnedFd,
}

impl Child {
    fn start(scratch: &Scratch) -> Result<Self, Errno> {
        let flags = libc::CLONE_VM | libc::CLONE_FILES | libc::CLONE_FS | libc::CLONE_PIDFD;
        let mut pidfd: libc::c_int = -1;
        let masked = SignalsBlocked::new()?;
        // SAFETY: `main` runs on the scratch's stack, which lives until the child is gone (or for ever, see `run`);
        // it keeps to raw system calls. The variadic arguments are pidfd's place, no TLS, no child tid.
        let pid = unsafe {
            libc::clone(
                main,
                scratch.job().cast(),
                flags,
                scratch.job().cast(),
                &raw mut pidfd,
                std::ptr::null_mut::<libc::c_void>(),
                std::ptr::null_mut::<libc::pid_t>(),
            )
        };
        let errno = Errno::last();
        drop(masked);
        if pid < 0 {
            return Err(errno);
        }
        // SAFETY: with CLONE_PIDFD a successful clone has put a new descriptor there, which is nobody else's.
        let pidfd = unsafe { std::os::fd::FromRawFd::from_raw_fd(pidfd) };
        Ok(Self { pidfd })
    }

    fn raw(&self) -> i32 {
        std::os::fd::AsRawFd::as_raw_fd(&self.pidfd)
    }

    /// Whether the child has ended, waiting for that until `when` (`None`: for ever).
    fn wait_until(&self, when: Option<Instant>) -> bool {
        loop {
            let left = when.map(|when| when.saturating_duration_since(Instant::now()));
            let millis = left.map_or(-1, |left| left.as_micros().div_ceil(1000).min(i32::MAX as u128) as i32);
            let mut poll = libc::pollfd { fd: self.raw(), events: libc::POLLIN, revents: 0 };
            // SAFETY: one pollfd, on this stack.
            match unsafe { libc::poll(&mut poll, 1, millis) } {
                n if n > 0 => return true,
                0 if left.is_some_and(|left| left.is_zero()) => return false,
                _ => {} // interrupted, or woken early
            }
        }
    }

    fn kill(&self) {
        // SAFETY: plain integers and a null siginfo.
        unsafe {
            libc::syscall(
                libc::SYS_pidfd_send_signal,
                self.raw(),
                libc::SIGKILL,
                std::ptr::null::<libc::siginfo_t>(),
                0,
            )
        };
    }

    /// Takes the ended child off the process table; how it ended.
    fn reap(self) -> KernelFailure {
        // SAFETY: siginfo_t is plain data, for which zero is a value.
        let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
        loop {
            let options = libc::WEXITED | libc::__WALL;
            // SAFETY: `info` is a siginfo_t on this stack.
            let done = unsafe { libc::waitid(libc::P_PIDFD, self.raw() as libc::id_t, &mut info, options) };
            if done == 0 || Errno::last() != Errno::INTR {
                break;
            }
        }
        // SAFETY: waitid filled a child's siginfo, or it is zero.
        let status = unsafe { info.si_status() };
        match info.si_code {
            libc::CLD_KILLED | libc::CLD_DUMPED => KernelFailure::Killed { signal: status },
            _ => KernelFailure::Ended { status },
        }
    }
}

/// The child: two system calls and the end.
extern "C" fn main(job: *mut libc::c_void) -> libc::c_int {
    // SAFETY: `Child::start` passes the scratch's job; the parent touches nothing of it but the atomic until the end.
    let job = unsafe { &*job.cast::<Job>() };
    let death = [libc::PR_SET_PDEATHSIG as u64, libc::SIGKILL as u64, 0];
    // SAFETY: integers only.
    unsafe { raw::syscall(libc::SYS_prctl, death) };
    // SAFETY: `run`'s caller vouches that the call keeps to the scratch.
    let result = unsafe { raw::syscall(job.nr, job.args) };
    job.result.store(result, Ordering::Release);
    0
}

/// Every signal blocked in this thread while it lives, so that no handler of ours can run in the child.
struct SignalsBlocked(u64);

impl SignalsBlocked {
    fn new() -> Result<Self, Errno> {
        Self::set(u64::MAX).map(Self)
    }

    fn set(mask: u64) -> Result<u64, Errno> {
        let mut old = 0u64;
        // SAFETY: the kernel's signal set is eight bytes on the targets of this module.
        let done = unsafe {
            libc::syscall(libc::SYS_rt_sigprocmask, libc::SIG_SETMASK, &raw const mask, &raw mut old, size_of::<u64>())
        };
        if done < 0 { Err(Errno::last()) } else { Ok(old) }
    }
}

impl Drop for SignalsBlocked {
    fn drop(&mut self) {
        // Cannot fail: the same call succeeded in `new`.
        let _ = Self::set(self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(nr: i64, args: [u64; 3], deadline: Duration) -> Result<i64, ChildError> {
        let scratch = Scratch::new(64, 1).unwrap();
        // SAFETY: the calls below take no addresses but those of the test's own scratch.
        unsafe { run(nr, args, scratch, deadline) }.map(|(result, _)| result)
    }

    #[test]
    fn a_result_comes_back() {
        let got = call(libc::SYS_close, [u64::MAX, 0, 0], Duration::from_secs(5)).unwrap();
        assert_eq!(got, -i64::from(libc::EBADF));
    }

    #[test]
    fn a_descriptor_made_by_the_child_is_ours() {
        let got = call(libc::SYS_eventfd2, [7, 0, 0], Duration::from_secs(5)).unwrap();
        let mut count = 0u64;
        // SAFETY: eight bytes on this stack; the descriptor is the child's gift.
        let n = unsafe { libc::read(got as i32, (&raw mut count).cast(), 8) };
        assert_eq!((n, count), (8, 7));
        // SAFETY: nobody else knows this descriptor.
        unsafe { libc::close(got as i32) };
    }

    #[test]
    fn a_child_without_result_failed() {
        let got = call(libc::SYS_exit, [3, 0, 0], Duration::from_secs(5)).unwrap_err();
        assert!(matches!(got, ChildError::Failed(KernelFailure::Ended { status: 3 })), "{got:?}");
    }

    #[test]
    fn a_hung_child_is_killed_and_reaped() {
        let started = Instant::now();
        let got = call(libc::SYS_ppoll, [0, 0, 0], Duration::from_millis(30)).unwrap_err();
        assert!(matches!(got, ChildError::Failed(KernelFailure::Hung { reaped: true })), "{got:?}");
        assert!(started.elapsed() < GRACE);
    }

    #[test]
    fn many_threads_at_once() {
        std::thread::scope(|scope| {
            for n in 0..8u64 {
                scope.spawn(move || {
                    for _ in 0..100 {
                        // getpgid(0) is no secret; what matters is that each call gets its own answer.
                        let fd = u64::MAX - n;
                        let got = call(libc::SYS_close, [fd, 0, 0], Duration::from_secs(5));
                        assert_eq!(got.unwrap(), -i64::from(libc::EBADF));
                    }
                });
            }
        });
    }

    #[test]
    fn scratch_keeps_to_its_room() {
        let mut scratch = Scratch::new(100, 2).unwrap();
        let at = scratch.put(b"abc").unwrap();
        assert_eq!(scratch.bytes(at, 3), b"abc");
        assert_eq!(scratch.bytes(at, 1 << 20), b"");
        assert_eq!(scratch.bytes(0, 3), b"");
        assert!(scratch.room(1 << 20).is_none());
        assert!(scratch.room(usize::MAX).is_none());
    }
}
