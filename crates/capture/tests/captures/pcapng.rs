//! pcapng: sections, interfaces, clocks, kinds of packets, and what is passed over.

use oxbpf_capture::{ByteOrder, Interface, LinkType, MAX_CAPTURED, NgWriter, Reader};
use proptest::prelude::*;

use crate::blocks::Blocks;
use crate::{Owned, read};

const ORDERS: [ByteOrder; 2] = [ByteOrder::Little, ByteOrder::Big];
const TSRESOL: u16 = 9;
const TSOFFSET: u16 = 14;

#[test]
fn interfaces_have_link_types_clocks_and_names_of_their_own() {
    for order in ORDERS {
        let mut file = Blocks::section(order);
        let offset = |s: i64| if order == ByteOrder::Little { s.to_le_bytes() } else { s.to_be_bytes() };
        file.interface(1, 65_535, &[(2, b"eth0")]);
        file.interface(101, 0, &[(2, b"tun0\0"), (TSRESOL, &[9]), (1, b"a remark"), (TSOFFSET, &offset(-2))]);
        file.interface(276, 96, &[(TSRESOL, &[0x80 | 10])]);
        file.enhanced(0, 1_000_001, 60, &[1; 60], &[]);
        file.enhanced(1, 3_000_000_004, 40, &[2; 40], &[]);
        file.enhanced(2, 512 + 1024, 1_500, &[3; 33], &[]);
        let mut reader = Reader::new(file.bytes.as_slice(), "test").unwrap();
        assert!(reader.interfaces().is_empty() && reader.header().is_none());
        let mut seen = Vec::new();
        while let Some(p) = reader.next_packet().unwrap() {
            let name = p.interface.name.as_deref().unwrap_or("-").to_string();
            seen.push((p.time_ns, p.len, p.data.len(), p.link_type, p.interface.id, name, p.truncated()));
        }
        assert_eq!(
            seen,
            [
                (1_000_001_000, 60, 60, LinkType::EN10MB, 0, "eth0".into(), false),
                (1_000_000_004, 40, 40, LinkType::RAW, 1, "tun0".into(), false),
                (1_500_000_000, 1_500, 33, LinkType::LINUX_SLL2, 2, "-".into(), true),
            ]
        );
        assert_eq!(reader.interfaces().len(), 3);
    }
}

#[test]
fn sections_may_differ_in_byte_order_and_begin_their_interfaces_anew() {
    let mut file = Blocks::section(ByteOrder::Little);
    file.interface(1, 0, &[]);
    file.enhanced(0, 1, 1, &[1], &[]);
    file.begin_section(ByteOrder::Big);
    file.interface(101, 0, &[]);
    file.enhanced(0, 2, 2, &[2; 2], &[]);
    file.begin_section(ByteOrder::Big);
    file.begin_section(ByteOrder::Little);
    file.interface(228, 0, &[]);
    file.enhanced(0, 3, 3, &[3; 3], &[]);
    let mut reader = Reader::new(file.bytes.as_slice(), "test").unwrap();
    let mut seen = Vec::new();
    while let Some(p) = reader.next_packet().unwrap() {
        seen.push((p.number, p.time_ns, p.data.len(), p.link_type, p.interface.section));
    }
    let expected =
        [(1, 1_000, 1, LinkType::EN10MB, 0), (2, 2_000, 2, LinkType::RAW, 1), (3, 3_000, 3, LinkType::IPV4, 3)];
    assert_eq!(seen, expected);
}

#[test]
fn an_interface_of_the_section_before_is_none() {
    let mut file = Blocks::section(ByteOrder::Little);
    file.interface(1, 0, &[]);
    file.begin_section(ByteOrder::Little);
    file.enhanced(0, 1, 1, &[1], &[]);
    assert_eq!(read(&file.bytes).1.unwrap().code(), "capture-interface");
}

#[test]
fn all_kinds_of_packet_blocks_are_packets_and_all_others_are_passed_over() {
    for order in ORDERS {
        let mut file = Blocks::section(order);
        // Name resolution, statistics, secrets, custom blocks, and a block nobody defined.
        let others = |file: &mut Blocks| {
            for (kind, size) in [(4, 40), (5, 24), (10, 0), (0xbad, 300_000), (0x4000_0bad, 4), (0x7fff_fff0, 1)] {
                file.block(kind, &vec![0xee; size]);
            }
        };
        others(&mut file);
        file.interface(1, 20, &[]);
        others(&mut file);
        file.enhanced(0, 5, 10, &[1; 10], &[]);
        file.obsolete(0, 6, 11, &[2; 11]);
        others(&mut file);
        // Simple packets end where the interface's snaplen does.
        file.simple(12, &[3; 12]);
        file.simple(1_000, &[4; 20]);
        others(&mut file);
        let (packets, error) = read(&file.bytes);
        assert!(error.is_none(), "{error:?}");
        let expected = [(5_000, 10, 10), (6_000, 11, 11), (0, 12, 12), (0, 1_000, 20)];
        let seen: Vec<_> = packets.iter().map(|p| (p.time_ns, p.len, p.data.len())).collect();
        assert_eq!(seen, expected);
        assert_eq!(packets[3].data, [4; 20]);
    }
}

