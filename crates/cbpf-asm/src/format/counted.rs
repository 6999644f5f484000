//! Numbers with a count in front: `2,40 0 0 12,6 0 0 0,` for tc, and the same in lines as `tcpdump -ddd` prints it.

use std::fmt::Write as _;

use oxbpf_isa::cbpf::{MAX_INSNS, SockFilter};

use super::scan::{Cursor, Placed};
use crate::assemble::Mistake;
use crate::error::{Fault, quote};

/// The count and the instructions, each with `separator` behind it; behind commas the line ends.
pub(super) fn write(code: &[SockFilter], separator: char) -> String {
    let mut out = format!("{}{separator}", code.len());
    for SockFilter { code, jt, jf, k } in code {
        // Writing to a string does not fail.
        let _ = write!(out, "{code} {jt} {jf} {k}{separator}");
    }
    if separator != '\n' {
        out.push('\n');
    }
    out
}

const FIELDS: [(&str, u32); 4] = [("a code", 16), ("jt", 8), ("jf", 8), ("k", 32)];

pub(super) fn read(source: &str) -> Result<Placed, Mistake> {
    let mut c = Cursor::new(source);
    c.spaces();
    // In quotes, as it is given to tc.
    let quoted = c.eat("'");
    let begin = c;
    let count = decimal(&mut c, 16, 0, "")?;
    separated(&mut c)?;
    let mut placed = Vec::new();
    loop {
        c.spaces();
        if c.rest().is_empty() || (quoted && c.rest().starts_with('\'')) {
            break;
        }
        if placed.len() == MAX_INSNS {
            return Err((c.at, 1, Fault::TooLong { max: MAX_INSNS }));
        }
        placed.push((c.at, insn(&mut c)?));
        separated(&mut c)?;
    }
    if quoted {
        c.must("'")?;
        c.spaces();
        if !c.rest().is_empty() {
            return Err(c.expected("the end"));
        }
    }
    if placed.len() != count as usize {
        return Err((begin.at, c_len(&begin), Fault::Count { count, found: placed.len() }));
    }
    Ok(placed)
}

fn c_len(begin: &Cursor<'_>) -> usize {
    let mut c = *begin;
    c.word().len()
}

/// A comma, a newline, or the end.
fn separated(c: &mut Cursor<'_>) -> Result<(), Mistake> {
    c.skip(&[' ', '\t', '\r']);
    if c.eat(",") || c.eat("\n") || c.rest().is_empty() || c.rest().starts_with('\'') {
        return Ok(());
    }
    Err(c.expected("`,` or a new line"))
}

fn insn(c: &mut Cursor<'_>) -> Result<SockFilter, Mistake> {
    let begin = c.rest();
    let begin = begin.split([',', '\n', '\'']).next().unwrap_or(begin);
    let mut fields = [0; 4];
    for (i, (what, bits)) in FIELDS.into_iter().enumerate() {
        c.skip(&[' ', '\t']);
        if !c.rest().starts_with(|c: char| c.is_ascii_digit() || c == '-' || c == '+') {
            return Err(c.expected(what));
        }
        fields[i] = decimal(c, bits, i, begin)?;
    }
    // The widths are those of the fields.
    Ok(SockFilter { code: fields[0] as u16, jt: fields[1] as u8, jf: fields[2] as u8, k: fields[3] })
}

/// A decimal number. For what is none, or too large, the mistake tells what tc makes of the instruction `whole`.
fn decimal(c: &mut Cursor<'_>, bits: u32, field: usize, whole: &str) -> Result<u32, Mistake> {
    let begin = *c;
    c.skip(&['-', '+']);
    let _ = c.word();
    let text = &begin.source[begin.at..c.at];
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let value = text.parse::<u64>().ok().filter(|_| digits).filter(|v| v >> bits == 0);
    if let Some(value) = value {
        return Ok(value as u32);
    }
    if !text.starts_with(|c: char| c.is_ascii_digit() || c == '-' || c == '+') {
        return Err(begin.expected("a number"));
    }
    let fault = match as_tc(whole) {
        Some(read) => {
            let [code, jt, jf, k] = read;
            let installed = format!("{code} {jt} {jf} {k}");
            Fault::TcNumber { text: quote(text), bits, read: read[field], installed }
        }
        None if digits => Fault::Range { text: quote(text), bits },
        None => Fault::Number { text: quote(text) },
    };
    Err((begin.at, text.len(), fault))
}

/// The fields that tc takes from an instruction: of each the decimal digits in front, cut to the field's width.
/// None where it would complain.
fn as_tc(whole: &str) -> Option<[u64; 4]> {
    let mut rest = whole;
    let mut fields = [0; 4];
    for (field, (_, bits)) in fields.iter_mut().zip(FIELDS) {
        rest = rest.trim_start();
        let (negative, digits) = match rest.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, rest.strip_prefix('+').unwrap_or(rest)),
        };
        let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
        let value = digits.get(..end).filter(|d| !d.is_empty())?;
        // What does not fit 64 bits is their largest value, whatever its sign.
        let value = match value.parse::<u64>() {
            Ok(value) if negative => value.wrapping_neg(),
            value => value.unwrap_or(u64::MAX),
        };
        *field = value & ((1 << bits) - 1);
        rest = &digits[end..];
    }
    Some(fields)
}
