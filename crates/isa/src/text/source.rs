//! A whole text: lines to instructions, labels to distances.

use std::collections::HashMap;

use super::bpftool::bpftool_insn;
use super::cursor::{Cursor, LineError, Token};
use super::dialect::{Dialect, Family};
use super::error::{TextError, TextErrors, TextFault, quote};
use super::line::{belongs_to, instruction};
use super::macros;
use super::statement::{Name, NameKind, Statement};
use crate::decode::{DecodeError, decode};
use crate::insn::{CallTarget, Insn, Pseudo};
use crate::raw::{RawInsn, Slot};

/// A place in a text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pos {
    /// The line, from 1.
    pub line: u32,
    /// The character of the line, from 1.
    pub column: u32,
}

/// A text as it was read: instructions, and what only the caller can resolve or interpret.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Source {
    /// The instructions in order; labels are resolved.
    pub insns: Vec<Insn>,
    /// Where each instruction starts, label and slot number left aside.
    pub positions: Vec<Pos>,
    /// Names that are no labels here, in order of their instructions.
    pub symbols: Vec<SymbolRef>,
    /// The labels in order; more than one may stand at a slot, and one may stand at the end.
    pub labels: Vec<Label>,
    /// Lines that begin with a dot, in order.
    pub directives: Vec<Directive>,
}

/// A label.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Label {
    /// Its name.
    pub name: String,
    /// The slot of the next instruction.
    pub slot: Slot,
    /// Where it is defined.
    pub pos: Pos,
}

/// A line that begins with a dot. Nothing of it is interpreted here.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Directive {
    /// Where the dot stands.
    pub pos: Pos,
    /// The line from the dot on, without blanks at the end.
    pub text: String,
    /// The number of instructions in front of it.
    pub insn: usize,
}

/// A name that an instruction uses and no label of the text defines.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SymbolRef {
    /// The index of the instruction in [`Source::insns`]. It is `call 0` or `dst = 0 ll`, for the caller to replace.
    pub insn: usize,
    /// How it is used.
    pub kind: SymbolKind,
    /// The name.
    pub name: String,
    /// What is added to an address. Of a call `name#id`, as the kernel prints it, the id, which then also stands in
    /// the instruction; else 0.
    pub addend: i64,
    /// Where the name stands.
    pub pos: Pos,
}

/// How a name is used.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum SymbolKind {
    /// `call name`: a helper, a kfunc, or a function from elsewhere.
    Call,
    /// `dst = name ll`: a map, a variable, or a function from elsewhere.
    Address,
}

/// Texts of more bytes than this are refused: a million instructions of 64 characters.
pub const MAX_SOURCE: usize = 1 << 26;

/// At most this many errors of one text are reported.
pub const MAX_ERRORS: usize = 20;

/// The instructions of a text in clang's dialect or the kernel's, or everything that is wrong with it.
///
/// Fails with the first [`MAX_ERRORS`] mistakes, at most one for each line and one for each label.
///
/// ```
/// let source = oxbpf_isa::text::parse("r0 = 0\nif r1 == 0 goto out\nr0 = 1\nout: exit").unwrap();
/// assert_eq!(source.insns[1].to_string(), "if r1 == 0 goto +1");
/// assert_eq!(source.positions[3].column, 6);
/// ```
pub fn parse(source: &str) -> Result<Source, TextErrors> {
    parse_as(source, Dialect::Clang)
}

