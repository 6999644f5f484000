//! The fence: every `unsafe` of this crate is in here, behind functions that are safe to call.
//!
//! Where there is no bpf(2), or no child process to make it in, the same functions answer that they cannot.

#[cfg_attr(not(target_os = "linux"), allow(dead_code))] // nobody reads the arguments there
mod call;
pub use call::*;

#[cfg(all(target_os = "linux", target_pointer_width = "64", any(target_arch = "x86_64", target_arch = "aarch64")))]
#[path = "linux/mod.rs"]
mod host;

#[cfg(not(all(
    target_os = "linux",
    target_pointer_width = "64",
    any(target_arch = "x86_64", target_arch = "aarch64")
)))]
#[path = "absent.rs"]
mod host;

pub use host::*;
