//! The format language of `trace_printk`: the kernel's subset of printf.

use crate::memory::Memory;

/// A format that the kernel refuses with EINVAL.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Malformed;

/// The longest line, and the longest string argument: the kernel's buffers.
const MAX_LINE: usize = 1024;
const MAX_STRING: usize = 512;

/// The line that a format with its terminating zero makes of these arguments.
pub(super) fn format(fmt: &[u8], args: &[u64], memory: &Memory) -> Result<Vec<u8>, Malformed> {
    let end = fmt.iter().position(|&b| b == 0).ok_or(Malformed)?;
    let mut line = Line { out: Vec::new(), args: args.iter(), memory };
    let mut rest = &fmt[..end];
    while let Some((&byte, after)) = rest.split_first() {
        rest = match byte {
            b'%' if after.first() == Some(&b'%') => {
                line.out.push(b'%');
                &after[1..]
            }
            b'%' => line.conversion(after)?,
            b if b.is_ascii_graphic() || b.is_ascii_whitespace() => {
                line.out.push(b);
                after
            }
            _ => return Err(Malformed),
        };
    }
    line.out.truncate(MAX_LINE - 1);
    Ok(line.out)
}

struct Line<'a> {
    out: Vec<u8>,
    args: std::slice::Iter<'a, u64>,
    memory: &'a Memory,
}

#[derive(Clone, Copy, Default)]
struct Padding {
    zero: bool,
    left: bool,
    plus: bool,
    space: bool,
    width: usize,
}

impl Line<'_> {
    fn arg(&mut self) -> Result<u64, Malformed> {
        self.args.next().copied().ok_or(Malformed)
    }

    /// One conversion after its percent sign; returns what follows it.
    fn conversion<'f>(&mut self, mut rest: &'f [u8]) -> Result<&'f [u8], Malformed> {
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
        while let Some((&digit @ b'0'..=b'9', after)) = rest.split_first() {
            padding.width = (padding.width * 10 + usize::from(digit - b'0')).min(MAX_LINE);
            rest = after;
        }
        let longs = rest.iter().take(2).take_while(|&&b| b == b'l').count();
        rest = &rest[longs..];
        let (&kind, after) = rest.split_first().ok_or(Malformed)?;
        let arg = self.arg()?;
        let value = if longs == 0 { u64::from(arg as u32) } else { arg };
        let text = match kind {
            b'd' | b'i' => signed(if longs == 0 { i64::from(arg as i32) } else { arg as i64 }, padding),
            b'u' => value.to_string(),
            b'x' => format!("{value:x}"),
            b'X' => format!("{value:X}"),
            b'c' if longs == 0 => char::from(arg as u8).to_string(),
            b's' if longs == 0 => self.string(arg),
            b'p' if longs == 0 => return self.pointer(arg, after, padding),
            _ => return Err(Malformed),
        };
        self.pad(&text, padding, matches!(kind, b'c' | b's'));
        Ok(after)
    }

    /// `%p` and what may follow it: raw addresses, and IP addresses in network order.
    fn pointer<'f>(&mut self, arg: u64, rest: &'f [u8], padding: Padding) -> Result<&'f [u8], Malformed> {
        let (text, used) = match rest {
            [b'i' | b'I', b'4', ..] => {
                let b: [u8; 4] = self.bytes(arg);
                (format!("{}.{}.{}.{}", b[0], b[1], b[2], b[3]), 2)
            }
            [b'I', b'6', ..] => {
                let b: [u8; 16] = self.bytes(arg);
                let groups: Vec<_> = b.chunks(2).map(|g| format!("{:02x}{:02x}", g[0], g[1])).collect();
                (groups.join(":"), 2)
            }
            [b'i', b'6', ..] => {
                let b: [u8; 16] = self.bytes(arg);
                (b.iter().map(|b| format!("{b:02x}")).collect(), 2)
            }
            [b'x' | b'K' | b's' | b'S' | b'B', ..] => (format!("{arg:016x}"), 1),
            [next, ..] if next.is_ascii_alphanumeric() => return Err(Malformed),
            _ => (format!("{arg:016x}"), 0),
        };
        self.pad(&text, padding, true);
        Ok(&rest[used..])
    }

    fn bytes<const N: usize>(&self, addr: u64) -> [u8; N] {
        let mut bytes = [0; N];
        // The kernel reads without faulting and goes on with what it got.
        let _ = self.memory.copy_in(addr, &mut bytes);
        bytes
    }

    fn string(&self, addr: u64) -> String {
        let mut text = Vec::new();
        let mut byte = [0];
        while text.len() < MAX_STRING
            && self.memory.copy_in(addr.wrapping_add(text.len() as u64), &mut byte).is_ok()
            && byte[0] != 0
        {
            text.push(byte[0]);
        }
        String::from_utf8_lossy(&text).into_owned()
    }

    fn pad(&mut self, text: &str, padding: Padding, is_text: bool) {
        let missing = padding.width.saturating_sub(text.len());
        let (sign, digits) = match text.strip_prefix(['-', '+', ' ']) {
            Some(digits) if !is_text => (&text[..1], digits),
            _ => ("", text),
        };
        let fill = |out: &mut Vec<u8>, byte| out.extend(std::iter::repeat_n(byte, missing));
        if padding.left {
            self.out.extend_from_slice(text.as_bytes());
            fill(&mut self.out, b' ');
        } else if padding.zero && !is_text {
            self.out.extend_from_slice(sign.as_bytes());
            fill(&mut self.out, b'0');
            self.out.extend_from_slice(digits.as_bytes());
        } else {
            fill(&mut self.out, b' ');
            self.out.extend_from_slice(text.as_bytes());
        }
    }
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

    fn line(fmt: &str, args: &[u64]) -> Result<String, Malformed> {
        let memory = Memory::new().unwrap();
        let fmt: Vec<u8> = fmt.bytes().chain([0]).collect();
        format(&fmt, args, &memory).map(|l| String::from_utf8(l).unwrap())
    }

    #[test]
    fn numbers() {
        assert_eq!(line("%d %u %x", &[-1i32 as u32 as u64, u64::MAX, 255]).unwrap(), "-1 4294967295 ff");
        assert_eq!(line("%lld %llu", &[u64::MAX, u64::MAX]).unwrap(), "-1 18446744073709551615");
        assert_eq!(line("%5d|%-5d|%05d", &[42, 42, -42i64 as u64]).unwrap(), "   42|42   |-0042");
    }

    #[test]
    fn what_the_kernel_refuses() {
        assert_eq!(line("%d %d %d %d", &[1, 2, 3]), Err(Malformed), "more conversions than arguments");
        assert_eq!(line("%f", &[1]), Err(Malformed));
        assert_eq!(line("%", &[1]), Err(Malformed));
        assert_eq!(line("\x01", &[]), Err(Malformed));
        assert_eq!(format(b"abc", &[], &Memory::new().unwrap()), Err(Malformed), "no terminating zero");
    }
}
