//! What the verifier says of a program.

use std::time::Duration;

use oxbpf_ir::{InsnId, Vetted};

use crate::code::Code;
use crate::state::Frame;

/// Why a program is refused, or not judged.
#[derive(Clone, Debug)]
pub struct Fault {
    /// The reason's code.
    pub code: Code,
    /// The instruction, where one is to blame.
    pub insn: Option<InsnId>,
    /// What the kernel prints for it: one or a few lines.
    pub kernel: String,
    /// What was known at that instruction, innermost frame last; empty where no path led there.
    pub frames: Vec<Frame>,
    /// The branches of the path that led there, oldest first: an instruction and where control went.
    pub path: Vec<(InsnId, InsnId)>,
}

impl Fault {
    /// A fault that has no place yet.
    pub fn new(code: Code, kernel: impl Into<String>) -> Box<Fault> {
        Box::new(Fault { code, insn: None, kernel: kernel.into(), frames: Vec::new(), path: Vec::new() })
    }

    /// Something that is not judged yet, by name.
    pub fn unsupported(what: impl Into<String>) -> Box<Fault> {
        Fault::new(Code::Unsupported, what)
    }

    /// The last line of what the kernel prints, which sums it up.
    pub fn message(&self) -> &str {
        self.kernel.lines().last().unwrap_or_default()
    }
}

/// A step that may find a fault.
pub type Checked<T = ()> = Result<T, Box<Fault>>;

/// How much work a verdict took, counted as the kernel counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Stats {
    /// Instructions visited, over all paths.
    pub processed: u32,
    /// The limit of that.
    pub limit: u32,
    /// Most states compared at one instruction.
    pub max_states_per_insn: u32,
    /// States remembered in all.
    pub total_states: u32,
    /// Most states remembered at one time.
    pub peak_states: u32,
}

impl core::fmt::Display for Stats {
    /// The last line of the kernel's log.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(
            f,
            "processed {} insns (limit {}) max_states_per_insn {} total_states {} peak_states {} mark_read 0",
            self.processed, self.limit, self.max_states_per_insn, self.total_states, self.peak_states
        )
    }
}

/// The verdict.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// The program is safe; what its safety rested on is known to engines.
    Accepted(Vetted),
    /// The program is refused.
    Rejected(Box<Fault>),
    /// The program uses what is not judged yet.
    Unsupported(Box<Fault>),
}

/// What the verifier says of one program.
#[derive(Clone, Debug)]
pub struct Report {
    /// The verdict.
    pub verdict: Verdict,
    /// What it took.
    pub stats: Stats,
    /// Bytes of stack of each function.
    pub stack: Vec<u32>,
    /// How long it took.
    pub time: Duration,
    /// What was written down on the way, as far as [`Options::log`](crate::Options::log) asks for.
    pub log: String,
}

impl Report {
    /// Whether the program was accepted.
    pub fn accepted(&self) -> bool {
        matches!(self.verdict, Verdict::Accepted(_))
    }

    /// Why it was not.
    pub fn fault(&self) -> Option<&Fault> {
        match &self.verdict {
            Verdict::Accepted(_) => None,
            Verdict::Rejected(fault) | Verdict::Unsupported(fault) => Some(fault),
        }
    }
}
