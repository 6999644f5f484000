//! Captures compressed by gzip and zstd, as a library and as the tools do it.

use std::io::{Read, Write};
use std::process::{Command, Stdio};

use flate2::Compression;
use flate2::write::GzEncoder;
use oxbpf_capture::{CaptureError, Header, LinkType, Reader, Unpack};
use ruzstd::encoding::{CompressionLevel, compress_to_vec};

use crate::{Owned, written};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    compress_to_vec(bytes, CompressionLevel::Fastest)
}

/// What a tool makes of the bytes; none where it cannot be run.
fn tool(command: &[&str], bytes: &[u8]) -> Option<Vec<u8>> {
    let spawned = Command::new(command[0]).args(&command[1..]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let Ok(mut child) = spawned else {
        println!("skipped: {} cannot be run", command[0]);
        return None;
    };
    let (mut stdin, bytes) = (child.stdin.take().unwrap(), bytes.to_vec());
    let feeder = std::thread::spawn(move || stdin.write_all(&bytes));
    let output = child.wait_with_output().unwrap();
    feeder.join().unwrap().unwrap();
    Some(output.stdout)
}

fn read(bytes: &[u8]) -> (Vec<Owned>, Option<CaptureError>) {
    crate::read_from(Unpack::new(bytes).unwrap())
}

fn packets() -> Vec<Owned> {
    (0..3_000).map(|n| Owned::of_size(n, 1_000 + n as usize % 100)).collect()
}

#[test]
fn what_was_compressed_reads_as_it_was() {
    let packets = packets();
    let plain = written(Header::new(LinkType::EN10MB), &packets);
    let (one, two) = plain.split_at(plain.len() / 3);
    // Parallel compressors put frames into which nobody looks before and between.
    let skippable = [&[0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3][..]].concat();
    let mut rows = vec![
        plain.clone(),
        gzip(&plain),
        zstd(&plain),
        [gzip(one), gzip(two)].concat(),
        [zstd(one), skippable.clone(), zstd(two)].concat(),
        [skippable.clone(), skippable, zstd(&plain)].concat(),
    ];
    let commands: [&[&str]; 5] =
        [&["gzip", "-9"], &["gzip", "-1"], &["zstd", "-q"], &["zstd", "-q", "-19"], &["zstd", "-q", "--long=27"]];
    rows.extend(commands.iter().filter_map(|c| tool(c, &plain)));
    for (i, row) in rows.iter().enumerate() {
        let (got, error) = read(row);
        assert!(error.is_none(), "row {i}: {}", error.unwrap());
        assert!(got == packets, "row {i}");
    }
}

#[test]
fn damage_in_compressed_data_is_named_with_the_packet_it_hits() {
    let plain = written(Header::new(LinkType::EN10MB), &packets());
    for (compressed, name) in [(gzip(&plain), "gzip"), (zstd(&plain), "zstd")] {
        let cut = &compressed[..compressed.len() - 9];
        let error = read(cut).1.unwrap();
        assert_eq!(error.code(), "capture-compressed");
        assert!(error.to_string().ends_with(&format!("{name} data is damaged: it ends too early")), "{error}");
        assert!(error.packet > 2_000, "{error}");
        // The checksum stands near the end.
        let mut wrong = compressed.clone();
        let at = wrong.len() - if name == "gzip" { 8 } else { 4 };
        wrong[at] ^= 1;
        let (got, error) = read(&wrong);
        let error = error.unwrap_or_else(|| panic!("{name}: a wrong checksum"));
        assert_eq!((error.code(), got.len()), ("capture-compressed", 3_000), "{error}");
    }
    let error = crate::read_from(Unpack::new(&[0x1f, 0x8b, 0xff, 0xff, 1, 2, 3, 4][..]).unwrap()).1.unwrap();
    assert_eq!((error.code(), error.offset, error.packet), ("capture-compressed", 0, 0));
}

#[test]
fn every_cut_of_compressed_data_ends_with_an_error() {
    let plain = written(Header::new(LinkType::EN10MB), &[Owned::of_size(1, 100), Owned::of_size(2, 33)]);
    for compressed in [gzip(&plain), zstd(&plain)] {
        for cut in 4..compressed.len() {
            let (got, error) = read(&compressed[..cut]);
            // All packets may be there before the end that says whether they are right.
            assert!(error.is_some(), "cut at {cut}: {} packets and no error", got.len());
        }
    }
}

#[test]
fn damage_in_compressed_data_stays() {
    let plain = written(Header::new(LinkType::EN10MB), &packets());
    for mut compressed in [gzip(&plain), zstd(&plain)] {
        let middle = compressed.len() / 2;
        compressed[middle..middle + 8].fill(0xff);
        let mut reader = Reader::new(Unpack::new(compressed.as_slice()).unwrap(), "test").unwrap();
        let error = loop {
            match reader.next_packet() {
                Ok(packet) => assert!(packet.is_some(), "damage is no end"),
                Err(error) => break error,
            }
        };
        assert_eq!(reader.next_packet().unwrap_err().to_string(), error.to_string());
    }
}

#[test]
fn a_window_beyond_what_zstd_itself_allows_is_refused() {
    // A frame whose header demands 256 MiB: no single segment, no checksum; window descriptor of exponent 18.
    let frame = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 18 << 3, 0x01, 0x00, 0x00];
    let error = Unpack::new(&frame[..]).unwrap().read(&mut [0; 10]).unwrap_err();
    assert!(error.to_string().contains("window"), "{error}");
}

#[test]
fn opening_a_path_unpacks() {
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("captures-unpack.pcap.gz");
    let packets = packets();
    let compressed = gzip(&written(Header::new(LinkType::EN10MB), &packets));
    std::fs::write(&path, &compressed).unwrap();
    let mut reader = Reader::open(&path).unwrap();
    assert!(reader.source().compressed());
    assert_eq!(reader.source().file_len(), Some(compressed.len() as u64));
    let mut count = 0;
    while reader.next_packet().unwrap().is_some() {
        count += 1;
    }
    assert_eq!((count, reader.file_read()), (3_000, compressed.len() as u64));
}
