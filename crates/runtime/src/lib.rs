//! What a running BPF program sees: memory, packet, context, maps, helpers; and how it may fail.
//!
//! [`Vm`] is one run's world and the first argument of every helper. [`Engine`] is what executes programs in
//! such a world; the running kernel is one too. Memory is one arena per [`Vm`], in which every address
//! belongs to a region, so that unproven accesses are bounded by what they hit ([`memory`]).
//!
//! ```
//! use oxbpf_runtime::skb;
//!
//! // Fields are derived from the frame as the kernel derives them, and can be set by name.
//! let frame = [0u8; 60];
//! let mut ctx = skb::derive(&frame, 60, skb::Link::Ethernet);
//! skb::set(&mut ctx, "mark", 7).unwrap();
//! assert_eq!((ctx.len, ctx.mark), (60, 7));
//! ```
#![deny(unsafe_code)]

pub mod classic;
pub mod context;
pub mod csum;
pub mod engine;
pub mod events;
pub mod helpers;
pub mod maps;
pub mod memory;
mod packet;
mod random;
pub mod skb;
mod trap;
mod vm;

pub use engine::{Availability, Compiled, Engine, EngineError, Env, Image, Input, Instance, Outcome, Refusal};
pub use events::{Event, EventKind, Redirect, Sent, Target};
pub use packet::MAX_PACKET;
pub use random::Random;
pub use trap::{Access, Place, Trap, TrapKind};
pub use vm::{MAX_CALL_DEPTH, MAX_FRAMES, MAX_TAIL_CALLS, TraceLine, Vm, VmError};
