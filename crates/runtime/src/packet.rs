//! The packet: one buffer per [`crate::Vm`], filled anew for each run, its region cut to the packet's ends.

use oxbpf_abi::layout::SkBuff;
use oxbpf_abi::{PacketAccess, ProgType};

use crate::memory::{ArenaError, Block, Memory, Region, RegionId, RegionKind};
use crate::skb::{ETH_HLEN, Link};

/// The longest packet: what capture files carry at most.
pub const MAX_PACKET: usize = 262_144;
/// Room before the packet, for headers that programs push. Two past a multiple of eight: after an Ethernet header,
/// network headers are then aligned.
const HEADROOM: usize = 4096 + 2;
/// What there is in all: a packet of the greatest length can still grow by what one helper adds.
const CAPACITY: usize = HEADROOM + MAX_PACKET + 4096 + SLACK;
/// Bytes behind the packet that may be looked at. The kernel makes room behind an IPv6 header that the packet does not have.
const SLACK: usize = 64;
/// Bytes of a VLAN tag.
pub(crate) const VLAN_HLEN: usize = 4;
/// Bytes of two MAC addresses, behind which tags stand.
const ADDRESSES: usize = 12;
/// What XDP programs may use before the packet, and where a page ends behind it: the kernel's 256 bytes of headroom
/// hold its own 40 at the start, and its own 320 end the page.
const XDP_HEADROOM: usize = 216;
const XDP_ROOM: usize = 3520;

/// What helpers know of a packet and no program reads.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct PacketMeta {
    /// Whether `hash` holds the flow's hash, which may be 0.
    pub(crate) hash_known: bool,
    /// Whether a header was put around the packet by `skb_adjust_room`.
    pub(crate) encapsulated: bool,
    /// Whether the kernel knows that a packet which stands for several is of some kind, though not of which.
    pub(crate) gso_typed: bool,
    /// The checksums, less one, that are said to be right.
    pub(crate) verified: Option<u8>,
}

/// Where things are in the bytes from the link header on.
pub(crate) struct Layout {
    /// What the program sees first.
    pub(crate) data: usize,
    /// The network header.
    pub(crate) network: usize,
    /// How many bytes there are.
    pub(crate) len: usize,
}

/// The packet buffer and where things are in it.
#[derive(Debug)]
pub(crate) struct Packet {
    block: Block,
    region: RegionId,
    /// Offsets in the block: of the link header, of the metadata before the packet, of what the program sees first,
    /// of the network header, of the end.
    mac: usize,
    meta: usize,
    data: usize,
    network: usize,
    end: usize,
    /// The lowest offset that a run has used, below which all is zero.
    lowest: usize,
    /// How far XDP programs may move the packet's end.
    limit: usize,
    /// What the kernel's own book of a packet would say, which shows in the least length that a packet may be cut to:
    /// bytes before the packet in its buffer, and where in the buffer the transport header is.
    headroom: usize,
    transport: u16,
}

/// What stands for a transport header that nobody looked for.
const NO_TRANSPORT: u16 = 0xffff;
/// Bytes before a packet in a new buffer, of which more are made at a time (`NET_SKB_PAD`).
const PAD: usize = 64;

impl Packet {
    pub(crate) fn new(prog_type: ProgType, memory: &mut Memory) -> Result<Packet, ArenaError> {
        let block = memory.alloc(CAPACITY)?;
        let writable = prog_type.row().packet == PacketAccess::Write;
        let region = Region { writable, ..Region::new("packet", RegionKind::Packet, 0) };
        let region = memory.add_region(block, HEADROOM as u64, region);
        let at = HEADROOM;
        Ok(Packet {
            block,
            region,
            mac: at,
            meta: at,
            data: at,
            network: at,
            end: at,
            lowest: at,
            limit: at,
            headroom: PAD,
            transport: NO_TRANSPORT,
        })
    }

