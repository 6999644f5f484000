//! The format language of `trace_printk` and its kin: the kernel's subset of printf.

use oxbpf_abi::errno::{EINVAL, ENOSPC};

use crate::memory::Memory;

/// Why the kernel prints nothing, as an error's number: the format is not one of the subset, or the arguments take
/// more than the kernel's buffer for them.
type Errno = i64;

/// The most bytes of arguments: the kernel's buffer.
const MAX_ARGS: usize = 512;
/// The widest field that the kernel fills; more is this much.
const MAX_WIDTH: i32 = 0x7f_ffff;

/// What a format made of its arguments.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Line {
    /// The bytes, as far as the buffer holds them.
    pub(super) bytes: Vec<u8>,
    /// Bytes that the whole line has, which is what the helper returns.
    pub(super) len: usize,
}

/// The line that a format makes of these arguments, cut off where a buffer of `size` bytes has no more room for it
/// and a terminating zero.
pub(super) fn format(fmt: &[u8], args: &[u64], size: usize, memory: &Memory) -> Result<Line, Errno> {
    let mut writer = Writer { line: Line::default(), size, args: args.iter(), used: 0, memory };
    let mut rest = fmt;
    while let Some((&byte, after)) = rest.split_first() {
        rest = match byte {
            b'%' if after.first() == Some(&b'%') => {
                writer.push(b"%");
                &after[1..]
            }
            b'%' => writer.conversion(after)?,
            // Bytes of UTF-8 stand for themselves, control characters are refused.
            b if is_space(b) || b.is_ascii_graphic() || !b.is_ascii() => {
                writer.push(&[b]);
                after
            }
            _ => return Err(EINVAL),
        };
    }
    Ok(writer.line)
}

/// Spaces in the kernel's table of characters, which is Latin-1.
pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, b'\t'..=b'\r' | b' ' | 0xa0)
}

fn is_punctuation(byte: u8) -> bool {
    byte.is_ascii_punctuation() || matches!(byte, 0xa1..=0xbf | 0xd7 | 0xf7)
}

fn is_alphanumeric(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || (byte >= 0xc0 && !is_punctuation(byte))
}

/// Whether a pointer or string conversion may end here.
fn ends_word(rest: &[u8]) -> bool {
    rest.first().is_none_or(|&b| is_space(b) || is_punctuation(b))
}

struct Writer<'a> {
    line: Line,
    /// How many bytes there is room for, with a terminating zero.
    size: usize,
    args: std::slice::Iter<'a, u64>,
    /// Bytes of the arguments' buffer in use. The kernel copies numbers, and what it finds in memory as text.
    used: usize,
    memory: &'a Memory,
}

#[derive(Clone, Copy, Default)]
struct Padding {
    zero: bool,
    left: bool,
    plus: bool,
    space: bool,
    width: Option<usize>,
}

