//! Where the payload of a packet starts: link tags, IP headers and the known transports, walked in order.

/// Headers that are walked at most: tags and tunnels may nest.
const MAX_HEADERS: usize = 32;

const ETH_P_IP: u16 = 0x0800;
const ETH_P_ARP: u16 = 0x0806;
const ETH_P_RARP: u16 = 0x8035;
const ETH_P_8021Q: u16 = 0x8100;
const ETH_P_8021AD: u16 = 0x88a8;
const ETH_P_IPV6: u16 = 0x86dd;
const ETH_P_PPP_SES: u16 = 0x8864;
const PPP_IP: u16 = 0x0021;
const PPP_IPV6: u16 = 0x0057;

const HOP_BY_HOP: u8 = 0;
const ICMP: u8 = 1;
const IGMP: u8 = 2;
const IPIP: u8 = 4;
const TCP: u8 = 6;
const UDP: u8 = 17;
const DCCP: u8 = 33;
const IPV6: u8 = 41;
const ROUTING: u8 = 43;
const FRAGMENT: u8 = 44;
const ICMPV6: u8 = 58;
const DESTINATION: u8 = 60;
const SCTP: u8 = 132;
const UDPLITE: u8 = 136;

/// Where the walk is.
enum Layer {
    /// At a header that an EtherType names.
    Network(u16),
    /// At a header that an IP protocol number names.
    Transport(u8),
    /// At what nobody looks into.
    Payload,
}

/// The offset of the payload from the start of the bytes; none where a header is unknown or cut off.
pub(super) fn payload(bytes: &[u8], network: usize, protocol: u16) -> Option<usize> {
    let mut layer = Layer::Network(protocol);
    let mut at = network;
    for _ in 0..MAX_HEADERS {
        layer = match layer {
            Layer::Network(protocol) => network_header(bytes, &mut at, protocol)?,
            Layer::Transport(protocol) => match inner(bytes, &mut at, protocol)? {
                Some(layer) => layer,
                None => return Some(at + transport_len(bytes, at, protocol)?),
            },
            Layer::Payload => return Some(at.min(bytes.len())),
        };
    }
    None
}

fn take<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk().copied()
}

fn be16(bytes: &[u8], at: usize) -> Option<u16> {
    take(bytes, at).map(u16::from_be_bytes)
}

fn network_header(bytes: &[u8], at: &mut usize, protocol: u16) -> Option<Layer> {
    Some(match protocol {
        ETH_P_IP => {
            let header: [u8; 20] = take(bytes, *at)?;
            let len = usize::from(header[0] & 0xf) * 4;
            if len < header.len() {
                return None;
            }
            *at += len;
            // Of a fragment that is not the first, nothing behind the IP header is looked at.
            let later = u16::from_be_bytes([header[6], header[7]]) & 0x1fff != 0;
            if later { Layer::Payload } else { Layer::Transport(header[9]) }
        }
        ETH_P_IPV6 => {
            let header: [u8; 40] = take(bytes, *at)?;
            *at += header.len();
            Layer::Transport(header[6])
        }
        ETH_P_8021Q | ETH_P_8021AD => {
            let inner = be16(bytes, *at + 2)?;
            *at += 4;
            Layer::Network(inner)
        }
        ETH_P_PPP_SES => {
            let inner = be16(bytes, *at + 6)?;
            *at += 8;
            match inner {
                PPP_IP => Layer::Network(ETH_P_IP),
                PPP_IPV6 => Layer::Network(ETH_P_IPV6),
                _ => return None,
            }
        }
        ETH_P_ARP | ETH_P_RARP => Layer::Payload,
        _ => return None,
    })
}

