//! A directive's line from left to right: words, numbers, bytes, texts, and the place of each.

use oxbpf_isa::text::{is_name, quote};

use super::error::{UnitTextError, UnitTextFault};

/// A piece of a line, and the byte it starts at.
#[derive(Clone, Copy, Debug)]
pub(super) struct Word<'a> {
    pub text: &'a str,
    at: usize,
}

/// A line that is being read.
#[derive(Debug)]
pub(super) struct Line<'a> {
    text: &'a str,
    number: u32,
    /// Characters in front of `text`.
    before: u32,
    at: usize,
}

pub(super) type Result<T> = std::result::Result<T, UnitTextError>;

impl<'a> Line<'a> {
    /// `text` starts behind `before` characters of line `number`.
    pub fn new(text: &'a str, number: u32, before: u32) -> Line<'a> {
        Line { text, number, before, at: 0 }
    }

    pub fn number(&self) -> u32 {
        self.number
    }

    fn rest(&mut self) -> &'a str {
        let left = &self.text[self.at..];
        let trimmed = left.trim_start();
        self.at += left.len() - trimmed.len();
        let comment = trimmed.starts_with([';', '#']) || trimmed.starts_with("//");
        if comment { "" } else { trimmed }
    }

    /// The next word, up to a blank, a comma, `=` or a comment; none at the end.
    pub fn word(&mut self) -> Option<Word<'a>> {
        let rest = self.rest();
        let end =
            rest.find(|c: char| c.is_whitespace() || matches!(c, ',' | '=' | '"' | ';' | '#')).unwrap_or(rest.len());
        let word = Word { text: &rest[..end], at: self.at };
        self.at += end;
        (end > 0).then_some(word)
    }

    pub fn eat(&mut self, symbol: char) -> bool {
        let found = self.rest().starts_with(symbol);
        self.at += if found { symbol.len_utf8() } else { 0 };
        found
    }

    pub fn at_end(&mut self) -> bool {
        self.rest().is_empty()
    }

    pub fn end(&mut self) -> Result<()> {
        if self.at_end() { Ok(()) } else { Err(self.expected("the end of the line")) }
    }

    /// A name of a map, variable or program.
    pub fn name(&mut self, what: &str) -> Result<Word<'a>> {
        let at = self.at;
        match self.word() {
            Some(w) if is_name(w.text) => Ok(w),
            _ => {
                self.at = at;
                Err(self.expected(what))
            }
        }
    }

    pub fn expect_word(&mut self, what: &str) -> Result<Word<'a>> {
        self.word().ok_or_else(|| self.expected(what))
    }

    pub fn expect(&mut self, symbol: char) -> Result<()> {
        if self.eat(symbol) { Ok(()) } else { Err(self.expected(&format!("`{symbol}`"))) }
    }

    pub fn number_of(&self, word: Word<'a>) -> Result<u32> {
        let hex = word.text.strip_prefix("0x");
        let value = hex.map_or_else(|| word.text.parse().ok(), |h| u32::from_str_radix(h, 16).ok());
        value.ok_or_else(|| {
            self.error(word, UnitTextFault::Value(format!("`{}` is no 32-bit number", quote(word.text))))
        })
    }

    pub fn u32(&mut self) -> Result<u32> {
        let word = self.expect_word("a number")?;
        self.number_of(word)
    }

    /// Bytes up to `=` or the end of the line: pairs of hexadecimal digits, numbers like `u32:7` in the machine's
    /// order, `"text"`; the first two repeated by `*COUNT`.
    pub fn bytes(&mut self, max: usize) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let start = self.at;
        while !self.rest().is_empty() && !self.rest().starts_with('=') {
            if self.eat('"') {
                self.quoted(&mut bytes)?;
            } else {
                let word = self.expect_word("bytes in hexadecimal")?;
                let fault = || UnitTextFault::Value(format!("`{}` are no bytes in hexadecimal", quote(word.text)));
                let (run, count) = match word.text.split_once('*') {
                    None => (item(word.text), Some(1)),
                    Some((run, n)) => (item(run), n.parse::<usize>().ok()),
                };
                let run = run.ok_or_else(|| self.error(word, fault()))?;
                let count = count.ok_or_else(|| self.error(word, fault()))?;
                if run.len().saturating_mul(count) > max {
                    return Err(self.error(word, UnitTextFault::Value(format!("more than {max} bytes"))));
                }
                bytes.extend(run.repeat(count));
            }
            if bytes.len() > max {
                let all = Word { text: &self.text[start..self.at], at: start };
                return Err(self.error(all, UnitTextFault::Value(format!("more than {max} bytes"))));
            }
        }
        Ok(bytes)
    }

    /// After the first quote: text with `\n`, `\t`, `\0`, `\\`, `\"` and `\xNN`.
    fn quoted(&mut self, out: &mut Vec<u8>) -> Result<()> {
        loop {
            let mut chars = self.text[self.at..].chars();
            let (start, c) = (self.at, chars.next());
            self.at += c.map_or(0, char::len_utf8);
            match c {
                None => return Err(self.expected("`\"`")),
                Some('"') => return Ok(()),
                Some('\\') => {
                    let escape = chars.next();
                    self.at += escape.map_or(0, char::len_utf8);
                    let byte = match escape {
                        Some('n') => Some(b'\n'),
                        Some('t') => Some(b'\t'),
                        Some('0') => Some(0),
                        Some(c @ ('\\' | '"')) => Some(c as u8),
                        Some('x') => {
                            let digits = self.text.get(self.at..self.at + 2);
                            self.at += digits.map_or(0, str::len);
                            digits.and_then(hex).and_then(|b| b.first().copied())
                        }
                        _ => None,
                    };
                    let word = Word { text: &self.text[start..self.at], at: start };
                    let fault = || UnitTextFault::Value(format!("no escape `{}`", quote(word.text)));
                    out.push(byte.ok_or_else(|| self.error(word, fault()))?);
                }
                Some(c) => out.extend(c.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
    }

    /// A whole quoted text.
    pub fn string(&mut self) -> Result<String> {
        self.expect('"')?;
        let (mut bytes, start) = (Vec::new(), self.at);
        self.quoted(&mut bytes)?;
        let word = Word { text: &self.text[start..self.at], at: start };
        String::from_utf8(bytes).map_err(|_| self.error(word, UnitTextFault::Value("not UTF-8".to_string())))
    }

    pub fn expected(&mut self, expected: &str) -> UnitTextError {
        let rest = self.rest();
        let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
        let word = Word { text: &rest[..end], at: self.at };
        let found = if end == 0 { "the end of the line".to_string() } else { format!("`{}`", quote(word.text)) };
        self.error(word, UnitTextFault::Syntax { expected: expected.to_string(), found })
    }

    pub fn error(&self, word: Word<'_>, fault: UnitTextFault) -> UnitTextError {
        // Lines are shorter than the text's limit.
        let column = self.before + self.text[..word.at].chars().count() as u32 + 1;
        let width = (word.text.chars().count() as u32).max(1);
        UnitTextError { fault, line: self.number, column, width }
    }
}

/// Bytes as the text has them: `0a1b`, or a number of 1, 2, 4 or 8 bytes, `u16:0x1b0a`.
fn item(text: &str) -> Option<Vec<u8>> {
    const SIZES: [(&str, usize); 4] = [("u8:", 1), ("u16:", 2), ("u32:", 4), ("u64:", 8)];
    let number = SIZES.iter().find_map(|&(prefix, size)| Some((text.strip_prefix(prefix)?, size)));
    let Some((digits, size)) = number else { return hex(text) };
    let value = match (digits.strip_prefix("0x"), digits.strip_prefix('-')) {
        (Some(hex), _) => i128::from(u64::from_str_radix(hex, 16).ok()?),
        (_, Some(_)) => i128::from(digits.parse::<i64>().ok()?),
        _ => i128::from(digits.parse::<u64>().ok()?),
    };
    let bits = 8 * size as u32;
    let fits = (-(1i128 << (bits - 1))..1i128 << bits).contains(&value);
    fits.then(|| value.to_le_bytes()[..size].to_vec())
}

/// Pairs of hexadecimal digits.
pub(super) fn hex(digits: &str) -> Option<Vec<u8>> {
    if digits.is_empty() || !digits.len().is_multiple_of(2) || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    (0..digits.len()).step_by(2).map(|i| u8::from_str_radix(&digits[i..i + 2], 16).ok()).collect()
}
