//! The names of instructions, and from them the reader's tables.

use core::fmt::{Result, Write};
use std::sync::LazyLock;

use super::{Atomics, STYLES, Style, Swaps};
use crate::insn::{CallTarget, Insn, Operand};
use crate::ops::{AtomicOp, EndianOp, MemSize, Width};
use crate::text::Dialect;
use crate::text::digits::dec;
use crate::text::names::NameTable;

/// What ends the name of an operation of a width.
fn suffix(style: &Style, width: Width) -> &'static str {
    match width {
        Width::W32 => "32",
        Width::W64 => style.wide,
    }
}

fn size(size: MemSize) -> &'static str {
    match size {
        MemSize::B => "b",
        MemSize::H => "h",
        MemSize::W => "w",
        MemSize::Dw => "dw",
    }
}

/// The name of an instruction; rows whose operands tell them apart share one.
pub(super) fn name<W: Write>(w: &mut W, style: &Style, insn: &Insn) -> Result {
    let mut all = |parts: &[&str]| parts.iter().try_for_each(|p| w.write_str(p));
    let only_32 = |width| if width == Width::W32 { "32" } else { "" };
    match *insn {
        Insn::Alu { op, width, .. } => all(&[op.row().mnemonic, suffix(style, width)]),
        Insn::Neg { width, .. } => all(&["neg", suffix(style, width)]),
        Insn::MovSx { op, .. } if style.movs => all(&["movs", only_32(op.width())]),
        Insn::MovSx { op, .. } => {
            w.write_str("movsx")?;
            dec(w, op.from_bits().into())?;
            dec(w, op.width().bits().into())
        }
        Insn::Endian { op, .. } => match style.swaps {
            Swaps::InName => w.write_str(op.row().name),
            Swaps::Operand => w.write_str(order(op)),
        },
        Insn::AddrSpaceCast { .. } => w.write_str("addr_space_cast"),
        Insn::LoadImm64 { .. } | Insn::LoadPseudo { .. } => w.write_str("lddw"),
        Insn::Load { size: s, .. } => all(&["ldx", size(s)]),
        Insn::LoadSx { size: s, .. } => all(&["ldxs", size(s.size())]),
        Insn::Store { size: s, src: Operand::Imm(_), .. } => all(&["st", size(s)]),
        Insn::Store { size: s, src: Operand::Reg(_), .. } => all(&["stx", size(s)]),
        Insn::Atomic { op, width, .. } => atomic(w, style.atomics, op, width),
        Insn::LoadAcquire { size: s, .. } => all(&["ldacq", size(s)]),
        Insn::StoreRelease { size: s, .. } => all(&["strel", size(s)]),
        Insn::LdAbs { size: s, .. } => all(&["ldabs", size(s.size())]),
        Insn::LdInd { size: s, .. } => all(&["ldind", size(s.size())]),
        Insn::Jump { .. } => w.write_str("ja"),
        Insn::JumpLong { .. } => w.write_str(style.jump_long),
        Insn::MayGoto { .. } => w.write_str("may_goto"),
        Insn::JumpIf { cond, width, .. } => all(&[cond.row().mnemonic, only_32(width)]),
        Insn::Call(CallTarget::Helper(_) | CallTarget::Local(_) | CallTarget::Kfunc { .. }) => w.write_str("call"),
        Insn::CallX { .. } => w.write_str(style.call_register),
        Insn::Exit => w.write_str("exit"),
    }
}

/// The byte order of a swap, where the width is an operand.
fn order(op: EndianOp) -> &'static str {
    match op {
        EndianOp::Le16 | EndianOp::Le32 | EndianOp::Le64 => "endle",
        EndianOp::Be16 | EndianOp::Be32 | EndianOp::Be64 => "endbe",
        EndianOp::Swap16 | EndianOp::Swap32 | EndianOp::Swap64 => "bswap",
    }
}

fn atomic<W: Write>(w: &mut W, style: Atomics, op: AtomicOp, width: Width) -> Result {
    let mut all = |parts: &[&str]| parts.iter().try_for_each(|p| w.write_str(p));
    let mnemonic = op.row().mnemonic;
    let (fetch, base) = match mnemonic.strip_prefix("atomic_fetch_") {
        Some(base) => (true, base),
        None => (false, mnemonic.strip_prefix("atomic_").unwrap_or(mnemonic)),
    };
    let narrow = if width == Width::W32 { "32" } else { "" };
    match style {
        Atomics::Xadd if op == AtomicOp::Add => {
            all(&["stxxadd", size(if width == Width::W32 { MemSize::W } else { MemSize::Dw })])
        }
        Atomics::Lock | Atomics::Xadd => all(&["lock ", if fetch { "fetch " } else { "" }, base, narrow]),
        // `acmp` is short for what is `cmpxchg` elsewhere.
        Atomics::Letters if op == AtomicOp::Cmpxchg => all(&["acmp", narrow]),
        Atomics::Letters => all(&["a", if fetch { "f" } else { "" }, base, narrow]),
    }
}

static TABLES: LazyLock<[NameTable<Insn>; 3]> = LazyLock::new(|| STYLES.map(|(dialect, style)| table(dialect, style)));

/// What the names of a dialect stand for: of rows that share a name, the first.
fn table(dialect: Dialect, style: &'static Style) -> NameTable<Insn> {
    let rows = Insn::rows();
    let mut names = Vec::new();
    let mut add = |style: &Style| {
        for insn in &rows {
            let mut text = String::new();
            // Writing to a string does not fail.
            let _ = name(&mut text, style, insn);
            names.push((text, *insn));
        }
    };
    add(style);
    // Names that are read and not written: of 64-bit operators with and without the width, `callx`.
    for wide in ["", "64"] {
        add(&Style { wide, call_register: "callx", ..*style });
    }
    if dialect == Dialect::Ubpf {
        // The conformance tests' older name of `bswap16`.
        for row in EndianOp::ROWS.iter().filter(|r| r.name.starts_with("bswap")) {
            names.push((row.name.replace("bswap", "swap"), Insn::Endian { op: row.op, dst: crate::Reg::R0 }));
        }
    }
    NameTable::new(names)
}

/// The first row of this name, which may be given in parts.
pub(super) fn row(dialect: Dialect, parts: &[&str]) -> Option<Insn> {
    let index = STYLES.iter().position(|s| s.0 == dialect)?;
    TABLES[index].get_parts(parts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::mem::discriminant;

    /// Rows that share a name are told apart by their operands.
    #[test]
    fn names_stand_for_one_kind_of_operands() {
        for (dialect, style) in STYLES {
            for insn in Insn::rows() {
                let mut text = String::new();
                name(&mut text, style, &insn).unwrap();
                let found = row(dialect, &[&text]).unwrap_or_else(|| panic!("{dialect}: no {text}"));
                let shared = matches!(insn, Insn::LoadPseudo { .. } | Insn::CallX { .. });
                assert!(shared || discriminant(&found) == discriminant(&insn), "{dialect}: {text}");
            }
        }
    }
}
