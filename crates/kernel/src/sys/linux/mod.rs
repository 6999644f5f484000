//! bpf(2) as Linux has it on x86-64 and arm64.

mod attr;
mod bpf;
mod child;
mod raw;
mod shared;
mod socket;
mod values;

pub use bpf::*;
pub use shared::*;
pub use socket::*;
