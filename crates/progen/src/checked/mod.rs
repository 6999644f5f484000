//! Programs whose safety takes proof, and single faults in them: what verifiers are compared on.
//!
//! [`program`] makes a program that the kernel accepts in nearly all cases: packet accesses behind every form of
//! comparison, look-ups with null checks, offsets that bounds make safe, spills, loops, functions, callbacks, references
//! and locks. [`mutant`] changes one instruction of it. Maps are those of [`MAPS`], by index, for all programs.
//!
//! ```
//! use oxbpf_abi::ProgType;
//! use oxbpf_progen::checked;
//!
//! let program = checked::program(7, ProgType::Xdp);
//! assert_eq!(program, checked::program(7, ProgType::Xdp));
//! let (fault, insns) = checked::mutant(3, &program.insns);
//! println!("{fault:?}");
//! assert_eq!(insns.len() >= program.insns.len(), true);
//! ```

mod blocks;
mod build;
mod calls;
mod flow;
mod helpers;
mod maps;
mod memory;
mod mutate;
mod packet;
mod refs;
mod topics;

use oxbpf_abi::ProgType;
use oxbpf_isa::Insn;

pub use maps::{MAPS, Palette};
pub use mutate::{Fault, mutant};
pub use topics::{Topic, Topics};

use crate::rng::Rng;

/// A program for a verifier.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Checked {
    /// What it was made from.
    pub seed: u64,
    /// Its type.
    pub prog_type: ProgType,
    /// The instructions; `Pseudo::MapFd` and `Pseudo::MapValue` hold indices into [`MAPS`].
    pub insns: Vec<Insn>,
    /// What is in it.
    pub topics: Topics,
}

/// The program of a seed.
pub fn program(seed: u64, prog_type: ProgType) -> Checked {
    let mut world = build::World {
        rng: Rng::new(seed ^ (prog_type.row().id as u64) << 56),
        prog_type,
        functions: Vec::new(),
        budget: 0,
        topics: Topics::default(),
    };
    // Most are small, so that faults in them are seen; some are large.
    world.budget = match world.rng.below(10) {
        0..=5 => world.rng.range(3, 12),
        6..=8 => world.rng.range(8, 40),
        _ => world.rng.range(40, 120),
    } as i32;
    let main = build::Fun::main(&mut world);
    let mut functions = vec![&main];
    functions.extend(&world.functions);
    let insns = crate::code::link(&functions);
    Checked { seed, prog_type, insns, topics: world.topics }
}
