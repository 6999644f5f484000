//! Blocks that are packets.

use super::{Head, Section, fixed, kind};
use crate::bytes::ByteOrder;
use crate::error::CaptureErrorKind;
use crate::pcap::MAX_CAPTURED;

/// A packet in its block's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) interface: u32,
    pub(crate) time_ns: u64,
    /// Where its bytes begin in the body, and how many were captured.
    pub(crate) at: usize,
    pub(crate) captured: usize,
    pub(crate) len: u32,
    /// Where options begin in the body; its end where there are none.
    pub(crate) options: usize,
}

impl Section {
    /// The common case at once: an enhanced packet block that is whole in `bytes` and in order, and its length. With none
    /// the reader goes the long way, which reads the same of it and says what is wrong.
    #[inline]
    pub(crate) fn ready(&self, bytes: &[u8]) -> Option<(usize, Found)> {
        match self.order {
            ByteOrder::Little => self.enhanced(bytes, u32::from_le_bytes),
            ByteOrder::Big => self.enhanced(bytes, u32::from_be_bytes),
        }
    }

    #[inline(always)]
    fn enhanced(&self, bytes: &[u8], int: impl Fn([u8; 4]) -> u32) -> Option<(usize, Found)> {
        const FIXED: usize = 8 + 20;
        let (fields, _) = bytes.first_chunk::<FIXED>()?.as_chunks::<4>();
        let [kind, len, interface, high, low, captured, original] = <[[u8; 4]; 7]>::try_from(fields).ok()?.map(&int);
        let (len, captured) = (len as usize, captured as usize);
        let room = len.checked_sub(FIXED + 4)?;
        if kind != kind::ENHANCED_PACKET || captured > room.min(MAX_CAPTURED) || !len.is_multiple_of(4) {
            return None;
        }
        let trailer = bytes.get(len - 4..len)?.first_chunk::<4>()?;
        if int(*trailer) as usize != len {
            return None;
        }
        let units = u64::from(high) << 32 | u64::from(low);
        let time_ns = self.interfaces.get(interface as usize)?.clock.ns(units)?;
        let options = 20 + captured.next_multiple_of(4);
        Some((len, Found { interface, time_ns, at: 20, captured, len: original, options }))
    }

    /// Finds the packet in a packet block's body.
    pub(crate) fn packet(&self, head: Head, body: &[u8]) -> Result<Found, CaptureErrorKind> {
        let order = self.order;
        match head.kind {
            kind::ENHANCED_PACKET => {
                let (fields, _) = fixed::<20>(head, body)?;
                let field = |i: usize| order.get32(fields, 4 * i);
                self.timed(head, body, field(0), [field(1), field(2), field(3), field(4)])
            }
            kind::PACKET => {
                let (fields, _) = fixed::<20>(head, body)?;
                let field = |i: usize| order.get32(fields, 4 * i);
                let interface = order.get16(fields, 0).into();
                self.timed(head, body, interface, [field(1), field(2), field(3), field(4)])
            }
            _ => self.simple(head, body),
        }
    }

    /// A packet with interface, time in two halves, captured and original length, which make 20 bytes.
    fn timed(
        &self,
        head: Head,
        body: &[u8],
        interface: u32,
        [high, low, captured, len]: [u32; 4],
    ) -> Result<Found, CaptureErrorKind> {
        let clock = self.interface(interface)?.clock;
        let units = u64::from(high) << 32 | u64::from(low);
        let time_ns = clock.ns(units).ok_or(CaptureErrorKind::Clock { units })?;
        let captured = bounded(head, captured, body, 20)?;
        let options = (20 + captured).next_multiple_of(4).min(body.len());
        Ok(Found { interface, time_ns, at: 20, captured, len, options })
    }

    /// A packet of the first interface, without time; its length is cut by the interface's snaplen.
    fn simple(&self, head: Head, body: &[u8]) -> Result<Found, CaptureErrorKind> {
        let (fields, _) = fixed::<4>(head, body)?;
        let len = self.order.get32(fields, 0);
        let captured = match self.interface(0)?.snaplen {
            0 => len,
            snaplen => len.min(snaplen),
        };
        let captured = bounded(head, captured, body, 4)?;
        Ok(Found { interface: 0, time_ns: 0, at: 4, captured, len, options: body.len() })
    }
}

/// The captured length, where a packet may have so many bytes and the body has them behind its `fixed` fields.
fn bounded(head: Head, captured: u32, body: &[u8], fixed: usize) -> Result<usize, CaptureErrorKind> {
    if captured as usize > MAX_CAPTURED {
        return Err(CaptureErrorKind::RecordSize { captured: captured.into() });
    }
    let wanted = fixed + captured as usize;
    if wanted > body.len() {
        return Err(CaptureErrorKind::BlockBody { block: head.name(), wanted: wanted as u64, got: body.len() });
    }
    Ok(captured as usize)
}