/// The instructions of a text in a dialect, or everything that is wrong with it, as [`parse`].
///
/// ```
/// use oxbpf_isa::text::{Dialect, parse_as};
///
/// let source = parse_as("jeq %r1, 0, out\nmov %r0, 1\nout: exit", Dialect::Gnu).unwrap();
/// assert_eq!(source.insns[0].to_string(), "if r1 == 0 goto +1");
/// let errors = parse_as("r0 = 1", Dialect::Gnu).unwrap_err();
/// assert_eq!(errors[0].to_string(), "1:1: this is clang syntax, and the text is read as gnu; --syntax clang");
/// ```
pub fn parse_as(source: &str, dialect: Dialect) -> Result<Source, TextErrors> {
    if source.len() > MAX_SOURCE {
        let fault = TextFault::Size { bytes: source.len(), max: MAX_SOURCE };
        return Err(TextErrors { first: vec![TextError { fault, line: 1, column: 1, width: 1 }], more: 0 });
    }
    let mut reader = Reader { dialect, ..Reader::default() };
    let macros = dialect.row().family == Family::Macros;
    for (text, line, joined) in Lines::new(source, macros) {
        reader.line = Line { text, line, joined, counted: (0, 0, 0) };
        if let Err(error) = reader.read(text) {
            let error = reader.line.error(error);
            reader.fail(error);
        }
    }
    reader.resolve();
    let Reader { out, mut errors, failed, .. } = reader;
    if failed == 0 {
        return Ok(out);
    }
    errors.sort_by_key(|e| (e.line, e.column));
    errors.truncate(MAX_ERRORS);
    let more = failed - errors.len();
    Err(TextErrors { first: errors, more })
}

/// Whether a line is what llvm-objdump and bpftool put around instructions: names of files and sections, relocations.
pub(super) fn is_heading(line: &str) -> bool {
    let text = line.trim();
    let relocation = || {
        let (place, kind) = text.split_once(": ")?;
        Some(place.bytes().all(|b| b.is_ascii_hexdigit()) && kind.trim_start().starts_with("R_BPF_"))
    };
    // bpftool declares functions: `int entry(struct __sk_buff * skb):`.
    let declared = || {
        text.strip_suffix("):")
            .is_some_and(|t| t.contains('(') && t.starts_with(|c: char| c == '_' || c.is_ascii_alphabetic()))
    };
    let named = text.starts_with("Disassembly of section ") || text.contains(":\tfile format ");
    named || relocation().unwrap_or(false) || declared()
}

/// The lines of a text with their numbers, and whether one is more lines than one. Where arguments may run over lines, those belong to one.
pub(super) struct Lines<'a> {
    rest: &'a str,
    number: u32,
    joins: bool,
}

/// A macro's arguments run over at most this many lines; more is a parenthesis that nobody closes.
const MAX_JOINED: usize = 16;

impl<'a> Iterator for Lines<'a> {
    type Item = (&'a str, u32, bool);

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        self.number += 1;
        let first = self.number;
        let one = line_end(self.rest.as_bytes());
        let len = if self.joins { self.joined(one) } else { one };
        let (text, rest) = self.rest.split_at(len);
        self.rest = rest.strip_prefix('\n').unwrap_or(rest);
        Some((text.strip_suffix('\r').unwrap_or(text), first, len > one))
    }
}

impl<'a> Lines<'a> {
    pub fn new(source: &'a str, joins: bool) -> Self {
        Lines { rest: source, number: 0, joins }
    }

    /// The end of the line that closes what the first opens; the first's own where none does.
    fn joined(&mut self, len: usize) -> usize {
        let (mut end, mut open) = (len, depth(&self.rest[..len]));
        for extra in 0..MAX_JOINED {
            if open <= 0 {
                self.number += extra as u32;
                return end;
            }
            let Some(behind) = self.rest.get(end + 1..) else { break };
            let next = line_end(behind.as_bytes());
            open += depth(&behind[..next]);
            end += 1 + next;
        }
        len
    }
}

/// The length of the first line. Lines are short: a search made for long ones costs more than to look at sixteen bytes
/// at once, then at each.
fn line_end(bytes: &[u8]) -> usize {
    let ends = |block: &&[u8; 16]| block.iter().fold(false, |found, &b| found | (b == b'\n'));
    let whole = 16 * bytes.as_chunks().0.iter().take_while(|block| !ends(block)).count();
    let rest = &bytes[whole..];
    whole + rest.iter().position(|&b| b == b'\n').unwrap_or(rest.len())
}

