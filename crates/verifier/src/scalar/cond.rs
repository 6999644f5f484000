//! What a comparison tells: whether it is decided, and what its operands are where it came out one way.

use oxbpf_isa::{Cond, Width};

use super::{Scalar, Tnum};

/// How a conditional jump came out.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Test {
    /// The condition holds.
    Holds(Cond),
    /// No bit of the operand is set: [`Cond::Set`] fails, which is no condition of its own.
    NotSet,
}

impl Test {
    /// The condition does not hold.
    #[inline(always)]
    pub const fn fails(cond: Cond) -> Test {
        Test::Holds(match cond {
            Cond::Eq => Cond::Ne,
            Cond::Ne => Cond::Eq,
            Cond::Gt => Cond::Le,
            Cond::Ge => Cond::Lt,
            Cond::Lt => Cond::Ge,
            Cond::Le => Cond::Gt,
            Cond::SGt => Cond::SLe,
            Cond::SGe => Cond::SLt,
            Cond::SLt => Cond::SGe,
            Cond::SLe => Cond::SGt,
            Cond::Set => return Test::NotSet,
        })
    }

    /// The outcome of a jump: taken or not.
    #[inline(always)]
    pub const fn of(cond: Cond, taken: bool) -> Test {
        if taken { Test::Holds(cond) } else { Test::fails(cond) }
    }

    /// Whether concrete operands come out this way.
    pub const fn eval(self, width: Width, a: u64, b: u64) -> bool {
        match self {
            Test::Holds(cond) => cond.eval(width, a, b),
            Test::NotSet => !Cond::Set.eval(width, a, b),
        }
    }
}

/// An operand as a comparison of one width sees it.
#[derive(Clone, Copy)]
struct View {
    tnum: Tnum,
    umin: u64,
    umax: u64,
    smin: i64,
    smax: i64,
}

impl View {
    #[inline(always)]
    fn of(scalar: &Scalar, width: Width) -> View {
        match width {
            Width::W64 => {
                View { tnum: scalar.tnum, umin: scalar.umin, umax: scalar.umax, smin: scalar.smin, smax: scalar.smax }
            }
            Width::W32 => View {
                tnum: scalar.tnum.subreg(),
                umin: scalar.u32_min.into(),
                umax: scalar.u32_max.into(),
                smin: scalar.s32_min.into(),
                smax: scalar.s32_max.into(),
            },
        }
    }

    /// Whether the two can be seen to have no number in common.
    #[inline(always)]
    fn apart(&self, other: &View) -> bool {
        !self.tnum.overlaps(other.tnum)
            || self.umin > other.umax
            || self.umax < other.umin
            || self.smin > other.smax
            || self.smax < other.smin
    }
}

impl Scalar {
    /// Whether `a cond b` always holds or never does; `None` where it depends.
    #[inline]
    pub fn decide(cond: Cond, width: Width, a: &Scalar, b: &Scalar) -> Option<bool> {
        let (x, y) = (View::of(a, width), View::of(b, width));
        let order = |always: bool, never: bool| if always { Some(true) } else { never.then_some(false) };
        match cond {
            Cond::Eq => Self::equal(width, a, b),
            Cond::Ne => Self::equal(width, a, b).map(|equal| !equal),
            Cond::Set => Self::bits_met(x.tnum, y.tnum),
            Cond::Gt => order(x.umin > y.umax, x.umax <= y.umin),
            Cond::Ge => order(x.umin >= y.umax, x.umax < y.umin),
            Cond::Lt => order(x.umax < y.umin, x.umin >= y.umax),
            Cond::Le => order(x.umax <= y.umin, x.umin > y.umax),
            Cond::SGt => order(x.smin > y.smax, x.smax <= y.smin),
            Cond::SGe => order(x.smin >= y.smax, x.smax < y.smin),
            Cond::SLt => order(x.smax < y.smin, x.smin >= y.smax),
            Cond::SLe => order(x.smax <= y.smin, x.smin > y.smax),
        }
    }

    #[inline]
    fn equal(width: Width, a: &Scalar, b: &Scalar) -> Option<bool> {
        let (x, y) = (View::of(a, width), View::of(b, width));
        if let (Some(x), Some(y)) = (x.tnum.as_const(), y.tnum.as_const()) {
            return Some(x == y);
        }
        let halves_apart = || {
            let (x, y) = (View::of(a, Width::W32), View::of(b, Width::W32));
            x.umin > y.umax || x.umax < y.umin || x.smin > y.smax || x.smax < y.smin
        };
        (x.apart(&y) || width == Width::W64 && halves_apart()).then_some(false)
    }

    /// Whether two numbers, one of them known, share a bit.
    #[inline]
    fn bits_met(x: Tnum, y: Tnum) -> Option<bool> {
        let (x, y) = if y.is_const() { (x, y) } else { (y, x) };
        let bits = y.as_const()?;
        if x.value & bits != 0 { Some(true) } else { (x.max() & bits == 0).then_some(false) }
    }

