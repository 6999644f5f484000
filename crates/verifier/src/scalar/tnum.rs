//! Tristate numbers: of each bit it is known to be 0, known to be 1, or nothing.

use std::fmt;

/// What is known of a number's bits: `value` holds the bits known to be 1, `mask` those that are unknown.
///
/// No bit is in both. A number `v` belongs to it when `v & !mask == value`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Tnum {
    /// The bits known to be 1.
    pub value: u64,
    /// The bits of which nothing is known.
    pub mask: u64,
}

impl Tnum {
    /// Any number.
    pub const UNKNOWN: Tnum = Tnum::new(0, u64::MAX);

    /// The bits known to be 1 and those that are unknown, which must not overlap.
    #[inline(always)]
    pub const fn new(value: u64, mask: u64) -> Tnum {
        debug_assert!(value & mask == 0);
        Tnum { value, mask }
    }

    /// `value` and no other.
    #[inline(always)]
    pub const fn constant(value: u64) -> Tnum {
        Tnum::new(value, 0)
    }

    /// Known to be 1 in `value`, outside of `mask`; in `mask`, unknown.
    #[inline(always)]
    const fn masked(value: u64, mask: u64) -> Tnum {
        Tnum::new(value & !mask, mask)
    }

    /// The bits that all numbers of `min..=max` share; what follows the first difference is unknown.
    #[inline(always)]
    pub const fn range(min: u64, max: u64) -> Tnum {
        let differ = min ^ max;
        Tnum::masked(min, if differ == 0 { 0 } else { u64::MAX >> differ.leading_zeros() })
    }

    /// The one number, where there is only one.
    #[inline(always)]
    pub const fn as_const(self) -> Option<u64> {
        if self.mask == 0 { Some(self.value) } else { None }
    }

    /// Whether there is only one number.
    #[inline(always)]
    pub const fn is_const(self) -> bool {
        self.mask == 0
    }

    /// Whether nothing is known.
    #[inline(always)]
    pub const fn is_unknown(self) -> bool {
        self.mask == u64::MAX
    }

    /// The least unsigned number.
    #[inline(always)]
    pub const fn min(self) -> u64 {
        self.value
    }

    /// The greatest unsigned number.
    #[inline(always)]
    pub const fn max(self) -> u64 {
        self.value | self.mask
    }

    /// The sum of any two members, modulo 2^64: a bit is known where neither it nor the carry into it can differ.
    #[inline(always)]
    #[allow(clippy::should_implement_trait)]
    pub const fn add(self, other: Tnum) -> Tnum {
        let least = self.value.wrapping_add(other.value);
        let greatest = least.wrapping_add(self.mask.wrapping_add(other.mask));
        Tnum::masked(least, (greatest ^ least) | self.mask | other.mask)
    }

    /// The difference of any two members, modulo 2^64.
    #[inline(always)]
    #[allow(clippy::should_implement_trait)]
    pub const fn sub(self, other: Tnum) -> Tnum {
        let base = self.value.wrapping_sub(other.value);
        let borrows = base.wrapping_add(self.mask) ^ base.wrapping_sub(other.mask);
        Tnum::masked(base, borrows | self.mask | other.mask)
    }

    /// The negation of any member.
    #[inline(always)]
    #[allow(clippy::should_implement_trait)]
    pub const fn neg(self) -> Tnum {
        Tnum::constant(0).sub(self)
    }

    /// The members' bitwise and.
    #[inline(always)]
    pub const fn and(self, other: Tnum) -> Tnum {
        let ones = self.value & other.value;
        Tnum::new(ones, self.max() & other.max() & !ones)
    }

    /// The members' bitwise or.
    #[inline(always)]
    pub const fn or(self, other: Tnum) -> Tnum {
        let ones = self.value | other.value;
        Tnum::new(ones, (self.mask | other.mask) & !ones)
    }

    /// The members' bitwise exclusive or.
    #[inline(always)]
    pub const fn xor(self, other: Tnum) -> Tnum {
        Tnum::masked(self.value ^ other.value, self.mask | other.mask)
    }

    /// The product of any two members, modulo 2^64, by long multiplication: each bit of `self` that is 1 adds a shifted
    /// `other`, and one that is unknown joins the sums with and without it.
    pub const fn mul(self, other: Tnum) -> Tnum {
        if let (Some(a), Some(b)) = (self.as_const(), other.as_const()) {
            return Tnum::constant(a.wrapping_mul(b));
        }
        if other.mask == 0 && other.value.is_power_of_two() {
            return self.lsh(other.value.trailing_zeros());
        }
        let mut sum = Tnum::constant(0);
        let mut bits = self.max();
        while bits != 0 && !sum.is_unknown() {
            let bit = bits.trailing_zeros();
            bits &= bits - 1;
            let with = sum.add(other.lsh(bit));
            sum = if self.value >> bit & 1 == 1 { with } else { sum.union(with) };
        }
        sum
    }

    /// Shifted left; `shift` is below 64.
    #[inline(always)]
    pub const fn lsh(self, shift: u32) -> Tnum {
        Tnum::new(self.value << shift, self.mask << shift)
    }

