//! Every example on every example capture: the interpreter equals the kernel wherever the kernel can be told
//! the input, and what it cannot be told is counted by reason.

use std::path::{Path, PathBuf};

use oxbpf::abi::ProgType;
use oxbpf::capture::Reader;
use oxbpf::compare::Comparison;
use oxbpf::interp::Interp;
use oxbpf::ir::MapIdx;
use oxbpf::kernel::Kernel;
use oxbpf::prog::{self, Loaded};
use oxbpf::runtime::skb::{self, Link};
use oxbpf::runtime::{Availability, Engine, Env, Input};

/// The entry of each example, as PROG.
const ENTRIES: [&str; 6] =
    ["minimal.o", "mark_stats.o", "port_redirect.o", "tail_call.o:classifier", "tail_call_btf.o:tc/entry", "tc_flow.o"];

fn captures() -> Vec<PathBuf> {
    let dir = std::fs::read_dir("examples/captures").expect("captures are committed");
    let mut files: Vec<_> = dir.map(|e| e.expect("readable").path()).collect();
    files.retain(|p| p.extension().is_some_and(|e| e == "pcap"));
    files.sort();
    assert!(files.len() >= 3);
    files
}

fn load(entry: &str) -> Loaded {
    prog::load(&format!("examples/{entry}"), None, ProgType::SchedCls).expect("examples load")
}

/// Runs a capture on both engines; contexts get a mark and cb that differ from packet to packet.
fn compare(loaded: &Loaded, capture: &Path) -> Comparison {
    let mut pair = Comparison::new(&Kernel, &Interp, &loaded.image(), &Env::default()).expect("both engines prepare");
    let mut reader = Reader::open(capture).expect("captures open");
    while let Some(packet) = reader.next_packet().expect("captures are whole") {
        let len = packet.len.max(packet.data.len() as u32);
        let mut ctx = skb::derive(packet.data, len, Link::Ethernet);
        skb::set(&mut ctx, "mark", packet.number % 300).unwrap();
        skb::set_element(&mut ctx, "cb", 1, packet.number).unwrap();
        let input = Input { skb: ctx, time_ns: packet.time_ns, ..Input::new(packet.data, Link::Ethernet) };
        let _ = pair.run(packet.number, &input).expect("both engines run");
    }
    pair.finish().expect("maps are read");
    pair
}

#[test]
fn interpreter_equals_kernel() {
    if let Availability::Unavailable(reason) = Kernel.availability() {
        eprintln!("skipped: {reason}");
        return;
    }
    for entry in ENTRIES {
        let loaded = load(entry);
        for capture in captures() {
            let pair = compare(&loaded, &capture);
            let name = capture.file_name().unwrap().to_string_lossy().into_owned();
            eprintln!("{entry} on {name}: {} packets equal, left out {:?}", pair.ran, pair.left_out);
            assert_eq!(pair.different, 0, "{entry} on {name}: {:?}", pair.differences);
            assert!(pair.ran > 0, "{entry} on {name}: the kernel takes some packets");
            if name != "odd.pcap" {
                assert!(pair.left_out.is_empty(), "{entry} on {name}: {:?}", pair.left_out);
            }
            if entry == "tc_flow.o" {
                equal_but_for_the_clock(&loaded, &pair);
            } else {
                assert_eq!(pair.by_nature, 0);
            }
        }
    }
}

/// `tc_flow` writes when a flow was first and last seen; all else that its maps hold is equal.
fn equal_but_for_the_clock(loaded: &Loaded, pair: &Comparison) {
    /// Packets and bytes; the times stand behind them.
    const COUNTED: usize = 16;
    for (i, def) in loaded.unit.maps().iter().enumerate() {
        let entries = |side: &dyn oxbpf::runtime::Instance| {
            let mut entries = side.map_entries(MapIdx(i as u32)).expect("maps are read");
            entries.sort();
            if def.name == "flows" {
                entries.iter_mut().for_each(|(_, value)| value.truncate(COUNTED));
            }
            entries
        };
        assert_eq!(entries(pair.engine()), entries(pair.twin()), "map {}", def.name);
    }
}

#[test]
fn redirector_steers_by_queue_and_keeps_checksums() {
    let loaded = load("port_redirect.o");
    let mut instance = Interp.prepare(&loaded.image(), &Env::default()).unwrap();
    let mut reader = Reader::open("examples/captures/http.pcap").unwrap();
    let mut redirected = 0;
    while let Some(packet) = reader.next_packet().unwrap() {
        let queue = packet.number % 8;
        let mut ctx = skb::derive(packet.data, packet.len, Link::Ethernet);
        skb::set(&mut ctx, "queue_mapping", queue).unwrap();
        let input = Input { skb: ctx, time_ns: packet.time_ns, ..Input::new(packet.data, Link::Ethernet) };
        let verdict = instance.run(&input).unwrap().verdict().expect("no trap");
        let after = instance.packet();
        let tcp = 14 + usize::from(after[14] & 0xf) * 4;
        let is_http = packet.data[12..14] == [8, 0] && packet.data[23] == 6 && packet.data[tcp + 2..tcp + 4] == [0, 80];
        if !is_http {
            assert_eq!((verdict, &after[..]), (0, packet.data), "packet {}", packet.number);
            continue;
        }
        redirected += 1;
        assert_eq!(verdict, u32::MAX);
        assert_eq!(u16::from_be_bytes([after[tcp + 2], after[tcp + 3]]), 8080 + queue as u16);
        assert_eq!(tcp_checksum(&after), 0, "packet {}: the checksum still fits", packet.number);
    }
    assert!(redirected > 10);
}

/// The sum over pseudo header and segment, which is 0 where the checksum fits.
fn tcp_checksum(frame: &[u8]) -> u16 {
    let ip = &frame[14..];
    let header = usize::from(ip[0] & 0xf) * 4;
    let total = usize::from(u16::from_be_bytes([ip[2], ip[3]]));
    let mut bytes = ip[12..20].to_vec();
    bytes.extend([0, 6]);
    bytes.extend(((total - header) as u16).to_be_bytes());
    bytes.extend(&ip[header..total]);
    let sum: u32 = bytes.chunks(2).map(|p| u32::from(p[0]) << 8 | u32::from(*p.get(1).unwrap_or(&0))).sum();
    let sum = (sum & 0xffff) + (sum >> 16);
    !((sum & 0xffff) + (sum >> 16)) as u16
}