/// What follows a header between network and transport; none inside where this is a transport's.
fn inner(bytes: &[u8], at: &mut usize, protocol: u8) -> Option<Option<Layer>> {
    Some(Some(match protocol {
        IPIP => Layer::Network(ETH_P_IP),
        IPV6 => Layer::Network(ETH_P_IPV6),
        HOP_BY_HOP | ROUTING | DESTINATION => {
            let [next, len] = take(bytes, *at)?;
            *at += (usize::from(len) + 1) * 8;
            Layer::Transport(next)
        }
        FRAGMENT => {
            let header: [u8; 8] = take(bytes, *at)?;
            *at += 8;
            let later = u16::from_be_bytes([header[2], header[3]]) & 0xfff8 != 0;
            if later { Layer::Payload } else { Layer::Transport(header[0]) }
        }
        _ => return Some(None),
    }))
}

/// Bytes of a transport's header; 0 where the transport is not known.
fn transport_len(bytes: &[u8], at: usize, protocol: u8) -> Option<usize> {
    Some(match protocol {
        TCP => {
            // The header's length is in the upper half of its byte 12, in words; it has five at least.
            let words = bytes.get(at + 12).map_or(0, |b| usize::from(b >> 4));
            words.max(5) * 4
        }
        UDP | UDPLITE | ICMP | ICMPV6 | IGMP => 8,
        SCTP | DCCP => 12,
        _ => 0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(protocol: u8, fragment: u16, rest: &[u8]) -> Vec<u8> {
        let mut packet = vec![0x45, 0, 0, 0, 0, 0, 0, 0, 64, protocol];
        packet[6..8].copy_from_slice(&fragment.to_be_bytes());
        packet.resize(20, 0);
        packet.extend(rest);
        packet
    }

    #[test]
    fn transports_behind_ip() {
        let mut tcp = [0u8; 40];
        tcp[12] = 0x80;
        let at = |protocol: u8| payload(&ip(protocol, 0, &tcp), 0, ETH_P_IP);
        assert_eq!([at(TCP), at(UDP), at(SCTP), at(ICMP), at(250)], [52, 28, 32, 28, 20].map(Some));
        assert_eq!(payload(&ip(TCP, 0x2000, &tcp), 0, ETH_P_IP), Some(52), "a first fragment");
        assert_eq!(payload(&ip(TCP, 0x2001, &tcp), 0, ETH_P_IP), Some(20), "a later one");
        assert_eq!(payload(&ip(TCP, 0x4000, &tcp), 0, ETH_P_IP), Some(52), "one that must not be fragmented");
        assert_eq!(payload(&ip(IPIP, 0, &ip(UDP, 0, &tcp)), 0, ETH_P_IP), Some(48));
        assert_eq!(payload(&ip(TCP, 0, &tcp)[..19], 0, ETH_P_IP), None);
        assert_eq!(payload(&[0; 64], 0, 0x1234), None);
    }

    #[test]
    fn headers_behind_ipv6() {
        let mut packet = vec![0x60, 0, 0, 0, 0, 0, HOP_BY_HOP, 64];
        packet.resize(40, 0);
        packet.extend([UDP, 0, 0, 0, 0, 0, 0, 0]);
        packet.extend([0; 16]);
        assert_eq!(payload(&packet, 0, ETH_P_IPV6), Some(56));
        packet[40] = FRAGMENT;
        packet[48] = UDP;
        assert_eq!(payload(&packet, 0, ETH_P_IPV6), Some(64), "a first fragment");
        packet[51] = 8;
        assert_eq!(payload(&packet, 0, ETH_P_IPV6), Some(56), "a later one");
        assert_eq!(payload(&packet[..41], 0, ETH_P_IPV6), None);
    }

    #[test]
    fn tags_nest_and_end() {
        let mut tagged = Vec::new();
        for _ in 0..3 {
            tagged.extend([0, 1, 0x81, 0]);
        }
        tagged.extend([0, 1, 0x08, 0]);
        tagged.extend(ip(UDP, 0, &[0; 8]));
        assert_eq!(payload(&tagged, 0, ETH_P_8021Q), Some(16 + 28));
        let endless: Vec<u8> = [0, 1, 0x81, 0].repeat(100);
        assert_eq!(payload(&endless, 0, ETH_P_8021Q), None);
    }
}
