//! `mixed.pcap`: a bit of everything that crosses an Ethernet.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use oxbpf_capture::Resolution;

use super::{Capture, mac};
use crate::packets::flag::{ACK, PSH, SYN};
use crate::packets::{
    Ends, Ipv4, MORE_FRAGMENTS, Mac, Tcp, arp, ether, ethernet, icmp, icmpv6, ip, padded, proto, tcp, udp, vlan,
};

/// The capture.
pub fn capture() -> Capture {
    let mut capture = Capture::new(Resolution::Micro);
    let groups = [resolution(), names(), pings(), ipv6(), tagged(), multicast(), fragments(), sizes(), others()];
    for frame in groups.concat() {
        capture.push(frame);
    }
    capture
}

/// ARP: who has the gateway's address, and the answer.
fn resolution() -> Vec<Vec<u8>> {
    let (client, gateway) = ((mac(CLIENT), [10, 0, 0, CLIENT]), (mac(GATEWAY), [10, 0, 0, GATEWAY]));
    let request = arp(1, client, ([0; 6], gateway.1));
    let reply = arp(2, gateway, client);
    vec![
        padded(ethernet(BROADCAST, client.0, ether::ARP, &request)),
        padded(ethernet(client.0, gateway.0, ether::ARP, &reply)),
        // As the sender itself sees it, before the card has padded it.
        ethernet(BROADCAST, client.0, ether::ARP, &request),
    ]
}

/// DNS: a question and its answer; and a datagram without a checksum, which IPv4 allows.
fn names() -> Vec<Vec<u8>> {
    let question = [b"\x12\x34\x01\0\0\x01\0\0\0\0\0\0", DNS_QUESTION].concat();
    let answer = [b"\x12\x34\x81\x80\0\x01\0\x01\0\0\0\0", DNS_QUESTION, DNS_RECORD].concat();
    let asked = v4(CLIENT, GATEWAY);
    let mut unchecked = udp(asked, 33_000, 53, &question);
    unchecked[6..8].fill(0);
    vec![
        out(ether::IP, &ip(asked, Ipv4::PLAIN, proto::UDP, &udp(asked, 33_000, 53, &question))),
        back(ether::IP, &ip(asked.reversed(), Ipv4::PLAIN, proto::UDP, &udp(asked.reversed(), 53, 33_000, &answer))),
        out(ether::IP, &ip(asked, Ipv4::PLAIN, proto::UDP, &unchecked)),
        padded(out(ether::IP, &ip(asked, Ipv4::PLAIN, proto::UDP, &udp(asked, 9, 9, &[])))),
    ]
}

/// ICMP: echo of odd lengths, and a packet that outlived its time.
fn pings() -> Vec<Vec<u8>> {
    let ends = v4(CLIENT, GATEWAY);
    let probe = ip(ends, Ipv4 { ttl: 1, ..Ipv4::PLAIN }, proto::UDP, &udp(ends, 33_434, 33_434, b"probe"));
    let exceeded = icmp(11, 0, [0; 4], &probe[..28]);
    let mut frames = vec![
        out(ether::IP, &probe),
        back(ether::IP, &ip(ends.reversed(), Ipv4 { tos: 0xc0, ..Ipv4::PLAIN }, proto::ICMP, &exceeded)),
    ];
    for (number, size) in [(1, 56), (2, 57), (3, 33)] {
        let rest = [0x77, 0, 0, number];
        frames.push(out(ether::IP, &ip(ends, Ipv4::PLAIN, proto::ICMP, &icmp(8, 0, rest, &text(size)))));
        frames.push(back(ether::IP, &ip(ends.reversed(), Ipv4::PLAIN, proto::ICMP, &icmp(0, 0, rest, &text(size)))));
    }
    frames
}

