//! The Internet checksum in the forms the kernel's helpers use (RFC 1071, RFC 1624).
//!
//! A partial sum is 32 bits of ones' complement; only its value modulo 0xffff has meaning, and zero has two
//! spellings. Which spelling a helper stores is part of its behaviour, so these follow the kernel's order.

/// The partial sum of bytes, as if at an even offset, added to `seed`.
pub fn partial(bytes: &[u8], seed: u32) -> u32 {
    let mut sum = u64::from(seed);
    let mut words = bytes.chunks_exact(4);
    for w in &mut words {
        sum += u64::from(u32::from_le_bytes([w[0], w[1], w[2], w[3]]));
    }
    let rest = words.remainder();
    let mut last = [0u8; 4];
    last[..rest.len()].copy_from_slice(rest);
    sum += u64::from(u32::from_le_bytes(last));
    fold64(sum)
}

/// Folds a 64-bit sum to 32 bits, end-around.
fn fold64(mut sum: u64) -> u32 {
    while sum >> 32 != 0 {
        sum = (sum & 0xffff_ffff) + (sum >> 32);
    }
    sum as u32
}

/// `a + b`, end-around.
pub fn add(a: u32, b: u32) -> u32 {
    fold64(u64::from(a) + u64::from(b))
}

/// `a - b`, end-around.
pub fn sub(a: u32, b: u32) -> u32 {
    add(a, !b)
}

/// A 32-bit sum folded to 16 bits, not complemented.
pub fn to16(sum: u32) -> u16 {
    let once = (sum & 0xffff) + (sum >> 16);
    ((once & 0xffff) + (once >> 16)) as u16
}

/// The checksum field for a partial sum.
pub fn fold(sum: u32) -> u16 {
    !to16(sum)
}

/// The checksum field after data changed by the partial sum `diff`.
pub fn replace_by_diff(field: u16, diff: u32) -> u16 {
    fold(add(diff, !u32::from(field)))
}

/// The checksum field after a 32-bit word changed.
pub fn replace4(field: u16, from: u32, to: u32) -> u16 {
    fold(add(sub(!u32::from(field), from), to))
}

/// The checksum field after a 16-bit word changed.
pub fn replace2(field: u16, from: u16, to: u16) -> u16 {
    let add16 = |a: u16, b: u16| {
        let sum = u32::from(a) + u32::from(b);
        (sum as u16).wrapping_add((sum >> 16) as u16)
    };
    !add16(add16(!field, !from), to)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 1071's plain definition, to compare with.
    fn plain(bytes: &[u8]) -> u16 {
        let mut sum = 0u32;
        for pair in bytes.chunks(2) {
            sum += u32::from(u16::from_le_bytes([pair[0], *pair.get(1).unwrap_or(&0)]));
            sum = (sum & 0xffff) + (sum >> 16);
        }
        !(sum as u16)
    }

    #[test]
    fn sums_of_every_length_agree_with_the_definition() {
        let bytes: Vec<u8> = (0..97u32).map(|i| (i * 71 + 13) as u8).collect();
        for n in 0..bytes.len() {
            assert_eq!(fold(partial(&bytes[..n], 0)), plain(&bytes[..n]), "{n} bytes");
        }
    }

    #[test]
    fn replacing_a_word_equals_summing_anew() {
        let mut bytes: Vec<u8> = (0..20u8).map(|i| i.wrapping_mul(37)).collect();
        let before = plain(&bytes);
        let from = u16::from_le_bytes([bytes[4], bytes[5]]);
        bytes[4..6].copy_from_slice(&0xbeefu16.to_le_bytes());
        assert_eq!(replace2(before, from, 0xbeef), plain(&bytes));
        let before = plain(&bytes);
        let from = u32::from_le_bytes([bytes[8], bytes[9], bytes[10], bytes[11]]);
        bytes[8..12].copy_from_slice(&0x1234_5678u32.to_le_bytes());
        assert_eq!(replace4(before, from, 0x1234_5678), plain(&bytes));
    }
}
