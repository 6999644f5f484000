//! tc semantics: what a program's return value means at a hook, in a mode. Without those it has no meaning.
//!
//! ```
//! use oxbpf_tc::{Handle, Hook, Mode, Semantics, Verdict};
//!
//! let classifier = Semantics { hook: Hook::Ingress, mode: Mode::Classid, flowid: Some(Handle::new(1, 1)) };
//! // A classifier that returns 2 does not drop: it chooses class 0:2.
//! assert_eq!(classifier.verdict(2, 0), Verdict::Match { classid: Some(Handle::new(0, 2)), default: false });
//!
//! let direct = Semantics { mode: Mode::DirectAction, ..classifier };
//! assert_eq!(direct.verdict(2, 0), Verdict::Shot);
//! ```
#![forbid(unsafe_code)]

mod handle;
mod verdict;

pub use handle::{Handle, HandleError};
pub use verdict::{Hook, Mode, Semantics, SyscallAction, Verdict};
