//! Helpers about text: lines for the trace, formatting, numbers, comparison.

use oxbpf_abi::errno::{EINVAL, ERANGE};

use super::args::{Args, Result, answer, fail};
use super::format::{self, Line};
use crate::trap::Access;
use crate::vm::Vm;

/// The longest line with its terminating zero that the trace takes: the kernel's buffer.
const MAX_LINE: usize = 1024;
/// Arguments of the forms that take them from memory.
const MAX_ARGS: u64 = 12;

/// Prints `format` of `size` bytes with up to three arguments.
pub(super) fn trace_printk(vm: &mut Vm, [addr, size, a, b, c]: Args) -> Result {
    print(vm, addr, size, &[a, b, c])
}

/// Prints `format` with as many arguments as stand in memory.
pub(super) fn trace_vprintk(vm: &mut Vm, [addr, size, args, args_size, _]: Args) -> Result {
    match arguments(vm, args, args_size)? {
        Some(args) => print(vm, addr, size, &args),
        None => fail(EINVAL),
    }
}

fn print(vm: &mut Vm, addr: u64, size: u64, args: &[u64]) -> Result {
    let formatted = vm.with_copy(addr, u64::from(size as u32), |vm, text| {
        let end = text.iter().position(|&b| b == 0);
        end.map_or(Err(EINVAL), |end| format::format(&text[..end], args, MAX_LINE, vm.memory()))
    })?;
    let line = match formatted {
        Ok(line) => line,
        Err(errno) => return fail(errno),
    };
    vm.charge_bytes(line.bytes.len() as u64)?;
    let text = String::from_utf8_lossy(&line.bytes);
    vm.print(text.trim_end_matches('\n').to_string());
    Ok(line.len as u64)
}

/// The arguments that stand in memory; none where their size is not one of numbers.
fn arguments(vm: &mut Vm, addr: u64, size: u64) -> Result<Option<Vec<u64>>> {
    let size = u64::from(size as u32);
    if size > 0 {
        vm.memory().span(addr, size, Access::Read)?;
    }
    if !size.is_multiple_of(8) || size > 8 * MAX_ARGS {
        return Ok(None);
    }
    let mut bytes = [0; 8 * MAX_ARGS as usize];
    let bytes = &mut bytes[..size as usize];
    if size > 0 {
        vm.memory().copy_in(addr, bytes)?;
    }
    Ok(Some(bytes.chunks_exact(8).map(|b| u64::from_le_bytes(b.try_into().expect("eight bytes"))).collect()))
}

/// Formats into memory; the length that the text and its terminating zero have, or would have.
pub(super) fn snprintf(vm: &mut Vm, [to, size, fmt, args, args_size]: Args) -> Result {
    let size = u64::from(size as u32);
    if size > 0 {
        vm.memory().span(to, size, Access::Write)?;
    }
    let Some(args) = arguments(vm, args, args_size)? else { return fail(EINVAL) };
    let fmt = constant_text(vm, fmt)?;
    let formatted = format::format(&fmt, &args, size as usize, vm.memory());
    let Line { mut bytes, len } = match formatted {
        Ok(line) => line,
        Err(errno) => return fail(errno),
    };
    vm.charge_bytes(bytes.len() as u64)?;
    if size > 0 {
        bytes.push(0);
        vm.memory().copy_out(to, &bytes)?;
    }
    Ok(len as u64 + 1)
}

/// A text that ends with a zero, without it.
fn constant_text(vm: &mut Vm, addr: u64) -> Result<Vec<u8>> {
    let mut text = Vec::new();
    loop {
        let mut byte = [0];
        vm.memory().copy_in(addr.wrapping_add(text.len() as u64), &mut byte)?;
        if byte == [0] {
            vm.charge_bytes(text.len() as u64)?;
            return Ok(text);
        }
        text.push(byte[0]);
    }
}

/// Compares a text of at most `size` bytes with a constant one.
pub(super) fn strncmp(vm: &mut Vm, [a, size, b, ..]: Args) -> Result {
    let size = u64::from(size as u32);
    let b = constant_text(vm, b)?;
    vm.with_copy(a, size, |_, a| {
        // Behind its end, a text goes on with one zero.
        for (i, &left) in a.iter().enumerate() {
            let right = b.get(i).copied().unwrap_or(0);
            if left != right {
                return if left < right { -1i64 as u64 } else { 1 };
            }
            if left == 0 {
                break;
            }
        }
        0
    })
}

pub(super) fn strtol(vm: &mut Vm, [text, size, flags, to, _]: Args) -> Result {
    number(vm, text, size, flags, to, |parsed| {
        let value = i128::from(parsed.magnitude) * if parsed.negative { -1 } else { 1 };
        i64::try_from(value).map(|value| value as u64).map_err(|_| ERANGE)
    })
}

pub(super) fn strtoul(vm: &mut Vm, [text, size, flags, to, _]: Args) -> Result {
    number(vm, text, size, flags, to, |parsed| if parsed.negative { Err(EINVAL) } else { Ok(parsed.magnitude) })
}

/// A number as it stands in a text.
struct Parsed {
    negative: bool,
    magnitude: u64,
    /// Bytes of the text that it takes, with what stands before it.
    used: usize,
}

/// Parses, stores what `value` makes of it, and answers how many bytes that took.
fn number(
    vm: &mut Vm,
    text: u64,
    size: u64,
    flags: u64,
    to: u64,
    value: fn(&Parsed) -> std::result::Result<u64, i64>,
) -> Result {
    vm.memory().span(to, 8, Access::Write)?;
    let parsed = vm.with_copy(text, u64::from(size as u32), |_, text| parse(text, flags))?;
    let stored = parsed.and_then(|parsed| Ok((value(&parsed)?, parsed.used)));
    vm.memory().copy_out(to, &stored.map_or(0, |(value, _)| value).to_le_bytes())?;
    answer(stored.map(|(_, used)| used as u64))
}

/// The most bytes that are looked at behind spaces and sign.
const MAX_DIGITS: usize = 63;

fn parse(text: &[u8], flags: u64) -> std::result::Result<Parsed, i64> {
    if !matches!(flags, 0 | 8 | 10 | 16) {
        return Err(EINVAL);
    }
    let spaces = text.iter().take_while(|&&b| format::is_space(b)).count();
    let negative = text.get(spaces) == Some(&b'-');
    let start = spaces + usize::from(negative);
    let rest = &text[start..text.len().min(start + MAX_DIGITS)];
    let (base, prefix) = radix(rest, flags as u32);
    let digits = rest[prefix..].iter().map_while(|&b| char::from(b).to_digit(base));
    let (mut magnitude, mut count) = (Some(0u64), 0);
    for digit in digits {
        magnitude = magnitude.and_then(|m| m.checked_mul(base.into())?.checked_add(digit.into()));
        count += 1;
    }
    match magnitude {
        _ if count == 0 => Err(EINVAL),
        None => Err(ERANGE),
        Some(magnitude) => Ok(Parsed { negative, magnitude, used: start + prefix + count }),
    }
}

/// The base that a number is written in, and how long the prefix is that says so.
fn radix(text: &[u8], base: u32) -> (u32, usize) {
    let hexadecimal = matches!(text, [b'0', b'x' | b'X', digit, ..] if digit.is_ascii_hexdigit());
    match (base, text) {
        (0, _) if hexadecimal => (16, 2),
        (0, [b'0', ..]) => (8, 0),
        (0, _) => (10, 0),
        (16, [b'0', b'x' | b'X', ..]) => (16, 2),
        _ => (base, 0),
    }
}
