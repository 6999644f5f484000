//! Vectors: an instruction with operands and what must come of it, as text.
//!
//! A line is `NAME [FORM] OPERANDS = RESULTS`, of an instruction of [`oxbpf_isa::catalog`]:
//!
//! | instructions | operands | results |
//! |---|---|---|
//! | two operands (`add32 reg`, `add32 imm`) | destination, source | destination |
//! | one operand (`neg32`, `be16`, `movsx64_8`) | source | destination |
//! | jumps on a condition (`jeq32 reg`) | the two that are compared | `taken` or `next` |
//! | loads (`ldxb`, `load_acquire_w`) | 8 bytes of memory, little-endian | destination |
//! | stores (`stxb reg`, `stxb imm`) | 8 bytes of memory, source | the 8 bytes |
//! | atomics (`atomic_fetch_add64`) | 8 bytes of memory, source; of cmpxchg also r0 | the 8 bytes, and what is fetched |
//! | `lddw` | the value | destination |
//!
//! Everything else is a whole program, in the text of `docs/text-format.md`:
//!
//! ```text
//! program ja: back and forth
//!     goto +1
//!     exit
//!     r0 = 7
//!     goto -3
//! = 0x7
//! ```
//!
//! A line `packet BYTES` in front of the program gives it the context of that packet in r1. A result `trap[CODE]` says
//! that the program is stopped. ` ! kernel` behind the result says that the kernel refuses to load it, as it must.

use oxbpf_isa::catalog::{Edge, Form, Group, Kind};

/// What must come of a vector.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Wanted {
    /// These values: of an atomic operation memory first, then what is fetched.
    Values(Vec<u64>),
    /// A trap with this code.
    Trap(String),
}

/// What a vector runs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Subject {
    /// One instruction in a frame of loads and stores.
    Insn {
        /// Its form.
        form: Form,
        /// Its operands: destination or memory, source, r0.
        operands: Vec<u64>,
    },
    /// A program as text.
    Program {
        /// What is special about it.
        title: String,
        /// The text.
        text: String,
        /// The packet whose context it gets.
        packet: Option<Vec<u8>>,
    },
}

/// One vector.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Vector {
    /// The instruction that it is about.
    pub kind: Kind,
    /// What runs.
    pub subject: Subject,
    /// What must come of it.
    pub wanted: Wanted,
    /// Whether the kernel refuses to load it.
    pub kernel_refuses: bool,
    /// The line it stands on, from 1.
    pub line: u32,
}

impl Vector {
    /// Its name in reports: instruction, form and operands, or instruction and title.
    pub fn name(&self) -> String {
        match &self.subject {
            Subject::Program { title, .. } => format!("{}: {title}", self.kind.name()),
            Subject::Insn { form, operands } => {
                let form = if self.kind.forms().len() > 1 { format!(" {}", form.name()) } else { String::new() };
                let operands: Vec<_> = operands.iter().map(|o| format!("{o:#x}")).collect();
                format!("{}{form} {}", self.kind.name(), operands.join(" "))
            }
        }
    }

    /// The group it belongs to.
    pub fn group(&self) -> Group {
        self.kind.group()
    }

    /// Whether it shows that edge rule.
    pub fn shows(&self, edge: Edge) -> bool {
        let Subject::Insn { form, operands } = &self.subject else {
            return false;
        };
        let operand = |index: usize| operands.get(index).copied().unwrap_or(0);
        edge.binds(self.kind, *form) && edge.shown(self.kind, operand(0), operand(1), operand(2))
    }
}

/// A vector that cannot be read.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct VectorError {
    /// The line, from 1.
    pub line: u32,
    /// What is wrong.
    pub what: String,
}

/// All vectors of a text.
///
/// # Errors
/// The first line that is none.
pub fn parse(text: &str) -> Result<Vec<Vector>, VectorError> {
    let mut vectors = Vec::new();
    let mut lines = text.lines().zip(1u32..);
    while let Some((line, number)) = lines.next() {
        let error = |what: String| VectorError { line: number, what };
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        let vector = match line.strip_prefix("program ") {
            Some(head) => program(head, number, &mut lines),
            None => instruction(line, number),
        };
        vectors.push(vector.map_err(error)?);
    }
    Ok(vectors)
}

fn instruction(line: &str, number: u32) -> Result<Vector, String> {
    let (left, right) = line.split_once(" = ").ok_or("no ` = `")?;
    let mut words = left.split_whitespace().peekable();
    let kind = kind(words.next().unwrap_or_default())?;
    let form = match words.peek() {
        Some(&"reg") => Some(Form::Reg),
        Some(&"imm") => Some(Form::Imm),
        _ => None,
    };
    if form.is_some() {
        words.next();
    }
    let form = form.or((kind.forms().len() == 1).then_some(Form::Reg)).ok_or("no form: reg or imm")?;
    let operands = words.map(value).collect::<Result<Vec<_>, _>>()?;
    let (wanted, kernel_refuses) = wanted(right)?;
    let vector = Vector { kind, subject: Subject::Insn { form, operands }, wanted, kernel_refuses, line: number };
    super::frame::check(&vector)?;
    Ok(vector)
}

fn program<'a>(head: &str, number: u32, lines: &mut impl Iterator<Item = (&'a str, u32)>) -> Result<Vector, String> {
    let (name, title) = head.split_once(": ").ok_or("no title behind the name")?;
    let kind = kind(name)?;
    let (mut text, mut packet) = (String::new(), None);
    for (line, _) in lines {
        if let Some(result) = line.strip_prefix("= ") {
            let (wanted, kernel_refuses) = wanted(result)?;
            let subject = Subject::Program { title: title.to_string(), text, packet };
            return Ok(Vector { kind, subject, wanted, kernel_refuses, line: number });
        }
        match line.strip_prefix("packet ") {
            Some(bytes) => packet = Some(hex(bytes)?),
            None => text.extend([line, "\n"]),
        }
    }
    Err("no result behind the program".into())
}

fn kind(name: &str) -> Result<Kind, String> {
    Kind::by_name(name).ok_or_else(|| format!("no instruction `{name}`"))
}

fn wanted(text: &str) -> Result<(Wanted, bool), String> {
    let (text, refuses) = match text.strip_suffix(" ! kernel") {
        Some(text) => (text, true),
        None => (text, false),
    };
    if let Some(code) = text.strip_prefix("trap[").and_then(|t| t.strip_suffix(']')) {
        return Ok((Wanted::Trap(code.to_string()), refuses));
    }
    let values = text.split_whitespace().map(|word| match word {
        "taken" => Ok(1),
        "next" => Ok(0),
        _ => value(word),
    });
    Ok((Wanted::Values(values.collect::<Result<_, _>>()?), refuses))
}

/// A number: hexadecimal of 64 bits, or decimal with a sign.
fn value(word: &str) -> Result<u64, String> {
    let parsed = match word.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => word.parse::<i64>().ok().map(|v| v as u64),
    };
    parsed.ok_or_else(|| format!("`{word}` is no number"))
}

fn hex(text: &str) -> Result<Vec<u8>, String> {
    let byte = |word: &str| u8::from_str_radix(word, 16).map_err(|_| format!("`{word}` is no byte"));
    text.split_whitespace().map(byte).collect()
}
