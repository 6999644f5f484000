//! The verifier: the kernel's verdict on a program, and why.
//!
//! [`verify`] follows every path of a program as Linux does, with what is known of each register, each byte of stack
//! and each reference, and gives up paths that reach what was already found safe.
#![deny(unsafe_code)]

mod alu;
mod call;
mod code;
pub mod ctx;
mod depth;
mod equal;
mod explore;
mod func;
mod global;
mod jump;
mod live;
mod maps;
mod memory;
mod messages;
mod notes;
mod options;
mod path;
mod pointer;
mod precise;
mod prune;
mod reg;
mod report;
pub mod scalar;
mod scc;
mod shape;
mod special;
mod stack_live;
mod state;
mod text;
mod verify;

pub use code::Code;
pub use options::{Caps, INSN_LIMIT, LogLevel, MAX_CPUS, Options};
pub use reg::{AT_END, BEYOND_END, Id, Kind, MapRef, Mem, Reg, Sock};
pub use report::{Checked, Fault, Report, Stats, Verdict};
pub use state::{Byte, Callback, Frame, Held, NO_CALLSITE, Reference, StackSlot, State};

pub use verify::verify;
