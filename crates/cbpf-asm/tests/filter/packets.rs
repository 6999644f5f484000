//! Packets of every link type that filters are run over: each protocol that expressions can tell, nested and cut.

use oxbpf_cbpf_asm::filter::Link;

/// Addresses that packets have and expressions ask for.
pub const V4: [[u8; 4]; 8] = [
    [10, 0, 0, 1],
    [10, 0, 0, 2],
    [10, 1, 2, 3],
    [192, 168, 1, 1],
    [172, 16, 5, 4],
    [224, 0, 0, 5],
    [255, 255, 255, 255],
    [0, 0, 0, 0],
];
pub const V6: [[u16; 8]; 6] = [
    [0x2001, 0xdb8, 0, 0, 0, 0, 0, 1],
    [0x2001, 0xdb8, 0, 0, 0, 0, 0, 2],
    [0x2001, 0xdb8, 0x8000, 0, 0, 0, 0, 1],
    [0xfe80, 0, 0, 0, 0, 0, 0, 1],
    [0xff02, 0, 0, 0, 0, 0, 0, 1],
    [0, 0, 0, 0, 0, 0, 0, 1],
];
pub const MACS: [[u8; 6]; 5] =
    [[2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2], [0xff; 6], [1, 0, 0x5e, 0, 0, 5], [0x33, 0x33, 0, 0, 0, 1]];
pub const PORTS: [u16; 9] = [80, 443, 53, 22, 5060, 8080, 1234, 0, 65535];

/// A seeded source of numbers.
pub struct Rng(u64);

impl Rng {
    pub fn new(seed: u64) -> Rng {
        Rng(seed.wrapping_mul(0xd134_2543_de82_ef95) ^ 0x9e37_79b9_7f4a_7c15)
    }

    pub fn word(&mut self) -> u32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ z >> 31) as u32
    }

    pub fn below(&mut self, n: usize) -> usize {
        self.word() as usize % n.max(1)
    }

    pub fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    pub fn pick<T: Clone>(&mut self, list: &[T]) -> T {
        list[self.below(list.len())].clone()
    }
}

fn be(n: u16) -> [u8; 2] {
    n.to_be_bytes()
}

/// A header of the transport layer and some payload, and its number.
fn transport(rng: &mut Rng) -> (u8, Vec<u8>) {
    let ports = [be(rng.pick(&PORTS)), be(rng.pick(&PORTS))].concat();
    match rng.below(10) {
        0..=2 => {
            let options = 4 * rng.below(4);
            let flags = rng.pick(&[0x02, 0x12, 0x10, 0x18, 0x11, 0x04, 0x29, 0xc2, 0]);
            let seq = rng.word().to_be_bytes();
            let fixed =
                [seq[0], seq[1], seq[2], seq[3], 0, 0, 0, 7, ((5 + options / 4) << 4) as u8, flags, 1, 0, 0, 0, 0, 0];
            let payload = rng.pick(&[
                &b""[..],
                b"GET / HTTP/1.1\r\n\r\n",
                b"HTTP/1.1 200 OK\r\n",
                b"SSH-2.0-x",
                &[0x16, 3, 1, 0],
            ]);
            (6, [&ports[..], &fixed, &vec![1; options], payload].concat())
        }
        3 | 4 => (17, [&ports[..], &[0, 16, 0, 0], &rng.word().to_be_bytes(), &[1, 0, 0, 1]].concat()),
        5 => (132, [&ports[..], &[0, 0, 0, 9, 0, 0, 0, 0, 1, 0, 0, 20]].concat()),
        6 => (1, [&[rng.pick(&[0, 3, 5, 8, 11, 13, 17]), rng.below(4) as u8, 0, 0][..], &[0, 1, 0, 2, 9, 9]].concat()),
        7 => (58, [&[rng.pick(&[1, 2, 128, 129, 133, 134, 135, 136, 143]), 0, 0, 0][..], &[0, 0, 0, 0, 7, 7]].concat()),
        8 => (2, vec![rng.pick(&[0x11, 0x16, 0x22]), 0, 0, 0, 224, 0, 0, 5]),
        _ => (rng.pick(&[50, 51, 103, 112, 47, 89, 9, 59]), vec![rng.below(256) as u8; 12]),
    }
}

