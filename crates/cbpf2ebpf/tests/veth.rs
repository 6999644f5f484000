//! What a Unix socket does not have: headers, a device, tags. Classic programs on packet sockets behind a veth pair, in
//! a network namespace of this test's own, against the direct interpreter.
#![cfg(target_os = "linux")]
#![allow(unsafe_code)]

#[path = "common/headers.rs"]
mod headers;

use std::ffi::CStr;
use std::io::{self, ErrorKind};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::process::Command;

use oxbpf_interp::classic::{Code, Packet};
use oxbpf_isa::Narrow;
use oxbpf_isa::cbpf::{AluOp, Ext, Insn, LL_OFF, NET_OFF, Operand, Program, SockFilter};
use oxbpf_progen::{ClassicFeatures, classic, classic_packet, with_result};
use oxbpf_runtime::Input;
use oxbpf_runtime::skb::Link;

/// Says that this process is the one in the namespace.
const INSIDE: &str = "OXBPF_VETH_INSIDE";
/// Longer than what ten bits say.
const FRAME: usize = 1100;
/// The receiving device's address.
const OWN: [u8; 6] = [2, 0, 0, 0, 0, 1];

fn checked(result: i32) -> io::Result<i32> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

fn ifindex(name: &CStr) -> i32 {
    // SAFETY: the name ends with zero.
    unsafe { libc::if_nametoindex(name.as_ptr()) as i32 }
}

/// A packet socket, bound to an interface where it is to receive.
fn packet_socket(receive_from: Option<i32>) -> io::Result<OwnedFd> {
    const ALL: u16 = (libc::ETH_P_ALL as u16).to_be();
    // SAFETY: takes numbers and answers a descriptor, which nobody else owns.
    let fd = unsafe { OwnedFd::from_raw_fd(checked(libc::socket(libc::AF_PACKET, libc::SOCK_RAW, 0))?) };
    if let Some(index) = receive_from {
        let address = address(index, ALL);
        let size = size_of::<libc::sockaddr_ll>() as u32;
        // SAFETY: the address is a whole `sockaddr_ll`.
        checked(unsafe { libc::bind(fd.as_raw_fd(), (&raw const address).cast(), size) })?;
    }
    Ok(fd)
}

fn address(index: i32, protocol: u16) -> libc::sockaddr_ll {
    libc::sockaddr_ll {
        sll_family: libc::AF_PACKET as u16,
        sll_protocol: protocol,
        sll_ifindex: index,
        sll_hatype: 0,
        sll_pkttype: 0,
        sll_halen: 0,
        sll_addr: [0; 8],
    }
}

/// Length of the next packet; none where there is none within the flags' patience.
fn receive(fd: &OwnedFd, flags: i32) -> Option<usize> {
    let mut buffer = [0u8; 2048];
    // SAFETY: the buffer is that long.
    let got = unsafe { libc::recv(fd.as_raw_fd(), buffer.as_mut_ptr().cast(), buffer.len(), flags) };
    match usize::try_from(got) {
        Ok(len) => Some(len),
        Err(_) if io::Error::last_os_error().kind() == ErrorKind::WouldBlock => None,
        Err(_) => panic!("{}", io::Error::last_os_error()),
    }
}

struct Wire {
    sender: OwnedFd,
    to: i32,
    /// Bound before the filtered one, and so served after it: what arrives here has passed there.
    sentinel: OwnedFd,
    filtered: OwnedFd,
}

impl Wire {
    fn new() -> io::Result<Wire> {
        let at = ifindex(c"v1");
        let sentinel = packet_socket(Some(at))?;
        let patience = libc::timeval { tv_sec: 0, tv_usec: 50_000 };
        let (level, option) = (libc::SOL_SOCKET, libc::SO_RCVTIMEO);
        let size = size_of::<libc::timeval>() as u32;
        // SAFETY: the option takes a `timeval`.
        checked(unsafe { libc::setsockopt(sentinel.as_raw_fd(), level, option, (&raw const patience).cast(), size) })?;
        Ok(Wire { sender: packet_socket(None)?, to: ifindex(c"v0"), sentinel, filtered: packet_socket(Some(at))? })
    }

