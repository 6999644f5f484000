//! The running Linux kernel, through bpf(2): maps, programs loaded under the verifier, and test runs.
//!
//! [`Kernel`] is the engine, to be compared with others; it stands on [`KernelMap`] and [`KernelProg`], which can be used
//! by themselves. Everything here is anonymous: nothing is pinned or attached, and what a value holds in the
//! kernel goes with it. Programs are loaded by a child process with a deadline, because a kernel's verifier may itself
//! fail over a program; that is an answer of its own, [`LoadError::KernelFailed`]. Where there is no kernel to ask,
//! [`probe`] says why, and all calls answer errors.
//!
//! ```
//! use oxbpf_kernel::{KernelProg, LoadSpec, TestRun, probe};
//!
//! if probe().release().is_some() {
//!     // r0 = 7; exit, as a tc classifier
//!     let insns = [[0xb7, 0, 0, 0, 7, 0, 0, 0], [0x95, 0, 0, 0, 0, 0, 0, 0]];
//!     let loaded = KernelProg::load(&LoadSpec::new(3, &insns))?;
//!     let run = loaded.prog.test_run(&TestRun::new(&[0; 60], &[]))?;
//!     assert_eq!((run.retval, run.data_size), (7, 60));
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![deny(unsafe_code)]

mod btf;
mod engine;
mod error;
mod func_info;
mod instance;
mod locks;
mod log;
mod map;
mod probe;
mod prog;
mod socket_filter;
mod streams;
#[allow(unsafe_code)]
mod sys;
mod test_run;
mod told;
mod translated;
mod unit_maps;

pub use btf::KernelBtf;
pub use engine::Kernel;
pub use error::{Errno, KernelError, KernelFailure, LOAD_DEADLINE, LoadError};
pub use func_info::FuncInfo;
pub use locks::lock_types;
pub use log::{Stats, VerifierLog};
pub use map::{KernelMap, MapEntry, MapSpec};
pub use probe::{Availability, probe};
pub use prog::{INSN_LIMIT, KernelProg, LOG_LIMIT, LoadSpec, Loaded, LogPolicy, ProgBtf, ProgInfo};
pub use socket_filter::SocketFilter;
pub use streams::{PerfReader, RingReader};
pub use test_run::{TestRun, TestRunResult};
pub use translated::{LoadedProgram, Translated, TranslatedLine};
pub use unit_maps::cpus;

/// A name as the kernel takes it: 15 bytes of letters, digits, `_` and `.`, and a zero.
fn object_name(text: &str) -> [u8; 16] {
    let mut name = [0; 16];
    let clean = text.bytes().map(|byte| match byte {
        b'_' | b'.' => byte,
        byte if byte.is_ascii_alphanumeric() => byte,
        _ => b'_',
    });
    for (place, byte) in name[..15].iter_mut().zip(clean) {
        *place = byte;
    }
    name
}

/// The kernel's bytes as text, without a copy when they are UTF-8.
fn lossy(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}
