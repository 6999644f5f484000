//! Arithmetic on pointers.

use oxbpf_isa::{AluOp, Reg as R, Width};

use crate::alu::symbol;
use crate::code::Code;
use crate::explore::Explorer;
use crate::reg::{Kind, Reg};
use crate::report::{Checked, Fault};
use crate::scalar::Scalar;

/// Offsets from here on are not followed.
pub(crate) const MAX_OFFSET: i64 = 1 << 29;

impl Explorer<'_> {
    /// A pointer moved by a number; `reversed` where the number stood on the left.
    pub(crate) fn pointer_math(
        &mut self,
        op: AluOp,
        width: Width,
        dst: R,
        ptr: Reg,
        by: Reg,
        reversed: bool,
    ) -> Checked {
        let n = dst as u8;
        let refuse = |text: String| Err(Fault::new(Code::PointerArithmetic, text));
        let num = by.num;
        if num.smin > num.smax || num.umin > num.umax {
            self.set_unknown(dst);
            return Ok(());
        }
        if width == Width::W32 {
            if op == AluOp::Sub && self.options.caps.perfmon {
                self.set_unknown(dst);
                return Ok(());
            }
            return refuse(format!("R{n} 32-bit pointer arithmetic prohibited"));
        }
        if ptr.or_null {
            let kind = ptr.type_name();
            return refuse(format!("R{n} pointer arithmetic on {kind} prohibited, null-check it first"));
        }
        let known = num.as_const().map(|k| k as i64);
        let moves = match ptr.kind {
            Kind::Ctx
            | Kind::MapValue(_)
            | Kind::MapKey(_)
            | Kind::Stack(_)
            | Kind::Packet
            | Kind::PacketMeta
            | Kind::Mem(_)
            | Kind::Func(_) => true,
            Kind::Map(_) => known == Some(0) && op == AluOp::Add,
            _ => false,
        };
        if !moves {
            return refuse(format!("R{n} pointer arithmetic on {} prohibited", ptr.type_name()));
        }
        check_offset(&by, &ptr)?;
        check_offset(&ptr, &ptr)?;
        let mut new = match op {
            AluOp::Add => self.moved_up(&ptr, &by, known),
            AluOp::Sub if reversed => {
                return refuse(format!("R{n} tried to subtract pointer from scalar"));
            }
            AluOp::Sub if matches!(ptr.kind, Kind::Stack(_)) => {
                return refuse(format!("R{n} subtraction from stack pointer prohibited"));
            }
            AluOp::Sub => self.moved_down(&ptr, &by, known),
            AluOp::And | AluOp::Or | AluOp::Xor => {
                return refuse(format!("R{n} bitwise operator {} on pointer prohibited", symbol(op)));
            }
            _ => return refuse(format!("R{n} pointer arithmetic with {} operator prohibited", symbol(op))),
        };
        check_offset(&new, &ptr)?;
        new.num.sync();
        self.set(dst, new);
        self.check_masked(dst)
    }

    fn moved_up(&mut self, ptr: &Reg, by: &Reg, known: Option<i64>) -> Reg {
        if let Some(off) = known.and_then(|k| i32::try_from(i64::from(ptr.off).checked_add(k)?).ok()) {
            return Reg { off, num: unbound32(ptr.num), ..*ptr };
        }
        let (p, b) = (&ptr.num, &by.num);
        let signed = p.smin.checked_add(b.smin).zip(p.smax.checked_add(b.smax));
        let (smin, smax) = signed.unwrap_or((i64::MIN, i64::MAX));
        let unsigned = p.umin.checked_add(b.umin).zip(p.umax.checked_add(b.umax));
        let (umin, umax) = unsigned.unwrap_or((0, u64::MAX));
        let tnum = p.tnum.add(b.tnum);
        let num = unbound32(Scalar { tnum, smin, smax, umin, umax, ..Scalar::UNKNOWN });
        self.rebased(ptr, num, true)
    }

    fn moved_down(&mut self, ptr: &Reg, by: &Reg, known: Option<i64>) -> Reg {
        if let Some(off) = known.and_then(|k| i32::try_from(i64::from(ptr.off).checked_sub(k)?).ok()) {
            return Reg { off, num: unbound32(ptr.num), ..*ptr };
        }
        let (p, b) = (&ptr.num, &by.num);
        let signed = p.smin.checked_sub(b.smax).zip(p.smax.checked_sub(b.smin));
        let (smin, smax) = signed.unwrap_or((i64::MIN, i64::MAX));
        let (umin, umax) = if p.umin < b.umax { (0, u64::MAX) } else { (p.umin - b.umax, p.umax.wrapping_sub(b.umin)) };
        let tnum = p.tnum.sub(b.tnum);
        let num = unbound32(Scalar { tnum, smin, smax, umin, umax, ..Scalar::UNKNOWN });
        self.rebased(ptr, num, b.smin < 0)
    }

    /// A packet pointer that moved by what is not known has a new base.
    fn rebased(&mut self, ptr: &Reg, num: Scalar, forget_range: bool) -> Reg {
        let mut new = Reg { num, ..*ptr };
        if ptr.in_packet() {
            new.id = self.new_id();
            if forget_range {
                new.range = 0;
            }
        }
        new
    }

    /// Without privileges a moved pointer must stay inside its memory at once.
    fn check_masked(&mut self, dst: R) -> Checked {
        if self.options.caps.perfmon {
            return Ok(());
        }
        let reg = *self.reg(dst);
        match reg.kind {
            Kind::Stack(_) => match reg.num.as_const() {
                None => {
                    let text = format!(
                        "R{} variable offset stack access prohibited for !root, var_off={} off={}",
                        dst as u8, reg.num.tnum, reg.off
                    );
                    Err(Fault::new(Code::StackBounds, text))
                }
                Some(var) => {
                    let off = var as i64 + i64::from(reg.off);
                    if (-512..0).contains(&off) {
                        return Ok(());
                    }
                    let text = format!(
                        "R{} stack pointer arithmetic goes out of range, prohibited for !root; off={off}",
                        dst as u8
                    );
                    Err(Fault::new(Code::StackBounds, text))
                }
            },
            Kind::MapValue(map) => match self.map_value_bounds(dst, &reg, map, i64::from(reg.off), 1) {
                Ok(()) => Ok(()),
                Err(_) => {
                    let text = format!(
                        "R{} pointer arithmetic of map value goes out of range, prohibited for !root",
                        dst as u8
                    );
                    Err(Fault::new(Code::MapValueBounds, text))
                }
            },
            _ => Ok(()),
        }
    }
}

/// Pointers' offsets are not followed as 32 bits.
fn unbound32(num: Scalar) -> Scalar {
    Scalar { u32_min: 0, u32_max: u32::MAX, s32_min: i32::MIN, s32_max: i32::MAX, ..num }
}

fn check_offset(reg: &Reg, ptr: &Reg) -> Checked {
    let refuse = |text: String| Err(Fault::new(Code::PointerOffset, text));
    let out = |v: i64| v >= MAX_OFFSET || v <= -MAX_OFFSET;
    let kind = Reg { or_null: false, ..*ptr }.type_name();
    if let Some(value) = reg.num.as_const().map(|v| v as i64).filter(|v| out(*v)) {
        return refuse(format!("math between {kind} pointer and {value} is not allowed"));
    }
    if reg.is_pointer() && out(reg.off.into()) {
        return refuse(format!("{kind} pointer offset {} is not allowed", reg.off));
    }
    let smin = reg.num.smin;
    if smin == i64::MIN {
        return refuse(format!("math between {kind} pointer and register with unbounded min value is not allowed"));
    }
    if out(smin) {
        return refuse(format!("value {smin} makes {kind} pointer be out of bounds"));
    }
    Ok(())
}
