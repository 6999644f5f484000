//! `odd.pcap`: sizes at which a program or an engine may stumble, in nanoseconds.

use std::net::Ipv4Addr;

use oxbpf_capture::{MAX_CAPTURED, Resolution};

use super::{Capture, mac};
use crate::packets::{Ends, Ipv4, ether, ethernet, ip, proto, udp};

/// The capture.
pub fn capture() -> Capture {
    let ends = Ends { src: Ipv4Addr::new(10, 0, 0, 2).into(), dst: Ipv4Addr::new(10, 0, 0, 1).into() };
    let frame = |size: usize| {
        let packet = ip(ends, Ipv4::PLAIN, proto::UDP, &udp(ends, 33_000, 80, &vec![b'o'; size - HEADERS]));
        ethernet(mac(1), mac(2), ether::IP, &packet)
    };

    let mut capture = Capture::new(Resolution::Nano);
    // Shorter than their headers say: an Ethernet header needs 14 bytes, an IPv4 header behind it 34.
    for size in [0, 1, 13, 14, 15, 33, 34] {
        capture.push(frame(60)[..size].to_vec());
    }
    capture.push(frame(60));
    capture.push_cut(1_514, frame(1_514)[..96].to_vec());
    capture.push(frame(9_000));
    // As long as a captured packet can be; IPv4 would say a length of 16 bits, and so it is none.
    capture.push(vec![0; MAX_CAPTURED]);
    capture.push(frame(60));
    capture
}

/// Ethernet, IPv4 and UDP.
const HEADERS: usize = 14 + 20 + 8;