impl Writer<'_> {
    fn push(&mut self, bytes: &[u8]) {
        let room = self.size.saturating_sub(1 + self.line.bytes.len());
        self.line.bytes.extend_from_slice(&bytes[..bytes.len().min(room)]);
        self.line.len += bytes.len();
    }

    fn fill(&mut self, byte: u8, count: usize) {
        let room = self.size.saturating_sub(1 + self.line.bytes.len());
        self.line.bytes.extend(std::iter::repeat_n(byte, count.min(room)));
        self.line.len += count;
    }

    fn arg(&mut self) -> Result<u64, Errno> {
        self.args.next().copied().ok_or(EINVAL)
    }

    /// Takes room for a number of 4 or 8 bytes.
    fn take_number(&mut self, bytes: usize) -> Result<(), Errno> {
        self.used = self.used.next_multiple_of(4) + bytes;
        if self.used <= MAX_ARGS { Ok(()) } else { Err(ENOSPC) }
    }

    /// Takes room for a text and a zero; the text as far as it fits. At least `least` bytes must be left.
    fn take_text<'t>(&mut self, text: &'t [u8], least: usize) -> Result<&'t [u8], Errno> {
        let room = MAX_ARGS.checked_sub(self.used).filter(|&room| room >= least).ok_or(ENOSPC)?;
        self.used += text.len() + 1;
        Ok(&text[..text.len().min(room - 1)])
    }

    /// One conversion after its percent sign; returns what follows it.
    fn conversion<'f>(&mut self, mut rest: &'f [u8]) -> Result<&'f [u8], Errno> {
        let mut padding = Padding::default();
        while let Some((&flag, after)) = rest.split_first() {
            match flag {
                b'0' => padding.zero = true,
                b'-' => padding.left = true,
                b'+' => padding.plus = true,
                b' ' => padding.space = true,
                _ => break,
            }
            rest = after;
        }
        (padding.width, rest) = width(rest);
        let longs = rest.iter().take(2).take_while(|&&b| b == b'l').count();
        rest = &rest[longs..];
        let (&kind, after) = rest.split_first().ok_or(EINVAL)?;
        let arg = self.arg()?;
        let value = if longs == 0 { u64::from(arg as u32) } else { arg };
        if matches!(kind, b'd' | b'i' | b'u' | b'x' | b'X') {
            self.take_number(if longs == 0 { 4 } else { 8 })?;
        }
        match kind {
            b'd' | b'i' => {
                let value = if longs == 0 { i64::from(arg as i32) } else { arg as i64 };
                self.number(&signed(value, padding), padding);
            }
            b'u' => self.number(&value.to_string(), padding),
            b'x' => self.number(&format!("{value:x}"), padding),
            b'X' => self.number(&format!("{value:X}"), padding),
            b'c' if longs == 0 => {
                // Without a zero behind it.
                self.take_text(&[], 1)?;
                self.text(&[arg as u8], padding);
            }
            b's' if longs == 0 => {
                let text = self.string(arg, after)?;
                self.text(&text, padding);
            }
            b'p' if longs == 0 => return self.pointer(arg, after, padding),
            _ => return Err(EINVAL),
        }
        Ok(after)
    }

    /// `%p` and what may follow it: addresses, strings, and IP addresses in network order. What is read from memory by
    /// way of `%p` is not padded.
    fn pointer<'f>(&mut self, arg: u64, rest: &'f [u8], padding: Padding) -> Result<&'f [u8], Errno> {
        match rest {
            // Of a process's memory there is nothing: there is no process.
            [b'k' | b'u', b's', after @ ..] => {
                let text = self.string(if rest[0] == b'k' { arg } else { 0 }, after)?;
                self.push(&text);
                return Ok(after);
            }
            [b'i' | b'I', b'4' | b'6', ..] => {
                let text = match (rest[0], rest[1]) {
                    (b'I', b'4') => self.bytes::<4>(arg).map(|b| b.to_string()).join("."),
                    (_, b'4') => self.bytes::<4>(arg).map(|b| format!("{b:03}")).join("."),
                    (b'I', _) => self.ipv6_groups(arg).join(":"),
                    _ => self.ipv6_groups(arg).concat(),
                };
                let text = self.take_text(text.as_bytes(), if rest[1] == b'4' { 4 } else { 16 })?;
                self.push(text);
            }
            [b'x' | b's' | b'S' | b'B', ..] => self.address(arg, padding)?,
            [b'K', ..] => self.address(hashed(arg), padding)?,
            _ if ends_word(rest) => self.address(hashed(arg), padding)?,
            _ => return Err(EINVAL),
        }
        // Whatever letters and digits follow count as part of the conversion.
        let used = rest.iter().take_while(|&&b| is_alphanumeric(b)).count();
        Ok(&rest[used..])
    }

    /// An address takes 16 digits unless it is given a width.
    fn address(&mut self, value: u64, padding: Padding) -> Result<(), Errno> {
        const DIGITS: usize = 16;
        self.take_number(8)?;
        let zero = padding.zero || padding.width.is_none();
        let width = padding.width.or(Some(DIGITS));
        self.number(&format!("{value:x}"), Padding { zero, width, ..padding });
        Ok(())
    }

    fn ipv6_groups(&self, addr: u64) -> Vec<String> {
        self.bytes::<16>(addr).chunks(2).map(|g| format!("{:02x}{:02x}", g[0], g[1])).collect()
    }

    fn bytes<const N: usize>(&self, addr: u64) -> [u8; N] {
        let mut bytes = [0; N];
        // The kernel reads without faulting and goes on with what it got.
        let _ = self.memory.copy_in(addr, &mut bytes);
        bytes
    }

    /// The text at an address, as much of it as there is room for among the arguments.
    fn string(&mut self, addr: u64, after: &[u8]) -> Result<Vec<u8>, Errno> {
        if !ends_word(after) {
            return Err(EINVAL);
        }
        let mut text = Vec::new();
        let mut byte = [0];
        while text.len() < MAX_ARGS
            && self.memory.copy_in(addr.wrapping_add(text.len() as u64), &mut byte).is_ok()
            && byte[0] != 0
        {
            text.push(byte[0]);
        }
        Ok(self.take_text(&text, 1)?.to_vec())
    }

    fn text(&mut self, text: &[u8], padding: Padding) {
        let missing = padding.width.unwrap_or(0).saturating_sub(text.len());
        if padding.left {
            self.push(text);
            self.fill(b' ', missing);
        } else {
            self.fill(b' ', missing);
            self.push(text);
        }
    }

    fn number(&mut self, text: &str, padding: Padding) {
        if padding.left || !padding.zero {
            return self.text(text.as_bytes(), padding);
        }
        let digits = text.trim_start_matches(['-', '+', ' ']);
        self.push(&text.as_bytes()[..text.len() - digits.len()]);
        self.fill(b'0', padding.width.unwrap_or(0).saturating_sub(text.len()));
        self.push(digits.as_bytes());
    }
}