    /// What both operands are where the comparison came out as `test`.
    ///
    /// The result may be contradictory, where the test cannot come out so: see [`Scalar::is_contradictory`].
    #[inline]
    pub fn refine(test: Test, width: Width, mut a: Scalar, mut b: Scalar) -> (Scalar, Scalar) {
        match test {
            Test::Holds(Cond::Eq) => Self::become_equal(width, &mut a, &mut b),
            Test::Holds(Cond::Ne) => Self::one_known(width, &mut a, &mut b, Self::exclude),
            Test::Holds(Cond::Set) => Self::one_known(width, &mut a, &mut b, Self::require_bit),
            Test::NotSet => Self::one_known(width, &mut a, &mut b, Self::clear_bits),
            Test::Holds(Cond::Le) => Self::order(width, &mut a, &mut b, 0),
            Test::Holds(Cond::Lt) => Self::order(width, &mut a, &mut b, 1),
            Test::Holds(Cond::Ge) => Self::order(width, &mut b, &mut a, 0),
            Test::Holds(Cond::Gt) => Self::order(width, &mut b, &mut a, 1),
            Test::Holds(Cond::SLe) => Self::order_signed(width, &mut a, &mut b, 0),
            Test::Holds(Cond::SLt) => Self::order_signed(width, &mut a, &mut b, 1),
            Test::Holds(Cond::SGe) => Self::order_signed(width, &mut b, &mut a, 0),
            Test::Holds(Cond::SGt) => Self::order_signed(width, &mut b, &mut a, 1),
        }
        a.sync();
        b.sync();
        (a, b)
    }

    /// The same where both operands are one register, as the kernel does it: as if there were two, but each bound that
    /// the first learns counts for the second. (A number compared with itself so seems to be more than it is.)
    #[inline]
    pub fn refine_same(test: Test, width: Width, mut a: Scalar) -> Scalar {
        let mut second = a;
        match test {
            Test::Holds(Cond::Lt | Cond::Gt) => Self::order(width, &mut a, &mut second, 1),
            Test::Holds(Cond::SLt | Cond::SGt) => Self::order_signed(width, &mut a, &mut second, 1),
            _ => {}
        }
        (a.umin, a.smin, a.u32_min, a.s32_min) = (second.umin, second.smin, second.u32_min, second.s32_min);
        a.sync();
        a
    }

    #[inline]
    fn become_equal(width: Width, a: &mut Scalar, b: &mut Scalar) {
        match width {
            Width::W64 => {
                a.meet_u64(b.umin, b.umax);
                a.meet_s64(b.smin, b.smax);
                a.tnum = a.tnum.intersect(b.tnum);
                (b.umin, b.umax, b.smin, b.smax, b.tnum) = (a.umin, a.umax, a.smin, a.smax, a.tnum);
            }
            Width::W32 => {
                a.meet_u32(b.u32_min, b.u32_max);
                a.meet_s32(b.s32_min, b.s32_max);
                let low = a.tnum.subreg().intersect(b.tnum.subreg());
                (b.u32_min, b.u32_max, b.s32_min, b.s32_max) = (a.u32_min, a.u32_max, a.s32_min, a.s32_max);
                (a.tnum, b.tnum) = (a.tnum.with_subreg(low), b.tnum.with_subreg(low));
            }
        }
    }

    /// Applies `learn` to the operand that is compared with a known number: the first, where both are known.
    #[inline(always)]
    fn one_known(width: Width, a: &mut Scalar, b: &mut Scalar, learn: fn(&mut Scalar, Width, u64)) {
        let known = |scalar: &Scalar| View::of(scalar, width).tnum.as_const();
        match (known(a), known(b)) {
            (_, Some(v)) => learn(a, width, v),
            (Some(v), None) => learn(b, width, v),
            (None, None) => {}
        }
    }

    /// Not `v`: an interval that ends there ends one earlier.
    #[inline]
    fn exclude(&mut self, width: Width, v: u64) {
        macro_rules! trim {
            ($v:expr, $min:ident, $max:ident) => {{
                let v = $v;
                self.$min = if self.$min == v { v.wrapping_add(1) } else { self.$min };
                self.$max = if self.$max == v { v.wrapping_sub(1) } else { self.$max };
            }};
        }
        match width {
            Width::W64 => {
                trim!(v, umin, umax);
                trim!(v as i64, smin, smax);
            }
            Width::W32 => {
                trim!(v as u32, u32_min, u32_max);
                trim!(v as i32, s32_min, s32_max);
            }
        }
    }

    /// Shares a bit with `bits`, which tells something where that is a single one.
    #[inline]
    fn require_bit(&mut self, _width: Width, bits: u64) {
        if bits.is_power_of_two() {
            self.tnum = self.tnum.or(Tnum::constant(bits));
        }
    }

    /// Shares no bit with `bits`. All bounds are forgotten first, to be learnt again from the bits.
    #[inline]
    fn clear_bits(&mut self, width: Width, bits: u64) {
        let kept = match width {
            Width::W64 => !bits,
            Width::W32 => !u64::from(bits as u32),
        };
        *self = Scalar { tnum: self.tnum.and(Tnum::constant(kept)), ..Scalar::UNKNOWN };
    }

    /// `low + gap <= high`, unsigned; `gap` is 0 or 1.
    #[inline]
    fn order(width: Width, low: &mut Scalar, high: &mut Scalar, gap: u32) {
        match width {
            Width::W64 => {
                low.umax = low.umax.min(high.umax.wrapping_sub(gap.into()));
                high.umin = high.umin.max(low.umin.wrapping_add(gap.into()));
            }
            Width::W32 => {
                low.u32_max = low.u32_max.min(high.u32_max.wrapping_sub(gap));
                high.u32_min = high.u32_min.max(low.u32_min.wrapping_add(gap));
            }
        }
    }

    /// `low + gap <= high`, signed; `gap` is 0 or 1.
    #[inline]
    fn order_signed(width: Width, low: &mut Scalar, high: &mut Scalar, gap: i32) {
        match width {
            Width::W64 => {
                low.smax = low.smax.min(high.smax.wrapping_sub(gap.into()));
                high.smin = high.smin.max(low.smin.wrapping_add(gap.into()));
            }
            Width::W32 => {
                low.s32_max = low.s32_max.min(high.s32_max.wrapping_sub(gap));
                high.s32_min = high.s32_min.max(low.s32_min.wrapping_add(gap));
            }
        }
    }
}
