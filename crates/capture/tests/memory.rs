//! Captures of any size are read in the same memory. This test is a process of its own, whose peak it looks at.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use oxbpf_capture::{Header, Interface, LinkType, NgWriter, Reader, Writer};

/// What a reader may add to the process's peak: its first buffer of 128 KiB, and room for the allocator.
const MAX_GROWTH_KIB: u64 = 1 << 10;
/// Packets of a file: 100 MB as pcap.
const PACKETS: usize = 1 << 20;

/// The most memory that this process ever had; none where the host does not tell.
fn peak_kib() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    status.lines().find_map(|l| l.strip_prefix("VmHWM:"))?.split_whitespace().next()?.parse().ok()
}

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

/// Writes a head and a part so often.
fn repeated(to: impl Write, head: &[u8], part: &[u8], times: usize) {
    let mut to = BufWriter::with_capacity(1 << 16, to);
    to.write_all(head).unwrap();
    (0..times).for_each(|_| to.write_all(part).unwrap());
    to.flush().unwrap();
}

/// The head of a pcap and 64 packets.
fn pcap_parts() -> (Vec<u8>, Vec<u8>) {
    let empty = Writer::new(Vec::new(), "part", Header::new(LinkType::EN10MB)).unwrap().finish().unwrap();
    let mut writer = Writer::new(Vec::new(), "part", Header::new(LinkType::EN10MB)).unwrap();
    for n in 0..64 {
        writer.write_packet(n, 84, &[n as u8; 84]).unwrap();
    }
    let part = writer.finish().unwrap().split_off(empty.len());
    (empty, part)
}

/// A whole section with an interface and 64 packets with comments: a file of many has as many sections.
fn pcapng_part() -> Vec<u8> {
    let mut writer = NgWriter::new(Vec::new(), "part").unwrap();
    let interface = Interface::new(LinkType::EN10MB).named("eth0");
    for n in 0..64 {
        writer.write_packet(&interface, n, 84, &[n as u8; 84], &["a comment"]).unwrap();
    }
    writer.finish().unwrap()
}

/// How many packets a file has, and by how many KiB reading it raised the peak.
fn count(path: &Path) -> (usize, u64) {
    let before = peak_kib().unwrap_or_default();
    let mut reader = Reader::open(path).unwrap();
    let mut packets = 0;
    while reader.next_packet().unwrap().is_some() {
        packets += 1;
    }
    (packets, peak_kib().unwrap_or_default() - before)
}

#[test]
fn memory_does_not_grow_with_the_capture() {
    if peak_kib().is_none() {
        println!("skipped: the host does not tell a process's peak");
        return;
    }
    let (head, part) = pcap_parts();
    let pcap = path("memory.pcap");
    repeated(File::create(&pcap).unwrap(), &head, &part, PACKETS / 64);
    let pcapng = path("memory.pcapng");
    repeated(File::create(&pcapng).unwrap(), &[], &pcapng_part(), PACKETS / 64);
    for path in [pcap, pcapng] {
        let (packets, growth) = count(&path);
        fs::remove_file(&path).unwrap();
        assert_eq!(packets, PACKETS);
        assert!(growth <= MAX_GROWTH_KIB, "{}: {growth} KiB", path.display());
    }
    #[cfg(feature = "compress")]
    {
        // 100 MB out of half a megabyte.
        let path = path("memory.pcap.gz");
        let gz = flate2::write::GzEncoder::new(File::create(&path).unwrap(), flate2::Compression::fast());
        repeated(gz, &head, &part, PACKETS / 64);
        let (packets, growth) = count(&path);
        fs::remove_file(&path).unwrap();
        assert_eq!(packets, PACKETS);
        assert!(growth <= MAX_GROWTH_KIB, "gzip: {growth} KiB");
    }
}
