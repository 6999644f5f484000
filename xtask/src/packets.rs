//! Packets, layer by layer from the inside out: each function takes a payload and answers it with a header before it.
//!
//! Lengths and checksums are right by construction; whoever wants them wrong changes the bytes afterwards.

use std::net::IpAddr;

/// A MAC address.
pub type Mac = [u8; 6];

/// The two ends of a flow at layer 3; both of one family.
#[derive(Clone, Copy, Debug)]
pub struct Ends {
    /// Whence.
    pub src: IpAddr,
    /// Whither.
    pub dst: IpAddr,
}

impl Ends {
    /// The way back.
    pub fn reversed(self) -> Ends {
        Ends { src: self.dst, dst: self.src }
    }
}

/// EtherTypes, by their names in `<linux/if_ether.h>`.
pub mod ether {
    pub const IP: u16 = 0x0800;
    pub const ARP: u16 = 0x0806;
    pub const VLAN: u16 = 0x8100;
    pub const IPV6: u16 = 0x86dd;
    pub const QINQ: u16 = 0x88a8;
}

/// Protocol numbers of IPv4 and IPv6.
pub mod proto {
    pub const ICMP: u8 = 1;
    pub const TCP: u8 = 6;
    pub const UDP: u8 = 17;
    pub const ICMPV6: u8 = 58;
}

/// An Ethernet frame, without a frame check sequence and without padding. `kind` is the EtherType or, for LLC, a length.
pub fn ethernet(dst: Mac, src: Mac, kind: u16, payload: &[u8]) -> Vec<u8> {
    [&dst[..], &src, &kind.to_be_bytes(), payload].concat()
}

/// A VLAN tag's four bytes but the first two: to be sent with EtherType `VLAN` or `QINQ`.
pub fn vlan(priority: u16, id: u16, kind: u16, payload: &[u8]) -> Vec<u8> {
    let tci = priority << 13 | id & 0x0fff;
    [&tci.to_be_bytes()[..], &kind.to_be_bytes(), payload].concat()
}

/// A frame padded with zeros to the 60 bytes that Ethernet demands.
pub fn padded(mut frame: Vec<u8>) -> Vec<u8> {
    frame.resize(frame.len().max(60), 0);
    frame
}

/// ARP for IPv4 over Ethernet; `operation` is 1 for a request and 2 for a reply.
pub fn arp(operation: u16, sender: (Mac, [u8; 4]), target: (Mac, [u8; 4])) -> Vec<u8> {
    let fixed = [0, 1, 8, 0, 6, 4];
    [&fixed[..], &operation.to_be_bytes(), &sender.0, &sender.1, &target.0, &target.1].concat()
}

/// An IPv4 header.
#[derive(Clone, Copy, Debug)]
pub struct Ipv4 {
    /// Type of service: DSCP and ECN.
    pub tos: u8,
    /// Identification.
    pub id: u16,
    /// Flags in the upper three bits, offset of the fragment in units of eight bytes below.
    pub fragment: u16,
    /// Time to live.
    pub ttl: u8,
    /// Options; a multiple of four bytes, at most 40.
    pub options: &'static [u8],
}

impl Ipv4 {
    /// A header that does not fragment, without options.
    pub const PLAIN: Ipv4 = Ipv4 { tos: 0, id: 0, fragment: DONT_FRAGMENT, ttl: 64, options: &[] };
}

/// Flag of [`Ipv4::fragment`]: do not fragment.
pub const DONT_FRAGMENT: u16 = 0x4000;
/// Flag of [`Ipv4::fragment`]: more fragments follow.
pub const MORE_FRAGMENTS: u16 = 0x2000;

/// An IP packet from end to end, of the family that the ends have; `header` is IPv4's, IPv6 takes `tos` and `ttl` from it.
pub fn ip(ends: Ends, header: Ipv4, protocol: u8, payload: &[u8]) -> Vec<u8> {
    match (ends.src, ends.dst) {
        (IpAddr::V4(src), IpAddr::V4(dst)) => {
            let Ipv4 { tos, id, fragment, ttl, options } = header;
            assert!(options.len() % 4 == 0 && options.len() <= 40, "IPv4 options fill whole words, ten at most");
            let header_size = 20 + options.len();
            let mut packet = vec![0x40 | (header_size / 4) as u8, tos];
            packet.extend(length16(header_size + payload.len()));
            packet.extend(id.to_be_bytes());
            packet.extend(fragment.to_be_bytes());
            packet.extend([ttl, protocol, 0, 0]);
            packet.extend(src.octets());
            packet.extend(dst.octets());
            packet.extend(options);
            let sum = checksum(&[&packet]);
            packet[10..12].copy_from_slice(&sum.to_be_bytes());
            packet.extend(payload);
            packet
        }
        (IpAddr::V6(src), IpAddr::V6(dst)) => {
            let mut packet = vec![0x60 | header.tos >> 4, header.tos << 4, 0, 0];
            packet.extend(length16(payload.len()));
            packet.extend([protocol, header.ttl]);
            packet.extend(src.octets());
            packet.extend(dst.octets());
            packet.extend(payload);
            packet
        }
        _ => panic!("the ends of a flow are of one family"),
    }
}

/// A TCP header.
#[derive(Clone, Copy, Debug)]
pub struct Tcp {
    /// Source port.
    pub sport: u16,
    /// Destination port.
    pub dport: u16,
    /// Sequence number.
    pub seq: u32,
    /// Acknowledgment number.
    pub ack: u32,
    /// Flags, a sum of [`flag`]s.
    pub flags: u8,
    /// Options; a multiple of four bytes, at most 40.
    pub options: &'static [u8],
}

