//! Arithmetic on intervals, in both readings of a word, once for each width.

use super::Scalar;

/// The intervals of a 64-bit or of a 32-bit word, unsigned and signed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Bounds<U, S> {
    pub umin: U,
    pub umax: U,
    pub smin: S,
    pub smax: S,
}

pub(super) type Whole = Bounds<u64, i64>;
pub(super) type Half = Bounds<u32, i32>;

macro_rules! bounds {
    ($unsigned:ty, $signed:ty) => {
        impl Bounds<$unsigned, $signed> {
            pub const UNKNOWN: Self =
                Self { umin: 0, umax: <$unsigned>::MAX, smin: <$signed>::MIN, smax: <$signed>::MAX };

            /// Of an unsigned interval; the signed one is the same where that does not cross the sign's boundary.
            #[inline(always)]
            pub const fn unsigned(umin: $unsigned, umax: $unsigned) -> Self {
                let (smin, smax) = (umin as $signed, umax as $signed);
                if smin <= smax { Self { umin, umax, smin, smax } } else { Self { umin, umax, ..Self::UNKNOWN } }
            }

            /// Sums. Where both ends wrap around, all do, and the interval stays one.
            #[inline(always)]
            pub const fn add(self, other: Self) -> Self {
                let (umin, low) = self.umin.overflowing_add(other.umin);
                let (umax, high) = self.umax.overflowing_add(other.umax);
                let (smin, under) = self.smin.overflowing_add(other.smin);
                let (smax, over) = self.smax.overflowing_add(other.smax);
                Self { umin, umax, smin, smax }.known(low == high, !under && !over)
            }

            /// Differences, likewise.
            #[inline(always)]
            pub const fn sub(self, other: Self) -> Self {
                let (umin, low) = self.umin.overflowing_sub(other.umax);
                let (umax, high) = self.umax.overflowing_sub(other.umin);
                let (smin, under) = self.smin.overflowing_sub(other.smax);
                let (smax, over) = self.smax.overflowing_sub(other.smin);
                Self { umin, umax, smin, smax }.known(low == high, !under && !over)
            }

            /// Products, where no product of ends overflows.
            #[inline(always)]
            pub const fn mul(self, other: Self) -> Self {
                let (umin, low) = self.umin.overflowing_mul(other.umin);
                let (umax, high) = self.umax.overflowing_mul(other.umax);
                let products = [
                    self.smin.overflowing_mul(other.smin),
                    self.smin.overflowing_mul(other.smax),
                    self.smax.overflowing_mul(other.smin),
                    self.smax.overflowing_mul(other.smax),
                ];
                let (mut smin, mut smax, mut over) = (<$signed>::MAX, <$signed>::MIN, false);
                let mut at = 0;
                while at < products.len() {
                    let (product, overflows) = products[at];
                    over |= overflows;
                    smin = if product < smin { product } else { smin };
                    smax = if product > smax { product } else { smax };
                    at += 1;
                }
                Self { umin, umax, smin, smax }.known(!low && !high, !over)
            }

            /// With the readings of which something is known; nothing of the others.
            #[inline(always)]
            const fn known(self, unsigned: bool, signed: bool) -> Self {
                let (umin, umax) = if unsigned { (self.umin, self.umax) } else { (0, <$unsigned>::MAX) };
                let (smin, smax) = if signed { (self.smin, self.smax) } else { (<$signed>::MIN, <$signed>::MAX) };
                Self { umin, umax, smin, smax }
            }

            /// Bitwise and, whose known bits are `min`: not more than either.
            #[inline(always)]
            pub fn and(self, other: Self, min: $unsigned) -> Self {
                Self::unsigned(min, self.umax.min(other.umax))
            }

            /// Bitwise or, which has no more than the bits `max`: not less than either.
            #[inline(always)]
            pub fn or(self, other: Self, max: $unsigned) -> Self {
                Self::unsigned(self.umin.max(other.umin), max)
            }

            /// Shifted left, unsigned only; `shift` is below the width. Nothing is known once a bit may fall off.
            #[inline(always)]
            pub const fn lsh(self, shift: u32) -> Self {
                if self.umax > 1 << (<$unsigned>::BITS - 1 - shift) {
                    return Self::UNKNOWN;
                }
                Self { umin: self.umin << shift, umax: self.umax << shift, ..Self::UNKNOWN }
            }

            /// Shifted right, unsigned only; `shift` is below the width.
            #[inline(always)]
            pub const fn rsh(self, shift: u32) -> Self {
                Self { umin: self.umin >> shift, umax: self.umax >> shift, ..Self::UNKNOWN }
            }

            /// Shifted right, signed only; `shift` is below the width.
            #[inline(always)]
            pub const fn arsh(self, shift: u32) -> Self {
                Self { smin: self.smin >> shift, smax: self.smax >> shift, ..Self::UNKNOWN }
            }
        }
    };
}

bounds!(u64, i64);
bounds!(u32, i32);

impl Scalar {
    #[inline(always)]
    pub(super) const fn whole(&self) -> Whole {
        Bounds { umin: self.umin, umax: self.umax, smin: self.smin, smax: self.smax }
    }

    #[inline(always)]
    pub(super) const fn half(&self) -> Half {
        Bounds { umin: self.u32_min, umax: self.u32_max, smin: self.s32_min, smax: self.s32_max }
    }

    #[inline(always)]
    pub(super) const fn of(tnum: super::Tnum, whole: Whole, half: Half) -> Scalar {
        Scalar {
            tnum,
            umin: whole.umin,
            umax: whole.umax,
            smin: whole.smin,
            smax: whole.smax,
            u32_min: half.umin,
            u32_max: half.umax,
            s32_min: half.smin,
            s32_max: half.smax,
        }
    }
}
