//! The formats of classic bytecode: which there are, how they are told apart, and one door to read and write them.

mod braces;
mod counted;
mod json;
mod listing;
mod scan;
mod text;

use oxbpf_isa::cbpf::{Fault as Rule, MAX_INSNS, SockFilter};
use thiserror::Error;

use crate::assemble::{MAX_SOURCE, Options, assemble};
use crate::error::{Diagnostic, Fault, Place};

pub use text::insn_text;

/// A format of classic bytecode.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Format {
    /// The text of bpf_asm.
    Text,
    /// One line for tc and bpf_dbg, as bpf_asm prints it: `2,40 0 0 12,6 0 0 0,`. Reading takes newlines for commas.
    Tc,
    /// The table that `bpf_asm -c` prints.
    AsmC,
    /// The listing of `tcpdump -d`.
    D,
    /// The table of `tcpdump -dd`.
    Dd,
    /// The numbers of `tcpdump -ddd`.
    Ddd,
    /// `struct sock_filter` in memory, little-endian.
    RawLe,
    /// `struct sock_filter` in memory, big-endian.
    RawBe,
    /// An array in C.
    C,
    /// An array in Rust, for the crate `libc`.
    Rust,
    /// A JSON document.
    Json,
}

/// A format's row.
#[derive(Clone, Copy, Debug)]
pub struct FormatRow {
    /// The format.
    pub format: Format,
    /// Its name in options.
    pub name: &'static str,
    /// What it is.
    pub about: &'static str,
}

const fn row(format: Format, name: &'static str, about: &'static str) -> FormatRow {
    FormatRow { format, name, about }
}

impl Format {
    /// All formats, in the order of the enumeration.
    pub const ROWS: [FormatRow; 11] = [
        row(Format::Text, "text", "the text of bpf_asm"),
        row(Format::Tc, "tc", "one line for tc, as bpf_asm prints it"),
        row(Format::AsmC, "asm-c", "the table of bpf_asm -c"),
        row(Format::D, "d", "the listing of tcpdump -d"),
        row(Format::Dd, "dd", "the table of tcpdump -dd"),
        row(Format::Ddd, "ddd", "the numbers of tcpdump -ddd"),
        row(Format::RawLe, "raw-le", "struct sock_filter, little-endian"),
        row(Format::RawBe, "raw-be", "struct sock_filter, big-endian"),
        row(Format::C, "c", "an array in C"),
        row(Format::Rust, "rust", "an array in Rust"),
        row(Format::Json, "json", "a JSON document"),
    ];

    /// This format's row.
    pub const fn row(self) -> &'static FormatRow {
        &Format::ROWS[self as usize]
    }

    /// The format of this name.
    pub fn by_name(name: &str) -> Option<Format> {
        Format::ROWS.iter().find(|r| r.name == name).map(|r| r.format)
    }

    /// Whether this is bytes and not characters.
    pub const fn is_binary(self) -> bool {
        matches!(self, Format::RawLe | Format::RawBe)
    }
}

/// An instruction that a format has no way to write.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[error("insn {at}: {fault}")]
pub struct WriteError {
    /// The instruction's index.
    pub at: usize,
    /// What is in the way.
    pub fault: Rule,
}

impl WriteError {
    /// A stable code, `cbpf-…`.
    pub const fn code(&self) -> &'static str {
        self.fault.code()
    }
}

/// `code` in a format. Only the text can fail: on opcodes that are none, and jumps that have no label.
pub fn write(format: Format, code: &[SockFilter]) -> Result<Vec<u8>, WriteError> {
    Ok(match format {
        Format::Text => text::write(code)?.into_bytes(),
        Format::Tc => counted::write(code, ',').into_bytes(),
        Format::Ddd => counted::write(code, '\n').into_bytes(),
        Format::AsmC => braces::asm_c(code).into_bytes(),
        Format::Dd => braces::dd(code).into_bytes(),
        Format::C => braces::c(code).into_bytes(),
        Format::Rust => braces::rust(code).into_bytes(),
        Format::D => listing::write(code).into_bytes(),
        Format::RawLe => code.iter().flat_map(|i| i.to_le_bytes()).collect(),
        Format::RawBe => code.iter().flat_map(|i| i.to_be_bytes()).collect(),
        Format::Json => json::write(code).into_bytes(),
    })
}

/// What was read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Read {
    /// The format it was in.
    pub format: Format,
    /// The instructions, 1 to 4,096.
    pub code: Vec<SockFilter>,
    /// For each instruction where it stands; none for bytes and JSON.
    pub places: Vec<Place>,
    /// Of text, what can be assembled but not run.
    pub warnings: Vec<Diagnostic>,
}

