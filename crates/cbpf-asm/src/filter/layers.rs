//! Where in a packet the layers are, and how one is told to carry another.
//!
//! `vlan`, `mpls` and `pppoes` move what is looked at for all that follows in the expression.

use oxbpf_isa::Narrow;

use super::Link;
use super::ast::Relation;
use super::cond::{self, Cond, all, any};
use super::error::Fault;
use super::value::{Value, ValueId, Values};

/// How a link layer says what it carries.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    /// An EtherType or, up to 1,500, the length of an LLC frame.
    Ethernet,
    /// An EtherType, or one of Linux's numbers below 1,536.
    Sll,
    /// An EtherType.
    Sll2,
    /// A protocol of PPP.
    Ppp,
    /// An address family, in the byte order of the capturing host.
    Null,
    /// An address family.
    Loop,
    /// The version in the network header.
    Raw,
    /// It carries one protocol.
    Only(u32),
}

/// The layers that an expression has come to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layers {
    link: Link,
    kind: Kind,
    /// Where the innermost link header begins.
    header: u32,
    /// Where it says what it carries.
    kind_at: u32,
    /// Where its payload begins.
    payload: u32,
    /// How many MPLS labels are before the network header.
    labels: u32,
}

/// EtherTypes and other numbers of what is carried, as [`Layers::carries`] takes them.
pub(super) mod carried {
    pub(crate) const IP: u32 = 0x0800;
    pub(crate) const IP6: u32 = 0x86dd;
    pub(crate) const ARP: u32 = 0x0806;
    pub(crate) const RARP: u32 = 0x8035;
    pub(crate) const VLAN: [u32; 3] = [0x8100, 0x88a8, 0x9100];
    pub(crate) const MPLS: u32 = 0x8847;
    pub(crate) const PPPOE_DISCOVERY: u32 = 0x8863;
    pub(crate) const PPPOE_SESSION: u32 = 0x8864;
    pub(crate) const ATALK: u32 = 0x809b;
    pub(crate) const AARP: u32 = 0x80f3;
    /// Service access points of LLC.
    pub(crate) const ISO: u32 = 0xfe;
    pub(crate) const NETBEUI: u32 = 0xf0;
    pub(crate) const IPX: u32 = 0xe0;
    pub(crate) const STP: u32 = 0x42;
}

/// EtherTypes are above it, lengths of LLC frames are not.
const MAX_LENGTH: u32 = 1_500;
/// Linux's numbers for frames without EtherType.
const SLL_802_3: u32 = 1;
const SLL_LLC: u32 = 4;
const AF_INET: u32 = 2;
/// Linux's number; BSDs have others.
const AF_INET6: u32 = 10;
const ETHERTYPE_IPX: u32 = 0x8137;

/// What PPP calls what EtherTypes and LLC call otherwise.
const PPP: [(u32, u32); 9] = [
    (carried::IP, 0x21),
    (carried::IP6, 0x57),
    (0x0600, 0x25),
    (0x6003, 0x27),
    (carried::ATALK, 0x29),
    (carried::ISO, 0x23),
    (carried::STP, 0x31),
    (carried::IPX, 0x2b),
    (carried::MPLS, 0x281),
];

impl Layers {
    /// At the beginning of packets of this link type.
    pub(super) fn new(link: Link) -> Layers {
        let (kind, kind_at, payload) = match link {
            Link::Ethernet => (Kind::Ethernet, 12, 14),
            Link::Sll => (Kind::Sll, 14, 16),
            Link::Sll2 => (Kind::Sll2, 0, 20),
            Link::Null => (Kind::Null, 0, 4),
            Link::Loop => (Kind::Loop, 0, 4),
            Link::Raw => (Kind::Raw, 0, 0),
            Link::Ipv4 => (Kind::Only(carried::IP), 0, 0),
            Link::Ipv6 => (Kind::Only(carried::IP6), 0, 0),
        };
        Layers { link, kind, header: 0, kind_at, payload, labels: 0 }
    }

    pub(super) fn link(&self) -> Link {
        self.link
    }

    /// Where the innermost link header begins.
    pub(super) fn header(&self) -> u32 {
        self.header
    }

    /// Where the network header begins.
    pub(super) fn network(&self) -> u32 {
        self.payload + 4 * self.labels
    }

    /// Whether there are MPLS labels before the network header.
    pub(super) fn is_labelled(&self) -> bool {
        self.labels > 0
    }

