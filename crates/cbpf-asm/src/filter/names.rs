//! Names as rows: protocols, services, EtherTypes, constants, and words that libpcap knows and we refuse.

use super::ast::Proto;

/// What carries a protocol, and by which number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Carrier {
    /// The link layer itself.
    Link,
    /// The link layer, by EtherType; up to 1,500 by LLC's service access point.
    Type(u32),
    /// IPv4.
    V4(u32),
    /// IPv6.
    V6(u32),
    /// IPv4 and IPv6.
    Ip(u32),
}

/// A protocol's row.
pub(super) struct ProtoRow {
    pub(super) proto: Proto,
    /// Its word in expressions.
    pub(super) word: &'static str,
    pub(super) carrier: Carrier,
}

const fn row(proto: Proto, word: &'static str, carrier: Carrier) -> ProtoRow {
    ProtoRow { proto, word, carrier }
}

impl Proto {
    /// All protocols, in the order of the enumeration.
    pub(super) const ROWS: [ProtoRow; 28] = [
        row(Proto::Link, "ether", Carrier::Link),
        row(Proto::Ip, "ip", Carrier::Type(0x0800)),
        row(Proto::Ip6, "ip6", Carrier::Type(0x86dd)),
        row(Proto::Arp, "arp", Carrier::Type(0x0806)),
        row(Proto::Rarp, "rarp", Carrier::Type(0x8035)),
        row(Proto::Tcp, "tcp", Carrier::Ip(6)),
        row(Proto::Udp, "udp", Carrier::Ip(17)),
        row(Proto::Sctp, "sctp", Carrier::Ip(132)),
        row(Proto::Icmp, "icmp", Carrier::V4(1)),
        row(Proto::Icmp6, "icmp6", Carrier::V6(58)),
        row(Proto::Igmp, "igmp", Carrier::V4(2)),
        row(Proto::Igrp, "igrp", Carrier::V4(9)),
        row(Proto::Pim, "pim", Carrier::Ip(103)),
        row(Proto::Vrrp, "vrrp", Carrier::V4(112)),
        row(Proto::Carp, "carp", Carrier::V4(112)),
        row(Proto::Ah, "ah", Carrier::Ip(51)),
        row(Proto::Esp, "esp", Carrier::Ip(50)),
        row(Proto::Atalk, "atalk", Carrier::Type(0x809b)),
        row(Proto::Aarp, "aarp", Carrier::Type(0x80f3)),
        row(Proto::Decnet, "decnet", Carrier::Type(0x6003)),
        row(Proto::Lat, "lat", Carrier::Type(0x6004)),
        row(Proto::Moprc, "moprc", Carrier::Type(0x6002)),
        row(Proto::Mopdl, "mopdl", Carrier::Type(0x6001)),
        row(Proto::Sca, "sca", Carrier::Type(0x6007)),
        row(Proto::Iso, "iso", Carrier::Type(0xfe)),
        row(Proto::Stp, "stp", Carrier::Type(0x42)),
        row(Proto::Ipx, "ipx", Carrier::Type(0xe0)),
        row(Proto::Netbeui, "netbeui", Carrier::Type(0xf0)),
    ];

    /// This protocol's row.
    pub(super) const fn row(self) -> &'static ProtoRow {
        &Proto::ROWS[self as usize]
    }

    /// The word for it.
    pub(super) const fn word(self) -> &'static str {
        self.row().word
    }

    /// The protocol of a word.
    pub(super) fn by_word(word: &str) -> Option<Proto> {
        match word {
            "link" => Some(Proto::Link),
            _ => Proto::ROWS.iter().find(|r| r.word == word).map(|r| r.proto),
        }
    }
}

/// Words of the language besides protocols, constants and operators.
const WORDS: [&str; 21] = [
    "src",
    "dst",
    "host",
    "net",
    "mask",
    "port",
    "portrange",
    "proto",
    "broadcast",
    "multicast",
    "vlan",
    "mpls",
    "pppoed",
    "pppoes",
    "less",
    "greater",
    "inbound",
    "outbound",
    "ifindex",
    "len",
    "length",
];

/// Words of libpcap that are refused, and why.
const REFUSED: [(&str, &str); 25] = [
    ("gateway", "it asks for the addresses of a host by name"),
    ("protochain", "it needs jumps backward, which no kernel runs"),
    ("geneve", "it moves what follows by a length in the packet"),
    ("vxlan", "it moves what follows by a length in the packet"),
    ("llc", "only LLC's service access points can be told, by `ether proto`"),
    ("byte", "write `ether[N]` for byte N"),
    ("iso-tp4", "no header behind LLC can be told"),
    ("isis", "no header behind LLC can be told"),
    ("esis", "no header behind LLC can be told"),
    ("clnp", "no header behind LLC can be told"),
    ("fddi", "there is no such link type here"),
    ("tr", "there is no such link type here"),
    ("wlan", "there is no such link type here"),
    ("type", "there is no such link type here"),
    ("subtype", "there is no such link type here"),
    ("direction", "there is no such link type here"),
    ("radio", "there is no such link type here"),
    ("ppp", "there is no such link type here"),
    ("slip", "there is no such link type here"),
    ("lane", "there is no such link type here"),
    ("oam", "there is no such link type here"),
    ("ifname", "the packet filter of BSD writes it"),
    ("rulenum", "the packet filter of BSD writes it"),
    ("reason", "the packet filter of BSD writes it"),
    ("action", "the packet filter of BSD writes it"),
];

