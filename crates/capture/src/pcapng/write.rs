//! pcapng's blocks as bytes: one little-endian section, nanoseconds.

use super::options::{code, put, put_text};
use super::{BYTE_ORDER_MAGIC, FRAME, kind};
use crate::bytes::ByteOrder;
use crate::error::CaptureErrorKind;
use crate::interface::Interface;

/// The byte order of what is written.
const ORDER: ByteOrder = ByteOrder::Little;
/// 10^-9 seconds.
const NANOSECONDS: u8 = 9;

/// The start of a section of unknown length.
pub(crate) fn section(block: &mut Vec<u8>) {
    let start = open(block, kind::SECTION);
    block.extend(BYTE_ORDER_MAGIC.to_le_bytes());
    block.extend([1, 0, 0, 0]);
    block.extend(u64::MAX.to_le_bytes());
    put_text(ORDER, block, code::SHB_USERAPPL, concat!("oxbpf ", env!("CARGO_PKG_VERSION")));
    put(ORDER, block, 0, &[]);
    close(block, start);
}

/// An interface, whose packets' times are nanoseconds.
pub(crate) fn interface(block: &mut Vec<u8>, interface: &Interface) -> Result<(), CaptureErrorKind> {
    let link_type = interface.link_type;
    let number = u16::try_from(link_type.0).map_err(|_| CaptureErrorKind::LinkRange { link_type })?;
    let start = open(block, kind::INTERFACE);
    block.extend(number.to_le_bytes());
    block.extend([0, 0]);
    block.extend(interface.snaplen.to_le_bytes());
    if let Some(name) = &interface.name {
        put_text(ORDER, block, code::IF_NAME, name);
    }
    put(ORDER, block, code::IF_TSRESOL, &[NANOSECONDS]);
    put(ORDER, block, 0, &[]);
    close(block, start);
    Ok(())
}

/// An enhanced packet block. `data` is within what a packet may have.
pub(crate) fn packet(block: &mut Vec<u8>, interface: u32, time_ns: u64, len: u32, data: &[u8], comments: &[&str]) {
    let start = open(block, kind::ENHANCED_PACKET);
    let fields = [interface, (time_ns >> 32) as u32, time_ns as u32, data.len() as u32, len];
    block.extend(ORDER.put32s::<5, 20>(fields));
    block.extend(data);
    block.resize(block.len().next_multiple_of(4), 0);
    for comment in comments {
        put_text(ORDER, block, code::COMMENT, comment);
    }
    if !comments.is_empty() {
        put(ORDER, block, 0, &[]);
    }
    close(block, start);
}

/// Begins a block; its length is filled in by [`close`].
fn open(block: &mut Vec<u8>, kind: u32) -> usize {
    let start = block.len();
    block.extend(ORDER.put32s::<2, 8>([kind, 0]));
    start
}

/// Ends the block that begins at `start`. Blocks begin at multiples of four.
fn close(block: &mut Vec<u8>, start: usize) {
    let len = (block.len() - start + FRAME - 8) as u32;
    block[start + 4..start + 8].copy_from_slice(&len.to_le_bytes());
    block.extend(len.to_le_bytes());
}
