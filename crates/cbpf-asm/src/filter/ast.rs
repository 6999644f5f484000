//! What an expression says: names resolved, qualifiers spelt out, nothing yet about packets.

use oxbpf_isa::cbpf::AluOp;

/// Where in the text something stands, in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Span {
    pub(super) at: usize,
    pub(super) len: usize,
}

/// How two expressions are joined. Both bind alike, from left to right.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Join {
    And,
    Or,
}

/// An expression.
#[derive(Clone, Debug)]
pub(super) enum Expr {
    Prim(Prim, Span),
    Not(Box<Expr>),
    /// The first, and what is joined to all before it.
    Chain(Box<Expr>, Vec<(Join, Expr)>),
}

/// What can be true of a packet.
#[derive(Clone, Debug)]
pub(super) enum Prim {
    /// It has this protocol.
    Proto(Proto),
    /// It has such an address, port or protocol number.
    Id(Quals, Id),
    /// Two numbers compare so.
    Relation(Arith, Relation, Arith),
    Broadcast(Option<Proto>),
    Multicast(Option<Proto>),
    Vlan(Option<u32>),
    Mpls(Option<u32>),
    PppoeDiscovery,
    PppoeSession(Option<u32>),
    /// It is at most so long.
    Less(u32),
    /// It is at least so long.
    Greater(u32),
    Inbound,
    Outbound,
    Interface(u32),
}

/// What is said of an id: `tcp src port`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Quals {
    pub(super) proto: Option<Proto>,
    pub(super) dir: Dir,
    pub(super) kind: Kind,
}

/// Which of two ends is meant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Dir {
    /// One or the other, also where nothing is said.
    Either,
    Source,
    Destination,
    Both,
}

/// What an id is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Host,
    Net,
    Port,
    PortRange,
    Proto,
}

impl Kind {
    /// The word for it.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Kind::Host => "host",
            Kind::Net => "net",
            Kind::Port => "port",
            Kind::PortRange => "portrange",
            Kind::Proto => "proto",
        }
    }
}

/// A resolved id.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Id {
    V4 {
        addr: u32,
        mask: u32,
    },
    V6 {
        addr: u128,
        /// How many bits of it count.
        len: u32,
    },
    Mac([u8; 6]),
    Ports {
        low: u32,
        high: u32,
        transports: Transports,
    },
    Proto(u32),
}

/// Which protocols with ports are meant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Transports {
    /// SCTP, TCP and UDP.
    All,
    One(Proto),
}

/// Arithmetic of unsigned 32-bit numbers.
#[derive(Clone, Debug)]
pub(super) enum Arith {
    Number(u32),
    /// The packet's length.
    Len,
    /// Bytes of a protocol's header.
    Index {
        proto: Proto,
        index: Box<Arith>,
        size: u32,
        span: Span,
    },
    Binary(AluOp, Box<Arith>, Box<Arith>, Span),
    Neg(Box<Arith>),
}

/// A comparison of unsigned numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Relation {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
}

/// A protocol that has a word of its own.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Proto {
    Link,
    Ip,
    Ip6,
    Arp,
    Rarp,
    Tcp,
    Udp,
    Sctp,
    Icmp,
    Icmp6,
    Igmp,
    Igrp,
    Pim,
    Vrrp,
    Carp,
    Ah,
    Esp,
    Atalk,
    Aarp,
    Decnet,
    Lat,
    Moprc,
    Mopdl,
    Sca,
    Iso,
    Stp,
    Ipx,
    Netbeui,
}
