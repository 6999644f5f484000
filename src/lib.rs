//! A pure-Rust toolchain for classic and extended BPF: load an object, run it over a capture, compare engines.
//!
//! [`prog`] finds a program by the one grammar that every verb takes; [`text_unit`] reads programs written as
//! text; the crates re-exported here do the rest.
#![forbid(unsafe_code)]

pub mod bare;
pub mod compare;
pub mod core_target;
pub mod ctx_json;
pub mod engines;
pub mod kconfig;
pub mod listing;
pub mod map_json;
mod near;
pub mod prog;
pub mod reference;
pub mod seccomp;
pub mod selftest;
pub mod text_unit;
pub mod verdict;

pub use oxbpf_abi as abi;
pub use oxbpf_capture as capture;
pub use oxbpf_cbpf_asm as cbpf_asm;
pub use oxbpf_cbpf2ebpf as cbpf2ebpf;
pub use oxbpf_elf as elf;
pub use oxbpf_interp as interp;
pub use oxbpf_ir as ir;
pub use oxbpf_isa as isa;
pub use oxbpf_kernel as kernel;
pub use oxbpf_runtime as runtime;
pub use oxbpf_tc as tc;
pub use oxbpf_verifier as verifier;

#[cfg(feature = "cli")]
pub mod cli;
