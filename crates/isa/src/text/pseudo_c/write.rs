//! Instructions as assignments.

use core::fmt::{Result, Write};

use super::{Displacement, Num, Style};
use crate::insn::{CallTarget, Insn, Operand, Pseudo};
use crate::ops::{AtomicOp, MemSize, MovSx, Width};
use crate::raw::Reg;
use crate::text::digits::{byte, dec, hex, plus, signed_hex};
use crate::text::print::Shown;

/// One instruction; `shown` says what stands in place of a number.
pub(in crate::text) fn write<W: Write>(w: &mut W, style: &'static Style, insn: &Insn, shown: Shown<'_>) -> Result {
    if style.opcode {
        w.write_str("(")?;
        byte(w, insn.encode().words()[0].code)?;
        w.write_str(") ")?;
    }
    Line { w, style }.insn(insn, shown)
}

/// The name of a register, whole or its lower half.
fn register(reg: Reg, width: Width) -> &'static str {
    const WHOLE: [&str; 11] = ["r0", "r1", "r2", "r3", "r4", "r5", "r6", "r7", "r8", "r9", "r10"];
    const HALF: [&str; 11] = ["w0", "w1", "w2", "w3", "w4", "w5", "w6", "w7", "w8", "w9", "w10"];
    match width {
        Width::W32 => HALF[reg.index()],
        Width::W64 => WHOLE[reg.index()],
    }
}

struct Line<'a, W> {
    w: &'a mut W,
    style: &'static Style,
}

