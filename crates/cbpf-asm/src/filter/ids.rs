//! Ids: what a number, a name or an address means behind the words that stand before it.

use std::net::Ipv6Addr;
use std::str::FromStr;

use super::ast::{Id, Kind, Proto, Quals, Span, Transports};
use super::error::Fault;
use super::lex::{Tok, Token, mac};
use super::names::{self, LOOPBACK, Over};
use super::parse::{Parser, fault};
use crate::error::quote;

type Result<T> = std::result::Result<T, super::FilterError>;

/// The largest port.
const MAX_PORT: u32 = 65_535;

impl<'s> Parser<'s> {
    /// The id at the cursor, of which `quals` says what it is; `about` is where that is said.
    pub(super) fn id(&mut self, quals: Quals, about: Span) -> Result<Id> {
        let token = self.next();
        allowed(quals, about)?;
        match token.tok {
            Tok::Word | Tok::Escaped | Tok::Colons => {}
            Tok::Malformed => return Err(self.malformed(token)),
            _ => return Err(self.unexpected(token, expected(quals.kind))),
        }
        let text = token.text(self.source);
        let word = token.tok == Tok::Word;
        // A protocol by its name needs no backslash here: nothing else could be meant.
        if word && names::is_keyword(text) && quals.kind != Kind::Proto {
            return Err(self.unexpected(token, expected(quals.kind)));
        }
        match quals.kind {
            Kind::Host | Kind::Net => self.address(token, quals, word),
            Kind::Port => self.port(token, quals),
            Kind::PortRange => self.port_range(token, quals),
            Kind::Proto => self.protocol(token, quals),
        }
    }

    fn address(&mut self, token: Token, quals: Quals, word: bool) -> Result<Id> {
        let text = token.text(self.source);
        if let Some(mac) = mac_address(text) {
            return match (quals.proto, quals.kind) {
                (Some(Proto::Link), Kind::Host) => Ok(Id::Mac(mac)),
                _ => Err(fault(token, Fault::Family { found: "a MAC", expected: "an IP" })),
            };
        }
        let id = match token.tok {
            Tok::Colons => self.v6(token, quals)?,
            _ if word && text.bytes().all(|b| b.is_ascii_digit() || b == b'.') && text.contains('.') => {
                self.v4(token, quals)?
            }
            _ if word && text.starts_with(|c: char| c.is_ascii_digit()) && !text.contains(['-', '_', '.']) => {
                numbered(number(token, text)?, quals.kind)
            }
            _ => {
                let kind = if quals.kind == Kind::Net { "network" } else { "host" };
                return Err(fault(token, Fault::HostName { kind, name: quote(text) }));
            }
        };
        let found = if matches!(id, Id::V6 { .. }) { "an IPv6" } else { "an IPv4" };
        let expected = match (quals.proto, &id) {
            (Some(Proto::Link), _) => "a MAC",
            (Some(Proto::Ip6), Id::V4 { .. }) => "an IPv6",
            (Some(Proto::Ip | Proto::Arp | Proto::Rarp), Id::V6 { .. }) => "an IPv4",
            _ => return Ok(id),
        };
        Err(fault(token, Fault::Family { found, expected }))
    }

    /// An address with dots, of one to four parts, and its mask.
    fn v4(&mut self, token: Token, quals: Quals) -> Result<Id> {
        let (addr, parts) = dotted(token, token.text(self.source))?;
        // What is not written counts for nothing.
        let known = u32::MAX << (32 - 8 * parts);
        let given = match self.peek().tok {
            Tok::Slash => {
                self.next();
                let len = self.number("the network's length in bits")?;
                if len.0 > 32 {
                    return Err(fault(len.1, Fault::Range { what: "the network's length", value: len.0, max: 32 }));
                }
                Some(u32::MAX.checked_shl(32 - len.0).unwrap_or(0))
            }
            Tok::Word if self.peek().text(self.source) == "mask" => {
                self.next();
                let mask = self.next();
                if mask.tok != Tok::Word {
                    return Err(self.unexpected(mask, "a mask as 255.255.0.0"));
                }
                Some(dotted(mask, mask.text(self.source))?.0)
            }
            _ => None,
        };
        let Some(mask) = given else { return Ok(Id::V4 { addr, mask: known }) };
        self.masked(token, quals, addr & !mask == 0)?;
        Ok(Id::V4 { addr, mask })
    }

