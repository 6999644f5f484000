//! Every row of the instruction set once, with operands to be filled in.

use crate::catalog::Kind;
use crate::insn::{CallTarget, Insn, Operand, Pseudo};
use crate::raw::Reg;

/// Values for whatever operands a row has; a row takes those that it has fields for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Fields {
    /// The destination, or the base of a store.
    pub dst: Reg,
    /// The source, or the base of a load.
    pub src: Reg,
    /// The 16-bit offset: of memory, or a jump.
    pub off: i16,
    /// The 32-bit immediate, the lower half of a wide one.
    pub imm: i32,
    /// The second slot's immediate.
    pub next: i32,
}

impl Default for Fields {
    fn default() -> Fields {
        Fields { dst: Reg::R0, src: Reg::R0, off: 0, imm: 0, next: 0 }
    }
}

impl Insn {
    /// Every row once, with r0 and zero in all of its operands: what tables, tests and generators run over.
    ///
    /// ```
    /// use oxbpf_isa::{Fields, Insn, Reg};
    ///
    /// let rows = Insn::rows();
    /// assert!(rows.len() > 150);
    /// let jump = rows.iter().find(|r| r.to_string() == "if r0 == 0 goto +0").unwrap();
    /// let filled = jump.with(&Fields { dst: Reg::R3, imm: 5, off: -2, ..Fields::default() });
    /// assert_eq!(filled.to_string(), "if r3 == 5 goto -2");
    /// ```
    pub fn rows() -> Vec<Insn> {
        let forms = |kind: Kind| kind.forms().iter().map(move |&form| kind.sample(form));
        Kind::all().flat_map(forms).map(|sample| sample.with(&Fields::default())).collect()
    }

    /// The same row with these operands.
    #[must_use]
    pub fn with(self, fields: &Fields) -> Insn {
        let &Fields { dst, src: reg, off, imm, next } = fields;
        let operand = |src| match src {
            Operand::Reg(_) => Operand::Reg(reg),
            Operand::Imm(_) => Operand::Imm(imm),
        };
        match self {
            Insn::Alu { op, width, src, .. } => Insn::Alu { op, width, dst, src: operand(src) },
            Insn::Neg { width, .. } => Insn::Neg { width, dst },
            Insn::MovSx { op, .. } => Insn::MovSx { op, dst, src: reg },
            Insn::Endian { op, .. } => Insn::Endian { op, dst },
            Insn::AddrSpaceCast { .. } => {
                Insn::AddrSpaceCast { dst, src: reg, to: (imm as u32 >> 16) as u16, from: imm as u16 }
            }
            Insn::LoadImm64 { .. } => {
                Insn::LoadImm64 { dst, value: u64::from(imm as u32) | u64::from(next as u32) << 32 }
            }
            Insn::LoadPseudo { value, .. } => Insn::LoadPseudo { dst, value: value.with(imm, next) },
            Insn::Load { size, .. } => Insn::Load { size, dst, base: reg, off },
            Insn::LoadSx { size, .. } => Insn::LoadSx { size, dst, base: reg, off },
            Insn::Store { size, src, .. } => Insn::Store { size, base: dst, off, src: operand(src) },
            Insn::Atomic { op, width, .. } => Insn::Atomic { op, width, base: dst, off, src: reg },
            Insn::LoadAcquire { size, .. } => Insn::LoadAcquire { size, dst, base: reg, off },
            Insn::StoreRelease { size, .. } => Insn::StoreRelease { size, base: dst, off, src: reg },
            Insn::LdAbs { size, .. } => Insn::LdAbs { size, imm },
            Insn::LdInd { size, .. } => Insn::LdInd { size, src: reg, imm },
            Insn::Jump { .. } => Insn::Jump { off },
            Insn::JumpLong { .. } => Insn::JumpLong { off: imm },
            Insn::MayGoto { .. } => Insn::MayGoto { off },
            Insn::JumpIf { cond, width, src, .. } => Insn::JumpIf { cond, width, dst, src: operand(src), off },
            Insn::Call(CallTarget::Helper(_)) => Insn::Call(CallTarget::Helper(imm)),
            Insn::Call(CallTarget::Local(_)) => Insn::Call(CallTarget::Local(imm)),
            Insn::Call(CallTarget::Kfunc { .. }) => Insn::Call(CallTarget::Kfunc { id: imm, fd_idx: off }),
            Insn::CallX { .. } => Insn::CallX { target: dst },
            Insn::Exit => Insn::Exit,
        }
    }
}

impl Pseudo {
    /// The same kind of address, with these numbers.
    pub(crate) fn with(self, first: i32, second: i32) -> Pseudo {
        match self {
            Pseudo::MapFd(_) => Pseudo::MapFd(first),
            Pseudo::MapValue { .. } => Pseudo::MapValue { fd: first, off: second },
            Pseudo::BtfVar { .. } => Pseudo::BtfVar { id: first, fd: second },
            Pseudo::Func(_) => Pseudo::Func(first),
            Pseudo::MapIdx(_) => Pseudo::MapIdx(first),
            Pseudo::MapIdxValue { .. } => Pseudo::MapIdxValue { idx: first, off: second },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Slot, decode};
    use std::collections::HashSet;

    #[test]
    fn each_row_is_itself_and_stands_once() {
        let rows = Insn::rows();
        let distinct: HashSet<_> = rows.iter().collect();
        assert_eq!(distinct.len(), rows.len());
        for row in &rows {
            assert_eq!(row.with(&Fields::default()), *row);
        }
    }

    /// What bytes decode to is a row that is listed: nothing is missing.
    #[test]
    fn every_instruction_that_decodes_has_a_row() {
        let rows: HashSet<Insn> = Insn::rows().into_iter().collect();
        let zero = Fields::default();
        let mut seen = HashSet::new();
        for code in 0..=u8::MAX {
            for (off, imm) in [0i16, 1, 8, 16, 32].into_iter().flat_map(|off| (0..0x120).map(move |imm| (off, imm))) {
                for src in 0..7 {
                    let words = [crate::RawInsn { code, regs: src << 4, off, imm }, crate::RawInsn::default()];
                    let Ok((insn, _)) = decode(&words, Slot(0)) else { continue };
                    let row = insn.with(&zero);
                    assert!(rows.contains(&row), "{insn}");
                    seen.insert(row);
                }
            }
        }
        assert_eq!(seen.len(), rows.len());
    }
}