/// Flags of TCP.
pub mod flag {
    pub const FIN: u8 = 0x01;
    pub const SYN: u8 = 0x02;
    pub const RST: u8 = 0x04;
    pub const PSH: u8 = 0x08;
    pub const ACK: u8 = 0x10;
}

/// A TCP segment.
pub fn tcp(ends: Ends, header: Tcp, payload: &[u8]) -> Vec<u8> {
    let Tcp { sport, dport, seq, ack, flags, options } = header;
    assert!(options.len() % 4 == 0 && options.len() <= 40, "TCP options fill whole words, ten at most");
    let mut segment = ports(sport, dport);
    segment.extend(seq.to_be_bytes());
    segment.extend(ack.to_be_bytes());
    segment.extend([((20 + options.len()) / 4) as u8 * 16, flags]);
    segment.extend(WINDOW.to_be_bytes());
    segment.extend([0; 4]);
    segment.extend(options);
    segment.extend(payload);
    with_checksum(ends, proto::TCP, segment, 16)
}

/// A UDP datagram.
pub fn udp(ends: Ends, sport: u16, dport: u16, payload: &[u8]) -> Vec<u8> {
    let mut datagram = ports(sport, dport);
    datagram.extend(length16(8 + payload.len()));
    datagram.extend([0; 2]);
    datagram.extend(payload);
    let mut datagram = with_checksum(ends, proto::UDP, datagram, 6);
    // RFC 768: a computed zero is sent as all ones, since zero means that there is no checksum.
    if datagram[6..8] == [0, 0] {
        datagram[6..8].copy_from_slice(&[0xff, 0xff]);
    }
    datagram
}

/// An ICMP message: `rest` is the second word of its header.
pub fn icmp(kind: u8, code: u8, rest: [u8; 4], payload: &[u8]) -> Vec<u8> {
    let mut message = [&[kind, code, 0, 0], &rest[..], payload].concat();
    let sum = checksum(&[&message]);
    message[2..4].copy_from_slice(&sum.to_be_bytes());
    message
}

/// An ICMPv6 message, whose checksum covers the ends as well.
pub fn icmpv6(ends: Ends, kind: u8, code: u8, rest: [u8; 4], payload: &[u8]) -> Vec<u8> {
    let message = [&[kind, code, 0, 0], &rest[..], payload].concat();
    with_checksum(ends, proto::ICMPV6, message, 2)
}

/// The Internet checksum of RFC 1071 over parts of even length (the last one may be odd), in host byte order.
pub fn checksum(parts: &[&[u8]]) -> u16 {
    let words = parts.iter().flat_map(|part| part.chunks(2));
    let mut sum: u32 = words.map(|word| u32::from(word[0]) << 8 | u32::from(*word.get(1).unwrap_or(&0))).sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

/// Puts the checksum over the pseudo-header and `bytes` at `at`, where zeros are.
fn with_checksum(ends: Ends, protocol: u8, mut bytes: Vec<u8>, at: usize) -> Vec<u8> {
    let sum = checksum(&[&pseudo_header(ends, protocol, bytes.len()), &bytes]);
    bytes[at..at + 2].copy_from_slice(&sum.to_be_bytes());
    bytes
}

/// What the checksums of layer 4 cover besides their packet: RFC 9293 section 3.1 and RFC 8200 section 8.1. The order of
/// the words does not matter to the sum, nor do words of zeros.
fn pseudo_header(ends: Ends, protocol: u8, length: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    for end in [ends.src, ends.dst] {
        match end {
            IpAddr::V4(address) => bytes.extend(address.octets()),
            IpAddr::V6(address) => bytes.extend(address.octets()),
        }
    }
    bytes.extend([0, protocol]);
    bytes.extend(length16(length));
    bytes
}

fn ports(sport: u16, dport: u16) -> Vec<u8> {
    [sport.to_be_bytes(), dport.to_be_bytes()].concat()
}

fn length16(length: usize) -> [u8; 2] {
    u16::try_from(length).expect("a length of IP fits 16 bits").to_be_bytes()
}

/// The window that every TCP segment here advertises.
const WINDOW: u16 = 64_240;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksum_of_the_rfc() {
        // RFC 1071 section 3 adds these words up to ddf2.
        assert_eq!(checksum(&[&[0x00, 0x01, 0xf2, 0x03], &[0xf4, 0xf5, 0xf6, 0xf7]]), !0xddf2);
        assert_eq!(checksum(&[&[0xff, 0xff], &[0x01]]), !0x0100);
        assert_eq!(checksum(&[]), 0xffff);
    }

    #[test]
    fn what_carries_its_checksum_sums_to_zero() {
        let ends = [([10, 0, 0, 1], [10, 0, 0, 2]), ([192, 168, 255, 255], [255; 4])];
        for (src, dst) in ends {
            let ends = Ends { src: src.into(), dst: dst.into() };
            let header = Tcp { sport: 1, dport: 80, seq: 2, ack: 3, flags: flag::ACK, options: &[2, 4, 5, 0xb4] };
            for payload in [&b""[..], b"odd", b"even"] {
                let segment = tcp(ends, header, payload);
                assert_eq!(checksum(&[&pseudo_header(ends, proto::TCP, segment.len()), &segment]), 0);
                let packet = ip(ends, Ipv4 { options: &[1, 1, 1, 0], ..Ipv4::PLAIN }, proto::TCP, &segment);
                assert_eq!((packet[0], checksum(&[&packet[..24]])), (0x46, 0));
            }
        }
    }
}
