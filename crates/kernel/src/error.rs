//! What can go wrong between this crate and the kernel, and whose doing it is.

use std::fmt;
use std::time::Duration;

use crate::VerifierLog;

/// An error number of the kernel, printed by name.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Errno(pub i32);

impl Errno {
    /// Not permitted.
    pub const PERM: Self = Self(1);
    /// No such file, object or element.
    pub const NOENT: Self = Self(2);
    /// A signal came first.
    pub const INTR: Self = Self(4);
    /// Larger than the kernel takes.
    pub const TOOBIG: Self = Self(7);
    /// No memory, or no room.
    pub const NOMEM: Self = Self(12);
    /// Not allowed, which is also the verifier's usual answer.
    pub const ACCES: Self = Self(13);
    /// An argument that the kernel refuses.
    pub const INVAL: Self = Self(22);
    /// A buffer that is too small.
    pub const NOSPC: Self = Self(28);
    /// No such system call.
    pub const NOSYS: Self = Self(38);
    /// Not supported here.
    pub const OPNOTSUPP: Self = Self(95);

    /// The symbol, where this crate knows it.
    pub fn name(self) -> Option<&'static str> {
        let row = NAMES.iter().find(|&&(number, _)| number == self.0);
        row.map(|&(_, name)| name)
    }
}

impl fmt::Display for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "errno {}", self.0),
        }
    }
}

impl fmt::Debug for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// How a child process that made a call for us came to nothing. The kernel, not the program, is to blame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KernelFailure {
    /// A signal ended it inside the call: the kernel faulted, or ran out of memory.
    Killed {
        /// The signal's number.
        signal: i32,
    },
    /// It ended without an answer.
    Ended {
        /// Its exit status.
        status: i32,
    },
    /// It was still in the call at the deadline, and was killed.
    Hung {
        /// Whether the kill worked; otherwise the child, and the memory it holds, stays behind.
        reaped: bool,
    },
}

impl KernelFailure {
    /// The stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Killed { .. } => "kernel-killed",
            Self::Ended { .. } => "kernel-no-answer",
            Self::Hung { .. } => "kernel-hung",
        }
    }
}

impl fmt::Display for KernelFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Killed { signal } => write!(f, "killed by signal {signal} inside the call"),
            Self::Ended { status } => write!(f, "ended with status {status} and no answer"),
            Self::Hung { reaped: true } => f.write_str("not done at the deadline, killed"),
            Self::Hung { reaped: false } => f.write_str("not done at the deadline, cannot be killed"),
        }
    }
}

/// A call on a map, a run or BTF that failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KernelError {
    /// The kernel refused.
    #[error("{call}: {errno}")]
    Refused {
        /// The command, such as `map_create`.
        call: &'static str,
        /// Its answer.
        errno: Errno,
        /// What the kernel wrote about it, for BTF; else empty.
        log: String,
    },
    /// The kernel failed; not to be tried again.
    #[error("kernel failed in {call}: {how}")]
    Failed {
        /// The command.
        call: &'static str,
        /// What happened.
        how: KernelFailure,
    },
    /// A key or value of another length than the map's.
    #[error("{call}: {what} of {got} bytes, the map's have {want}")]
    Length {
        /// The command.
        call: &'static str,
        /// `key` or `value`.
        what: &'static str,
        /// Bytes given.
        got: usize,
        /// Bytes the map has.
        want: usize,
    },
    /// More keys than the map may hold: something else writes to it meanwhile.
    #[error("map_get_next_key: more than {limit} keys")]
    Endless {
        /// The map's `max_entries`.
        limit: u32,
    },
}

impl KernelError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Refused { .. } => "kernel-refused",
            Self::Failed { how, .. } => how.code(),
            Self::Length { .. } => "map-length",
            Self::Endless { .. } => "map-endless",
        }
    }

    /// The kernel's error number, when it answered one.
    pub fn errno(&self) -> Option<Errno> {
        match self {
            Self::Refused { errno, .. } => Some(*errno),
            _ => None,
        }
    }
}

/// A program that was not loaded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LoadError {
    /// The kernel's verdict on the program, or on what came with it.
    #[error("rejected by the kernel: {errno}{}", log.error().map(|text| format!(": {text}")).unwrap_or_default())]
    Rejected {
        /// Its answer.
        errno: Errno,
        /// What it wrote: empty when it refused before verifying, or no log was asked for.
        log: Box<VerifierLog>,
    },
    /// The kernel failed over the program; counted apart, not to be tried again.
    #[error("kernel failed over the program: {how}")]
    KernelFailed {
        /// What happened.
        how: KernelFailure,
    },
    /// The load could not be tried.
    #[error("cannot load: {errno}")]
    NoChild {
        /// What making the child process, or its memory, came to.
        errno: Errno,
    },
    /// The specification cannot be told to the kernel.
    #[error("cannot load: {what}")]
    Spec {
        /// What is wrong with it.
        what: &'static str,
    },
}

impl LoadError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Rejected { .. } => "kernel-rejected",
            Self::KernelFailed { how } => how.code(),
            Self::NoChild { .. } => "kernel-unreachable",
            Self::Spec { .. } => "load-spec",
        }
    }
}

/// How long a load may take by default. The kernel's budget of a million instructions takes it some seconds at worst.
pub const LOAD_DEADLINE: Duration = Duration::from_secs(30);

const NAMES: [(i32, &str); 26] = [
    (1, "EPERM"),
    (2, "ENOENT"),
    (3, "ESRCH"),
    (4, "EINTR"),
    (5, "EIO"),
    (7, "E2BIG"),
    (9, "EBADF"),
    (11, "EAGAIN"),
    (12, "ENOMEM"),
    (13, "EACCES"),
    (14, "EFAULT"),
    (16, "EBUSY"),
    (17, "EEXIST"),
    (19, "ENODEV"),
    (22, "EINVAL"),
    (23, "ENFILE"),
    (24, "EMFILE"),
    (28, "ENOSPC"),
    (33, "EDOM"),
    (34, "ERANGE"),
    (38, "ENOSYS"),
    (75, "EOVERFLOW"),
    (95, "EOPNOTSUPP"),
    (99, "EADDRNOTAVAIL"),
    (105, "ENOBUFS"),
    (524, "ENOTSUPP"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_say_name_and_clause() {
        assert_eq!(Errno::INVAL.to_string(), "EINVAL");
        assert_eq!(Errno(4000).to_string(), "errno 4000");
        let how = KernelFailure::Hung { reaped: true };
        let error = LoadError::KernelFailed { how };
        assert_eq!(error.code(), "kernel-hung");
        assert_eq!(error.to_string(), "kernel failed over the program: not done at the deadline, killed");
    }
}
