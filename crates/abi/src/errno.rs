//! The error numbers that helpers and map operations return, negated, in r0.
#![allow(missing_docs)]

pub const EPERM: i64 = 1;
pub const ENOENT: i64 = 2;
pub const E2BIG: i64 = 7;
pub const EBADF: i64 = 9;
pub const EAGAIN: i64 = 11;
pub const ENOMEM: i64 = 12;
pub const EACCES: i64 = 13;
pub const EFAULT: i64 = 14;
pub const EEXIST: i64 = 17;
pub const EINVAL: i64 = 22;
pub const ENOSPC: i64 = 28;
pub const ERANGE: i64 = 34;
pub const EBADMSG: i64 = 74;
pub const EOPNOTSUPP: i64 = 95;
pub const EALREADY: i64 = 114;
/// The kernel's own, which no other program gets to see.
pub const ENOTSUPP: i64 = 524;