/// How many parentheses are opened and not closed, less those that are closed only.
fn depth(text: &str) -> i64 {
    // Of so few, 8 bits hold the number, and many are counted at once.
    let few = |bytes: &[u8]| bytes.iter().fold(0i8, |d, &b| d + i8::from(b == b'(') - i8::from(b == b')'));
    text.as_bytes().chunks(i8::MAX as usize).map(|bytes| i64::from(few(bytes))).sum()
}

/// The line that is being read. Columns are counted on from the last one asked for, so that a line of a million
/// labels takes time in proportion.
#[derive(Default)]
struct Line<'a> {
    text: &'a str,
    line: u32,
    /// Whether it is more lines than one.
    joined: bool,
    /// The place last asked for, its line from this one, and its column from 0.
    counted: (usize, u32, u32),
}

impl Line<'_> {
    fn pos(&mut self, at: usize) -> Pos {
        let (from, mut line, mut column) = if at < self.counted.0 { (0, 0, 0) } else { self.counted };
        let mut between = &self.text[from..at];
        // Of lines that were joined, the column counts from the beginning of its own.
        if self.joined
            && let Some(end) = between.rfind('\n')
        {
            line += between[..=end].matches('\n').count() as u32;
            (between, column) = (&between[end + 1..], 0);
        }
        // A line is shorter than MAX_SOURCE.
        column += between.chars().count() as u32;
        self.counted = (at, line, column);
        Pos { line: self.line + line, column: column + 1 }
    }

    fn error(&mut self, LineError { at, len, fault }: LineError) -> TextError {
        let wrong = &self.text[at..at + len];
        error(self.pos(at), wrong.lines().next().unwrap_or(wrong), fault)
    }
}

fn error(Pos { line, column }: Pos, wrong: &str, fault: TextFault) -> TextError {
    TextError { fault, line, column, width: wrong.chars().count().max(1) as u32 }
}

/// Whether `at` is where the instruction begins, an opcode in front of it left aside.
fn begins(mut start: Cursor<'_>, at: usize) -> bool {
    let first = start.place();
    at == first || start.opcode().is_some() && at <= start.place()
}

/// The bytes of an instruction, if nothing else is in the line.
fn bytes_alone<'a>(c: &mut Cursor<'a>) -> Option<(Vec<RawInsn>, Token<'a>)> {
    let mut ahead = *c;
    let bytes = ahead.raw_bytes()?;
    ahead.at_end().then_some(bytes)
}

/// What bytes in a line of their own are.
struct Below {
    insn: Insn,
    /// What bpftool shows of them, where it knows no names.
    text: String,
    /// What that is when it is read.
    read: Option<Insn>,
}

fn below(words: &[RawInsn]) -> Result<Below, DecodeError> {
    const LOCAL_CALL: (u8, u8) = (0x85, 1);
    let mut words = words.to_vec();
    // Of a call within the program, the kernel makes the immediate a number and leaves the distance in the offset.
    if (words[0].code, words[0].src()) == LOCAL_CALL && words[0].off != 0 {
        words[0] = RawInsn { off: 0, imm: words[0].off.into(), ..words[0] };
    }
    let (insn, _) = decode(&words, Slot(0))?;
    let mut text = String::new();
    bpftool_insn(&mut text, &words, &());
    let read = instruction(&mut Cursor::new(&text), Dialect::Kernel).ok().map(|statement| statement.insn);
    Ok(Below { insn, text, read })
}

/// A name to resolve once all labels are known.
struct Pending<'a> {
    insn: usize,
    slot: Slot,
    name: Name<'a>,
    pos: Pos,
}

#[derive(Default)]
struct Reader<'a> {
    dialect: Dialect,
    line: Line<'a>,
    out: Source,
    slots: u32,
    labels: HashMap<&'a str, usize>,
    pending: Vec<Pending<'a>>,
    /// The first mistakes in lines, then the first in labels.
    errors: Vec<TextError>,
    /// All mistakes.
    failed: usize,
    /// The last line with an instruction, and its text.
    previous: Option<(u32, &'a str)>,
}

