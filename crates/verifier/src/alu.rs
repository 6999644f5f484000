//! Arithmetic on numbers, and moves.

use oxbpf_isa::{AluOp, EndianOp, MovSx, Operand, Reg as R, Width};

use crate::code::Code;
use crate::explore::Explorer;
use crate::reg::Reg;
use crate::report::{Checked, Fault};
use crate::scalar::{Link, Scalar};

/// How the kernel writes an operator in messages, which do not tell signed division from unsigned.
pub(crate) fn symbol(op: AluOp) -> &'static str {
    match op {
        AluOp::SDiv => AluOp::Div,
        AluOp::SMod => AluOp::Mod,
        _ => op,
    }
    .row()
    .symbol
}

impl Explorer<'_> {
    pub(crate) fn alu(&mut self, op: AluOp, width: Width, dst: R, src: Operand) -> Checked {
        if op == AluOp::Mov {
            return self.mov(width, dst, src);
        }
        let by = self.operand(src, width)?;
        self.read(dst)?;
        if let Operand::Imm(imm) = src {
            check_immediate(op, width, imm)?;
        }
        self.combine(op, width, dst, src, by)
    }

    /// Two values that are no move: numbers, or a pointer and a number.
    fn combine(&mut self, op: AluOp, width: Width, dst: R, src: Operand, by: Reg) -> Checked {
        let old = *self.reg(dst);
        match (old.is_scalar(), by.is_scalar()) {
            (false, false) if op == AluOp::Sub && self.options.caps.perfmon => {
                self.set_unknown(dst);
                return Ok(());
            }
            (false, false) => {
                let text = format!("R{} pointer {} pointer prohibited", dst as u8, symbol(op));
                return Err(Fault::new(Code::PointerArithmetic, text));
            }
            (true, false) => {
                self.mark_precise(dst);
                return self.pointer_math(op, width, dst, by, old, true);
            }
            (false, true) => {
                if let Operand::Reg(reg) = src {
                    self.mark_precise(reg);
                }
                return self.pointer_math(op, width, dst, old, by, false);
            }
            (true, true) => {}
        }
        if let (true, Operand::Reg(reg)) = (old.precise, src) {
            self.mark_precise(reg);
        }
        if let Some(fork) = Scalar::fork(op, width, &old.num, &by.num) {
            self.push(self.insn)?.reg_mut(dst).num = fork.later;
            self.reg_mut(dst).num = fork.now;
        }
        let before = self.reg(dst).num;
        let bpf = self.options.caps.bpf;
        let reg = self.reg_mut(dst);
        reg.num = Scalar::alu(op, width, &before, &by.num);
        reg.set_link(if bpf { reg.link().after(op, width, &before, &by.num) } else { Link::NONE });
        Ok(())
    }

    fn mov(&mut self, width: Width, dst: R, src: Operand) -> Checked {
        let Operand::Reg(from) = src else {
            let value = self.operand(src, width)?;
            self.set(dst, value);
            return Ok(());
        };
        let old = *self.read(from)?;
        if width == Width::W64 {
            self.name_number(from);
            *self.reg_mut(dst) = *self.reg(from);
            return Ok(());
        }
        if self.secret(&old) {
            return Err(Fault::new(Code::PointerLeak, format!("R{} partial copy of pointer", from as u8)));
        }
        if !old.is_scalar() {
            self.set(dst, Reg::number(Scalar::UNKNOWN.truncate(4)));
            return Ok(());
        }
        let fits = old.num.umax <= u32::MAX.into();
        if fits {
            self.name_number(from);
        }
        let mut new = *self.reg(from);
        if !fits {
            new.set_link(Link::NONE);
        }
        new.num = Scalar::alu(AluOp::Mov, Width::W32, &old.num, &old.num);
        *self.reg_mut(dst) = new;
        Ok(())
    }

    pub(crate) fn move_sign_extended(&mut self, op: MovSx, dst: R, src: R) -> Checked {
        let old = *self.read(src)?;
        if self.secret(&old) {
            let what = if op.width() == Width::W64 { "sign-extension part" } else { "partial copy" };
            return Err(Fault::new(Code::PointerLeak, format!("R{} {what} of pointer", src as u8)));
        }
        if !old.is_scalar() {
            let num = if op.width() == Width::W32 { Scalar::UNKNOWN.truncate(4) } else { Scalar::UNKNOWN };
            self.set(dst, Reg::number(num));
            return Ok(());
        }
        let unchanged = old.num.umax < 1 << (op.from_bits() - 1);
        if unchanged {
            self.name_number(src);
        }
        let mut new = *self.reg(src);
        if !unchanged {
            new.set_link(Link::NONE);
        }
        new.num = old.num.movsx(op);
        *self.reg_mut(dst) = new;
        Ok(())
    }

    pub(crate) fn negate(&mut self, width: Width, dst: R) -> Checked {
        self.unary(dst, |num| num.neg(width), width)
    }

    pub(crate) fn swap_bytes(&mut self, op: EndianOp, dst: R) -> Checked {
        let link = self.reg(dst).link();
        self.unary(dst, |num| num.endian(op), Width::W64)?;
        if op == EndianOp::Le64 && self.reg(dst).is_scalar() {
            self.reg_mut(dst).set_link(link);
        }
        Ok(())
    }

    fn unary(&mut self, dst: R, f: impl Fn(&Scalar) -> Scalar, width: Width) -> Checked {
        let old = *self.read(dst)?;
        if self.secret(&old) {
            let text = format!("R{} pointer arithmetic prohibited", dst as u8);
            return Err(Fault::new(Code::PointerArithmetic, text));
        }
        let num = match (old.is_scalar(), width) {
            (true, _) => f(&old.num),
            (false, Width::W64) => Scalar::UNKNOWN,
            (false, Width::W32) => Scalar::UNKNOWN.truncate(4),
        };
        self.set(dst, Reg { precise: old.precise && old.is_scalar(), ..Reg::number(num) });
        Ok(())
    }

    /// Names a number before it is copied, so that what is learnt of one copy is known of all.
    pub(crate) fn name_number(&mut self, reg: R) {
        let mut value = *self.reg(reg);
        self.name(&mut value);
        *self.reg_mut(reg) = value;
    }

    pub(crate) fn name(&mut self, value: &mut Reg) {
        if !value.is_scalar() {
            return;
        }
        let link = value.link().for_copy(&value.num, || self.new_id());
        value.set_link(link);
    }
}

fn check_immediate(op: AluOp, width: Width, imm: i32) -> Checked {
    let divides = matches!(op, AluOp::Div | AluOp::Mod | AluOp::SDiv | AluOp::SMod);
    let shifts = matches!(op, AluOp::Lsh | AluOp::Rsh | AluOp::Arsh);
    if divides && imm == 0 {
        return Err(Fault::new(Code::DivisionByZero, "div by zero"));
    }
    if shifts && !(0..width.bits() as i32).contains(&imm) {
        return Err(Fault::new(Code::BadShift, format!("invalid shift {imm}")));
    }
    Ok(())
}
