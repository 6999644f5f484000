//! From text to instructions: statements, labels, and all mistakes of a text.

use std::collections::HashMap;

use nom::Err;
use oxbpf_isa::cbpf::{Cond, Insn, MAX_INSNS, Operand, SockFilter, check_all};

use crate::error::{Diagnostic, Fault, Place, quote};
use crate::grammar::{Grammar, Parsed, Stop, Want, line, word, word_at};
use crate::layout::{self, Goto};
use crate::mnemonic::{Mnemonic, Shape, is_keyword, mnemonic};

/// How text is read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Options {
    /// Refuse what bpf_asm refuses without reason, such as `[x+3]` and labels of one letter.
    pub strict: bool,
    /// Let conditions that jump over more than 255 instructions go through `ja`.
    pub relax: bool,
}

/// An assembled text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Assembled {
    /// Its instructions, at most 4,096.
    pub code: Vec<SockFilter>,
    /// For each instruction its mnemonic's place; a jump that was added has that of its condition.
    pub places: Vec<Place>,
    /// What can be assembled but not run, at most [`MAX_ERRORS`].
    pub warnings: Vec<Diagnostic>,
}

/// The longest text that is read, in bytes.
pub const MAX_SOURCE: usize = oxbpf_isa::text::MAX_SOURCE;

/// More labels than any program has use for.
const MAX_LABELS: usize = 16 * MAX_INSNS;

/// How many mistakes of a text are told.
pub const MAX_ERRORS: usize = oxbpf_isa::text::MAX_ERRORS;

/// The instructions of a text in the language of bpf_asm.
///
/// Fails on the first [`MAX_ERRORS`] mistakes, at most one for each line and one for each label, in the text's order.
pub fn assemble(source: &str, options: &Options) -> Result<Assembled, Vec<Diagnostic>> {
    if source.len() > MAX_SOURCE {
        let fault = Fault::Size { bytes: source.len(), max: MAX_SOURCE };
        return Err(vec![Diagnostic { fault, line: 1, column: 1, width: 1 }]);
    }
    let mut reader = Reader::new(source, options.strict);
    reader.all();
    let Reader { grammar, items, labels, mut errors, cut, .. } = reader;
    errors.extend(grammar.into_quirks().into_iter().map(|(at, what)| (at, 1, Fault::Strict { what })));
    let mut laid = Vec::new();
    if !cut {
        laid = layout::lay_out(&items, &labels, options.relax, &mut errors);
    }
    let excess = if cut { items.get(MAX_INSNS).map(|i| i.at) } else { laid.get(MAX_INSNS).map(|l| items[l.1].at) };
    if let Some(at) = excess {
        errors.push((at, word_at(&source[at..]).len(), Fault::TooLong { max: MAX_INSNS }));
    }
    if !errors.is_empty() {
        errors.sort_by_key(|&(at, ..)| at);
        let shown = errors.into_iter().take(MAX_ERRORS);
        return Err(shown.map(|(at, len, fault)| Diagnostic::at(source, at, len, fault)).collect());
    }
    let code: Vec<SockFilter> = laid.iter().map(|(insn, _)| insn.encode()).collect();
    let warnings = check_all(&code).into_iter().take(MAX_ERRORS).map(|e| {
        let at = items[laid[e.at].1].at;
        Diagnostic::at(source, at, word_at(&source[at..]).len(), Fault::Refused(e.fault))
    });
    let spans = items.iter().map(|i| (i.at, word_at(&source[i.at..]).len()));
    let of_items = Place::of_spans(source, spans);
    let places = laid.iter().map(|&(_, item)| of_items[item]).collect();
    Ok(Assembled { warnings: warnings.collect(), places, code })
}

/// A mistake: byte offset, bytes, what.
pub(crate) type Mistake = (usize, usize, Fault);

/// A name where it stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Name<'s> {
    pub at: usize,
    pub text: &'s str,
}

