//! What is known of a number.

/// Bits of a number: those of `mask` are unknown, the others are `value`'s.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs)]
pub struct Tnum {
    pub value: u64,
    pub mask: u64,
}

/// What is known of a number: its bits, and its bounds as 64 and 32 bits, unsigned and signed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs)]
pub struct Scalar {
    pub tnum: Tnum,
    pub umin: u64,
    pub umax: u64,
    pub smin: i64,
    pub smax: i64,
    pub u32_min: u32,
    pub u32_max: u32,
    pub s32_min: i32,
    pub s32_max: i32,
}

impl Scalar {
    /// Nothing is known.
    pub const UNKNOWN: Scalar = Scalar {
        tnum: Tnum { value: 0, mask: u64::MAX },
        umin: 0,
        umax: u64::MAX,
        smin: i64::MIN,
        smax: i64::MAX,
        u32_min: 0,
        u32_max: u32::MAX,
        s32_min: i32::MIN,
        s32_max: i32::MAX,
    };

    /// This number.
    pub const fn constant(value: u64) -> Scalar {
        Scalar {
            tnum: Tnum { value, mask: 0 },
            umin: value,
            umax: value,
            smin: value as i64,
            smax: value as i64,
            u32_min: value as u32,
            u32_max: value as u32,
            s32_min: value as i32,
            s32_max: value as i32,
        }
    }

    /// The number, where it is known.
    pub fn as_const(&self) -> Option<u64> {
        (self.tnum.mask == 0).then_some(self.tnum.value)
    }
}
