//! Arguments: expressions of numbers and names, as C has them.

use super::rows::constant;
use crate::text::cursor::{Cursor, LineError, Result, Token};
use crate::text::error::{TextFault, quote};
use crate::text::number::Number;

/// What an argument is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Value<'a> {
    Number(Number<'a>),
    /// A name that is none of the kernel's constants, and what is added to it.
    Name(Token<'a>, i64),
}

impl<'a> Value<'a> {
    /// The number, which must be one.
    pub fn number(self) -> Result<Number<'a>> {
        match self {
            Value::Number(number) => Ok(number),
            Value::Name(token, _) => Err(unknown(token)),
        }
    }
}

fn unknown(token: Token<'_>) -> LineError {
    token.fault(TextFault::Constant { name: quote(token.text) })
}

/// The argument that comes next, up to a comma or a parenthesis.
pub(super) fn argument<'a>(c: &mut Cursor<'a>) -> Result<Value<'a>> {
    let mut ahead = *c;
    if let Some(word) = ahead.word() {
        match (constant(word.text), ahead.next_byte()) {
            // Most arguments are one name.
            (Some(value), Some(b',' | b')')) => {
                *c = ahead;
                return Ok(Value::Number(Number::computed(value.into(), word)));
            }
            (None, next) if next != Some(b'(') => {
                *c = ahead;
                let addend = c.displacement()?.map_or(Ok(0), |n| n.to_i64("an offset"))?;
                return Ok(Value::Name(word, addend));
            }
            _ => {}
        }
    }
    let start = c.place();
    if let Some(value) = plain(c) {
        return Ok(Value::Number(Number::computed(value, c.since(start))));
    }
    let value = alternatives(c, 0)?;
    Ok(Value::Number(Number::computed(value, c.since(start))))
}

/// A decimal number and nothing else, as most arguments are that are no names. Taken only if it is the whole argument.
fn plain(c: &mut Cursor<'_>) -> Option<i128> {
    let mut ahead = *c;
    let negative = ahead.next_byte() == Some(b'-');
    if negative {
        ahead.pass();
    }
    let digits = ahead.run().text.as_bytes();
    let value = match digits {
        // As many as 64 bits hold for certain; a zero in front would be octal.
        [b'1'..=b'9', ..] | b"0" if digits.len() < 16 => digits.iter().try_fold(0i64, |value, byte| match byte {
            b'0'..=b'9' => Some(value * 10 + i64::from(byte - b'0')),
            _ => None,
        })?,
        _ => return None,
    };
    if !matches!(ahead.next_byte(), Some(b',' | b')')) {
        return None;
    }
    *c = ahead;
    Some(if negative { -value } else { value }.into())
}

/// Parentheses within each other beyond this are refused.
const MAX_DEPTH: u32 = 32;

/// `a | b`
fn alternatives(c: &mut Cursor<'_>, depth: u32) -> Result<i128> {
    let mut value = sum(c, depth)?;
    while c.next_byte() == Some(b'|') {
        c.pass();
        value |= sum(c, depth)?;
    }
    Ok(value)
}

/// `a + b - c`
fn sum(c: &mut Cursor<'_>, depth: u32) -> Result<i128> {
    let mut value = term(c, depth)?;
    loop {
        let sign = match c.next_byte() {
            Some(b'+') => 1,
            Some(b'-') => -1,
            _ => return Ok(value),
        };
        c.pass();
        value = value.saturating_add(term(c, depth)?.saturating_mul(sign));
    }
}

fn term(c: &mut Cursor<'_>, depth: u32) -> Result<i128> {
    match c.next_byte() {
        Some(b'0'..=b'9') => literal(c),
        Some(b'-') => {
            c.pass();
            // A sign in front of a sign is no C, and would nest without bound.
            if let Some(b'0'..=b'9') = c.next_byte() {
                literal(c).map(|v| -v)
            } else {
                parenthesis(c, depth).map(|v| -v)
            }
        }
        Some(b'(') => parenthesis(c, depth),
        _ => name(c),
    }
}

fn parenthesis(c: &mut Cursor<'_>, depth: u32) -> Result<i128> {
    if depth >= MAX_DEPTH {
        return Err(c.expected("fewer parentheses"));
    }
    c.expect("(")?;
    let value = alternatives(c, depth + 1)?;
    c.expect(")")?;
    Ok(value)
}

/// A number with C's suffixes.
fn literal(c: &mut Cursor<'_>) -> Result<i128> {
    let mut ahead = *c;
    let written = ahead.run();
    let digits = written.text.trim_end_matches(['u', 'U', 'l', 'L']);
    let mut number = Cursor::new(digits);
    let value = number.number().map_err(|e| LineError { at: written.at, len: written.text.len(), ..e })?;
    *c = ahead;
    Ok(value.value())
}

fn name(c: &mut Cursor<'_>) -> Result<i128> {
    let word = c.word().ok_or_else(|| c.expected("a number or a name"))?;
    constant(word.text).map(i128::from).ok_or_else(|| unknown(word))
}
