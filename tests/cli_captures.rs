//! `oxbpf run` over captures of every kind, and what it writes beside its report.

mod cli;

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use cli::{command, oxbpf, scratch, stderr, stdout, write};
use oxbpf::capture::{Format, Header, Interface, LinkType, NgWriter, Reader, Recorder, Resolution, Writer};
use serde_json::{Value, json};

/// Answers the context's fields that follow from the link layer, and the first byte, in a mark.
const LINK: &str = "
    r2 = *(u32 *)(r1 + 16)          # protocol
    *(u32 *)(r1 + 48) = r2          # cb[0]
    r2 = *(u32 *)(r1 + 4)           # pkt_type
    *(u32 *)(r1 + 52) = r2          # cb[1]
    r2 = *(u32 *)(r1 + 40)          # ifindex
    *(u32 *)(r1 + 56) = r2          # cb[2]
    r2 = *(u32 *)(r1 + 0)           # len
    *(u32 *)(r1 + 60) = r2          # cb[3]
    r0 = 0
    r2 = *(u32 *)(r1 + 76)          # data
    r3 = *(u32 *)(r1 + 80)          # data_end
    r4 = r2
    r4 += 1
    if r4 > r3 goto out
    r4 = *(u8 *)(r2 + 0)
    *(u32 *)(r1 + 64) = r4          # cb[4]
out:
    exit";

/// An IPv4 header with nothing behind it.
fn ip() -> Vec<u8> {
    let mut header = vec![0x45, 0, 0, 20, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2];
    header.resize(40, 7);
    header
}

fn ip6() -> Vec<u8> {
    [&[0x60, 0, 0, 0, 0, 0, 59, 64][..], &[0xfd; 32]].concat()
}

fn behind(header: &[u8], payload: Vec<u8>) -> Vec<u8> {
    [header, &payload].concat()
}

/// A pcap of that link type with these packets.
fn pcap(dir: &Path, name: &str, link: u32, packets: &[(u32, Vec<u8>)]) -> String {
    let mut writer = Writer::new(Vec::new(), "test", Header::new(LinkType(link))).unwrap();
    for (i, (len, data)) in packets.iter().enumerate() {
        writer.write_packet(1_000_000_000 + i as u64, *len, data).unwrap();
    }
    write(dir, name, writer.finish().unwrap())
}

/// The `cb` of each packet: protocol, pkt_type, ifindex, len and first byte, as `LINK` leaves them.
fn seen(arguments: &[&str]) -> Vec<[u64; 5]> {
    let output = oxbpf(&[&["run"], arguments, &["--jsonl", "--with", "ctx"]].concat());
    let line = |l: &str| serde_json::from_str::<Value>(l).unwrap()["ctx"]["cb"].clone();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    stdout(&output).lines().map(|l| serde_json::from_value(line(l)).unwrap()).collect()
}

const IP: u64 = 0x0800_u16.to_be() as u64;
const IP6: u64 = 0x86dd_u16.to_be() as u64;
const ARP: u64 = 0x0806_u16.to_be() as u64;

