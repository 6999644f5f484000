//! The packet context: derived from a frame as the kernel derives it, settable by field name.

use oxbpf_abi::ctx::{BESIDE, Field, SKB, Shape, XDP};
use oxbpf_abi::layout::SkBuff;
use thiserror::Error;

use crate::context;

/// What the first bytes of a packet are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Link {
    /// An Ethernet header.
    Ethernet,
    /// An IP header: there is no link header.
    Ip,
}

/// Bytes of an Ethernet header.
pub const ETH_HLEN: usize = 14;

/// The context of a frame of `len` bytes, of which `data` was captured.
///
/// Follows the kernel's test run: `protocol` is the EtherType, or a number of its own for an IEEE 802.3 frame;
/// `pkt_type` is 0 (host) for the destination 00:00:00:00:00:00, 2 (multicast) for a group address, else 3 (other
/// host); `ifindex` is 1 (the loopback device), `wire_len` is `len`; `family` and addresses are those of a socket
/// that sent the packet's source and receives from its destination; `hatype` is what captures of this link type are
/// from (1, Ethernet; 65534, no link header); `cgroup_id` is 1, the root of control groups; everything else is 0.
pub fn derive(data: &[u8], len: u32, link: Link) -> SkBuff {
    let mut skb = SkBuff { len, wire_len: len, ifindex: 1, cgroup_id: 1, ..SkBuff::default() };
    skb.hatype = match link {
        Link::Ethernet => ARPHRD_ETHER,
        Link::Ip => ARPHRD_NONE,
    };
    let (protocol, network) = match link {
        Link::Ethernet => {
            skb.pkt_type = data.get(..6).map_or(0, pkt_type);
            (ethernet_protocol(data), data.get(ETH_HLEN..).unwrap_or_default())
        }
        Link::Ip => (ip_protocol(data), data),
    };
    skb.protocol = protocol.to_be().into();
    set_addresses(&mut skb, protocol, network);
    skb
}

const ARPHRD_ETHER: u32 = 1;
const ARPHRD_NONE: u32 = 0xfffe;
const ETH_P_IP: u16 = 0x0800;
const ETH_P_IPV6: u16 = 0x86dd;

/// The EtherType; of a frame with a length in its place, what the kernel says instead.
fn ethernet_protocol(data: &[u8]) -> u16 {
    data.get(12..).filter(|rest| rest.len() >= 2).map_or(0, encapsulated_protocol)
}

/// What an EtherType with what follows it says, in host order; of a length in its place, what the kernel says instead.
pub(crate) fn encapsulated_protocol(bytes: &[u8]) -> u16 {
    const LEAST_ETHER_TYPE: u16 = 0x0600;
    const ETH_P_802_3: u16 = 1;
    const ETH_P_802_2: u16 = 4;
    match *bytes {
        [a, b, ref rest @ ..] => match u16::from_be_bytes([a, b]) {
            kind @ LEAST_ETHER_TYPE.. => kind,
            _ if rest.starts_with(&[0xff, 0xff]) => ETH_P_802_3,
            _ => ETH_P_802_2,
        },
        _ => 0,
    }
}

/// Whether an EtherType in network order is one of tags: 802.1Q, 802.1ad.
pub(crate) fn is_vlan(protocol: u16) -> bool {
    matches!(u16::from_be(protocol), 0x8100 | 0x88a8)
}

/// A frame as it is on the wire: with the tag that its context keeps beside it.
///
/// ```
/// use oxbpf_runtime::skb;
///
/// let mut ctx = skb::derive(&[0; 60], 60, skb::Link::Ethernet);
/// assert_eq!(skb::on_wire(vec![0; 60], &ctx).len(), 60);
/// (ctx.vlan_present, ctx.vlan_tci, ctx.vlan_proto) = (1, 100, 0x8100u16.to_be().into());
/// assert_eq!(skb::on_wire(vec![0; 60], &ctx)[12..16], [0x81, 0, 0, 100]);
/// ```
pub fn on_wire(mut frame: Vec<u8>, skb: &SkBuff) -> Vec<u8> {
    const ADDRESSES: usize = 12;
    if skb.vlan_present != 0 && frame.len() >= ADDRESSES {
        let [a, b] = (skb.vlan_proto as u16).to_le_bytes();
        let [c, d] = (skb.vlan_tci as u16).to_be_bytes();
        frame.splice(ADDRESSES..ADDRESSES, [a, b, c, d]);
    }
    frame
}

