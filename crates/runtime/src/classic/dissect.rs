//! Where the payload of a packet starts: link tags, tunnels, IP headers and the known transports, walked in order.
//!
//! What is walked, and where the walk ends, was found by asking Linux 6.18 (`crates/cbpf2ebpf/tests/veth.rs`).

/// How often a header may lead to another: tags, tunnels and IPv6's extension headers nest.
const MAX_STEPS: usize = 15;

const ETH_P_IP: u16 = 0x0800;
const ETH_P_ARP: u16 = 0x0806;
const ETH_P_BATMAN: u16 = 0x4305;
const ETH_P_TEB: u16 = 0x6558;
const ETH_P_RARP: u16 = 0x8035;
const ETH_P_8021Q: u16 = 0x8100;
const ETH_P_IPV6: u16 = 0x86dd;
const ETH_P_MPLS_UC: u16 = 0x8847;
const ETH_P_MPLS_MC: u16 = 0x8848;
const ETH_P_PPP_SES: u16 = 0x8864;
const ETH_P_PPP: u16 = 0x880b;
const ETH_P_8021AD: u16 = 0x88a8;
const ETH_P_TIPC: u16 = 0x88ca;
const ETH_P_PTP: u16 = 0x88f7;
const ETH_P_PRP: u16 = 0x88fb;
const ETH_P_CFM: u16 = 0x8902;
const ETH_P_FCOE: u16 = 0x8906;
const ETH_P_HSR: u16 = 0x892f;

const PPP_IP: u16 = 0x0021;
const PPP_IPV6: u16 = 0x0057;
const PPP_MPLS_UC: u16 = 0x0281;
const PPP_MPLS_MC: u16 = 0x0283;

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
const GRE: u8 = 47;
const ICMPV6: u8 = 58;
const DESTINATION: u8 = 60;
const SCTP: u8 = 132;
const UDPLITE: u8 = 136;
const MPLS: u8 = 137;
/// What nobody looks into.
const NONE: u8 = 255;

const GRE_CSUM: u16 = 0x8000;
const GRE_ROUTING: u16 = 0x4000;
const GRE_KEY: u16 = 0x2000;
const GRE_SEQ: u16 = 0x1000;
const GRE_ACK: u16 = 0x0080;
const GRE_VERSION: u16 = 0x0007;

/// What stands where the walk is.
#[derive(Clone, Copy)]
enum Next {
    /// A header that an EtherType names.
    Network(u16),
    /// An extension header of IPv6, or what is behind the last of them.
    Extension,
    /// The transport, or what else is not walked through.
    End,
}

/// The offset of the payload from the start of the bytes; none where a header is unknown or cut off.
pub(super) fn payload(bytes: &[u8], network: usize, protocol: u16) -> Option<usize> {
    let mut walk = Walk { bytes, at: network, transport: NONE };
    let mut next = Next::Network(protocol);
    for _ in 0..=MAX_STEPS {
        next = match next {
            Next::Network(protocol) => walk.network(protocol)?,
            Next::Extension => walk.extension()?,
            Next::End => break,
        };
    }
    let at = walk.at.min(bytes.len());
    Some(at + transport_len(bytes, at, walk.transport))
}

struct Walk<'a> {
    bytes: &'a [u8],
    at: usize,
    /// The last header's word on what follows it: an IP protocol's number.
    transport: u8,
}

