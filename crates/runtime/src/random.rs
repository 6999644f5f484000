//! Random numbers that repeat.

/// What programs get as random: a sequence for each packet and CPU, so that results do not depend on who runs which
/// packet, nor on what ran before (SplitMix64).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Random(u64);

impl Random {
    /// The sequence of one run.
    pub const fn of_run(seed: u64, number: u64, cpu: u32) -> Random {
        Random(seed ^ number.wrapping_mul(0xd134_2543_de82_ef95) ^ (cpu as u64) << 48)
    }

    /// The next number.
    pub const fn next_u32(&mut self) -> u32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ z >> 31) >> 32) as u32
    }
}
