//! From what an expression says to what must be read and compared.

use oxbpf_isa::Narrow;
use oxbpf_isa::cbpf::Ext;

use super::Link;
use super::ast::{Arith, Dir, Expr, Id, Prim, Proto, Quals, Relation, Span, Transports};
use super::cond::{self, Cond, all, any};
use super::error::{Fault, FilterError};
use super::layers::{Layers, carried, masked_is};
use super::names::Carrier;
use super::value::{Value, ValueId, Values};

type Result<T, E = Fault> = std::result::Result<T, E>;

/// What an expression demands of packets of a link type.
pub(super) fn lower(link: Link, expr: &Expr, values: &mut Values) -> Result<Cond, FilterError> {
    Lower { layers: Layers::new(link), values }.expr(expr)
}

struct Lower<'v> {
    layers: Layers,
    values: &'v mut Values,
}

/// Offsets in headers of the network layer: protocol, source, destination.
const V4_PROTO: u32 = 9;
const V4_FRAGMENT: u32 = 6;
const V4_ENDS: [u32; 2] = [12, 16];
const V6_PROTO: u32 = 6;
const V6_ENDS: [u32; 2] = [8, 24];
const V6_LEN: u32 = 40;
const ARP_ENDS: [u32; 2] = [14, 24];
/// Offsets of MAC addresses.
const MAC_ENDS: [u32; 2] = [6, 0];
/// Offsets of ports.
const PORTS: [u32; 2] = [0, 2];
/// The number of IPv6's fragment header.
const FRAGMENT: u32 = 44;
const FRAGMENT_OFFSET: u32 = 0x1fff;
/// The kind of packet that was sent and not received: PACKET_OUTGOING of Linux.
const OUTGOING: u32 = 4;

