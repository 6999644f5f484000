//! Tables in braces: `{ 0x28, 0, 0, 0x0000000c },` as bpf_asm and tcpdump print them, and arrays in C and Rust.

use std::fmt::Write as _;

use oxbpf_isa::cbpf::{MAX_INSNS, SockFilter};

use super::scan::{Cursor, Placed};
use super::text::insn_text;
use crate::assemble::Mistake;
use crate::error::Fault;

/// A hexadecimal number as C's `%#0Nx` writes it: zero has no `0x`.
fn alternate(value: u32, width: usize) -> String {
    if value == 0 { format!("{:0width$}", 0) } else { format!("{value:#0width$x}") }
}

pub(super) fn asm_c(code: &[SockFilter]) -> String {
    let line = |i: &SockFilter| {
        format!("{{ {}, {:2}, {:2}, {} }},\n", alternate(i.code.into(), 4), i.jt, i.jf, alternate(i.k, 10))
    };
    code.iter().map(line).collect()
}

pub(super) fn dd(code: &[SockFilter]) -> String {
    code.iter().map(|i| format!("{{ {:#x}, {}, {}, {:#010x} }},\n", i.code, i.jt, i.jf, i.k)).collect()
}

pub(super) fn c(code: &[SockFilter]) -> String {
    let mut out = "static const struct sock_filter filter[] = {\n".to_string();
    for (at, i) in code.iter().enumerate() {
        // Writing to a string does not fail.
        let _ = write!(out, "\t{{ {:#04x}, {}, {}, {:#010x} }}, ", i.code, i.jt, i.jf, i.k);
        let _ = writeln!(out, "/* {at}: {} */", insn_text(at, *i));
    }
    out + "};\n"
}

pub(super) fn rust(code: &[SockFilter]) -> String {
    let mut out = format!("pub const FILTER: [libc::sock_filter; {}] = [\n", code.len());
    for (at, i) in code.iter().enumerate() {
        let SockFilter { code, jt, jf, k } = *i;
        let _ = write!(out, "    libc::sock_filter {{ code: {code:#04x}, jt: {jt}, jf: {jf}, k: {k:#010x} }}, ");
        let _ = writeln!(out, "// {at}: {}", insn_text(at, *i));
    }
    out + "];\n"
}

/// Whether the first line of a table pads as `bpf_asm -c` does and tcpdump does not.
pub(super) fn asm_c_like(start: &str) -> bool {
    let line = start.lines().next().unwrap_or_default();
    let mut c = Cursor::new(line);
    insn(&mut c).is_ok_and(|i| asm_c(&[i]).trim_end() == line.trim_end() && dd(&[i]).trim_end() != line.trim_end())
}

/// Reads what stands in braces; between them comments, and words of C and Rust, are passed over.
pub(super) fn read(source: &str) -> Result<Placed, Mistake> {
    let mut c = Cursor::new(source);
    let mut placed = Vec::new();
    while !c.rest().is_empty() {
        if comment(&mut c)? {
            continue;
        }
        if !c.rest().starts_with('{') {
            let rest = c.rest();
            // A slash that begins no comment is passed over too.
            let from = usize::from(rest.starts_with('/'));
            c.at += rest[from..].find(['{', '/']).map_or(rest.len(), |n| n + from);
            continue;
        }
        let open = c.at;
        c.at += 1;
        blank(&mut c)?;
        // The braces around an array.
        if c.rest().is_empty() || c.rest().starts_with(['{', '}']) {
            continue;
        }
        if placed.len() == MAX_INSNS {
            return Err((open, 1, Fault::TooLong { max: MAX_INSNS }));
        }
        c.at = open;
        placed.push((open, insn(&mut c)?));
    }
    Ok(placed)
}

/// Passes over one comment.
fn comment(c: &mut Cursor<'_>) -> Result<bool, Mistake> {
    let rest = c.rest();
    if rest.starts_with("//") {
        c.at += rest.find('\n').unwrap_or(rest.len());
        return Ok(true);
    }
    if !rest.starts_with("/*") {
        return Ok(false);
    }
    match rest[2..].find("*/") {
        Some(end) => c.at += end + 4,
        None => return Err((c.at, 2, Fault::Comment)),
    }
    Ok(true)
}

fn blank(c: &mut Cursor<'_>) -> Result<(), Mistake> {
    c.spaces();
    while comment(c)? {
        c.spaces();
    }
    Ok(())
}

const FIELDS: [(&str, u32); 4] = [("code", 16), ("jt", 8), ("jf", 8), ("k", 32)];

/// `{ a, b, c, d }`, with or without the fields' names in the way of C or Rust.
fn insn(c: &mut Cursor<'_>) -> Result<SockFilter, Mistake> {
    c.must("{")?;
    let mut fields = [0; 4];
    for (i, (name, bits)) in FIELDS.into_iter().enumerate() {
        blank(c)?;
        let dot = c.eat(".");
        let mut ahead = *c;
        if ahead.word() == name {
            *c = ahead;
            c.spaces();
            c.must(if dot { "=" } else { ":" })?;
            blank(c)?;
        } else if dot {
            return Err(c.expected(&format!("`{name}`")));
        }
        fields[i] = c.number(bits, &["u", "U", "l", "L"])?;
        blank(c)?;
        if i < 3 {
            c.must(",")?;
        }
    }
    if c.eat(",") {
        blank(c)?;
    }
    c.must("}")?;
    // The widths are those of the fields.
    Ok(SockFilter { code: fields[0] as u16, jt: fields[1] as u8, jf: fields[2] as u8, k: fields[3] })
}