impl<W: Write> Line<'_, W> {
    fn str(&mut self, text: &str) -> Result {
        self.w.write_str(text)
    }

    fn all(&mut self, parts: &[&str]) -> Result {
        parts.iter().try_for_each(|p| self.w.write_str(p))
    }

    fn insn(&mut self, insn: &Insn, shown: Shown<'_>) -> Result {
        let whole = |reg| register(reg, Width::W64);
        match *insn {
            Insn::Alu { op, width, dst, src } => {
                self.all(&[register(dst, width), " ", op.row().symbol, " "])?;
                self.operand(src, width, self.style.imm)
            }
            Insn::Neg { width, dst } => self.all(&[register(dst, width), " = -", register(dst, width)]),
            Insn::MovSx { op, dst, src } => {
                self.all(&[register(dst, op.width()), " = ", cast(op), register(src, op.width())])
            }
            Insn::Endian { op, dst } => self.all(&[whole(dst), " = ", op.row().name, " ", whole(dst)]),
            Insn::AddrSpaceCast { dst, src, to, from } => {
                self.all(&[whole(dst), " = addr_space_cast(", whole(src), ", "])?;
                self.num(self.style.imm, to.into())?;
                self.str(", ")?;
                self.num(self.style.imm, from.into())?;
                self.str(")")
            }
            Insn::LoadImm64 { dst, value } => {
                self.all(&[whole(dst), " = "])?;
                self.num(self.style.wide, value as i64)?;
                self.ll()
            }
            Insn::LoadPseudo { dst, value } => {
                self.all(&[whole(dst), " = "])?;
                self.address(value, shown)?;
                self.ll()
            }
            Insn::Load { size, dst, base, off } => {
                self.all(&[whole(dst), " = *"])?;
                self.memory(size.unsigned_name(), base, off)
            }
            Insn::LoadSx { size, dst, base, off } => {
                self.all(&[whole(dst), " = *"])?;
                self.memory(size.signed_name(), base, off)
            }
            Insn::Store { size, base, off, src } => {
                self.str("*")?;
                self.memory(size.unsigned_name(), base, off)?;
                self.str(" = ")?;
                self.operand(src, Width::W64, self.style.imm)
            }
            Insn::Atomic { op, width, base, off, src } => self.atomic(op, width, (base, off), src),
            Insn::LoadAcquire { size, dst, base, off } => {
                self.all(&[self.holding(dst, size), " = load_acquire("])?;
                self.memory(size.unsigned_name(), base, off)?;
                self.str(")")
            }
            Insn::StoreRelease { size, base, off, src } => {
                self.str("store_release(")?;
                self.memory(size.unsigned_name(), base, off)?;
                self.all(&[", ", self.holding(src, size), ")"])
            }
            Insn::LdAbs { size, imm } => {
                self.all(&["r0 = *(", size.size().unsigned_name(), " *)skb["])?;
                self.num(self.style.imm, imm.into())?;
                self.str("]")
            }
            Insn::LdInd { size, src, imm } => {
                self.all(&["r0 = *(", size.size().unsigned_name(), " *)skb[", whole(src)])?;
                self.index(imm)?;
                self.str("]")
            }
            Insn::Jump { off } => self.jump("goto ", off.into(), shown),
            Insn::JumpLong { off } => self.jump("gotol ", off, shown),
            Insn::MayGoto { off } => self.jump("may_goto ", off.into(), shown),
            Insn::JumpIf { cond, width, dst, src, off } => {
                self.all(&["if ", register(dst, width), " ", cond.row().symbol, " "])?;
                self.operand(src, width, self.style.compared)?;
                self.jump(" goto ", off.into(), shown)
            }
            Insn::Call(target) => self.call(target, shown),
            Insn::CallX { target } => self.all(&["callx ", whole(target)]),
            Insn::Exit => self.str("exit"),
        }
    }

    fn num(&mut self, kind: Num, value: i64) -> Result {
        match kind {
            Num::Dec => dec(self.w, value),
            Num::SignedHex => signed_hex(self.w, value),
            Num::Bits => hex(self.w, value as u64),
        }
    }

    fn operand(&mut self, operand: Operand, width: Width, kind: Num) -> Result {
        match operand {
            Operand::Reg(r) => self.str(register(r, width)),
            Operand::Imm(imm) if kind == Num::Bits => hex(self.w, u64::from(imm as u32)),
            Operand::Imm(imm) => self.num(kind, imm.into()),
        }
    }

    fn ll(&mut self) -> Result {
        if self.style.ll { self.str(" ll") } else { Ok(()) }
    }

    /// `(u32 *)(r6 + 112)`.
    fn memory(&mut self, name: &str, base: Reg, off: i16) -> Result {
        self.all(&["(", name, " *)("])?;
        self.at(base, off)?;
        self.str(")")
    }

    /// `r6 + 112`.
    fn at(&mut self, base: Reg, off: i16) -> Result {
        self.str(register(base, Width::W64))?;
        match self.style.displacement {
            Displacement::Glued => {
                self.str(" ")?;
                plus(self.w, off.into())
            }
            Displacement::Spaced(kind) => self.signed(kind, off.into()),
        }
    }

    /// ` + 112` or ` - 112`.
    fn signed(&mut self, kind: Num, value: i64) -> Result {
        self.str(if value < 0 { " - " } else { " + " })?;
        self.num(kind, value.unsigned_abs() as i64)
    }

    /// What follows the register of a packet load: clang has no text for a displacement, so it is left out where it
    /// is none; the kernel writes it in any case, behind a plus.
    fn index(&mut self, imm: i32) -> Result {
        match self.style.displacement {
            Displacement::Glued => {
                self.str(" + ")?;
                dec(self.w, imm.into())
            }
            Displacement::Spaced(_) if imm == 0 => Ok(()),
            Displacement::Spaced(kind) => self.signed(kind, imm.into()),
        }
    }

    fn jump(&mut self, verb: &str, off: i32, shown: Shown<'_>) -> Result {
        self.str(verb)?;
        match shown {
            Shown::Label(label) => self.str(label),
            _ => self.distance(off),
        }
    }

    fn distance(&mut self, off: i32) -> Result {
        self.str(self.style.pc)?;
        if !self.style.hex_distance {
            return plus(self.w, off.into());
        }
        self.str(if off < 0 { "-" } else { "+" })?;
        hex(self.w, off.unsigned_abs().into())
    }

    fn call(&mut self, target: CallTarget, shown: Shown<'_>) -> Result {
        self.str("call ")?;
        match (target, shown) {
            (CallTarget::Helper(id), Shown::Call(name)) if !self.style.bare_helper && id != 0 => {
                self.all(&[name, "#"])?;
                dec(self.w, id.into())
            }
            (_, Shown::Call(name)) => self.str(name),
            (CallTarget::Local(_), Shown::Label(label)) => self.str(label),
            (CallTarget::Helper(id), _) => {
                if !self.style.bare_helper {
                    self.str("unknown#")?;
                }
                self.num(self.style.imm, id.into())
            }
            (CallTarget::Local(off), _) => {
                self.str("pc")?;
                plus(self.w, off.into())
            }
            (CallTarget::Kfunc { id, fd_idx }, _) => {
                self.str("kfunc(")?;
                dec(self.w, id.into())?;
                self.str(", ")?;
                dec(self.w, fd_idx.into())?;
                self.str(")")
            }
        }
    }

    fn address(&mut self, value: Pseudo, shown: Shown<'_>) -> Result {
        match shown {
            Shown::Label(label) => self.str(label),
            Shown::Address(name, 0) => self.str(name),
            Shown::Address(name, addend) => {
                self.str(name)?;
                self.signed(Num::Dec, addend)
            }
            _ => crate::text::print::pseudo(self.w, value),
        }
    }

    /// The register of an ordered load or store, which LLVM writes as a lower half where the access is narrower.
    fn holding(&self, reg: Reg, size: MemSize) -> &'static str {
        let half = self.style.lower_halves && size != MemSize::Dw;
        register(reg, if half { Width::W32 } else { Width::W64 })
    }

    fn atomic(&mut self, op: AtomicOp, width: Width, (base, off): (Reg, i16), src: Reg) -> Result {
        let name = if width == Width::W32 { "u32" } else { "u64" };
        let held = if self.style.lower_halves { width } else { Width::W64 };
        let (src, r0) = (register(src, held), register(Reg::R0, held));
        if !op.fetches() {
            self.str("lock *")?;
            self.memory(name, base, off)?;
            return self.all(&[" ", op.row().symbol, " ", src]);
        }
        let exchange = matches!(op, AtomicOp::Xchg | AtomicOp::Cmpxchg);
        let dst = if op == AtomicOp::Cmpxchg { r0 } else { src };
        self.all(&[dst, " = "])?;
        let mnemonic = op.row().mnemonic;
        match (self.style.llvm_atomics, width) {
            (true, Width::W32) if exchange => self.all(&[mnemonic, "32_32("])?,
            (true, Width::W64) if exchange => self.all(&[mnemonic, "_64("])?,
            (true, _) => self.all(&[mnemonic, "("])?,
            (false, width) => {
                let prefix = if width == Width::W64 { "atomic64_" } else { "atomic_" };
                self.all(&[prefix, mnemonic.strip_prefix("atomic_").unwrap_or(mnemonic), "("])?;
            }
        }
        if exchange && self.style.llvm_atomics {
            self.at(base, off)?
        } else {
            self.memory(name, base, off)?
        }
        if op == AtomicOp::Cmpxchg {
            self.all(&[", ", r0])?;
        }
        self.all(&[", ", src, ")"])
    }
}

/// `(s8)`, of the bits that a sign-extending move keeps.
fn cast(op: MovSx) -> &'static str {
    match op.from_bits() {
        8 => "(s8)",
        16 => "(s16)",
        _ => "(s32)",
    }
}
