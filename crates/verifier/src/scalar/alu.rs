//! What an operation's result can be.

use oxbpf_isa::{AluOp, EndianOp, MovSx, Width};

use super::bounds::{Half, Whole};
use super::{Scalar, Tnum};

/// The two outcomes that the kernel follows apart, where a bitwise operation meets a number that is -1 or 0.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fork {
    /// The operand of the path that goes on at once.
    pub now: Scalar,
    /// The operand of the path that waits, to be looked at when this one has ended.
    pub later: Scalar,
}

impl Scalar {
    /// `a op b`.
    ///
    /// Division and remainder tell nothing, nor do shifts by a count that is not one known number below the width.
    #[inline]
    pub fn alu(op: AluOp, width: Width, a: &Scalar, b: &Scalar) -> Scalar {
        match op {
            AluOp::Mov => return b.mov(width),
            AluOp::Div | AluOp::SDiv | AluOp::Mod | AluOp::SMod => return Scalar::UNKNOWN,
            AluOp::Lsh | AluOp::Rsh | AluOp::Arsh => return a.shift(op, width, b),
            _ => {}
        }
        if a.is_number() && b.is_number() {
            return Scalar::constant(op.eval(width, a.tnum.value, b.tnum.value));
        }
        let mut result = a.arithmetic(op, b);
        if width == Width::W32 && matches!(op, AluOp::And | AluOp::Or | AluOp::Xor) {
            // What both halves' bits tell, before one is cut off. (At the other width, agreement starts with it.)
            result.bounds_from_bits();
        }
        result.of_width(width)
    }

    /// Whether it is one number by bits and bounds, so that a result can be computed instead of deduced.
    #[inline(always)]
    fn is_number(&self) -> bool {
        self.tnum.mask == 0 && self.umin == self.umax
    }

    /// The operators whose low half is that of the low halves, at both widths.
    #[inline(always)]
    fn arithmetic(&self, op: AluOp, b: &Scalar) -> Scalar {
        let (tnum, whole, half) = match op {
            AluOp::Add => (self.tnum.add(b.tnum), self.whole().add(b.whole()), self.half().add(b.half())),
            AluOp::Sub => (self.tnum.sub(b.tnum), self.whole().sub(b.whole()), self.half().sub(b.half())),
            AluOp::Mul => (self.tnum.mul(b.tnum), self.whole().mul(b.whole()), self.half().mul(b.half())),
            AluOp::And => {
                let bits = self.tnum.and(b.tnum);
                (bits, self.whole().and(b.whole(), bits.min()), self.half().and(b.half(), bits.min() as u32))
            }
            AluOp::Or => {
                let bits = self.tnum.or(b.tnum);
                (bits, self.whole().or(b.whole(), bits.max()), self.half().or(b.half(), bits.max() as u32))
            }
            _ => {
                let bits = self.tnum.xor(b.tnum);
                let half = Half::unsigned(bits.min() as u32, bits.max() as u32);
                (bits, Whole::unsigned(bits.min(), bits.max()), half)
            }
        };
        Scalar::of(tnum, whole, half)
    }

    /// A result of `width`, in agreement with itself.
    #[inline(always)]
    fn of_width(mut self, width: Width) -> Scalar {
        if width == Width::W32 {
            self.zero_extend();
        }
        self.sync();
        self
    }

    /// The low half, the upper one zero. Signed bounds of the half hold for the whole only where none is negative.
    #[inline(always)]
    fn zero_extend(&mut self) {
        self.tnum = self.tnum.subreg();
        (self.umin, self.umax) = (self.u32_min.into(), self.u32_max.into());
        (self.smin, self.smax) = if self.s32_min >= 0 && self.s32_max >= 0 {
            (self.s32_min.into(), self.s32_max.into())
        } else {
            (0, u32::MAX.into())
        };
    }

    #[inline(always)]
    fn mov(&self, width: Width) -> Scalar {
        if width == Width::W64 || self.is_number() && self.tnum.value >> 32 == 0 {
            return *self;
        }
        self.of_width(Width::W32)
    }

