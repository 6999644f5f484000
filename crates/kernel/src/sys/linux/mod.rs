//! bpf(2) as Linux has it on x86-64 and arm64.

mod attr;
mod bpf;
mod child;
mod raw;
mod socket;
mod values;

pub use bpf::*;
pub use socket::*;
