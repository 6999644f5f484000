//! The format language of `snprintf`, as far as loading looks at it.

/// The kernel's idea of a character that may stand in a format: printable or space, of Latin-1.
fn plain(c: u8) -> bool {
    matches!(c, b'\t'..=b'\r' | 0x20..=0x7e | 0xa0..)
}

/// Whether a format, without its terminating zero, is one, and takes no more than `args` values.
///
/// Flags and a width, then a pointer, a text, a character or an integer.
pub(super) fn valid(format: &[u8], args: u64) -> bool {
    let mut rest = format;
    let mut left = args;
    while let [c, after @ ..] = rest {
        rest = after;
        match (*c, rest) {
            (b'%', [b'%', after @ ..]) => rest = after,
            (b'%', _) if left > 0 => {
                left -= 1;
                match specifier(rest) {
                    Some(after) => rest = after,
                    None => return false,
                }
            }
            (b'%', _) => return false,
            (c, _) if plain(c) => {}
            _ => return false,
        }
    }
    true
}

/// What follows a specifier, given what follows its `%`.
fn specifier(text: &[u8]) -> Option<&[u8]> {
    let flags = text.iter().take_while(|c| matches!(c, b'0' | b'+' | b'-' | b' ')).count();
    let text = &text[flags..];
    let width = match text.first() {
        Some(b'1'..=b'9') => text.iter().take_while(|c| c.is_ascii_digit()).count(),
        _ => 0,
    };
    match &text[width..] {
        [b'p', after @ ..] => pointer(after),
        [b's' | b'c', after @ ..] => Some(after),
        [b'l', b'l', after @ ..] | [b'l', after @ ..] | after => match after {
            [b'i' | b'd' | b'u' | b'x' | b'X', after @ ..] => Some(after),
            _ => None,
        },
    }
}

/// What follows a pointer's letters: how it is shown, or whose text it points to.
fn pointer(text: &[u8]) -> Option<&[u8]> {
    match text {
        [b'k' | b'u', b's', after @ ..] => Some(after),
        [b'i' | b'I', b'4' | b'6', after @ ..] => Some(after),
        [b'K' | b'x' | b's' | b'S' | b'B', after @ ..] => Some(after),
        [] => Some(text),
        [c, ..] if c.is_ascii_whitespace() || c.is_ascii_punctuation() || *c == 0x0b => Some(text),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Measured on Linux 6.18.
    #[test]
    fn formats_are_as_the_kernel_takes_them() {
        let good: [(&[u8], u64); 17] = [
            (b"hi\n", 0),
            (b"\xff", 0),
            (b"%d", 2),
            (b"%%", 0),
            (b"%s %c %5c %5s", 4),
            (b"%p %pK %px1 %pSx %p.", 5),
            (b"%pI4x %pi6", 2),
            (b"%pks%pus%ps", 3),
            (b"%llu%lu%i%X%lx%llX", 6),
            (b"%-5d%05d%+d% d%0-5d%-05d", 6),
            (b"%123456d", 1),
            (b"%u%%%x", 2),
            (b"", 0),
            (b"hi", 1),
            (b"%p", 1),
            (b"%ld", 1),
            (b"%pS", 1),
        ];
        for (format, args) in good {
            assert!(valid(format, args), "{}", String::from_utf8_lossy(format));
        }
        let bad: [&[u8]; 21] = [
            b"%", b"%pI", b"%pz", b"%hd", b"%f", b"%pkz", b"%.3d", b"%l", b"\x01", b"\x07", b"%#x", b"%lc", b"%ld%",
            b"%e", b"%zd", b"%pd", b"%pf", b"%lls", b"%pI5", b"%p4", b"%d%d",
        ];
        for format in bad {
            assert!(!valid(format, 1), "{}", String::from_utf8_lossy(format));
        }
    }
}
