//! Every combination of byte order, resolution, version and size, there and back.

use oxbpf_capture::{ByteOrder, Header, LinkType, MAX_CAPTURED, Reader, Resolution, Writer};
use proptest::prelude::*;

use crate::{MICRO, NANO, Owned, raw_header, raw_record, read, written};

/// Both byte orders with both resolutions, and the file's first bytes in each.
const FORMATS: [(ByteOrder, Resolution, [u8; 8]); 4] = [
    (ByteOrder::Little, Resolution::Micro, [0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0]),
    (ByteOrder::Little, Resolution::Nano, [0x4d, 0x3c, 0xb2, 0xa1, 2, 0, 4, 0]),
    (ByteOrder::Big, Resolution::Micro, [0xa1, 0xb2, 0xc3, 0xd4, 0, 2, 0, 4]),
    (ByteOrder::Big, Resolution::Nano, [0xa1, 0xb2, 0x3c, 0x4d, 0, 2, 0, 4]),
];

#[test]
fn byte_order_and_resolution_round_trip() {
    for (byte_order, resolution, first) in FORMATS {
        let header = Header { byte_order, resolution, ..Header::new(LinkType::RAW) };
        let packets =
            [Owned::of_size(1_704_067_200_123_456_789, 60), Owned::of_size(u64::from(u32::MAX) * 1_000_000_000, 1)];
        let bytes = written(header, &packets);
        assert_eq!(bytes[..8], first);
        assert_eq!(*Reader::new(bytes.as_slice(), "test").unwrap().header().unwrap(), header);
        let expected = packets.map(|packet| round_time(packet, resolution));
        assert_eq!(read(&bytes).0, expected);
    }
}

#[test]
fn sizes_from_nothing_to_the_most_round_trip() {
    let packets: Vec<Owned> = [0, 1, 14, 0, 65_535, MAX_CAPTURED - 1, MAX_CAPTURED, 0, MAX_CAPTURED]
        .map(|size| Owned::of_size(7, size))
        .into();
    let (back, error) = read(&written(Header::new(LinkType::EN10MB), &packets));
    assert!(error.is_none() && back == packets);
}

#[test]
fn one_byte_too_many_is_refused_by_reader_and_writer() {
    let data = vec![0; MAX_CAPTURED + 1];
    let mut writer = Writer::new(Vec::new(), "test", Header::new(LinkType::EN10MB)).unwrap();
    assert_eq!(writer.write_packet(0, 0, &data).unwrap_err().code(), "capture-record-size");

    let size = data.len() as u32;
    let bytes = [raw_header(MICRO, (2, 4), u32::MAX, 1), raw_record([0, 0, size, size], &data)].concat();
    let (packets, error) = read(&bytes);
    assert_eq!((packets.len(), error.unwrap().code()), (0, "capture-record-size"));
}

#[test]
fn the_last_second_is_written_and_the_next_refused() {
    let end_ns = (u64::from(u32::MAX) + 1) * 1_000_000_000;
    let mut writer = Writer::new(Vec::new(), "test", Header::new(LinkType::EN10MB)).unwrap();
    writer.write_packet(end_ns - 1, 0, &[]).unwrap();
    let error = writer.write_packet(end_ns, 0, &[]).unwrap_err();
    assert_eq!((error.code(), error.packet), ("capture-time", 2));
    assert_eq!(read(&writer.finish().unwrap()).0.len(), 1, "the refused packet left nothing behind");
}

#[test]
fn the_writer_cuts_to_snaplen_and_the_reader_ignores_it() {
    let header = Header { snaplen: 20, ..Header::new(LinkType::EN10MB) };
    let cut = &read(&written(header, &[Owned::of_size(0, 60)])).0[0];
    assert_eq!((cut.len, cut.data.len()), (60, 20));

    for snaplen in [0, 1, 20, u32::MAX] {
        let bytes = [raw_header(MICRO, (2, 4), snaplen, 1), raw_record([0, 0, 60, 60], &[7; 60])].concat();
        let (packets, error) = read(&bytes);
        assert!(error.is_none() && packets[0].data.len() == 60, "snaplen {snaplen}");
    }
}