/// The instructions of a file in the given format, or in the one that [`detect`] sees.
pub fn read(bytes: &[u8], format: Option<Format>, options: &Options) -> Result<Read, Vec<Diagnostic>> {
    let format = format.unwrap_or_else(|| detect(bytes));
    let nowhere = |fault| vec![Diagnostic { fault, line: 1, column: 1, width: 1 }];
    if bytes.len() > MAX_SOURCE {
        return Err(nowhere(Fault::Size { bytes: bytes.len(), max: MAX_SOURCE }));
    }
    if format.is_binary() {
        let code = raw(bytes, format).map_err(nowhere)?;
        return Ok(Read { format, code, places: Vec::new(), warnings: Vec::new() });
    }
    let source = match std::str::from_utf8(bytes) {
        Ok(source) => source,
        Err(e) => return Err(nowhere(Fault::Utf8 { at: e.valid_up_to() })),
    };
    let (code, places) = match format {
        Format::Text => {
            let assembled = assemble(source, options)?;
            return Ok(Read { format, code: assembled.code, places: assembled.places, warnings: assembled.warnings });
        }
        Format::Json => (json::read(source).map_err(|d| vec![d])?, Vec::new()),
        _ => {
            let read = match format {
                Format::Tc | Format::Ddd => counted::read(source),
                Format::D => listing::read(source),
                _ => braces::read(source),
            };
            let placed = read.map_err(|(at, len, fault)| vec![Diagnostic::at(source, at, len, fault)])?;
            let spans = placed.iter().map(|&(at, _)| (at, scan::extent(&source[at..], format)));
            let places = Place::of_spans(source, spans);
            (placed.into_iter().map(|(_, insn)| insn).collect(), places)
        }
    };
    bounded(&code).map_err(nowhere)?;
    Ok(Read { format, code, places, warnings: Vec::new() })
}

fn bounded(code: &[SockFilter]) -> Result<(), Fault> {
    match code.len() {
        0 => Err(Fault::Empty),
        1..=MAX_INSNS => Ok(()),
        _ => Err(Fault::TooLong { max: MAX_INSNS }),
    }
}

fn raw(bytes: &[u8], format: Format) -> Result<Vec<SockFilter>, Fault> {
    let chunks = bytes.chunks_exact(8);
    if !chunks.remainder().is_empty() {
        return Err(Fault::Bytes { bytes: bytes.len() });
    }
    if chunks.len() > MAX_INSNS {
        return Err(Fault::TooLong { max: MAX_INSNS });
    }
    let from = if format == Format::RawBe { SockFilter::from_be_bytes } else { SockFilter::from_le_bytes };
    let code: Vec<SockFilter> = chunks.map(|c| from(std::array::from_fn(|i| c[i]))).collect();
    bounded(&code).map(|()| code)
}

/// The format that a file seems to be in. What looks like nothing else is text.
pub fn detect(bytes: &[u8]) -> Format {
    let Some(source) = std::str::from_utf8(bytes).ok().filter(|s| !s.contains('\0')) else {
        // Opcodes have a zero above them, which is behind or in front.
        let high = |at: usize| bytes.chunks_exact(8).filter(|c| c[at] != 0).count();
        return if high(0) < high(1) { Format::RawBe } else { Format::RawLe };
    };
    let start = source.trim_start();
    let first = |from: &str| from.trim_start().chars().next();
    match start.chars().next() {
        Some('[') => Format::Json,
        Some('{') if first(&start[1..]) == Some('"') => Format::Json,
        Some('{') => match start.lines().next().is_some_and(|l| l.contains(",  ") || l.contains(", 1")) {
            true if braces::asm_c_like(start) => Format::AsmC,
            _ => Format::Dd,
        },
        Some('(') if start[1..].trim_start_matches(|c: char| c.is_ascii_digit()).starts_with(") ") => Format::D,
        // In the quotes of a command line.
        Some('\'') => Format::Tc,
        Some('0'..='9') => match start.trim_start_matches(|c: char| c.is_ascii_digit()).trim_start_matches(' ') {
            rest if rest.starts_with(',') => Format::Tc,
            rest if rest.starts_with(['\n', '\r']) => Format::Ddd,
            _ => Format::Text,
        },
        _ if source.contains("sock_filter") && source.contains('{') => {
            if source.contains("code:") {
                Format::Rust
            } else {
                Format::C
            }
        }
        _ => Format::Text,
    }
}
