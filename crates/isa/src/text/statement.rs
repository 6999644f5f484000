//! What every dialect's reader makes of a line: an instruction, and the name in it that is left to resolve.

use super::cursor::Token;
use crate::insn::Insn;

/// What a name in an instruction stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum NameKind {
    /// The target of a jump: a label.
    Jump,
    /// What is called: a label, or something that the caller knows.
    Call,
    /// What is called, by a dialect that says it is a function of the program: a label.
    Local,
    /// What a wide load takes the address of: a label, or something that the caller knows.
    Address,
}

/// A name that an instruction refers to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Name<'a> {
    pub kind: NameKind,
    pub token: Token<'a>,
    /// What is added to an address; the number behind `#` of a call.
    pub addend: i64,
}

/// An instruction, complete but for the name, if it has one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Statement<'a> {
    pub insn: Insn,
    pub name: Option<Name<'a>>,
}

impl<'a> Statement<'a> {
    /// An instruction whose name is to be resolved.
    pub fn named(insn: Insn, kind: NameKind, token: Token<'a>, addend: i64) -> Self {
        Statement { insn, name: Some(Name { kind, token, addend }) }
    }
}

impl From<Insn> for Statement<'_> {
    fn from(insn: Insn) -> Self {
        Statement { insn, name: None }
    }
}
