//! The five views of a number brought into agreement.

use super::{Scalar, Tnum};

/// How often the intervals learn from each other between two looks at the bits.
const ROUNDS: usize = 3;

impl Scalar {
    /// Brings bounds and bits into agreement, as far and in the order the kernel does.
    ///
    /// Idempotent it is not: what the last step learns may teach the others something, at the next call.
    #[inline]
    pub fn sync(&mut self) {
        // Of a constant there is no more to learn, nor of what is unknown.
        let known = if self.tnum.is_const() { Scalar::constant(self.tnum.value) } else { Scalar::UNKNOWN };
        if *self == known {
            return;
        }
        self.bounds_from_bits();
        if self.sync_small() {
            return;
        }
        for _ in 0..ROUNDS {
            let before = *self;
            self.half_from_whole();
            self.half_signs();
            self.whole_signs();
            self.whole_from_half();
            if *self == before {
                break;
            }
        }
        self.bits_from_bounds();
        self.bounds_from_bits();
    }

    /// The rest of [`Scalar::sync`] for numbers below 2^31, of which all readings are the same: so is what the rounds come
    /// to, the intersection of all intervals. Where that is empty, the rounds may come to something else.
    #[inline(always)]
    fn sync_small(&mut self) -> bool {
        if (self.umax | self.smin as u64 | self.smax as u64) >> 31 != 0 {
            return false;
        }
        let least = self.umin.max(self.smin as u64).max(self.u32_min.into()) as i64;
        let most = self.umax.min(self.smax as u64).min(self.u32_max.into()) as i64;
        let (least, most) = (least.max(self.s32_min.into()) as u64, most.min(self.s32_max.into()));
        if least as i64 > most {
            return false;
        }
        let tnum = self.tnum.intersect(Tnum::range(least, most as u64));
        *self = Scalar::small(tnum, least.max(tnum.min()) as u32, (most as u64).min(tnum.max()) as u32);
        self.only_member();
        true
    }

    /// Numbers of `min..=max`, below 2^31.
    #[inline(always)]
    const fn small(tnum: Tnum, min: u32, max: u32) -> Scalar {
        Scalar {
            tnum,
            umin: min as u64,
            umax: max as u64,
            smin: min as i64,
            smax: max as i64,
            u32_min: min,
            u32_max: max,
            s32_min: min as i32,
            s32_max: max as i32,
        }
    }

    /// Any number of `bytes` bytes: 1, 2 or 4.
    #[inline]
    pub(super) const fn below(bytes: u32) -> Scalar {
        let max = u32::MAX >> (32 - 8 * bytes);
        let scalar = Scalar::small(Tnum::range(0, max as u64), 0, max);
        if bytes < 4 { scalar } else { Scalar { s32_min: i32::MIN, s32_max: i32::MAX, ..scalar } }
    }

    /// Intersects with an interval of the whole, unsigned.
    #[inline(always)]
    pub(super) fn meet_u64(&mut self, min: u64, max: u64) {
        self.umin = self.umin.max(min);
        self.umax = self.umax.min(max);
    }

    /// Intersects with an interval of the whole, signed.
    #[inline(always)]
    pub(super) fn meet_s64(&mut self, min: i64, max: i64) {
        self.smin = self.smin.max(min);
        self.smax = self.smax.min(max);
    }

    /// Intersects with an interval of the low half, unsigned.
    #[inline(always)]
    pub(super) fn meet_u32(&mut self, min: u32, max: u32) {
        self.u32_min = self.u32_min.max(min);
        self.u32_max = self.u32_max.min(max);
    }

    /// Intersects with an interval of the low half, signed.
    #[inline(always)]
    pub(super) fn meet_s32(&mut self, min: i32, max: i32) {
        self.s32_min = self.s32_min.max(min);
        self.s32_max = self.s32_max.min(max);
    }

    /// The low half's bounds learn from its bits.
    #[inline(always)]
    pub(super) fn half_from_bits(&mut self) {
        let (min, max) = (self.tnum.value as u32, self.tnum.max() as u32);
        self.meet_u32(min, max);
        let sign = self.tnum.mask as u32 & 1 << 31;
        self.meet_s32((min | sign) as i32, (max & !sign) as i32);
    }

    /// All bounds learn from the bits. An unknown sign bit is 1 in the least signed number and 0 in the greatest.
    #[inline(always)]
    pub(super) fn bounds_from_bits(&mut self) {
        self.half_from_bits();
        let (min, max) = (self.tnum.min(), self.tnum.max());
        self.meet_u64(min, max);
        let sign = self.tnum.mask & 1 << 63;
        self.meet_s64((min | sign) as i64, (max & !sign) as i64);
        self.only_member();
    }

    /// Becomes a constant where the unsigned interval holds only one number that has the known bits.
    #[inline(always)]
    fn only_member(&mut self) {
        let only = if self.tnum.has(self.umin) {
            (self.tnum.next_member(self.umin) > self.umax).then_some(self.umin)
        } else {
            let next = self.tnum.next(self.umin);
            let last = next == self.tnum.max() || next <= self.umax && self.tnum.next(next) > self.umax;
            last.then_some(next)
        };
        if let Some(v) = only {
            *self = Scalar::constant(v);
        }
    }

