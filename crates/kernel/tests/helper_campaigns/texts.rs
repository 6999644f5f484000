//! Calls of helpers about text.

use crate::case::{CONSTANTS, Case, DATA};
use crate::common::pair::*;
use oxbpf_isa::{MemSize, Reg};

/// Texts that are numbers, nearly numbers, or none.
const NUMBERS: [&str; 44] = [
    "0",
    "1",
    "7",
    "10",
    "42",
    "-1",
    "-42",
    "+5",
    "--1",
    "",
    " ",
    " 12",
    "\t\n 12",
    "- 1",
    "0x",
    "0x1f",
    "0X1F",
    "x1f",
    "0xg",
    "08",
    "017",
    "0777",
    "-017",
    "-0x10",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "-9223372036854775809",
    "18446744073709551615",
    "18446744073709551616",
    "0x7fffffffffffffff",
    "0xffffffffffffffff",
    "0x10000000000000000",
    "777777777777777777777",
    "1777777777777777777777",
    "2000000000000000000000",
    "12abc",
    "abc",
    "fF",
    "1 2",
    "00000000000000000000000000000000000000000000000000000000000000000001",
    "                                                                  7",
    "\x0b\x0c\r8",
    "1_000",
];

fn number(c: &mut Case<'_>, name: &str) {
    let mut text = c.rng.pick(&NUMBERS).as_bytes().to_vec();
    match c.rng.below(6) {
        0 => text.push(0),
        1 => text.extend([0xa0, b'1']),
        2 => text.insert(0, c.rng.next() as u8),
        3 => {
            let digits = c.rng.below(24) as usize;
            text = (0..digits).map(|_| b'0' + c.rng.below(10) as u8).collect();
        }
        _ => {}
    }
    if text.is_empty() {
        text.push(0);
    }
    let (at, len) = (c.place(&text), text.len() as i32);
    let base = c.mostly(&[0, 0, 0, 8, 10, 10, 16, 16, 2, 31, 32]);
    c.push([map_value(R[1], DATA, at), imm(R[2], len), wide(R[3], base), copy(R[4], R[10]), add(R[4], -8)]);
    c.push([store_imm(MemSize::Dw, R[10], -8, 0x5a5a)]);
    let shown = format!("{name}({:?}, {base:#x})", String::from_utf8_lossy(&text));
    c.call(name, shown.clone());
    c.push([load(MemSize::Dw, R[1], R[10], -8)]);
    c.keep(format!("  result of {shown}"), R[1]);
}

pub fn strtol(c: &mut Case<'_>) {
    number(c, "strtol");
}

pub fn strtoul(c: &mut Case<'_>) {
    number(c, "strtoul");
}

pub fn strncmp(c: &mut Case<'_>) {
    let text = |rng: &mut Rng| -> Vec<u8> {
        let mut text: Vec<u8> = b"abcdefgh"[..rng.below(9) as usize].to_vec();
        if let Some(byte) = text.last_mut().filter(|_| rng.below(3) == 0) {
            *byte = 1 + rng.below(255) as u8;
        }
        text
    };
    let (a, b) = (text(c.rng), text(c.rng));
    let (at, constant) = (c.place(&[&a[..], &[0; 8]].concat()), c.constant(&b));
    let size = 1 + c.rng.below(a.len() as u64 + 4) as i32;
    c.push([map_value(R[1], DATA, at), imm(R[2], size), map_value(R[3], CONSTANTS, constant)]);
    c.call("strncmp", format!("strncmp({a:x?}, {size}, {b:x?})"));
}

/// What a conversion prints.
#[derive(Clone, Copy)]
enum Wants {
    Number,
    Text,
    Bytes,
}

/// How many conversions are of numbers, how many with plain texts, how many with those that `%p` reads.
const NUMBERS_ONLY: usize = 14;
const NO_FOREIGN: usize = 15;
const FOREIGN: usize = CONVERSIONS.len();

const CONVERSIONS: [(&str, Wants); 19] = [
    ("d", Wants::Number),
    ("i", Wants::Number),
    ("u", Wants::Number),
    ("x", Wants::Number),
    ("X", Wants::Number),
    ("c", Wants::Number),
    ("ld", Wants::Number),
    ("lu", Wants::Number),
    ("lx", Wants::Number),
    ("lld", Wants::Number),
    ("lli", Wants::Number),
    ("llu", Wants::Number),
    ("llX", Wants::Number),
    ("px", Wants::Number),
    ("s", Wants::Text),
    ("pks", Wants::Text),
    ("pi4", Wants::Bytes),
    ("pI4", Wants::Bytes),
    ("pI6", Wants::Bytes),
];

/// Where arguments stand below the frame pointer, out of the scratch memory.
const ARGUMENTS: i32 = 256;