/// Why a word of libpcap is refused; none for others.
pub(super) fn refused(word: &str) -> Option<&'static str> {
    REFUSED.iter().find(|r| r.0 == word).map(|r| r.1)
}

/// Whether a word means something, so that it is no name unless a backslash stands before it.
pub(super) fn is_keyword(word: &str) -> bool {
    Proto::by_word(word).is_some() || WORDS.contains(&word) || constant(word).is_some() || refused(word).is_some()
}

/// Numbers that have a name: offsets of fields, flags of TCP, types of ICMP.
const CONSTANTS: [(&str, u32); 58] = [
    ("icmptype", 0),
    ("icmpcode", 1),
    ("icmp-echoreply", 0),
    ("icmp-unreach", 3),
    ("icmp-sourcequench", 4),
    ("icmp-redirect", 5),
    ("icmp-echo", 8),
    ("icmp-routeradvert", 9),
    ("icmp-routersolicit", 10),
    ("icmp-timxceed", 11),
    ("icmp-paramprob", 12),
    ("icmp-tstamp", 13),
    ("icmp-tstampreply", 14),
    ("icmp-ireq", 15),
    ("icmp-ireqreply", 16),
    ("icmp-maskreq", 17),
    ("icmp-maskreply", 18),
    ("icmp6type", 0),
    ("icmp6code", 1),
    ("icmp6-destinationunreach", 1),
    ("icmp6-destinationrunreach", 1),
    ("icmp6-packettoobig", 2),
    ("icmp6-timeexceeded", 3),
    ("icmp6-parameterproblem", 4),
    ("icmp6-echo", 128),
    ("icmp6-echoreply", 129),
    ("icmp6-multicastlistenerquery", 130),
    ("icmp6-multicastlistenerreportv1", 131),
    ("icmp6-multicastlistenerdone", 132),
    ("icmp6-routersolicit", 133),
    ("icmp6-routeradvert", 134),
    ("icmp6-neighborsolicit", 135),
    ("icmp6-neighboradvert", 136),
    ("icmp6-redirect", 137),
    ("icmp6-routerrenum", 138),
    ("icmp6-nodeinformationquery", 139),
    ("icmp6-nodeinformationresponse", 140),
    ("icmp6-ineighbordiscoverysolicit", 141),
    ("icmp6-ineighbordiscoveryadvert", 142),
    ("icmp6-multicastlistenerreportv2", 143),
    ("icmp6-homeagentdiscoveryrequest", 144),
    ("icmp6-homeagentdiscoveryreply", 145),
    ("icmp6-mobileprefixsolicit", 146),
    ("icmp6-mobileprefixadvert", 147),
    ("icmp6-certpathsolicit", 148),
    ("icmp6-certpathadvert", 149),
    ("icmp6-multicastrouteradvert", 151),
    ("icmp6-multicastroutersolicit", 152),
    ("icmp6-multicastroutertermination", 153),
    ("icmp6-multicastrouterterm", 153),
    ("tcpflags", 13),
    ("tcp-fin", 0x01),
    ("tcp-syn", 0x02),
    ("tcp-rst", 0x04),
    ("tcp-push", 0x08),
    ("tcp-ack", 0x10),
    ("tcp-urg", 0x20),
    ("tcp-ece", 0x40),
];

/// The number that a word stands for.
pub(super) fn constant(word: &str) -> Option<u32> {
    match word {
        "tcp-cwr" => Some(0x80),
        _ => CONSTANTS.iter().find(|c| c.0 == word).map(|c| c.1),
    }
}

/// The number of a protocol of IP.
pub(super) fn ip_proto(name: &str) -> Option<u32> {
    IP_PROTOS.iter().find(|p| p.0 == name).map(|p| p.1)
}

const IP_PROTOS: [(&str, u32); 29] = [
    ("icmp", 1),
    ("igmp", 2),
    ("ggp", 3),
    ("ipencap", 4),
    ("tcp", 6),
    ("egp", 8),
    ("igp", 9),
    ("igrp", 9),
    ("udp", 17),
    ("dccp", 33),
    ("ipv6", 41),
    ("ipv6-route", 43),
    ("ipv6-frag", 44),
    ("rsvp", 46),
    ("gre", 47),
    ("esp", 50),
    ("ah", 51),
    ("ipv6-icmp", 58),
    ("icmp6", 58),
    ("ipv6-nonxt", 59),
    ("ipv6-opts", 60),
    ("eigrp", 88),
    ("ospf", 89),
    ("pim", 103),
    ("ipcomp", 108),
    ("vrrp", 112),
    ("l2tp", 115),
    ("sctp", 132),
    ("udplite", 136),
];

