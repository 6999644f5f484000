//! Migrates a checked classic program to eBPF: the same result for every packet, and for each eBPF instruction the
//! classic one that it came from.
//!
//! | classic | eBPF |
//! |---|---|
//! | A | r0, upper half zero |
//! | X | r7, upper half zero |
//! | `M[n]` | the 64 bytes below the frame pointer |
//! | packet loads | `LD_ABS`, `LD_IND`, which end the program with 0 where they are out of range |
//! | extensions | fields of `__sk_buff`, helpers, and for four of them this toolchain's own helpers |
//!
//! r6 holds the context, which legacy loads want there, and r8 keeps A over what overwrites it. The accumulator and
//! the index register are zeroed at the start where some path reads them first; what no path reaches is left out,
//! as the kernel refuses eBPF that cannot be reached.
//!
//! ```
//! use oxbpf_abi::ProgType;
//! use oxbpf_cbpf2ebpf::migrate;
//! use oxbpf_isa::cbpf::{Program, SockFilter};
//!
//! // ldh [12]; ret a
//! let raw = [SockFilter::stmt(0x28, 12), SockFilter::stmt(0x16, 0)];
//! let migrated = migrate(&Program::check(&raw).unwrap(), "ethertype", ProgType::SchedCls).unwrap();
//! // r6 = r1, the load, exit.
//! assert_eq!(migrated.program().insns().len(), 3);
//! assert_eq!(migrated.origins(), [None, Some(0), Some(1)]);
//! ```
#![forbid(unsafe_code)]

mod emit;
mod live;
mod rules;

use std::ops::Range;

use oxbpf_abi::ProgType;
use oxbpf_abi::ctx::SKB;
use oxbpf_ir::{BuildError, InsnId, Program, ProgramParts};
use oxbpf_isa::cbpf;
use thiserror::Error;

/// Why a program cannot be migrated.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[allow(missing_docs)]
pub enum MigrateError {
    /// Classic programs look at packets through an skb.
    #[error("programs of type {prog_type} have no skb, which classic programs look at")]
    NoSkb { prog_type: ProgType },
    /// The outcome is no program: a defect of the migrator.
    #[error("the migrated program is malformed: {0}")]
    Malformed(#[from] BuildError),
}

impl MigrateError {
    /// A stable code, `migrate-…`.
    pub const fn code(&self) -> &'static str {
        match self {
            MigrateError::NoSkb { .. } => "migrate-no-skb",
            MigrateError::Malformed(_) => "migrate-malformed",
        }
    }
}

/// A classic program as eBPF, and which instruction came from which.
#[derive(Clone, Debug)]
pub struct Migrated {
    program: Program,
    /// By classic instruction, one more than there are: where its eBPF begins.
    starts: Vec<u32>,
}

impl Migrated {
    /// The eBPF program.
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// The eBPF program, for who needs nothing else.
    pub fn into_program(self) -> Program {
        self.program
    }

    /// The eBPF instructions before those of the first classic one: they set registers up.
    pub fn prologue(&self) -> Range<u32> {
        0..self.starts[0]
    }

    /// The eBPF instructions of a classic one; none of one that nothing reaches, or that has nothing to do.
    ///
    /// `classic` is an index of the classic program.
    pub fn insns_of(&self, classic: usize) -> Range<u32> {
        self.starts[classic]..self.starts[classic + 1]
    }

    /// The index of the classic instruction that an eBPF instruction came from; none in the prologue.
    pub fn origin(&self, insn: InsnId) -> Option<usize> {
        // Several may start at the same place: the last of them is the one that is not empty.
        self.starts.partition_point(|&start| start <= insn.0).checked_sub(1)
    }

    /// [`Migrated::origin`] of every eBPF instruction.
    pub fn origins(&self) -> Vec<Option<usize>> {
        (0..self.program.insns().len() as u32).map(|i| self.origin(InsnId(i))).collect()
    }
}

/// Migrates a classic program to an eBPF program of a type that has an skb.
pub fn migrate(program: &cbpf::Program, name: &str, prog_type: ProgType) -> Result<Migrated, MigrateError> {
    if prog_type.ctx().name != SKB.name {
        return Err(MigrateError::NoSkb { prog_type });
    }
    let live = live::Live::of(program.insns());
    let mut code = emit::Emitter::new(program.len());
    rules::prologue(&mut code, program.insns(), &live);
    for (at, insn) in program.insns().iter().enumerate() {
        code.start(at);
        if live.reached(at) {
            rules::insn(&mut code, at, insn, &live);
        }
    }
    let (insns, starts) = code.finish();
    let program = Program::new(ProgramParts::new(name, prog_type, insns))?;
    Ok(Migrated { program, starts })
}
