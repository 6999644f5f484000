//! The direct classic interpreter beside libpcap's `bpf_filter`, on varied packets, in turns.
//!
//! `cargo bench --bench classic_run`. libpcap is looked for as `libpcap.so.0.8`, compiles the filters and runs them;
//! without it there is nothing to measure. For each filter, the best of 40 rounds of each is told.
#![allow(unsafe_code)]

use std::ffi::{CString, c_char, c_int, c_uint, c_void};
use std::time::Instant;

use oxbpf_interp::classic::{Code, Packet};
use oxbpf_isa::cbpf::{Program, SockFilter};
use oxbpf_runtime::Input;
use oxbpf_runtime::skb::Link;

const FILTERS: [&str; 7] = [
    "ip",
    "tcp",
    "host 10.0.0.1",
    "tcp port 80",
    "ip and tcp and dst port 443 and src net 10.0.0.0/8",
    "len <= 1000 and not arp and (tcp port 22 or udp port 53 or icmp or ip6)",
    "tcp port 80 and (((ip[2:2] - ((ip[0]&0xf)<<2)) - ((tcp[12]&0xf0)>>2)) != 0)",
];
const PACKETS: usize = 20_000;
const ROUNDS: usize = 40;

/// `struct bpf_program`.
#[repr(C)]
struct BpfProgram {
    len: c_uint,
    insns: *const SockFilter,
}

type OpenDead = unsafe extern "C" fn(c_int, c_int) -> *mut c_void;
type Compile = unsafe extern "C" fn(*mut c_void, *mut BpfProgram, *const c_char, c_int, u32) -> c_int;
type BpfFilter = unsafe extern "C" fn(*const SockFilter, *const u8, c_uint, c_uint) -> c_uint;

struct Pcap {
    handle: *mut c_void,
    compile: Compile,
    filter: BpfFilter,
}

impl Pcap {
    fn load() -> Option<Pcap> {
        // SAFETY: the library is the system's own; its initialisers are trusted as any program's that links it.
        let library = unsafe { libc::dlopen(c"libpcap.so.0.8".as_ptr(), libc::RTLD_NOW) };
        if library.is_null() {
            return None;
        }
        let symbol = |name: &CString| {
            // SAFETY: the library was opened and is never closed.
            let found = unsafe { libc::dlsym(library, name.as_ptr()) };
            (!found.is_null()).then_some(found)
        };
        let symbol = |name: &str| symbol(&CString::new(name).unwrap());
        let (open, compile, filter) = (symbol("pcap_open_dead")?, symbol("pcap_compile")?, symbol("bpf_filter")?);
        // SAFETY: these are the functions' types in libpcap's headers.
        let (open, compile, filter) = unsafe {
            (
                std::mem::transmute::<*mut c_void, OpenDead>(open),
                std::mem::transmute::<*mut c_void, Compile>(compile),
                std::mem::transmute::<*mut c_void, BpfFilter>(filter),
            )
        };
        const DLT_EN10MB: c_int = 1;
        // SAFETY: takes two numbers.
        let handle = unsafe { open(DLT_EN10MB, 262_144) };
        Some(Pcap { handle, compile, filter })
    }

    fn compile(&self, expression: &str) -> Vec<SockFilter> {
        let text = CString::new(expression).unwrap();
        let mut program = BpfProgram { len: 0, insns: std::ptr::null() };
        // SAFETY: the handle is open, the text ends with zero, and the program is written here.
        let result = unsafe { (self.compile)(self.handle, &mut program, text.as_ptr(), 1, u32::MAX) };
        assert_eq!(result, 0, "{expression}");
        // SAFETY: libpcap filled it with so many instructions, which have `SockFilter`'s layout; it is never freed.
        unsafe { std::slice::from_raw_parts(program.insns, program.len as usize) }.to_vec()
    }
}

struct Frame {
    bytes: Vec<u8>,
    len: u32,
}

