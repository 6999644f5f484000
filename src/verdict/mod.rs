//! Verdicts for people and for programs: what the verifier found, with its place, in words and in the formats that
//! other tools read.
//!
//! [`judge`] asks the verifier about one program and keeps what all formats need; [`render`] shows a rejection.

mod log;
mod needed;
mod render;
pub mod sarif;
pub mod veristat;
mod way;
pub mod words;

use std::time::Duration;

use oxbpf_abi::ProgType;
use oxbpf_ir::{BuildFault, InsnId, ProgIdx, Program, Unit};
use oxbpf_verifier::{Code, Fault, Options, Report, Stats, Verdict};

pub use render::{of_kernel, render};

/// How a program was judged.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Outcome {
    /// It is safe.
    Accepted,
    /// It uses what is not judged yet.
    Unsupported,
    /// It is refused.
    Rejected,
    /// It could not be read, so that there is nothing to judge.
    Unreadable,
}

impl Outcome {
    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Outcome::Accepted => "accepted",
            Outcome::Unsupported => "unsupported",
            Outcome::Rejected => "rejected",
            Outcome::Unreadable => "unreadable",
        }
    }
}

/// A place in a source.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Place {
    /// The file, as the compiler wrote it.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1; 0 where unknown.
    pub column: u32,
}

/// Why a program was not accepted.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// The code: `OX301`, or another stable one where the program got not as far as the verifier.
    pub code: String,
    /// Where, as the kernel counts.
    pub slot: Option<u32>,
    /// Where in the source.
    pub place: Option<Place>,
    /// In a clause.
    pub message: String,
    /// What the kernel prints for it; empty where that is not known.
    pub kernel: String,
    /// As it is shown to people.
    pub rendered: String,
    /// The branches that led there, as slots and places.
    pub path: Vec<(u32, Option<Place>)>,
}

/// A program and what is said of it.
#[derive(Clone, Debug)]
pub struct Judged {
    /// PROG's file.
    pub file: String,
    /// The program's name.
    pub name: String,
    /// Its section; empty where there is none.
    pub section: String,
    /// Its type; none where it was not read so far.
    pub prog_type: Option<ProgType>,
    /// Its slots.
    pub insns: u32,
    /// The verdict.
    pub outcome: Outcome,
    /// Why, where it was not accepted.
    pub refusal: Option<Refusal>,
    /// What the verdict took.
    pub stats: Stats,
    /// Bytes of stack of each function.
    pub stack: Vec<u32>,
    /// How long it took.
    pub time: Duration,
    /// What was written down on the way.
    pub log: String,
}

impl Judged {
    /// A program of which nothing is known but why there is no more.
    pub fn without(file: &str, name: &str, outcome: Outcome, refusal: Refusal) -> Judged {
        Judged {
            file: file.to_string(),
            name: name.to_string(),
            section: String::new(),
            prog_type: None,
            insns: 0,
            outcome,
            refusal: Some(refusal),
            stats: Stats::default(),
            stack: Vec::new(),
            time: Duration::ZERO,
            log: String::new(),
        }
    }
}

/// Asks the verifier about a program of a unit.
pub fn judge(file: &str, unit: &Unit, program: ProgIdx, options: &Options) -> Judged {
    let report = oxbpf_verifier::verify(unit, program, options);
    judged(file, unit, program, report)
}

/// A report, with what its formats need.
pub fn judged(file: &str, unit: &Unit, index: ProgIdx, report: Report) -> Judged {
    let program = &unit.programs()[index.index()];
    let outcome = match &report.verdict {
        Verdict::Accepted(_) => Outcome::Accepted,
        Verdict::Rejected(_) => Outcome::Rejected,
        Verdict::Unsupported(_) => Outcome::Unsupported,
    };
    let refusal = report.fault().map(|fault| refusal(unit, program, fault));
    let log = match report.log.as_str() {
        "" => String::new(),
        notes => log::of_kernel(unit, program, notes, report.fault()),
    };
    Judged {
        file: file.to_string(),
        name: program.name().to_string(),
        section: program.section().to_string(),
        prog_type: Some(program.prog_type()),
        insns: program.slot_count(),
        outcome,
        refusal,
        stats: report.stats,
        stack: report.stack,
        time: report.time,
        log,
    }
}

fn refusal(unit: &Unit, program: &Program, fault: &Fault) -> Refusal {
    let path = fault.path.iter().map(|(from, _)| (program.slot(*from).0, place(program, *from)));
    Refusal {
        code: fault.code.name(),
        slot: fault.insn.map(|insn| program.slot(insn).0),
        place: fault.insn.and_then(|insn| place(program, insn)),
        message: match fault.code {
            Code::Unsupported => format!("not judged yet: {}", fault.message()),
            code => code.title().to_string(),
        },
        kernel: if fault.code == Code::Unsupported { String::new() } else { fault.message().to_string() },
        rendered: render(unit, program, fault),
        path: path.collect(),
    }
}

/// Where an instruction comes from.
fn place(program: &Program, insn: InsnId) -> Option<Place> {
    let line = program.line(insn)?;
    Some(Place { file: line.file.to_string(), line: line.line, column: line.column })
}

/// The code for a program whose shape is wrong already.
pub fn of_shape(fault: &BuildFault) -> Code {
    match fault {
        BuildFault::Empty => Code::BadInsn,
        BuildFault::TooLong { .. } => Code::TooComplex,
        BuildFault::JumpOutside { .. } | BuildFault::JumpIntoWide { .. } | BuildFault::JumpOutOfFunction { .. } => {
            Code::BadJump
        }
        BuildFault::CallOutside { .. } => Code::BadCallTarget,
        BuildFault::FallsOff { .. } => Code::FallsOff,
        BuildFault::FramePointerWritten => Code::FramePointer,
        BuildFault::NoSuchMap { .. } => Code::MapCompat,
    }
}