    /// Whether the innermost link header is that of Ethernet; fails with what is in the way of `what`.
    pub(super) fn ethernet(&self, what: &'static str) -> Result<(), Fault> {
        match self.kind {
            Kind::Ethernet => Ok(()),
            Kind::Ppp => Err(Fault::Layer { what: what.into(), layer: "pppoes" }),
            _ => Err(Fault::Link { link: self.link.row().about, what }),
        }
    }

    /// Whether the next layer is the one of this number.
    pub(super) fn carries(&self, values: &mut Values, number: u32) -> Result<Cond, Fault> {
        if self.labels > 0 {
            return self.behind_labels(values, number);
        }
        Ok(match self.kind {
            Kind::Ethernet => self.ethernet_carries(values, number),
            Kind::Sll => self.sll_carries(values, number),
            Kind::Sll2 => self.kind_is(values, number),
            Kind::Ppp => {
                let row = PPP.iter().find(|row| row.0 == number);
                self.kind_is(values, row.map_or(number, |row| row.1))
            }
            Kind::Null => self.family_is(values, number, u32::swap_bytes),
            Kind::Loop => self.family_is(values, number, |family| family),
            Kind::Raw => version(number).map_or(Cond::Const(false), |version| self.version_is(values, version)),
            Kind::Only(only) => Cond::Const(number == only),
        })
    }

    /// Adds a VLAN tag, which is tested for.
    pub(super) fn vlan(&mut self, values: &mut Values, id: Option<u32>) -> Result<Cond, Fault> {
        if self.labels > 0 {
            return Err(Fault::Layer { what: "VLAN tags".into(), layer: "mpls" });
        }
        self.ethernet("VLAN tags")?;
        let mut tags = Vec::new();
        for number in carried::VLAN {
            tags.push(self.carries(values, number)?);
        }
        let tagged = any(tags);
        let tci = self.load(values, Narrow::H, self.payload);
        self.kind_at += 4;
        self.payload += 4;
        Ok(match id {
            Some(id) => all([tagged, masked_is(values, tci, 0x0fff, id)]),
            None => tagged,
        })
    }

    /// Adds an MPLS label, which is tested for.
    pub(super) fn mpls(&mut self, values: &mut Values, label: Option<u32>) -> Result<Cond, Fault> {
        let labelled = match (self.labels, self.kind) {
            (0, Kind::Ethernet | Kind::Ppp) => self.carries(values, carried::MPLS)?,
            (0, _) => return Err(Fault::Link { link: self.link.row().about, what: "MPLS labels" }),
            _ => !self.is_last_label(values),
        };
        let entry = self.load(values, Narrow::W, self.network());
        self.labels += 1;
        Ok(match label {
            Some(label) => all([labelled, masked_is(values, entry, 0xffff_f000, label << 12)]),
            None => labelled,
        })
    }

    /// Adds PPPoE and PPP, which are tested for.
    pub(super) fn pppoe_session(&mut self, values: &mut Values, session: Option<u32>) -> Result<Cond, Fault> {
        let found = self.carries(values, carried::PPPOE_SESSION)?;
        let word = self.load(values, Narrow::W, self.payload);
        self.header = self.payload + 6;
        self.kind = Kind::Ppp;
        self.kind_at = self.header;
        self.payload += 8;
        Ok(match session {
            Some(session) => all([found, masked_is(values, word, 0xffff, session)]),
            None => found,
        })
    }

    fn load(&self, values: &mut Values, size: Narrow, k: u32) -> ValueId {
        values.intern(Value::Load { size, k })
    }

    fn is_at(&self, values: &mut Values, size: Narrow, off: u32, k: u32) -> Cond {
        let value = self.load(values, size, self.payload + off);
        cond::equals(values, value, k)
    }

    fn kind_is(&self, values: &mut Values, number: u32) -> Cond {
        let value = self.load(values, Narrow::H, self.kind_at);
        cond::equals(values, value, number)
    }

    fn family_is(&self, values: &mut Values, number: u32, order: fn(u32) -> u32) -> Cond {
        let family = match number {
            carried::IP => AF_INET,
            carried::IP6 => AF_INET6,
            _ => return Cond::Const(false),
        };
        let value = self.load(values, Narrow::W, self.kind_at);
        cond::equals(values, value, order(family))
    }

    fn version_is(&self, values: &mut Values, version: u32) -> Cond {
        let first = self.load(values, Narrow::B, self.network());
        masked_is(values, first, 0xf0, version << 4)
    }