/// IPv6: neighbour discovery, TCP to port 80, UDP, and an echo behind a hop-by-hop header.
fn ipv6() -> Vec<Vec<u8>> {
    let ends = v6(CLIENT, GATEWAY);
    let syn = Tcp { sport: 40_010, dport: 80, seq: 1, ack: 0, flags: SYN, options: &[2, 4, 0x05, 0xa0] };
    let get = Tcp { seq: 2, ack: 2, flags: PSH | ACK, options: &[], ..syn };

    let IpAddr::V6(gateway) = ends.dst else { unreachable!("the ends are IPv6") };
    // Solicited-node multicast (RFC 4291 section 2.7.1), mapped to a group of Ethernet (RFC 2464 section 7).
    let solicited = Ends { dst: Ipv6Addr::new(0xff02, 0, 0, 0, 0, 1, 0xff00, u16::from(GATEWAY)).into(), ..ends };
    let option = [&[1, 1][..], &mac(CLIENT)].concat();
    let solicitation = icmpv6(solicited, 135, 0, [0; 4], &[&gateway.octets()[..], &option].concat());
    let last_hop = Ipv4 { ttl: 255, ..Ipv4::PLAIN };

    // Next header ICMPv6, eight bytes in all, router alert (RFC 2711) and two bytes of padding.
    let hop_by_hop = [proto::ICMPV6, 0, 5, 2, 0, 0, 1, 0];
    let echo = icmpv6(ends, 128, 0, [0x77, 0, 0, 1], &text(17));
    vec![
        ethernet(
            [0x33, 0x33, 0xff, 0, 0, GATEWAY],
            mac(CLIENT),
            ether::IPV6,
            &ip(solicited, last_hop, proto::ICMPV6, &solicitation),
        ),
        out(ether::IPV6, &ip(ends, Ipv4::PLAIN, proto::TCP, &tcp(ends, syn, &[]))),
        out(
            ether::IPV6,
            &ip(ends, Ipv4 { tos: 0xb8, ..Ipv4::PLAIN }, proto::TCP, &tcp(ends, get, b"GET / HTTP/1.0\r\n\r\n")),
        ),
        out(ether::IPV6, &ip(ends, Ipv4::PLAIN, proto::UDP, &udp(ends, 33_000, 53, &text(31)))),
        out(ether::IPV6, &ip(ends, Ipv4::PLAIN, HOP_BY_HOP, &[&hop_by_hop[..], &echo].concat())),
        // No next header: 54 bytes, the least that has an IPv6 header.
        out(ether::IPV6, &ip(ends, Ipv4::PLAIN, NO_NEXT_HEADER, &[])),
    ]
}

/// VLAN tags: IPv4 and IPv6 behind one, IPv4 behind two, ARP behind one with a priority and no id.
fn tagged() -> Vec<Vec<u8>> {
    let (ends, ends6) = (v4(CLIENT, GATEWAY), v6(CLIENT, GATEWAY));
    let syn = Tcp { sport: 40_011, dport: 80, seq: 7, ack: 0, flags: SYN, options: &[] };
    let packet = ip(ends, Ipv4::PLAIN, proto::TCP, &tcp(ends, syn, &[]));
    let packet6 = ip(ends6, Ipv4::PLAIN, proto::UDP, &udp(ends6, 33_000, 53, &text(12)));
    let request = arp(1, (mac(CLIENT), [10, 0, 0, CLIENT]), ([0; 6], [10, 0, 0, GATEWAY]));
    vec![
        out(ether::VLAN, &vlan(0, 100, ether::IP, &packet)),
        out(ether::VLAN, &vlan(5, 4_094, ether::IPV6, &packet6)),
        out(ether::QINQ, &vlan(0, 200, ether::VLAN, &vlan(3, 100, ether::IP, &packet))),
        padded(ethernet(BROADCAST, mac(CLIENT), ether::VLAN, &vlan(7, 0, ether::ARP, &request))),
    ]
}

/// Multicast DNS to the group's MAC address, and DHCP to everyone.
fn multicast() -> Vec<Vec<u8>> {
    let group = Ends { dst: Ipv4Addr::new(224, 0, 0, 251).into(), ..v4(CLIENT, 0) };
    let everyone = Ends { src: Ipv4Addr::UNSPECIFIED.into(), dst: Ipv4Addr::BROADCAST.into() };
    let query = [b"\0\0\0\0\0\x01\0\0\0\0\0\0", DNS_QUESTION].concat();
    let mut discover = vec![1, 1, 6, 0, 0x12, 0x34, 0x56, 0x78];
    discover.resize(28, 0);
    discover.extend(mac(CLIENT));
    discover.resize(236, 0);
    discover.extend([0x63, 0x82, 0x53, 0x63, 53, 1, 1, 255]);
    vec![
        ethernet(
            [1, 0, 0x5e, 0, 0, 251],
            mac(CLIENT),
            ether::IP,
            &ip(group, Ipv4 { ttl: 255, ..Ipv4::PLAIN }, proto::UDP, &udp(group, 5_353, 5_353, &query)),
        ),
        ethernet(
            BROADCAST,
            mac(CLIENT),
            ether::IP,
            &ip(everyone, Ipv4::PLAIN, proto::UDP, &udp(everyone, 68, 67, &discover)),
        ),
    ]
}

