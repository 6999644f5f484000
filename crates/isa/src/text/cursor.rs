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

fn starts_word(c: char) -> bool {
    c.is_ascii_alphabetic() || matches!(c, '_' | '.' | '$')
}

fn continues_word(c: char) -> bool {
    starts_word(c) || c.is_ascii_digit() || c == '@'
}

/// `r` or `w` and nothing but digits.
pub(super) fn looks_like_register(word: &str) -> bool {
    word.strip_prefix(['r', 'w']).is_some_and(|n| !n.is_empty() && n.chars().all(|c| c.is_ascii_digit()))
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
    pub fn rest(&mut self) -> &'a str {
        let left = &self.line[self.at..];
        let trimmed = left.trim_start_matches([' ', '\t']);
        self.at += left.len() - trimmed.len();
        trimmed
    }

    /// The place of the next character that is not blank.
    pub fn place(&mut self) -> usize {
        self.rest();
        self.at
    }

    /// Takes `len` bytes, which end at a character's end.
    fn take(&mut self, len: usize) -> Token<'a> {
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
    pub fn eat(&mut self, symbol: &str) -> bool {
        let found = self.rest().starts_with(symbol);
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
    pub fn expect(&mut self, symbol: &str) -> Result<()> {
        if self.eat(symbol) { Ok(()) } else { Err(self.expected(&format!("`{symbol}`"))) }
    }

    /// Takes a word if one comes next.
    pub fn word(&mut self) -> Option<Token<'a>> {
        self.rest().starts_with(starts_word).then(|| self.take_while(continues_word))
    }

    /// The next word, not taken.
    pub fn peek_word(&self) -> Option<&'a str> {
        let mut ahead = *self;
        ahead.word().map(|w| w.text)
    }

    /// Takes exactly this word if it comes next.
    pub fn eat_word(&mut self, word: &str) -> bool {
        let found = self.peek_word() == Some(word);
        if found {
            self.word();
        }
        found
    }

    /// Takes the longest of the rows' symbols that comes next; rows without a symbol are passed over.
    pub fn longest<R>(&mut self, rows: &'static [R], symbol: fn(&R) -> &'static str) -> Option<&'static R> {
        let rest = self.rest();
        let found = |r: &&R| !symbol(r).is_empty() && rest.starts_with(symbol(r));
        let row = rows.iter().filter(found).max_by_key(|r| symbol(r).len())?;
        self.at += symbol(row).len();
        Some(row)
    }

    /// Whether only blanks or a comment are left.
    pub fn at_end(&mut self) -> bool {
        let rest = self.rest();
        rest.is_empty() || [";", "#", "//"].iter().any(|c| rest.starts_with(c))
    }

    /// The mistake that something else than `expected` comes next.
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
        let run = ahead.take_while(continues_word);
        if !run.text.is_empty() {
            return run;
        }
        let len = ahead.rest().chars().next().map_or(0, char::len_utf8);
        ahead.take(len)
    }
}

/// A number as written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Number<'a> {
    value: i128,
    hex: bool,
    token: Token<'a>,
}

impl<'a> Cursor<'a> {
    /// Whether a number comes next, with or without a sign.
    pub fn at_number(&self) -> bool {
        let mut ahead = *self;
        if !ahead.eat("-") {
            ahead.eat("+");
        }
        ahead.rest().starts_with(|c: char| c.is_ascii_digit())
    }

    /// Takes a number with an optional sign.
    pub fn number(&mut self) -> Result<Number<'a>> {
        let start = self.place();
        if !self.at_number() {
            return Err(self.expected("a number"));
        }
        let negative = self.eat("-");
        if !negative {
            self.eat("+");
        }
        let digits = self.take_while(continues_word).text;
        let token = self.since(start);
        let malformed = || token.fault(TextFault::Number { text: quote(token.text) });
        let hex = digits.strip_prefix("0x").or(digits.strip_prefix("0X"));
        let (digits, radix) = match hex {
            Some(d) => (d, 16),
            // A leading zero means octal to some assemblers and nothing to others.
            None if digits.len() > 1 && digits.starts_with('0') => return Err(malformed()),
            None => (digits, 10),
        };
        if digits.is_empty() || !digits.chars().all(|c| c.is_digit(radix)) {
            return Err(malformed());
        }
        // More than 127 bits fit no field; the greatest value stands for all of them.
        let value = i128::from_str_radix(digits, radix).unwrap_or(i128::MAX);
        Ok(Number { value: if negative { -value } else { value }, hex: hex.is_some(), token })
    }
}

impl Number<'_> {
    fn within<T: TryFrom<i128>>(self, field: &'static str, min: i128, max: i128) -> Result<T> {
        let fits = (min..=max).contains(&self.value).then(|| T::try_from(self.value).ok()).flatten();
        fits.ok_or_else(|| {
            let text = quote(self.token.text);
            self.token.fault(TextFault::Range { text, field, min, max })
        })
    }

    pub fn to_i16(self, field: &'static str) -> Result<i16> {
        self.within(field, i16::MIN.into(), i16::MAX.into())
    }

    pub fn to_u16(self, field: &'static str) -> Result<u16> {
        self.within(field, 0, u16::MAX.into())
    }

    /// A 32-bit field; hexadecimal may also give the bits of a negative number, as disassemblers print it.
    pub fn to_i32(self, field: &'static str) -> Result<i32> {
        if self.hex && self.value > i128::from(i32::MAX) && self.value <= i128::from(u32::MAX) {
            return Ok(self.value as u32 as i32);
        }
        self.within(field, i32::MIN.into(), i32::MAX.into())
    }

    pub fn to_i64(self, field: &'static str) -> Result<i64> {
        self.within(field, i64::MIN.into(), i64::MAX.into())
    }

    /// The bits of a 64-bit value, signed or unsigned.
    pub fn to_bits64(self, field: &'static str) -> Result<u64> {
        let value: i128 = self.within(field, i64::MIN.into(), u64::MAX.into())?;
        Ok(value as u64)
    }
}