#[test]
fn each_link_type_becomes_a_context() {
    let dir = scratch("links");
    let program = write(&dir, "link.bpf", LINK);
    let sll = |kind: u8, protocol: [u8; 2]| [&[0, kind, 0, 1, 0, 6, 1, 2, 3, 4, 5, 6, 0, 0][..], &protocol].concat();
    let sll2 = |kind: u8, ifindex: u8, protocol: [u8; 2]| {
        [&protocol[..], &[0, 0, 0, 0, 0, ifindex, 0, 1, kind, 6, 1, 2, 3, 4, 5, 6, 0, 0]].concat()
    };
    let ethernet = behind(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 2, 2, 2, 2, 2, 8, 0], ip());
    let rows: Vec<(u32, Vec<u8>, [u64; 5])> = vec![
        (1, ethernet, [IP, 2, 1, 54, 0xff]),
        (12, ip(), [IP, 0, 1, 40, 0x45]),
        (14, ip6(), [IP6, 0, 1, 40, 0x60]),
        (101, ip(), [IP, 0, 1, 40, 0x45]),
        (101, ip6(), [IP6, 0, 1, 40, 0x60]),
        (101, vec![0; 40], [0, 0, 1, 40, 0]),
        (228, ip(), [IP, 0, 1, 40, 0x45]),
        (229, ip6(), [IP6, 0, 1, 40, 0x60]),
        (0, behind(&[2, 0, 0, 0], ip()), [IP, 0, 1, 40, 0x45]),
        (0, behind(&[0, 0, 0, 2], ip()), [IP, 0, 1, 40, 0x45]),
        (0, behind(&[30, 0, 0, 0], ip6()), [IP6, 0, 1, 40, 0x60]),
        (0, behind(&[99, 0, 0, 0], vec![1; 40]), [0, 0, 1, 40, 1]),
        (108, behind(&[0, 0, 0, 28], ip6()), [IP6, 0, 1, 40, 0x60]),
        (113, behind(&sll(4, [8, 0]), ip()), [IP, 4, 1, 40, 0x45]),
        (113, behind(&sll(1, [8, 6]), vec![0; 28]), [ARP, 1, 1, 28, 0]),
        (276, behind(&sll2(3, 7, [0x86, 0xdd]), ip6()), [IP6, 3, 7, 40, 0x60]),
        // Cut off within the header of the capture's own.
        (276, vec![8, 0, 0, 0], [IP, 0, 1, 0, 0]),
        (113, vec![], [0, 0, 1, 0, 0]),
    ];
    for (i, (link, data, expected)) in rows.into_iter().enumerate() {
        let file = pcap(&dir, "link.pcap", link, &[(data.len() as u32, data)]);
        assert_eq!(seen(&[&program, "--pcap", &file]), [expected], "row {i}, link type {link}");
    }
}

#[test]
fn a_cooked_packet_is_written_with_its_header() {
    let dir = scratch("cooked");
    let program = write(
        &dir,
        "byte.bpf",
        "r2 = *(u32 *)(r1 + 76)\nr3 = *(u32 *)(r1 + 80)\nr4 = r2\nr4 += 2\nif r4 > r3 goto out\nr5 = 9\n*(u8 *)(r2 + 1) = r5\nout:\nr0 = 0\nexit\n",
    );
    let header = [0, 4, 0, 1, 0, 6, 1, 2, 3, 4, 5, 6, 0, 0, 8, 0];
    // 100 bytes on the wire, 56 of them captured.
    let file = pcap(&dir, "in.pcap", 113, &[(100, behind(&header, ip()))]);
    let out = dir.join("out.pcap").to_str().unwrap().to_string();
    let output = oxbpf(&["run", &program, "--pcap", &file, "-w", &out, "--da"]);
    assert!(
        stdout(&output).contains("\ntruncated  1 packet, captured shorter than they were\n"),
        "{}",
        stdout(&output)
    );
    let mut reader = Reader::open(&out).unwrap();
    let packet = reader.next_packet().unwrap().unwrap();
    let mut changed = ip();
    changed[1] = 9;
    assert_eq!((packet.link_type, packet.len), (LinkType::LINUX_SLL, 100));
    assert_eq!(packet.data, behind(&header, changed));
}

#[test]
fn other_link_types_are_refused_or_run_as_asked() {
    let dir = scratch("others");
    let program = write(&dir, "link.bpf", LINK);
    let file = pcap(&dir, "wifi.pcap", 105, &[(40, ip())]);
    let output = oxbpf(&["run", &program, "--pcap", &file]);
    assert_eq!(output.status.code(), Some(3));
    let message = stderr(&output);
    assert!(
        message.starts_with("error[link-type]: ") && message.contains("link type IEEE802_11 is not supported"),
        "{message}"
    );
    assert_eq!(seen(&[&program, "--pcap", &file, "--link", "raw"]), [[IP, 0, 1, 40, 0x45]]);
    assert_eq!(seen(&[&program, "--pcap", &file, "--link", "228"]), [[IP, 0, 1, 40, 0x45]]);
    assert_eq!(seen(&[&program, "--pcap", &file, "--link", "bytes"]), [[0, 0, 1, 40, 0x45]]);
    assert!(seen(&[&program, "--pcap", &file, "--skip-links"]).is_empty());
    for wrong in ["wifi", "105", "-1", ""] {
        assert_eq!(oxbpf(&["run", &program, "--pcap", &file, "--link", wrong]).status.code(), Some(2), "{wrong}");
    }
}

