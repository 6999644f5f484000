//! The meaning of each operator, once: engines, constant folding and tests call these.

use crate::ops::{AluOp, AtomicOp, Cond, EndianOp, MovSx, Width};

/// The low `bits` of `v`, sign-extended to 64. `bits` is 1 to 64.
#[inline(always)]
pub const fn sign_extend(v: u64, bits: u32) -> u64 {
    let shift = 64 - bits;
    ((v << shift) as i64 >> shift) as u64
}

impl AluOp {
    /// `a op b`. A 32-bit operation looks at the low halves and returns with the upper half zero.
    ///
    /// RFC 9669 section 4.1: `x / 0 == 0`; `x % 0 == x` (a 32-bit one keeps the low half); a shift count
    /// is taken modulo the width; the most negative number divided by -1 is itself, remainder 0.
    #[inline(always)]
    pub const fn eval(self, width: Width, a: u64, b: u64) -> u64 {
        match width {
            Width::W64 => eval64(self, a, b),
            Width::W32 => eval32(self, a as u32, b as u32) as u64,
        }
    }
}

#[inline(always)]
const fn eval64(op: AluOp, a: u64, b: u64) -> u64 {
    match op {
        AluOp::Add => a.wrapping_add(b),
        AluOp::Sub => a.wrapping_sub(b),
        AluOp::Mul => a.wrapping_mul(b),
        AluOp::Div => match a.checked_div(b) {
            Some(q) => q,
            None => 0,
        },
        AluOp::SDiv if b == 0 => 0,
        AluOp::SDiv => (a as i64).wrapping_div(b as i64) as u64,
        AluOp::Or => a | b,
        AluOp::And => a & b,
        AluOp::Lsh => a.wrapping_shl(b as u32),
        AluOp::Rsh => a.wrapping_shr(b as u32),
        AluOp::Mod => match a.checked_rem(b) {
            Some(r) => r,
            None => a,
        },
        AluOp::SMod if b == 0 => a,
        AluOp::SMod => (a as i64).wrapping_rem(b as i64) as u64,
        AluOp::Xor => a ^ b,
        AluOp::Mov => b,
        AluOp::Arsh => (a as i64).wrapping_shr(b as u32) as u64,
    }
}

#[inline(always)]
const fn eval32(op: AluOp, a: u32, b: u32) -> u32 {
    match op {
        AluOp::Add => a.wrapping_add(b),
        AluOp::Sub => a.wrapping_sub(b),
        AluOp::Mul => a.wrapping_mul(b),
        AluOp::Div => match a.checked_div(b) {
            Some(q) => q,
            None => 0,
        },
        AluOp::SDiv if b == 0 => 0,
        AluOp::SDiv => (a as i32).wrapping_div(b as i32) as u32,
        AluOp::Or => a | b,
        AluOp::And => a & b,
        AluOp::Lsh => a.wrapping_shl(b),
        AluOp::Rsh => a.wrapping_shr(b),
        AluOp::Mod => match a.checked_rem(b) {
            Some(r) => r,
            None => a,
        },
        AluOp::SMod if b == 0 => a,
        AluOp::SMod => (a as i32).wrapping_rem(b as i32) as u32,
        AluOp::Xor => a ^ b,
        AluOp::Mov => b,
        AluOp::Arsh => (a as i32).wrapping_shr(b) as u32,
    }
}

impl Cond {
    /// Whether `a cond b` holds; a 32-bit comparison looks at the low halves.
    #[inline(always)]
    pub const fn eval(self, width: Width, a: u64, b: u64) -> bool {
        let (a, b) = match width {
            Width::W64 => (a, b),
            // Sign extension keeps both the unsigned and the signed order of the low halves.
            Width::W32 => (sign_extend(a, 32), sign_extend(b, 32)),
        };
        match self {
            Cond::Eq => a == b,
            Cond::Ne => a != b,
            Cond::Gt => a > b,
            Cond::Ge => a >= b,
            Cond::Lt => a < b,
            Cond::Le => a <= b,
            Cond::SGt => a as i64 > b as i64,
            Cond::SGe => a as i64 >= b as i64,
            Cond::SLt => (a as i64) < b as i64,
            Cond::SLe => a as i64 <= b as i64,
            Cond::Set => a & b != 0,
        }
    }
}

impl EndianOp {
    /// The converted value; bits above the width are cleared. BPF here is little-endian, so `le` truncates.
    #[inline(always)]
    pub const fn eval(self, v: u64) -> u64 {
        match self {
            EndianOp::Le16 => v as u16 as u64,
            EndianOp::Le32 => v as u32 as u64,
            EndianOp::Le64 => v,
            EndianOp::Be16 | EndianOp::Swap16 => (v as u16).swap_bytes() as u64,
            EndianOp::Be32 | EndianOp::Swap32 => (v as u32).swap_bytes() as u64,
            EndianOp::Be64 | EndianOp::Swap64 => v.swap_bytes(),
        }
    }
}

impl MovSx {
    /// The sign-extended value; a 32-bit move clears the upper half.
    #[inline(always)]
    pub const fn eval(self, v: u64) -> u64 {
        let wide = sign_extend(v, self.from_bits());
        match self.width() {
            Width::W64 => wide,
            Width::W32 => wide as u32 as u64,
        }
    }
}

impl AtomicOp {
    /// What memory holds afterwards, given what it held, the source register, and r0.
    ///
    /// For a 32-bit operation all three are low halves with zero above.
    #[inline(always)]
    pub const fn eval(self, width: Width, old: u64, src: u64, r0: u64) -> u64 {
        let new = match self {
            AtomicOp::Add | AtomicOp::FetchAdd => old.wrapping_add(src),
            AtomicOp::Or | AtomicOp::FetchOr => old | src,
            AtomicOp::And | AtomicOp::FetchAnd => old & src,
            AtomicOp::Xor | AtomicOp::FetchXor => old ^ src,
            AtomicOp::Xchg => src,
            AtomicOp::Cmpxchg => {
                if old == r0 {
                    src
                } else {
                    old
                }
            }
        };
        match width {
            Width::W64 => new,
            Width::W32 => new as u32 as u64,
        }
    }
}
