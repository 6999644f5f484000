//! Bits in little-endian bytes, the order of BPF's data.

/// The widest field that is read or written as a number.
pub(super) const MAX_BITS: u32 = 128;

/// `width` bits from bit `at` on; none if they lie outside.
pub(super) fn read(bytes: &[u8], at: u64, width: u32) -> Option<u128> {
    debug_assert!(width <= MAX_BITS);
    let end = at.checked_add(width.into())?;
    if end > bytes.len() as u64 * 8 {
        return None;
    }
    let mut value = 0u128;
    let mut done = 0;
    while done < width {
        let bit = at + u64::from(done);
        let (byte, low) = (bytes[(bit / 8) as usize], (bit % 8) as u32);
        let count = (8 - low).min(width - done);
        let part = u128::from(byte >> low) & ((1 << count) - 1);
        value |= part << done;
        done += count;
    }
    Some(value)
}

/// Writes the low `width` bits of `value` from bit `at` on; false if they lie outside.
pub(super) fn write(bytes: &mut [u8], at: u64, width: u32, value: u128) -> bool {
    debug_assert!(width <= MAX_BITS);
    if at.checked_add(width.into()).is_none_or(|end| end > bytes.len() as u64 * 8) {
        return false;
    }
    let mut done = 0;
    while done < width {
        let bit = at + u64::from(done);
        let (byte, low) = (&mut bytes[(bit / 8) as usize], (bit % 8) as u32);
        let count = (8 - low).min(width - done);
        let mask = ((1u16 << count) - 1) << low;
        let part = ((value >> done) as u16) << low;
        *byte = *byte & !mask as u8 | (part & mask) as u8;
        done += count;
    }
    true
}

/// The low `width` bits as a signed number.
pub(super) fn sign_extend(value: u128, width: u32) -> i128 {
    debug_assert!((1..=MAX_BITS).contains(&width));
    let up = MAX_BITS - width;
    (value << up).cast_signed() >> up
}

#[cfg(test)]
mod tests {
    use super::{read, sign_extend, write};

    #[test]
    fn what_is_written_at_any_bit_is_read_there_and_nowhere_else() {
        for at in 0..17 {
            for width in [1, 3, 7, 8, 9, 31, 64, 127] {
                let value = 0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835_u128 & ((1 << width) - 1);
                for ground in [0x00, 0xff] {
                    let mut bytes = [ground; 19];
                    assert!(write(&mut bytes, at, width, value));
                    assert_eq!(read(&bytes, at, width), Some(value));
                    assert!(write(&mut bytes, at, width, if ground == 0 { 0 } else { u128::MAX }));
                    assert_eq!(bytes, [ground; 19]);
                }
            }
        }
        assert_eq!(read(&[0; 2], 9, 8), None);
        assert!(!write(&mut [0; 2], u64::MAX, 8, 0));
        assert_eq!((sign_extend(5, 3), sign_extend(3, 3), sign_extend(1, 1)), (-3, 3, -1));
    }
}