    fn attach(&self, program: &Program) {
        let raw: Vec<SockFilter> = program.encode();
        let program = libc::sock_fprog { len: raw.len() as u16, filter: raw.as_ptr().cast_mut().cast() };
        let size = size_of::<libc::sock_fprog>() as u32;
        let (level, option) = (libc::SOL_SOCKET, libc::SO_ATTACH_FILTER);
        // SAFETY: the option takes a `sock_fprog`, whose instructions live through the call.
        let result =
            unsafe { libc::setsockopt(self.filtered.as_raw_fd(), level, option, (&raw const program).cast(), size) };
        checked(result).unwrap();
    }

    /// Sends frames until one arrives: for a moment after it is up, a link drops them.
    fn wait(&self) {
        let arrives = |_| {
            self.send(&[0; 60]);
            receive(&self.sentinel, 0).is_some()
        };
        assert!((0..100).any(arrives), "no frame arrives");
        while receive(&self.filtered, libc::MSG_DONTWAIT).is_some() {}
    }

    fn send(&self, frame: &[u8]) {
        let address = address(self.to, 0);
        let size = size_of::<libc::sockaddr_ll>() as u32;
        let (fd, address) = (self.sender.as_raw_fd(), (&raw const address).cast());
        // SAFETY: the buffer has that length, and the address is a whole `sockaddr_ll`.
        let sent = unsafe { libc::sendto(fd, frame.as_ptr().cast(), frame.len(), 0, address, size) };
        assert_eq!(sent, frame.len() as isize, "{}", io::Error::last_os_error());
    }

    /// How much the filter keeps of a frame.
    fn kept(&self, frame: &[u8]) -> usize {
        self.send(frame);
        assert!((0..100).any(|_| receive(&self.sentinel, 0).is_some()), "does not arrive: {:02x?}", &frame[..64]);
        receive(&self.filtered, libc::MSG_DONTWAIT).unwrap_or(0)
    }

    /// What a load gives, ten bits at a time.
    fn value(&self, frame: &[u8], before: &[Insn], load: Insn) -> u32 {
        self.value_by(10, frame, before, load)
    }

    /// The same, four times so many bits: a frame shows no number above its length.
    fn value_by(&self, bits: u32, frame: &[u8], before: &[Insn], load: Insn) -> u32 {
        (0..4).fold(0, |value, part| {
            let cut = [(AluOp::Rsh, bits * part), (AluOp::And, (1 << bits) - 1)]
                .map(|(op, k)| Insn::Alu { op, src: Operand::K(k) });
            let insns = before.iter().chain([&load]).chain(&cut).chain([&Insn::RetA]);
            self.attach(&Program::check(&insns.map(Insn::encode).collect::<Vec<_>>()).unwrap());
            value | (self.kept(frame) as u32) << (bits * part)
        })
    }
}

/// A frame of random bytes under these headers.
fn frame(seed: u64, destination: [u8; 6], headers: &[u8]) -> Vec<u8> {
    let mut frame = classic_packet(seed, FRAME);
    frame[..6].copy_from_slice(&destination);
    frame[6..12].copy_from_slice(&[2, 0, 0, 0, 0, 9]);
    frame[12..12 + headers.len()].copy_from_slice(headers);
    frame
}

