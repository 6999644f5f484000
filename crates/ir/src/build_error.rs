//! Programs whose shape is wrong, before anyone looks at what they compute.

use oxbpf_isa::Slot;
use thiserror::Error;

/// A program that cannot be built, and the instruction at which this shows.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[error("insn {slot}: {fault}")]
pub struct BuildError {
    /// The offending instruction.
    pub slot: Slot,
    /// What is wrong.
    pub fault: BuildFault,
}

/// What is wrong with a program's shape.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[allow(missing_docs)]
pub enum BuildFault {
    #[error("the program has no instructions")]
    Empty,
    #[error("the program has {count} instructions, more than {limit}")]
    TooLong { count: usize, limit: usize },
    #[error("jump to slot {target}, which is outside the program")]
    JumpOutside { target: i64 },
    #[error("call of slot {target}, which is outside the program")]
    CallOutside { target: i64 },
    #[error("jump to slot {target}, the second half of a wide instruction")]
    JumpIntoWide { target: i64 },
    #[error("jump to slot {target}, which belongs to another function")]
    JumpOutOfFunction { target: i64 },
    #[error("control runs past the last instruction of function {function}")]
    FallsOff { function: String },
    #[error("frame pointer is read only")]
    FramePointerWritten,
    #[error("map {index} does not exist; the unit has {count}")]
    NoSuchMap { index: i64, count: usize },
}

impl BuildError {
    /// A stable code, `build-…`.
    pub const fn code(&self) -> &'static str {
        match self.fault {
            BuildFault::Empty => "build-empty",
            BuildFault::TooLong { .. } => "build-too-long",
            BuildFault::JumpOutside { .. } => "build-jump-outside",
            BuildFault::CallOutside { .. } => "build-call-outside",
            BuildFault::JumpIntoWide { .. } => "build-jump-into-wide",
            BuildFault::JumpOutOfFunction { .. } => "build-jump-out-of-function",
            BuildFault::FallsOff { .. } => "build-falls-off",
            BuildFault::FramePointerWritten => "build-frame-pointer-written",
            BuildFault::NoSuchMap { .. } => "build-no-such-map",
        }
    }
}