/// A datagram to port 80 in two fragments: the second has no ports.
fn fragments() -> Vec<Vec<u8>> {
    let ends = v4(CLIENT, GATEWAY);
    let datagram = udp(ends, 33_000, 80, &text(101));
    let (first, second) = datagram.split_at(64);
    let header = Ipv4 { id: 0xbeef, ..Ipv4::PLAIN };
    vec![
        out(ether::IP, &ip(ends, Ipv4 { fragment: MORE_FRAGMENTS, ..header }, proto::UDP, first)),
        out(ether::IP, &ip(ends, Ipv4 { fragment: 64 / 8, ..header }, proto::UDP, second)),
    ]
}

/// From nothing but the Ethernet header to the 1514 bytes of a full frame.
fn sizes() -> Vec<Vec<u8>> {
    let ends = v4(CLIENT, GATEWAY);
    let datagram = |size| out(ether::IP, &ip(ends, Ipv4::PLAIN, proto::UDP, &udp(ends, 33_000, 7, &text(size))));
    let data = Tcp { sport: 80, dport: 40_012, seq: 1, ack: 1, flags: ACK, options: &[] };
    vec![
        // No protocol is of EtherType 0x88b5 (local experiments), and so nobody misses its payload.
        out(LOCAL_EXPERIMENT, &[]),
        // 34 bytes: an IPv4 header and nothing after it.
        out(ether::IP, &ip(ends, Ipv4::PLAIN, NO_NEXT_HEADER, &[])),
        padded(datagram(0)),
        padded(datagram(17)),
        datagram(18),
        datagram(19),
        datagram(85),
        datagram(600),
        back(ether::IP, &ip(ends.reversed(), Ipv4::PLAIN, proto::TCP, &tcp(ends.reversed(), data, &text(1_460)))),
    ]
}

/// What is neither IP nor ARP: a spanning tree's frame with a length where others have a type, and LLDP.
fn others() -> Vec<Vec<u8>> {
    let mut bridge = vec![0x42, 0x42, 0x03, 0, 0, 0, 0, 0];
    bridge.resize(38, 0);
    let lldp = [&[0x02, 7, 4][..], &mac(GATEWAY), &[0x04, 3, 7, b'g', b'0', 0x06, 2, 0, 120, 0, 0]].concat();
    vec![
        padded(ethernet([1, 0x80, 0xc2, 0, 0, 0], mac(GATEWAY), bridge.len() as u16, &bridge)),
        padded(ethernet([1, 0x80, 0xc2, 0, 0, 0x0e], mac(GATEWAY), 0x88cc, &lldp)),
    ]
}

/// A frame from the client to the gateway.
fn out(kind: u16, payload: &[u8]) -> Vec<u8> {
    ethernet(mac(GATEWAY), mac(CLIENT), kind, payload)
}

/// A frame from the gateway to the client.
fn back(kind: u16, payload: &[u8]) -> Vec<u8> {
    ethernet(mac(CLIENT), mac(GATEWAY), kind, payload)
}

fn v4(src: u8, dst: u8) -> Ends {
    let address = |host| Ipv4Addr::new(10, 0, 0, host).into();
    Ends { src: address(src), dst: address(dst) }
}

/// Addresses of the prefix kept for documentation.
fn v6(src: u8, dst: u8) -> Ends {
    let address = |host| Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, u16::from(host)).into();
    Ends { src: address(src), dst: address(dst) }
}

/// A payload of that many letters.
fn text(size: usize) -> Vec<u8> {
    (b'a'..=b'z').cycle().take(size).collect()
}

const CLIENT: u8 = 2;
const GATEWAY: u8 = 1;
const BROADCAST: Mac = [0xff; 6];
const LOCAL_EXPERIMENT: u16 = 0x88b5;
const HOP_BY_HOP: u8 = 0;
const NO_NEXT_HEADER: u8 = 59;

/// `www.example.com`, type A, class IN.
const DNS_QUESTION: &[u8] = b"\x03www\x07example\x03com\0\0\x01\0\x01";
/// The name of the question, type A, class IN, for five minutes, 10.0.0.80.
const DNS_RECORD: &[u8] = b"\xc0\x0c\0\x01\0\x01\0\0\x01\x2c\0\x04\x0a\0\0\x50";
