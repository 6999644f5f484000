//! System calls that leave `errno` alone: their result is the kernel's own, a negated errno below zero.
//!
//! `libc::syscall` stores `errno` in a thread-local, which a child that shares this process's memory must not do.

use std::arch::asm;

/// Makes system call `nr` with up to six arguments, of which three may be other than zero.
///
/// # Safety
/// What the call does with its arguments must be sound: addresses among them name memory that it may use.
#[cfg(target_arch = "x86_64")]
pub unsafe fn syscall(nr: i64, args: [u64; 3]) -> i64 {
    let result: i64;
    // SAFETY: the Linux system call convention of x86-64; the instruction clobbers rcx and r11 and nothing else.
    unsafe {
        asm!(
            "syscall",
            inlateout("rax") nr => result,
            in("rdi") args[0],
            in("rsi") args[1],
            in("rdx") args[2],
            in("r10") 0u64,
            in("r8") 0u64,
            in("r9") 0u64,
            lateout("rcx") _,
            lateout("r11") _,
            options(nostack),
        );
    }
    result
}

/// Makes system call `nr` with up to six arguments, of which three may be other than zero.
///
/// # Safety
/// What the call does with its arguments must be sound: addresses among them name memory that it may use.
#[cfg(target_arch = "aarch64")]
pub unsafe fn syscall(nr: i64, args: [u64; 3]) -> i64 {
    let result: i64;
    // SAFETY: the Linux system call convention of arm64; the call preserves every register but x0.
    unsafe {
        asm!(
            "svc 0",
            in("x8") nr,
            inlateout("x0") args[0] as i64 => result,
            in("x1") args[1],
            in("x2") args[2],
            in("x3") 0u64,
            in("x4") 0u64,
            in("x5") 0u64,
            options(nostack),
        );
    }
    result
}
