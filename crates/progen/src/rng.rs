//! The seeded source of choices: small, fast, the same everywhere.

/// A splitmix64 sequence.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rng(u64);

impl Rng {
    pub(crate) fn new(seed: u64) -> Rng {
        // Neighbouring seeds are one step apart in the raw sequence; the multiplication moves them away.
        Rng(seed.wrapping_mul(0xd134_2543_de82_ef95).wrapping_add(0x9e37_79b9_7f4a_7c15))
    }

    pub(crate) fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `n`; 0 where `n` is 0.
    pub(crate) fn below(&mut self, n: u32) -> u32 {
        ((u64::from(self.word() as u32) * u64::from(n)) >> 32) as u32
    }

    /// A number from `lo` to `hi`, both included.
    pub(crate) fn range(&mut self, lo: u32, hi: u32) -> u32 {
        lo + self.below(hi - lo + 1)
    }

    /// True in `percent` of 100 cases.
    pub(crate) fn chance(&mut self, percent: u32) -> bool {
        self.below(100) < percent
    }

    /// One of a non-empty list.
    pub(crate) fn pick<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.below(list.len() as u32) as usize]
    }

    /// A row of a non-empty list, as likely as its weight says.
    pub(crate) fn weighted<T: Copy>(&mut self, list: &[(u32, T)]) -> T {
        let total = list.iter().map(|(w, _)| w).sum();
        let mut at = self.below(total);
        for &(weight, item) in list {
            if at < weight {
                return item;
            }
            at -= weight;
        }
        list[0].1
    }

    pub(crate) fn bytes(&mut self, len: usize) -> Vec<u8> {
        let mut out = Vec::with_capacity(len + 8);
        while out.len() < len {
            out.extend_from_slice(&self.word().to_le_bytes());
        }
        out.truncate(len);
        out
    }

    /// An immediate: often small, often at an edge, else anything.
    pub(crate) fn imm(&mut self) -> i32 {
        match self.below(10) {
            0..=2 => self.below(17) as i32,
            3 => -(self.range(1, 16) as i32),
            4 => self.pick(&EDGES),
            5 => (1i32 << self.below(31)).wrapping_add(self.below(3) as i32 - 1),
            6 => self.below(0x10000) as i32,
            _ => self.word() as i32,
        }
    }

    /// A 64-bit constant: edges of both widths, else anything.
    pub(crate) fn imm64(&mut self) -> u64 {
        match self.below(6) {
            0 => self.imm() as i64 as u64,
            1 => u64::from(self.imm() as u32),
            2 => (1u64 << self.below(64)).wrapping_sub(u64::from(self.below(2))),
            3 => self.pick(&EDGES64),
            _ => self.word(),
        }
    }
}

const EDGES: [i32; 10] = [0, 1, -1, i32::MIN, i32::MAX, i32::MIN + 1, 0x7fff, 0x8000, 0xff, -0x8000];

const EDGES64: [u64; 6] = [1 << 63, u64::MAX, i64::MAX as u64, 0xffff_ffff, 0x1_0000_0000, 0x8000_0000];
