//! One line's instruction, in any dialect, with what listings put around it.

use super::cursor::{Cursor, LineError, Result};
use super::dialect::{Dialect, Family};
use super::error::TextFault;
use super::statement::Statement;
use super::{macros, mnemonic, pseudo_c};
use crate::decode::decode;
use crate::insn::Insn;
use crate::ops::AtomicOp;
use crate::raw::{RawInsn, Slot};

/// What listings put in front of and behind an instruction, and the instruction.
pub(super) fn instruction<'a>(c: &mut Cursor<'a>, dialect: Dialect) -> Result<Statement<'a>> {
    // Most lines have none of this.
    if !c.next_byte().is_some_and(|b| b.is_ascii_hexdigit() || b == b'(') {
        let statement = family(c, dialect, None)?;
        behind(c, dialect)?;
        return Ok(statement);
    }
    let bytes = c.raw_bytes();
    let decoded = match &bytes {
        Some((words, token)) => match decode(words, Slot(0)) {
            Ok((insn, _)) => Some((insn, *token)),
            Err(e) => return Err(token.fault(TextFault::NotInsn { fault: e.fault })),
        },
        None => None,
    };
    let opcode = c.opcode();
    let statement = if let (Some((insn, _)), true) = (decoded, c.eat("<unknown>")) {
        insn.into()
    } else {
        family(c, dialect, opcode.map(|(code, _)| code))?
    };
    behind(c, dialect)?;
    if let Some((found, token)) = opcode {
        let need = statement.insn.encode().words()[0].code;
        if found != need {
            return Err(token.fault(TextFault::Opcode { found, need }));
        }
    }
    match decoded {
        Some((insn, token)) if !may_print_as(insn, statement) => {
            Err(token.fault(TextFault::Bytes { bytes: insn.to_string() }))
        }
        // The bytes say more than the text, which may show a local call as `call 4`.
        Some((insn, _)) => Ok(insn.into()),
        None => Ok(statement),
    }
}

/// The instruction itself; `opcode` is the one printed in front of it, if any.
fn family<'a>(c: &mut Cursor<'a>, dialect: Dialect, opcode: Option<u8>) -> Result<Statement<'a>> {
    match dialect.row().family {
        Family::PseudoC => pseudo_c::statement(c, opcode),
        Family::Mnemonic => mnemonic::statement(c, dialect),
        Family::Macros => macros::statement(c),
    }
}

/// What may stand behind an instruction: llvm-objdump's name of a jump's target.
fn behind(c: &mut Cursor<'_>, dialect: Dialect) -> Result<()> {
    if c.next_byte() == Some(b'<') {
        c.take_while(|ch| ch != '>');
        c.expect(">")?;
    }
    if dialect.row().family == Family::Macros || c.at_end() { Ok(()) } else { Err(c.expected("the end of the line")) }
}

/// Whether a disassembler may print `insn` as this statement: llvm-objdump shows no sub-operators of calls and
/// wide loads, and before version 20 takes all atomics for additions unless it is told the CPU.
fn may_print_as(insn: Insn, text: Statement<'_>) -> bool {
    let (shown, atomic) = (text.insn, matches!(text.insn, Insn::Atomic { op: AtomicOp::Add, .. }));
    let blur = |raw: &RawInsn| match raw.code {
        _ if text.name.is_some() => RawInsn { regs: 0, imm: 0, off: 0, ..*raw },
        0x85 | 0x18 => RawInsn { regs: raw.dst(), off: 0, ..*raw },
        // The displacement of a packet load by register is not shown.
        0x40 | 0x48 | 0x50 if matches!(text.insn, Insn::LdInd { imm: 0, .. }) => RawInsn { imm: 0, ..*raw },
        _ if atomic => RawInsn { imm: 0, ..*raw },
        _ => *raw,
    };
    let (said, shown) = (insn.encode(), shown.encode());
    // `ld_pseudo` says nothing of the second slot.
    let len = if matches!(text.insn, Insn::LoadPseudo { .. }) { 1 } else { 2 };
    said.words().iter().take(len).map(blur).eq(shown.words().iter().take(len).map(blur))
}

/// The mistake that this instruction belongs to another dialect, if one reads it.
#[cold]
pub(super) fn belongs_to(start: Cursor<'_>, read: Dialect) -> Option<LineError> {
    let other = |dialect: Dialect| {
        let mut c = start;
        let at = c.place();
        instruction(&mut c, dialect).ok()?;
        // Blanks in front of a comment are none of it.
        let text = c.since(at).text.trim_end();
        let row = dialect.row();
        // What both read is told by the name of both.
        let title = if dialect == Dialect::Ubpf && rbpf_reads(start) { "uBPF/rbpf" } else { row.title };
        let fault = TextFault::Dialect { title, is: dialect, read };
        Some(LineError { at, len: text.len(), fault })
    };
    Dialect::ROWS.iter().map(|r| r.dialect).filter(|d| *d != read).find_map(other)
}

fn rbpf_reads(mut c: Cursor<'_>) -> bool {
    instruction(&mut c, Dialect::Rbpf).is_ok()
}

/// Which dialect a text is written in, by its first instructions; of several that it may be, the first.
///
/// ```
/// use oxbpf_isa::text::{Dialect, detect};
///
/// assert_eq!(detect("; nothing but\nstart: r0 = 1\nexit"), Dialect::Clang);
/// assert_eq!(detect("exit"), Dialect::Clang);
/// assert_eq!(detect("mov %r0, 1\nexit"), Dialect::Ubpf);
/// assert_eq!(detect("mov %r0, 1\nendbe %r0, 16\nexit"), Dialect::Gnu);
/// assert_eq!(detect("BPF_EXIT_INSN(),"), Dialect::Macros);
/// ```
pub fn detect(source: &str) -> Dialect {
    let mut left: Vec<Dialect> = Dialect::ROWS.iter().map(|r| r.dialect).collect();
    let mut looked_at = 0;
    for line in source.lines() {
        let mut c = Cursor::new(line);
        while c.prefix().is_some() {}
        c.skip_comments();
        if c.next_byte() == Some(b'.') || c.at_end() || macros::boilerplate(c.rest()) {
            continue;
        }
        let reads = |d: &Dialect| {
            let begins_macro = || c.clone().rest().starts_with("BPF_");
            // A macro's arguments may go on in the next line.
            instruction(&mut c.clone(), *d).is_ok() || *d == Dialect::Macros && begins_macro()
        };
        let of: Vec<Dialect> = left.iter().copied().filter(reads).collect();
        if !of.is_empty() {
            left = of;
        }
        looked_at += 1;
        if left.len() == 1 || looked_at == MAX_LOOKED_AT {
            break;
        }
    }
    left[0]
}

/// Lines that are looked at to tell the dialect.
const MAX_LOOKED_AT: usize = 256;
