//! Programs written as text, with directives for maps and program types, as units; and units as such text.
//!
//! ```text
//! .license "GPL"
//! .map counts array value=8 entries=4
//!
//! .program count sched_cls
//!     *(u32 *)(r10 - 4) = 0
//!     r1 = counts ll
//!     r2 = r10
//!     r2 += -4
//!     call bpf_map_lookup_elem
//!     if r0 == 0 goto out
//!     r1 = 1
//!     lock *(u64 *)(r0 + 0) += r1
//! out:
//!     r0 = 0
//!     exit
//! ```
//!
//! [`parse`] makes a [`Unit`] of it, [`print()`] writes a unit so. Instructions are those of
//! [`oxbpf_isa::text`]; what directives there are is told in `docs/text-format.md`.

mod declare;
mod error;
mod line;
mod map;
mod print;
mod program;

use std::collections::HashMap;

use oxbpf_abi::{PROG_TYPES, ProgType, call_name};
use oxbpf_ir::{BuildFault, ProgIdx, Unit, UnitError};
use oxbpf_isa::CallTarget;
use oxbpf_isa::text::{Dialect, MAX_SOURCE, Source, TextFault, detect, more, parse_as, quote};

use declare::{Declared, Section};
pub use error::{UnitTextError, UnitTextErrors, UnitTextFault};
use line::Line;
pub use print::{PrintOptions, print};

/// How listings name what a call calls, where it is a helper.
pub(crate) fn helper_name(target: CallTarget) -> Option<String> {
    match target {
        CallTarget::Helper(id) => call_name(id),
        CallTarget::Local(_) | CallTarget::Kfunc { .. } => None,
    }
}

/// What a text does not say itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Options {
    /// The type of all programs, whatever the text says.
    pub prog_type: Option<ProgType>,
    /// The type of programs of which the text says none.
    pub default_type: ProgType,
    /// The dialect of the instructions; none for the one that they are recognised as.
    pub syntax: Option<Dialect>,
}

impl Default for Options {
    /// The text's types, else `sched_cls`.
    fn default() -> Options {
        Options { prog_type: None, default_type: ProgType::SchedCls, syntax: None }
    }
}

/// The unit that a text describes, or everything that is wrong with it, in order of lines.
///
/// `name` is the unit's: of the file, usually. A text without `.program` is one program, called like the unit up
/// to its first dot. Programs keep their lines, with `name` as the file.
///
/// Fails with the first [`MAX_ERRORS`](oxbpf_isa::text::MAX_ERRORS) mistakes.
///
/// ```
/// use oxbpf::text_unit::{Options, parse};
///
/// let unit = parse("r0 = -1\nexit", "reject.bpf", &Options::default()).unwrap();
/// assert_eq!(unit.programs()[0].name(), "reject");
///
/// let text = "r1 = 0\ncall map_lokup_elem\nexit";
/// let errors = parse(text, "typo.bpf", &Options::default()).unwrap_err();
/// assert_eq!(errors[0].to_string(), "2:6: no helper or label `map_lokup_elem`; did you mean `map_lookup_elem`?");
/// ```
pub fn parse(source: &str, name: &str, options: &Options) -> Result<Unit, UnitTextErrors> {
    if source.len() > MAX_SOURCE {
        let fault = TextFault::Size { bytes: source.len(), max: MAX_SOURCE }.into();
        return Err(UnitTextError { fault, line: 1, column: 1, width: 1 }.into());
    }
    let source = unmarked(source);
    let syntax = options.syntax.unwrap_or_else(|| detect(source));
    let mut errors = Errors::default();
    let mut parts = Vec::new();
    for segment in segments(source, name) {
        match segment.and_then(|s| Part::read(s, syntax)) {
            Ok(part) => parts.push(part),
            Err(found) => errors.append(found),
        }
    }
    let unit = if errors.is_empty() { link(&parts, name, options, &mut errors) } else { None };
    match unit {
        Some(unit) if errors.is_empty() => Ok(unit),
        _ => Err(errors),
    }
}

/// All errors of a text as [`UnitTextError::render`] shows them, an empty line between them, and at the end how many
/// more there are.
pub fn render(errors: &UnitTextErrors, source: &str, file_name: &str) -> String {
    let shown: Vec<String> = errors.iter().map(|e| e.render(unmarked(source), file_name)).collect();
    shown.join("\n") + &more(errors.more)
}

/// The text without the byte order mark that some editors put in front.
fn unmarked(source: &str) -> &str {
    source.strip_prefix('\u{feff}').unwrap_or(source)
}

/// The text of one program.
#[derive(Debug)]
struct Segment<'a> {
    /// Its name; of the text in front of the first `.program`, the one it has as the only program.
    name: &'a str,
    prog_type: Option<ProgType>,
    /// The line of its `.program`, if there is one.
    begins: Option<u32>,
    text: &'a str,
    /// Lines in front of `text`.
    lines: u32,
}

/// A segment, read.
#[derive(Debug)]
struct Part<'a> {
    segment: Segment<'a>,
    source: Source,
}

type Errors = UnitTextErrors;

