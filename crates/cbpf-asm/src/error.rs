//! What can be wrong with a text or a file of bytecode, and how that is shown.

use oxbpf_isa::cbpf;
use oxbpf_isa::text::excerpt;
use thiserror::Error;

/// One mistake, or one doubt, and the characters it is about.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[error("{line}:{column}: {fault}")]
pub struct Diagnostic {
    /// What is wrong.
    pub fault: Fault,
    /// The line, from 1.
    pub line: u32,
    /// The first character of the line it is about, from 1.
    pub column: u32,
    /// How many characters it is about, at least 1.
    pub width: u32,
}

/// What is wrong. Quoted text is cut at 40 characters.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[allow(missing_docs)]
pub enum Fault {
    /// Something else should stand here.
    #[error("expected {expected}, found {found}")]
    Syntax { expected: String, found: String },
    /// No instruction begins with this word.
    #[error("unknown instruction `{name}`")]
    Mnemonic { name: String },
    /// An operand that this instruction does not have.
    #[error("`{mnemonic}` takes {expected}, not `{found}`")]
    Operand { mnemonic: &'static str, expected: &'static str, found: String },
    /// Not a number.
    #[error("malformed number `{text}`: decimal, 0x1f, 017 and 0b11 are numbers")]
    Number { text: String },
    /// A number that its field cannot hold.
    #[error("{text} does not fit {bits} bits")]
    Range { text: String, bits: u32 },
    /// A word of scratch memory that is not there.
    #[error("M[{text}] does not exist, there are M[0] to M[15]")]
    Scratch { text: String },
    /// A header length that is not `4*([k]&0xf)`.
    #[error("only `4*([k]&0xf)` can be loaded, not `{text}`")]
    HeaderLength { text: String },
    /// A label with the name of an instruction, register or extension.
    #[error("`{name}` is a word of the language and cannot be a label")]
    Keyword { name: String },
    /// A label that is defined a second time.
    #[error("label `{name}` is already defined on line {first}")]
    DuplicateLabel { name: String, first: u32 },
    /// A jump to a label that is not in the text.
    #[error("no label `{name}`")]
    UnknownLabel { name: String },
    /// A label behind the last instruction.
    #[error("label `{name}` has no instruction")]
    EmptyLabel { name: String },
    /// A jump to an earlier instruction.
    #[error("`{name}` stands before this jump; classic BPF jumps forward only")]
    Backward { name: String },
    /// A conditional jump that is too far.
    #[error("`{name}` is {distance} instructions away, a condition reaches 255; --relax goes through `ja`")]
    Distance { name: String, distance: u32 },
    /// A program of nothing.
    #[error("no instructions")]
    Empty,
    /// More than can be run.
    #[error("more than {max} instructions")]
    TooLong { max: usize },
    /// More labels than are kept.
    #[error("more than {max} labels")]
    TooManyLabels { max: usize },
    /// Nothing wrong here, but bpf_asm does not read it.
    #[error("bpf_asm does not read {what}")]
    Strict { what: &'static str },
    /// The kernel does not run it.
    #[error("the kernel refuses this: {0}")]
    Refused(cbpf::Fault),
    /// A comment without end.
    #[error("comment without end")]
    Comment,
    /// The count in front is not how many instructions follow.
    #[error("the count says {count} instructions, {found} follow")]
    Count { count: u32, found: usize },
    /// tc reads decimal numbers only, and does not say so.
    #[error("`{text}` is no decimal number of {bits} bits: tc would read {read} and install `{installed}`")]
    TcNumber { text: String, bits: u32, read: u64, installed: String },
    /// An opcode without a text, whose other fields the listing does not have.
    #[error("a listing does not tell what is in an instruction of unknown opcode {code}")]
    Unlisted { code: String },
    /// Bytes that are not whole instructions.
    #[error("{bytes} bytes are not whole instructions of 8")]
    Bytes { bytes: usize },
    /// JSON of another shape.
    #[error("{message}")]
    Json { message: String },
    /// Not text.
    #[error("byte {at} is not UTF-8")]
    Utf8 { at: usize },
    /// Longer than is read.
    #[error("text of {bytes} bytes; at most {max} are read")]
    Size { bytes: usize, max: usize },
}

macro_rules! codes {
    ($($fault:ident $code:literal,)*) => {
        impl Fault {
            /// All codes but those of rules, which are [`cbpf::Fault::CODES`], in the order of the enumeration.
            pub const CODES: [&str; [$($code),*].len()] = [$($code),*];

            /// A stable code, `casm-…`, or the rule's own `cbpf-…`.
            pub const fn code(&self) -> &'static str {
                match self {
                    $(Fault::$fault { .. } => $code,)*
                    Fault::Refused(fault) => fault.code(),
                }
            }
        }
    };
}
codes! {
    Syntax "casm-syntax",
    Mnemonic "casm-mnemonic",
    Operand "casm-operand",
    Number "casm-number",
    Range "casm-range",
    Scratch "casm-scratch",
    HeaderLength "casm-header-length",
    Keyword "casm-keyword",
    DuplicateLabel "casm-duplicate-label",
    UnknownLabel "casm-unknown-label",
    EmptyLabel "casm-empty-label",
    Backward "casm-backward",
    Distance "casm-distance",
    Empty "casm-empty",
    TooLong "casm-too-long",
    TooManyLabels "casm-too-many-labels",
    Strict "casm-strict",
    Comment "casm-comment",
    Count "casm-count",
    TcNumber "casm-tc-number",
    Unlisted "casm-unlisted",
    Bytes "casm-bytes",
    Json "casm-json",
    Utf8 "casm-utf8",
    Size "casm-size",
}

