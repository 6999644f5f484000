//! Operations: what to run, and with which numbers.

use super::run::State;

/// Runs an operation, the first of these, and all that follow it; answers what the program returns.
///
/// The arguments stay in registers, and each operation calls the next one as the last thing it does, which optimised
/// builds do by a jump.
pub(super) type Step = fn(&[Op], &mut State<'_>, a: u32, x: u32) -> u32;

/// One instruction, or several that are done together. Of these the others keep their own operations, for those that
/// jump there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Op {
    pub(super) run: Step,
    /// The offset of a load.
    pub(super) off: u32,
    /// A constant, or the index of a word of scratch memory.
    pub(super) k: u32,
    /// A mask, or the offset of a second load.
    pub(super) more: u32,
    /// Where a condition leads: see [`Way`].
    pub(super) holds: u32,
    pub(super) fails: u32,
}

/// Where control goes, and what an operation's `holds` or `fails` is for it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Way {
    /// To the next instruction; nothing.
    Next,
    /// Further on; how many operations from this one.
    Skip,
    /// Out of the program; the result.
    Ret,
}

impl Way {
    pub(super) const ALL: [Way; 3] = [Way::Next, Way::Skip, Way::Ret];
}
