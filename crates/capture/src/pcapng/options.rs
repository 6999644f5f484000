//! Options: what pcapng blocks carry behind their fixed fields.
//!
//! ```text
//!   0      2        4                     padded to 4
//!   ┌──────┬────────┬────────┬─────────┐
//!   │ code │ length │ value… │ padding │  …until code 0 or the block's end
//!   └──────┴────────┴────────┴─────────┘
//! ```

use crate::bytes::ByteOrder;
use crate::error::CaptureErrorKind;

/// Option codes that are looked at; 1 is the same in every block.
pub(crate) mod code {
    pub(crate) const COMMENT: u16 = 1;
    pub(crate) const SHB_USERAPPL: u16 = 4;
    pub(crate) const IF_NAME: u16 = 2;
    pub(crate) const IF_TSRESOL: u16 = 9;
    pub(crate) const IF_TSOFFSET: u16 = 14;
}

/// The options of one block, as they stand there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Options<'a> {
    order: ByteOrder,
    bytes: &'a [u8],
}

impl<'a> Options<'a> {
    /// What a packet has that cannot have options.
    pub(crate) const NONE: Options<'static> = Options { order: ByteOrder::Little, bytes: &[] };

    pub(crate) fn new(order: ByteOrder, bytes: &'a [u8]) -> Options<'a> {
        Options { order, bytes }
    }

    /// The next option: its code and value. None at the end; an error where it does not fit into the block.
    fn pop(&mut self) -> Result<Option<(u16, &'a [u8])>, CaptureErrorKind> {
        let Some((head, rest)) = self.bytes.split_first_chunk::<4>() else {
            // Less than an option's head is padding.
            return Ok(None);
        };
        let (code, len) = (self.order.get16(head, 0), usize::from(self.order.get16(head, 2)));
        if code == 0 {
            return Ok(None);
        }
        let Some(value) = rest.get(..len) else {
            return Err(CaptureErrorKind::Option { code, len, room: rest.len() });
        };
        // The block's length is a multiple of four, so that only its end can lack padding.
        self.bytes = rest.get(len.next_multiple_of(4)..).unwrap_or_default();
        Ok(Some((code, value)))
    }

    /// Calls `each` with all options; fails at the first that does not fit into the block, or with its error.
    pub(crate) fn read(
        mut self,
        mut each: impl FnMut(u16, &'a [u8]) -> Result<(), CaptureErrorKind>,
    ) -> Result<(), CaptureErrorKind> {
        while let Some((code, value)) = self.pop()? {
            each(code, value)?;
        }
        Ok(())
    }
}

impl<'a> Iterator for Options<'a> {
    type Item = (u16, &'a [u8]);

    /// The next option; one that does not fit into the block ends the iteration.
    fn next(&mut self) -> Option<(u16, &'a [u8])> {
        self.pop().ok().flatten()
    }
}

/// Appends an option; a value beyond 65,535 bytes is cut off, which callers of text do at a character.
pub(crate) fn put(order: ByteOrder, to: &mut Vec<u8>, code: u16, value: &[u8]) {
    let value = &value[..value.len().min(usize::from(u16::MAX))];
    let put16 = |v: u16| match order {
        ByteOrder::Little => v.to_le_bytes(),
        ByteOrder::Big => v.to_be_bytes(),
    };
    to.extend(put16(code));
    to.extend(put16(value.len() as u16));
    to.extend(value);
    to.resize(to.len().next_multiple_of(4), 0);
}

/// Appends text as an option, cut off at a character where it is too long for one.
pub(crate) fn put_text(order: ByteOrder, to: &mut Vec<u8>, code: u16, text: &str) {
    let end = text.floor_char_boundary(usize::from(u16::MAX));
    put(order, to, code, &text.as_bytes()[..end]);
}