    fn shift(&self, op: AluOp, width: Width, count: &Scalar) -> Scalar {
        let known = match width {
            Width::W64 => count.tnum.is_const() && count.umin == count.umax && count.smin == count.smax,
            Width::W32 => {
                count.tnum.is_subreg_const() && count.u32_min == count.u32_max && count.s32_min == count.s32_max
            }
        };
        if !known || count.umax >= width.bits().into() {
            return Scalar::UNKNOWN;
        }
        let count = count.umax as u32;
        if self.is_number() {
            return Scalar::constant(op.eval(width, self.tnum.value, count.into()));
        }
        match width {
            Width::W64 => self.shift64(op, count),
            Width::W32 => self.shift32(op, count),
        }
    }

    fn shift64(&self, op: AluOp, count: u32) -> Scalar {
        let mut result = match op {
            AluOp::Lsh => {
                let half = if count < 32 { self.half().lsh(count) } else { Half::UNKNOWN };
                let mut whole = self.whole().lsh(count);
                if count == 32 {
                    // What sign-extends a low half starts with this: its order is kept, sign and all.
                    (whole.smin, whole.smax) = (i64::from(self.s32_min) << 32, i64::from(self.s32_max) << 32);
                }
                Scalar::of(self.tnum.lsh(count), whole, half)
            }
            AluOp::Rsh => Scalar::of(self.tnum.rsh(count), self.whole().rsh(count), Half::UNKNOWN),
            _ => Scalar::of(self.tnum.arsh(count), self.whole().arsh(count), Half::UNKNOWN),
        };
        result.sync();
        result
    }

    fn shift32(&self, op: AluOp, count: u32) -> Scalar {
        let low = self.tnum.subreg();
        let (tnum, half) = match op {
            AluOp::Lsh => (low.lsh(count).subreg(), self.half().lsh(count)),
            AluOp::Rsh => (low.rsh(count), self.half().rsh(count)),
            _ => (low.arsh32(count), self.half().arsh(count)),
        };
        let mut result = Scalar::of(tnum, Whole::UNKNOWN, half);
        result.half_from_bits();
        result.of_width(Width::W32)
    }

    /// `-x`.
    #[inline]
    pub fn neg(&self, width: Width) -> Scalar {
        Scalar::alu(AluOp::Sub, width, &Scalar::constant(0), self)
    }

    /// A byte swap or a conversion of byte order. Swapping scrambles bounds; they are learnt again from the bits.
    #[inline]
    pub fn endian(&self, op: EndianOp) -> Scalar {
        let bytes = op.row().bits as u32 / 8;
        if matches!(op, EndianOp::Le16 | EndianOp::Le32 | EndianOp::Le64) {
            return self.truncate(bytes);
        }
        let mut result = Scalar { tnum: self.tnum.swap_bytes(bytes), ..Scalar::UNKNOWN };
        result.sync();
        result.truncate(bytes)
    }

    /// What a load of `bytes` (1, 2 or 4; more is the whole) leaves of it: the low bytes, zero above.
    pub fn truncate(&self, bytes: u32) -> Scalar {
        if bytes >= 8 {
            return *self;
        }
        if self.is_unknown() {
            return Scalar::below(bytes);
        }
        let kept = u64::MAX >> (64 - 8 * bytes);
        if self.is_number() {
            return Scalar::constant(self.tnum.value & kept);
        }
        let (umin, umax) =
            if self.umin & !kept == self.umax & !kept { (self.umin & kept, self.umax & kept) } else { (0, kept) };
        let whole = Whole { umin, umax, smin: umin as i64, smax: umax as i64 };
        let half = if bytes < 4 { Half::UNKNOWN } else { self.half() };
        let mut result = Scalar::of(self.tnum.cast(bytes), whole, half);
        result.sync();
        result
    }

