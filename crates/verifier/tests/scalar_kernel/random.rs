//! Numbers by chance, from a seed.

use oxbpf_verifier::scalar::Scalar;

/// A stream of numbers (xorshift64*).
pub struct Random(u64);

impl Random {
    /// The stream of this seed.
    pub fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// Any number.
    pub fn word(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number below `n`.
    pub fn below(&mut self, n: usize) -> usize {
        ((self.word() >> 32) as usize) % n
    }

    /// True once in `n`.
    pub fn once_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    /// One of these.
    pub fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }

    /// A number as programs have them: small, a power of two and its neighbours, at the edge of a word, or any.
    pub fn number(&mut self) -> u64 {
        let near = self.below(3) as u64;
        match self.below(8) {
            0 | 1 => self.word() % 16,
            2 => self.word() % 1024,
            3 => (1u64 << self.below(64)).wrapping_add(near).wrapping_sub(1),
            4 => (self.word() % 16).wrapping_neg(),
            5 => self.pick(&[0x7f, 0x7fff, 0x7fff_ffff, 0xffff_ffff, i64::MAX as u64, 0xff, 0xffff]) + near,
            6 => self.word() >> self.below(64),
            _ => ((self.word() as i64) >> self.below(64)) as u64,
        }
    }

    /// A number at or near one of the scalar's bounds.
    pub fn bound(&mut self, scalar: &Scalar) -> u64 {
        let bounds = [
            scalar.umin,
            scalar.umax,
            scalar.smin as u64,
            scalar.smax as u64,
            scalar.u32_min.into(),
            scalar.u32_max.into(),
            scalar.s32_min as u64,
            scalar.s32_max as u64,
            scalar.tnum.value,
            scalar.tnum.mask,
            scalar.umin / 2 + scalar.umax / 2,
            (scalar.smin / 2 + scalar.smax / 2) as u64,
            (scalar.s32_min / 2 + scalar.s32_max / 2) as u64,
        ];
        self.pick(&bounds).wrapping_add(self.below(5) as u64).wrapping_sub(2)
    }
}