/// Frames of many kinds.
fn frames() -> Vec<Vec<u8>> {
    let ip = |protocol: u8, fragment: u16| {
        let mut header = vec![8, 0, 0x45, 0, 4, 0x3e, 0, 0];
        header.extend(fragment.to_be_bytes());
        header.extend([64, protocol, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]);
        header
    };
    let options = [8, 0, 0x46, 0, 4, 0x3e, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, 1, 1, 1, 1];
    let ipv6 = |next: u8| {
        let mut header = vec![0x86, 0xdd, 0x60, 0, 0, 0, 4, 0, next, 64];
        header.extend([0xfe; 32]);
        header
    };
    let mut headers: Vec<Vec<u8>> = [1, 2, 6, 17, 33, 132, 136, 200].map(|p| ip(p, 0)).to_vec();
    headers.extend([ip(6, 0x4000), ip(6, 0x2000), ip(17, 0x0004), options.to_vec()]);
    headers.extend([6, 17, 58, 59, 132].map(ipv6));
    headers.extend([[ipv6(0), vec![17, 1]].concat(), [ipv6(44), vec![6, 0, 0, 1]].concat()]);
    headers.extend([
        [ipv6(60), vec![43, 0, 0, 0, 0, 0, 0, 0, 6, 0]].concat(),
        vec![8, 6, 0, 1, 8, 0],
        vec![0x12, 0x34],
    ]);
    headers.extend([[ip(4, 0), ip(17, 0)[2..].to_vec()].concat(), [ip(41, 0), ipv6(6)[2..].to_vec()].concat()]);
    headers.push([vec![0x88, 0x64, 0x11, 0, 0, 1, 4, 0, 0, 0x21], ip(6, 0)[2..].to_vec()].concat());
    // Two tags: the host takes the outer one off.
    headers.push([vec![0x81, 0, 0x20, 7], ip(17, 0)].concat());
    headers.push([vec![0x88, 0xa8, 0x10, 5, 0x81, 0, 0x20, 7], ip(6, 0)].concat());
    let destinations = [OWN, [0xff; 6], [0x33, 0x33, 0, 0, 0, 1], [2, 9, 9, 9, 9, 9]];
    let both = |(i, h): (usize, Vec<u8>)| frame(i as u64, destinations[i % 4], &h);
    headers.into_iter().enumerate().map(both).collect()
}

/// The frame as a socket sees it, its outer tag taken off.
struct Seen {
    bytes: Vec<u8>,
    tag: Option<[u8; 4]>,
}

fn seen(frame: &[u8]) -> Seen {
    let mut bytes = frame.to_vec();
    let tag = match frame[12..14] {
        [0x81, 0] | [0x88, 0xa8] => Some(std::array::from_fn(|i| frame[12 + i])),
        _ => None,
    };
    if tag.is_some() {
        bytes.drain(12..16);
    }
    Seen { bytes, tag }
}

/// The context that the receiving host makes; `queue` and `hash` are its own choice.
fn input<'a>(seen: &'a Seen, sent: &[u8], queue: u32, hash: u32) -> Input<'a> {
    let mut input = Input::new(&seen.bytes, Link::Ethernet);
    input.skb.pkt_type = match sent[..6] {
        [0xff, 0xff, 0xff, 0xff, 0xff, 0xff] => 1,
        [first, ..] if first & 1 != 0 => 2,
        _ if sent[..6] == OWN => 0,
        _ => 3,
    };
    input.skb.ifindex = ifindex(c"v1") as u32;
    input.skb.queue_mapping = queue;
    input.skb.hash = hash;
    if let Some([a, b, c, d]) = seen.tag {
        input.skb.vlan_present = 1;
        input.skb.vlan_proto = u16::from_be_bytes([a, b]).to_be().into();
        input.skb.vlan_tci = u16::from_be_bytes([c, d]).into();
    }
    input
}

fn ours(insns: &[Insn], input: &Input<'_>) -> u32 {
    let raw: Vec<SockFilter> = insns.iter().map(Insn::encode).collect();
    Code::new(&Program::check(&raw).unwrap()).run(&Packet::new(input, false, 0))
}

fn inside() {
    let wire = Wire::new().unwrap();
    wire.wait();
    let size = Narrow::W;
    let frames = frames();
    let load = |ext| Insn::LdExt { size, ext };
    for (i, frame) in frames.iter().enumerate() {
        let seen = seen(frame);
        let (queue, hash) = (wire.value(frame, &[], load(Ext::Queue)), wire.value(frame, &[], load(Ext::Rxhash)));
        let input = input(&seen, frame, queue, hash);
        let mut loads: Vec<(Vec<Insn>, Insn)> = Ext::ROWS
            .iter()
            .filter(|r| !matches!(r.ext, Ext::Cpu | Ext::Rand))
            .map(|r| (vec![Insn::LdImm(16), Insn::LdxImm(3)], load(r.ext)))
            .collect();
        for k in [0, 1, 12, 13, 14, 20] {
            loads.extend([NET_OFF, LL_OFF].map(|base| (vec![], Insn::ld_abs(size, base + k))));
        }
        for k in [FRAME as u32 - 18, FRAME as u32 - 17, FRAME as u32 - 4] {
            loads.extend([0, NET_OFF, LL_OFF].map(|base| (vec![], Insn::ld_abs(size, base + k))));
        }
        for (before, load) in loads {
            let theirs = wire.value(frame, &before, load);
            let insns: Vec<Insn> = before.iter().copied().chain([load, Insn::RetA]).collect();
            assert_eq!(ours(&insns, &input), theirs, "frame {i} {:02x?}: {load:?}", &frame[..64]);
        }
    }
    dissected(&wire);
    generated(&wire, &frames);
}

