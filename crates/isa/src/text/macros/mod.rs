//! The opcode macros of the kernel's C sources: `BPF_MOV64_IMM(BPF_REG_0, 1),`.
//!
//! A macro is a row: what it says by itself, and which field each of its arguments fills ([`rows`]). The reader fills the
//! fields and decodes them; the writer chooses the macro that C programmers would. Arguments are expressions of numbers
//! and the kernel's names. Every instruction has a macro; names of labels and maps as arguments are ours.

mod expr;
mod read;
mod rows;
mod write;

pub(super) use read::{boilerplate, statement};
pub(super) use write::write;

/// Whether a word is one of the names that arguments are made of, and so cannot name a label.
pub(super) fn is_constant(word: &str) -> bool {
    word.starts_with("BPF_") || rows::constant(word).is_some()
}
