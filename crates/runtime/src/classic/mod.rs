//! A packet as classic programs see it: loads with their origins, netlink attributes, the payload's offset.
//!
//! Nothing is copied; the direct classic interpreter and the helpers of migrated programs both look through a [`PacketView`].

mod dissect;
mod flow;

use oxbpf_isa::cbpf::{LL_OFF, NET_OFF};

use crate::skb::{ETH_HLEN, Link};

/// The bytes of a packet and where a program finds what in them.
#[derive(Clone, Copy, Debug)]
pub struct PacketView<'a> {
    /// From the link header on.
    whole: &'a [u8],
    /// From what the program sees first.
    data: &'a [u8],
    /// Where the network header is in `whole`.
    network: usize,
}

impl<'a> PacketView<'a> {
    /// A packet that starts with this kind of header; `skip_link` makes the program see it from the network header on.
    pub fn new(bytes: &'a [u8], link: Link, skip_link: bool) -> PacketView<'a> {
        let header = match link {
            Link::Ethernet => ETH_HLEN.min(bytes.len()),
            Link::Ip => 0,
        };
        PacketView::at(bytes, if skip_link { header } else { 0 }, header)
    }

    /// A packet of which the program sees first what stands at `data`; the network header is at `network`.
    ///
    /// An offset behind the packet's end counts as the end.
    pub fn at(whole: &'a [u8], data: usize, network: usize) -> PacketView<'a> {
        PacketView { whole, data: &whole[data.min(whole.len())..], network: network.min(whole.len()) }
    }

    /// What the program sees, from offset 0 on.
    pub fn data(&self) -> &'a [u8] {
        self.data
    }

    /// `N` bytes at an offset as loads name it: from what the program sees first, or from the network or link header
    /// (`SKF_NET_OFF`, `SKF_LL_OFF`). None where any of them is out of range.
    #[inline(always)]
    pub fn load<const N: usize>(&self, off: u32) -> Option<[u8; N]> {
        match self.load_data(off) {
            None if off >= LL_OFF => self.header_load(off),
            loaded => loaded,
        }
    }

    /// The same without what is relative to a header: none for offsets from [`LL_OFF`] on.
    #[inline(always)]
    pub fn load_data<const N: usize>(&self, off: u32) -> Option<[u8; N]> {
        let at = off as usize;
        self.data.get(at..at.wrapping_add(N)).and_then(|bytes| bytes.first_chunk()).copied()
    }

    #[cold]
    #[inline(never)]
    fn header_load<const N: usize>(&self, off: u32) -> Option<[u8; N]> {
        let at = match off {
            NET_OFF.. => self.network + (off - NET_OFF) as usize,
            LL_OFF.. => (off - LL_OFF) as usize,
            _ => return None,
        };
        self.whole.get(at..)?.first_chunk().copied()
    }

    /// The offset of the first netlink attribute of a type among those that start at `at`; 0 where there is none.
    ///
    /// Attributes have their length and type in the byte order of x86-64 and arm64 hosts, little-endian.
    pub fn nlattr(&self, at: u32, kind: u32) -> u32 {
        match self.data.get(at as usize..) {
            Some(rest) => find(rest, kind).map_or(0, |found| at + found as u32),
            None => 0,
        }
    }

    /// The same inside the attribute at `at`.
    pub fn nlattr_nest(&self, at: u32, kind: u32) -> u32 {
        let Some(rest) = self.data.get(at as usize..) else { return 0 };
        let Some(&[l, h, _, _]) = rest.first_chunk() else { return 0 };
        let len = usize::from(u16::from_le_bytes([l, h]));
        match rest.get(NLA_HDRLEN..len) {
            Some(inner) => find(inner, kind).map_or(0, |found| at + (NLA_HDRLEN + found) as u32),
            None => 0,
        }
    }

    /// Where the payload behind the headers starts, as far as they are known; 0 where they are not.
    ///
    /// `protocol` is the packet's EtherType in host order.
    pub fn payload_offset(&self, protocol: u16) -> u32 {
        let payload = dissect::payload(self.whole, self.network, protocol);
        // Counted from what the program sees first, which may be behind the link header.
        payload.map_or(0, |at| at.saturating_sub(self.whole.len() - self.data.len()) as u32)
    }

    /// A hash of the packet's flow, the same for both directions, never 0.
    ///
    /// `protocol` is the packet's EtherType in host order. The kernel's is keyed, so that no two hosts have the same.
    pub(crate) fn flow_hash(&self, protocol: u16) -> u32 {
        flow::hash(self.whole.get(self.network..).unwrap_or_default(), protocol)
    }
}

/// Bytes of an attribute's header.
const NLA_HDRLEN: usize = 4;
/// What of an attribute's type is not a flag.
const NLA_TYPE_MASK: u16 = 0x3fff;

/// The offset of the first attribute of a type in a sequence of attributes.
fn find(attributes: &[u8], kind: u32) -> Option<usize> {
    let mut at = 0;
    loop {
        let rest = attributes.get(at..)?;
        let &[l, h, tl, th] = rest.first_chunk()?;
        let len = usize::from(u16::from_le_bytes([l, h]));
        if len < NLA_HDRLEN || len > rest.len() {
            return None;
        }
        if u32::from(u16::from_le_bytes([tl, th]) & NLA_TYPE_MASK) == kind {
            return Some(at);
        }
        at += len.next_multiple_of(4);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loads_know_their_origins() {
        let frame: [u8; 20] = std::array::from_fn(|i| i as u8);
        let from_link = PacketView::new(&frame, Link::Ethernet, false);
        let from_network = PacketView::new(&frame, Link::Ethernet, true);
        assert_eq!(from_link.load::<2>(12), Some([12, 13]));
        assert_eq!(from_network.load::<2>(4), Some([18, 19]));
        assert_eq!(from_network.load::<2>(5), None, "one byte past the end");
        for view in [from_link, from_network] {
            assert_eq!(view.load::<1>(NET_OFF), Some([14]));
            assert_eq!(view.load::<1>(NET_OFF + 6), None);
            assert_eq!(view.load::<4>(LL_OFF + 16), Some([16, 17, 18, 19]));
            assert_eq!(view.load::<4>(LL_OFF + 17), None);
            assert_eq!([LL_OFF - 1, 0x8000_0000, u32::MAX].map(|off| view.load::<1>(off)), [None; 3]);
        }
    }

    #[test]
    fn attributes_are_found_by_type() {
        // Type 1 of 5 bytes, padded; type 2, nested flag set, holding type 3; then one that is too long.
        let bytes = [5, 0, 1, 0, 9, 0, 0, 0, 12, 0, 2, 0x80, 8, 0, 3, 0, 1, 2, 3, 4, 99, 0, 7, 0];
        let view = PacketView::at(&bytes, 0, 0);
        assert_eq!([0, 1, 2, 7].map(|kind| view.nlattr(0, kind)), [0, 0, 8, 0], "offset 0 says nothing too");
        assert_eq!(view.nlattr(8, 2), 8);
        assert_eq!([view.nlattr_nest(8, 3), view.nlattr_nest(8, 2), view.nlattr_nest(0, 3)], [12, 0, 0]);
        assert_eq!([view.nlattr(21, 0), view.nlattr(u32::MAX, 0), view.nlattr_nest(20, 0)], [0; 3]);
    }
}