/// Offsets of payloads behind many kinds of headers, of which all lengths are sent.
fn dissected(wire: &Wire) {
    let load = Insn::LdExt { size: Narrow::W, ext: Ext::Poff };
    for (i, header) in headers::all().into_iter().enumerate() {
        let whole = frame(i as u64, OWN, &header);
        // What is cut in a tag is dropped before a socket sees it.
        let tagged = matches!(header[..2], [0x81, 0] | [0x88, 0xa8]);
        let lengths = if tagged { 0..0 } else { 14..header.len() + 40 };
        for len in lengths.chain([whole.len()]) {
            let sent = &whole[..len];
            let seen = seen(sent);
            let theirs = wire.value_by(3, sent, &[], load);
            let ours = ours(&[load, Insn::RetA], &input(&seen, sent, 0, 0));
            assert_eq!(ours, theirs, "header {i}, {len} bytes: {:02x?}", &sent[12..len.min(100)]);
        }
    }
}

/// Generated programs, ten bits of what they return.
fn generated(wire: &Wire, frames: &[Vec<u8>]) {
    let count = std::env::var("OXBPF_PROGRAMS").map_or(2000, |n| n.parse().unwrap());
    let features = ClassicFeatures { headers: true, hosts_own: false, packet_len: FRAME as u32 };
    for seed in 0..count {
        let low = Insn::Alu { op: AluOp::And, src: Operand::K(0x3ff) };
        let program = with_result(&classic(seed, &features), low, |k| k & 0x3ff);
        let frame = &frames[seed as usize % frames.len()];
        let seen = seen(frame);
        let load = |ext| wire.value(frame, &[], Insn::LdExt { size: Narrow::W, ext });
        let own = |ext| {
            if program.insns().iter().any(|i| matches!(i, Insn::LdExt { ext: e, .. } if *e == ext)) {
                load(ext)
            } else {
                0
            }
        };
        let input = input(&seen, frame, own(Ext::Queue), own(Ext::Rxhash));
        wire.attach(&program);
        let theirs = wire.kept(frame);
        let ours = Code::new(&program).run(&Packet::new(&input, false, 0));
        assert_eq!(ours as usize, theirs, "seed {seed}: {:#?}", program.insns());
    }
}

/// Says that a test is skipped; on a development machine it must not be.
fn skipped(reason: impl std::fmt::Display) {
    assert_ne!(std::env::var("OXBPF_DEV").as_deref(), Ok("1"), "skipped: {reason}");
    println!("skipped: {reason}");
}

#[test]
fn extensions_and_headers_as_packet_sockets_have_them() {
    if std::env::var_os(INSIDE).is_some() {
        return inside();
    }
    let setup = "echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6; ip link add v0 type veth peer name v1 address 02:00:00:00:00:01 && \
                 ip link set v0 up && ip link set v1 up || exit 77; exec \"$0\" --exact \
                 extensions_and_headers_as_packet_sockets_have_them --nocapture";
    let test = std::env::current_exe().unwrap();
    let output = Command::new("unshare").args(["-n", "sh", "-c", setup]).arg(test).env(INSIDE, "1").output();
    match output {
        Ok(output) if output.status.success() => {}
        Ok(output) if !String::from_utf8_lossy(&output.stdout).contains("running 1 test") => {
            skipped(format_args!("no veth here: {}", String::from_utf8_lossy(&output.stderr)));
        }
        Ok(output) => {
            panic!("{}\n{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
        }
        Err(e) => skipped(e),
    }
}