#[test]
fn a_simple_packet_without_snaplen_is_whole() {
    let mut file = Blocks::section(ByteOrder::Little);
    file.interface(1, 0, &[]);
    file.simple(MAX_CAPTURED as u32, &vec![7; MAX_CAPTURED]);
    assert_eq!(read(&file.bytes).0[0].data.len(), MAX_CAPTURED);
}

#[test]
fn sizes_from_nothing_to_the_most_are_read() {
    for order in ORDERS {
        let mut file = Blocks::section(order);
        file.interface(1, 0, &[]);
        for size in [0, 1, 2, 3, 4, MAX_CAPTURED - 1, MAX_CAPTURED] {
            file.enhanced(0, 1, size as u32, &vec![7; size], &[(1, b"remark")]);
        }
        let (packets, error) = read(&file.bytes);
        assert!(error.is_none());
        let sizes: Vec<_> = packets.iter().map(|p| p.data.len()).collect();
        assert_eq!(sizes, [0, 1, 2, 3, 4, MAX_CAPTURED - 1, MAX_CAPTURED]);
    }
}

#[test]
fn comments_are_those_of_the_packet() {
    let mut file = Blocks::section(ByteOrder::Big);
    file.interface(1, 0, &[(1, b"of the interface")]);
    let other = (0x1234, &b"other"[..]);
    file.enhanced(0, 1, 1, &[1], &[(1, b"first"), other, (1, b"s\xffcond"), (1, b"")]);
    file.enhanced(0, 1, 1, &[1], &[]);
    // An option that does not fit ends the options; the packet is what it is.
    let mut body = [0, 0, 1, 1, 1].map(|f| file.u32(f)).concat();
    body.extend([9, 0, 0, 0]);
    body.extend(file.options(&[(1, b"kept")]));
    let end = body.len() - 4;
    body[end..].copy_from_slice(&[0, 1, 0, 99]);
    file.block(6, &body);
    let mut reader = Reader::new(file.bytes.as_slice(), "test").unwrap();
    let mut comments = || -> Vec<String> {
        let packet = reader.next_packet().unwrap().unwrap();
        packet.comments().map(|c| c.into_owned()).collect()
    };
    assert_eq!(comments(), ["first", "s\u{fffd}cond", ""]);
    assert!(comments().is_empty());
    assert_eq!(comments(), ["kept"]);
}

#[test]
fn a_cut_at_every_byte_says_where_and_goes_on_when_the_rest_comes() {
    let mut file = Blocks::section(ByteOrder::Little);
    let mut ends = vec![file.bytes.len()];
    file.interface(1, 0, &[]);
    ends.push(file.bytes.len());
    file.enhanced(0, 1, 1, &[1], &[(1, b"remark")]);
    ends.push(file.bytes.len());
    file.block(0xbad, &[0; 20]);
    ends.push(file.bytes.len());
    file.simple(3, &[1; 3]);
    ends.push(file.bytes.len());
    for cut in 1..file.bytes.len() {
        let (packets, error) = read(&file.bytes[..cut]);
        let start = ends.iter().copied().filter(|end| *end <= cut).max().unwrap_or(0);
        assert_eq!(packets.len(), ends[2..].iter().filter(|&&end| end <= cut).count().min(1), "cut at {cut}");
        match error {
            None => assert!(ends.contains(&cut), "cut at {cut}"),
            Some(error) => {
                assert_eq!((error.code(), error.offset), ("capture-truncated", start as u64), "cut at {cut}: {error}");
            }
        }
        // A file that grows.
        if cut >= ends[0] {
            let (first, rest) = file.bytes.split_at(cut);
            let growing = Growing { first, rest, said_end: false };
            let mut reader = Reader::new(growing, "test").unwrap();
            let mut count = 0;
            for _ in 0..6 {
                count += u32::from(matches!(reader.next_packet(), Ok(Some(_))));
            }
            assert_eq!(count, 2, "cut at {cut}");
        }
    }
}

/// A file that ends, and then has grown.
struct Growing<'a> {
    first: &'a [u8],
    rest: &'a [u8],
    said_end: bool,
}

impl std::io::Read for Growing<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.first.is_empty() && !self.said_end {
            self.said_end = true;
            return Ok(0);
        }
        let from = if self.said_end { &mut self.rest } else { &mut self.first };
        from.read(buffer)
    }
}

