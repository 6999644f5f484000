//! The pcapng format: blocks, and what those that are read say.
//!
//! ```text
//!   0      4        8                 length-4  length
//!   ┌──────┬────────┬─────── … ───────┬────────┐
//!   │ type │ length │ body, padded    │ length │
//!   └──────┴────────┴─────── … ───────┴────────┘
//! ```
//!
//! A file is a sequence of sections; each begins with a section header block, which says the byte order of what follows,
//! and has its own interfaces. Blocks of other types than those read here are passed over, however long they are.
//!
//! These blocks are read here and not by `pcap-file`, which copies or re-parses every option and interface for each
//! packet (a tenth of the packets per second, see `docs/captures.md`), and whose errors have no place. The tests read with it beside us.

mod clock;
pub(crate) mod options;
mod packet;
mod section;
pub(crate) mod write;

pub(crate) use clock::Clock;
pub(crate) use packet::Found;
pub(crate) use section::{Section, text};

use crate::bytes::ByteOrder;
use crate::error::CaptureErrorKind;

/// Block types, as the file's integers.
pub(crate) mod kind {
    pub(crate) const INTERFACE: u32 = 1;
    /// The obsolete one.
    pub(crate) const PACKET: u32 = 2;
    pub(crate) const SIMPLE_PACKET: u32 = 3;
    pub(crate) const ENHANCED_PACKET: u32 = 6;
    /// The same in both byte orders.
    pub(crate) const SECTION: u32 = 0x0a0d_0d0a;
}

/// The first four bytes of a file.
pub(crate) const MAGIC: [u8; 4] = kind::SECTION.to_le_bytes();
/// The first integer in a section header's body.
pub(crate) const BYTE_ORDER_MAGIC: u32 = 0x1a2b_3c4d;
/// Type and the two lengths; and the least of a block that is looked at to tell where it ends.
pub(crate) const FRAME: usize = 12;
/// The most bytes of a block whose content is looked at, as in libpcap: a packet and many comments, and a bound on the
/// reader's buffer. Blocks that are passed over may be longer.
pub(crate) const MAX_BLOCK: usize = 16 << 20;
/// The most interfaces of a section: a bound on memory.
pub(crate) const MAX_INTERFACES: usize = 65_536;

/// The start of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) kind: u32,
    /// Its length, a multiple of four of at least [`FRAME`].
    pub(crate) len: u32,
    /// The byte order of its integers: a section header says its own.
    pub(crate) order: ByteOrder,
}

impl Head {
    /// Reads the start of a block in a section of this byte order.
    pub(crate) fn decode(order: ByteOrder, bytes: &[u8; FRAME]) -> Result<Head, CaptureErrorKind> {
        let kind = order.get32(bytes, 0);
        let order = if kind == kind::SECTION { section_order(bytes)? } else { order };
        let len = order.get32(bytes, 4);
        let why = match len {
            _ if !len.is_multiple_of(4) => "that is no multiple of 4",
            _ if (len as usize) < FRAME => "a block has at least 12",
            _ => return Ok(Head { kind, len, order }),
        };
        Err(CaptureErrorKind::BlockLength { len, why })
    }

    /// Whether the block's content is looked at.
    pub(crate) fn known(self) -> bool {
        matches!(
            self.kind,
            kind::ENHANCED_PACKET | kind::SIMPLE_PACKET | kind::PACKET | kind::INTERFACE | kind::SECTION
        )
    }

    /// Whether the block is a packet.
    pub(crate) fn packet(self) -> bool {
        matches!(self.kind, kind::ENHANCED_PACKET | kind::SIMPLE_PACKET | kind::PACKET)
    }

    /// What the block is called.
    pub(crate) fn name(self) -> &'static str {
        match self.kind {
            kind::ENHANCED_PACKET => "enhanced packet block",
            kind::SIMPLE_PACKET => "simple packet block",
            kind::PACKET => "packet block",
            kind::INTERFACE => "interface description block",
            kind::SECTION => "section header block",
            _ => "block",
        }
    }

    /// Checks that a block ends as it begins, with its length.
    pub(crate) fn check_end(self, trailer: [u8; 4]) -> Result<(), CaptureErrorKind> {
        let behind = self.order.u32(trailer);
        if behind == self.len { Ok(()) } else { Err(CaptureErrorKind::BlockTrailer { front: self.len, behind }) }
    }
}

/// The byte order that a section header says.
fn section_order(bytes: &[u8; FRAME]) -> Result<ByteOrder, CaptureErrorKind> {
    let orders = [ByteOrder::Little, ByteOrder::Big];
    let found = orders.into_iter().find(|order| order.get32(bytes, 8) == BYTE_ORDER_MAGIC);
    found.ok_or(CaptureErrorKind::SectionMagic { found: [bytes[8], bytes[9], bytes[10], bytes[11]] })
}

/// The fixed fields at the start of a block's body, or an error that says how much is missing.
pub(crate) fn fixed<const SIZE: usize>(head: Head, body: &[u8]) -> Result<(&[u8; SIZE], &[u8]), CaptureErrorKind> {
    body.split_first_chunk().ok_or(CaptureErrorKind::BlockBody {
        block: head.name(),
        wanted: SIZE as u64,
        got: body.len(),
    })
}