/// The EtherType of a protocol, or its service access point of LLC.
pub(super) fn ether_type(name: &str) -> Option<u32> {
    match Proto::by_word(name)?.row().carrier {
        Carrier::Type(number) => Some(number),
        _ => None,
    }
}

/// EtherTypes that have a name and no word of their own.
pub(super) const LOOPBACK: (&str, u32) = ("loopback", 0x9000);

/// With which protocols a service is registered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Over {
    Tcp,
    Udp,
    Both,
}

/// The port of a service.
pub(super) fn service(name: &str) -> Option<(u32, Over)> {
    SERVICES.iter().find(|s| s.0 == name).map(|s| (s.1, s.2))
}

const SERVICES: [(&str, u32, Over); 78] = [
    ("echo", 7, Over::Both),
    ("discard", 9, Over::Both),
    ("daytime", 13, Over::Both),
    ("chargen", 19, Over::Both),
    ("ftp-data", 20, Over::Tcp),
    ("ftp", 21, Over::Tcp),
    ("ssh", 22, Over::Tcp),
    ("telnet", 23, Over::Tcp),
    ("smtp", 25, Over::Tcp),
    ("time", 37, Over::Both),
    ("whois", 43, Over::Tcp),
    ("tacacs", 49, Over::Both),
    ("domain", 53, Over::Both),
    ("bootps", 67, Over::Udp),
    ("bootpc", 68, Over::Udp),
    ("tftp", 69, Over::Udp),
    ("gopher", 70, Over::Tcp),
    ("finger", 79, Over::Tcp),
    ("http", 80, Over::Tcp),
    ("www", 80, Over::Tcp),
    ("kerberos", 88, Over::Both),
    ("pop3", 110, Over::Tcp),
    ("sunrpc", 111, Over::Both),
    ("auth", 113, Over::Tcp),
    ("nntp", 119, Over::Tcp),
    ("ntp", 123, Over::Udp),
    ("epmap", 135, Over::Tcp),
    ("netbios-ns", 137, Over::Udp),
    ("netbios-dgm", 138, Over::Udp),
    ("netbios-ssn", 139, Over::Tcp),
    ("imap", 143, Over::Tcp),
    ("imap2", 143, Over::Tcp),
    ("snmp", 161, Over::Both),
    ("snmptrap", 162, Over::Both),
    ("snmp-trap", 162, Over::Both),
    ("xdmcp", 177, Over::Udp),
    ("bgp", 179, Over::Tcp),
    ("ptp-event", 319, Over::Udp),
    ("ptp-general", 320, Over::Udp),
    ("ldap", 389, Over::Both),
    ("svrloc", 427, Over::Both),
    ("https", 443, Over::Both),
    ("microsoft-ds", 445, Over::Tcp),
    ("kpasswd", 464, Over::Both),
    ("submissions", 465, Over::Tcp),
    ("smtps", 465, Over::Tcp),
    ("isakmp", 500, Over::Udp),
    ("login", 513, Over::Tcp),
    ("shell", 514, Over::Tcp),
    ("syslog", 514, Over::Both),
    ("printer", 515, Over::Tcp),
    ("route", 520, Over::Udp),
    ("dhcpv6-client", 546, Over::Udp),
    ("dhcpv6-server", 547, Over::Udp),
    ("rtsp", 554, Over::Both),
    ("submission", 587, Over::Tcp),
    ("ipp", 631, Over::Tcp),
    ("ldaps", 636, Over::Both),
    ("ldp", 646, Over::Both),
    ("domain-s", 853, Over::Both),
    ("rsync", 873, Over::Tcp),
    ("imaps", 993, Over::Tcp),
    ("pop3s", 995, Over::Tcp),
    ("socks", 1080, Over::Tcp),
    ("openvpn", 1194, Over::Both),
    ("ms-sql-s", 1433, Over::Tcp),
    ("l2tp", 1701, Over::Udp),
    ("radius", 1812, Over::Both),
    ("radius-acct", 1813, Over::Both),
    ("nfs", 2049, Over::Both),
    ("mysql", 3306, Over::Tcp),
    ("ms-wbt-server", 3389, Over::Tcp),
    ("sip", 5060, Over::Both),
    ("sip-tls", 5061, Over::Both),
    ("mdns", 5353, Over::Udp),
    ("postgresql", 5432, Over::Tcp),
    ("redis", 6379, Over::Tcp),
    ("http-alt", 8080, Over::Tcp),
];
