//! Ethernet frames to run programs on: the kernel's test runs accept each of them.

use crate::rng::Rng;

/// The shortest frame; the kernel wants 34 bytes of IPv4 and 54 of IPv6.
const MIN_LEN: u32 = 64;
const MAX_LEN: u32 = 200;

/// Length of the Ethernet header.
pub(crate) const ETH_LEN: usize = 14;

/// A frame of 64 to 200 bytes: IPv4, IPv6, ARP or something unknown.
pub(crate) fn frame(rng: &mut Rng) -> Vec<u8> {
    let len = rng.range(MIN_LEN, MAX_LEN) as usize;
    let mut out = rng.bytes(len);
    if rng.chance(50) {
        // A unicast, locally administered address.
        out[0] = 0x02;
    }
    let ether_type = rng.weighted(&[(5, 0x0800u16), (3, 0x86dd), (1, 0x0806), (1, 0x88b5)]);
    out[12..14].copy_from_slice(&ether_type.to_be_bytes());
    match ether_type {
        0x0800 => ipv4(rng, &mut out[ETH_LEN..]),
        0x86dd => ipv6(rng, &mut out[ETH_LEN..]),
        _ => {}
    }
    out
}

const PROTOCOLS: [u8; 3] = [6, 17, 1];

fn ipv4(rng: &mut Rng, ip: &mut [u8]) {
    ip[0] = 0x45;
    let len = ip.len() as u16;
    ip[2..4].copy_from_slice(&len.to_be_bytes());
    ip[6..8].copy_from_slice(&[0x40, 0]);
    ip[8] = 64;
    ip[9] = rng.pick(&PROTOCOLS);
    ip[10..12].fill(0);
    let sum = checksum(&ip[..20]);
    ip[10..12].copy_from_slice(&sum.to_be_bytes());
}

fn ipv6(rng: &mut Rng, ip: &mut [u8]) {
    ip[0] = 0x60;
    let len = (ip.len() - 40) as u16;
    ip[4..6].copy_from_slice(&len.to_be_bytes());
    ip[6] = rng.pick(&PROTOCOLS);
    ip[7] = 64;
}

/// The Internet checksum (RFC 1071) of an even number of bytes.
fn checksum(bytes: &[u8]) -> u16 {
    let mut sum: u32 = bytes.chunks_exact(2).map(|c| u32::from(u16::from_be_bytes([c[0], c[1]]))).sum();
    while sum >> 16 != 0 {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}
