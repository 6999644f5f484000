//! The listing of `tcpdump -d`: `(001) jeq      #0x800           jt 2\tjf 5`.

use oxbpf_isa::Narrow;
use oxbpf_isa::cbpf::{AluOp, Cond, Ext, Insn, MAX_INSNS, Operand, SockFilter};

use super::scan::{Cursor, Placed};
use crate::assemble::Mistake;
use crate::error::{Fault, quote};
use crate::grammar::is_word;

/// One line for each instruction, as libpcap prints it; what it has no text for is `unimp` and the opcode.
pub(super) fn write(code: &[SockFilter]) -> String {
    code.iter().enumerate().map(|(at, i)| line(at, *i)).collect()
}

fn line(at: usize, raw: SockFilter) -> String {
    let (name, operand) = parts(at, raw).unwrap_or_else(|| ("unimp", format!("{:#x}", raw.code)));
    match jump(raw) {
        Some((jt, jf)) => {
            format!("({at:03}) {name:<8} {operand:<16} jt {}\tjf {}\n", at + 1 + jt as usize, at + 1 + jf as usize)
        }
        None => format!("({at:03}) {name:<8} {operand}\n"),
    }
}

fn jump(raw: SockFilter) -> Option<(u8, u8)> {
    match raw.decode() {
        Ok(Insn::JumpIf { jt, jf, .. }) => Some((jt, jf)),
        _ => None,
    }
}

/// How libpcap calls extensions where that is not the first name.
const NAMES: [(Ext, &str); 3] = [(Ext::XorX, "xor_x"), (Ext::VlanAvail, "vlanp"), (Ext::Rand, "random")];

fn ext_name(ext: Ext) -> &'static str {
    let own = NAMES.iter().find(|(e, _)| *e == ext).map(|(_, name)| *name);
    own.unwrap_or_else(|| ext.row().names[0])
}

/// The scratch opcodes, whose index libpcap prints whatever it is.
const SCRATCH: [(u16, &str); 4] = [(0x60, "ld"), (0x61, "ldx"), (0x02, "st"), (0x03, "stx")];

/// Mnemonic and operand; most numbers are shown signed.
fn parts(at: usize, raw: SockFilter) -> Option<(&'static str, String)> {
    let signed = raw.k as i32;
    if let Some((_, name)) = SCRATCH.iter().find(|(code, _)| *code == raw.code) {
        return Some((name, format!("M[{signed}]")));
    }
    let sized = |size: Narrow| SIZES[size as usize];
    Some(match raw.decode().ok()? {
        Insn::LdImm(k) => ("ld", format!("#{k:#x}")),
        Insn::LdxImm(k) => ("ldx", format!("#{k:#x}")),
        Insn::LdLen => ("ld", "#pktlen".into()),
        Insn::LdAbs { size, .. } => (sized(size), format!("[{signed}]")),
        Insn::LdExt { size, ext } => (sized(size), format!("[{}]", ext_name(ext))),
        Insn::LdInd { size, .. } => (sized(size), format!("[x + {signed}]")),
        Insn::LdxMsh(_) => ("ldxb", format!("4*([{signed}]&0xf)")),
        Insn::Alu { op, src: Operand::X } => (op.row().name, "x".into()),
        Insn::Alu { op: op @ (AluOp::And | AluOp::Or | AluOp::Xor), src: Operand::K(k) } => {
            (op.row().name, format!("#{k:#x}"))
        }
        Insn::Alu { op, src: Operand::K(_) } => (op.row().name, format!("#{signed}")),
        Insn::Neg => ("neg", String::new()),
        Insn::Ja(_) => ("ja", (at as i32).wrapping_add(1).wrapping_add(signed).to_string()),
        Insn::JumpIf { cond, src: Operand::X, .. } => (cond.row().name, "x".into()),
        Insn::JumpIf { cond, src: Operand::K(k), .. } => (cond.row().name, format!("#{k:#x}")),
        Insn::RetK(_) => ("ret", format!("#{signed}")),
        Insn::RetA => ("ret", String::new()),
        Insn::Tax => ("tax", String::new()),
        Insn::Txa => ("txa", String::new()),
        Insn::LdMem(_) | Insn::LdxMem(_) | Insn::St(_) | Insn::Stx(_) | Insn::LdxLen | Insn::RetX => return None,
    })
}

const SIZES: [&str; 3] = ["ldb", "ldh", "ld"];

pub(super) fn read(source: &str) -> Result<Placed, Mistake> {
    let mut c = Cursor::new(source);
    let mut placed = Vec::new();
    loop {
        c.spaces();
        if c.rest().is_empty() {
            return Ok(placed);
        }
        if placed.len() == MAX_INSNS {
            return Err((c.at, 1, Fault::TooLong { max: MAX_INSNS }));
        }
        let begin = c.at;
        c.must("(")?;
        let number = c;
        if c.number(32, &[])? as usize != placed.len() {
            return Err(number.expected(&format!("the number {}", placed.len())));
        }
        c.must(")")?;
        placed.push((begin, insn(&mut c, placed.len())?));
        c.skip(&[' ', '\t', '\r']);
        if !c.rest().is_empty() && !c.rest().starts_with('\n') {
            return Err(c.expected("the end of the line"));
        }
    }
}

