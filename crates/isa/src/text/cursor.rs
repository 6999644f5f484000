//! Reading one line from left to right: blanks, words, symbols, numbers, and the place of each.
//!
//! A hand-written cursor rather than parser combinators: the grammar never needs more than the next
//! token, and a reader that never goes back always knows the one column where a line stopped to make
//! sense, and what could have stood there.

use super::error::{TextFault, quote};

/// A mistake in a line, by bytes of the line.
#[derive(Debug)]
pub(super) struct LineError {
    pub at: usize,
    pub len: usize,
    pub fault: TextFault,
}

pub(super) type Result<T> = core::result::Result<T, LineError>;

/// A piece of the line, and where it starts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token<'a> {
    pub text: &'a str,
    pub at: usize,
}

impl Token<'_> {
    /// This token is the mistake.
    pub fn fault(self, fault: TextFault) -> LineError {
        LineError { at: self.at, len: self.text.len(), fault }
    }
}

/// A position in a line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cursor<'a> {
    line: &'a str,
    at: usize,
}

/// What a byte may be in a word: it begins one, or it only goes on with one.
const BEGINS: u8 = 1;
const GOES_ON: u8 = 2;

/// The classes of all bytes; those of characters beyond ASCII have none.
const CLASS: [u8; 256] = {
    let mut class = [0; 256];
    let mut byte = 0;
    while byte < 128 {
        class[byte] = match byte as u8 {
            b'a'..=b'z' | b'A'..=b'Z' | b'_' | b'.' | b'$' => BEGINS | GOES_ON,
            b'0'..=b'9' | b'@' => GOES_ON,
            _ => 0,
        };
        byte += 1;
    }
    class
};

fn starts_word(c: char) -> bool {
    c.is_ascii() && CLASS[c as usize] & BEGINS != 0
}

fn continues_word(c: char) -> bool {
    c.is_ascii() && CLASS[c as usize] & GOES_ON != 0
}

/// `r` or `w` and nothing but digits.
pub(super) fn looks_like_register(word: &str) -> bool {
    match word.as_bytes() {
        [b'r' | b'w', digits @ ..] => !digits.is_empty() && digits.iter().all(u8::is_ascii_digit),
        _ => false,
    }
}

/// Whether `text` can stand where the dialect has a name: of a label, a map, a function.
///
/// ```
/// use oxbpf_isa::text::is_name;
///
/// assert!(is_name(".rodata.str1.1") && is_name("r10x"));
/// assert!(!is_name("r10") && !is_name("1st") && !is_name(""));
/// ```
pub fn is_name(text: &str) -> bool {
    text.starts_with(starts_word) && text.chars().all(continues_word) && !looks_like_register(text)
}

impl<'a> Cursor<'a> {
    pub fn new(line: &'a str) -> Self {
        Cursor { line, at: 0 }
    }

