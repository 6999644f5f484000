//! Packets of several shapes.

use crate::common::pair::Rng;
use oxbpf_abi::ProgType;

const IP: u16 = 0x0800;
const IPV6: u16 = 0x86dd;
const ARP: u16 = 0x0806;
const VLAN: u16 = 0x8100;
const QINQ: u16 = 0x88a8;

/// A packet of some shape, as long as the kernel runs it: headers that fit, then random bytes.
pub fn packet(rng: &mut Rng, prog_type: ProgType) -> Vec<u8> {
    let tags = rng.pick(&[0, 0, 0, 0, 1, 1, 2, 3]);
    let mut types: Vec<u16> = (0..tags).map(|_| rng.pick(&[VLAN, VLAN, QINQ])).collect();
    types.push(rng.pick(&[IP, IP, IP, IP, IPV6, IPV6, IPV6, ARP, 0x88b5, 0x0040, 0x0000]));
    let mut bytes = rng.pick(&[[2, 0, 0, 0, 0, 1], [0; 6], [0xff; 6], [1, 0, 0x5e, 0, 0, 1]]).to_vec();
    bytes.extend([2, 0, 0, 0, 0, 2]);
    for (i, kind) in types.iter().enumerate() {
        if i > 0 {
            bytes.extend((rng.next() as u16).to_be_bytes());
        }
        bytes.extend(kind.to_be_bytes());
    }
    bytes.extend(network_header(rng, types[types.len() - 1]));
    let rest = match rng.below(8) {
        0 => 0,
        1 => rng.below(8),
        2 => 1400 + rng.below(2300),
        _ => rng.below(120),
    };
    bytes.extend(rng.bytes(rest as usize));
    if rng.below(6) == 0 {
        bytes.truncate(14 + rng.below(30) as usize);
    }
    let least = match (prog_type, types[0]) {
        (ProgType::Xdp, _) => 14,
        (_, IP) => 34,
        (_, IPV6) => 54,
        _ => 14,
    };
    bytes.resize(bytes.len().clamp(least, 3500), 0);
    bytes
}

fn network_header(rng: &mut Rng, kind: u16) -> Vec<u8> {
    let transport = rng.pick(&[6, 17, 1]);
    match kind {
        IP => {
            let mut header = vec![0x45, 0, 0, 60, 0, 1, 0x40, 0, 64, transport, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2];
            header.extend(rng.bytes(20));
            header
        }
        IPV6 => {
            let mut header = vec![0x60, 0, 0, 0, 0, 20, transport, 64];
            header.extend(rng.bytes(52));
            header
        }
        _ => rng.bytes(28),
    }
}
