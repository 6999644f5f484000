//! Reading words of either byte order out of a slice, with the offset kept
//! for errors.

use crate::error::BtfError;

/// The magic number that starts BTF and BTF.ext.
const MAGIC: u16 = 0xeb9f;

/// A window of a section that knows where in the section it lies.
#[derive(Clone, Copy)]
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    /// Offset in the section of `bytes[0]`.
    at: usize,
    big_endian: bool,
}

impl<'a> Reader<'a> {
    /// Checks magic number and version; both byte orders are understood.
    pub(crate) fn open(bytes: &'a [u8]) -> Result<Reader<'a>, BtfError> {
        let mut reader = Reader { bytes, at: 0, big_endian: false };
        let head = reader.take(4)?;
        let magic = [head.bytes[0], head.bytes[1]];
        reader.big_endian = match u16::from_le_bytes(magic) {
            MAGIC => false,
            swapped if swapped.swap_bytes() == MAGIC => true,
            found => return Err(BtfError::BadMagic { found }),
        };
        match head.bytes[2] {
            1 => Ok(reader),
            found => Err(BtfError::BadVersion { found }),
        }
    }

    /// Whether words are big-endian.
    pub(crate) fn big_endian(&self) -> bool {
        self.big_endian
    }

    /// Where in the section the next byte lies.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// Whether nothing is left.
    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// What is left, as bytes.
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.bytes
    }

    /// Splits off the next `len` bytes.
    pub(crate) fn take(&mut self, len: usize) -> Result<Reader<'a>, BtfError> {
        let Some((head, tail)) = self.bytes.split_at_checked(len) else {
            let need = len - self.bytes.len();
            let at = self.at + self.bytes.len();
            return Err(BtfError::Truncated { at, need });
        };
        let taken = Reader { bytes: head, ..*self };
        self.bytes = tail;
        self.at += len;
        Ok(taken)
    }

    /// The window from `off` on, `len` bytes long; the reader stays.
    pub(crate) fn window(&self, off: u32, len: u32) -> Result<Reader<'a>, BtfError> {
        let mut from = *self;
        from.take(off as usize)?;
        from.take(len as usize)
    }

    /// The next word.
    pub(crate) fn u32(&mut self) -> Result<u32, BtfError> {
        let word = self.take(4)?;
        let word = [word.bytes[0], word.bytes[1], word.bytes[2], word.bytes[3]];
        Ok(if self.big_endian { u32::from_be_bytes(word) } else { u32::from_le_bytes(word) })
    }
}