/// The instruction of one line, behind its number.
fn insn(c: &mut Cursor<'_>, at: usize) -> Result<SockFilter, Mistake> {
    c.skip(&[' ', '\t']);
    let begin = c.at;
    let name = c.word();
    c.skip(&[' ', '\t']);
    let unknown = (begin, name.len(), Fault::Mnemonic { name: quote(name) });
    if let Some(row) = Cond::ROWS.iter().find(|r| r.name == name) {
        let src = value(c)?;
        let jt = side(c, "jt", at)?;
        let jf = side(c, "jf", at)?;
        return Ok(Insn::JumpIf { cond: row.cond, src, jt, jf }.encode());
    }
    if let Some(row) = AluOp::ROWS.iter().find(|r| r.name == name) {
        return Ok(Insn::Alu { op: row.op, src: value(c)? }.encode());
    }
    if name == "unimp" {
        let place = c.at;
        let code = c.number(16, &[])? as u16;
        let raw = SockFilter::stmt(code, 0);
        let lost = (place, 1, Fault::Unlisted { code: format!("{code:#x}") });
        // Of these two there is nothing more to tell than the opcode.
        return if matches!(raw.decode(), Ok(Insn::LdxLen | Insn::RetX)) { Ok(raw) } else { Err(lost) };
    }
    Ok(match name {
        "ja" => {
            let target = signed(c)?;
            SockFilter::stmt(0x05, (target as i32).wrapping_sub(at as i32 + 1) as u32)
        }
        "tax" => Insn::Tax.encode(),
        "txa" => Insn::Txa.encode(),
        "neg" => Insn::Neg.encode(),
        "ret" if c.rest().starts_with('#') => {
            c.at += 1;
            Insn::RetK(signed(c)?).encode()
        }
        "ret" => Insn::RetA.encode(),
        "ldxb" => {
            c.must("4*([")?;
            let k = signed(c)?;
            c.must("]&0xf)")?;
            Insn::LdxMsh(k).encode()
        }
        "ld" | "ldx" | "st" | "stx" if c.eat("M[") => {
            let k = signed(c)?;
            c.must("]")?;
            let code = SCRATCH.iter().find(|(_, n)| *n == name).map_or(0, |(code, _)| *code);
            SockFilter::stmt(code, k)
        }
        "ld" if c.eat("#pktlen") => Insn::LdLen.encode(),
        "ld" | "ldx" if c.eat("#") => {
            let k = signed(c)?;
            if name == "ld" { Insn::LdImm(k).encode() } else { Insn::LdxImm(k).encode() }
        }
        "ld" | "ldh" | "ldb" => packet(c, name)?,
        "ldx" => return Err(c.expected("`#k` or `M[k]`")),
        "st" | "stx" => return Err(c.expected("`M[k]`")),
        _ => return Err(unknown),
    })
}

/// `[k]`, `[x + k]` or `[extension]`.
fn packet(c: &mut Cursor<'_>, name: &str) -> Result<SockFilter, Mistake> {
    let size = [Narrow::B, Narrow::H, Narrow::W].into_iter().find(|&s| SIZES[s as usize] == name).unwrap_or(Narrow::W);
    c.must("[")?;
    let insn = if c.eat("x + ") {
        Insn::LdInd { size, k: signed(c)? }
    } else if c.rest().starts_with(|c: char| c.is_ascii_digit() || c == '-') {
        Insn::ld_abs(size, signed(c)?)
    } else {
        let place = *c;
        let word = c.word();
        let row = Ext::ROWS.iter().find(|r| ext_name(r.ext) == word);
        Insn::LdExt { size, ext: row.ok_or_else(|| place.expected("an offset or an extension"))?.ext }
    };
    c.must("]")?;
    Ok(insn.encode())
}

fn value(c: &mut Cursor<'_>) -> Result<Operand, Mistake> {
    if c.eat("#") {
        return signed(c).map(Operand::K);
    }
    let ends = !c.rest().chars().nth(1).is_some_and(is_word);
    if ends && c.eat("x") { Ok(Operand::X) } else { Err(c.expected("`#k` or `x`")) }
}

/// A number, negative ones as their complement.
fn signed(c: &mut Cursor<'_>) -> Result<u32, Mistake> {
    let begin = *c;
    if !c.eat("-") {
        return c.number(32, &[]);
    }
    let value = c.number(32, &[])?;
    let text = &begin.source[begin.at..c.at];
    let fits = value <= 1 << 31;
    if fits {
        Ok(value.wrapping_neg())
    } else {
        Err((begin.at, text.len(), Fault::Range { text: quote(text), bits: 32 }))
    }
}

/// `jt N` or `jf N`, where N is an instruction at most 255 behind the next.
fn side(c: &mut Cursor<'_>, name: &str, at: usize) -> Result<u8, Mistake> {
    c.skip(&[' ', '\t']);
    c.must(name)?;
    c.skip(&[' ', '\t']);
    let place = *c;
    let target = c.number(32, &[])? as usize;
    let skipped = target.checked_sub(at + 1).and_then(|d| u8::try_from(d).ok());
    skipped.ok_or_else(|| place.expected(&format!("a number from {} to {}", at + 1, at + 256)))
}