impl<'a> Reader<'a> {
    fn fail(&mut self, error: TextError) {
        self.failed += 1;
        if self.errors.len() < MAX_ERRORS {
            self.errors.push(error);
        }
    }

    /// One line: slot numbers and labels, then a directive or an instruction or neither.
    fn read(&mut self, line: &'a str) -> Result<(), LineError> {
        let mut c = Cursor::new(line);
        while let Some(prefix) = c.prefix() {
            if let Some(label) = prefix {
                self.define(label);
            }
        }
        if c.next_byte() == Some(b'.') {
            let (pos, text) = (self.line.pos(c.place()), c.rest().trim_end().to_owned());
            self.out.directives.push(Directive { pos, text, insn: self.out.insns.len() });
            return Ok(());
        }
        c.skip_comments();
        let macros = self.dialect.row().family == Family::Macros;
        if c.at_end() || macros && macros::boilerplate(c.rest()) {
            return Ok(());
        }
        loop {
            self.instruction(&mut c)?;
            // Macros may stand behind each other.
            if !macros || {
                c.skip_comments();
                c.at_end()
            } {
                return Ok(());
            }
        }
    }

    fn instruction(&mut self, c: &mut Cursor<'a>) -> Result<(), LineError> {
        let start = *c;
        let pos = self.line.pos(c.place());
        if let Some((line, above)) = self.previous.take()
            && line + 1 == self.line.line
            && let Some((words, token)) = bytes_alone(c)
        {
            return self.bytes_below(line, above, &words, token);
        }
        self.previous = Some((self.line.line, start.clone().rest()));
        let statement = instruction(c, self.dialect);
        let Statement { insn, name } = match statement {
            Ok(statement) => statement,
            // Looking for what it could be instead is for what will be shown, where not even the beginning is known.
            Err(_) if is_heading(self.line.text) => return Ok(()),
            Err(error) if self.errors.len() < MAX_ERRORS && begins(start, error.at) => {
                return Err(belongs_to(start, self.dialect).unwrap_or(error));
            }
            Err(error) => return Err(error),
        };
        if let Some(name) = name {
            let (insn, slot) = (self.out.insns.len(), Slot(self.slots));
            let pos = self.line.pos(name.token.at);
            self.pending.push(Pending { insn, slot, name, pos });
        }
        self.out.insns.push(insn);
        self.out.positions.push(pos);
        // MAX_SOURCE bytes hold fewer slots than 32 bits count.
        self.slots += insn.slots();
        Ok(())
    }

    /// Bytes in a line of their own are those of the instruction above, as bpftool shows them. They say more than the
    /// text, which must be what bpftool shows of them.
    fn bytes_below(&mut self, line: u32, above: &str, words: &[RawInsn], token: Token<'a>) -> Result<(), LineError> {
        let below = below(words).map_err(|e| token.fault(TextFault::NotInsn { fault: e.fault }))?;
        let same = above.trim_end() == below.text;
        let (last, pos) = (self.out.insns.last_mut(), self.out.positions.last());
        match (last, pos) {
            (Some(last), Some(pos)) if pos.line == line && (same || below.read == Some(*last)) => *last = below.insn,
            // bpftool's own words for what it does not know could not be read.
            _ if same && self.errors.last().is_some_and(|e| e.line == line) => {
                let pos = self.errors.pop().map(|e| Pos { line: e.line, column: e.column });
                self.failed -= 1;
                self.out.insns.push(below.insn);
                self.out.positions.extend(pos);
                self.slots += below.insn.slots();
            }
            _ => return Err(token.fault(TextFault::Bytes { bytes: below.insn.to_string() })),
        }
        Ok(())
    }

