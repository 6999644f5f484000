//! A number for a packet's flow.

const ETH_P_IP: u16 = 0x0800;
const ETH_P_IPV6: u16 = 0x86dd;
const TCP: u8 = 6;
const UDP: u8 = 17;
const SCTP: u8 = 132;

/// A hash of addresses, transport and ports, as far as the packet has them; the same for both directions, never 0.
pub(super) fn hash(packet: &[u8], protocol: u16) -> u32 {
    let (transport, addresses, rest) = match (protocol, packet) {
        (ETH_P_IP, [first, ..]) if packet.len() >= 20 => {
            let fragment = u16::from_be_bytes([packet[6], packet[7]]) & 0x3fff != 0;
            let start = usize::from(first & 0xf) * 4;
            (packet[9], packet[12..20].split_at(4), packet.get(start..).filter(|_| !fragment))
        }
        (ETH_P_IPV6, _) if packet.len() >= 40 => (packet[6], packet[8..40].split_at(16), packet.get(40..)),
        _ => (0, (&packet[..0], &packet[..0]), None),
    };
    let rest = rest.filter(|_| matches!(transport, TCP | UDP | SCTP)).unwrap_or_default();
    let ports = rest.get(..4).map_or((&rest[..0], &rest[..0]), |ports| ports.split_at(2));
    let ends = [[addresses.0, ports.0], [addresses.1, ports.1]];
    let ordered = if ends[0] <= ends[1] { ends } else { [ends[1], ends[0]] };
    let bytes = ordered.iter().flatten().copied().flatten().copied();
    let sum = bytes.fold(mix(u64::from(protocol) << 8 | u64::from(transport)), |sum, b| mix(sum ^ u64::from(b)));
    ((sum >> 32) as u32).max(1)
}

/// One step of SplitMix64.
fn mix(n: u64) -> u64 {
    let z = n.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ z >> 31
}

#[cfg(test)]
mod tests {
    use super::*;

    fn udp(src: [u8; 4], dst: [u8; 4], ports: [u8; 4]) -> Vec<u8> {
        let mut packet = vec![0x45, 0, 0, 28, 0, 0, 0, 0, 64, UDP, 0, 0];
        for part in [src, dst, ports, [0; 4]] {
            packet.extend(part);
        }
        packet
    }

    #[test]
    fn both_directions_have_one_hash_and_other_flows_another() {
        let there = hash(&udp([10, 0, 0, 1], [10, 0, 0, 2], [0, 53, 4, 0]), ETH_P_IP);
        assert_eq!(there, hash(&udp([10, 0, 0, 2], [10, 0, 0, 1], [4, 0, 0, 53]), ETH_P_IP));
        assert_ne!(there, hash(&udp([10, 0, 0, 2], [10, 0, 0, 1], [0, 53, 4, 0]), ETH_P_IP));
        assert_ne!(there, hash(&udp([10, 0, 0, 1], [10, 0, 0, 3], [0, 53, 4, 0]), ETH_P_IP));
        assert_ne!(hash(&[], ETH_P_IP), 0);
        assert_ne!(hash(&[0x45; 19], ETH_P_IPV6), 0);
    }
}
