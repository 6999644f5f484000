//! Each thing that can be wrong, word for word.

use std::io::{self, Read, Write};

use oxbpf_capture::{
    ByteOrder, CaptureError, CaptureErrorKind, Format, Header, Interface, LinkType, NgWriter, Reader, Recorder, Writer,
};

use crate::blocks::Blocks;
use crate::codes::{Row, check, shown};
use crate::{MICRO, raw_header, raw_record, read};

/// A file with an interface, and what else is put into it.
fn file(more: impl FnOnce(&mut Blocks)) -> Vec<u8> {
    let mut file = Blocks::section(ByteOrder::Little);
    file.block(1, &[1, 0, 0, 0, 0, 0, 0, 0]);
    more(&mut file);
    file.bytes
}

fn with(bytes: Vec<u8>, at: usize, value: &[u8]) -> Vec<u8> {
    let mut bytes = bytes;
    bytes[at..at + value.len()].copy_from_slice(value);
    bytes
}

/// A code, the words, and a capture.
type Wrong = (&'static str, &'static str, Vec<u8>);

fn wrong() -> Vec<Wrong> {
    let section = || Blocks::section(ByteOrder::Little).bytes;
    let first = |body: &[u8]| file(|f| f.enhanced(0, 0, 3, body, &[]));
    let huge =
        |kind: u32| file(|f| f.bytes.extend([kind.to_le_bytes(), 0x0100_0004_u32.to_le_bytes(), [0; 4]].concat()));
    vec![
        ("capture-empty", "test: is empty, not even a capture's header is there", Vec::new()),
        ("capture-magic", "test: is no capture: it begins with 7f 45 4c 46 (an ELF object)", b"\x7fELF....".to_vec()),
        (
            "capture-magic",
            "test: is no capture: it begins with 34 cd b2 a1 (pcap with the records of a patched libpcap)",
            b"\x34\xcd\xb2\xa1".to_vec(),
        ),
        ("capture-version", "test: is pcap of version 3.1; 2.0 to 2.4 are read", raw_header(MICRO, (3, 1), 0, 1)),
        (
            "capture-truncated",
            "test: packet 1, byte 24: cut short: the record needs 20 bytes, 17 are there",
            [raw_header(MICRO, (2, 4), 0, 1), raw_record([0, 0, 4, 4], &[1])].concat(),
        ),
        (
            "capture-record-size",
            "test: packet 1, byte 24: 262145 captured bytes are more than the 262144 a packet can have",
            [raw_header(MICRO, (2, 4), 0, 1), raw_record([0, 0, 262_145, 4], &[1])].concat(),
        ),
        (
            "capture-truncated",
            "test: cut short: the first section's header needs 28 bytes, 20 are there",
            section()[..20].to_vec(),
        ),
        (
            "capture-truncated",
            "test: cut short: the first section's header needs 12 bytes, 5 are there",
            section()[..5].to_vec(),
        ),
        (
            "capture-section-magic",
            "test: a section begins with 01 02 03 04, which is no byte-order magic",
            with(section(), 8, &[1, 2, 3, 4]),
        ),
        (
            "capture-section-version",
            "test: a section is pcapng of version 1.1; 1.0 and 1.2 are read",
            with(section(), 14, &[1]),
        ),
        (
            "capture-block-length",
            "test: byte 48: a block of 33 bytes: that is no multiple of 4",
            with(first(&[1]), 52, &[33]),
        ),
        (
            "capture-block-length",
            "test: byte 48: a block of 8 bytes: a block has at least 12",
            with(first(&[1]), 52, &[8]),
        ),
        (
            "capture-block-size",
            "test: packet 1, byte 48: an enhanced packet block of 16777220 bytes is more than the 16777216 that are read",
            huge(6),
        ),
        (
            "capture-block-size",
            "test: byte 48: an interface description block of 16777220 bytes is more than the 16777216 that are read",
            huge(1),
        ),
        ("capture-truncated", "test: byte 48: cut short: the block needs 16777220 bytes, 12 are there", huge(0x0bad)),
        (
            "capture-block-trailer",
            "test: packet 1, byte 48: a block of 36 bytes says 40 behind",
            with(first(&[1]), 80, &[40]),
        ),
        (
            "capture-block-trailer",
            "test: byte 48: a block of 16 bytes says 12 behind",
            with(file(|f| f.block(0xbad, &[0; 4])), 60, &[12]),
        ),
        (
            "capture-block-body",
            "test: packet 1, byte 48: the enhanced packet block has 16 bytes in it, 20 are needed",
            file(|f| f.block(6, &[0; 16])),
        ),
        (
            "capture-block-body",
            "test: packet 1, byte 48: the enhanced packet block has 24 bytes in it, 25 are needed",
            with(first(&[1]), 68, &[5]),
        ),
        (
            "capture-block-body",
            "test: packet 1, byte 48: the packet block has 0 bytes in it, 20 are needed",
            file(|f| f.block(2, &[])),
        ),
        (
            "capture-block-body",
            "test: packet 1, byte 48: the simple packet block has 8 bytes in it, 9 are needed",
            file(|f| f.simple(5, &[0; 4])),
        ),
        ("capture-block-body", "test: byte 28: the interface description block has 4 bytes in it, 8 are needed", {
            let mut f = Blocks::section(ByteOrder::Little);
            f.block(1, &[0; 4]);
            f.bytes
        }),
        (
            "capture-record-size",
            "test: packet 1, byte 48: 262145 captured bytes are more than the 262144 a packet can have",
            file(|f| f.enhanced(0, 0, 9, &vec![0; 262_145], &[])),
        ),
        (
            "capture-option",
            "test: byte 48: option 2 of 9 bytes does not fit into the 4 that are left of its block",
            file(|f| f.block(1, &[1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 9, 0, b'e', b't', b'h', b'0'])),
        ),
        (
            "capture-option-length",
            "test: byte 48: option 9 has 2 bytes, which it cannot have",
            file(|f| f.interface(1, 0, &[(9, &[6, 0])])),
        ),
        (
            "capture-option-length",
            "test: byte 48: option 14 has 4 bytes, which it cannot have",
            file(|f| f.interface(1, 0, &[(14, &[6, 0, 0, 0])])),
        ),
        (
            "capture-interface",
            "test: packet 1, byte 48: the packet is of interface 1; 1 are described before it",
            with(first(&[1]), 56, &[1]),
        ),
        (
            "capture-clock",
            "test: packet 1, byte 48: time 18446744073709551615 in its interface's units lies before 1970 or after 2554",
            with(first(&[1]), 60, &[0xff; 8]),
        ),
        ("capture-interfaces", "test: byte 2097180: more than 65536 interfaces", {
            let mut f = Blocks::section(ByteOrder::Little);
            (0..65_537).for_each(|_| f.interface(1, 0, &[(9, &[6])]));
            f.bytes
        }),
    ]
}