impl Walk<'_> {
    /// The header here, passed over.
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let header = self.bytes.get(self.at..)?.first_chunk().copied()?;
        self.at += N;
        Some(header)
    }

    /// Ends the walk so many bytes further on, whether these are there or not.
    fn end(&mut self, further: usize) -> Option<Next> {
        self.at += further;
        self.transport = NONE;
        Some(Next::End)
    }

    fn network(&mut self, protocol: u16) -> Option<Next> {
        match protocol {
            ETH_P_IP => self.ipv4(),
            ETH_P_IPV6 => {
                let header: [u8; 40] = self.take()?;
                self.ip_protocol(header[6], true)
            }
            ETH_P_8021Q | ETH_P_8021AD => {
                let [_, _, inner @ ..] = self.take::<4>()?;
                Some(Next::Network(u16::from_be_bytes(inner)))
            }
            ETH_P_HSR | ETH_P_PRP => {
                let [_, _, _, _, inner @ ..] = self.take::<6>()?;
                Some(Next::Network(u16::from_be_bytes(inner)))
            }
            ETH_P_BATMAN => self.batman(),
            ETH_P_PPP_SES => self.pppoe(),
            // The first label.
            ETH_P_MPLS_UC | ETH_P_MPLS_MC => self.end(4),
            ETH_P_TIPC => {
                self.bytes.get(self.at..self.at + 16)?;
                self.end(0)
            }
            ETH_P_FCOE => {
                self.take::<38>()?;
                self.end(0)
            }
            ETH_P_PTP => {
                self.take::<34>()?;
                self.end(0)
            }
            ETH_P_ARP | ETH_P_RARP | ETH_P_CFM => self.end(0),
            _ => None,
        }
    }

    fn ipv4(&mut self) -> Option<Next> {
        let header: [u8; 20] = self.take()?;
        let options = (usize::from(header[0] & 0xf) * 4).checked_sub(header.len())?;
        self.at += options;
        // Of a fragment that is not the first, nothing behind the IP header is looked at.
        match u16::from_be_bytes([header[6], header[7]]) & 0x1fff {
            0 => self.ip_protocol(header[9], false),
            _ => self.end(0),
        }
    }

    /// What follows an IP header or extension header. Only IPv6 has extension headers.
    fn ip_protocol(&mut self, protocol: u8, v6: bool) -> Option<Next> {
        self.transport = protocol;
        match protocol {
            HOP_BY_HOP | ROUTING | DESTINATION | FRAGMENT if v6 => self.extension(),
            IPIP => Some(Next::Network(ETH_P_IP)),
            IPV6 => Some(Next::Network(ETH_P_IPV6)),
            GRE => self.gre(),
            MPLS => self.end(4),
            _ => Some(Next::End),
        }
    }

    /// The extension header here, and the word on what follows it; or what else is there.
    fn extension(&mut self) -> Option<Next> {
        match self.transport {
            HOP_BY_HOP | ROUTING | DESTINATION => {
                let [next, words] = self.take()?;
                self.at += usize::from(words) * 8 + 6;
                self.transport = next;
                Some(Next::Extension)
            }
            FRAGMENT => {
                let header: [u8; 8] = self.take()?;
                self.transport = header[0];
                match u16::from_be_bytes([header[2], header[3]]) & 0xfff8 {
                    0 => Some(Next::Extension),
                    _ => self.end(0),
                }
            }
            other => self.ip_protocol(other, true),
        }
    }

    /// B.A.T.M.A.N. advanced, a frame that is not in pieces, and the frame in it.
    fn batman(&mut self) -> Option<Next> {
        match self.take::<10>()? {
            [0x40, 15, ..] => self.ethernet(),
            _ => None,
        }
    }

    fn ethernet(&mut self) -> Option<Next> {
        let [.., high, low] = self.take::<14>()?;
        Some(Next::Network(u16::from_be_bytes([high, low])))
    }

    fn pppoe(&mut self) -> Option<Next> {
        let [version, code, _, _, _, _, protocol @ ..] = self.take::<8>()?;
        if (version, code) != (0x11, 0) {
            return None;
        }
        match u16::from_be_bytes(protocol) {
            PPP_IP => Some(Next::Network(ETH_P_IP)),
            PPP_IPV6 => Some(Next::Network(ETH_P_IPV6)),
            PPP_MPLS_UC | PPP_MPLS_MC => self.end(4),
            // PPP's numbers have an even byte and an odd one.
            other if other & 0x0101 == 0x0001 => self.end(0),
            _ => None,
        }
    }

    /// Both versions of GRE; what is in neither of the known forms is not looked into.
    fn gre(&mut self) -> Option<Next> {
        let start = self.at;
        let header: [u8; 4] = self.take()?;
        let (flags, protocol) =
            (u16::from_be_bytes([header[0], header[1]]), u16::from_be_bytes([header[2], header[3]]));
        let has = |flag: u16| if flags & flag == 0 { 0 } else { 4 };
        let version = flags & GRE_VERSION;
        let known = match version {
            0 => flags & GRE_ROUTING == 0,
            1 => flags & (GRE_ROUTING | GRE_KEY) == GRE_KEY && protocol == ETH_P_PPP,
            _ => false,
        };
        if !known {
            self.at = start;
            return Some(Next::End);
        }
        self.at += has(GRE_CSUM) + has(GRE_KEY) + has(GRE_SEQ);
        if version == 0 {
            return match protocol {
                ETH_P_TEB => self.ethernet(),
                _ => Some(Next::Network(protocol)),
            };
        }
        self.at += has(GRE_ACK);
        let [_, _, protocol @ ..] = self.take::<4>()?;
        match u16::from_be_bytes(protocol) {
            PPP_IP => Some(Next::Network(ETH_P_IP)),
            PPP_IPV6 => Some(Next::Network(ETH_P_IPV6)),
            _ => None,
        }
    }
}

/// Bytes of a transport's header; 0 where the transport is not known, or does not say.
fn transport_len(bytes: &[u8], at: usize, protocol: u8) -> usize {
    match protocol {
        // The header's length is in the upper half of its byte 12, in words; it has five at least.
        TCP => bytes.get(at + 12).map_or(0, |b| usize::from(b >> 4).max(5) * 4),
        UDP | UDPLITE | ICMP | ICMPV6 | IGMP => 8,
        SCTP | DCCP => 12,
        _ => 0,
    }
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
        assert_eq!(payload(&endless, 0, ETH_P_8021Q), Some(64), "as far as headers may lead to others");
    }
}