fn ip_protocol(data: &[u8]) -> u16 {
    match data.first().map(|b| b >> 4) {
        Some(4) => ETH_P_IP,
        Some(6) => ETH_P_IPV6,
        _ => 0,
    }
}

/// Address family and addresses, in network order, from an IP header.
fn set_addresses(skb: &mut SkBuff, protocol: u16, header: &[u8]) {
    const AF_INET: u32 = 2;
    const AF_INET6: u32 = 10;
    let word = |at: usize| u32::from_ne_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
    if protocol == ETH_P_IP && header.len() >= 20 {
        skb.family = AF_INET;
        skb.local_ip4 = word(12);
        skb.remote_ip4 = word(16);
    } else if protocol == ETH_P_IPV6 && header.len() >= 40 {
        skb.family = AF_INET6;
        skb.local_ip6 = [8, 12, 16, 20].map(word);
        skb.remote_ip6 = [24, 28, 32, 36].map(word);
    }
}

fn pkt_type(destination: &[u8]) -> u32 {
    const HOST: u32 = 0;
    const MULTICAST: u32 = 2;
    const OTHER_HOST: u32 = 3;
    match destination {
        [0, 0, 0, 0, 0, 0] => HOST,
        [first, ..] if first & 1 != 0 => MULTICAST,
        _ => OTHER_HOST,
    }
}

/// A field that cannot be set so.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[allow(missing_docs)]
pub enum FieldError {
    #[error("the context has no field {name}; it has {}", names().join(", "))]
    Unknown { name: String },
    #[error("field {name} is an address and follows from the packet")]
    Derived { name: String },
    #[error("{value} does not fit into field {name}")]
    Range { name: String, value: u64 },
    #[error("field {name} has {count} elements, there is no index {index}")]
    Index { name: String, count: usize, index: usize },
}

fn names() -> Vec<&'static str> {
    let fields = SKB.fields.iter().chain(XDP.fields).chain(BESIDE.fields);
    let mut names: Vec<_> = fields.filter(|f| settable(f)).map(|f| f.name).collect();
    names.dedup();
    names
}

fn settable(field: &Field) -> bool {
    !matches!(field.shape, Shape::Pointer | Shape::Opaque)
}

fn find(name: &str) -> Result<&'static Field, FieldError> {
    let field = SKB.field(name).or_else(|| XDP.field(name)).or_else(|| BESIDE.field(name));
    let field = field.ok_or_else(|| FieldError::Unknown { name: name.to_string() })?;
    if settable(field) { Ok(field) } else { Err(FieldError::Derived { name: name.to_string() }) }
}

/// Sets a field, or element 0 of an array field.
pub fn set(skb: &mut SkBuff, name: &str, value: u64) -> Result<(), FieldError> {
    set_element(skb, name, 0, value)
}

/// Sets an element of an array field (`cb`, `remote_ip6`, `local_ip6`).
pub fn set_element(skb: &mut SkBuff, name: &str, index: usize, value: u64) -> Result<(), FieldError> {
    let field = find(name)?;
    let width = element_size(field);
    let count = field.size as usize / width;
    if index >= count {
        return Err(FieldError::Index { name: name.to_string(), count, index });
    }
    if width < 8 && value >> (8 * width) != 0 {
        return Err(FieldError::Range { name: name.to_string(), value });
    }
    // In host form a number takes four bytes or eight.
    context::store(skb, field.host + index * width, width, value);
    Ok(())
}

/// The elements of a field; one for a plain field.
pub fn get(skb: &SkBuff, field: &Field) -> Vec<u64> {
    let width = element_size(field);
    (0..field.size as usize / width).map(|i| context::load(skb, field.host + i * width, width)).collect()
}

fn element_size(field: &Field) -> usize {
    match field.shape {
        Shape::U64 | Shape::Pointer | Shape::Opaque => 8,
        Shape::U32 | Shape::Queue | Shape::Word | Shape::Bytes => 4,
        Shape::U8 => 1,
    }
}