    /// Puts a packet in place; `skip_link` makes the program see it from the network header on.
    ///
    /// `bytes` is at most [`MAX_PACKET`] long, which engines see to; more is cut off.
    pub(crate) fn fill(&mut self, bytes: &[u8], link: Link, skip_link: bool, skb: &mut SkBuff, memory: &mut Memory) {
        let bytes = &bytes[..bytes.len().min(MAX_PACKET)];
        let header = match link {
            Link::Ethernet => ETH_HLEN.min(bytes.len()),
            Link::Ip => 0,
        };
        memory.clear_block(self.block, self.lowest, HEADROOM.saturating_sub(self.lowest));
        self.lowest = HEADROOM;
        memory.write_block(self.block, HEADROOM, bytes);
        memory.clear_block(self.block, HEADROOM + bytes.len(), SLACK);
        self.mac = HEADROOM;
        self.network = HEADROOM + header;
        self.end = HEADROOM + bytes.len();
        self.data = if skip_link { self.network } else { self.mac };
        self.meta = self.data;
        self.limit = HEADROOM + bytes.len().max(XDP_ROOM);
        (self.headroom, self.transport) = (PAD, NO_TRANSPORT);
        if skip_link {
            skb.len = skb.len.saturating_sub(header as u32);
        }
        self.publish(skb, memory);
    }

    /// Brings the region and the context's pointers in line with the offsets.
    pub(crate) fn publish(&mut self, skb: &mut SkBuff, memory: &mut Memory) {
        self.lowest = self.lowest.min(self.meta);
        let addr = |off: usize| self.block.addr() + off as u64;
        memory.resize(self.region, addr(self.meta), addr(self.end));
        skb.data = addr(self.data);
        skb.data_meta = addr(self.meta);
        skb.data_end = addr(self.end);
    }

    /// Bytes from what the program sees first to the end.
    pub(crate) fn len(&self) -> usize {
        self.end - self.data
    }

    /// Where the link header is; an origin for [`Packet::read_from`].
    pub(crate) fn mac(&self) -> usize {
        self.mac
    }

    /// Where the network header is; an origin for [`Packet::read_from`].
    pub(crate) fn network(&self) -> usize {
        self.network
    }

    /// The network header's offset from what the program sees first.
    pub(crate) fn network_offset(&self) -> usize {
        self.network.saturating_sub(self.data)
    }

    /// A copy of the whole packet, link header included.
    pub(crate) fn bytes(&self, memory: &Memory) -> Vec<u8> {
        let mut bytes = vec![0; self.end - self.mac];
        memory.read_block(self.block, self.mac, &mut bytes);
        bytes
    }

    /// Where things are in what [`Packet::read_all`] reads.
    pub(crate) fn layout(&self) -> Layout {
        // A program may have moved its start before the link header or past the network header.
        let first = self.mac.min(self.data);
        let network = self.network.saturating_sub(first);
        Layout { data: self.data - first, network, len: self.end - first }
    }

    /// Reads all bytes from the link header on; `to` is as long as the layout says.
    pub(crate) fn read_all(&self, to: &mut [u8], memory: &Memory) {
        memory.read_block(self.block, self.mac.min(self.data), to);
    }

    /// Reads at an offset from what the program sees first; false where that is out of range.
    pub(crate) fn read(&self, off: usize, to: &mut [u8], memory: &Memory) -> bool {
        let fits = off <= self.len() && to.len() <= self.len() - off;
        if fits {
            memory.read_block(self.block, self.data + off, to);
        }
        fits
    }

    /// The least length that the packet may be cut to: up to its network header, or, if it has one, its transport header.
    ///
    /// Linux moves the mark of a missing transport header along when a buffer grows at its start, by wrapping 16 bits,
    /// and from then on counts with it. Measured on Linux 6.18.
    pub(crate) fn least_len(&self) -> usize {
        let transport = usize::from(self.transport);
        match transport.checked_sub(self.headroom) {
            Some(off @ 1..) if self.transport != NO_TRANSPORT => off,
            _ => self.network_offset(),
        }
    }