    /// What a sign-extending load of `bytes` (1, 2 or 4; more is the whole) leaves of it.
    pub fn sign_load(&self, bytes: u32) -> Scalar {
        match bytes {
            1 => self.sign_extend64(8),
            2 => self.sign_extend64(16),
            4 => self.sign_extend64(32),
            _ => *self,
        }
    }

    /// A sign-extending move.
    #[inline]
    pub fn movsx(&self, op: MovSx) -> Scalar {
        match op.width() {
            Width::W64 => self.sign_extend64(op.from_bits()),
            Width::W32 => self.sign_extend32(op.from_bits()),
        }
    }

    /// Bounds are kept only where the bits above are the same all along the signed interval and the sign is known.
    fn sign_extend64(&self, bits: u32) -> Scalar {
        let extend = |v: u64| oxbpf_isa::sign_extend(v, bits) as i64;
        if let Some(v) = self.as_const() {
            return Scalar::constant(extend(v) as u64);
        }
        if self.smin >> bits == self.smax >> bits {
            let (a, b) = (extend(self.smin as u64), extend(self.smax as u64));
            let (min, max) = (a.min(b), a.max(b));
            if (min < 0) == (max < 0) {
                let whole = Whole { umin: min as u64, umax: max as u64, smin: min, smax: max };
                let half = Half { umin: min as u32, umax: max as u32, smin: min as i32, smax: max as i32 };
                return Scalar::of(Tnum::range(min as u64, max as u64), whole, half);
            }
        }
        let (min, max) = (i64::MIN >> (64 - bits), i64::MAX >> (64 - bits));
        let whole = Whole { smin: min, smax: max, ..Whole::UNKNOWN };
        Scalar::of(Tnum::UNKNOWN, whole, Half { smin: min as i32, smax: max as i32, ..Half::UNKNOWN })
    }

    /// The same on the low half, zero above.
    fn sign_extend32(&self, bits: u32) -> Scalar {
        let extend = |v: i32| oxbpf_isa::sign_extend(v as u32 as u64, bits) as i32;
        if let Some(v) = self.as_const() {
            return Scalar::constant(u64::from(extend(v as i32) as u32));
        }
        let mut half = Half { smin: i32::MIN >> (32 - bits), smax: i32::MAX >> (32 - bits), ..Half::UNKNOWN };
        let mut tnum = Tnum::UNKNOWN.subreg();
        if self.s32_min >> bits == self.s32_max >> bits {
            let (a, b) = (extend(self.s32_min), extend(self.s32_max));
            let (min, max) = (a.min(b), a.max(b));
            if (min < 0) == (max < 0) {
                half = Half { umin: min as u32, umax: max as u32, smin: min, smax: max };
                tnum = Tnum::range(min as u32 as u64, max as u32 as u64);
            }
        }
        Scalar::of(tnum, Whole::UNKNOWN, half).of_width(Width::W32)
    }

    /// Whether the kernel follows two paths from here: at an AND or OR with a known number, of a `dst` that is -1 or 0.
    ///
    /// The operation is then done on each of the two.
    pub fn fork(op: AluOp, _width: Width, dst: &Scalar, src: &Scalar) -> Option<Fork> {
        if !matches!(op, AluOp::And | AluOp::Or) || src.as_const().is_none() {
            return None;
        }
        if (dst.smin, dst.smax) == (-1, 0) {
            return Some(Fork { now: Scalar::constant(u64::MAX), later: Scalar::constant(0) });
        }
        if (dst.s32_min, dst.s32_max) == (-1, 0) {
            return Some(Fork { now: dst.with_half(u32::MAX), later: dst.with_half(0) });
        }
        None
    }

    /// With a known low half; the whole's bounds do not learn of it yet.
    fn with_half(&self, v: u32) -> Scalar {
        let tnum = self.tnum.with_subreg(Tnum::constant(v.into()));
        Scalar::of(tnum, self.whole(), Half { umin: v, umax: v, smin: v as i32, smax: v as i32 })
    }
}
