//! Which CPU a packet is on.

use oxbpf_abi::layout::SkBuff;
use oxbpf_runtime::skb::{ETH_HLEN, Link};

use super::capture_options::CpuRule;

/// The CPU of a packet, of so many.
pub(super) fn cpu(rule: CpuRule, cpus: u32, number: u64, skb: &SkBuff, link: Link, data: &[u8]) -> u32 {
    if cpus == 1 {
        return 0;
    }
    match rule {
        CpuRule::Rr => ((number - 1) % u64::from(cpus)) as u32,
        CpuRule::Flow => {
            let network = if link == Link::Ethernet { ETH_HLEN } else { 0 };
            let hash = flow_hash(skb, data.get(network..).unwrap_or_default());
            ((u128::from(hash) * u128::from(cpus)) >> 64) as u32
        }
    }
}

const AF_INET: u32 = 2;
const AF_INET6: u32 = 10;
const TCP: u8 = 6;
const UDP: u8 = 17;
const SCTP: u8 = 132;

/// A hash of the protocol, addresses and ports, the same in both directions. What is not IP is told apart by its protocol
/// only.
fn flow_hash(skb: &SkBuff, packet: &[u8]) -> u64 {
    let [sport, dport] = ports(skb.family, packet).unwrap_or_default();
    let source = [&[skb.local_ip4][..], &skb.local_ip6, &[u32::from(sport)]].concat();
    let destination = [&[skb.remote_ip4][..], &skb.remote_ip6, &[u32::from(dport)]].concat();
    let (low, high) = if source <= destination { (source, destination) } else { (destination, source) };
    let words = [skb.protocol].into_iter().chain(low).chain(high);
    // FNV-1a by words, and a last mixing so that the uppermost bits depend on all.
    let hash = words.fold(0xcbf2_9ce4_8422_2325_u64, |h, w| (h ^ u64::from(w)).wrapping_mul(0x0000_0100_0000_01b3));
    (hash ^ hash >> 32).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// The ports of a packet; fragments have none, so that all of one are on one CPU.
fn ports(family: u32, packet: &[u8]) -> Option<[u16; 2]> {
    let (protocol, at) = match family {
        AF_INET if packet.get(6..8)?[0] & 0x3f == 0 && packet[7] == 0 => (packet[9], usize::from(packet[0] & 0xf) * 4),
        AF_INET6 => (*packet.get(6)?, 40),
        _ => return None,
    };
    let [a, b, c, d] = *packet.get(at..)?.first_chunk()?;
    matches!(protocol, TCP | UDP | SCTP).then(|| [u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])])
}