    fn define(&mut self, token: Token<'a>) {
        let pos = self.line.pos(token.at);
        if let Some(&first) = self.labels.get(token.text) {
            let first = self.out.labels[first].pos.line;
            let fault = TextFault::DuplicateLabel { name: quote(token.text), first };
            return self.fail(error(pos, token.text, fault));
        }
        self.labels.insert(token.text, self.out.labels.len());
        let label = Label { name: token.text.to_owned(), slot: Slot(self.slots), pos };
        self.out.labels.push(label);
    }

    fn resolve(&mut self) {
        // The errors are in two runs, each in order of lines, of which the first MAX_ERRORS are kept.
        let most = self.errors.len() + MAX_ERRORS;
        for Pending { insn, slot, name, pos } in std::mem::take(&mut self.pending) {
            let label = self.labels.get(name.token.text).map(|&i| self.out.labels[i].slot);
            // From the next slot; slots are below 2^31, see MAX_SOURCE.
            let distance = label.map(|l| l.0 as i32 - (slot.0 as i32 + 1));
            let starts_code = label.is_some_and(|l| l.0 < self.slots);
            match resolved(self.out.insns[insn], name, distance, starts_code) {
                Ok(Some(complete)) => self.out.insns[insn] = complete,
                Ok(None) => self.out.symbols.push(symbol(insn, name, pos)),
                Err(fault) => {
                    self.failed += 1;
                    if self.errors.len() < most {
                        self.errors.push(error(pos, name.token.text, fault));
                    }
                }
            }
        }
    }
}

/// `insn` with the distance of its label in it; none where the name is left to the caller.
fn resolved(insn: Insn, name: Name<'_>, distance: Option<i32>, starts_code: bool) -> Result<Option<Insn>, TextFault> {
    let quoted = || quote(name.token.text);
    match (name.kind, distance) {
        (NameKind::Jump | NameKind::Local, None) => Err(TextFault::UnknownLabel { name: quoted() }),
        (NameKind::Jump, Some(d)) => jump(insn, d, quoted).map(Some),
        (NameKind::Local, Some(d)) => Ok(Some(Insn::Call(CallTarget::Local(d)))),
        (NameKind::Call, Some(d)) if name.addend == 0 => Ok(Some(Insn::Call(CallTarget::Local(d)))),
        // A label with no instruction behind it names data, in what a compiler prints.
        (NameKind::Address, Some(d)) if starts_code => match insn {
            _ if name.addend != 0 => Err(TextFault::Addend { name: quoted() }),
            Insn::LoadImm64 { dst, .. } => Ok(Some(Insn::LoadPseudo { dst, value: Pseudo::Func(d) })),
            _ => Ok(None),
        },
        (NameKind::Call | NameKind::Address, _) => Ok(None),
    }
}

fn jump(insn: Insn, distance: i32, name: impl Fn() -> String) -> Result<Insn, TextFault> {
    let near = |instruction, advice| {
        let far = |_| TextFault::Distance { name: name(), distance: distance.into(), instruction, advice };
        i16::try_from(distance).map_err(far)
    };
    Ok(match insn {
        Insn::Jump { .. } => Insn::Jump { off: near("`goto`", "use `gotol`")? },
        Insn::MayGoto { .. } => Insn::MayGoto { off: near("`may_goto`", "jump to a `gotol` nearby")? },
        Insn::JumpIf { cond, width, dst, src, .. } => {
            let off = near("a conditional jump", "turn the condition round and use `gotol`")?;
            Insn::JumpIf { cond, width, dst, src, off }
        }
        Insn::JumpLong { .. } => Insn::JumpLong { off: distance },
        other => other,
    })
}

fn symbol(insn: usize, name: Name<'_>, pos: Pos) -> SymbolRef {
    let kind = if name.kind == NameKind::Call { SymbolKind::Call } else { SymbolKind::Address };
    let Name { token, addend, .. } = name;
    SymbolRef { insn, kind, name: token.text.to_owned(), addend, pos }
}