#[test]
fn lengths_are_handed_on_as_they_stand() {
    for len in [0, 10, 21, u32::MAX] {
        let bytes = [raw_header(MICRO, (2, 4), 65_535, 1), raw_record([1, 2, 20, len], &[7; 20])].concat();
        assert_eq!(read(&bytes).0, [Owned { time_ns: 1_000_002_000, len, data: vec![7; 20] }]);
    }
}

#[test]
fn old_versions_have_their_lengths_swapped() {
    let expected = [Owned { time_ns: 0, len: 60, data: vec![7; 20] }];
    let rows = [
        ((2, 4), [20, 60]),
        ((2, 3), [20, 60]),
        ((2, 3), [60, 20]),
        ((2, 2), [60, 20]),
        ((2, 0), [60, 20]),
        ((543, 0), [60, 20]),
    ];
    for (version, [first, second]) in rows {
        let bytes = [raw_header(MICRO, version, 65_535, 1), raw_record([0, 0, first, second], &[7; 20])].concat();
        assert_eq!(read(&bytes).0, expected, "version {version:?}");
    }
}

#[test]
fn fractions_beyond_a_second_carry() {
    for (magic, unit_ns) in [(MICRO, 1_000), (NANO, 1)] {
        let bytes = [raw_header(magic, (2, 4), 65_535, 1), raw_record([u32::MAX, u32::MAX, 0, 0], &[])].concat();
        let time_ns = u64::from(u32::MAX) * 1_000_000_000 + u64::from(u32::MAX) * unit_ns;
        assert_eq!(read(&bytes).0, [Owned { time_ns, len: 0, data: Vec::new() }]);
    }
}

#[test]
fn link_types_lose_their_check_sequence_bits_only() {
    let rows = [
        (1, LinkType::EN10MB),
        (0x3400_0001, LinkType::EN10MB),
        (0xfc00_0114, LinkType::LINUX_SLL2),
        (12, LinkType::RAW),
        (101, LinkType::RAW),
        (9_999, LinkType(9_999)),
        (0x0001_0001, LinkType(0x0001_0001)),
        (u32::MAX, LinkType(0x03ff_ffff)),
    ];
    for (field, link_type) in rows {
        let bytes = raw_header(MICRO, (2, 4), 65_535, field);
        assert_eq!(
            Reader::new(bytes.as_slice(), "test").unwrap().interfaces()[0].link_type,
            link_type,
            "field {field:#x}"
        );
    }
}

#[test]
fn every_named_link_type_is_found_by_its_name() {
    let named: Vec<LinkType> = (0..70_000).map(LinkType).filter(|link| link.name().is_some()).collect();
    assert!(named.len() >= 40 && named.contains(&LinkType::EN10MB));
    for link in named {
        assert_eq!(LinkType::from_name(&link.to_string().to_lowercase()), Some(link));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    #[test]
    fn any_packets_round_trip(
        format in 0..FORMATS.len(),
        link in 0..0x0400_0000_u32,
        packets in prop::collection::vec(any_packet(), 0..20),
    ) {
        let (byte_order, resolution, _) = FORMATS[format];
        let header = Header { byte_order, resolution, ..Header::new(LinkType(link)) };
        let bytes = written(header, &packets);
        let (back, error) = read(&bytes);
        prop_assert!(error.is_none());
        // The writer's own rounding is the only loss, so that the second time there is none.
        prop_assert_eq!(&written(header, &back), &bytes);
        let expected: Vec<Owned> = packets.into_iter().map(|packet| round_time(packet, resolution)).collect();
        prop_assert_eq!(back, expected);
    }
}

fn any_packet() -> impl Strategy<Value = Owned> {
    let time_ns = 0..(u64::from(u32::MAX) + 1) * 1_000_000_000;
    let data = prop_oneof![
        9 => prop::collection::vec(any::<u8>(), 0..200),
        1 => (0..=MAX_CAPTURED).prop_map(|size| Owned::of_size(0, size).data),
    ];
    (time_ns, any::<u32>(), data).prop_map(|(time_ns, len, data)| Owned { time_ns, len, data })
}

fn round_time(packet: Owned, resolution: Resolution) -> Owned {
    let unit_ns = u64::from(resolution.unit_ns());
    Owned { time_ns: packet.time_ns / unit_ns * unit_ns, ..packet }
}