/// A pcapng with an Ethernet, a WLAN and a raw interface; the last packet is cut.
fn mixed(dir: &Path) -> String {
    let links = [(1, "eth0"), (105, "wlan0"), (101, "tun0")];
    let [eth0, wlan0, tun0] = links.map(|(n, name)| Interface::new(LinkType(n)).named(name));
    let frame = behind(&[2, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 8, 0], ip());
    let mut writer = NgWriter::new(Vec::new(), "test").unwrap();
    for interface in [&eth0, &wlan0, &tun0] {
        writer.describe(interface).unwrap();
    }
    writer.write_packet(&eth0, 1, 54, &frame, &["seen before"]).unwrap();
    writer.write_packet(&wlan0, 2, 40, &ip(), &[]).unwrap();
    writer.write_packet(&tun0, 3, 1_500, &ip(), &[]).unwrap();
    write(dir, "mixed.pcapng", writer.finish().unwrap())
}

#[test]
fn interfaces_of_a_pcapng_are_told_apart() {
    let dir = scratch("mixed");
    let (program, file) = (write(&dir, "link.bpf", LINK), mixed(&dir));
    let seen = seen(&[&program, "--pcap", &file, "--skip-links"]);
    assert_eq!(seen, [[IP, 3, 1, 54, 2], [IP, 0, 3, 1_500, 0x45]]);

    let output = oxbpf(&["run", &program, "--pcap", &file]);
    assert_eq!(output.status.code(), Some(3));
    assert!(stderr(&output).contains("packet 2: link type IEEE802_11 is not supported"), "{}", stderr(&output));
    assert!(stdout(&output).contains("total"), "what came before is reported");

    let output = oxbpf(&["run", &program, "--pcap", &file, "--skip-links", "--skip", "1"]);
    let printed = stdout(&output);
    assert!(printed.contains("mixed.pcapng  EN10MB, IEEE802_11, RAW\n"), "{printed}");
    let remarks = "\ntruncated  1 packet, captured shorter than they were\nskipped    1 packet, by --skip\nleft out   1 packet, of link types that are not supported\n";
    assert!(printed.ends_with(remarks), "{printed}");
    let output = oxbpf(&["run", &program, "--pcap", &file, "--skip-links", "--json"]);
    let document: Value = serde_json::from_str(&stdout(&output)).unwrap();
    let counts = ["packets", "truncated", "skipped", "left_out"].map(|key| document[key].as_u64().unwrap());
    assert_eq!(counts, [2, 1, 0, 1]);
}

#[test]
fn verdicts_are_comments_of_a_written_pcapng() {
    let dir = scratch("comments");
    // Drops the second of three packets.
    let program = write(&dir, "shot.bpf", "r2 = *(u32 *)(r1 + 0)\nr0 = 0\nif r2 != 40 goto out\nr0 = 2\nout:\nexit\n");
    let file = mixed(&dir);
    let out = |name: &str| dir.join(name).to_str().unwrap().to_string();
    let read = |path: &str| -> Vec<(u64, String, u32, Vec<String>)> {
        let mut reader = Reader::open(path).unwrap();
        let mut packets = Vec::new();
        while let Some(p) = reader.next_packet().unwrap() {
            let name = p.interface.name.as_deref().unwrap_or("-").to_string();
            packets.push((p.time_ns, name, p.len, p.comments().map(|c| c.into_owned()).collect()));
        }
        packets
    };
    let arguments = ["run", &program, "--pcap", &file, "--da", "--link", "bytes"];
    let run = |more: &[&str]| assert_eq!(oxbpf(&[&arguments, more].concat()).status.code(), Some(0));
    run(&["-w", &out("pass.pcapng")]);
    let first = (1, "eth0".to_string(), 54, vec!["seen before".to_string(), "oxbpf: ok".to_string()]);
    let second = (2, "wlan0".to_string(), 40, vec!["oxbpf: shot".to_string()]);
    let third = (3, "tun0".to_string(), 1_500, vec!["oxbpf: ok".to_string()]);
    assert_eq!(read(&out("pass.pcapng")), [first.clone(), third.clone()]);
    run(&["-w", &out("all"), "--write-format", "pcapng", "--write-all"]);
    assert_eq!(read(&out("all")), [first, second, third]);

    // One pcap cannot hold packets of several link types.
    let output = oxbpf(&[&arguments[..], &["-w", &out("mixed.pcap")]].concat());
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("error[capture-link-mixed]"), "{}", stderr(&output));
    assert!(!dir.join("mixed.pcap").exists());
}

