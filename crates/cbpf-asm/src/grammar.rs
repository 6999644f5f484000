//! The grammar, in nom: words, numbers, operands, and what stands between them.

use std::cell::RefCell;

use nom::branch::alt;
use nom::bytes::complete::{tag, tag_no_case, take_while, take_while1};
use nom::character::complete::{bin_digit1, char, digit1, hex_digit1, oct_digit1, one_of};
use nom::combinator::{opt, recognize};
use nom::error::{ErrorKind, ParseError};
use nom::sequence::{pair, preceded};
use nom::{Err, IResult, Parser};
use oxbpf_isa::cbpf::M;

use crate::mnemonic::{Arg, extension};

/// Why a parser stopped, and where. It is small, because alternatives make many and use one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stop<'s> {
    pub at: &'s str,
    pub want: Want<'s>,
}

/// What was wanted where a parser stopped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Want<'s> {
    Expected(&'static str),
    Number(&'s str),
    Range(&'s str),
    Scratch(&'s str),
    HeaderLength(&'s str),
    Comment,
}

impl<'s> ParseError<&'s str> for Stop<'s> {
    fn from_error_kind(at: &'s str, _: ErrorKind) -> Self {
        Stop { at, want: Want::Expected("something else") }
    }

    fn append(_: &'s str, _: ErrorKind, other: Self) -> Self {
        other
    }

    /// The alternative that got further knows better what is wrong.
    fn or(self, other: Self) -> Self {
        if other.at.len() < self.at.len() { other } else { self }
    }
}

pub(crate) type Parsed<'s, T> = IResult<&'s str, T, Stop<'s>>;

fn stop<'s, T>(at: &'s str, want: &'static str) -> Result<T, Err<Stop<'s>>> {
    Err(Err::Error(Stop { at, want: Want::Expected(want) }))
}

fn fail<'s, T>(at: &'s str, want: Want<'s>) -> Result<T, Err<Stop<'s>>> {
    Err(Err::Failure(Stop { at, want }))
}

/// The parsers, and what they met that bpf_asm would not have read.
pub(crate) struct Grammar<'s> {
    source: &'s str,
    /// In strict mode, offsets of what bpf_asm does not read.
    quirks: Option<RefCell<Vec<(usize, &'static str)>>>,
}

impl<'s> Grammar<'s> {
    pub(crate) fn new(source: &'s str, strict: bool) -> Self {
        Grammar { source, quirks: strict.then(RefCell::default) }
    }

    /// The byte offset of a rest of the source.
    pub(crate) fn offset(&self, rest: &str) -> usize {
        self.source.len() - rest.len()
    }

    pub(crate) fn into_quirks(self) -> Vec<(usize, &'static str)> {
        self.quirks.map_or_else(Vec::new, RefCell::into_inner)
    }

    fn quirk(&self, at: &str, what: &'static str) {
        if let Some(quirks) = &self.quirks {
            let quirk = (self.offset(at), what);
            let mut quirks = quirks.borrow_mut();
            if !quirks.contains(&quirk) && quirks.len() < crate::MAX_ERRORS {
                quirks.push(quirk);
            }
        }
    }

    /// What is left behind white space and comments.
    pub(crate) fn blank(&self, mut i: &'s str) -> Result<&'s str, Err<Stop<'s>>> {
        loop {
            match i.as_bytes() {
                [b' ' | b'\t' | b'\n', rest @ ..] => i = &i[i.len() - rest.len()..],
                [b'\r' | 0x0b | 0x0c, ..] => {
                    self.quirk(i, "carriage returns, form feeds and vertical tabs");
                    i = &i[1..];
                }
                [b';', ..] => i = line(i),
                [b'#', rest @ ..] if self.begins_line(i) => {
                    if matches!(rest, [] | [b'\n', ..]) {
                        self.quirk(i, "comments of nothing but `#`");
                    }
                    i = line(i);
                }
                [b'/', b'/', ..] => {
                    self.quirk(i, "comments with `//`");
                    i = line(i);
                }
                [b'/', b'*', ..] => {
                    let Some(end) = i[2..].find("*/") else { return fail(i, Want::Comment) };
                    if i[2..2 + end].ends_with('*') {
                        self.quirk(i, "comments that end with `**/`");
                    }
                    i = &i[end + 4..];
                }
                _ => return Ok(i),
            }
        }
    }

    fn begins_line(&self, i: &str) -> bool {
        let at = self.offset(i);
        at == 0 || self.source.as_bytes()[at - 1] == b'\n'
    }

    /// Where a statement may begin; nothing that begins with `#` does, so it is a comment.
    pub(crate) fn between(&self, i: &'s str) -> Result<&'s str, Err<Stop<'s>>> {
        let mut i = self.blank(i)?;
        while i.starts_with('#') {
            self.quirk(i, "comments with `#` that do not begin in the first column");
            i = self.blank(line(i))?;
        }
        Ok(i)
    }

    /// A sign and the blanks behind it.
    pub(crate) fn sign(&self, c: char, want: &'static str, i: &'s str) -> Parsed<'s, ()> {
        match char::<_, Stop>(c)(i) {
            Ok((rest, _)) => Ok((self.blank(rest)?, ())),
            Err(_) => stop(i, want),
        }
    }

    /// A number as its field takes it: what is negative is its complement of two.
    pub(crate) fn number(&self, i: &'s str) -> Parsed<'s, u32> {
        let Ok((rest, (sign, (radix, digits)))) = pair(opt(one_of("+-")), digits).parse(i) else {
            return stop(i, "a number");
        };
        let (end, tail) = take_while::<_, _, Stop>(is_word)(rest)?;
        let text = &i[..i.len() - end.len()];
        if !tail.is_empty() || (radix == 10 && digits.len() > 1 && digits.starts_with('0')) {
            return fail(i, Want::Number(text));
        }
        let value = digits
            .chars()
            .filter_map(|c| c.to_digit(radix))
            .fold(0u64, |v, d| v.saturating_mul(radix.into()).saturating_add(d.into()));
        if sign.is_some() && (radix != 10 || (value == 0 && sign == Some('-'))) {
            self.quirk(i, "a sign before a number that is zero or not decimal");
        }
        let value = match (sign, u32::try_from(value)) {
            (Some('-'), Ok(value @ ..=0x8000_0000)) => value.wrapping_neg(),
            (Some('-'), _) | (_, Err(_)) => return fail(i, Want::Range(text)),
            (_, Ok(value)) => value,
        };
        Ok((self.blank(rest)?, value))
    }

    /// An index of scratch memory in brackets.
    fn scratch(&self, i: &'s str) -> Parsed<'s, Arg> {
        let (at, ()) = self.sign('[', "`[`", i)?;
        let (rest, k) = self.number(at)?;
        let Some(m) = M::new(k) else { return fail(at, Want::Scratch(word_at(at))) };
        let (rest, ()) = self.sign(']', "`]`", rest)?;
        Ok((rest, Arg::Mem(m)))
    }

    /// `[k]`, `[x + k]` and, of what bpf_asm refuses, `[x+3]`, `[x - 3]` and `[x]`.
    fn packet(&self, i: &'s str) -> Parsed<'s, Arg> {
        let (i, ()) = self.sign('[', "`[`", i)?;
        let Ok((rest, _)) = register(i).and_then(|(r, w)| match w {
            "x" | "X" | "%x" | "%X" => Ok((r, w)),
            _ => stop(i, "an offset"),
        }) else {
            let (rest, k) = or_want(self.number(i), i, "an offset: a number, or `x + k`")?;
            let (rest, ()) = self.sign(']', "`]`", rest)?;
            return Ok((rest, Arg::Abs(k)));
        };
        let at = self.blank(rest)?;
        let (rest, k) = match at.as_bytes() {
            [b'+', next, ..] => {
                if matches!(next, b'1'..=b'9') {
                    self.quirk(at, "`+3` behind `x`: there must be a space, as in `[x + 3]`");
                }
                self.number(self.blank(&at[1..])?)?
            }
            [b'-', ..] => {
                self.quirk(at, "`[x - k]`");
                let (rest, k) = self.number(self.blank(&at[1..])?)?;
                (rest, k.wrapping_neg())
            }
            [b']', ..] => {
                self.quirk(at, "`[x]`");
                (at, 0)
            }
            _ => return stop(at, "`+` or `]`"),
        };
        let (rest, ()) = self.sign(']', "`]`", rest)?;
        Ok((rest, Arg::Ind(k)))
    }

    /// The rest of `4*([k]&0xf)`, behind its 4.
    fn header_length(&self, begin: &'s str, four: u32, i: &'s str) -> Parsed<'s, Arg> {
        let (i, ()) = self.sign('*', "`*`", i)?;
        let (i, ()) = self.sign('(', "`(`", i)?;
        let (i, ()) = self.sign('[', "`[`", i)?;
        let (i, k) = self.number(i)?;
        let (i, ()) = self.sign(']', "`]`", i)?;
        let (i, ()) = self.sign('&', "`&`", i)?;
        let (i, mask) = self.number(i)?;
        let (rest, ()) = self.sign(')', "`)`", i)?;
        if (four, mask) != (4, 0xf) {
            return fail(begin, Want::HeaderLength(begin[..begin.len() - rest.len()].trim_end()));
        }
        Ok((rest, Arg::HeaderLength(k)))
    }

    /// `len`, or an extension.
    fn named(&self, i: &'s str) -> Parsed<'s, Arg> {
        let Ok((rest, name)) = word(i) else { return stop(i, "a name") };
        let arg = match extension(name) {
            Some(ext) => Arg::Ext(ext),
            None if name.eq_ignore_ascii_case("len") => Arg::Len,
            None => return stop(i, "a name"),
        };
        Ok((self.blank(rest)?, arg))
    }

    /// Any operand; which of them an instruction takes is for its row to say. `bare` numbers are those without `#`.
    pub(crate) fn arg(&self, takes: &'static str, bare: bool, i: &'s str) -> Parsed<'s, Arg> {
        match i.as_bytes() {
            [b'#', ..] => {
                let at = self.blank(&i[1..])?;
                let (rest, arg) = alt((|i| self.number(i).map(|(r, k)| (r, Arg::K(k))), |i| self.named(i)))
                    .parse(at)
                    .map_err(|e| wanting(e, at, "a number, `len` or an extension behind `#`"))?;
                if !matches!(arg, Arg::K(_)) && !i[1..].starts_with(is_word) {
                    self.quirk(i, "a space between `#` and a name");
                }
                Ok((rest, arg))
            }
            [b'[', ..] => self.packet(i),
            [b'0'..=b'9' | b'+' | b'-', ..] => {
                let (rest, k) = or_want(self.number(i), i, takes)?;
                if rest.starts_with('*') {
                    return self.header_length(i, k, rest);
                }
                if !bare {
                    self.quirk(i, "a number without `#` here");
                }
                Ok((rest, Arg::K(k)))
            }
            _ => {
                let Ok((rest, name)) = register(i) else {
                    return stop(i, takes);
                };
                match name {
                    "x" | "X" | "%x" | "%X" => Ok((self.blank(rest)?, Arg::X)),
                    "a" | "A" | "%a" | "%A" => Ok((self.blank(rest)?, Arg::A)),
                    "m" | "M" => self.scratch(self.blank(rest)?),
                    _ => or_want(self.named(i), i, takes),
                }
            }
        }
    }
}

/// The same error, but where the parser did not get past `at`, it says what was wanted there.
fn wanting<'s>(e: Err<Stop<'s>>, at: &str, want: &'static str) -> Err<Stop<'s>> {
    match e {
        Err::Error(stop) if stop.at.len() == at.len() => Err::Error(Stop { want: Want::Expected(want), ..stop }),
        other => other,
    }
}

fn or_want<'s, T>(result: Parsed<'s, T>, at: &str, want: &'static str) -> Parsed<'s, T> {
    result.map_err(|e| wanting(e, at, want))
}

/// A word: letters, digits and underscores, the first no digit.
pub(crate) fn word(i: &str) -> Parsed<'_, &str> {
    if i.starts_with(|c: char| c.is_ascii_digit()) {
        return stop(i, "a word");
    }
    take_while1(is_word)(i)
}

pub(crate) fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// What stands at `i` up to the end of a word, or one character, for messages.
pub(crate) fn word_at(i: &str) -> &str {
    let end = i.find(|c| !is_word(c) && c != '-' && c != '+').unwrap_or(i.len());
    let end = if end == 0 { i.chars().next().map_or(0, char::len_utf8) } else { end };
    &i[..end]
}

/// What is left from the next line on.
pub(crate) fn line(i: &str) -> &str {
    i.find('\n').map_or("", |n| &i[n..])
}

/// The radix of a number and its digits.
fn digits(i: &str) -> Parsed<'_, (u32, &str)> {
    alt((
        preceded(tag_no_case("0x"), hex_digit1).map(|d| (16, d)),
        preceded(tag_no_case("0b"), bin_digit1).map(|d| (2, d)),
        preceded(tag("0"), oct_digit1).map(|d| (8, d)),
        digit1.map(|d| (10, d)),
    ))
    .parse(i)
}

/// A word, or one with `%` in front.
fn register(i: &str) -> Parsed<'_, &str> {
    recognize(pair(opt(char('%')), word)).parse(i)
}