/// Cuts a text at its `.program` lines.
fn segments<'a>(source: &'a str, name: &'a str) -> impl Iterator<Item = Result<Segment<'a>, Errors>> {
    let stem = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let stem = stem.split('.').find(|s| !s.is_empty()).unwrap_or("program");
    let mut cuts = vec![Cut { head: None, from: 0, lines: 0 }];
    let mut ends = Vec::new();
    let (mut at, mut number) = (0, 0);
    for line in source.split_inclusive('\n') {
        number += 1;
        let begins = line.trim_start().strip_prefix(".program");
        if begins.is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')) {
            ends.push(at);
            cuts.push(Cut { head: Some(line.trim_end_matches(['\n', '\r'])), from: at + line.len(), lines: number });
        }
        at += line.len();
    }
    ends.push(source.len());
    cuts.into_iter().zip(ends).map(move |(Cut { head, from, lines }, end)| {
        let text = &source[from..end];
        let Some(head) = head else {
            return Ok(Segment { name: stem, prog_type: None, begins: None, text, lines });
        };
        let (name, prog_type) = head_of(head, lines)?;
        Ok(Segment { name, prog_type, begins: Some(lines), text, lines })
    })
}

/// Where a segment begins.
struct Cut<'a> {
    /// Its `.program` line.
    head: Option<&'a str>,
    /// The byte behind that line.
    from: usize,
    /// The number of that line, and so of the lines in front of what follows.
    lines: u32,
}

/// `.program NAME TYPE`; the type may be left out.
fn head_of(text: &str, number: u32) -> line::Result<(&str, Option<ProgType>)> {
    let mut line = Line::new(text, number, 0);
    line.expect_word("`.program`")?;
    let name = line.name("a program's name")?;
    let prog_type = match line.word() {
        None => None,
        Some(word) => Some(ProgType::by_name(word.text).ok_or_else(|| {
            let near = crate::near::near(word.text, PROG_TYPES.iter().map(|r| r.name));
            line.error(word, UnitTextFault::Unknown { what: "program type", name: quote(word.text), near })
        })?),
    };
    line.end()?;
    Ok((name.text, prog_type))
}

impl<'a> Part<'a> {
    fn read(segment: Segment<'a>, syntax: Dialect) -> Result<Part<'a>, Errors> {
        let lines = segment.lines;
        let shift = |mut e: oxbpf_isa::text::TextError| {
            if let TextFault::DuplicateLabel { first, .. } = &mut e.fault {
                *first += lines;
            }
            UnitTextError { fault: e.fault.into(), line: e.line + lines, column: e.column, width: e.width }
        };
        let parsed = parse_as(segment.text, syntax);
        let mut source = parsed.map_err(|errors| {
            let more = errors.more;
            Errors { first: errors.into_iter().map(shift).collect(), more }
        })?;
        let positions = source.positions.iter_mut();
        let positions = positions.chain(source.symbols.iter_mut().map(|s| &mut s.pos));
        for pos in positions.chain(source.directives.iter_mut().map(|d| &mut d.pos)) {
            pos.line += lines;
        }
        Ok(Part { segment, source })
    }
}

fn link(parts: &[Part<'_>], name: &str, options: &Options, errors: &mut Errors) -> Option<Unit> {
    let mut declared = Declared::new();
    let mut sections = Vec::new();
    for part in parts {
        let mut section = Section::default();
        for directive in &part.source.directives {
            if let Err(e) = declared.take(directive, &mut section, part.source.insns.len()) {
                errors.push(e);
            }
            if errors.enough() {
                return None;
            }
        }
        sections.push(section);
    }
    // What stands in front of the first `.program` is a program only where there is no other.
    let skipped = usize::from(parts.len() > 1);
    if skipped == 1
        && let Some(pos) = parts[0].source.positions.first()
    {
        let fault = UnitTextFault::Misplaced("instructions in front of the first `.program`");
        errors.push(UnitTextError { fault, line: pos.line, column: pos.column, width: 1 });
    }
    let parts = &parts[skipped..];
    let mut by_name: HashMap<&str, (ProgIdx, u32)> = HashMap::new();
    for (i, part) in parts.iter().enumerate() {
        let line = part.segment.begins.unwrap_or(1);
        if let Some(&(_, first)) = by_name.get(part.segment.name) {
            let fault = UnitTextFault::Duplicate { what: "program", name: quote(part.segment.name), first };
            errors.push(UnitTextError { fault, line, column: 1, width: 1 });
        }
        by_name.entry(part.segment.name).or_insert((ProgIdx(i as u32), line));
    }
    declared.fill(|n| by_name.get(n).map(|p| p.0), by_name.keys().copied(), errors);
    let mut programs = Vec::new();
    for (part, section) in parts.iter().zip(&sections[skipped..]) {
        match program::build(part, section, &declared, name, options) {
            Ok(program) => programs.push(program),
            Err(found) => errors.append(found),
        }
    }
    if !errors.is_empty() {
        return None;
    }
    let license = declared.license.map_or_else(|| "GPL".to_string(), |l| l.0);
    match Unit::new(name, &license, declared.maps, programs) {
        Ok(unit) => Some(unit),
        Err(UnitError::Program { program, error }) => {
            let part = by_name.get(program.as_str()).map(|p| &parts[p.0.index()]);
            part.into_iter().for_each(|part| errors.push(program::misbuilt(part, error.clone())));
            None
        }
        Err(UnitError::NoSuchProgram { .. } | UnitError::NoSuchMap { .. }) => {
            unreachable!("entries name programs, whose numbers follow from that")
        }
    }
}

/// The place of a program as a whole.
fn begin_of(part: &Part<'_>, fault: BuildFault) -> UnitTextError {
    UnitTextError { fault: UnitTextFault::Build(fault), line: part.segment.begins.unwrap_or(1), column: 1, width: 1 }
}

#[cfg(test)]
mod tests;
