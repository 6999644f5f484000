//! What can be wrong with a program written as text, and how it is shown.

use oxbpf_ir::BuildFault;
use oxbpf_isa::text::{MAX_ERRORS, TextError, TextFault};
use oxbpf_runtime::maps::MapError;
use thiserror::Error;

/// One mistake: what, and the characters it is about.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[error("{line}:{column}: {fault}")]
pub struct UnitTextError {
    /// What is wrong.
    pub fault: UnitTextFault,
    /// The line, from 1.
    pub line: u32,
    /// The first wrong character of the line, from 1.
    pub column: u32,
    /// How many characters are wrong, at least 1.
    pub width: u32,
}

/// What is wrong.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[allow(missing_docs)]
pub enum UnitTextFault {
    /// An instruction that cannot be read.
    #[error(transparent)]
    Insn(#[from] TextFault),
    /// A program whose shape is wrong.
    #[error("{0}")]
    Build(BuildFault),
    /// Something else should stand in a directive.
    #[error("expected {expected}, found {found}")]
    Syntax { expected: String, found: String },
    /// No directive has this name.
    #[error("unknown directive `{name}`{}", nearest(near))]
    Directive { name: String, near: Option<String> },
    /// A name that nothing has.
    #[error("no {what} `{name}`{}", known(what, near))]
    Unknown { what: &'static str, name: String, near: Option<String> },
    /// A name that is taken.
    #[error("{what} `{name}` is already defined on line {first}")]
    Duplicate { what: &'static str, name: String, first: u32 },
    /// A map that the kernel would not make, or an entry that it would not take.
    #[error(transparent)]
    Map(#[from] MapError),
    /// A value that does not do.
    #[error("{0}")]
    Value(String),
    /// A directive where it says nothing.
    #[error("{0}")]
    Misplaced(&'static str),
}

/// The nearest name, or all of a kind that has few.
fn known(what: &str, near: &Option<String>) -> String {
    match what {
        "program type" if near.is_none() => format!("; there are {}", oxbpf_abi::PROG_TYPES.map(|r| r.name).join(", ")),
        _ => nearest(near),
    }
}

fn nearest(near: &Option<String>) -> String {
    near.as_ref().map_or_else(String::new, |n| format!("; did you mean `{n}`?"))
}

impl UnitTextFault {
    /// A stable code: `asm-…`, `build-…` or `unit-…`.
    pub fn code(&self) -> &'static str {
        match self {
            UnitTextFault::Insn(fault) => fault.code(),
            UnitTextFault::Build(fault) => {
                oxbpf_ir::BuildError { slot: oxbpf_isa::Slot(0), fault: fault.clone() }.code()
            }
            UnitTextFault::Syntax { .. } => "unit-syntax",
            UnitTextFault::Directive { .. } => "unit-directive",
            UnitTextFault::Unknown { .. } => "unit-unknown-name",
            UnitTextFault::Duplicate { .. } => "unit-duplicate",
            UnitTextFault::Map(error) => error.code(),
            UnitTextFault::Value(_) => "unit-value",
            UnitTextFault::Misplaced(_) => "unit-misplaced",
        }
    }
}

impl UnitTextError {
    /// A stable code.
    pub fn code(&self) -> &'static str {
        self.fault.code()
    }

    /// The error above its source line, with carets below what it is about, as
    /// [`TextError::render`](oxbpf_isa::text::TextError::render) shows it.
    pub fn render(&self, source: &str, file_name: &str) -> String {
        // Only the place matters to the part below the first line.
        let fault = TextFault::Mnemonic { name: String::new() };
        let place = TextError { fault, line: self.line, column: self.column, width: self.width };
        let shown = place.render(source, file_name);
        let snippet = shown.split_once('\n').map_or("", |(_, snippet)| snippet);
        format!("error[{}]: {}\n{snippet}", self.code(), self.fault)
    }
}

/// Mistakes in directives and names are counted up to this many beyond those that are told.
const MAX_COUNTED: usize = 100;

/// What is wrong with a text: the first mistakes, in order of lines, and how many more there are.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct UnitTextErrors {
    /// At most [`MAX_ERRORS`].
    pub first: Vec<UnitTextError>,
    /// How many mistakes are not told.
    pub more: usize,
}

impl UnitTextErrors {
    pub(super) fn push(&mut self, error: UnitTextError) {
        let at = self.first.partition_point(|e| (e.line, e.column) <= (error.line, error.column));
        self.first.insert(at, error);
        if self.first.len() > MAX_ERRORS {
            self.first.truncate(MAX_ERRORS);
            self.more += 1;
        }
    }

    /// The error of something that may have one.
    pub(super) fn take(&mut self, error: Option<UnitTextError>) {
        error.into_iter().for_each(|e| self.push(e));
    }

    /// Whether enough was told: looking for the names that may be meant by a million takes long.
    pub(super) fn enough(&self) -> bool {
        self.more >= MAX_COUNTED
    }

    pub(super) fn append(&mut self, other: UnitTextErrors) {
        self.more += other.more;
        other.first.into_iter().for_each(|e| self.push(e));
    }
}

impl From<UnitTextError> for UnitTextErrors {
    fn from(error: UnitTextError) -> Self {
        UnitTextErrors { first: vec![error], more: 0 }
    }
}

impl std::ops::Deref for UnitTextErrors {
    type Target = [UnitTextError];

    fn deref(&self) -> &[UnitTextError] {
        &self.first
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_errors_stay_and_all_are_counted() {
        let mut errors = UnitTextErrors::default();
        let error = |line| UnitTextError { fault: UnitTextFault::Misplaced(""), line, column: 1, width: 1 };
        (1..=30).rev().for_each(|line| errors.push(error(line)));
        errors.push(error(5));
        let lines: Vec<u32> = errors.iter().map(|e| e.line).collect();
        assert_eq!(lines, [1, 2, 3, 4, 5, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19]);
        assert_eq!(errors.more, 11);
    }
}
