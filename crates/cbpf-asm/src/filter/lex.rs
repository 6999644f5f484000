//! From text to tokens. What a word means depends on where it stands, so that words stay words here.

use std::net::Ipv6Addr;
use std::str::FromStr;

use super::error::{Fault, FilterError};

/// A kind of token.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Tok {
    /// Letters, digits and what may stand between them: a keyword, a name, a number, an address with dots or dashes.
    Word,
    /// A word behind a backslash, which is no keyword.
    Escaped,
    /// An address with colons: of six groups a MAC address, else of IPv6.
    Colons,
    /// What seems to be such an address and is none.
    Malformed,
    And,
    Or,
    Not,
    Open,
    Close,
    OpenIndex,
    CloseIndex,
    Colon,
    Plus,
    Minus,
    Times,
    Slash,
    Percent,
    BitAnd,
    BitOr,
    BitXor,
    Left,
    Right,
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    End,
}

/// A token and where it stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token {
    pub(super) tok: Tok,
    pub(super) at: usize,
    pub(super) len: usize,
}

impl Token {
    /// The characters of the token; of an escaped word, those behind the backslash.
    pub(super) fn text<'s>(&self, source: &'s str) -> &'s str {
        let skip = usize::from(self.tok == Tok::Escaped);
        &source[self.at + skip..self.at + self.len]
    }
}

/// Operators, the longer ones first.
const OPERATORS: [(&str, Tok); 25] = [
    ("&&", Tok::And),
    ("||", Tok::Or),
    ("<<", Tok::Left),
    (">>", Tok::Right),
    ("==", Tok::Eq),
    ("!=", Tok::Ne),
    ("<=", Tok::Le),
    (">=", Tok::Ge),
    ("!", Tok::Not),
    ("=", Tok::Eq),
    ("<", Tok::Lt),
    (">", Tok::Gt),
    ("(", Tok::Open),
    (")", Tok::Close),
    ("[", Tok::OpenIndex),
    ("]", Tok::CloseIndex),
    (":", Tok::Colon),
    ("+", Tok::Plus),
    ("-", Tok::Minus),
    ("*", Tok::Times),
    ("/", Tok::Slash),
    ("%", Tok::Percent),
    ("&", Tok::BitAnd),
    ("|", Tok::BitOr),
    ("^", Tok::BitXor),
];

/// The tokens of an expression; the last one is [`Tok::End`].
pub(super) fn lex(source: &str) -> Result<Vec<Token>, FilterError> {
    let mut tokens = Vec::with_capacity(source.len() / 4 + 2);
    let mut in_index = 0usize;
    let mut at = 0;
    while let Some(&byte) = source.as_bytes().get(at) {
        if byte.is_ascii_whitespace() {
            at += 1;
            continue;
        }
        let rest = &source[at..];
        let (tok, len) = token(rest, in_index > 0).ok_or_else(|| {
            let found = rest.chars().next().unwrap_or_default();
            FilterError { fault: Fault::Character { found }, at, len: found.len_utf8() }
        })?;
        match tok {
            Tok::OpenIndex => in_index += 1,
            Tok::CloseIndex => in_index = in_index.saturating_sub(1),
            _ => {}
        }
        tokens.push(Token { tok, at, len });
        at += len;
    }
    // Where the text ends too early, the place is behind its last character.
    tokens.push(Token { tok: Tok::End, at: source.trim_end().len(), len: 0 });
    Ok(tokens)
}

/// The first token of a text and its length.
fn token(rest: &str, in_index: bool) -> Option<(Tok, usize)> {
    if let Some(found) = colons(rest, in_index) {
        return Some(found);
    }
    if let Some(len) = word(rest) {
        return Some(match &rest[..len] {
            "and" => (Tok::And, len),
            "or" => (Tok::Or, len),
            "not" => (Tok::Not, len),
            _ => (Tok::Word, len),
        });
    }
    if let Some(escaped) = rest.strip_prefix('\\') {
        return word(escaped).map(|len| (Tok::Escaped, len + 1));
    }
    OPERATORS.iter().find(|(text, _)| rest.starts_with(text)).map(|(text, tok)| (*tok, text.len()))
}

/// The length of a word: it begins with a letter or digit and ends with one, or with a dot.
fn word(rest: &str) -> Option<usize> {
    let bytes = rest.as_bytes();
    bytes.first().filter(|b| b.is_ascii_alphanumeric())?;
    let inside = |b: &&u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    let run = bytes.iter().take_while(inside).count();
    let trailing = bytes[..run].iter().rev().take_while(|b| matches!(b, b'-' | b'_')).count();
    Some(run - trailing)
}

/// An address with colons. Inside of an index, `0:2` is an offset and a size.
fn colons(rest: &str, in_index: bool) -> Option<(Tok, usize)> {
    let bytes = rest.as_bytes();
    let run = bytes.iter().take_while(|b| b.is_ascii_hexdigit() || matches!(b, b':' | b'.')).count();
    let count = bytes[..run].iter().filter(|b| **b == b':').count();
    if count < 2 {
        return None;
    }
    let text = &rest[..run];
    let whole = !bytes.get(run).is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_');
    if whole && (mac(text, ':').is_some() || Ipv6Addr::from_str(text).is_ok()) {
        return Some((Tok::Colons, run));
    }
    (!in_index).then_some((Tok::Malformed, run))
}

/// A MAC address of six groups of one or two digits.
pub(super) fn mac(text: &str, separator: char) -> Option<[u8; 6]> {
    let mut mac = [0; 6];
    let mut groups = text.split(separator);
    for byte in &mut mac {
        let group = groups.next().filter(|g| matches!(g.len(), 1 | 2) && g.bytes().all(|b| b.is_ascii_hexdigit()))?;
        *byte = u8::from_str_radix(group, 16).ok()?;
    }
    groups.next().is_none().then_some(mac)
}
