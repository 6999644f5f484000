//! Headers as they follow the addresses of an Ethernet frame, of many kinds and nested.

fn be(parts: &[u16]) -> Vec<u8> {
    parts.iter().flat_map(|p| p.to_be_bytes()).collect()
}

fn ether(kind: u16, rest: &[u8]) -> Vec<u8> {
    [&be(&[kind])[..], rest].concat()
}

/// An IPv4 header of so many words.
fn ip_of(words: u8, fragment: u16, protocol: u8, rest: &[u8]) -> Vec<u8> {
    let mut header = vec![0x40 | words, 0, 4, 0, 0, 0];
    header.extend(fragment.to_be_bytes());
    header.extend([64, protocol, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]);
    header.resize(usize::from(words).max(5) * 4, 1);
    [&header[..], rest].concat()
}

fn ip(protocol: u8, rest: &[u8]) -> Vec<u8> {
    ip_of(5, 0, protocol, rest)
}

fn ipv6(next: u8, rest: &[u8]) -> Vec<u8> {
    let mut header = vec![0x60, 0, 0, 0, 4, 0, next, 64];
    header.extend([0xfe; 32]);
    [&header[..], rest].concat()
}

/// An extension header of eight bytes.
fn extension(next: u8, rest: &[u8]) -> Vec<u8> {
    [&[next, 0, 0, 0, 0, 0, 0, 0], rest].concat()
}

fn fragment(next: u8, offset: u16, rest: &[u8]) -> Vec<u8> {
    [&[next, 0][..], &offset.to_be_bytes(), &[0; 4], rest].concat()
}

fn tcp(words: u8) -> Vec<u8> {
    [&[0; 12][..], &[words << 4, 0x10], &[0; 6]].concat()
}

fn udp() -> Vec<u8> {
    be(&[1000, 2000, 100, 0])
}

/// GRE with so many bytes of what its flags say.
fn gre(flags: u16, protocol: u16, more: usize, rest: &[u8]) -> Vec<u8> {
    [&be(&[flags, protocol])[..], &vec![0; more], rest].concat()
}

fn ppp(protocol: u16, rest: &[u8]) -> Vec<u8> {
    [&be(&[0xff03, protocol])[..], rest].concat()
}

fn pppoe(version: u8, code: u8, protocol: u16, rest: &[u8]) -> Vec<u8> {
    ether(0x8864, &[&[version, code, 0, 1, 4, 0][..], &be(&[protocol]), rest].concat())
}

fn inner_ethernet(kind: u16, rest: &[u8]) -> Vec<u8> {
    [&[0; 12][..], &be(&[kind]), rest].concat()
}

fn labels(values: &[u32], rest: &[u8]) -> Vec<u8> {
    let last = values.len() - 1;
    let label = |(i, v): (usize, &u32)| (v << 12 | 0x40 | u32::from(i == last) << 8).to_be_bytes();
    [&values.iter().enumerate().flat_map(label).collect::<Vec<u8>>()[..], rest].concat()
}

/// So many times a header around what is inside.
fn nested(times: usize, inside: Vec<u8>, header: impl Fn(usize, &[u8]) -> Vec<u8>) -> Vec<u8> {
    (0..times).fold(inside, |inside, n| header(n, &inside))
}

