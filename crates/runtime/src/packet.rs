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
}

impl Packet {
    pub(crate) fn new(prog_type: ProgType, memory: &mut Memory) -> Result<Packet, ArenaError> {
        let block = memory.alloc(HEADROOM + MAX_PACKET)?;
        let writable = prog_type.row().packet == PacketAccess::Write;
        let region = Region { writable, ..Region::new("packet", RegionKind::Packet, 0) };
        let region = memory.add_region(block, HEADROOM as u64, region);
        let at = HEADROOM;
        Ok(Packet { block, region, mac: at, meta: at, data: at, network: at, end: at })
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
        memory.write_block(self.block, HEADROOM, bytes);
        self.mac = HEADROOM;
        self.network = HEADROOM + header;
        self.end = HEADROOM + bytes.len();
        self.data = if skip_link { self.network } else { self.mac };
        self.meta = self.data;
        if skip_link {
            skb.len = skb.len.saturating_sub(header as u32);
        }
        self.publish(skb, memory);
    }

    /// Brings the region and the context's pointers in line with the offsets.
    fn publish(&self, skb: &mut SkBuff, memory: &mut Memory) {
        let addr = |off: usize| self.block.addr() + off as u64;
        memory.resize(self.region, addr(self.meta), addr(self.end));
        skb.data = addr(self.data);
        skb.data_meta = addr(self.meta);
        skb.data_end = addr(self.end);
    }

    /// Bytes from what the program sees first to the end.
    fn len(&self) -> usize {
        self.end - self.data
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
        let at = origin + usize::try_from(off).ok()?;
        if at > self.end || to.len() > self.end - at {
            return None;
        }
        memory.read_block(self.block, at, to);
        Some(())
    }
}