    /// What is left, from the next character that is not blank.
    #[inline]
    pub fn rest(&mut self) -> &'a str {
        let bytes = self.line.as_bytes();
        while let Some(b' ' | b'\t' | b'\r' | b'\n') = bytes.get(self.at) {
            self.at += 1;
        }
        &self.line[self.at..]
    }

    /// The next byte that is not blank, not taken.
    #[inline]
    pub fn next_byte(&mut self) -> Option<u8> {
        let bytes = self.line.as_bytes();
        loop {
            match bytes.get(self.at) {
                Some(b' ' | b'\t' | b'\r' | b'\n') => self.at += 1,
                other => return other.copied(),
            }
        }
    }

    /// The place of the next character that is not blank.
    pub fn place(&mut self) -> usize {
        self.next_byte();
        self.at
    }

    /// The bytes that are left.
    #[inline]
    pub fn bytes(&self) -> &'a [u8] {
        &self.line.as_bytes()[self.at..]
    }

    /// Takes the one byte that [`Cursor::next_byte`] has shown, which is no part of a character.
    #[inline]
    pub fn pass(&mut self) {
        debug_assert!(self.bytes().first().is_some_and(u8::is_ascii));
        self.at += 1;
    }

    /// Takes `len` bytes, which end at a character's end.
    pub fn take(&mut self, len: usize) -> Token<'a> {
        let token = Token { text: &self.line[self.at..self.at + len], at: self.at };
        self.at += len;
        token
    }

    /// What was read since `start`.
    pub fn since(&self, start: usize) -> Token<'a> {
        Token { text: &self.line[start..self.at], at: start }
    }

    /// Takes the following characters while they match.
    pub fn take_while(&mut self, matches: impl Fn(char) -> bool) -> Token<'a> {
        let rest = self.rest();
        let len = rest.find(|c| !matches(c)).unwrap_or(rest.len());
        self.take(len)
    }

    /// Takes `symbol` if it comes next.
    #[inline]
    pub fn eat(&mut self, symbol: &str) -> bool {
        self.next_byte();
        // Symbols are a few bytes: a call to compare them would cost more than they do.
        let rest = self.bytes();
        let found = rest.len() >= symbol.len() && symbol.bytes().zip(rest).all(|(a, b)| a == *b);
        if found {
            self.at += symbol.len();
        }
        found
    }

    /// Takes `symbol` if it comes next without a blank in front.
    pub fn eat_glued(&mut self, symbol: &str) -> bool {
        self.line[self.at..].starts_with(symbol) && self.eat(symbol)
    }

    /// Takes `symbol`, which must come next.
    #[inline]
    pub fn expect(&mut self, symbol: &str) -> Result<()> {
        if self.eat(symbol) { Ok(()) } else { Err(self.expected_symbol(symbol)) }
    }

    #[cold]
    fn expected_symbol(&mut self, symbol: &str) -> LineError {
        self.expected(&format!("`{symbol}`"))
    }

    /// Takes a word if one comes next.
    pub fn word(&mut self) -> Option<Token<'a>> {
        let begins = |b: u8| CLASS[usize::from(b)] & BEGINS != 0;
        if self.next_byte().is_some_and(begins) { Some(self.run()) } else { None }
    }

    /// Takes the characters of words that come next, if any.
    #[inline]
    pub fn run(&mut self) -> Token<'a> {
        self.next_byte();
        let bytes = self.line.as_bytes();
        let mut end = self.at;
        while end < bytes.len() && CLASS[usize::from(bytes[end])] & GOES_ON != 0 {
            end += 1;
        }
        self.take(end - self.at)
    }

    /// The next word, not taken.
    pub fn peek_word(&self) -> Option<&'a str> {
        let mut ahead = *self;
        ahead.word().map(|w| w.text)
    }

    /// Whether what looks like a register comes next.
    pub fn at_register(&self) -> bool {
        let mut ahead = *self;
        if !matches!(ahead.next_byte(), Some(b'r' | b'w')) {
            return false;
        }
        let bytes = &ahead.bytes()[1..];
        let digits = bytes.iter().take_while(|b| b.is_ascii_digit()).count();
        digits > 0 && bytes.get(digits).is_none_or(|&b| CLASS[usize::from(b)] & GOES_ON == 0)
    }

    /// Takes exactly this word if it comes next.
    pub fn eat_word(&mut self, word: &str) -> bool {
        let mut ahead = *self;
        let found = ahead.eat(word) && {
            let next = ahead.bytes().first();
            next.is_none_or(|&b| CLASS[usize::from(b)] & GOES_ON == 0)
        };
        if found {
            *self = ahead;
        }
        found
    }

    /// Takes the longest of the rows' symbols that comes next; rows without a symbol are passed over.
    #[inline]
    pub fn longest<R>(&mut self, rows: &'static [R], symbol: impl Fn(&R) -> &'static str) -> Option<&'static R> {
        let first = &self.next_byte()?;
        let rest = self.bytes();
        let mut best: Option<(&R, usize)> = None;
        for row in rows {
            let symbol = symbol(row).as_bytes();
            if symbol.first() != Some(first) || symbol.len() <= best.map_or(0, |b| b.1) {
                continue;
            }
            if rest.len() >= symbol.len() && symbol.iter().zip(rest).all(|(a, b)| a == b) {
                best = Some((row, symbol.len()));
            }
        }
        let (row, len) = best?;
        self.at += len;
        Some(row)
    }

    /// Passes over what is a comment as a whole; one that the line ends in stays.
    pub fn skip_comments(&mut self) {
        while let Some(b';' | b'#' | b'/') = self.next_byte() {
            let rest = self.rest();
            let len = match rest.as_bytes() {
                [b';' | b'#', ..] | [b'/', b'/', ..] => rest.find('\n'),
                [b'/', b'*', ..] => rest[2..].find("*/").map(|len| len + 4),
                _ => None,
            };
            match len {
                Some(len) => self.at += len,
                None => return,
            }
        }
    }

    /// Whether only blanks or comments are left.
    pub fn at_end(&mut self) -> bool {
        let mut ahead = *self;
        match ahead.next_byte() {
            None => return true,
            Some(b';' | b'#' | b'/') => ahead.skip_comments(),
            Some(_) => return false,
        }
        let rest = ahead.rest();
        rest.is_empty() || [";", "#", "//", "/*"].iter().any(|c| rest.starts_with(c))
    }

    /// The mistake that something else than `expected` comes next.
    #[cold]
    pub fn expected(&mut self, expected: &str) -> LineError {
        let token = if self.at_end() { Token { text: "", at: self.at } } else { self.next_token() };
        let found = match token.text {
            "" => "the end of the line".to_owned(),
            text => format!("`{}`", quote(text)),
        };
        LineError {
            at: token.at,
            len: token.text.len(),
            fault: TextFault::Syntax { expected: expected.to_owned(), found },
        }
    }

    /// The next word, number or single character, not taken.
    fn next_token(&self) -> Token<'a> {
        let mut ahead = *self;
        let run = ahead.run();
        if !run.text.is_empty() {
            return run;
        }
        let len = ahead.rest().chars().next().map_or(0, char::len_utf8);
        ahead.take(len)
    }
}