pub fn all() -> Vec<Vec<u8>> {
    let inside = ip(17, &udp());
    let mut all: Vec<Vec<u8>> = Vec::new();
    // Transports, and what else may follow IP.
    for protocol in [0, 1, 2, 6, 17, 33, 43, 44, 50, 51, 58, 60, 89, 99, 115, 132, 136, 143] {
        all.push(ether(0x0800, &ip(protocol, &extension(17, &udp()))));
        all.push(ether(0x86dd, &ipv6(protocol, &extension(17, &udp()))));
    }
    all.extend([0, 4, 5, 8, 15].map(|words| ether(0x0800, &ip(6, &tcp(words)))));
    all.extend([4, 5, 8].map(|words| ether(0x0800, &ip_of(words, 0, 17, &udp()))));
    all.extend([1, 0x2000, 0x4000].map(|offset| ether(0x0800, &ip_of(5, offset, 6, &tcp(5)))));
    all.extend([1, 8, 9, 0xfff8].map(|offset| ether(0x86dd, &ipv6(44, &fragment(17, offset, &udp())))));
    all.push(ether(0x86dd, &ipv6(60, &extension(44, &fragment(6, 1, &tcp(6))))));
    // Tunnels.
    all.push(ether(0x0800, &ip(4, &inside)));
    all.push(ether(0x0800, &ip(41, &ipv6(60, &extension(6, &tcp(5))))));
    all.push(ether(0x86dd, &ipv6(60, &extension(4, &ip(60, &extension(17, &udp()))))));
    all.push(ether(0x86dd, &ipv6(41, &ipv6(6, &tcp(7)))));
    for (flags, more) in [
        (0, 0),
        (0x8000, 4),
        (0x2000, 4),
        (0x1000, 4),
        (0xb000, 12),
        (0x4000, 4),
        (0x0080, 0),
        (0x0800, 0),
        (2, 0),
        (7, 0),
    ] {
        all.push(ether(0x0800, &ip(47, &gre(flags, 0x0800, more, &inside))));
    }
    all.push(ether(0x86dd, &ipv6(47, &gre(0, 0x86dd, 0, &ipv6(6, &tcp(5))))));
    all.push(ether(0x0800, &ip(47, &gre(0, 0x1234, 0, &inside))));
    all.push(ether(0x0800, &ip(47, &gre(0, 0x6558, 0, &inner_ethernet(0x0800, &inside)))));
    all.push(ether(0x0800, &ip(47, &gre(0, 0x6558, 0, &inner_ethernet(0x8847, &labels(&[16], &inside))))));
    all.push(ether(0x0800, &ip(47, &gre(0, 0x8847, 0, &labels(&[16], &inside)))));
    all.push(ether(0x0800, &ip(47, &gre(0, 0x0806, 0, &[0; 28]))));
    all.push(ether(0x0800, &ip(47, &gre(0, 0x880b, 0, &ppp(0x21, &inside)))));
    for (flags, more) in [(0x2001, 4), (0x3001, 8), (0x3081, 12), (0xb001, 12), (0x0001, 0), (0x6001, 4)] {
        all.push(ether(0x0800, &ip(47, &gre(flags, 0x880b, more, &ppp(0x21, &inside)))));
    }
    all.push(ether(0x0800, &ip(47, &gre(0x2001, 0x880b, 4, &ppp(0x57, &ipv6(17, &udp()))))));
    all.push(ether(0x0800, &ip(47, &gre(0x2001, 0x880b, 4, &ppp(0xc021, &inside)))));
    all.push(ether(0x0800, &ip(47, &gre(0x2001, 0x0800, 4, &inside))));
    // Link layers.
    for values in [&[16][..], &[16, 17], &[7, 16], &[16, 7, 99]] {
        all.push(ether(0x8847, &labels(values, &inside)));
    }
    all.push(ether(0x8848, &labels(&[16], &inside)));
    all.push(ether(0x0800, &ip(137, &labels(&[16, 17], &inside))));
    for protocol in [0x0021, 0x0121, 0x0020, 0x0281, 0x0283, 0xc021, 0xc020, 0x2145, 0x0001] {
        all.push(pppoe(0x11, 0, protocol, &labels(&[16], &inside)));
    }
    all.push(pppoe(0x11, 0, 0x21, &inside));
    all.push(pppoe(0x11, 0, 0x57, &ipv6(17, &udp())));
    all.extend([(0x21, 0), (0x11, 9)].map(|(version, code)| pppoe(version, code, 0x21, &inside)));
    for kind in [0x0100, 0x0806, 0x8035, 0x88ca, 0x88cc, 0x8902, 0x8906, 0x88f7, 0x88e5, 0x9100, 0x1234] {
        all.push(ether(kind, &[0; 48]));
    }
    all.push(ether(0x6558, &inner_ethernet(0x0800, &inside)));
    all.extend([0x892f, 0x88fb].map(|kind| ether(kind, &[&[0; 4], &be(&[0x0800])[..], &inside].concat())));
    for (kind, version) in [(0x40, 15), (0x40, 14), (0x41, 15)] {
        let header = [kind, version, 50, 1, 0, 0, 0, 0, 0, 0];
        all.push(ether(0x4305, &[&header[..], &inner_ethernet(0x0800, &inside)].concat()));
    }
    all.push(ether(0x8100, &[&[0x20, 7], &ether(0x0800, &inside)[..]].concat()));
    all.push(ether(0x88a8, &[&[0x10, 5, 0x81, 0, 0x20, 7], &ether(0x0800, &inside)[..]].concat()));
    // As deep as it is looked, and deeper.
    for times in [14, 15, 16, 17, 18] {
        let v4 = |n: usize, inside: &[u8]| ip(if n == 0 { 17 } else { 4 }, inside);
        all.push(ether(0x0800, &nested(times, udp(), v4)));
        let options = |n: usize, inside: &[u8]| extension(if n == 0 { 17 } else { 60 }, inside);
        all.push(ether(0x86dd, &ipv6(60, &nested(times, udp(), options))));
        let hsr =
            |n: usize, inside: &[u8]| [&[0; 4], &be(&[if n == 0 { 0x0800 } else { 0x892f }])[..], inside].concat();
        all.push(ether(0x892f, &nested(times, inside.clone(), hsr)));
        let tunnel = |_: usize, inside: &[u8]| ip(47, &gre(0, 0x0800, 0, inside));
        all.push(ether(0x0800, &nested(times, inside.clone(), tunnel)));
    }
    all
}
