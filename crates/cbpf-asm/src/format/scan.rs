//! What the readers of numbers share: a place in a text, and numbers of a given width.

use oxbpf_isa::cbpf::SockFilter;

use super::Format;
use crate::assemble::Mistake;
use crate::error::{Fault, quote};
use crate::grammar::word_at;

/// Instructions with the byte offset at which each stands.
pub(super) type Placed = Vec<(usize, SockFilter)>;

/// How many bytes an instruction takes that begins here.
pub(super) fn extent(rest: &str, format: Format) -> usize {
    let line = rest.lines().next().unwrap_or_default();
    let end = match format {
        Format::Tc | Format::Ddd => line.find([',', '\'']),
        Format::D => None,
        _ => line.find('}').map(|at| at + 1),
    };
    line[..end.unwrap_or(line.len())].trim_end().len()
}

/// A place in a text.
#[derive(Clone, Copy)]
pub(super) struct Cursor<'s> {
    pub source: &'s str,
    pub at: usize,
}

impl<'s> Cursor<'s> {
    pub(super) fn new(source: &'s str) -> Self {
        Cursor { source, at: 0 }
    }

    pub(super) fn rest(&self) -> &'s str {
        &self.source[self.at..]
    }

    pub(super) fn skip(&mut self, chars: &[char]) {
        self.at = self.source.len() - self.rest().trim_start_matches(chars).len();
    }

    pub(super) fn spaces(&mut self) {
        self.skip(&[' ', '\t', '\r', '\n']);
    }

    /// Passes over `text` if it stands here.
    pub(super) fn eat(&mut self, text: &str) -> bool {
        let found = self.rest().starts_with(text);
        self.at += if found { text.len() } else { 0 };
        found
    }

    pub(super) fn expected(&self, what: &str) -> Mistake {
        let found = word_at(self.rest());
        let shown = match found {
            "" => "the end of the text".to_string(),
            "\n" | "\r" => "the end of the line".to_string(),
            text => format!("`{}`", quote(text)),
        };
        (self.at, found.len(), Fault::Syntax { expected: what.to_string(), found: shown })
    }

    pub(super) fn must(&mut self, text: &str) -> Result<(), Mistake> {
        if self.eat(text) { Ok(()) } else { Err(self.expected(&format!("`{text}`"))) }
    }

    /// Letters, digits and underscores.
    pub(super) fn word(&mut self) -> &'s str {
        let rest = self.rest();
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    /// A number of at most so many bits: decimal, or hexadecimal behind `0x`. `suffix` is what may stand behind it.
    pub(super) fn number(&mut self, bits: u32, suffixes: &[&str]) -> Result<u32, Mistake> {
        let begin = *self;
        let text = self.word();
        if !text.starts_with(|c: char| c.is_ascii_digit()) {
            return Err(begin.expected("a number"));
        }
        let bare = match text.strip_prefix("0x").or(text.strip_prefix("0X")) {
            Some(hex) => (hex.trim_end_matches(|c: char| suffixes.contains(&c.to_string().as_str())), 16),
            None => (text.trim_end_matches(|c: char| suffixes.contains(&c.to_string().as_str())), 10),
        };
        let wrong = |fault| (begin.at, text.len(), fault);
        if bare.0.is_empty() || !bare.0.chars().all(|c| c.is_digit(bare.1)) {
            return Err(wrong(Fault::Number { text: quote(text) }));
        }
        let value = u64::from_str_radix(bare.0, bare.1).ok().filter(|v| v >> bits == 0);
        value.map(|v| v as u32).ok_or_else(|| wrong(Fault::Range { text: quote(text), bits }))
    }
}