    /// Shifted right, zeros coming in; `shift` is below 64.
    #[inline(always)]
    pub const fn rsh(self, shift: u32) -> Tnum {
        Tnum::new(self.value >> shift, self.mask >> shift)
    }

    /// Shifted right, the sign coming in; `shift` is below 64.
    #[inline(always)]
    pub const fn arsh(self, shift: u32) -> Tnum {
        Tnum::new((self.value as i64 >> shift) as u64, (self.mask as i64 >> shift) as u64)
    }

    /// As [`Tnum::arsh`] on the low half, with nothing above; `shift` is below 32.
    #[inline(always)]
    pub const fn arsh32(self, shift: u32) -> Tnum {
        Tnum::new((self.value as i32 >> shift) as u32 as u64, (self.mask as i32 >> shift) as u32 as u64)
    }

    /// The low `bytes` bytes, zero above; `bytes` is 1 to 8.
    #[inline(always)]
    pub const fn cast(self, bytes: u32) -> Tnum {
        let kept = u64::MAX >> (64 - 8 * bytes);
        Tnum::new(self.value & kept, self.mask & kept)
    }

    /// The low `bytes` bytes in reverse order, zero above; `bytes` is 2, 4 or 8.
    #[inline(always)]
    pub const fn swap_bytes(self, bytes: u32) -> Tnum {
        let above = 64 - 8 * bytes;
        Tnum::new(self.value.swap_bytes() >> above, self.mask.swap_bytes() >> above)
    }

    /// What is known of a number that belongs to both. Where none does, a bit that the two disagree about is 1.
    #[inline(always)]
    pub const fn intersect(self, other: Tnum) -> Tnum {
        Tnum::masked(self.value | other.value, self.mask & other.mask)
    }

    /// What is known of a number that belongs to one of them.
    #[inline(always)]
    pub const fn union(self, other: Tnum) -> Tnum {
        Tnum::masked(self.value & other.value, (self.value ^ other.value) | self.mask | other.mask)
    }

    /// Whether some number may belong to both.
    #[inline(always)]
    pub const fn overlaps(self, other: Tnum) -> bool {
        (self.value ^ other.value) & !(self.mask | other.mask) == 0
    }

    /// Whether all of `other` belongs to it (`tnum_in`).
    #[inline(always)]
    pub const fn contains(self, other: Tnum) -> bool {
        other.mask & !self.mask == 0 && other.value & !self.mask == self.value
    }

    /// Whether `v` belongs to it.
    #[inline(always)]
    pub const fn has(self, v: u64) -> bool {
        v & !self.mask == self.value
    }

    /// The least member above the member `v`; `v` itself where there is none.
    #[inline(always)]
    pub const fn next_member(self, v: u64) -> u64 {
        // The unknown bits count up by one, across those that are known.
        let next = (v | !self.mask).wrapping_add(1) & self.mask | self.value;
        if next > v { next } else { v }
    }

    /// The least member above `v`; the greatest of all where there is none.
    #[inline(always)]
    pub const fn next(self, v: u64) -> u64 {
        if v >= self.max() {
            return self.max();
        }
        if v < self.value {
            return self.value;
        }
        // The first known bit in which `v` is not a member, and those below.
        let wrong = (v ^ self.value) & !self.mask;
        let below = if wrong == 0 { 0 } else { u64::MAX >> wrong.leading_zeros() };
        if wrong != 0 && self.value & (below ^ below >> 1) != 0 {
            // Members with the bits above are greater, as theirs is 1: the least of them.
            return v & self.mask & !below | self.value;
        }
        // The bits above count up by one, across those that are known.
        ((v | !self.mask | below).wrapping_add(1) & self.mask) | self.value
    }

    /// Whether all members are multiples of `size`, a power of two (0 and 1 ask nothing).
    #[inline(always)]
    pub const fn is_aligned(self, size: u64) -> bool {
        self.max() & size.saturating_sub(1) == 0
    }

    /// The low half, zero above.
    #[inline(always)]
    pub const fn subreg(self) -> Tnum {
        self.cast(4)
    }

    /// The high half, zero below.
    #[inline(always)]
    pub const fn clear_subreg(self) -> Tnum {
        Tnum::new(self.value & HIGH, self.mask & HIGH)
    }

    /// The high half of `self`, the low half of `low`.
    #[inline(always)]
    pub const fn with_subreg(self, low: Tnum) -> Tnum {
        Tnum::new(self.value & HIGH | low.value & LOW, self.mask & HIGH | low.mask & LOW)
    }

    /// Whether all of the low half is known.
    #[inline(always)]
    pub const fn is_subreg_const(self) -> bool {
        self.mask & LOW == 0
    }
}

const LOW: u64 = 0xffff_ffff;
const HIGH: u64 = !LOW;

/// As the kernel prints it: `(0x0; 0xff)`.
impl fmt::Display for Tnum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "({:#x}; {:#x})", self.value, self.mask)
    }
}