impl Lower<'_> {
    fn expr(&mut self, expr: &Expr) -> Result<Cond, FilterError> {
        match expr {
            Expr::Prim(prim, span) => self.prim(prim).map_err(|error| error.into_error(*span)),
            Expr::Not(inner) => self.expr(inner).map(|cond| !cond),
            Expr::Chain(first, rest) => {
                let first = self.expr(first)?;
                let rest: Result<Vec<_>, _> = rest.iter().map(|(join, e)| Ok((*join, self.expr(e)?))).collect();
                Ok(Cond::Chain(Box::new(first), rest?))
            }
        }
    }

    fn prim(&mut self, prim: &Prim) -> Result<Cond, Wrong> {
        Ok(match prim {
            Prim::Proto(proto) => self.proto(*proto)?,
            Prim::Id(quals, id) => self.id(*quals, *id)?,
            Prim::Relation(left, relation, right) => self.relation(left, *relation, right)?,
            Prim::Broadcast(proto) => self.broadcast(*proto)?,
            Prim::Multicast(proto) => self.multicast(*proto)?,
            Prim::Vlan(id) => self.layers.vlan(self.values, *id)?,
            Prim::Mpls(label) => self.layers.mpls(self.values, *label)?,
            Prim::PppoeDiscovery => self.carries(carried::PPPOE_DISCOVERY)?,
            Prim::PppoeSession(session) => self.layers.pppoe_session(self.values, *session)?,
            Prim::Less(k) => self.len(Relation::Le, *k),
            Prim::Greater(k) => self.len(Relation::Ge, *k),
            Prim::Inbound => !self.outbound(),
            Prim::Outbound => self.outbound(),
            Prim::Interface(k) => self.interface(*k),
        })
    }

    fn carries(&mut self, number: u32) -> Result<Cond> {
        self.layers.carries(self.values, number)
    }

    /// A load from the network header.
    fn network(&mut self, size: Narrow, off: u32) -> ValueId {
        let k = self.layers.network() + off;
        self.values.intern(Value::Load { size, k })
    }

    fn network_is(&mut self, size: Narrow, off: u32, k: u32) -> Cond {
        let value = self.network(size, off);
        cond::equals(self.values, value, k)
    }

    /// A condition on one end or the other, or on both.
    fn ends(&mut self, dir: Dir, offsets: [u32; 2], mut end: impl FnMut(&mut Self, u32) -> Cond) -> Cond {
        let [source, destination] = offsets;
        match dir {
            Dir::Source => end(self, source),
            Dir::Destination => end(self, destination),
            Dir::Either => any([end(self, source), end(self, destination)]),
            Dir::Both => all([end(self, source), end(self, destination)]),
        }
    }

    fn proto(&mut self, proto: Proto) -> Result<Cond> {
        match proto.row().carrier {
            // The parser sees to it that `ether` does not stand alone.
            Carrier::Link => Ok(Cond::Const(true)),
            Carrier::Type(number) => self.carries(number),
            Carrier::V4(number) => self.over_v4(number),
            Carrier::V6(number) => self.over_v6(number),
            Carrier::Ip(number) => self.over_ip(number),
        }
    }

    fn over_ip(&mut self, number: u32) -> Result<Cond> {
        Ok(any([self.over_v4(number)?, self.over_v6(number)?]))
    }

    fn over_v4(&mut self, number: u32) -> Result<Cond> {
        let carried = self.carries(carried::IP)?;
        Ok(all([carried, self.network_is(Narrow::B, V4_PROTO, number)]))
    }

    /// Behind IPv6 directly, or behind its fragment header.
    fn over_v6(&mut self, number: u32) -> Result<Cond> {
        let carried = self.carries(carried::IP6)?;
        let direct = self.network_is(Narrow::B, V6_PROTO, number);
        let fragment = self.network_is(Narrow::B, V6_PROTO, FRAGMENT);
        let inner = self.network_is(Narrow::B, V6_LEN, number);
        Ok(all([carried, any([direct, all([fragment, inner])])]))
    }

    fn id(&mut self, quals: Quals, id: Id) -> Result<Cond> {
        match id {
            Id::V4 { addr, mask } => self.v4(quals, addr, mask),
            Id::V6 { addr, len } => self.v6(quals.dir, addr, len),
            Id::Mac(mac) => {
                self.layers.ethernet("MAC addresses")?;
                Ok(self.ends(quals.dir, MAC_ENDS, |l, off| l.mac(off, mac)))
            }
            Id::Ports { low, high, transports } => self.ports(quals.dir, low, high, transports),
            Id::Proto(number) => match quals.proto {
                None => self.over_ip(number),
                Some(Proto::Ip) => self.over_v4(number),
                Some(Proto::Ip6) => self.over_v6(number),
                Some(_) => self.carries(number),
            },
        }
    }

    /// An IPv4 address in IPv4 and, where nothing else is said, in ARP and RARP, which are not told behind labels.
    fn v4(&mut self, quals: Quals, addr: u32, mask: u32) -> Result<Cond> {
        let kinds = [
            (Proto::Ip, carried::IP, V4_ENDS),
            (Proto::Arp, carried::ARP, ARP_ENDS),
            (Proto::Rarp, carried::RARP, ARP_ENDS),
        ];
        let labelled = self.layers.is_labelled();
        let meant = |proto: Proto| match quals.proto {
            None => proto == Proto::Ip || !labelled,
            Some(only) => only == proto,
        };
        let mut found = Vec::new();
        for (_, number, offsets) in kinds.into_iter().filter(|kind| meant(kind.0)) {
            let carried = self.carries(number)?;
            let ends = self.ends(quals.dir, offsets, |l, off| l.word(off, addr, mask));
            found.push(all([carried, ends]));
        }
        Ok(any(found))
    }

    /// A word of an address; of no bits nothing is looked at.
    fn word(&mut self, off: u32, word: u32, mask: u32) -> Cond {
        if mask == 0 {
            return Cond::Const(true);
        }
        let value = self.network(Narrow::W, off);
        masked_is(self.values, value, mask, word)
    }

    fn v6(&mut self, dir: Dir, addr: u128, len: u32) -> Result<Cond> {
        let carried = self.carries(carried::IP6)?;
        let mask = u128::MAX.checked_shl(128 - len).unwrap_or(0);
        let part = |bits: u128, i: u32| (bits >> (96 - 32 * i)) as u32;
        let ends = self.ends(dir, V6_ENDS, |l, off| {
            let words: Vec<Cond> = (0..4).map(|i| l.word(off + 4 * i, part(addr, i), part(mask, i))).collect();
            all(words)
        });
        Ok(all([carried, ends]))
    }

    /// A MAC address, its last four bytes first.
    fn mac(&mut self, off: u32, mac: [u8; 6]) -> Cond {
        let [a, b, c, d, e, f] = mac;
        let mut is = |size, off, k| {
            let value = self.values.intern(Value::Load { size, k: off });
            cond::equals(self.values, value, k)
        };
        let last = is(Narrow::W, off + 2, u32::from_be_bytes([c, d, e, f]));
        all([last, is(Narrow::H, off, u16::from_be_bytes([a, b]).into())])
    }

    fn ports(&mut self, dir: Dir, low: u32, high: u32, transports: Transports) -> Result<Cond> {
        let protos = match transports {
            Transports::All => &[Proto::Sctp, Proto::Tcp, Proto::Udp][..],
            Transports::One(Proto::Sctp) => &[Proto::Sctp],
            Transports::One(Proto::Tcp) => &[Proto::Tcp],
            Transports::One(_) => &[Proto::Udp],
        };
        let mut versions = Vec::new();
        for (number, proto_at) in [(carried::IP6, V6_PROTO), (carried::IP, V4_PROTO)] {
            let v4 = number == carried::IP;
            let carried = self.carries(number)?;
            let over = protos.iter().map(|proto| {
                let Carrier::Ip(transport) = proto.row().carrier else { return Cond::Const(false) };
                let over = self.network_is(Narrow::B, proto_at, transport);
                let unfragmented = if v4 { self.unfragmented() } else { Cond::Const(true) };
                let ends = self.ends(dir, PORTS, |l, off| l.port(v4, off, low, high));
                all([over, unfragmented, ends])
            });
            let over: Vec<Cond> = over.collect();
            versions.push(all([carried, any(over)]));
        }
        Ok(any(versions))
    }

    /// The first fragment of a packet of IPv4 or the whole packet, which has the header of the transport layer.
    fn unfragmented(&mut self) -> Cond {
        let value = self.network(Narrow::H, V4_FRAGMENT);
        masked_is(self.values, value, FRAGMENT_OFFSET, 0)
    }

    fn port(&mut self, v4: bool, off: u32, low: u32, high: u32) -> Cond {
        let value = if v4 { self.transport(Narrow::H, off) } else { self.network(Narrow::H, V6_LEN + off) };
        if low == high {
            return cond::equals(self.values, value, low);
        }
        let (low, high) = (self.values.constant(low), self.values.constant(high));
        let from = cond::compare(self.values, value, Relation::Ge, low);
        all([from, cond::compare(self.values, value, Relation::Le, high)])
    }

    /// A load from behind the header of IPv4.
    fn transport(&mut self, size: Narrow, off: u32) -> ValueId {
        let network = self.layers.network();
        let index = self.values.intern(Value::HeaderLen(network));
        self.values.intern(Value::LoadAt { size, index, k: network + off })
    }

    fn len(&mut self, relation: Relation, k: u32) -> Cond {
        let (len, k) = (self.values.intern(Value::Len), self.values.constant(k));
        cond::compare(self.values, len, relation, k)
    }

    fn outbound(&mut self) -> Cond {
        let value = match self.layers.link() {
            Link::Sll => Value::Load { size: Narrow::H, k: 0 },
            Link::Sll2 => Value::Load { size: Narrow::B, k: 10 },
            _ => Value::Ext(Ext::Type),
        };
        let value = self.values.intern(value);
        cond::equals(self.values, value, OUTGOING)
    }

    fn interface(&mut self, k: u32) -> Cond {
        let value = match self.layers.link() {
            Link::Sll2 => Value::Load { size: Narrow::W, k: 4 },
            _ => Value::Ext(Ext::Ifindex),
        };
        let value = self.values.intern(value);
        cond::equals(self.values, value, k)
    }

    /// To all hosts. Without a mask of the network, IPv4's are the addresses of all ones and of all zeros.
    fn broadcast(&mut self, proto: Option<Proto>) -> Result<Cond> {
        match proto {
            None | Some(Proto::Link) => {
                self.layers.ethernet("broadcast address")?;
                Ok(self.mac(0, [0xff; 6]))
            }
            Some(Proto::Ip) => {
                let carried = self.carries(carried::IP)?;
                let ends = [0, u32::MAX].map(|k| self.network_is(Narrow::W, V4_ENDS[1], k));
                Ok(all([carried, any(ends)]))
            }
            Some(proto) => Err(Fault::Qualifier { word: proto.word(), kind: "broadcast", allowed: "ether and ip can" }),
        }
    }

    fn multicast(&mut self, proto: Option<Proto>) -> Result<Cond> {
        match proto {
            None | Some(Proto::Link) => {
                self.layers.ethernet("multicast addresses")?;
                let first = self.values.intern(Value::Load { size: Narrow::B, k: 0 });
                Ok(masked_is(self.values, first, 1, 1))
            }
            Some(Proto::Ip) => {
                let carried = self.carries(carried::IP)?;
                let (first, from) = (self.network(Narrow::B, V4_ENDS[1]), self.values.constant(224));
                Ok(all([carried, cond::compare(self.values, first, Relation::Ge, from)]))
            }
            Some(Proto::Ip6) => {
                let carried = self.carries(carried::IP6)?;
                Ok(all([carried, self.network_is(Narrow::B, V6_ENDS[1], 0xff)]))
            }
            Some(proto) => {
                Err(Fault::Qualifier { word: proto.word(), kind: "multicast", allowed: "ether, ip and ip6 can" })
            }
        }
    }

    /// A comparison, behind what makes sure that there is what is compared.
    fn relation(&mut self, left: &Arith, relation: Relation, right: &Arith) -> Result<Cond, Wrong> {
        let mut guards = Vec::new();
        let left = self.arith(left, &mut guards)?;
        let right = self.arith(right, &mut guards)?;
        guards.push(cond::compare(self.values, left, relation, right));
        Ok(all(guards))
    }

    fn arith(&mut self, arith: &Arith, guards: &mut Vec<Cond>) -> Result<ValueId, Wrong> {
        Ok(match arith {
            Arith::Number(k) => self.values.constant(*k),
            Arith::Len => self.values.intern(Value::Len),
            Arith::Neg(inner) => {
                let inner = self.arith(inner, guards)?;
                self.values.neg(inner)
            }
            Arith::Binary(op, left, right, span) => {
                let left = self.arith(left, guards)?;
                // As in libpcap, only what is on the left makes sure that its header is there.
                let right = self.arith(right, &mut Vec::new())?;
                self.values.binary(*op, left, right).map_err(|fault| Wrong { fault, at: Some(*span) })?
            }
            Arith::Index { proto, index, size, span } => {
                let mut inner = Vec::new();
                let index = self.arith(index, &mut inner)?;
                let size = match size {
                    1 => Narrow::B,
                    2 => Narrow::H,
                    _ => Narrow::W,
                };
                let value = self.index(*proto, index, size, inner, guards);
                value.map_err(|fault| Wrong { fault, at: Some(*span) })?
            }
        })
    }

    /// Bytes of a header, and what makes sure that it is there; `inner` does so for what the index is computed of.
    fn index(
        &mut self,
        proto: Proto,
        index: ValueId,
        size: Narrow,
        inner: Vec<Cond>,
        guards: &mut Vec<Cond>,
    ) -> Result<ValueId> {
        let network = self.layers.network();
        match (proto, proto.row().carrier) {
            (Proto::Ah | Proto::Esp, _) => Err(Fault::Index { proto: proto.word() }),
            (_, Carrier::Link) => {
                guards.extend(inner);
                let header = self.layers.header();
                self.values.load_at(size, index, header)
            }
            (_, Carrier::Type(number)) => {
                guards.extend(inner);
                guards.push(self.carries(number)?);
                self.values.load_at(size, index, network)
            }
            (_, Carrier::V6(number)) => {
                guards.extend(inner);
                guards.push(self.carries(carried::IP6)?);
                guards.push(self.network_is(Narrow::B, V6_PROTO, number));
                self.values.load_at(size, index, network + V6_LEN)
            }
            (_, Carrier::V4(_) | Carrier::Ip(_)) => {
                guards.push(self.carries(carried::IP)?);
                guards.extend(inner);
                guards.push(self.proto(proto)?);
                guards.push(self.unfragmented());
                let header = self.values.intern(Value::HeaderLen(network));
                let (index, off) = match self.values.as_const(index) {
                    Some(off) => (header, off),
                    None => (self.values.binary(oxbpf_isa::cbpf::AluOp::Add, index, header)?, 0),
                };
                self.values.load_at(size, index, network.wrapping_add(off))
            }
        }
    }
}

/// A fault, and where it is if not the whole condition is at fault.
struct Wrong {
    fault: Fault,
    at: Option<Span>,
}

impl From<Fault> for Wrong {
    fn from(fault: Fault) -> Wrong {
        Wrong { fault, at: None }
    }
}

impl Wrong {
    fn into_error(self, whole: Span) -> FilterError {
        let Span { at, len } = self.at.unwrap_or(whole);
        FilterError { fault: self.fault, at, len }
    }
}
