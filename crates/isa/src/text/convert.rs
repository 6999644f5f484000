//! A text from one dialect into another, line by line: labels, names, directives and comments stay as they are.

use std::borrow::Cow;
use std::collections::HashSet;

use super::cursor::{Cursor, is_name};
use super::dialect::{Dialect, Family};
use super::error::TextErrors;
use super::line::instruction;
use super::macros;
use super::print::{Shown, write_insn};
use super::source::{Lines, is_heading, parse_as};
use super::statement::{Name, NameKind, Statement};
use crate::insn::{Insn, Pseudo};
use crate::raw::Slot;

/// The same text in another dialect, or what is wrong with it.
///
/// Labels, names, directives and comments are kept; what listings put in front of instructions is left out. A name that
/// means something else in the new dialect, as `BPF_ADD` does in macros, makes another program or none: compare what the
/// result parses to.
///
/// ```
/// use oxbpf_isa::text::{Dialect, convert};
///
/// let text = "; for ever\nagain:\n  r0 += 1    // up\n  goto again\n";
/// let ubpf = convert(text, Dialect::Clang, Dialect::Ubpf).unwrap();
/// assert_eq!(ubpf, "; for ever\nagain:\n  add %r0, 1    // up\n  ja again\n");
/// assert_eq!(convert(&ubpf, Dialect::Ubpf, Dialect::Clang).unwrap(), text);
/// ```
pub fn convert(source: &str, from: Dialect, to: Dialect) -> Result<String, TextErrors> {
    let parsed = parse_as(source, from)?;
    let end = Slot(parsed.insns.iter().map(Insn::slots).sum());
    let code: HashSet<&str> = parsed.labels.iter().filter(|l| l.slot < end).map(|l| l.name.as_str()).collect();
    let labels: HashSet<&str> = parsed.labels.iter().map(|l| l.name.as_str()).collect();
    let known = Known { code, labels, from, to };
    let joins = from.row().family == Family::Macros;
    let mut out = String::with_capacity(source.len() * 2);
    for (line, _, _) in Lines::new(source, joins) {
        known.line(&mut out, line);
    }
    Ok(out)
}

/// What is known of the whole text.
struct Known<'a> {
    /// Labels of instructions.
    code: HashSet<&'a str>,
    /// All labels.
    labels: HashSet<&'a str>,
    from: Dialect,
    to: Dialect,
}

impl Known<'_> {
    fn line(&self, out: &mut String, line: &str) {
        let mut c = Cursor::new(line);
        let from_macros = self.from.row().family == Family::Macros;
        if is_heading(line) || from_macros && macros::boilerplate(line) {
            return;
        }
        let indent = line.len() - line.trim_start().len();
        let mut begun = c.place();
        out.push_str(&line[..indent]);
        while let Some(label) = c.prefix() {
            match label {
                Some(label) if is_name(label.text) => {
                    out.push_str(&self.label(label.text));
                    out.push(':');
                    let rest = c.rest();
                    out.push_str(if rest.is_empty() { "" } else { " " });
                }
                // A slot's number, or a symbol that cannot be written.
                _ => {}
            }
            begun = c.place();
        }
        c.skip_comments();
        let place = c.place();
        out.push_str(&line[begun..place]);
        loop {
            if c.next_byte() == Some(b'.') || c.at_end() {
                out.push_str(c.rest().trim_end());
                break;
            }
            // The text was parsed; what failed now would have failed then.
            let Ok(statement) = instruction(&mut c, self.from) else { break };
            self.statement(out, statement, line);
            if from_macros && !c.at_end() {
                out.push('\n');
                out.push_str(&line[..indent]);
                continue;
            }
            let behind = c.place();
            let gap = line[..behind].len() - line[..behind].trim_end_matches([' ', '\t', ',']).len();
            if !c.rest().is_empty() {
                out.push_str(line[behind - gap..behind].trim_start_matches(','));
            }
        }
        out.truncate(out.trim_end_matches([' ', '\t']).len());
        out.push('\n');
    }

    /// A label's name, which macros must not take for a number.
    fn label<'n>(&self, name: &'n str) -> Cow<'n, str> {
        if self.to.row().family != Family::Macros || !macros::is_constant(name) {
            return name.into();
        }
        let mut free = format!("label_{name}");
        while self.labels.contains(free.as_str()) {
            free.push('_');
        }
        free.into()
    }

    fn statement(&self, out: &mut String, Statement { insn, name }: Statement<'_>, line: &str) {
        let written = name.map_or("".into(), |n| {
            if self.labels.contains(n.token.text) { self.label(n.token.text) } else { n.token.text.into() }
        });
        // What macros call `BPF_FUNC_x` is `bpf_x` elsewhere.
        let prefixed = |n: &Name<'_>| line.get(..n.token.at).is_some_and(|l| l.ends_with("BPF_FUNC_"));
        let helper = name.filter(prefixed).map(|n| format!("bpf_{}", n.token.text));
        let (insn, shown) = match name {
            None => (insn, Shown::Number),
            Some(name) => {
                let text = name.token.text;
                match name.kind {
                    NameKind::Jump | NameKind::Local => (insn, Shown::Label(&written)),
                    NameKind::Call if self.labels.contains(text) && name.addend == 0 => {
                        (Insn::Call(crate::CallTarget::Local(0)), Shown::Label(&written))
                    }
                    NameKind::Call => (insn, Shown::Call(helper.as_deref().unwrap_or(text))),
                    NameKind::Address => {
                        let dst = insn.written().unwrap_or(crate::Reg::R0);
                        let func = self.code.contains(text);
                        let value = if func { Pseudo::Func(0) } else { Pseudo::MapFd(0) };
                        let shown = if func { Shown::Label(&written) } else { Shown::Address(text, name.addend) };
                        (Insn::LoadPseudo { dst, value }, shown)
                    }
                }
            }
        };
        // Writing to a string does not fail.
        let _ = write_insn(out, self.to, &insn, shown);
    }
}
