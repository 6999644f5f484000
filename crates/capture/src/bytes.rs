//! Integers of captures, which come in two byte orders.

/// The byte order of a capture's integers; packets themselves have none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ByteOrder {
    /// Least significant byte first.
    Little,
    /// Most significant byte first.
    Big,
}

impl ByteOrder {
    pub(crate) fn u16(self, bytes: [u8; 2]) -> u16 {
        match self {
            ByteOrder::Little => u16::from_le_bytes(bytes),
            ByteOrder::Big => u16::from_be_bytes(bytes),
        }
    }

    pub(crate) fn u32(self, bytes: [u8; 4]) -> u32 {
        match self {
            ByteOrder::Little => u32::from_le_bytes(bytes),
            ByteOrder::Big => u32::from_be_bytes(bytes),
        }
    }

    /// The 16 bits at `at`, which is a constant within `bytes`.
    #[inline]
    pub(crate) fn get16<const SIZE: usize>(self, bytes: &[u8; SIZE], at: usize) -> u16 {
        self.u16([bytes[at], bytes[at + 1]])
    }

    /// The 32 bits at `at`, which is a constant within `bytes`.
    #[inline]
    pub(crate) fn get32<const SIZE: usize>(self, bytes: &[u8; SIZE], at: usize) -> u32 {
        self.u32([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
    }

    /// `values` one after the other; `SIZE` is four times `N`.
    pub(crate) fn put32s<const N: usize, const SIZE: usize>(self, values: [u32; N]) -> [u8; SIZE] {
        const { assert!(SIZE == 4 * N) };
        let mut bytes = [0; SIZE];
        for (slot, value) in bytes.chunks_exact_mut(4).zip(values) {
            slot.copy_from_slice(&match self {
                ByteOrder::Little => value.to_le_bytes(),
                ByteOrder::Big => value.to_be_bytes(),
            });
        }
        bytes
    }
}
