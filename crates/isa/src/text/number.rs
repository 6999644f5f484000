//! Numbers as written, and the fields they must fit.

use super::cursor::{Cursor, Result, Token};
use super::error::{TextFault, quote};

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
        if let Some(b'-' | b'+') = ahead.next_byte() {
            ahead.pass();
        }
        ahead.next_byte().is_some_and(|b| b.is_ascii_digit())
    }

    /// Takes a number with an optional sign.
    pub fn number(&mut self) -> Result<Number<'a>> {
        let before = *self;
        let start = self.place();
        let sign = self.next_byte();
        let negative = sign == Some(b'-');
        if let Some(b'-' | b'+') = sign {
            self.pass();
        }
        if !self.next_byte().is_some_and(|b| b.is_ascii_digit()) {
            *self = before;
            return Err(self.expected("a number"));
        }
        let digits = self.run().text;
        let token = self.since(start);
        let Some((value, hex)) = magnitude(digits) else {
            return Err(token.fault(TextFault::Number { text: quote(token.text) }));
        };
        Ok(Number { value: if negative { -value } else { value }, hex, token })
    }
}

/// The value of digits, and whether they are hexadecimal; none where they are malformed.
#[inline]
fn magnitude(digits: &str) -> Option<(i128, bool)> {
    let bytes = digits.as_bytes();
    let (digits, radix) = match bytes {
        [b'0', b'x' | b'X', rest @ ..] => (rest, 16),
        // A leading zero means octal to some assemblers and nothing to others.
        [b'0', _, ..] => return None,
        _ => (bytes, 10),
    };
    if digits.is_empty() {
        return None;
    }
    let value = if radix == 10 { read::<10>(digits)? } else { read::<16>(digits)? };
    // What 64 bits hold for certain; more is rare.
    if digits.len() <= 16 {
        return Some((value.into(), radix == 16));
    }
    let text = core::str::from_utf8(digits).ok()?;
    // More than 127 bits fit no field; the greatest value stands for all of them.
    Some((i128::from_str_radix(text, radix).unwrap_or(i128::MAX), radix == 16))
}

/// The lowest 64 bits of digits, if they are digits.
fn read<const RADIX: u32>(digits: &[u8]) -> Option<u64> {
    let digit = |&byte: &u8| char::from(byte).to_digit(RADIX).map(u64::from);
    digits.iter().try_fold(0u64, |value, byte| Some(value.wrapping_mul(RADIX.into()).wrapping_add(digit(byte)?)))
}

impl<'a> Number<'a> {
    /// A number that was computed, with what it stands for.
    pub fn computed(value: i128, token: Token<'a>) -> Self {
        Number { value, hex: false, token }
    }

    /// The value, whatever field it is for.
    pub fn value(self) -> i128 {
        self.value
    }

    /// A number from 0 to `limit`, exclusive.
    pub fn below(self, limit: u16, field: &'static str) -> Result<u16> {
        self.within(field, 0, i128::from(limit) - 1)
    }

    fn within<T: TryFrom<i128>>(self, field: &'static str, min: i128, max: i128) -> Result<T> {
        if min <= self.value
            && self.value <= max
            && let Ok(value) = T::try_from(self.value)
        {
            return Ok(value);
        }
        Err(self.out_of_range(field, min, max))
    }

    #[cold]
    fn out_of_range(self, field: &'static str, min: i128, max: i128) -> super::cursor::LineError {
        let text = quote(self.token.text);
        self.token.fault(TextFault::Range { text, field, min, max })
    }

    pub fn to_i16(self, field: &'static str) -> Result<i16> {
        self.within(field, i16::MIN.into(), i16::MAX.into())
    }

    pub fn to_u16(self, field: &'static str) -> Result<u16> {
        self.within(field, 0, u16::MAX.into())
    }

    /// A 32-bit field; hexadecimal may also give the bits of a negative number, as disassemblers print it.
    pub fn to_i32(self, field: &'static str) -> Result<i32> {
        if self.hex { self.to_bits32(field) } else { self.within(field, i32::MIN.into(), i32::MAX.into()) }
    }

    /// A 32-bit field whose bits are given, signed or unsigned.
    pub fn to_bits32(self, field: &'static str) -> Result<i32> {
        if self.value > i128::from(i32::MAX) && self.value <= i128::from(u32::MAX) {
            return Ok(self.value as u32 as i32);
        }
        self.within(field, i32::MIN.into(), i32::MAX.into())
    }

    /// A 16-bit field; hexadecimal may also give the bits of a negative number.
    pub fn to_bits16(self, field: &'static str) -> Result<i16> {
        if self.hex && self.value > i128::from(i16::MAX) && self.value <= i128::from(u16::MAX) {
            return Ok(self.value as u16 as i16);
        }
        self.to_i16(field)
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
