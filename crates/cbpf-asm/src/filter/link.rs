//! Link types: how the bytes of a packet begin.

use std::fmt;

/// How the bytes of a packet begin, as far as expressions can be compiled for it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Link {
    /// Ethernet.
    Ethernet,
    /// IPv4 or IPv6, told apart by the first four bits.
    Raw,
    /// Linux "cooked" capture.
    Sll,
    /// Linux "cooked" capture, version 2.
    Sll2,
    /// BSD loopback: the address family in the byte order of the capturing host, here little-endian.
    Null,
    /// OpenBSD loopback: the address family in network byte order.
    Loop,
    /// IPv4.
    Ipv4,
    /// IPv6.
    Ipv6,
}

/// A link type's row.
#[derive(Clone, Copy, Debug)]
pub struct LinkRow {
    /// The link type.
    pub link: Link,
    /// Its name, as tcpdump's option `-y` takes it.
    pub name: &'static str,
    /// Its number in captures.
    pub number: u32,
    /// What it is, for messages.
    pub about: &'static str,
}

const fn row(link: Link, name: &'static str, number: u32, about: &'static str) -> LinkRow {
    LinkRow { link, name, number, about }
}

impl Link {
    /// All link types, in the order of the enumeration.
    pub const ROWS: [LinkRow; 8] = [
        row(Link::Ethernet, "EN10MB", 1, "Ethernet"),
        row(Link::Raw, "RAW", 101, "raw IP"),
        row(Link::Sll, "LINUX_SLL", 113, "Linux cooked capture"),
        row(Link::Sll2, "LINUX_SLL2", 276, "Linux cooked capture v2"),
        row(Link::Null, "NULL", 0, "BSD loopback"),
        row(Link::Loop, "LOOP", 108, "OpenBSD loopback"),
        row(Link::Ipv4, "IPV4", 228, "raw IPv4"),
        row(Link::Ipv6, "IPV6", 229, "raw IPv6"),
    ];

    /// This link type's row.
    pub const fn row(self) -> &'static LinkRow {
        &Link::ROWS[self as usize]
    }

    /// The link type of this name, in upper or lower case.
    pub fn by_name(name: &str) -> Option<Link> {
        Link::ROWS.iter().find(|r| r.name.eq_ignore_ascii_case(name)).map(|r| r.link)
    }

    /// The link type of this number in captures.
    pub fn by_number(number: u32) -> Option<Link> {
        Link::ROWS.iter().find(|r| r.number == number).map(|r| r.link)
    }
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.row().name)
    }
}
