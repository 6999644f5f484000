//! Instructions as mnemonics and operands.

use core::fmt::{Result, Write};

use super::names::name;
use super::{Style, Swaps};
use crate::insn::{CallTarget, Insn, Operand, Pseudo};
use crate::raw::Reg;
use crate::text::digits::{dec, hex, plus, signed_hex};
use crate::text::print::{Shown, pseudo};

/// One instruction; `shown` says what stands in place of a number.
pub(in crate::text) fn write<W: Write>(w: &mut W, style: &'static Style, insn: &Insn, shown: Shown<'_>) -> Result {
    name(w, style, insn)?;
    Line { w, style }.operands(insn, shown)
}

struct Line<'a, W> {
    w: &'a mut W,
    style: &'static Style,
}

impl<W: Write> Line<'_, W> {
    fn operands(&mut self, insn: &Insn, shown: Shown<'_>) -> Result {
        match *insn {
            Insn::Alu { dst, src, .. } => {
                self.first(dst)?;
                self.operand(src)
            }
            Insn::Neg { dst, .. } | Insn::CallX { target: dst } => self.first(dst),
            Insn::MovSx { op, dst, src } => {
                self.first(dst)?;
                self.register(src)?;
                if self.style.movs { self.imm(op.from_bits().into()) } else { Ok(()) }
            }
            Insn::Endian { op, dst } => {
                self.first(dst)?;
                if self.style.swaps == Swaps::Operand { self.imm(op.row().bits.into()) } else { Ok(()) }
            }
            Insn::AddrSpaceCast { dst, src, to, from } => {
                self.first(dst)?;
                self.register(src)?;
                self.imm(to.into())?;
                self.imm(from.into())
            }
            Insn::LoadImm64 { dst, value } => {
                self.first(dst)?;
                self.w.write_str(", ")?;
                hex(self.w, value)
            }
            Insn::LoadPseudo { dst, value } => {
                self.first(dst)?;
                self.w.write_str(", ")?;
                self.address(value, shown)
            }
            Insn::Load { dst, base, off, .. }
            | Insn::LoadSx { dst, base, off, .. }
            | Insn::LoadAcquire { dst, base, off, .. } => {
                self.first(dst)?;
                self.w.write_str(", ")?;
                self.memory(base, off)
            }
            Insn::Store { base, off, src, .. } => {
                self.w.write_str(" ")?;
                self.memory(base, off)?;
                self.operand(src)
            }
            Insn::Atomic { base, off, src, .. } | Insn::StoreRelease { base, off, src, .. } => {
                self.w.write_str(" ")?;
                self.memory(base, off)?;
                self.register(src)
            }
            Insn::LdAbs { imm, .. } => {
                self.w.write_str(" ")?;
                self.number(imm.into())
            }
            Insn::LdInd { src, imm, .. } => {
                self.first(src)?;
                self.imm(imm.into())
            }
            Insn::Jump { off } | Insn::MayGoto { off } => {
                self.w.write_str(" ")?;
                self.target(off.into(), shown)
            }
            Insn::JumpLong { off } => {
                self.w.write_str(" ")?;
                self.target(off, shown)
            }
            Insn::JumpIf { dst, src, off, .. } => {
                self.first(dst)?;
                self.operand(src)?;
                self.w.write_str(", ")?;
                self.target(off.into(), shown)
            }
            Insn::Call(target) => self.call(target, shown),
            Insn::Exit => Ok(()),
        }
    }

    fn first(&mut self, reg: Reg) -> Result {
        self.w.write_str(" ")?;
        self.w.write_str(self.style.registers[reg.index()])
    }

    /// `, %r3`
    fn register(&mut self, reg: Reg) -> Result {
        self.w.write_str(", ")?;
        self.w.write_str(self.style.registers[reg.index()])
    }

    fn number(&mut self, value: i64) -> Result {
        if self.style.hex { signed_hex(self.w, value) } else { dec(self.w, value) }
    }

    /// `, 5`
    fn imm(&mut self, value: i64) -> Result {
        self.w.write_str(", ")?;
        self.number(value)
    }

    fn operand(&mut self, operand: Operand) -> Result {
        match operand {
            Operand::Reg(reg) => self.register(reg),
            Operand::Imm(imm) => self.imm(imm.into()),
        }
    }

    /// `+5`, with its sign in any case.
    fn distance(&mut self, off: i32) -> Result {
        if !self.style.hex {
            return plus(self.w, off.into());
        }
        self.w.write_str(if off < 0 { "-" } else { "+" })?;
        hex(self.w, off.unsigned_abs().into())
    }

    /// `[%r6+112]`
    fn memory(&mut self, base: Reg, off: i16) -> Result {
        self.w.write_str("[")?;
        self.w.write_str(self.style.registers[base.index()])?;
        self.distance(off.into())?;
        self.w.write_str("]")
    }

    fn target(&mut self, off: i32, shown: Shown<'_>) -> Result {
        match shown {
            Shown::Label(label) => self.w.write_str(label),
            _ => self.distance(off),
        }
    }

    fn address(&mut self, value: Pseudo, shown: Shown<'_>) -> Result {
        match shown {
            Shown::Label(name) | Shown::Address(name, 0) => self.w.write_str(name),
            Shown::Address(name, addend) => {
                self.w.write_str(name)?;
                self.w.write_str(if addend < 0 { " - " } else { " + " })?;
                dec(self.w, addend.unsigned_abs() as i64)
            }
            _ => pseudo(self.w, value),
        }
    }

    fn call(&mut self, target: CallTarget, shown: Shown<'_>) -> Result {
        match (target, shown) {
            (CallTarget::Local(_), Shown::Label(label)) => {
                self.w.write_str(" local ")?;
                self.w.write_str(label)
            }
            (CallTarget::Local(off), _) => {
                self.w.write_str(" local ")?;
                plus(self.w, off.into())
            }
            (_, Shown::Call(name)) => {
                self.w.write_str(" ")?;
                self.w.write_str(name)
            }
            (CallTarget::Helper(id), _) => {
                self.w.write_str(" ")?;
                self.number(id.into())
            }
            (CallTarget::Kfunc { id, fd_idx }, _) => {
                self.w.write_str(" kfunc(")?;
                dec(self.w, id.into())?;
                self.w.write_str(", ")?;
                dec(self.w, fd_idx.into())?;
                self.w.write_str(")")
            }
        }
    }
}
