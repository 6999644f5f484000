//! Whether the running kernel can serve as an engine.

use std::fmt;

use crate::sys::ABSENT;
use crate::{Errno, KernelMap, KernelProg, LoadError, LoadSpec, LogPolicy, MapSpec, TestRun};

/// Whether this process may use the kernel, and if not, why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Availability {
    /// Maps, loads and test runs work.
    Available {
        /// The kernel's release, such as `6.18.44`.
        release: String,
    },
    /// Something of it does not.
    Unavailable {
        /// One clause.
        reason: String,
    },
}

impl Availability {
    /// The release, when available.
    pub fn release(&self) -> Option<&str> {
        match self {
            Self::Available { release } => Some(release),
            Self::Unavailable { .. } => None,
        }
    }

    /// The reason, when not.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Available { .. } => None,
            Self::Unavailable { reason } => Some(reason),
        }
    }
}

impl fmt::Display for Availability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Available { release } => write!(f, "available: Linux {release}"),
            Self::Unavailable { reason } => write!(f, "unavailable: {reason}"),
        }
    }
}

/// Tries a map, a load of the smallest classifier and a run of it, and leaves nothing behind. Takes about 100 µs.
pub fn probe() -> Availability {
    let reason = match ABSENT {
        Some(reason) => reason.to_string(),
        None => match attempt() {
            Ok(()) => return Availability::Available { release: release() },
            Err(reason) => format!("Linux {}: {reason}", release()),
        },
    };
    Availability::Unavailable { reason }
}

fn attempt() -> Result<(), String> {
    KernelMap::create(&MapSpec::new(ARRAY, 4, 4, 1)).map_err(|error| explain(error.errno(), error.to_string()))?;
    let spec = LoadSpec { log: LogPolicy::Never, ..LoadSpec::new(SCHED_CLS, &SMALLEST) };
    let loaded = KernelProg::load(&spec).map_err(|error| {
        let errno = match error {
            LoadError::Rejected { errno, .. } | LoadError::NoChild { errno } => Some(errno),
            _ => None,
        };
        explain(errno, format!("prog_load: {error}"))
    })?;
    let run = loaded.prog.test_run(&TestRun::new(&[0; 14], &[]));
    let result = run.map_err(|error| explain(error.errno(), error.to_string()))?;
    match result.retval {
        7 => Ok(()),
        other => Err(format!("a program that returns 7 returned {other}")),
    }
}

/// The common refusals in words, with the kernel's beside them.
fn explain(errno: Option<Errno>, text: String) -> String {
    match errno {
        Some(Errno::PERM | Errno::ACCES) => format!("not permitted ({text})"),
        Some(Errno::NOSYS) => format!("no bpf(2) in this kernel ({text})"),
        _ => text,
    }
}

fn release() -> String {
    let text = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    match text.trim() {
        "" => "of unknown release".to_string(),
        release => release.to_string(),
    }
}

const ARRAY: u32 = 2;
const SCHED_CLS: u32 = 3;
/// `r0 = 7`, `exit`.
const SMALLEST: [[u8; 8]; 2] = [[0xb7, 0, 0, 0, 7, 0, 0, 0], [0x95, 0, 0, 0, 0, 0, 0, 0]];