/// Frames of many kinds, addresses and ports.
fn frames() -> Vec<Frame> {
    let mut state = 42u64;
    let mut below = move |n: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % n
    };
    let frame = |_| {
        let mut bytes = vec![0u8; 96];
        bytes.iter_mut().for_each(|b| *b = below(256) as u8);
        let ports = [80u16, 443, 22, 53, 8080, below(65_536) as u16, below(65_536) as u16];
        let (kind, protocol) = match below(20) {
            0 => (0x0806u16, 0),
            1 | 2 => (0x86dd, [6, 17, 58][below(3) as usize]),
            _ => (0x0800, [6, 6, 6, 6, 6, 17, 17, 1][below(8) as usize]),
        };
        bytes[12..14].copy_from_slice(&kind.to_be_bytes());
        if kind == 0x0800 {
            bytes[14] = if below(50) == 0 { 0x46 } else { 0x45 };
            bytes[16..18].copy_from_slice(&(40 + below(60) as u16).to_be_bytes());
            bytes[20..22].copy_from_slice(&if below(50) == 0 { [0x20, 7] } else { [0x40, 0] });
            bytes[23] = protocol;
            for at in [26, 30] {
                let host = [10, 0, below(2) as u8, below(4) as u8];
                bytes[at..at + 4].copy_from_slice(&if below(3) == 0 { [192, 168, 1, 1] } else { host });
            }
            for at in [34, 36] {
                bytes[at..at + 2].copy_from_slice(&ports[below(7) as usize].to_be_bytes());
            }
        }
        if kind == 0x86dd {
            bytes[20] = protocol;
        }
        Frame { bytes, len: if below(2) == 0 { 96 } else { 1500 } }
    };
    (0..PACKETS).map(frame).collect()
}

fn input(frame: &Frame) -> Input<'_> {
    let mut input = Input::new(&frame.bytes, Link::Ethernet);
    input.skb.len = frame.len;
    input
}

/// Nanoseconds per packet.
fn time(mut pass: impl FnMut() -> usize) -> (f64, usize) {
    let start = Instant::now();
    let matches = pass();
    (start.elapsed().as_nanos() as f64 / PACKETS as f64, matches)
}

fn main() {
    let Some(pcap) = Pcap::load() else { return println!("no libpcap.so.0.8: nothing to compare with") };
    let frames = frames();
    let inputs: Vec<Input<'_>> = frames.iter().map(input).collect();
    let packets: Vec<Packet<'_>> = inputs.iter().map(|i| Packet::new(i, false, 0)).collect();
    let (mut ours_total, mut theirs_total) = (0.0, 0.0);
    println!("{:>7} {:>7} {:>6} {:>8} {:>6}", "ours", "libpcap", "times", "matches", "insns");
    for expression in FILTERS {
        let raw = pcap.compile(expression);
        let code = Code::new(&Program::check(&raw).expect("libpcap's code keeps the rules"));
        let (mut ours, mut theirs) = ((f64::MAX, 0), (f64::MAX, 0));
        for _ in 0..ROUNDS {
            let a = time(|| packets.iter().filter(|p| code.run(p) != 0).count());
            let kept = |f: &&Frame| {
                // SAFETY: the program is libpcap's own, and the length is that of the bytes.
                unsafe { (pcap.filter)(raw.as_ptr(), f.bytes.as_ptr(), f.len, f.bytes.len() as c_uint) != 0 }
            };
            let b = time(|| frames.iter().filter(kept).count());
            (ours, theirs) = ((ours.0.min(a.0), a.1), (theirs.0.min(b.0), b.1));
        }
        assert_eq!(ours.1, theirs.1, "{expression}");
        let times = theirs.0 / ours.0;
        println!("{:7.2} {:7.2} {times:6.2} {:8} {:6}  {expression}", ours.0, theirs.0, ours.1, raw.len());
        ours_total += ours.0;
        theirs_total += theirs.0;
    }
    println!("{ours_total:7.2} {theirs_total:7.2} {:6.2}  together", theirs_total / ours_total);
}