    /// Says at which offset from what the program sees first the transport header is.
    pub(crate) fn set_transport(&mut self, off: usize) {
        self.transport = (self.headroom + off) as u16;
    }

    /// Keeps the kernel's book where bytes are put before the packet.
    fn book_push(&mut self, count: usize) {
        let missing = count.saturating_sub(self.headroom).next_multiple_of(PAD);
        self.headroom = self.headroom + missing - count;
        self.transport = self.transport.wrapping_add(missing as u16);
    }

    /// Reads at an offset from an origin; false where that is out of range.
    pub(crate) fn read_from(&self, origin: usize, off: usize, to: &mut [u8], memory: &Memory) -> bool {
        let at = origin.saturating_add(off);
        let fits = at <= self.end && to.len() <= self.end - at;
        if fits {
            memory.read_block(self.block, at, to);
        }
        fits
    }

    /// Writes at an offset from what the program sees first; false where that is out of range.
    pub(crate) fn write(&self, off: usize, from: &[u8], memory: &mut Memory) -> bool {
        let fits = off <= self.len() && from.len() <= self.len() - off;
        if fits {
            memory.write_block(self.block, self.data + off, from);
        }
        fits
    }

    /// A legacy load: `off` from the packet's start, or negative from the network or link header
    /// (`SKF_NET_OFF`, `SKF_LL_OFF`). None where any byte is out of range.
    pub(crate) fn legacy(&self, off: i32, to: &mut [u8], memory: &Memory) -> Option<()> {
        const SKF_NET_OFF: i64 = -0x10_0000;
        const SKF_LL_OFF: i64 = -0x20_0000;
        let off = i64::from(off);
        let (origin, off) = match off {
            0.. => (self.data, off),
            SKF_NET_OFF..0 => (self.network, off - SKF_NET_OFF),
            SKF_LL_OFF..SKF_NET_OFF => (self.mac, off - SKF_LL_OFF),
            _ => return None,
        };
        self.read_from(origin, usize::try_from(off).ok()?, to, memory).then_some(())
    }
}

/// Changes of the packet's ends and headers. They answer false, and change nothing, where there is no room.
impl Packet {
    /// Makes sure that so much fits before and behind the packet, moving it where needed.
    fn make_room(&mut self, front: usize, back: usize, memory: &mut Memory) -> bool {
        if front <= self.data && back <= CAPACITY - self.end {
            return true;
        }
        let len = self.len();
        let Some(most) = CAPACITY.checked_sub(len).and_then(|room| room.checked_sub(back)) else { return false };
        if front > most {
            return false;
        }
        let to = HEADROOM.max(front).min(most);
        let mut bytes = vec![0; len];
        memory.read_block(self.block, self.data, &mut bytes);
        memory.write_block(self.block, to, &bytes);
        self.mac = to + self.mac.saturating_sub(self.data);
        self.network = to + self.network.saturating_sub(self.data);
        (self.data, self.meta, self.end) = (to, to, to + len);
        // Of what lay before, anything may be left.
        self.lowest = 0;
        true
    }

    /// Opens zero bytes at an offset; what is before them moves to the front. The offset may be a little behind the
    /// packet: then what stands there becomes part of it.
    fn open(&mut self, at: usize, count: usize, memory: &mut Memory) -> bool {
        if at > self.len() + SLACK || !self.make_room(count, SLACK, memory) {
            return false;
        }
        self.book_push(count);
        let mut head = vec![0; at + count];
        memory.read_block(self.block, self.data, &mut head[..at]);
        self.data -= count;
        self.meta = self.data;
        memory.write_block(self.block, self.data, &head);
        true
    }

    /// Removes bytes at an offset; what is before them moves up.
    fn close(&mut self, at: usize, count: usize, memory: &mut Memory) -> bool {
        if at.saturating_add(count) > self.len() {
            return false;
        }
        let mut head = vec![0; at];
        memory.read_block(self.block, self.data, &mut head);
        self.headroom += count;
        self.data += count;
        self.meta = self.data;
        memory.write_block(self.block, self.data, &head);
        true
    }