    fn v6(&mut self, token: Token, quals: Quals) -> Result<Id> {
        let Ok(addr) = Ipv6Addr::from_str(token.text(self.source)) else { return Err(self.malformed(token)) };
        let addr = u128::from(addr);
        if self.peek().tok != Tok::Slash {
            return Ok(Id::V6 { addr, len: 128 });
        }
        self.next();
        let (len, place) = self.number("the network's length in bits")?;
        if len > 128 {
            return Err(fault(place, Fault::Range { what: "the network's length", value: len, max: 128 }));
        }
        let mask = u128::MAX.checked_shl(128 - len).unwrap_or(0);
        self.masked(token, quals, addr & !mask == 0)?;
        Ok(Id::V6 { addr, len })
    }

    /// Whether a mask may stand behind an address that begins with `token`.
    fn masked(&self, token: Token, quals: Quals, clean: bool) -> Result<()> {
        let end = self.before();
        let token = Token { len: end.at + end.len - token.at, ..token };
        match clean {
            _ if quals.kind != Kind::Net => Err(fault(token, Fault::Masked { kind: quals.kind.word() })),
            true => Ok(()),
            false => Err(fault(token, Fault::HostBits { text: quote(token.text(self.source)) })),
        }
    }

    fn port(&self, token: Token, quals: Quals) -> Result<Id> {
        let (port, over) = one_port(token, token.text(self.source))?;
        let transports = transports(token, token.text(self.source), quals, over)?;
        Ok(Id::Ports { low: port, high: port, transports })
    }

    fn port_range(&self, token: Token, quals: Quals) -> Result<Id> {
        let text = token.text(self.source);
        let (low, high, over) = match one_port(token, text) {
            Ok((port, over)) => (port, port, over),
            Err(error) => {
                let Some((low, high)) = text.split_once('-') else { return Err(error) };
                let ((low, over), (high, other)) = (one_port(token, low)?, one_port(token, high)?);
                (low, high, over.filter(|_| over == other))
            }
        };
        let transports = transports(token, text, quals, over)?;
        Ok(Id::Ports { low: low.min(high), high: low.max(high), transports })
    }

    fn protocol(&self, token: Token, quals: Quals) -> Result<Id> {
        let text = token.text(self.source);
        if text.starts_with(|c: char| c.is_ascii_digit()) {
            return number(token, text).map(Id::Proto);
        }
        let (what, found) = match quals.proto {
            Some(Proto::Link) if text == LOOPBACK.0 => ("EtherType", Some(LOOPBACK.1)),
            Some(Proto::Link) => ("EtherType", names::ether_type(text)),
            _ => ("protocol of IP", names::ip_proto(text)),
        };
        found.map(Id::Proto).ok_or_else(|| fault(token, Fault::Unknown { what, name: quote(text) }))
    }

    fn malformed(&self, token: Token) -> super::FilterError {
        fault(token, Fault::Address { text: quote(token.text(self.source)) })
    }
}

/// What should stand at an id.
const fn expected(kind: Kind) -> &'static str {
    match kind {
        Kind::Host => "an address",
        Kind::Net => "the address of a network",
        Kind::Port => "a port",
        Kind::PortRange => "ports as 6000-6008",
        Kind::Proto => "a protocol's number or name",
    }
}

/// Whether the protocol of some qualifiers has what they ask for.
fn allowed(quals: Quals, about: Span) -> Result<()> {
    let Some(proto) = quals.proto else { return Ok(()) };
    use Proto::{Arp, Ip, Ip6, Link, Rarp, Sctp, Tcp, Udp};
    let (fits, allowed) = match quals.kind {
        Kind::Host => (matches!(proto, Link | Ip | Ip6 | Arp | Rarp), "ether, ip, ip6, arp and rarp can"),
        Kind::Net => (matches!(proto, Ip | Ip6 | Arp | Rarp), "ip, ip6, arp and rarp can"),
        Kind::Port | Kind::PortRange => (matches!(proto, Tcp | Udp | Sctp), "tcp, udp and sctp can"),
        Kind::Proto => (matches!(proto, Link | Ip | Ip6), "ether, ip and ip6 can"),
    };
    if fits {
        return Ok(());
    }
    let fault = Fault::Qualifier { word: proto.word(), kind: quals.kind.word(), allowed };
    Err(super::FilterError { fault, at: about.at, len: about.len })
}