/// One instruction of a text, before labels have places.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Item<'s> {
    /// The mnemonic's byte offset.
    pub at: usize,
    pub op: Op<'s>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Op<'s> {
    Insn(Insn),
    Ja(Name<'s>),
    JumpIf { cond: Cond, src: Operand, yes: Goto<'s>, no: Goto<'s> },
}

/// Where labels lead: the index of an item, and the byte offset of the definition.
pub(crate) type Labels<'s> = HashMap<&'s str, (usize, usize)>;

struct Reader<'s> {
    source: &'s str,
    grammar: Grammar<'s>,
    strict: bool,
    items: Vec<Item<'s>>,
    labels: Labels<'s>,
    errors: Vec<Mistake>,
    /// Whether reading ended before the text did.
    cut: bool,
}

impl<'s> Reader<'s> {
    fn new(source: &'s str, strict: bool) -> Self {
        let grammar = Grammar::new(source, strict);
        Reader { source, grammar, strict, items: Vec::new(), labels: HashMap::new(), errors: Vec::new(), cut: false }
    }

    /// Reads all statements. After a mistake it goes on in the next line.
    fn all(&mut self) {
        let mut rest = self.source;
        // The last label, while no instruction has followed it.
        let mut pending: Option<Name<'s>> = None;
        loop {
            match self.statement(rest, &mut pending) {
                Ok(None) => break,
                Ok(Some(next)) => rest = next,
                Err(Err::Error(stop) | Err::Failure(stop)) => {
                    let mistake = self.mistake(stop);
                    self.errors.push(mistake);
                    pending = None;
                    rest = if stop.want == Want::Comment { "" } else { line(stop.at) };
                }
                // Complete parsers never want more.
                Err(Err::Incomplete(_)) => break,
            }
            // One more than fits is enough to know, and bounds what a long text costs.
            if self.labels.len() > MAX_LABELS {
                let at = self.grammar.offset(rest);
                self.errors.push((at, 1, Fault::TooManyLabels { max: MAX_LABELS }));
            }
            if self.items.len() > MAX_INSNS || self.labels.len() > MAX_LABELS || self.errors.len() >= MAX_ERRORS {
                self.cut = true;
                break;
            }
        }
        if let Some(label) = pending.filter(|_| self.errors.is_empty() && !self.cut) {
            self.errors.push((label.at, label.text.len(), Fault::EmptyLabel { name: quote(label.text) }));
        }
        if self.items.is_empty() && self.errors.is_empty() {
            self.errors.push((0, 1, Fault::Empty));
        }
    }

    /// The rest behind one label or instruction; none at the end.
    fn statement(&mut self, i: &'s str, pending: &mut Option<Name<'s>>) -> Result<Option<&'s str>, Err<Stop<'s>>> {
        let begin = self.grammar.between(i)?;
        if begin.is_empty() {
            return Ok(None);
        }
        let Ok((rest, name)) = word(begin) else {
            let want = Want::Expected("an instruction or a label");
            return Err(Err::Error(Stop { at: begin, want }));
        };
        let at = self.grammar.offset(begin);
        let rest = self.grammar.blank(rest)?;
        if let Some(rest) = rest.strip_prefix(':') {
            self.label(Name { at, text: name }, pending.is_some());
            *pending = Some(Name { at, text: name });
            return Ok(Some(rest));
        }
        let Some(row) = mnemonic(name) else {
            self.errors.push((at, name.len(), Fault::Mnemonic { name: quote(name) }));
            *pending = None;
            return Ok(Some(line(begin)));
        };
        let (rest, op) = self.operation(row, rest)?;
        *pending = None;
        self.items.push(Item { at, op });
        Ok(Some(rest))
    }

    fn label(&mut self, label: Name<'s>, second: bool) {
        let Name { at, text } = label;
        let mut wrong = |fault| self.errors.push((at, text.len(), fault));
        if is_keyword(text) {
            return wrong(Fault::Keyword { name: quote(text) });
        }
        if self.strict && text.len() == 1 {
            wrong(Fault::Strict { what: "labels of one letter" });
        }
        if self.strict && second {
            wrong(Fault::Strict { what: "two labels of one instruction" });
        }
        match self.labels.get(text) {
            Some(&(_, first)) => {
                let first = self.source[..first].matches('\n').count() as u32 + 1;
                wrong(Fault::DuplicateLabel { name: quote(text), first });
            }
            None => {
                self.labels.insert(text, (self.items.len(), at));
            }
        }
    }