#[test]
fn what_is_written_has_each_interface_once() {
    let eth0 = Interface::new(LinkType::EN10MB).named("eth0");
    let mut eth1 = Interface::new(LinkType::EN10MB).named("eth1");
    eth1.snaplen = 96;
    let mut writer = NgWriter::new(Vec::new(), "test").unwrap();
    for interface in [&eth0, &eth1, &eth0, &eth1] {
        writer.write_packet(interface, u64::MAX, 3, &[1, 2, 3], &["a", "b"]).unwrap();
    }
    let bytes = writer.finish().unwrap();
    let mut reader = Reader::new(bytes.as_slice(), "test").unwrap();
    let mut seen = Vec::new();
    while let Some(p) = reader.next_packet().unwrap() {
        assert_eq!((p.time_ns, p.comments().count()), (u64::MAX, 2));
        seen.push((p.interface.id, p.interface.name.clone().unwrap(), p.interface.snaplen));
    }
    assert_eq!(seen, [(0, "eth0".into(), 0), (1, "eth1".into(), 96), (0, "eth0".into(), 0), (1, "eth1".into(), 96)]);
    assert_eq!(reader.interfaces().len(), 2);
}

#[test]
fn long_comments_and_names_are_cut_off_at_a_character() {
    let long = "ä".repeat(40_000);
    let mut writer = NgWriter::new(Vec::new(), "test").unwrap();
    let interface = Interface::new(LinkType::RAW).named(&long);
    writer.write_packet(&interface, 0, 1, &[1], &[&long]).unwrap();
    let bytes = writer.finish().unwrap();
    let mut reader = Reader::new(bytes.as_slice(), "test").unwrap();
    let packet = reader.next_packet().unwrap().unwrap();
    assert_eq!(packet.interface.name.as_deref(), Some(&*"ä".repeat(127)));
    assert_eq!(packet.comments().next().unwrap(), "ä".repeat(32_767));
}

#[test]
fn the_writer_refuses_what_it_cannot_write() {
    let mut writer = NgWriter::new(Vec::new(), "test").unwrap();
    let interface = Interface::new(LinkType::RAW);
    let error = writer.write_packet(&interface, 0, 0, &vec![0; MAX_CAPTURED + 1], &[]).unwrap_err();
    assert_eq!((error.code(), error.packet), ("capture-record-size", 1));
    let error = writer.write_packet(&Interface::new(LinkType(65_536)), 0, 0, &[], &[]).unwrap_err();
    assert_eq!(error.to_string(), "test: byte 48: link type 65536 is more than the 65535 that pcapng can have");
    writer.write_packet(&Interface::new(LinkType(65_535)), 0, 0, &[], &[]).unwrap();
    assert_eq!(read(&writer.finish().unwrap()).0.len(), 1, "refused packets left nothing behind");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

    #[test]
    fn packets_round_trip(
        packets in prop::collection::vec((0..4_u32, any::<u64>(), any::<u32>(), prop::collection::vec(any::<u8>(), 0..90)), 0..20),
        comment in "\\PC{0,40}",
    ) {
        let links = [1, 101, 113, 276].map(|n| Interface::new(LinkType(n)));
        let mut writer = NgWriter::new(Vec::new(), "test").unwrap();
        for (link, time_ns, len, data) in &packets {
            writer.write_packet(&links[*link as usize], *time_ns, *len, data, &[&comment]).unwrap();
        }
        let bytes = writer.finish().unwrap();
        let mut reader = Reader::new(bytes.as_slice(), "test").unwrap();
        for (link, time_ns, len, data) in packets {
            let packet = reader.next_packet().unwrap().unwrap();
            prop_assert_eq!(packet.comments().collect::<String>(), comment.clone());
            prop_assert_eq!(packet.link_type, links[link as usize].link_type);
            prop_assert_eq!(Owned::from(packet), Owned { time_ns, len, data });
        }
        prop_assert!(reader.next_packet().unwrap().is_none());
    }

    #[test]
    fn damage_ends_well(
        at in any::<prop::sample::Index>(), value in any::<u8>(), big in any::<bool>(),
        sizes in prop::collection::vec(0..50_usize, 1..8),
    ) {
        let mut file = Blocks::section(if big { ByteOrder::Big } else { ByteOrder::Little });
        file.interface(1, 0, &[(TSRESOL, &[9])]);
        for size in &sizes {
            file.enhanced(0, 1, *size as u32, &vec![1; *size], &[(1, b"remark")]);
            file.block(5, &vec![2; *size]);
        }
        let at = at.index(file.bytes.len());
        file.bytes[at] = value;
        let (packets, error) = read(&file.bytes);
        prop_assert!(packets.len() <= sizes.len());
        if let Some(error) = error {
            prop_assert!(error.offset <= at as u64 || error.code() != "capture-block-trailer");
        }
    }
}