/// A number as an address: the whole of it as a host's, its first bytes as a network's.
fn numbered(number: u32, kind: Kind) -> Id {
    let (mut addr, mut mask) = (number, u32::MAX);
    while kind == Kind::Net && addr != 0 && addr >> 24 == 0 {
        addr <<= 8;
        mask <<= 8;
    }
    Id::V4 { addr, mask }
}

fn mac_address(text: &str) -> Option<[u8; 6]> {
    let from_digits = |digits: &str| {
        let value = u64::from_str_radix(digits, 16).ok()?.to_be_bytes();
        Some([value[2], value[3], value[4], value[5], value[6], value[7]])
    };
    let hex = |s: &str, len| s.len() == len && s.bytes().all(|b| b.is_ascii_hexdigit());
    if hex(text, 12) {
        return from_digits(text);
    }
    let words: Option<String> = (text.len() == 14 && text.split('.').all(|g| hex(g, 4))).then(|| text.replace('.', ""));
    if let Some(digits) = words {
        return from_digits(&digits);
    }
    [':', '-', '.'].into_iter().find_map(|separator| mac(text, separator))
}

/// The address in one to four numbers with dots, and how many there are.
fn dotted(token: Token, text: &str) -> Result<(u32, u32)> {
    let wrong = || fault(token, Fault::Address { text: quote(text) });
    let (mut addr, mut parts) = (0, 0);
    for part in text.split('.') {
        let byte = parse_number(part).filter(|n| *n <= 255 && parts < 4).ok_or_else(wrong)?;
        addr = addr << 8 | byte;
        parts += 1;
    }
    Ok((addr << (32 - 8 * parts), parts))
}

/// A number, or a service by its name; of a service with which protocol, where it is one.
fn one_port(token: Token, text: &str) -> Result<(u32, Option<Over>)> {
    if text.bytes().all(|b| b.is_ascii_digit()) || text.starts_with("0x") {
        let port = number(token, text)?;
        return match port <= MAX_PORT {
            true => Ok((port, None)),
            false => Err(fault(token, Fault::Range { what: "port", value: port, max: MAX_PORT })),
        };
    }
    let unknown = || fault(token, Fault::Unknown { what: "service", name: quote(text) });
    names::service(text).map(|(port, over)| (port, Some(over))).ok_or_else(unknown)
}

/// With which protocols a port is looked for, whose service may be of one only.
fn transports(token: Token, text: &str, quals: Quals, over: Option<Over>) -> Result<Transports> {
    let only = match over {
        Some(Over::Tcp) => Some(Proto::Tcp),
        Some(Over::Udp) => Some(Proto::Udp),
        _ => None,
    };
    match (quals.proto, only) {
        (None, None) => Ok(Transports::All),
        (Some(proto), None) | (None, Some(proto)) => Ok(Transports::One(proto)),
        (Some(asked), Some(is)) if asked == is => Ok(Transports::One(is)),
        (Some(asked), Some(is)) => {
            Err(fault(token, Fault::Service { name: quote(text), is: is.word(), asked: asked.word() }))
        }
    }
}

/// The number that a word is.
pub(super) fn number(token: Token, text: &str) -> Result<u32> {
    parse_number(text).ok_or_else(|| fault(token, Fault::Number { text: quote(text) }))
}

fn parse_number(text: &str) -> Option<u32> {
    let (digits, radix) = match text.strip_prefix("0x").or(text.strip_prefix("0X")) {
        Some(digits) => (digits, 16),
        None if text.len() > 1 && text.starts_with('0') => (&text[1..], 8),
        None => (text, 10),
    };
    // The standard library takes a sign.
    let plain = digits.bytes().all(|b| b.is_ascii_alphanumeric());
    u32::from_str_radix(digits, radix).ok().filter(|_| plain)
}
