//! The text of bpf_asm, written so that the original reads it too.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use oxbpf_isa::Narrow;
use oxbpf_isa::cbpf::{AluOp, Cond, Fault as Rule, Insn, Operand, SockFilter};

use super::WriteError;

/// One statement in each line; what is jumped to has a label, `L` and the instruction's number.
pub(super) fn write(code: &[SockFilter]) -> Result<String, WriteError> {
    let mut insns = Vec::with_capacity(code.len());
    let mut labels = BTreeMap::new();
    for (at, raw) in code.iter().enumerate() {
        let insn = raw.decode().map_err(|fault| WriteError { at, fault })?;
        for skipped in skips(insn) {
            let target = at as u64 + 1 + u64::from(skipped);
            if target >= code.len() as u64 {
                return Err(WriteError { at, fault: Rule::Jump { target, len: code.len() } });
            }
            labels.insert(target as usize, format!("L{target:02}"));
        }
        insns.push(insn);
    }
    let mut out = String::new();
    // Writing to a string does not fail.
    for (at, (insn, raw)) in insns.iter().zip(code).enumerate() {
        if let Some(label) = labels.get(&at) {
            let _ = writeln!(out, "{label}:");
        }
        let label = |skipped: u32| labels.get(&(at + 1 + skipped as usize)).cloned().unwrap_or_default();
        let _ = write!(out, "\t{}", statement(*insn, label));
        if insn.encode() != *raw {
            let SockFilter { jt, jf, k, .. } = raw;
            let _ = write!(out, " ; was jt {jt}, jf {jf}, k {k}, in part unused");
        }
        out.push('\n');
    }
    Ok(out)
}

/// The distances of a jump that need labels.
fn skips(insn: Insn) -> Vec<u32> {
    match insn {
        Insn::Ja(k) => vec![k],
        Insn::JumpIf { jt, jf: 0, .. } => vec![jt.into()],
        Insn::JumpIf { cond, jt: 0, jf, .. } if negated(cond).is_some() => vec![jf.into()],
        Insn::JumpIf { jt, jf, .. } => vec![jt.into(), jf.into()],
        _ => Vec::new(),
    }
}

/// One instruction as text, with the numbers of instructions for labels. What is no instruction is its numbers.
pub fn insn_text(at: usize, raw: SockFilter) -> String {
    match raw.decode() {
        Ok(insn) => statement(insn, |skipped| (at as u64 + 1 + u64::from(skipped)).to_string()),
        Err(_) => format!("{:#04x} {} {} {:#x}", raw.code, raw.jt, raw.jf, raw.k),
    }
}

fn statement(insn: Insn, label: impl Fn(u32) -> String) -> String {
    match insn {
        Insn::LdImm(k) => format!("ld #{k:#x}"),
        Insn::LdLen => "ld len".into(),
        Insn::LdMem(m) => format!("ld M[{}]", m.index()),
        Insn::LdAbs { size, k } => format!("{} [{}]", load(size), k.k() as i32),
        Insn::LdInd { size, k } => format!("{} [x + {}]", load(size), k as i32),
        Insn::LdExt { size, ext } => match ext.row().names.first() {
            Some(name) => format!("{} {name}", load(size)),
            None => format!("{} [{}]", load(size), ext.k() as i32),
        },
        Insn::LdxImm(k) => format!("ldx #{k:#x}"),
        Insn::LdxLen => "ldx len".into(),
        Insn::LdxMem(m) => format!("ldx M[{}]", m.index()),
        Insn::LdxMsh(k) => format!("ldxb 4*([{}]&0xf)", k as i32),
        Insn::St(m) => format!("st M[{}]", m.index()),
        Insn::Stx(m) => format!("stx M[{}]", m.index()),
        Insn::Alu { op, src } => format!("{} {}", op.row().name, value(src, is_bits(op))),
        Insn::Neg => "neg".into(),
        Insn::Ja(k) => format!("ja {}", label(k)),
        // bpf_asm takes the next instruction where the second label is left out.
        Insn::JumpIf { cond, src, jt, jf: 0 } => {
            format!("{} {}, {}", cond.row().name, value(src, true), label(jt.into()))
        }
        Insn::JumpIf { cond, src, jt: 0, jf } if negated(cond).is_some() => {
            format!("{} {}, {}", negated(cond).unwrap_or_default(), value(src, true), label(jf.into()))
        }
        Insn::JumpIf { cond, src, jt, jf } => {
            format!("{} {}, {}, {}", cond.row().name, value(src, true), label(jt.into()), label(jf.into()))
        }
        Insn::RetK(k) => format!("ret #{k:#x}"),
        Insn::RetA => "ret a".into(),
        Insn::RetX => "ret x".into(),
        Insn::Tax => "tax".into(),
        Insn::Txa => "txa".into(),
    }
}

/// The jump where a condition does not hold, if it has a name.
fn negated(cond: Cond) -> Option<&'static str> {
    match cond {
        Cond::Eq => Some("jne"),
        Cond::Gt => Some("jle"),
        Cond::Ge => Some("jlt"),
        Cond::Set => None,
    }
}

fn load(size: Narrow) -> &'static str {
    match size {
        Narrow::B => "ldb",
        Narrow::H => "ldh",
        Narrow::W => "ld",
    }
}

/// Whether an operator's right side is a pattern of bits, and better hexadecimal.
fn is_bits(op: AluOp) -> bool {
    matches!(op, AluOp::And | AluOp::Or | AluOp::Xor)
}

fn value(src: Operand, hex: bool) -> String {
    match src {
        Operand::K(k) if hex => format!("#{k:#x}"),
        Operand::K(k) => format!("#{k}"),
        Operand::X => "x".into(),
    }
}