/// Where in a text an instruction stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place {
    /// The line, from 1.
    pub line: u32,
    /// The first character of the line, from 1.
    pub column: u32,
    /// How many characters, at least 1.
    pub width: u32,
}

impl Place {
    /// The places of spans (byte offset and length, in order) in one pass over the text.
    pub(crate) fn of_spans(source: &str, spans: impl IntoIterator<Item = (usize, usize)>) -> Vec<Place> {
        let (mut line, mut column, mut from) = (1, 1, 0);
        let place = |(at, len): (usize, usize)| {
            let passed = &source[from..at];
            line += passed.matches('\n').count() as u32;
            let tail = passed.rfind('\n').map(|n| &passed[n + 1..]);
            column = tail.map_or(column, |_| 1) + tail.unwrap_or(passed).chars().count() as u32;
            from = at;
            let width = source[at..at + len].chars().count().max(1) as u32;
            Place { line, column, width }
        };
        spans.into_iter().map(place).collect()
    }
}

impl Diagnostic {
    /// A stable code, `casm-…` or `cbpf-…`.
    pub const fn code(&self) -> &'static str {
        self.fault.code()
    }

    /// What can be assembled but not run is a warning; all else is an error.
    pub const fn is_warning(&self) -> bool {
        matches!(self.fault, Fault::Refused(_))
    }

    /// The message above its source line, with carets below what it is about; of what is wrong with a whole file, above
    /// the file's name:
    ///
    /// ```text
    /// error[casm-mnemonic]: unknown instruction `lod`
    ///   --> drop.txt:3:1
    ///    |
    ///  3 | lod [12]
    ///    | ^^^
    /// ```
    pub fn render(&self, source: &str, file_name: &str) -> String {
        let kind = if self.is_warning() { "warning" } else { "error" };
        let head = format!("{kind}[{}]: {}", self.code(), self.fault);
        if matches!(self.fault, Fault::Bytes { .. } | Fault::Utf8 { .. } | Fault::Size { .. }) {
            // The file as a whole is wrong.
            return format!("{head}\n  --> {file_name}\n");
        }
        excerpt(&head, (self.line, self.column, self.width), source, file_name)
    }

    /// `fault` at a byte offset of `source`, about so many bytes of that line.
    pub(crate) fn at(source: &str, offset: usize, len: usize, fault: Fault) -> Diagnostic {
        let before = &source[..offset];
        let line_start = before.rfind('\n').map_or(0, |n| n + 1);
        let about = source[offset..].get(..len).unwrap_or_default();
        let about = about.split('\n').next().unwrap_or_default();
        Diagnostic {
            fault,
            line: before.matches('\n').count() as u32 + 1,
            column: before[line_start..].chars().count() as u32 + 1,
            width: about.chars().count().max(1) as u32,
        }
    }
}

/// `text` for a message, cut where it is long.
pub(crate) fn quote(text: &str) -> String {
    match text.char_indices().nth(40) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
