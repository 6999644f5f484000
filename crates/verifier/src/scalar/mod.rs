//! What is known of a number in a register: [`Scalar`], equal to what Linux 6.18's verifier knows after each operation.
//!
//! A scalar is an intersection of five views: known bits ([`Tnum`]), and intervals of the whole and of the low half, each
//! read as unsigned and as signed. [`Scalar::sync`] lets the views learn from each other, always in the same order and the
//! same number of rounds, because the number of instructions that the kernel processes follows from exactly what it knows,
//! and no more. `tests/scalar_kernel.rs` compares with the running kernel, one operation at a time.
//!
//! ```
//! use oxbpf_isa::{AluOp, Cond, Width};
//! use oxbpf_verifier::scalar::{Scalar, Test};
//!
//! let byte = Scalar::UNKNOWN.truncate(1);
//! let sum = Scalar::alu(AluOp::Add, Width::W64, &byte, &Scalar::constant(14));
//! assert_eq!((sum.umin, sum.umax), (14, 269));
//! let (small, _) = Scalar::refine(Test::Holds(Cond::Lt), Width::W64, sum, Scalar::constant(16));
//! assert_eq!(small.kernel_text(false), "scalar(smin=umin=smin32=umin32=14,smax=umax=smax32=umax32=15,var_off=(0xe; 0x1))");
//! ```

mod alu;
mod bounds;
mod cond;
mod link;
mod sync;
mod text;
mod tnum;

pub use alu::Fork;
pub use cond::Test;
pub use link::Link;
pub use tnum::Tnum;

/// What is known of a number.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[allow(missing_docs)]
pub struct Scalar {
    /// Its bits.
    pub tnum: Tnum,
    pub umin: u64,
    pub umax: u64,
    pub smin: i64,
    pub smax: i64,
    /// The low half's bounds.
    pub u32_min: u32,
    pub u32_max: u32,
    pub s32_min: i32,
    pub s32_max: i32,
}

impl Scalar {
    /// Any number.
    pub const UNKNOWN: Scalar = Scalar {
        tnum: Tnum::UNKNOWN,
        umin: 0,
        umax: u64::MAX,
        smin: i64::MIN,
        smax: i64::MAX,
        u32_min: 0,
        u32_max: u32::MAX,
        s32_min: i32::MIN,
        s32_max: i32::MAX,
    };

    /// `v` and no other.
    #[inline(always)]
    pub const fn constant(v: u64) -> Scalar {
        Scalar {
            tnum: Tnum::constant(v),
            umin: v,
            umax: v,
            smin: v as i64,
            smax: v as i64,
            u32_min: v as u32,
            u32_max: v as u32,
            s32_min: v as i32,
            s32_max: v as i32,
        }
    }

    /// The number, where its bits are known.
    #[inline(always)]
    pub const fn as_const(&self) -> Option<u64> {
        self.tnum.as_const()
    }

    /// The low half, where its bits are known.
    #[inline(always)]
    pub const fn as_const32(&self) -> Option<u32> {
        if self.tnum.is_subreg_const() { Some(self.tnum.value as u32) } else { None }
    }

    /// Whether it is 0.
    #[inline(always)]
    pub const fn is_zero(&self) -> bool {
        self.tnum.mask == 0 && self.tnum.value == 0
    }

    /// Whether nothing is known.
    #[inline(always)]
    pub fn is_unknown(&self) -> bool {
        *self == Self::UNKNOWN
    }

    /// Whether each of the four intervals holds that of `other` (the kernel's `range_within`; bits do not count).
    #[inline]
    pub const fn contains_range(&self, other: &Scalar) -> bool {
        self.umin <= other.umin
            && self.umax >= other.umax
            && self.smin <= other.smin
            && self.smax >= other.smax
            && self.u32_min <= other.u32_min
            && self.u32_max >= other.u32_max
            && self.s32_min <= other.s32_min
            && self.s32_max >= other.s32_max
    }

    /// Whether `v` is possible.
    #[inline]
    pub const fn contains(&self, v: u64) -> bool {
        self.tnum.has(v)
            && self.umin <= v
            && self.umax >= v
            && self.smin <= v as i64
            && self.smax >= v as i64
            && self.u32_min <= v as u32
            && self.u32_max >= v as u32
            && self.s32_min <= v as i32
            && self.s32_max >= v as i32
    }
}
