//! Link types: how the bytes of a captured packet begin.

use std::fmt;

/// A link type by its number in the LINKTYPE registry, which is what captures contain.
///
/// Any number is a link type, known or not. `Display` gives the name where there is one and the number elsewhere.
///
/// ```
/// use oxbpf_capture::LinkType;
///
/// assert_eq!(LinkType::EN10MB.to_string(), "EN10MB");
/// assert_eq!(LinkType::from_name("raw"), Some(LinkType(101)));
/// assert_eq!(LinkType(9999).name(), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LinkType(pub u32);

impl LinkType {
    /// BSD loopback: four bytes of address family in the capturing host's byte order, then the packet.
    pub const NULL: LinkType = LinkType(0);
    /// Ethernet.
    pub const EN10MB: LinkType = LinkType(1);
    /// IPv4 or IPv6, told apart by the first four bits.
    pub const RAW: LinkType = LinkType(101);
    /// OpenBSD loopback: four bytes of address family in network byte order, then the packet.
    pub const LOOP: LinkType = LinkType(108);
    /// Linux "cooked" capture: 16 bytes of pseudo-header, then the packet.
    pub const LINUX_SLL: LinkType = LinkType(113);
    /// IPv4.
    pub const IPV4: LinkType = LinkType(228);
    /// IPv6.
    pub const IPV6: LinkType = LinkType(229);
    /// Linux "cooked" capture, version 2: 20 bytes of pseudo-header, then the packet.
    pub const LINUX_SLL2: LinkType = LinkType(276);

    /// The name tcpdump prints, without a prefix, where the number is one of those listed here.
    pub fn name(self) -> Option<&'static str> {
        NAMES.binary_search_by_key(&self.0, |row| row.0).ok().map(|row| NAMES[row].1)
    }

    /// The link type of that name, in upper or lower case.
    pub fn from_name(name: &str) -> Option<LinkType> {
        NAMES.iter().find(|row| row.1.eq_ignore_ascii_case(name)).map(|row| LinkType(row.0))
    }

    /// The link type in the last field of a pcap header, whose uppermost six bits tell how many bytes of frame check
    /// sequence the packets end with. As libpcap does, 12 is read as RAW: the number is that of DLT_RAW on most systems,
    /// and many programs write it. So is 14, which DLT_RAW is on OpenBSD and no registered link type has.
    pub(crate) fn from_pcap_field(field: u32) -> LinkType {
        LinkType::from_number(field & LINK_TYPE_MASK)
    }

    /// The link type of that number in a capture's field without other bits; see [`LinkType::from_pcap_field`].
    pub(crate) fn from_number(number: u32) -> LinkType {
        match number {
            DLT_RAW | DLT_RAW_OPENBSD => LinkType::RAW,
            number => LinkType(number),
        }
    }
}

impl fmt::Display for LinkType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.pad(name),
            None => self.0.fmt(f),
        }
    }
}

const LINK_TYPE_MASK: u32 = 0x03ff_ffff;
const DLT_RAW: u32 = 12;
const DLT_RAW_OPENBSD: u32 = 14;

/// Names of the link types that network captures have, by number.
const NAMES: [(u32, &str); 40] = [
    (0, "NULL"),
    (1, "EN10MB"),
    (6, "IEEE802"),
    (7, "ARCNET"),
    (8, "SLIP"),
    (9, "PPP"),
    (10, "FDDI"),
    (50, "PPP_SERIAL"),
    (51, "PPP_ETHER"),
    (100, "ATM_RFC1483"),
    (101, "RAW"),
    (102, "SLIP_BSDOS"),
    (103, "PPP_BSDOS"),
    (104, "C_HDLC"),
    (105, "IEEE802_11"),
    (107, "FRELAY"),
    (108, "LOOP"),
    (109, "ENC"),
    (113, "LINUX_SLL"),
    (117, "PFLOG"),
    (119, "PRISM_HEADER"),
    (127, "IEEE802_11_RADIO"),
    (144, "LINUX_IRDA"),
    (163, "IEEE802_11_RADIO_AVS"),
    (166, "PPP_PPPD"),
    (189, "USB_LINUX"),
    (192, "PPI"),
    (195, "IEEE802_15_4"),
    (219, "MPLS"),
    (220, "USB_LINUX_MMAPPED"),
    (227, "CAN_SOCKETCAN"),
    (228, "IPV4"),
    (229, "IPV6"),
    (230, "IEEE802_15_4_NOFCS"),
    (239, "NFLOG"),
    (242, "IPOIB"),
    (253, "NETLINK"),
    (271, "VSOCK"),
    (276, "LINUX_SLL2"),
    (285, "DSA_TAG_EDSA"),
];
