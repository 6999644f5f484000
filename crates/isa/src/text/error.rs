//! What can be wrong with a text, where it is wrong, and how that is shown.

use core::fmt::Write as _;

use thiserror::Error;

use super::Dialect;
use crate::decode::DecodeFault;

/// One mistake in a text: what, and the characters it is about.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[error("{line}:{column}: {fault}")]
pub struct TextError {
    /// What is wrong.
    pub fault: TextFault,
    /// The line, from 1.
    pub line: u32,
    /// The first wrong character of the line, from 1.
    pub column: u32,
    /// How many characters are wrong, at least 1.
    pub width: u32,
}

/// What is wrong with a text. Quoted text is cut at 40 characters.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[allow(missing_docs)]
pub enum TextFault {
    /// Something else should stand here.
    #[error("expected {expected}, found {found}")]
    Syntax { expected: String, found: String },
    /// No instruction begins with this word.
    #[error("unknown instruction `{name}`")]
    Mnemonic { name: String },
    /// It looks like a register, but is none.
    #[error("no such register `{name}`: there are r0 to r10, and w0 to w10 for their lower halves")]
    Register { name: String },
    /// It looks like a register of a dialect without lower halves, but is none.
    #[error("no such register `{name}`: there are r0 to r10")]
    NumberedRegister { name: String },
    /// A lower half where a whole register is needed, or the other way round.
    #[error("{need}, found `{found}`")]
    Width { need: &'static str, found: String },
    /// The type of a memory access does not exist, or not for this instruction.
    #[error("no {what} of type `{name}`: it is one of {choices}")]
    Type { what: &'static str, name: String, choices: &'static str },
    /// A word where a number, a register or an address is needed.
    #[error("unknown operand `{name}`; the address of a map, variable or function is written `{name} ll`")]
    Operand { name: String },
    /// An instruction names one register twice, and the two differ.
    #[error("{what} needs `{need}` here, found `{found}`")]
    SameRegister { what: &'static str, need: String, found: String },
    /// Not a number.
    #[error("malformed number `{text}`: numbers are decimal without leading zeros, or hexadecimal as in 0x1f")]
    Number { text: String },
    /// A number that its field cannot hold.
    #[error("{text} does not fit {field}, which holds {min} to {max}")]
    Range { text: String, field: &'static str, min: i128, max: i128 },
    /// A width that the operation does not have.
    #[error("no operation of {bits} bits: it is one of {choices}")]
    Bits { bits: u32, choices: &'static str },
    /// A name in an argument that stands for nothing there.
    #[error("`{name}` stands for no number here")]
    Constant { name: String },
    /// Too few or too many arguments of a macro.
    #[error("`{name}` takes {want} arguments, found {found}")]
    Arguments { name: &'static str, want: usize, found: usize },
    /// The fields that a macro's arguments fill are no instruction.
    #[error("these fields are no instruction: {fault}")]
    Fields { fault: DecodeFault },
    /// An instruction of another dialect than the rest of the text.
    #[error("this is {title} syntax, and the text is read as {read}; --syntax {is}")]
    Dialect { title: &'static str, is: Dialect, read: Dialect },
    /// A jump that is too far for its instruction.
    #[error("`{name}` is {distance} slots away and {instruction} reaches -32768 to 32767; {advice}")]
    Distance { name: String, distance: i64, instruction: &'static str, advice: &'static str },
    /// A label that is defined a second time.
    #[error("label `{name}` is already defined on line {first}")]
    DuplicateLabel { name: String, first: u32 },
    /// A jump to a label that is not in the text.
    #[error("no label `{name}`")]
    UnknownLabel { name: String },
    /// An offset from the address of a function.
    #[error("`{name}` is a label of this program, and a function's address takes no offset")]
    Addend { name: String },
    /// The opcode in parentheses is not the one of the text behind it.
    #[error("opcode ({found:02x}) does not belong to this instruction, whose opcode is ({need:02x})")]
    Opcode { found: u8, need: u8 },
    /// The raw bytes are not the instruction of the text behind them.
    #[error("these bytes are `{bytes}`, which is not what the text says")]
    Bytes { bytes: String },
    /// The raw bytes are no instruction.
    #[error("these bytes are no instruction: {fault}")]
    NotInsn { fault: DecodeFault },
    /// The text is longer than is read.
    #[error("text of {bytes} bytes; at most {max} are read")]
    Size { bytes: usize, max: usize },
}

impl TextFault {
    /// A stable code, `asm-…`.
    pub const fn code(&self) -> &'static str {
        match self {
            TextFault::Syntax { .. } => "asm-syntax",
            TextFault::Mnemonic { .. } => "asm-mnemonic",
            TextFault::Register { .. } | TextFault::NumberedRegister { .. } => "asm-register",
            TextFault::Width { .. } => "asm-width",
            TextFault::Type { .. } => "asm-type",
            TextFault::Operand { .. } => "asm-operand",
            TextFault::SameRegister { .. } => "asm-same-register",
            TextFault::Number { .. } => "asm-number",
            TextFault::Range { .. } => "asm-range",
            TextFault::Bits { .. } => "asm-bits",
            TextFault::Constant { .. } => "asm-constant",
            TextFault::Arguments { .. } => "asm-arguments",
            TextFault::Fields { .. } => "asm-fields",
            TextFault::Dialect { .. } => "asm-dialect",
            TextFault::Distance { .. } => "asm-distance",
            TextFault::DuplicateLabel { .. } => "asm-duplicate-label",
            TextFault::UnknownLabel { .. } => "asm-unknown-label",
            TextFault::Addend { .. } => "asm-addend",
            TextFault::Opcode { .. } => "asm-opcode",
            TextFault::Bytes { .. } => "asm-bytes",
            TextFault::NotInsn { .. } => "asm-not-insn",
            TextFault::Size { .. } => "asm-size",
        }
    }
}

impl TextError {
    /// A stable code, `asm-…`.
    pub const fn code(&self) -> &'static str {
        self.fault.code()
    }

    /// The error above its source line, with carets below what it is about:
    ///
    /// ```text
    /// error[asm-register]: no such register `r11`: …
    ///   --> prog.s:3:6
    ///    |
    ///  3 | r0 = r11
    ///    |      ^^^
    /// ```
    ///
    /// A long line is cut to the part around the error.
    pub fn render(&self, source: &str, file_name: &str) -> String {
        let head = format!("error[{}]: {}", self.code(), self.fault);
        excerpt(&head, (self.line, self.column, self.width), source, file_name)
    }
}

/// What is wrong with a text: the first mistakes, in order of lines, and how many more there are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TextErrors {
    /// At least one, at most [`MAX_ERRORS`](super::MAX_ERRORS).
    pub first: Vec<TextError>,
    /// How many mistakes are not told.
    pub more: usize,
}

impl TextErrors {
    /// All of them as [`TextError::render`] shows them, an empty line between, and at the end `and 3 more errors`.
    pub fn render(&self, source: &str, file_name: &str) -> String {
        let shown: Vec<String> = self.first.iter().map(|e| e.render(source, file_name)).collect();
        shown.join("\n") + &more(self.more)
    }
}

/// The line that says how many errors were left out; empty for none.
pub fn more(count: usize) -> String {
    match count {
        0 => String::new(),
        1 => "\nand 1 more error\n".to_owned(),
        n => format!("\nand {n} more errors\n"),
    }
}

impl core::ops::Deref for TextErrors {
    type Target = [TextError];

    fn deref(&self) -> &[TextError] {
        &self.first
    }
}

impl IntoIterator for TextErrors {
    type Item = TextError;
    type IntoIter = std::vec::IntoIter<TextError>;

    fn into_iter(self) -> Self::IntoIter {
        self.first.into_iter()
    }
}

/// A message above the source line it is about, as [`TextError::render`] shows it. The place is the line and the
/// column, from 1, and how many characters it takes.
pub fn excerpt(message: &str, (line, column, width): (u32, u32, u32), source: &str, file_name: &str) -> String {
    let text = source.lines().nth(line.saturating_sub(1) as usize).unwrap_or("");
    let before = column.saturating_sub(1) as usize;
    let from = before.saturating_sub(SHOWN / 2);
    let from = if before + SHOWN / 2 <= SHOWN { 0 } else { from };
    // What would move a terminal's cursor is shown as a character that does not.
    let still = |c: char| if c.is_control() && c != '\t' { '\u{fffd}' } else { c };
    let shown = || text.chars().skip(from).take(SHOWN).map(still);
    // Tabs stay tabs in the line of carets, so that both lines are as wide.
    let pad: String = shown().take(before - from).map(|c| if c == '\t' { c } else { ' ' }).collect();
    let room = shown().count().saturating_sub(before - from).max(1);
    let carets = "^".repeat((width as usize).clamp(1, room));
    let gutter = " ".repeat(line.to_string().len());
    let mut out = String::new();
    // Writing to a string does not fail.
    let _ = writeln!(out, "{message}");
    let _ = writeln!(out, " {gutter}--> {file_name}:{line}:{column}");
    let _ = writeln!(out, " {gutter} |");
    let _ = writeln!(out, " {line} | {}", shown().collect::<String>());
    let _ = writeln!(out, " {gutter} | {pad}{carets}");
    out
}

/// Characters of a source line that are shown with an error.
const SHOWN: usize = 160;

/// `text` for a message: its first 40 characters, and `…` where there are more.
pub fn quote(text: &str) -> String {
    match text.char_indices().nth(40) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
