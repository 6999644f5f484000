//! What the fields of the networking contexts are, and since when there are such.

use super::FieldInfo;

const fn skb(name: &'static str, since: &'static str, is: &'static str) -> FieldInfo {
    FieldInfo { ctx: "__sk_buff", name, since, is }
}

const fn xdp(name: &'static str, since: &'static str, is: &'static str) -> FieldInfo {
    FieldInfo { ctx: "xdp_md", name, since, is }
}

/// The fields of `__sk_buff` and `xdp_md`, in the order of [`crate::ctx`].
pub const FIELDS: [FieldInfo; 40] = [
    skb("len", "4.1", "bytes of the packet, from where the program sees it"),
    skb("pkt_type", "4.1", "whom the packet is for: 0 this host, 1 broadcast, 2 multicast, 3 another host, 4 outgoing"),
    skb("mark", "4.1", "a number that stays with the packet inside the host"),
    skb("queue_mapping", "4.1", "the queue it goes to, from 1; 0 where none is chosen"),
    skb("protocol", "4.1", "the EtherType, in network byte order"),
    skb("vlan_present", "4.1", "whether the device took a VLAN tag off the packet"),
    skb("vlan_tci", "4.1", "that tag's priority and number"),
    skb("vlan_proto", "4.2", "that tag's EtherType, in network byte order"),
    skb("priority", "4.1", "the queueing class"),
    skb("ingress_ifindex", "4.2", "the interface it came in on; 0 where it began here"),
    skb("ifindex", "4.2", "the interface it is on"),
    skb("tc_index", "4.2", "tc's index, for qdiscs that use it"),
    skb("cb", "4.2", "five words of the program's own, kept across tail calls"),
    skb("hash", "4.3", "the flow hash, 0 where none is known"),
    skb("tc_classid", "4.3", "the class or realm a classifier chooses in direct action mode"),
    skb("data", "4.7", "the first byte of the packet that can be accessed directly"),
    skb("data_end", "4.7", "the end of those bytes"),
    skb("napi_id", "4.12", "the receive queue as sockets know it"),
    skb("family", "4.14", "the address family of the packet's socket"),
    skb("remote_ip4", "4.14", "the remote IPv4 address of the socket, in network byte order"),
    skb("local_ip4", "4.14", "the local IPv4 address of the socket, in network byte order"),
    skb("remote_ip6", "4.14", "the remote IPv6 address of the socket, in network byte order"),
    skb("local_ip6", "4.14", "the local IPv6 address of the socket, in network byte order"),
    skb("remote_port", "4.14", "the remote port of the socket, in network byte order"),
    skb("local_port", "4.14", "the local port of the socket, in host byte order"),
    skb("data_meta", "4.15", "metadata in front of the packet, up to data"),
    skb("flow_keys", "4.20", "what a flow dissector fills in"),
    skb("tstamp", "5.0", "when it came or is to leave, in nanoseconds"),
    skb("wire_len", "5.0", "bytes it takes on the wire, of all segments"),
    skb("gso_segs", "5.1", "how many segments it will be cut into"),
    skb("sk", "5.1", "the packet's socket, or null"),
    skb("gso_size", "5.7", "how long each of those segments is"),
    skb("tstamp_type", "5.18", "which clock tstamp is of"),
    skb("hwtstamp", "5.16", "when the device received it, by its own clock"),
    xdp("data", "4.8", "the first byte of the packet"),
    xdp("data_end", "4.8", "the end of the packet"),
    xdp("data_meta", "4.15", "metadata in front of the packet, up to data"),
    xdp("ingress_ifindex", "4.16", "the interface it came in on"),
    xdp("rx_queue_index", "4.16", "the receive queue it came in on"),
    xdp("egress_ifindex", "5.8", "the interface it leaves on, for programs of a device map"),
];
