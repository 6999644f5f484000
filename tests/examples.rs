//! Every example on every example capture: the interpreter equals the kernel wherever the kernel can be told
//! the input, and what it cannot be told is counted by reason.

use std::path::{Path, PathBuf};
use std::process::Command;

use oxbpf::abi::ProgType;
use oxbpf::capture::Reader;
use oxbpf::compare::Comparison;
use oxbpf::interp::Interp;
use oxbpf::ir::MapIdx;
use oxbpf::kernel::Kernel;
use oxbpf::prog::{self, Loaded};
use oxbpf::runtime::skb::{self, Link};
use oxbpf::runtime::{Availability, Engine, Env, Input, Instance, Outcome};

/// The entry of each example, as PROG.
const ENTRIES: [&str; 20] = [
    "minimal.o",
    "mark_stats.o",
    "port_redirect.o",
    "tail_call.o:classifier",
    "tail_call_btf.o:tc/entry",
    "tc_flow.o",
    "cgroup_prio.o",
    "vlan_rewrite.o",
    "dscp_mark.o",
    "proto_count_legacy.o",
    "proto_count_btf.o",
    "two_actions.o:action/mark",
    "two_actions.o:action/police",
    "map_in_map.o",
    "lpm_policy.o",
    "lru_flows.o",
    "ringbuf_sampler.o",
    "two_ways.o:tcx/egress",
    "two_ways.o:tcx/ingress",
    "core/core_guard.o",
];

/// The example that sends copies out, which happens apart from the others.
const MIRROR: &str = "mirror.o";

#[test]
fn every_example_has_a_row() {
    let covered: Vec<&str> = ENTRIES.iter().chain([&MIRROR]).map(|e| e.split(':').next().unwrap_or(e)).collect();
    for dir in ["", "core/"] {
        for entry in std::fs::read_dir(format!("examples/{dir}")).expect("examples are committed") {
            let name = entry.expect("readable").file_name().into_string().expect("text");
            if let Some(stem) = name.strip_suffix(".c") {
                assert!(covered.contains(&&*format!("{dir}{stem}.o")), "examples/{dir}{name} is run by no test");
            }
        }
    }
}

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
    ENTRIES.into_iter().for_each(equals);
}

fn equals(entry: &str) {
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

/// Set where the test runs in a network of its own.
const INSIDE: &str = "OXBPF_EXAMPLES_INSIDE";

/// What the mirror sends, the kernel sends: so this happens where nothing gets out.
#[test]
fn mirror_equals_kernel_in_a_network_of_its_own() {
    if std::env::var_os(INSIDE).is_some() {
        return equals(MIRROR);
    }
    let setup =
        "ip link set lo up || exit 77; exec \"$0\" --exact mirror_equals_kernel_in_a_network_of_its_own --nocapture";
    let test = std::env::current_exe().expect("tests have a path");
    let output = Command::new("unshare").args(["-n", "sh", "-c", setup]).arg(test).env(INSIDE, "1").output();
    match (Kernel.availability(), output) {
        (Availability::Unavailable(reason), _) => eprintln!("skipped: {reason}"),
        (_, Err(e)) => eprintln!("skipped: unshare: {e}"),
        (_, Ok(output)) if !String::from_utf8_lossy(&output.stdout).contains("running 1 test") => {
            eprintln!("skipped: no network of its own: {}", String::from_utf8_lossy(&output.stderr));
        }
        (_, Ok(output)) => {
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            eprintln!("{}", String::from_utf8_lossy(&output.stderr));
        }
    }
}

/// Every packet of a capture through an example in the interpreter, with what it left.
fn each_packet(entry: &str, capture: &str, mut then: impl FnMut(&[u8], &mut dyn Instance, Outcome)) {
    let mut instance = Interp.prepare(&load(entry).image(), &Env::default()).expect("examples prepare");
    let mut reader = Reader::open(format!("examples/captures/{capture}")).expect("captures open");
    while let Some(packet) = reader.next_packet().expect("captures are whole") {
        let outcome = instance.run(&Input::new(packet.data, Link::Ethernet)).expect("packets run");
        then(packet.data, &mut *instance, outcome);
    }
}

#[test]
fn vlan_rewriter_tags_everything_with_its_default() {
    let mut tagged = 0;
    each_packet("vlan_rewrite.o", "mixed.pcap", |before, instance, outcome| {
        assert_eq!(outcome.verdict(), Some(0));
        let after = skb::on_wire(instance.packet(), &instance.skb());
        assert_eq!(after[12..14], [0x81, 0]);
        assert_eq!(u16::from_be_bytes([after[14], after[15]]) & 0xfff, 100);
        // What the frame carried stands behind the new tag, the old outer one gone.
        let was_tagged = matches!(before[12..14], [0x81, 0] | [0x88, 0xa8]);
        tagged += usize::from(was_tagged);
        assert_eq!(after[16..], before[if was_tagged { 16 } else { 12 }..]);
    });
    assert!(tagged > 0, "some frames had a tag");
}

#[test]
fn dscp_marker_marks_http_and_keeps_the_checksum() {
    let mut marked = 0;
    each_packet("dscp_mark.o", "http.pcap", |before, instance, outcome| {
        let after = instance.packet();
        if outcome.verdict() == Some(3) && before[12..14] == [8, 0] && before[36..38] == [0, 80] {
            marked += 1;
            assert_eq!(after[15] >> 2, 18, "AF21");
            let words = after[14..34].chunks(2).map(|w| u32::from(w[0]) << 8 | u32::from(w[1]));
            let sum: u32 = words.sum();
            assert_eq!((sum & 0xffff) + (sum >> 16), 0xffff, "the header's checksum fits");
        }
    });
    assert!(marked > 10, "{marked}");
}

#[test]
fn mirror_sends_copies_as_the_packets_came() {
    let (mut copies, mut packets) = (0, 0);
    each_packet(MIRROR, "http.pcap", |before, instance, _| {
        packets += 1;
        for copy in instance.sent().expect("the interpreter tells").clones() {
            copies += 1;
            assert_eq!((copy.target.ifindex, copy.target.ingress, &copy.packet[..]), (1, false, before));
        }
    });
    assert!(copies > 0 && copies < packets, "{copies} of {packets}");
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