    /// What stands behind a mnemonic.
    fn operation(&mut self, row: &'static Mnemonic, i: &'s str) -> Parsed<'s, Op<'s>> {
        let (cond, negated) = match row.shape {
            Shape::Plain(insn) => return Ok((i, Op::Insn(insn))),
            Shape::Ja => return self.target(i).map(|(rest, name)| (rest, Op::Ja(name))),
            Shape::Jump(cond) => (cond, false),
            Shape::JumpNot(cond) => (cond, true),
            shape => {
                let bare = matches!(shape, Shape::Ldi | Shape::Ldxi);
                let (rest, arg) = self.grammar.arg(row.takes, bare, i)?;
                let insn = shape.with(arg).unwrap_or_else(|| self.wrong_arg(row, i, rest));
                return Ok((rest, Op::Insn(insn)));
            }
        };
        let (rest, arg) = self.grammar.arg(row.takes, false, i)?;
        let src = arg.value().unwrap_or_else(|| {
            self.wrong_arg(row, i, rest);
            Operand::X
        });
        let (rest, ()) = self.grammar.sign(',', "`,` and a label", rest)?;
        let (mut rest, first) = self.target(rest)?;
        if negated {
            return Ok((rest, Op::JumpIf { cond, src, yes: Goto::Next, no: Goto::Label(first) }));
        }
        let mut no = Goto::Next;
        if let Ok((after, ())) = self.grammar.sign(',', "`,`", rest) {
            let (after, second) = self.target(after)?;
            (rest, no) = (after, Goto::Label(second));
        }
        Ok((rest, Op::JumpIf { cond, src, yes: Goto::Label(first), no }))
    }

    /// Notes an operand that the instruction does not take; what stands for the instruction is of no further use.
    fn wrong_arg(&mut self, row: &'static Mnemonic, i: &'s str, rest: &'s str) -> Insn {
        let text = i[..i.len() - rest.len()].trim_end();
        let fault = Fault::Operand { mnemonic: row.name, expected: row.takes, found: quote(text) };
        self.errors.push((self.grammar.offset(i), text.len(), fault));
        Insn::RetA
    }

    /// The name of a label that is jumped to.
    fn target(&self, i: &'s str) -> Parsed<'s, Name<'s>> {
        let at = self.grammar.offset(i);
        let Ok((rest, text)) = word(i) else {
            return Err(Err::Error(Stop { at: i, want: Want::Expected("a label") }));
        };
        Ok((self.grammar.blank(rest)?, Name { at, text }))
    }

    fn mistake(&self, stop: Stop<'s>) -> Mistake {
        // Where the text ends too early, the place is behind its last character.
        let ended = stop.at.is_empty();
        let at = if ended { self.source.trim_end().len() } else { self.grammar.offset(stop.at) };
        let found = word_at(stop.at);
        let (len, fault) = match stop.want {
            Want::Expected(expected) => {
                let shown = match found {
                    "" => "the end of the text".to_string(),
                    "\n" | "\r" => "the end of the line".to_string(),
                    text => format!("`{}`", quote(text)),
                };
                (found.len(), Fault::Syntax { expected: expected.to_string(), found: shown })
            }
            Want::Number(text) => (text.len(), Fault::Number { text: quote(text) }),
            Want::Range(text) => (text.len(), Fault::Range { text: quote(text), bits: 32 }),
            Want::Scratch(text) => (text.len(), Fault::Scratch { text: quote(text) }),
            Want::HeaderLength(text) => (text.len(), Fault::HeaderLength { text: quote(text) }),
            Want::Comment => (2, Fault::Comment),
        };
        (at, len, fault)
    }
}
