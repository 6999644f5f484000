//! A whole text: lines to instructions, labels to distances.

use std::collections::HashMap;

use super::cursor::{Cursor, LineError, Token};
use super::error::{TextError, TextFault, quote};
use super::statement::{Name, NameKind, Statement, statement};
use crate::decode::decode;
use crate::insn::{CallTarget, Insn, Pseudo};
use crate::ops::AtomicOp;
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

/// The instructions of a text, or everything that is wrong with it, in order of lines.
///
/// Fails on the first [`MAX_ERRORS`] mistakes, at most one for each line and one for each label.
///
/// ```
/// let source = oxbpf_isa::text::parse("r0 = 0\nif r1 == 0 goto out\nr0 = 1\nout: exit").unwrap();
/// assert_eq!(source.insns[1].to_string(), "if r1 == 0 goto +1");
/// assert_eq!(source.positions[3].column, 6);
/// ```
pub fn parse(source: &str) -> Result<Source, Vec<TextError>> {
    let mut reader = Reader::default();
    if source.len() > MAX_SOURCE {
        let fault = TextFault::Size { bytes: source.len(), max: MAX_SOURCE };
        return Err(vec![TextError { fault, line: 1, column: 1, width: 1 }]);
    }
    for (text, line) in source.lines().zip(1..) {
        if reader.errors.len() >= MAX_ERRORS {
            break;
        }
        reader.line = Line { text, line, counted: (0, 0) };
        if let Err(error) = reader.read(text) {
            let error = reader.line.error(error);
            reader.errors.push(error);
        }
    }
    // With lines left unread, every label behind them would be reported as missing.
    if reader.errors.len() < MAX_ERRORS {
        reader.resolve();
    }
    let Reader { out, mut errors, .. } = reader;
    if errors.is_empty() {
        return Ok(out);
    }
    errors.sort_by_key(|e| (e.line, e.column));
    errors.truncate(MAX_ERRORS);
    Err(errors)
}

/// The line that is being read. Columns are counted on from the last one asked for, so that a line of a million
/// labels takes time in proportion.
#[derive(Default)]
struct Line<'a> {
    text: &'a str,
    line: u32,
    counted: (usize, u32),
}

impl Line<'_> {
    fn pos(&mut self, at: usize) -> Pos {
        let (from, before) = if at < self.counted.0 { (0, 0) } else { self.counted };
        // A line is shorter than MAX_SOURCE.
        let column = before + self.text[from..at].chars().count() as u32;
        self.counted = (at, column);
        Pos { line: self.line, column: column + 1 }
    }

    fn error(&mut self, LineError { at, len, fault }: LineError) -> TextError {
        error(self.pos(at), &self.text[at..at + len], fault)
    }
}

fn error(Pos { line, column }: Pos, wrong: &str, fault: TextFault) -> TextError {
    TextError { fault, line, column, width: wrong.chars().count().max(1) as u32 }
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
    line: Line<'a>,
    out: Source,
    slots: u32,
    labels: HashMap<&'a str, usize>,
    pending: Vec<Pending<'a>>,
    errors: Vec<TextError>,
}

impl<'a> Reader<'a> {
    /// One line: slot numbers and labels, then a directive or an instruction or neither.
    fn read(&mut self, line: &'a str) -> Result<(), LineError> {
        let mut c = Cursor::new(line);
        while let Some(prefix) = c.prefix() {
            if let Some(label) = prefix {
                self.define(label);
            }
            if self.errors.len() >= MAX_ERRORS {
                return Ok(());
            }
        }
        if c.rest().starts_with('.') {
            let (pos, text) = (self.line.pos(c.place()), c.rest().trim_end().to_owned());
            self.out.directives.push(Directive { pos, text, insn: self.out.insns.len() });
            return Ok(());
        }
        if c.at_end() {
            return Ok(());
        }
        let pos = self.line.pos(c.place());
        let Statement { insn, name } = instruction(&mut c)?;
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

    fn define(&mut self, token: Token<'a>) {
        let pos = self.line.pos(token.at);
        if let Some(&first) = self.labels.get(token.text) {
            let first = self.out.labels[first].pos.line;
            let fault = TextFault::DuplicateLabel { name: quote(token.text), first };
            self.errors.push(error(pos, token.text, fault));
            return;
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
                Err(_) if self.errors.len() >= most => return,
                Err(fault) => self.errors.push(error(pos, name.token.text, fault)),
            }
        }
    }
}

/// `insn` with the distance of its label in it; none where the name is left to the caller.
fn resolved(insn: Insn, name: Name<'_>, distance: Option<i32>, starts_code: bool) -> Result<Option<Insn>, TextFault> {
    let quoted = || quote(name.token.text);
    match (name.kind, distance) {
        (NameKind::Jump, None) => Err(TextFault::UnknownLabel { name: quoted() }),
        (NameKind::Jump, Some(d)) => jump(insn, d, quoted).map(Some),
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

/// What listings put in front of and behind an instruction, and the instruction.
fn instruction<'a>(c: &mut Cursor<'a>) -> Result<Statement<'a>, LineError> {
    let bytes = c.raw_bytes();
    let decoded = match &bytes {
        Some((words, token)) => match decode(words, Slot(0)) {
            Ok((insn, _)) => Some((insn, *token)),
            Err(e) => return Err(token.fault(TextFault::NotInsn { fault: e.fault })),
        },
        None => None,
    };
    let opcode = c.opcode();
    let statement = if let (Some((insn, _)), true) = (decoded, c.eat("<unknown>")) {
        insn.into()
    } else {
        statement(c, opcode.map(|(code, _)| code))?
    };
    // llvm-objdump's name of a jump's target.
    if c.rest().starts_with('<') {
        c.take_while(|ch| ch != '>');
        c.expect(">")?;
    }
    if !c.at_end() {
        return Err(c.expected("the end of the line"));
    }
    let need = statement.insn.encode().words()[0].code;
    match (decoded, opcode) {
        (_, Some((found, token))) if found != need => Err(token.fault(TextFault::Opcode { found, need })),
        (Some((insn, token)), _) if !may_print_as(insn, statement) => {
            Err(token.fault(TextFault::Bytes { bytes: insn.to_string() }))
        }
        // The bytes say more than the text, which may show a local call as `call 4`.
        (Some((insn, _)), _) => Ok(insn.into()),
        (None, _) => Ok(statement),
    }
}

/// Whether a disassembler may print `insn` as this statement: llvm-objdump shows no sub-operators of calls and
/// wide loads, and before version 20 takes all atomics for additions unless it is told the CPU.
fn may_print_as(insn: Insn, text: Statement<'_>) -> bool {
    let (shown, atomic) = (text.insn, matches!(text.insn, Insn::Atomic { op: AtomicOp::Add, .. }));
    let blur = |raw: &RawInsn| match raw.code {
        _ if text.name.is_some() => RawInsn { regs: 0, imm: 0, off: 0, ..*raw },
        0x85 | 0x18 => RawInsn { regs: raw.dst(), off: 0, ..*raw },
        _ if atomic => RawInsn { imm: 0, ..*raw },
        _ => *raw,
    };
    insn.encode().words().iter().map(blur).eq(shown.encode().words().iter().map(blur))
}