    fn is_last_label(&self, values: &mut Values) -> Cond {
        let byte = self.load(values, Narrow::B, self.network() - 2);
        masked_is(values, byte, 1, 1)
    }

    /// Labels do not tell what is behind them; of IP the version does.
    fn behind_labels(&self, values: &mut Values, number: u32) -> Result<Cond, Fault> {
        let Some(version) = version(number) else {
            return Err(Fault::Layer { what: protocol(number), layer: "mpls" });
        };
        Ok(all([self.is_last_label(values), self.version_is(values, version)]))
    }

    fn ethernet_carries(&self, values: &mut Values, number: u32) -> Cond {
        let llc = |values: &mut Values| {
            let length = self.load(values, Narrow::H, self.kind_at);
            let max = values.constant(MAX_LENGTH);
            cond::compare(values, length, Relation::Le, max)
        };
        match number {
            carried::IPX => {
                let (kind, llc) = (self.kind_is(values, ETHERTYPE_IPX), llc(values));
                let snap = self.snap(values, 0, ETHERTYPE_IPX);
                let sap = self.is_at(values, Narrow::B, 0, number);
                let bare = self.is_at(values, Narrow::H, 0, 0xffff);
                any([kind, all([llc, any([snap, sap, bare])])])
            }
            carried::ATALK | carried::AARP => {
                let (kind, llc) = (self.kind_is(values, number), llc(values));
                any([kind, all([llc, self.snap(values, organisation(number), number)])])
            }
            0..=MAX_LENGTH => all([llc(values), self.access_point(values, number)]),
            _ => self.kind_is(values, number),
        }
    }

    fn sll_carries(&self, values: &mut Values, number: u32) -> Cond {
        match number {
            carried::IPX => {
                let kinds = [ETHERTYPE_IPX, SLL_802_3].map(|kind| self.kind_is(values, kind));
                let llc = self.kind_is(values, SLL_LLC);
                let sap = self.is_at(values, Narrow::B, 0, number);
                let snap = self.snap(values, 0, ETHERTYPE_IPX);
                any(kinds.into_iter().chain([all([llc, any([sap, snap])])]))
            }
            carried::ATALK | carried::AARP => {
                let (kind, llc) = (self.kind_is(values, number), self.kind_is(values, SLL_LLC));
                any([kind, all([llc, self.snap(values, organisation(number), number)])])
            }
            0..=MAX_LENGTH => all([self.kind_is(values, SLL_LLC), self.access_point(values, number)]),
            _ => self.kind_is(values, number),
        }
    }

    /// Whether the service access points of an LLC frame are these: of OSI and NetBEUI both, of others the destination's.
    fn access_point(&self, values: &mut Values, number: u32) -> Cond {
        match number {
            carried::ISO | carried::NETBEUI => self.is_at(values, Narrow::H, 0, number << 8 | number),
            _ => self.is_at(values, Narrow::B, 0, number),
        }
    }

    /// Whether an LLC frame has SNAP with this organisation and type. The words are looked at from the last one on.
    fn snap(&self, values: &mut Values, organisation: u32, kind: u32) -> Cond {
        let second = self.is_at(values, Narrow::W, 4, (organisation & 0xffff) << 16 | kind);
        let first = self.is_at(values, Narrow::W, 0, 0xaaaa_0300 | organisation >> 16);
        all([second, first])
    }
}

/// The organisation in SNAP of AppleTalk and of its ARP.
const fn organisation(number: u32) -> u32 {
    if number == carried::ATALK { 0x08_0007 } else { 0 }
}

/// The version of IP that an EtherType is.
const fn version(number: u32) -> Option<u32> {
    match number {
        carried::IP => Some(4),
        carried::IP6 => Some(6),
        _ => None,
    }
}

/// How what is carried is called in messages.
fn protocol(number: u32) -> String {
    use super::names::Carrier;
    let row = super::ast::Proto::ROWS.iter().find(|row| row.carrier == Carrier::Type(number));
    row.map_or_else(|| format!("`ether proto {number:#x}`"), |row| format!("`{}`", row.word))
}

/// `value & mask == k`.
pub(super) fn masked_is(values: &mut Values, value: ValueId, mask: u32, k: u32) -> Cond {
    let mask = values.constant(mask);
    match values.binary(oxbpf_isa::cbpf::AluOp::And, value, mask) {
        Ok(masked) => cond::equals(values, masked, k),
        // Only division and shifts by constants fail.
        Err(_) => Cond::Const(false),
    }
}