fn v4(rng: &mut Rng) -> Vec<u8> {
    let (proto, payload) = transport(rng);
    let options = if rng.one_in(4) { 4 * (1 + rng.below(3)) } else { 0 };
    let fragment: u16 = rng.pick(&[0, 0, 0, 0, 0x4000, 0x4000, 0x2000, 0x2010, 0x0010]);
    let len = (20 + options + payload.len()) as u16;
    let ttl = rng.pick(&[1, 64, 128, 255]);
    let head = [0x45 + (options / 4) as u8, rng.pick(&[0, 0x10, 0xb8]), be(len)[0], be(len)[1], 0, 1];
    let rest = [be(fragment)[0], be(fragment)[1], ttl, proto, 0, 0];
    [&head[..], &rest, &rng.pick(&V4), &rng.pick(&V4), &vec![1; options], &payload].concat()
}

fn v6(rng: &mut Rng) -> Vec<u8> {
    let (proto, transport) = transport(rng);
    let (next, payload) = match rng.below(6) {
        // Behind a fragment header, hop-by-hop options, a destination header.
        0 | 1 => (44, [&[proto, 0, 0, rng.pick(&[0, 1, 8]), 0, 0, 0, 1][..], &transport].concat()),
        2 => (0, [&[proto, 0, 5, 2, 0, 0, 1, 0][..], &transport].concat()),
        3 => (60, [&[proto, 0, 1, 4, 0, 0, 0, 0][..], &transport].concat()),
        _ => (proto, transport),
    };
    let bytes = |words: [u16; 8]| words.into_iter().flat_map(be).collect::<Vec<u8>>();
    let len = be(payload.len() as u16);
    let head = [0x60, 0, 0, 0, len[0], len[1], next, rng.pick(&[1, 64, 255])];
    [&head[..], &bytes(rng.pick(&V6)), &bytes(rng.pick(&V6)), &payload].concat()
}

fn arp(rng: &mut Rng) -> Vec<u8> {
    let op = rng.pick(&[1, 2, 3]);
    let ends = [&rng.pick(&MACS)[..], &rng.pick(&V4), &rng.pick(&MACS), &rng.pick(&V4)].concat();
    [&[0, 1, 8, 0, 6, 4, 0, op][..], &ends].concat()
}

/// What a link layer carries: an EtherType and the payload.
fn carried(rng: &mut Rng) -> (u16, Vec<u8>) {
    match rng.below(20) {
        0..=7 => (0x0800, v4(rng)),
        8..=13 => (0x86dd, v6(rng)),
        14 | 15 => (0x0806, arp(rng)),
        16 => (0x8035, arp(rng)),
        17 => (rng.pick(&[0x88cc, 0x8863, 0x9000, 0x8137, 0x809b, 0x80f3, 0x6003, 0x6004]), vec![7; 30]),
        _ => llc(rng),
    }
}

/// A frame of LLC, whose EtherType is its length.
fn llc(rng: &mut Rng) -> (u16, Vec<u8>) {
    let heads: [&[u8]; 8] = [
        &[0x42, 0x42, 3],
        &[0xfe, 0xfe, 3, 0x83],
        &[0xf0, 0xf0, 3],
        &[0xe0, 0xe0, 3],
        &[0xff, 0xff, 0, 30],
        &[0xaa, 0xaa, 3, 0, 0, 0, 0x81, 0x37],
        &[0xaa, 0xaa, 3, 8, 0, 7, 0x80, 0x9b],
        &[0xaa, 0xaa, 3, 0, 0, 0, 0x80, 0xf3],
    ];
    let frame = [rng.pick(&heads), &[0; 30][..]].concat();
    (frame.len() as u16, frame)
}