    /// Room of zeros before everything, which then is where the link header begins.
    pub(crate) fn push_front(&mut self, count: usize, memory: &mut Memory) -> bool {
        let opened = self.open(0, count, memory);
        if opened {
            self.mac = self.data;
        }
        opened
    }

    /// Room of zeros at an offset; both headers move to the front.
    pub(crate) fn push_header(&mut self, at: usize, count: usize, memory: &mut Memory) -> bool {
        let opened = self.open(at, count, memory);
        if opened {
            self.mac -= count;
            self.network -= count;
        }
        opened
    }

    /// The opposite of [`Packet::push_header`].
    pub(crate) fn pull_header(&mut self, at: usize, count: usize, memory: &mut Memory) -> bool {
        let closed = self.close(at, count, memory);
        if closed {
            self.mac += count;
            self.network += count;
        }
        closed
    }

    /// Puts a tag behind the addresses. It counts as part of the network header, as in the kernel.
    pub(crate) fn insert_tag(&mut self, tag: [u8; VLAN_HLEN], memory: &mut Memory) -> bool {
        let opened = self.open(ADDRESSES, VLAN_HLEN, memory);
        if opened {
            self.mac = self.data;
            self.network -= VLAN_HLEN;
            memory.write_block(self.block, self.data + ADDRESSES, &tag);
        }
        opened
    }

    /// Takes the tag behind the addresses away. The network header is not before the end of an Ethernet header.
    pub(crate) fn remove_tag(&mut self, memory: &mut Memory) -> bool {
        let closed = self.close(ADDRESSES, VLAN_HLEN, memory);
        if closed {
            self.mac = self.data;
            self.network = self.network.max(self.mac + ETH_HLEN);
        }
        closed
    }

    /// Cuts the packet off or appends zeros.
    pub(crate) fn set_len(&mut self, len: usize, memory: &mut Memory) -> bool {
        let more = len.saturating_sub(self.len());
        if !self.make_room(0, more, memory) {
            return false;
        }
        memory.clear_block(self.block, self.end, more);
        self.end = self.data + len;
        true
    }

    /// Moves the start of an XDP buffer and its metadata along; at least an Ethernet header stays.
    pub(crate) fn move_head(&mut self, by: i64, memory: &mut Memory) -> bool {
        let meta_len = self.data - self.meta;
        let least = HEADROOM - XDP_HEADROOM + meta_len;
        let Some(data) = self.data.checked_add_signed(by as isize) else { return false };
        if data < least || data + ETH_HLEN > self.end {
            return false;
        }
        let mut bytes = vec![0; meta_len];
        memory.read_block(self.block, self.meta, &mut bytes);
        (self.meta, self.data, self.mac) = (data - meta_len, data, data);
        memory.write_block(self.block, self.meta, &bytes);
        true
    }

    /// Moves the end of an XDP buffer, appending zeros; at least an Ethernet header stays.
    pub(crate) fn move_tail(&mut self, by: i64, memory: &mut Memory) -> bool {
        let Some(end) = self.end.checked_add_signed(by as isize) else { return false };
        if end > self.limit || end < self.data + ETH_HLEN {
            return false;
        }
        memory.clear_block(self.block, self.end, end.saturating_sub(self.end));
        self.end = end;
        true
    }

    /// How long an XDP buffer's metadata is after its start moved; none where it would leave its room.
    pub(crate) fn meta_after(&self, by: i64) -> Option<usize> {
        let meta = self.meta.checked_add_signed(by as isize)?;
        (HEADROOM - XDP_HEADROOM..=self.data).contains(&meta).then(|| self.data - meta)
    }

    pub(crate) fn set_meta(&mut self, len: usize) {
        self.meta = self.data - len;
    }
}