/// A field's width, where there is one. The kernel computes it in 32 bits.
fn width(fmt: &[u8]) -> (Option<usize>, &[u8]) {
    let digits = fmt.iter().take_while(|b| b.is_ascii_digit()).count();
    let add = |sum: i32, digit: &u8| sum.wrapping_mul(10).wrapping_add(i32::from(digit - b'0'));
    let width = fmt[..digits].iter().fold(0, add).clamp(0, MAX_WIDTH);
    ((digits > 0).then_some(width as usize), &fmt[digits..])
}

/// What stands for an address: 32 bits that do not tell it. Null and error numbers stand for themselves.
fn hashed(addr: u64) -> u64 {
    const MAX_ERRNO: u64 = 4095;
    if addr == 0 || addr >= MAX_ERRNO.wrapping_neg() {
        return addr;
    }
    // As many digits as the kernel's keyed hash nearly always has.
    const FIRST_DIGIT: u64 = 0x8000_0000;
    addr.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32 | FIRST_DIGIT
}

fn signed(value: i64, padding: Padding) -> String {
    match value {
        0.. if padding.plus => format!("+{value}"),
        0.. if padding.space => format!(" {value}"),
        _ => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(fmt: &str, args: &[u64]) -> Result<String, Errno> {
        let memory = Memory::new().unwrap();
        format(fmt.as_bytes(), args, 1024, &memory).map(|line| String::from_utf8(line.bytes).unwrap())
    }

    #[test]
    fn numbers() {
        assert_eq!(line("%d %u %x", &[-1i32 as u32 as u64, u64::MAX, 255]).unwrap(), "-1 4294967295 ff");
        assert_eq!(line("%lld %llu", &[u64::MAX, u64::MAX]).unwrap(), "-1 18446744073709551615");
        assert_eq!(line("%5d|%-5d|%05d", &[42, 42, -42i64 as u64]).unwrap(), "   42|42   |-0042");
    }

    #[test]
    fn addresses_and_strings() {
        assert_eq!(line("%p|%5p|%px", &[0, 0, 0xabc]).unwrap(), "0000000000000000|    0|0000000000000abc");
        assert_eq!(line("%pi4 %pI4x", &[0, 0]).unwrap(), "000.000.000.000 0.0.0.0", "nothing is at null");
        assert_eq!(line("%s|%pks.", &[0, 8]).unwrap(), "|.");
        assert_eq!(line("\u{e4}%c", &[65]).unwrap(), "\u{e4}A");
    }

    #[test]
    fn a_long_line_is_counted_whole() {
        let memory = Memory::new().unwrap();
        let long = format(b"%9999999999d", &[7], 1024, &memory).unwrap();
        assert_eq!((long.bytes.len(), long.len), (1023, 1_410_065_407.min(MAX_WIDTH as usize)));
        assert_eq!(format(b"abc", &[], 0, &memory).unwrap(), Line { bytes: vec![], len: 3 });
    }

    #[test]
    fn what_the_kernel_refuses() {
        assert_eq!(line("%d %d %d %d", &[1, 2, 3]), Err(EINVAL), "more conversions than arguments");
        assert_eq!(line("%f", &[1]), Err(EINVAL));
        assert_eq!(line("%", &[1]), Err(EINVAL));
        assert_eq!(line("\x01", &[]), Err(EINVAL));
        assert_eq!(line("%sx", &[0]), Err(EINVAL), "a string ends with a space or punctuation");
    }
}
