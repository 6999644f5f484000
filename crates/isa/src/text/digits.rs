//! Numbers to text without the machinery of `format!`, which costs more than the rest of a line.

use core::fmt::{Result, Write};

/// `value` in decimal.
pub(super) fn dec<W: Write>(w: &mut W, value: i64) -> Result {
    if (0..10).contains(&value) {
        return w.write_str(&DIGITS[value as usize..=value as usize]);
    }
    if value < 0 {
        w.write_str("-")?;
    }
    unsigned(w, value.unsigned_abs())
}

/// `+5` or `-5`.
pub(super) fn plus<W: Write>(w: &mut W, value: i64) -> Result {
    w.write_str(if value < 0 { "-" } else { "+" })?;
    unsigned(w, value.unsigned_abs())
}

fn unsigned<W: Write>(w: &mut W, mut value: u64) -> Result {
    let mut buffer = [0; 20];
    let mut at = buffer.len();
    loop {
        at -= 1;
        buffer[at] = b'0' + (value % 10) as u8;
        value /= 10;
        if value == 0 {
            break;
        }
    }
    ascii(w, &buffer[at..])
}

/// `value` in hexadecimal, behind `0x`.
pub(super) fn hex<W: Write>(w: &mut W, mut value: u64) -> Result {
    let mut buffer = [0; 18];
    let mut at = buffer.len();
    loop {
        at -= 1;
        buffer[at] = DIGITS.as_bytes()[(value & 15) as usize];
        value >>= 4;
        if value == 0 {
            break;
        }
    }
    buffer[at - 1] = b'x';
    buffer[at - 2] = b'0';
    ascii(w, &buffer[at - 2..])
}

/// `0x5` or `-0x5`.
pub(super) fn signed_hex<W: Write>(w: &mut W, value: i64) -> Result {
    if value < 0 {
        w.write_str("-")?;
    }
    hex(w, value.unsigned_abs())
}

/// Two hexadecimal digits.
pub(super) fn byte<W: Write>(w: &mut W, byte: u8) -> Result {
    let digit = |n: u8| DIGITS.as_bytes()[usize::from(n)];
    ascii(w, &[digit(byte >> 4), digit(byte & 15)])
}

fn ascii<W: Write>(w: &mut W, bytes: &[u8]) -> Result {
    // Digits are always text.
    w.write_str(core::str::from_utf8(bytes).unwrap_or_default())
}

const DIGITS: &str = "0123456789abcdef";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_format_has_it() {
        for value in [0, 1, 9, 10, 99, 100, -1, -10, i64::MAX, i64::MIN, 0x7fff_ffff, -0x8000_0000] {
            let mut out = String::new();
            dec(&mut out, value).unwrap();
            plus(&mut out, value).unwrap();
            hex(&mut out, value as u64).unwrap();
            signed_hex(&mut out, value).unwrap();
            byte(&mut out, value as u8).unwrap();
            let sign = if value < 0 { "-" } else { "" };
            let abs = value.unsigned_abs();
            assert_eq!(out, format!("{value}{value:+}{value:#x}{sign}{abs:#x}{:02x}", value as u8));
        }
    }
}