/// A file that no longer gives or takes anything.
struct Broken;

impl Read for Broken {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::Error::other("the disk is gone"))
    }
}

impl Write for Broken {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::Error::other("the disk is full"))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What is wrong with files, with what is written, and with compressed data.
fn other() -> Vec<Row> {
    let header = Header::new(LinkType::EN10MB);
    let packet = [raw_header(MICRO, (2, 4), 0, 1), raw_record([0, 0, 4, 4], &[1; 4])].concat();
    let mut reader = Reader::new(packet.chain(Broken), "test").unwrap();
    assert!(reader.next_packet().unwrap().is_some());
    let mut late = Writer::new(Vec::new(), "test", header).unwrap();
    let strange = Interface::new(LinkType(65_536));
    let odd = NgWriter::new(Vec::new(), "test").and_then(|mut w| w.write_packet(&strange, 0, 1, &[1], &[]));
    let kind = CaptureErrorKind::Compressed { format: "zstd", what: "it ends too early".into() };
    let damaged = CaptureError { file: "test".into(), offset: 7, packet: 1, kind };
    vec![
        (
            "capture-open",
            "no/such.pcap: cannot be opened: No such file or directory (os error 2)",
            shown!(Reader::open("no/such.pcap").unwrap_err()),
        ),
        ("capture-directory", "..: is a directory, not a capture", shown!(Writer::create("..", header).unwrap_err())),
        ("capture-directory", "..: is a directory, not a capture", shown!(Reader::open("..").unwrap_err())),
        (
            "capture-read",
            "test: packet 2, byte 44: cannot be read: the disk is gone",
            shown!(reader.next_packet().unwrap_err()),
        ),
        (
            "capture-write",
            "test: cannot be written: the disk is full",
            shown!(Writer::new(Broken, "test", header).and_then(Writer::finish).err().unwrap()),
        ),
        (
            "capture-time",
            "test: packet 1, byte 24: time 4294967296000000000 ns lies after February 2106, where pcap's 32-bit seconds end",
            shown!(late.write_packet(4_294_967_296_000_000_000, 0, &[]).unwrap_err()),
        ),
        (
            "capture-link-range",
            "test: byte 48: link type 65536 is more than the 65535 that pcapng can have",
            shown!(odd.unwrap_err()),
        ),
        ("capture-compressed", "test: packet 1, byte 7: zstd data is damaged: it ends too early", shown!(damaged)),
    ]
}

#[test]
fn every_kind_is_said_with_its_place() {
    let found = |(code, words, bytes): Wrong| {
        (code, words, shown!(read(&bytes).1.unwrap_or_else(|| panic!("no error: {words}"))))
    };
    let rows: Vec<Row> = wrong().into_iter().map(found).chain(other()).collect();
    // These two need files of their own, below.
    let files = ["capture-shrunk", "capture-link-mixed"].map(|code| (code, "", (code, String::new())));
    check(include_str!("../../src/error.rs"), &[&rows[..], &files].concat());
}

#[test]
fn a_pcap_has_one_link_type() {
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("captures-errors.pcap");
    let mut recorder = Recorder::create(&path, Format::Pcap).unwrap();
    recorder.write(&Interface::new(LinkType::EN10MB), 0, 1, &[1], &[]).unwrap();
    let error = recorder.write(&Interface::new(LinkType::RAW), 0, 1, &[1], &[]).unwrap_err();
    let expected = "packet 2, byte 41: a pcap has one link type: RAW cannot follow EN10MB; pcapng takes both";
    assert_eq!((error.code(), error.to_string()), ("capture-link-mixed", format!("{}: {expected}", path.display())));
}

#[test]
fn a_file_that_became_shorter_is_noticed() {
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("captures-shrunk.pcap");
    let bytes = [raw_header(MICRO, (2, 4), 0, 1), raw_record([0, 0, 4, 4], &[1; 4])].concat();
    std::fs::write(&path, &bytes).unwrap();
    let mut reader = Reader::open(&path).unwrap();
    assert!(reader.next_packet().unwrap().is_some());
    reader.check_length().unwrap();
    std::fs::write(&path, &bytes[..24]).unwrap();
    let error = reader.check_length().unwrap_err();
    let expected = format!("{}: byte 44: is shorter than before: 44 bytes were read, 24 are there now", path.display());
    assert_eq!((error.code(), error.to_string()), ("capture-shrunk", expected));
}