/// A format of right conversions; its arguments are put where r8 then points.
///
/// Conversions are the first so many of the list. With [`FOREIGN`] ones the text must fit: where the kernel's buffer is
/// full before them, it goes on with the wrong arguments.
fn format(c: &mut Case<'_>, conversions: u64, known: usize) -> Vec<u8> {
    let mut text = Vec::new();
    c.push([copy(R[8], R[10]), add(R[8], -ARGUMENTS)]);
    for i in 0..13 {
        c.push([store_imm(MemSize::Dw, R[8], i * 8, 0)]);
    }
    for i in 0..conversions {
        let literal: &[u8] = c.rng.pick(&[&b""[..], b"a", b" = ", b"%%", b"\xc3\xa4", b"100%% "]);
        text.extend(literal);
        let (conversion, wants) = c.rng.pick(&CONVERSIONS[..known]);
        text.push(b'%');
        let flags: &[u8] =
            c.rng.pick(&[&b""[..], b"", b"", b"0", b"-", b"+", b" ", b"-0", b"5", b"08", b"-12", b"+9", b"30"]);
        text.extend(flags);
        text.extend(conversion.bytes());
        text.push(c.rng.pick(b" .,|:"));
        match wants {
            Wants::Number => {
                let value = c.mostly(&[0, 1, 65, 10, 0x7fff_ffff, 0x8000_0000, u64::MAX, 1 << 63]);
                c.push([wide(R[1], value)]);
            }
            Wants::Text => {
                let len = c.rng.pick(if known > NO_FOREIGN { &[0, 1, 5, 20] } else { &[0, 1, 5, 20, 100, 200] });
                let mut bytes: Vec<u8> = (0..len).map(|i: usize| b'a' + (i % 26) as u8).collect();
                bytes.resize(len + 1, 0);
                let at = c.place(&bytes);
                c.push([map_value(R[1], DATA, at)]);
            }
            Wants::Bytes => {
                let bytes = c.rng.bytes(16);
                let at = c.place(&bytes);
                c.push([map_value(R[1], DATA, at)]);
            }
        }
        c.push([store(MemSize::Dw, R[8], i as i16 * 8, R[1])]);
    }
    text
}

pub fn trace_vprintk(c: &mut Case<'_>) {
    let conversions = c.rng.pick(&[0, 1, 2, 3, 5, 12, 13]);
    // What becomes of a format by one more byte may print an address.
    let known = c.rng.pick(&[NUMBERS_ONLY, NO_FOREIGN, FOREIGN]);
    let mut text = format(c, conversions, known);
    if known == NUMBERS_ONLY && c.rng.below(2) == 0 {
        let at = c.rng.below(text.len() as u64 + 1) as usize;
        let byte = c.rng.next() as u8;
        text.insert(at, byte);
    }
    text.push(0);
    let at = c.place(&text);
    let size = text.len() as i32 - i32::from(c.rng.below(12) == 0 && text.len() > 1);
    arguments(c, conversions, R[3], R[4]);
    c.push([map_value(R[1], DATA, at), imm(R[2], size)]);
    c.call("trace_vprintk", format!("trace_vprintk({:?}, {size})", String::from_utf8_lossy(&text)));
}

/// Points to the arguments, mostly with their size.
fn arguments(c: &mut Case<'_>, count: u64, ptr: Reg, size: Reg) {
    let bytes = match c.rng.below(12) {
        0 => c.rng.below(105),
        1 => count.saturating_sub(1) * 8,
        _ => count * 8,
    };
    if bytes == 0 && c.rng.below(2) == 0 {
        c.push([imm(ptr, 0)]);
    } else {
        c.push([copy(ptr, R[8])]);
    }
    c.push([imm(size, bytes as i32)]);
}

pub fn snprintf(c: &mut Case<'_>) {
    let (known, room) = match c.rng.below(2) {
        0 => (FOREIGN, 128),
        _ => (NO_FOREIGN, c.rng.pick(&[0, 1, 2, 10, 64, 128])),
    };
    let conversions = if known == FOREIGN { 1 + c.rng.below(2) } else { c.rng.pick(&[0, 1, 2, 3, 5, 12]) };
    let text = format(c, conversions, known);
    let constant = c.constant(&text);
    // The verifier checks the format against the arguments.
    let bytes = conversions * 8;
    match room {
        0 => c.push([imm(R[1], 0)]),
        _ => c.scratch(R[1], room),
    }
    c.push([imm(R[2], room), map_value(R[3], CONSTANTS, constant), copy(R[4], R[8]), imm(R[5], bytes as i32)]);
    let shown = format!("snprintf({room}, {:?})", String::from_utf8_lossy(&text));
    c.call("snprintf", shown.clone());
    c.keep_scratch(format!("  memory of {shown}"));
}
