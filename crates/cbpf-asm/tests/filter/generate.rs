//! Generated expressions: every primitive of the language, in every company.

use std::net::Ipv6Addr;

use oxbpf_cbpf_asm::filter::Link;

use crate::packets::{MACS, PORTS, Rng, V4, V6};

/// What has come before in an expression: what may follow depends on it.
#[derive(Clone, Copy, Default)]
struct Layers {
    labels: usize,
    pppoe: bool,
    tags: usize,
}

pub struct Generator {
    rng: Rng,
    link: Link,
    layers: Layers,
}

fn dotted(a: [u8; 4]) -> String {
    format!("{}.{}.{}.{}", a[0], a[1], a[2], a[3])
}

fn colons(a: [u16; 8]) -> String {
    Ipv6Addr::from(a).to_string()
}

/// The expression of a seed.
pub fn expression(link: Link, seed: u64) -> String {
    let mut generator = Generator { rng: Rng::new(seed ^ 0x00f1_17e5), link, layers: Layers::default() };
    generator.chain(2)
}

impl Generator {
    fn pick(&mut self, words: &[&'static str]) -> &'static str {
        self.rng.pick(words)
    }

    fn chain(&mut self, depth: usize) -> String {
        let mut text = self.term(depth);
        for _ in 0..self.rng.pick(&[0, 0, 1, 1, 2, 3]) {
            let join = self.pick(&[" and ", " or ", " && ", " || "]);
            text += join;
            text += &self.term(depth);
        }
        text
    }

    fn term(&mut self, depth: usize) -> String {
        match self.rng.below(12) {
            0 => format!("{}{}", self.pick(&["not ", "! ", "!"]), self.term(depth)),
            1 | 2 if depth > 0 => format!("({})", self.chain(depth - 1)),
            _ => self.primitive(),
        }
    }

    fn primitive(&mut self) -> String {
        let Layers { labels, pppoe, .. } = self.layers;
        let ethernet = self.link == Link::Ethernet && !pppoe;
        loop {
            return match self.rng.below(24) {
                0..=2 => self.host(),
                3..=5 => self.port(),
                6 => self.net(),
                7 | 8 => self.proto(),
                9 => self.proto_number(),
                10..=14 => self.relation(),
                15 if ethernet => self.mac(),
                16 if ethernet => self.pick(&["broadcast", "multicast", "ether broadcast", "ether multicast"]).into(),
                17 => self.pick(&["ip broadcast", "ip multicast", "ip6 multicast"]).into(),
                18 => format!("{} {}", self.pick(&["less", "greater"]), 20 + self.rng.below(80)),
                // libpcap asks for the wrong extension behind pppoes.
                19 if !pppoe => self.pick(&["inbound", "outbound"]).into(),
                20 if !pppoe => format!("ifindex {}", self.rng.below(4)),
                21 if ethernet && labels == 0 => self.vlan(),
                22 if self.link == Link::Ethernet => self.mpls(),
                23 if labels == 0 => self.pppoe(),
                _ => continue,
            };
        }
    }

    fn vlan(&mut self) -> String {
        self.layers.tags += 1;
        match self.rng.below(3) {
            0 => "vlan".into(),
            1 => format!("vlan {}", self.rng.pick(&[1, 5, 100, 200])),
            _ => format!("vlan ({})", self.rng.pick(&["0x64", "0310", "4095"])),
        }
    }

    fn mpls(&mut self) -> String {
        self.layers.labels += 1;
        if self.rng.one_in(2) { "mpls".into() } else { format!("mpls {}", self.rng.pick(&[3, 5, 100, 1000])) }
    }

    fn pppoe(&mut self) -> String {
        if self.rng.one_in(3) {
            return "pppoed".into();
        }
        self.layers.pppoe = true;
        if self.rng.one_in(2) { "pppoes".into() } else { format!("pppoes {}", self.rng.pick(&[1, 5, 100])) }
    }

    fn dir(&mut self) -> &'static str {
        self.pick(&["", "", "", "src ", "dst ", "src or dst ", "src and dst ", "dst or src "])
    }

    fn address(&mut self) -> String {
        dotted(self.rng.pick(&V4))
    }

    /// More ids of the same kind, which the first one implies.
    fn more(&mut self, mut id: impl FnMut(&mut Self) -> String) -> String {
        let first = id(self);
        match self.rng.below(8) {
            0 => format!("{first} or {}", id(self)),
            1 => format!("({first} or {})", id(self)),
            2 => format!("{first} and not {}", id(self)),
            3 => format!("{first} or ({} and {})", id(self), id(self)),
            _ => first,
        }
    }

    fn host(&mut self) -> String {
        let dir = self.dir();
        let labelled = self.layers.labels > 0;
        match self.rng.below(6) {
            0 => {
                let proto = self.pick(&["", "ip6 "]);
                format!("{proto}{dir}host {}", self.more(|g| colons(g.rng.pick(&V6))))
            }
            1 if !labelled => {
                let proto = self.pick(&["arp", "rarp", "ip"]);
                format!("{proto} {dir}host {}", self.address())
            }
            2 if !dir.is_empty() => format!("{dir}{}", self.more(Self::address)),
            3 => format!("{dir}host {}", self.rng.pick(&["10.1", "192.168.1", "0x0a000001", "167772161"])),
            _ => format!("{dir}host {}", self.more(Self::address)),
        }
    }

    fn net(&mut self) -> String {
        let dir = self.dir();
        let nets = [
            "10",
            "10.1",
            "10.0.0",
            "10.0.0.0/8",
            "10.0.0.0/24",
            "10.0.0.0/30",
            "192.168.0.0/16",
            "192.168/16",
            "0.0.0.0/0",
            "172.16.0.0/12",
            "10.0.0.0 mask 255.0.0.0",
            "10.0.0.0 mask 255.255.255.252",
            "224.0.0.0/4",
            "2001:db8::/32",
            "2001:db8::/33",
            "2001:db8:8000::/33",
            "fe80::/10",
            "ff00::/8",
            "::/0",
            "2001:db8::1/128",
        ];
        let ids = self.more(|g| g.pick(&nets).into());
        format!("{dir}net {ids}")
    }

    fn port(&mut self) -> String {
        let proto = self.pick(&["", "", "tcp ", "udp ", "sctp "]);
        let dir = self.dir();
        let names: &[&str] = match proto {
            "" => &["http", "https", "domain", "ssh", "sip", "ntp"],
            "tcp " => &["http", "ssh", "domain", "https"],
            "udp " => &["domain", "ntp", "sip"],
            _ => &["domain"],
        };
        if self.rng.one_in(4) {
            let ranges = ["20-80", "80-443", "5060-5061", "0-1023", "1024-65535", "443-80", "53", "22-22"];
            return format!("{proto}{dir}portrange {}", self.more(|g| g.pick(&ranges).into()));
        }
        let one = |g: &mut Self| match g.rng.below(5) {
            0 => g.rng.pick(names).to_string(),
            _ => g.rng.pick(&PORTS).to_string(),
        };
        format!("{proto}{dir}port {}", self.more(one))
    }

    fn proto(&mut self) -> String {
        let over_ip =
            ["ip", "ip6", "tcp", "udp", "sctp", "icmp", "icmp6", "igmp", "igrp", "pim", "vrrp", "carp", "ah", "esp"];
        let others =
            ["arp", "rarp", "atalk", "aarp", "decnet", "lat", "moprc", "mopdl", "sca", "iso", "stp", "ipx", "netbeui"];
        if self.layers.labels > 0 || self.rng.one_in(2) { self.pick(&over_ip) } else { self.pick(&others) }.into()
    }

    fn proto_number(&mut self) -> String {
        let numbers = ["1", "6", "17", "58", "132", "0x32", "44", "0", "\\tcp", "\\udp", "\\sctp", "\\icmp", "\\gre"];
        match self.rng.below(4) {
            0 if self.layers.labels == 0 => {
                let numbers =
                    ["0x800", "0x86dd", "\\arp", "\\ip6", "0x88cc", "100", "0x42", "0x8137", "4", "1500", "0x9000"];
                format!("ether proto {}", self.more(|g| g.pick(&numbers).into()))
            }
            kind => {
                let proto = ["proto ", "ip proto ", "ip6 proto "][kind.max(1) - 1];
                format!("{proto}{}", self.more(|g| g.pick(&numbers).into()))
            }
        }
    }

    fn mac(&mut self) -> String {
        let one = |g: &mut Self| {
            let m = g.rng.pick(&MACS);
            let hex = m.map(|b| format!("{b:02x}"));
            match g.rng.below(5) {
                0 => hex.join("-"),
                1 => format!("{}{}.{}{}.{}{}", hex[0], hex[1], hex[2], hex[3], hex[4], hex[5]),
                2 => hex.concat(),
                _ => m.map(|b| format!("{b:x}")).join(":"),
            }
        };
        let dir = self.dir();
        let host = if dir.is_empty() { "host " } else { self.pick(&["", "host "]) };
        format!("{} {dir}{host}{}", self.pick(&["ether", "link"]), self.more(one))
    }

    fn relation(&mut self) -> String {
        let left = match self.rng.below(8) {
            // A word with a dash would be one word.
            0 => "len".into(),
            _ => self.index(),
        };
        match self.rng.below(8) {
            0 => {
                let (flags, set) = (
                    self.pick(&["tcp-syn", "tcp-ack", "(tcp-syn|tcp-ack)", "(tcp-rst | tcp-fin)", "tcp-push", "0x02"]),
                    self.pick(&["!= 0", "= 0", "== tcp-syn", "= 2"]),
                );
                format!("tcp[tcpflags] & {flags} {set}")
            }
            1 => {
                let kinds = ["icmp-echo", "icmp-echoreply", "icmp-unreach", "icmp-timxceed", "8"];
                format!("icmp[icmptype] {} {}", self.pick(&["=", "!="]), self.pick(&kinds))
            }
            2 => {
                let kinds = ["icmp6-echo", "icmp6-neighborsolicit", "icmp6-routeradvert", "135"];
                format!("icmp6[icmp6type] {} {}", self.pick(&["=", "!="]), self.pick(&kinds))
            }
            _ => {
                let relation = self.pick(&["=", "==", "!=", "<", "<=", ">", ">="]);
                let (left, right) = (self.calculation(left, 2), self.operand(1));
                if self.rng.one_in(4) {
                    format!("{right} {relation} {left}")
                } else {
                    format!("{left} {relation} {right}")
                }
            }
        }
    }

    fn index(&mut self) -> String {
        let labelled = self.layers.labels > 0;
        let protos: &[&str] = match labelled {
            true => &["ip", "ip6", "tcp", "udp", "icmp", "icmp6"],
            false => {
                &["ip", "ip6", "tcp", "udp", "icmp", "icmp6", "sctp", "igmp", "arp", "ether", "link", "pim", "vrrp"]
            }
        };
        let proto = self.pick(protos);
        let at = match self.rng.below(12) {
            0 => "(ip[0] & 0xf) << 2".into(),
            1 => format!("{} + {}", self.rng.below(4), self.rng.below(20)),
            2 => format!("{}[{}] & 7", self.pick(&["ip", "tcp", "ip6"]), self.rng.below(14)),
            3 => "(tcp[12] & 0xf0) >> 2".into(),
            4 => format!("len - {}", 1 + self.rng.below(40)),
            _ => self.rng.below(44).to_string(),
        };
        let size = self.pick(&["", "", ":1", ":2", ":4"]);
        format!("{proto}[{at}{size}]")
    }

    fn calculation(&mut self, left: String, depth: usize) -> String {
        if depth == 0 || self.rng.one_in(2) {
            return left;
        }
        let op = self.pick(&["+", "-", "*", "/", "%", "&", "|", "^", "<<", ">>", "&", "&"]);
        let right = match op {
            "/" | "%" => self.rng.pick(&["2", "3", "7", "16", "ip[8]"]).to_string(),
            "<<" | ">>" => self.rng.below(12).to_string(),
            "&" | "|" => self.rng.pick(&["0xf", "0xf0", "0xff", "1", "2", "0x0fff", "0x8000"]).to_string(),
            _ => self.operand(depth - 1),
        };
        let whole = format!("{left} {op} {right}");
        let whole = if self.rng.one_in(3) { format!("({whole})") } else { whole };
        self.calculation(whole, depth - 1)
    }

    fn operand(&mut self, depth: usize) -> String {
        match self.rng.below(10) {
            0 => "len".into(),
            1 => format!("-{}", 1 + self.rng.below(9)),
            2 | 3 => self.index(),
            4 if depth > 0 => {
                let index = self.index();
                format!("({})", self.calculation(index, depth))
            }
            _ => self
                .rng
                .pick(&["0", "1", "2", "5", "6", "17", "20", "0x45", "64", "80", "0x0800", "0xffff", "443"])
                .into(),
        }
    }
}