#[test]
fn nanoseconds_and_what_was_cut_off_stay_as_they_are() {
    let dir = scratch("nano");
    let program = write(&dir, "ok.bpf", "r0 = 0\nexit\n");
    let header = Header { resolution: Resolution::Nano, ..Header::new(LinkType::RAW) };
    let mut writer = Writer::new(Vec::new(), "test", header).unwrap();
    writer.write_packet(1_704_067_200_123_456_789, 9_000, &ip()).unwrap();
    let file = write(&dir, "in.pcap", writer.finish().unwrap());
    for name in ["out.pcap", "out.pcapng"] {
        let out = dir.join(name).to_str().unwrap().to_string();
        assert_eq!(oxbpf(&["run", &program, "--pcap", &file, "-w", &out, "--da"]).status.code(), Some(0));
        let mut reader = Reader::open(&out).unwrap();
        let packet = reader.next_packet().unwrap().unwrap();
        assert_eq!((packet.time_ns, packet.len, packet.data), (1_704_067_200_123_456_789, 9_000, &ip()[..]), "{name}");
    }
}

#[test]
fn packets_of_nothing_and_of_the_most_run() {
    let dir = scratch("sizes");
    let program = write(&dir, "link.bpf", LINK);
    let most = vec![7; 262_144];
    let file = pcap(&dir, "sizes.pcap", 101, &[(0, vec![]), (262_144, most), (u32::MAX, vec![1]), (0, vec![1, 2])]);
    let len = |cb: [u64; 5]| cb[3];
    let seen = seen(&[&program, "--pcap", &file]);
    assert_eq!(seen.into_iter().map(len).collect::<Vec<_>>(), [0, 262_144, u32::MAX.into(), 2]);
    // Made longer, the longest stays as long as packets may be, and a length of four billion stays one.
    let grow = write(&dir, "grow.bpf", "r2 = 8\nr3 = 0\nr4 = 0\nr5 = 0\ncall skb_vlan_push\nr0 = 0\nexit\n");
    let frames = [(262_144, vec![7; 262_144]), (u32::MAX, vec![7; 60])];
    let frames = pcap(&dir, "frames.pcap", 1, &frames);
    let out = dir.join("grown.pcap").to_str().unwrap().to_string();
    let output = oxbpf(&["run", &grow, "--pcap", &frames, "--da", "-w", &out]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let mut reader = Reader::open(&out).unwrap();
    assert_eq!(reader.next_packet().unwrap().unwrap().data.len(), 262_144);
    assert_eq!(reader.next_packet().unwrap().unwrap().len, u32::MAX);
    // One more is damage, with its place; what came before is reported.
    let mut bytes = std::fs::read(&file).unwrap();
    bytes[24 + 8..24 + 12].copy_from_slice(&262_145_u32.to_le_bytes());
    let file = write(&dir, "more.pcap", bytes);
    let output = oxbpf(&["run", &program, "--pcap", &file]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("error[capture-record-size]"), "{}", stderr(&output));
}

#[test]
fn compressed_captures_are_read() {
    let dir = scratch("compressed");
    let plain = std::fs::read("examples/captures/http.pcap").unwrap();
    for tool in ["gzip", "zstd"] {
        let child = Command::new(tool).arg("-c").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let Ok(mut child) = child else {
            println!("skipped: {tool} cannot be run");
            continue;
        };
        child.stdin.take().unwrap().write_all(&plain).unwrap();
        let file = write(&dir, tool, child.wait_with_output().unwrap().stdout);
        let output = oxbpf(&["run", "examples/port_redirect.o", "--pcap", &file]);
        assert!(
            stdout(&output).contains("total                                        65   4858"),
            "{}",
            stdout(&output)
        );
        let output = oxbpf(&["run", "examples/port_redirect.o", "--pcap", &file, "--follow"]);
        assert!(stderr(&output).contains("error[follow]"), "{}", stderr(&output));
    }
}

#[test]
fn context_lines_are_of_their_packets() {
    let dir = scratch("lines");
    let program = write(&dir, "mark.bpf", "r0 = *(u32 *)(r1 + 8)\nexit\n");
    let file = pcap(&dir, "in.pcap", 101, &[(40, ip()), (40, ip()), (40, ip()), (40, ip())]);
    let run = |lines: &str, more: &[&str]| {
        let lines = write(&dir, "lines.jsonl", lines);
        oxbpf(&[&["run", &program, "--pcap", &file, "--jsonl", "--ctx-lines", &lines], more].concat())
    };
    let values = |text: String| -> Vec<Value> {
        text.lines().map(|l| serde_json::from_str::<Value>(l).unwrap()["return"].clone()).collect()
    };
    let output = run("{\"mark\": 7}\n\n{}\n{\"mark\": 9, \"cb\": [1]}", &["--ctx", r#"{"mark": 1}"#]);
    assert_eq!(
        (output.status.code(), values(stdout(&output))),
        (Some(0), vec![json!(7), json!(1), json!(1), json!(9)])
    );
    let output = run("wrong\n\n{\"mark\": 3}\n", &["--skip", "2", "--limit", "1"]);
    assert_eq!(values(stdout(&output)), [3], "lines are counted as packets are, and only those of packets are read");
    let rows = [
        ("{}\n{}\n{}\n", "has 3 lines, there is none for packet 4"),
        ("{\"marc\": 1}", "line 1: the context has no field marc"),
        ("{}\n{\"packets\": {\"2\": {}}}\n", "line 2: packets has no meaning here"),
        ("{}\n\u{1}\n", "line 2: context is not JSON"),
    ];
    for (lines, message) in rows {
        let output = run(lines, &[]);
        assert_eq!(output.status.code(), Some(2), "{lines}");
        let said = stderr(&output);
        assert!(said.contains("error[ctx-lines]: ") && said.contains(message), "{said}");
    }
    let output = oxbpf(&["run", &program, "--pcap", &file, "--ctx-lines", "/nonexistent"]);
    assert!(stderr(&output).contains("error[ctx-lines]: /nonexistent"), "{}", stderr(&output));
}

#[test]
fn packets_are_on_cpus_by_the_rule() {
    let dir = scratch("cpus");
    let program = write(&dir, "cpu.bpf", "call get_smp_processor_id\nexit\n");
    let http = "examples/captures/http.pcap";
    let cpus = |pcap: &str, more: &[&str]| -> Vec<u64> {
        let output = oxbpf(&[&["run", &program, "--pcap", pcap, "--jsonl"], more].concat());
        let value = |l: &str| serde_json::from_str::<Value>(l).unwrap()["return"].as_u64().unwrap();
        stdout(&output).lines().map(value).collect()
    };
    assert_eq!(cpus(http, &["--limit", "3"]), [0, 0, 0]);
    assert_eq!(cpus(http, &["--cpus", "3", "--cpu-rule", "rr", "--skip", "1", "--limit", "5"]), [1, 2, 0, 1, 2]);
    // Many flows, each with a packet in either direction and a fragment without ports.
    let flow = |n: u8, back: bool| {
        let mut packet = ip();
        packet[12..20].copy_from_slice(&if back { [10, 0, 0, 2, 10, 0, 0, n] } else { [10, 0, 0, n, 10, 0, 0, 2] });
        packet[20..24].copy_from_slice(&if back { [0, 80, n, 1] } else { [n, 1, 0, 80] });
        (40, packet)
    };
    let packets: Vec<_> = (0..200).flat_map(|n| [flow(n, false), flow(n, true)]).collect();
    let file = pcap(&dir, "flows.pcap", 101, &packets);
    let by_flow = cpus(&file, &["--cpus", "4"]);
    assert!(by_flow.chunks(2).all(|pair| pair[0] == pair[1]), "both directions are on one CPU");
    let count = |cpu: u64| by_flow.iter().filter(|c| **c == cpu).count();
    assert!((0..4).all(|cpu| count(cpu) > 50), "{:?}", [0, 1, 2, 3].map(count));
    assert_eq!(by_flow, cpus(&file, &["--cpus", "4"]), "every run alike");
    for wrong in ["0", "4097", "x"] {
        assert_eq!(oxbpf(&["run", &program, "--pcap", &file, "--cpus", wrong]).status.code(), Some(2));
    }
}

#[test]
fn redirected_packets_are_in_a_capture_of_their_interface() {
    let dir = scratch("redirect");
    // A copy to interface 3's ingress while it is whole, the packet itself, one byte changed, to interface 5.
    let text = "
        r6 = r1
        r2 = 3
        r3 = 1
        call clone_redirect
        r2 = *(u32 *)(r6 + 76)
        r3 = *(u32 *)(r6 + 80)
        r4 = r2
        r4 += 2
        if r4 > r3 goto out
        r5 = 9
        *(u8 *)(r2 + 1) = r5
    out:
        r1 = 5
        r2 = 0
        call redirect
        exit";
    let program = write(&dir, "redirect.bpf", text);
    let frame = behind(&[2, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 8, 0], ip());
    let file = pcap(&dir, "in.pcap", 1, &[(54, frame.clone()), (60, frame.clone())]);
    let to = dir.join("out").to_str().unwrap().to_string();
    let output = oxbpf(&["run", &program, "--pcap", &file, "--da", "--redirect-dir", &to]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let mut names: Vec<_> = std::fs::read_dir(&to).unwrap().map(|e| e.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["if3-ingress.pcap", "if5-egress.pcap"]);
    let read = |name: &str| -> Vec<(u32, Vec<u8>)> {
        let mut reader = Reader::open(Path::new(&to).join(name)).unwrap();
        let mut packets = Vec::new();
        while let Some(p) = reader.next_packet().unwrap() {
            packets.push((p.len, p.data.to_vec()));
        }
        packets
    };
    let mut changed = frame.clone();
    changed[1] = 9;
    assert_eq!(read("if3-ingress.pcap"), [(54, frame.clone()), (60, frame)]);
    assert_eq!(read("if5-egress.pcap"), [(54, changed.clone()), (60, changed)]);

    // A verdict without an interface is said; so are too many interfaces.
    let program = write(&dir, "nowhere.bpf", "r0 = 7\nexit\n");
    let output = oxbpf(&["run", &program, "--pcap", &file, "--da", "--redirect-dir", &to]);
    assert!(stdout(&output).ends_with("\nredirected 2 packets, to no interface\n"), "{}", stdout(&output));
    let program = write(&dir, "many.bpf", "call get_prandom_u32\nr1 = r0\nr2 = 0\ncall redirect\nexit\n");
    let many = pcap(&dir, "many.pcap", 101, &vec![(40, ip()); 300]);
    let output = oxbpf(&["run", &program, "--pcap", &many, "--da", "--redirect-dir", &to]);
    assert_eq!(output.status.code(), Some(4), "{}", stderr(&output));
    assert!(stderr(&output).contains("error[redirect-targets]"), "{}", stderr(&output));
}

#[test]
fn events_are_lines_with_their_packet() {
    let dir = scratch("events");
    let text = "
.map events ringbuf key=0 value=0 entries=4096
    r1 = events ll
    *(u64 *)(r10 - 8) = 0x1234
    r2 = r10
    r2 += -8
    r3 = 8
    r4 = 0
    call ringbuf_output
    r0 = 0
    exit";
    let program = write(&dir, "events.bpf", text);
    let file = pcap(&dir, "in.pcap", 101, &[(40, ip()), (40, ip())]);
    let to = dir.join("events.jsonl").to_str().unwrap().to_string();
    let output = oxbpf(&["run", &program, "--pcap", &file, "--events", &to, "--cpus", "2", "--cpu-rule", "rr"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let line = |packet: u64, cpu: u64| {
        format!(
            "{{\"packet\":{packet},\"cpu\":{cpu},\"map\":\"events\",\"kind\":\"ringbuf\",\"time_ns\":{},\"data\":\"3412000000000000\"}}\n",
            999_999_999 + packet
        )
    };
    let expected = line(1, 0) + &line(2, 1);
    assert_eq!(std::fs::read_to_string(&to).unwrap(), expected);
    let output = oxbpf(&["run", &program, "--pcap", &file, "--events", "-", "--cpus", "2", "--cpu-rule", "rr"]);
    assert_eq!(stdout(&output), expected);
    assert!(stderr(&output).contains("total"), "the report is on standard error");
    for other in [&["--json"][..], &["--jsonl"], &["-w", "-"]] {
        let output = oxbpf(&[&["run", &program, "--pcap", &file, "--events", "-"], other].concat());
        assert!(stderr(&output).contains("error[stdout]"), "{}", stderr(&output));
    }
    let output = oxbpf(&["run", &program, "--pcap", &file, "--events", "/nonexistent/x"]);
    assert!(stderr(&output).contains("error[events]"), "{}", stderr(&output));
}

/// A child that ends with the test.
struct Child(std::process::Child);

impl Drop for Child {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Waits until `what` holds; a follower looks every 50 ms.
fn wait_for(what: impl Fn() -> bool) {
    let start = Instant::now();
    while !what() {
        assert!(start.elapsed() < Duration::from_secs(60), "waited a minute");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_growing_file_is_followed_until_interrupted() {
    let dir = scratch("follow");
    let program = write(&dir, "ok.bpf", "r0 = 0\nexit\n");
    for format in [Format::Pcap, Format::Pcapng] {
        let whole = dir.join("whole");
        let mut recorder = Recorder::create(&whole, format).unwrap();
        for n in 0..3 {
            recorder.write(&Interface::new(LinkType::RAW), n, 40, &ip(), &[]).unwrap();
        }
        recorder.finish(&Interface::new(LinkType::RAW)).unwrap();
        let bytes = std::fs::read(&whole).unwrap();
        // Two bytes of the header; then all but half of the last packet; then the rest.
        let file = write(&dir, "growing", &bytes[..2]);
        let lines = dir.join("lines");
        let arguments = ["run", &program, "--pcap", &file, "--jsonl", "--follow"];
        let out = std::fs::File::create(&lines).unwrap();
        let mut child = Child(command(&arguments).stdout(out).stderr(Stdio::piped()).spawn().unwrap());
        let count = || std::fs::read_to_string(&lines).unwrap().lines().count();
        let append = |part: &[u8]| {
            std::fs::OpenOptions::new().append(true).open(&file).unwrap().write_all(part).unwrap();
        };
        append(&bytes[2..bytes.len() - 30]);
        wait_for(|| count() == 2);
        append(&bytes[bytes.len() - 30..]);
        wait_for(|| count() == 3);
        let interrupt = Command::new("kill").args(["-INT", &child.0.id().to_string()]).status().unwrap();
        assert!(interrupt.success());
        assert_eq!(child.0.wait().unwrap().code(), Some(0), "{format:?}");
    }
}

#[test]
fn a_followed_file_ends_with_the_limit_or_when_it_shrinks() {
    let dir = scratch("shrink");
    let program = write(&dir, "ok.bpf", "r0 = 0\nexit\n");
    let file = pcap(&dir, "in.pcap", 101, &[(40, ip()), (40, ip())]);
    let output = oxbpf(&["run", &program, "--pcap", &file, "--follow", "--limit", "2"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let lines = dir.join("lines");
    let out = std::fs::File::create(&lines).unwrap();
    let arguments = ["run", &program, "--pcap", &file, "--jsonl", "--follow"];
    let child = command(&arguments).stdout(out).stderr(Stdio::piped()).spawn().unwrap();
    wait_for(|| std::fs::read_to_string(&lines).unwrap().lines().count() == 2);
    std::fs::OpenOptions::new().write(true).open(&file).unwrap().set_len(24).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("error[capture-shrunk]"), "{}", stderr(&output));
    let output = oxbpf(&["run", &program, "--pcap", "/dev/null", "--follow", "--limit", "0", "--link", "nosuch"]);
    assert_eq!(output.status.code(), Some(2));
}
