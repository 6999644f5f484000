//! Time in a pcapng interface: units of its own, and an offset.

const NS_PER_SECOND: u64 = 1_000_000_000;

/// How an interface's units become nanoseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Clock {
    scale: Scale,
    /// Seconds to add.
    offset_s: i64,
}

/// Units to nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scale {
    /// A unit is so many nanoseconds.
    Times(u64),
    /// A nanosecond is so many units; rounded down.
    Over(u128),
    /// A second is two to the power of so many units; rounded down.
    Binary(u8),
}

impl Clock {
    /// Microseconds since 1970: what holds where an interface says nothing.
    pub(crate) const MICRO: Clock = Clock { scale: Scale::Times(1_000), offset_s: 0 };

    /// The clock of `if_tsresol` and `if_tsoffset`.
    ///
    /// The resolution's uppermost bit chooses the base, ten or two; the rest is the negative exponent.
    pub(crate) fn new(resolution: u8, offset_s: i64) -> Clock {
        let exponent = resolution & 0x7f;
        let scale = match (resolution & 0x80, exponent) {
            (0, 0..=9) => Scale::Times(10_u64.pow(9 - u32::from(exponent))),
            // From 10^-47 on, no number of units makes a nanosecond.
            (0, _) => Scale::Over(10_u128.checked_pow(u32::from(exponent) - 9).unwrap_or(u128::MAX)),
            _ => Scale::Binary(exponent),
        };
        Clock { scale, offset_s }
    }

    /// Nanoseconds since 1970, or none where 64 bits do not hold them (1970 to 2554).
    #[inline]
    pub(crate) fn ns(self, units: u64) -> Option<u64> {
        let since = match self.scale {
            Scale::Times(unit_ns) => match units.checked_mul(unit_ns) {
                Some(ns) if self.offset_s == 0 => return Some(ns),
                _ => u128::from(units) * u128::from(unit_ns),
            },
            Scale::Over(units_per_ns) => u128::from(units) / units_per_ns,
            // Below 2^94, and the exponent below 128.
            Scale::Binary(exponent) => (u128::from(units) * u128::from(NS_PER_SECOND)) >> exponent,
        };
        let offset_ns = i128::from(self.offset_s) * i128::from(NS_PER_SECOND);
        u64::try_from(since as i128 + offset_ns).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_of_every_base_become_nanoseconds() {
        let rows = [
            (0, 0, 3, Some(3_000_000_000)),
            (6, 0, 1_704_067_200_123_456, Some(1_704_067_200_123_456_000)),
            (7, 0, 15, Some(1_500)),
            (9, 0, u64::MAX, Some(u64::MAX)),
            (12, 0, 1_999, Some(1)),
            (28, 0, u64::MAX, Some(1)),
            (127, 0, u64::MAX, Some(0)),
            (0x80, 0, 3, Some(3_000_000_000)),
            (0x80 | 20, 0, 1 << 20, Some(1_000_000_000)),
            (0x80 | 32, 0, 1 << 31, Some(500_000_000)),
            (0x80 | 127, 0, u64::MAX, Some(0)),
            (9, -1, 1_000_000_001, Some(1)),
            (9, -2, 1_000_000_001, None),
            (6, 1_704_067_200, 7, Some(1_704_067_200_000_007_000)),
            (0, 0, u64::MAX, None),
            (0, -1_000, 18_446_744_073 + 1_000, Some(18_446_744_073_000_000_000)),
            (9, i64::MIN, 0, None),
            (9, i64::MAX, u64::MAX, None),
        ];
        for (resolution, offset, units, ns) in rows {
            assert_eq!(Clock::new(resolution, offset).ns(units), ns, "{units} of {resolution:#x}, offset {offset}");
        }
        assert_eq!(Clock::new(6, 0), Clock::MICRO);
    }
}
