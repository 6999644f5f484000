//! The error numbers that helpers and map operations return, negated, in r0.
#![allow(missing_docs)]

/// Constants, and their names.
macro_rules! errnos {
    ($($(#[$doc:meta])* $name:ident = $number:literal)*) => {
        $($(#[$doc])* pub const $name: i64 = $number;)*

        const NAMES: &[(i64, &str)] = &[$(($name, stringify!($name))),*];
    };
}

errnos! {
    EPERM = 1
    ENOENT = 2
    E2BIG = 7
    EBADF = 9
    EAGAIN = 11
    ENOMEM = 12
    EACCES = 13
    EFAULT = 14
    EEXIST = 17
    EINVAL = 22
    ENOSPC = 28
    ERANGE = 34
    EBADMSG = 74
    EOPNOTSUPP = 95
    EALREADY = 114
    /// The kernel's own, which no other program gets to see.
    ENOTSUPP = 524
}

/// The name of an error number.
///
/// ```
/// assert_eq!(oxbpf_abi::errno::name(7), Some("E2BIG"));
/// assert_eq!(oxbpf_abi::errno::name(0), None);
/// ```
pub fn name(number: i64) -> Option<&'static str> {
    NAMES.iter().find(|row| row.0 == number).map(|row| row.1)
}
