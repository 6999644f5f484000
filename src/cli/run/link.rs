//! What a captured packet's first bytes say about its context.

use std::str::FromStr;

use oxbpf_abi::layout::SkBuff;
use oxbpf_capture::LinkType;
use oxbpf_runtime::skb::{self, Link};

/// `--link`: how packets begin.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum LinkAs {
    Type(LinkType),
    /// No header that says anything.
    Bytes,
}

impl FromStr for LinkAs {
    type Err = String;

    fn from_str(text: &str) -> Result<LinkAs, String> {
        if text == "bytes" {
            return Ok(LinkAs::Bytes);
        }
        let link_type = text.parse().ok().map(LinkType).or_else(|| LinkType::from_name(text));
        let link_type = link_type.ok_or("no link type's name or number, and not bytes")?;
        if supported(link_type) {
            return Ok(LinkAs::Type(link_type));
        }
        Err(format!("not supported; there are {} and bytes", names()))
    }
}

/// Link types that are run.
const SUPPORTED: [LinkType; 8] = [
    LinkType::EN10MB,
    LinkType::RAW,
    LinkType::IPV4,
    LinkType::IPV6,
    LinkType::NULL,
    LinkType::LOOP,
    LinkType::LINUX_SLL,
    LinkType::LINUX_SLL2,
];

/// Their names.
pub(super) fn names() -> String {
    SUPPORTED.map(|l| l.to_string()).join(", ")
}

/// Whether packets of this link type are run.
pub(super) fn supported(link_type: LinkType) -> bool {
    SUPPORTED.contains(&link_type)
}

/// A packet as the program gets it.
pub(super) struct Framed {
    /// Captured bytes before it, which no program sees: a header of the capture's own.
    pub(super) header: usize,
    pub(super) link: Link,
    pub(super) skb: SkBuff,
}

impl Framed {
    /// The same packet for a program that was compiled for the capture's own header and reads it.
    pub(super) fn with_header(mut self) -> Framed {
        let header = std::mem::take(&mut self.header) as u32;
        self.skb.len += header;
        self.skb.wire_len += header;
        self
    }
}

const ETH_P_IP: u16 = 0x0800;
const ETH_P_IPV6: u16 = 0x86dd;

/// The packet of `len` bytes, of which `data` was captured; none where the link type is not supported.
pub(super) fn frame(link: LinkAs, data: &[u8], len: u32) -> Option<Framed> {
    let LinkAs::Type(link_type) = link else {
        return Some(network(0, data, len, Some(0)));
    };
    let be16 = |at: usize| data.get(at..at + 2).map(|b| u16::from_be_bytes([b[0], b[1]]));
    let be32 = |at: usize| data.get(at..at + 4).map(|b| u32::from_be_bytes([b[0], b[1], b[2], b[3]]));
    Some(match link_type {
        LinkType::EN10MB => Framed { header: 0, link: Link::Ethernet, skb: skb::derive(data, len, Link::Ethernet) },
        LinkType::RAW => network(0, data, len, None),
        LinkType::IPV4 => network(0, data, len, Some(ETH_P_IP)),
        LinkType::IPV6 => network(0, data, len, Some(ETH_P_IPV6)),
        LinkType::NULL | LinkType::LOOP => {
            let family = be32(0).unwrap_or_default();
            // NULL has the capturing host's byte order, LOOP the network's; families are small numbers.
            let family = if family > 0xffff { family.swap_bytes() } else { family };
            network(4, data, len, Some(protocol_of_family(family)))
        }
        LinkType::LINUX_SLL => {
            let mut framed = network(16, data, len, be16(14));
            framed.skb.pkt_type = be16(0).unwrap_or_default().into();
            framed.skb.hatype = be16(2).unwrap_or_default().into();
            framed
        }
        LinkType::LINUX_SLL2 => {
            let mut framed = network(20, data, len, be16(0));
            framed.skb.pkt_type = data.get(10).copied().unwrap_or_default().into();
            framed.skb.hatype = be16(8).unwrap_or_default().into();
            framed.skb.ifindex = be32(4).filter(|index| *index > 0).unwrap_or(framed.skb.ifindex);
            framed
        }
        _ => return None,
    })
}

/// The EtherType of an address family, whose numbers for IPv6 differ by system.
fn protocol_of_family(family: u32) -> u16 {
    match family {
        2 => ETH_P_IP,
        10 | 24 | 28 | 30 => ETH_P_IPV6,
        _ => 0,
    }
}

/// A packet without link header behind `header` bytes. Its protocol is said by these, or follows from its first bits.
fn network(header: usize, data: &[u8], len: u32, protocol: Option<u16>) -> Framed {
    let header = header.min(data.len());
    let mut skb = skb::derive(&data[header..], len - header as u32, Link::Ip);
    if let Some(protocol) = protocol {
        if skb.protocol != u32::from(protocol.to_be()) {
            // The addresses were taken from what is not there.
            (skb.family, skb.local_ip4, skb.remote_ip4) = (0, 0, 0);
            (skb.local_ip6, skb.remote_ip6) = ([0; 4], [0; 4]);
        }
        skb.protocol = protocol.to_be().into();
    }
    Framed { header, link: Link::Ip, skb }
}
