//! Listings as other tools write them, byte for byte.

pub mod bpftool;
pub mod objdump;