/// The same behind tags, labels and PPPoE.
fn nested(rng: &mut Rng, (kind, payload): (u16, Vec<u8>)) -> (u16, Vec<u8>) {
    match rng.below(12) {
        0..=2 => {
            let inner = if rng.one_in(3) { nested(rng, (kind, payload)) } else { (kind, payload) };
            let tci = be(rng.pick(&[1, 5, 100, 200, 0x6064, 4095]));
            (rng.pick(&[0x8100, 0x8100, 0x88a8, 0x9100]), [&tci[..], &be(inner.0), &inner.1].concat())
        }
        3 | 4 => {
            let depth = 1 + rng.below(3);
            let label = |rng: &mut Rng, last: bool| {
                let label = rng.pick(&[3u32, 5, 100, 1000]) << 12 | u32::from(last) << 8 | 64;
                label.to_be_bytes()
            };
            let labels: Vec<u8> = (0..depth).flat_map(|i| label(rng, i + 1 == depth)).collect();
            (0x8847, [labels, payload].concat())
        }
        5 => {
            let ppp = match kind {
                0x0800 => 0x21,
                0x86dd => 0x57,
                other => other,
            };
            let session = be(rng.pick(&[1, 5, 100]));
            (0x8864, [&[0x11, 0, session[0], session[1], 0, 20][..], &be(ppp), &payload].concat())
        }
        _ => (kind, payload),
    }
}

/// A packet that begins with a link type's header.
fn packet(link: Link, rng: &mut Rng) -> Vec<u8> {
    let any_ip = |rng: &mut Rng| if rng.one_in(2) { v4(rng) } else { v6(rng) };
    match link {
        Link::Ethernet => {
            let inner = carried(rng);
            let (kind, payload) = nested(rng, inner);
            [&rng.pick(&MACS)[..], &rng.pick(&MACS), &be(kind), &payload].concat()
        }
        Link::Sll => {
            let (kind, payload) = carried(rng);
            let kind = if kind < 1500 { rng.pick(&[1, 4, 4]) } else { kind };
            let head = [0, rng.below(5) as u8, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0];
            [&head[..], &be(kind), &payload].concat()
        }
        Link::Sll2 => {
            let (kind, payload) = carried(rng);
            let head = [0, 0, 0, 0, 0, rng.below(4) as u8, 0, 1, rng.below(5) as u8, 6, 2, 0, 0, 0, 0, 1, 0, 0];
            [&be(kind)[..], &head, &payload].concat()
        }
        Link::Raw if rng.one_in(12) => vec![rng.below(256) as u8; 40],
        Link::Raw => any_ip(rng),
        Link::Null | Link::Loop => {
            let payload = any_ip(rng);
            let family: u32 = match rng.below(10) {
                0 => rng.pick(&[24, 28, 30, 0]),
                _ if payload[0] >> 4 == 4 => 2,
                _ => 10,
            };
            let head = if link == Link::Null { family.to_le_bytes() } else { family.to_be_bytes() };
            [&head[..], &payload].concat()
        }
        Link::Ipv4 => v4(rng),
        Link::Ipv6 => v6(rng),
    }
}

/// The packets of a link type, the same each time: whole ones, and some cut at every length.
pub fn packets(link: Link) -> Vec<Vec<u8>> {
    let mut rng = Rng::new(link as u64);
    let whole: Vec<Vec<u8>> = (0..400).map(|_| packet(link, &mut rng)).collect();
    let cut = whole.iter().step_by(33).flat_map(|p| (0..p.len().min(80)).map(|len| p[..len].to_vec()));
    let cut: Vec<Vec<u8>> = cut.collect();
    whole.into_iter().chain(cut).collect()
}

/// A packet of a link type and of any length, with any bytes in some places.
pub fn random(link: Link, rng: &mut Rng) -> Vec<u8> {
    let mut bytes = packet(link, rng);
    for _ in 0..rng.below(4) {
        let at = rng.below(bytes.len());
        bytes[at] = rng.word() as u8;
    }
    if rng.one_in(3) {
        bytes.truncate(rng.below(bytes.len() + 1));
    }
    bytes
}
