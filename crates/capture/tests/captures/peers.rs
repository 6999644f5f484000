//! Agreement with others who read pcap and pcapng: tcpdump where it is installed, and `pcap-file`.

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

use oxbpf_capture::{ByteOrder, Header, Interface, LinkType, NgWriter, Reader, Resolution};
use pcap_file::pcap::{PcapHeader, PcapParser};
use pcap_file::pcapng::blocks::enhanced_packet::EnhancedPacketBlock;
use pcap_file::pcapng::blocks::interface_description::{InterfaceDescriptionBlock, InterfaceDescriptionOption};
use pcap_file::pcapng::{Block, PcapNgReader, PcapNgWriter};
use pcap_file::{DataLink, Endianness};
use proptest::prelude::*;

use crate::blocks::Blocks;
use crate::{MICRO, NANO, Owned, raw_header, raw_record, read, written};

/// What tcpdump with these options answers to the capture on its standard input: output and diagnostics.
fn tcpdump(options: &[&str], capture: &[u8]) -> Option<(Vec<u8>, String)> {
    let tcpdump = Command::new("tcpdump")
        .args(options)
        .args(["-r", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = match tcpdump {
        Ok(child) => child,
        Err(error) => {
            println!("skipped: tcpdump cannot be run: {error}");
            return None;
        }
    };
    let mut stdin = child.stdin.take().unwrap();
    let capture = capture.to_vec();
    let feeder = std::thread::spawn(move || stdin.write_all(&capture));
    let output = child.wait_with_output().unwrap();
    // It may refuse the capture and leave before the end.
    let _ = feeder.join().unwrap();
    Some((output.stdout, String::from_utf8_lossy(&output.stderr).into_owned()))
}

/// Packets of many sizes, a snapped one among them, and one that claims to be shorter than it is.
fn packets() -> Vec<Owned> {
    let mut packets: Vec<Owned> = [0, 1, 13, 14, 15, 34, 60, 1_514, 9_000, 262_144]
        .iter()
        .zip(0..)
        .map(|(&size, at)| Owned::of_size(1_704_067_200_000_000_000 + at * 1_000_000_001, size))
        .collect();
    packets[6].len = 1_514;
    packets[7].len = 60;
    packets
}

#[test]
fn tcpdump_reads_what_we_write_and_we_read_what_it_writes() {
    for byte_order in [ByteOrder::Little, ByteOrder::Big] {
        for (resolution, precision) in [(Resolution::Micro, "micro"), (Resolution::Nano, "nano")] {
            let header = Header { byte_order, resolution, ..Header::new(LinkType::EN10MB) };
            let ours = written(header, &packets());
            let options = ["-w", "-", "--time-stamp-precision", precision];
            let Some((theirs, _)) = tcpdump(&options, &ours) else { return };
            let (expected, got) = (read(&ours), read(&theirs));
            assert!(expected.1.is_none() && got.1.is_none());
            assert!(expected.0 == got.0, "{byte_order:?} {resolution:?}: tcpdump read other packets");
            let resolution_back = Reader::new(theirs.as_slice(), "theirs").unwrap().header().unwrap().resolution;
            assert_eq!(resolution_back, resolution);
        }
    }
}

#[test]
fn tcpdump_refuses_where_we_refuse() {
    let rows: &[(&str, Vec<u8>)] = &[
        ("empty", Vec::new()),
        ("three bytes", vec![0xd4, 0xc3, 0xb2]),
        ("half a header", raw_header(MICRO, (2, 4), 65_535, 1)[..12].to_vec()),
        ("no packets", raw_header(MICRO, (2, 4), 65_535, 1)),
        ("version 2.5", raw_header(MICRO, (2, 5), 65_535, 1)),
        ("version 1.4", raw_header(MICRO, (1, 4), 65_535, 1)),
        ("version 3.0", raw_header(MICRO, (3, 0), 65_535, 1)),
        ("version 2.3", record_in((2, 3), 65_535, [0, 0, 60, 20], 20)),
        ("version 2.2", record_in((2, 2), 65_535, [0, 0, 60, 20], 20)),
        ("version 543.0", record_in((543, 0), 65_535, [0, 0, 60, 20], 20)),
        ("cut in a record's header", record_in((2, 4), 65_535, [0, 0, 20, 20], 0)[..34].to_vec()),
        ("cut before the data", record_in((2, 4), 65_535, [0, 0, 20, 20], 0)),
        ("cut within the data", record_in((2, 4), 65_535, [0, 0, 20, 20], 19)),
        ("a captured length of 262,145", record_in((2, 4), 300_000, [0, 0, 262_145, 262_145], 262_145)),
        ("a captured length of 4 GiB", record_in((2, 4), u32::MAX, [0, 0, u32::MAX, u32::MAX], 64)),
        ("a snaplen of 0", record_in((2, 4), 0, [0, 0, 20, 20], 20)),
        ("a snaplen of 2^31", record_in((2, 4), 1 << 31, [0, 0, 20, 20], 20)),
    ];
    for (name, bytes) in rows {
        let Some((theirs, diagnostics)) = tcpdump(&["-w", "-"], bytes) else { return };
        let refused = diagnostics.contains("tcpdump: ");
        let (packets, error) = read(bytes);
        assert_eq!(error.is_some(), refused, "{name}: {error:?} against {diagnostics}");
        if !theirs.is_empty() {
            assert_eq!(packets, read(&theirs).0, "{name}");
        }
    }
}

/// A capture of one record.
fn record_in(version: (u16, u16), snaplen: u32, fields: [u32; 4], size: usize) -> Vec<u8> {
    [raw_header(MICRO, version, snaplen, 1), raw_record(fields, &vec![7; size])].concat()
}

#[test]
fn link_types_are_named_as_tcpdump_names_them() {
    for number in 0..300 {
        let Some(name) = LinkType(number).name() else { continue };
        let bytes = raw_header(NANO, (2, 4), 65_535, number);
        let Some((_, diagnostics)) = tcpdump(&[], &bytes) else { return };
        assert!(diagnostics.contains(&format!("link-type {name} (")), "{number}: {name} against {diagnostics}");
    }
}

#[test]
fn pcap_file_reads_the_same_records() {
    for byte_order in [ByteOrder::Little, ByteOrder::Big] {
        let header = Header { byte_order, ..Header::new(LinkType::EN10MB) };
        let bytes = written(header, &packets());
        let (mut rest, parser) = PcapParser::new(&bytes).unwrap();
        let PcapHeader { version_major, version_minor, snaplen, datalink, .. } = parser.header();
        assert_eq!((version_major, version_minor, snaplen, u32::from(datalink)), (2, 4, header.snaplen, 1));
        for packet in read(&bytes).0 {
            let (after, record) = parser.next_raw_packet(rest).unwrap();
            rest = after;
            let time_ns = u64::from(record.ts_sec) * 1_000_000_000 + u64::from(record.ts_frac);
            assert!(packet == Owned { time_ns, len: record.orig_len, data: record.data.into_owned() });
        }
        assert!(rest.is_empty());
    }
}

#[test]
fn tcpdump_prints_the_times_we_read() {
    let packets = [0, 1, 1_704_067_200_123_456_789].map(|time_ns| Owned::of_size(time_ns, 60));
    let options = ["-tt", "-nn", "-q", "--time-stamp-precision", "nano"];
    let Some((printed, _)) = tcpdump(&options, &written(Header::new(LinkType::EN10MB), &packets)) else { return };
    // A line of the packet begins with its time, a line of its dump with a tab.
    let printed = String::from_utf8_lossy(&printed);
    let times: Vec<&str> = printed
        .lines()
        .filter(|line| line.starts_with(|first: char| first.is_ascii_digit()))
        .filter_map(|line| line.split(' ').next())
        .collect();
    assert_eq!(times, ["0.000000000", "0.000000001", "1704067200.123456789"]);
}

/// The packets in a pcapng of ours, each with a comment.
fn ng_written(packets: &[Owned]) -> Vec<u8> {
    let interface = Interface::new(LinkType::EN10MB).named("eth0");
    let mut writer = NgWriter::new(Vec::new(), "test").unwrap();
    for packet in packets {
        writer.write_packet(&interface, packet.time_ns, packet.len, &packet.data, &["a comment"]).unwrap();
    }
    writer.finish().unwrap()
}

#[test]
fn tcpdump_reads_our_pcapng() {
    let ours = ng_written(&packets());
    let options = ["-w", "-", "--time-stamp-precision", "nano"];
    let Some((theirs, diagnostics)) = tcpdump(&options, &ours) else { return };
    let (got, error) = read(&theirs);
    assert!(error.is_none() && got == packets(), "tcpdump read other packets: {diagnostics}");
}

#[test]
fn tcpdump_reads_every_kind_of_packet_block_alike() {
    for order in [ByteOrder::Little, ByteOrder::Big] {
        for resolution in [0, 3, 6, 9, 0x80 | 10, 0x80 | 20] {
            let mut file = Blocks::section(order);
            file.interface(1, 65_535, &[(2, b"eth0"), (9, &[resolution])]);
            file.enhanced(0, 1_234_567, 60, &[1; 60], &[(1, b"remark")]);
            file.block(0xbad, &[0; 100]);
            file.obsolete(0, 7_654_321, 61, &[2; 61]);
            file.simple(62, &[3; 62]);
            let options = ["-w", "-", "--time-stamp-precision", "nano"];
            let Some((theirs, diagnostics)) = tcpdump(&options, &file.bytes) else { return };
            let (mut expected, error) = read(&file.bytes);
            assert!(error.is_none());
            // pcap has 32 bits of seconds.
            expected.iter_mut().for_each(|p| p.time_ns %= (1 << 32) * 1_000_000_000);
            assert_eq!(read(&theirs).0, expected, "{order:?}, resolution {resolution:#x}: {diagnostics}");
        }
    }
}

#[test]
fn tcpdump_refuses_pcapng_where_we_refuse() {
    let file = |more: &dyn Fn(&mut Blocks)| {
        let mut file = Blocks::section(ByteOrder::Little);
        file.interface(1, 65_535, &[]);
        more(&mut file);
        file.bytes
    };
    let changed = |at: usize, value: u8| {
        let mut bytes = file(&|f| f.enhanced(0, 1, 3, &[1; 3], &[]));
        bytes[at] = value;
        bytes
    };
    let rows: Vec<(&str, Vec<u8>)> = vec![
        ("no packets", file(&|_| {})),
        ("one packet", changed(0, 0x0a)),
        ("another magic", changed(8, 0)),
        ("version 2.0", changed(12, 2)),
        ("version 1.1", changed(14, 1)),
        ("version 1.2", changed(14, 2)),
        ("a length that is no multiple of four", changed(56, 37)),
        ("a length of 8", changed(56, 8)),
        ("another interface", changed(60, 1)),
        ("more captured than there is", changed(72, 99)),
        ("another length behind", changed(84, 40)),
        ("cut in a block", file(&|f| f.enhanced(0, 1, 3, &[1; 3], &[]))[..70].to_vec()),
        ("a packet before any interface", {
            let mut f = Blocks::section(ByteOrder::Little);
            f.enhanced(0, 1, 3, &[1; 3], &[]);
            f.bytes
        }),
        ("an option that does not fit", file(&|f| f.block(1, &[1, 0, 0, 0, 0, 0, 0, 0, 9, 0, 9, 0, 6, 0, 0, 0]))),
    ];
    for (name, bytes) in rows {
        let Some((theirs, diagnostics)) = tcpdump(&["-w", "-"], &bytes) else { return };
        let (packets, error) = read(&bytes);
        assert_eq!(error.is_some(), diagnostics.contains("tcpdump: "), "{name}: {error:?} against {diagnostics}");
        if error.is_none() {
            assert_eq!(packets, read(&theirs).0, "{name}");
        }
    }
}

#[test]
fn pcap_file_reads_the_same_blocks() {
    let ours = ng_written(&packets());
    let mut theirs = PcapNgReader::new(ours.as_slice()).unwrap();
    let mut got = Vec::new();
    while let Some(block) = theirs.next_block() {
        match block.unwrap() {
            Block::InterfaceDescription(interface) => {
                assert_eq!((u32::from(interface.linktype), interface.snaplen), (1, 0));
            }
            Block::EnhancedPacket(packet) => {
                assert_eq!((packet.interface_id, packet.options.len()), (0, 1));
                let time_ns = packet.timestamp.as_nanos() as u64;
                got.push(Owned { time_ns, len: packet.original_len, data: packet.data.into_owned() });
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(got == packets());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(128) })]

    #[test]
    fn what_pcap_file_writes_reads_the_same(
        big in any::<bool>(),
        packets in prop::collection::vec((any::<u32>(), prop::collection::vec(any::<u8>(), 0..90)), 0..20),
    ) {
        let packets: Vec<Owned> = packets
            .into_iter()
            .zip(1_704_067_200_000_000_000..)
            .map(|((len, data), time_ns)| Owned { time_ns, len, data })
            .collect();
        let endianness = if big { Endianness::Big } else { Endianness::Little };
        let mut writer = PcapNgWriter::with_endianness(Vec::new(), endianness).unwrap();
        let options = vec![InterfaceDescriptionOption::IfTsResol(9)];
        let interface = InterfaceDescriptionBlock { linktype: DataLink::ETHERNET, snaplen: 0, options };
        writer.write_pcapng_block(interface).unwrap();
        for packet in &packets {
            let block = EnhancedPacketBlock {
                interface_id: 0,
                timestamp: Duration::from_nanos(packet.time_ns),
                original_len: packet.len,
                data: packet.data.as_slice().into(),
                options: Vec::new(),
            };
            writer.write_pcapng_block(block).unwrap();
        }
        let (got, error) = read(&writer.into_inner());
        prop_assert!(error.is_none(), "{error:?}");
        prop_assert_eq!(got, packets);
    }
}
