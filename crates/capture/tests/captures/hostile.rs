//! Captures that are cut, wrong, or made to hurt.

use std::io::{self, Read};

use oxbpf_capture::{CaptureErrorKind, Header, LinkType, Reader};
use proptest::prelude::*;

use crate::{MICRO, Owned, raw_header, raw_record, read, written};

const HEADER: usize = 24;
const RECORD: usize = 16;

#[test]
fn a_cut_at_every_byte_of_three_records_names_the_place() {
    let packets = [Owned::of_size(1, 60), Owned::of_size(2, 0), Owned::of_size(3, 33)];
    let whole = written(Header::new(LinkType::EN10MB), &packets);
    let starts = [HEADER, HEADER + RECORD + 60, HEADER + 2 * RECORD + 60, whole.len()];
    for end in HEADER..=whole.len() {
        let complete = starts.iter().rposition(|&start| start <= end).unwrap();
        let (got, error) = read(&whole[..end]);
        assert_eq!(got, packets[..complete], "cut at {end}");
        let there = end - starts[complete];
        if there == 0 {
            assert!(error.is_none(), "cut at {end}, between two records");
            continue;
        }
        let error = error.expect("a cut within a record");
        assert_eq!((error.code(), error.packet), ("capture-truncated", complete as u64 + 1));
        assert_eq!(error.offset, starts[complete] as u64);
        let CaptureErrorKind::Truncated { wanted, got, .. } = error.kind else { panic!("{error}") };
        let size = if there < RECORD { RECORD } else { RECORD + packets[complete].data.len() };
        assert_eq!((wanted, got), (size as u64, there as u64));
    }
}

#[test]
fn a_cut_within_the_header_says_so() {
    let whole = written(Header::new(LinkType::EN10MB), &[]);
    assert_eq!(read(&[]).1.unwrap().to_string(), "test: is empty, not even a capture's header is there");
    for end in 1..HEADER {
        let error = read(&whole[..end]).1.unwrap();
        assert_eq!(error.to_string(), format!("test: cut short: the file's header needs 24 bytes, {end} are there"));
    }
}

#[test]
fn other_formats_are_refused_by_name() {
    let rows: [(&[u8], &str, &str); 5] = [
        (&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0], "capture-magic", "1f 8b 08 00 (compressed by gzip)"),
        (b"\x34\xcd\xb2\xa1", "capture-magic", "(pcap with the records of a patched libpcap)"),
        (b"snoop\0\0\0", "capture-magic", "(a Solaris snoop capture)"),
        (b"\x7fELF\x02\x01", "capture-magic", "(an ELF object)"),
        (&[0; 4096], "capture-magic", "it begins with 00 00 00 00"),
    ];
    for (bytes, code, words) in rows {
        let error = read(bytes).1.unwrap();
        assert_eq!(error.code(), code);
        assert!(error.to_string().contains(words), "{error}");
    }
}

#[test]
fn unknown_versions_are_refused() {
    for version in [(2, 5), (1, 4), (0, 0), (3, 0), (543, 1), (0x0200, 0x0400)] {
        let error = read(&raw_header(MICRO, version, 65_535, 1)).1.unwrap();
        assert_eq!(error.code(), "capture-version", "version {version:?}");
    }
}

#[test]
fn a_claim_of_four_gigabytes_is_an_error_with_its_place() {
    for caplen in [262_145, 0x7fff_ffff, 0x8000_0000, u32::MAX] {
        let good = raw_record([0, 0, 4, 4], b"good");
        let bytes =
            [raw_header(MICRO, (2, 4), u32::MAX, 1), good, raw_record([0, 0, caplen, caplen], &[0; 64])].concat();
        let (packets, error) = read(&bytes);
        let error = error.unwrap();
        assert_eq!((packets.len(), error.code(), error.packet, error.offset), (1, "capture-record-size", 2, 44));
        let expected =
            format!("test: packet 2, byte 44: {caplen} captured bytes are more than the 262144 a packet can have");
        assert_eq!(error.to_string(), expected);
    }
}

#[test]
fn an_error_repeats_and_a_file_that_grows_goes_on() {
    let whole = written(Header::new(LinkType::EN10MB), &[Owned::of_size(1, 60), Owned::of_size(2, 60)]);
    let growth = std::cell::Cell::new(HEADER + RECORD + 60 + 5);
    let mut reader = Reader::new(Growing { bytes: &whole, end: &growth, at: 0 }, "test").unwrap();
    assert_eq!(reader.next_packet().unwrap().unwrap().number, 1);
    for _ in 0..3 {
        assert_eq!(reader.next_packet().unwrap_err().code(), "capture-truncated");
    }
    growth.set(whole.len());
    assert_eq!(reader.next_packet().unwrap().unwrap().number, 2);
    assert!(reader.next_packet().unwrap().is_none());
}

#[test]
fn a_stream_of_single_bytes_and_interruptions_reads_the_same() {
    let packets = [Owned::of_size(1, 300), Owned::of_size(2, 0), Owned::of_size(3, 1_514)];
    let whole = written(Header::new(LinkType::EN10MB), &packets);
    let mut reader = Reader::new(Dripping { bytes: &whole, interrupted: false }, "test").unwrap();
    for expected in &packets {
        assert_eq!(Owned::from(reader.next_packet().unwrap().unwrap()), *expected);
    }
    assert!(reader.next_packet().unwrap().is_none());
}

#[test]
fn a_failing_read_is_an_error_with_its_place() {
    let whole = written(Header::new(LinkType::EN10MB), &[Owned::of_size(1, 60)]);
    let mut reader = Reader::new(whole.as_slice().chain(Failing), "test").unwrap();
    assert!(reader.next_packet().unwrap().is_some());
    let error = reader.next_packet().unwrap_err();
    assert_eq!((error.code(), error.packet, error.offset), ("capture-read", 2, 100));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

    #[test]
    fn any_bytes_after_a_magic_end_well(
        magic in prop::sample::select(vec![MICRO, MICRO.swap_bytes(), crate::NANO, crate::NANO.swap_bytes()]),
        version in prop::sample::select(vec![(2, 4), (0x0200, 0x0400), (2, 3), (2, 0)]),
        rest in prop::collection::vec(prop_oneof![Just(0_u8), any::<u8>()], 0..400),
    ) {
        let bytes = [raw_header(magic, version, 65_535, 1), rest].concat();
        let (packets, error) = read(&bytes);
        let delivered: usize = packets.iter().map(|packet| RECORD + packet.data.len()).sum();
        prop_assert!(HEADER + delivered <= bytes.len());
        // A version in the other byte order is none that is known: then nothing is delivered, whatever follows.
        match error {
            Some(error) if error.code() == "capture-version" => prop_assert_eq!(delivered, 0),
            error => prop_assert_eq!(error.is_none(), HEADER + delivered == bytes.len()),
        }
    }
}

/// A file that someone else is still writing.
struct Growing<'a> {
    bytes: &'a [u8],
    end: &'a std::cell::Cell<usize>,
    at: usize,
}

impl Read for Growing<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = (&self.bytes[self.at..self.end.get()]).read(buffer)?;
        self.at += count;
        Ok(count)
    }
}

/// One byte at a time, and a signal before each.
struct Dripping<'a> {
    bytes: &'a [u8],
    interrupted: bool,
}

impl Read for Dripping<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.interrupted = !self.interrupted;
        if self.interrupted {
            return Err(io::ErrorKind::Interrupted.into());
        }
        self.bytes.read(&mut buffer[..1])
    }
}

/// A disk that is gone.
struct Failing;

impl Read for Failing {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::Error::other("the disk is gone"))
    }
}