    /// The low half learns from the whole, where the high half is the same all along an interval, or takes two
    /// neighbouring values while the low half goes from below zero to above.
    #[inline(always)]
    fn half_from_whole(&mut self) {
        let (min, max) = (self.umin, self.umax);
        if min >> 32 == max >> 32 {
            self.meet_u32(min as u32, max as u32);
            self.meet_s32_if_ordered(min as i32, max as i32);
        }
        let (smin, smax) = (self.smin as u64, self.smax as u64);
        if smin >> 32 == smax >> 32 {
            if smin as u32 <= smax as u32 {
                self.meet_u32(smin as u32, smax as u32);
            }
            self.meet_s32_if_ordered(smin as i32, smax as i32);
        }
        for (min, max) in [(min, max), (smin, smax)] {
            let neighbours = ((min >> 32) as u32).wrapping_add(1) == (max >> 32) as u32;
            if neighbours && (min as i32) < 0 && max as i32 >= 0 {
                self.meet_s32(min as i32, max as i32);
            }
        }
    }

    #[inline(always)]
    fn meet_s32_if_ordered(&mut self, min: i32, max: i32) {
        if min <= max {
            self.meet_s32(min, max);
        }
    }

    /// The low half's signed and unsigned bounds learn from each other, where one interval is one in the other's reading.
    /// A signed interval that goes across zero is two unsigned ones, at both ends, of which the unsigned bounds may meet
    /// but one.
    #[inline(always)]
    fn half_signs(&mut self) {
        self.meet_s32_if_ordered(self.u32_min as i32, self.u32_max as i32);
        let (min, max) = (self.s32_min as u32, self.s32_max as u32);
        if min <= max {
            self.meet_u32(min, max);
        } else if self.u32_max < min {
            self.s32_min = self.u32_min as i32;
            self.u32_max = self.u32_max.min(max);
        } else if max < self.u32_min {
            self.s32_max = self.u32_max as i32;
            self.u32_min = self.u32_min.max(min);
        }
    }

    /// The same for the whole.
    #[inline(always)]
    fn whole_signs(&mut self) {
        if self.umin as i64 <= self.umax as i64 {
            self.meet_s64(self.umin as i64, self.umax as i64);
        }
        let (min, max) = (self.smin as u64, self.smax as u64);
        if min <= max {
            self.meet_u64(min, max);
        } else if self.umax < min {
            self.smin = self.umin as i64;
            self.umax = self.umax.min(max);
        } else if max < self.umin {
            self.smax = self.umax as i64;
            self.umin = self.umin.max(min);
        }
    }

    /// The whole learns from the low half: the end of an interval cannot have a low half that does not exist. And what
    /// fits 32 signed bits and has a low half that is not negative is that low half; which takes the place of all that was
    /// known of the whole's bounds, better or not.
    #[inline(always)]
    fn whole_from_half(&mut self) {
        let (low_min, low_max) = (u64::from(self.u32_min), u64::from(self.u32_max));
        self.meet_u64(self.umin & HIGH | low_min, self.umax & HIGH | low_max);
        self.meet_s64((self.smin as u64 & HIGH | low_min) as i64, (self.smax as u64 & HIGH | low_max) as i64);
        if self.s32_min >= 0 && self.smin >= i64::from(i32::MIN) && self.smax <= i64::from(i32::MAX) {
            (self.smin, self.smax) = (self.s32_min.into(), self.s32_max.into());
            (self.umin, self.umax) = (self.smin as u64, self.smax as u64);
            self.tnum = self.tnum.intersect(Tnum::range(self.umin, self.umax));
        }
    }

    /// The bits learn from the unsigned bounds, of the whole and then of the low half.
    #[inline(always)]
    fn bits_from_bounds(&mut self) {
        let whole = self.tnum.intersect(Tnum::range(self.umin, self.umax));
        let half = whole.subreg().intersect(Tnum::range(self.u32_min.into(), self.u32_max.into()));
        self.tnum = whole.with_subreg(half);
    }

    /// Whether bounds and bits exclude each other, so that no number is left; as the kernel finds that out.
    #[inline]
    pub fn is_contradictory(&self) -> bool {
        self.umin > self.umax
            || self.smin > self.smax
            || self.u32_min > self.u32_max
            || self.s32_min > self.s32_max
            || self.as_const().is_some_and(|v| !self.whole_is(v))
            || self.as_const32().is_some_and(|v| !self.half_is(v))
    }

    /// What the kernel goes on with: after a contradiction, the bits, and bounds that know nothing.
    #[inline]
    pub fn settled(&self) -> Scalar {
        if self.is_contradictory() { Scalar { tnum: self.tnum, ..Scalar::UNKNOWN } } else { *self }
    }

    #[inline]
    fn whole_is(&self, v: u64) -> bool {
        self.umin == v && self.umax == v && self.smin == v as i64 && self.smax == v as i64
    }

    #[inline]
    fn half_is(&self, v: u32) -> bool {
        self.u32_min == v && self.u32_max == v && self.s32_min == v as i32 && self.s32_max == v as i32
    }
}

const HIGH: u64 = !0xffff_ffff;
