//! How many packets a second are read from a file in the page cache: one thread, no program.
//!
//! `cargo bench --bench captures` writes captures of two million packets of 60 to 67 bytes to the target directory.

use std::hint::black_box;
use std::io::{BufReader, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use criterion::{Criterion, Throughput};
use oxbpf::capture::{Interface, LinkType, Reader, Recorder};
use pcap_file::pcap::PcapReader;
use pcap_file::pcapng::{Block, PcapNgReader};

const PACKETS: u64 = 2_000_000;

fn directory() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("bench-captures")
}

/// The capture of that name, written once.
fn capture(name: &str) -> PathBuf {
    let path = directory().join(name);
    if !path.exists() {
        std::fs::create_dir_all(directory()).expect("the target directory can be written");
        let mut recorder = Recorder::create(&path, oxbpf::capture::Format::of_path(&path)).expect("can be made");
        let interface = Interface::new(LinkType::EN10MB);
        let frame: Vec<u8> = (0..80).collect();
        for n in 0..PACKETS {
            let data = &frame[..60 + (n % 8) as usize];
            let time_ns = 1_704_067_200_000_000_000 + n * 1_000;
            recorder.write(&interface, time_ns, data.len() as u32, data, &[]).expect("can be written");
        }
        recorder.finish(&interface).expect("can be finished");
    }
    path
}

/// A file's bytes, compressed by a tool; none where it cannot be run.
fn compressed(path: &Path, tool: &str, extension: &str) -> Option<PathBuf> {
    let to = path.with_extension(extension);
    if !to.exists() {
        let output = std::process::Command::new(tool).arg("-c").arg(path).output().ok()?;
        std::fs::File::create(&to).ok()?.write_all(&output.stdout).ok()?;
    }
    Some(to)
}

/// Looks at each packet as little as a program can: its length and a byte.
fn read_all(path: &Path) -> u64 {
    let mut reader = Reader::open(path).expect("opens");
    let (mut packets, mut sum) = (0, 0_u64);
    while let Some(packet) = reader.next_packet().expect("is whole") {
        packets += 1;
        sum = sum.wrapping_add(u64::from(packet.data[12]) + u64::from(packet.len));
    }
    black_box(sum);
    assert_eq!(packets, PACKETS);
    packets
}

fn pcap_file_pcap(path: &Path) -> u64 {
    let mut reader = PcapReader::new(std::fs::File::open(path).expect("opens")).expect("is pcap");
    let mut packets = 0;
    while let Some(packet) = reader.next_packet() {
        black_box(packet.expect("is whole").data[12]);
        packets += 1;
    }
    packets
}

fn pcap_file_pcapng(path: &Path) -> u64 {
    let file = BufReader::new(std::fs::File::open(path).expect("opens"));
    let mut reader = PcapNgReader::new(file).expect("is pcapng");
    let mut packets = 0;
    while let Some(block) = reader.next_block() {
        if let Block::EnhancedPacket(packet) = block.expect("is whole") {
            black_box(packet.data[12]);
            packets += 1;
        }
    }
    packets
}

fn captures(c: &mut Criterion) {
    let (pcap, pcapng) = (capture("small.pcap"), capture("small.pcapng"));
    let mut group = c.benchmark_group("captures");
    group.throughput(Throughput::Elements(PACKETS)).sample_size(20).measurement_time(Duration::from_secs(3));
    group.bench_function("pcap", |b| b.iter(|| read_all(&pcap)));
    group.bench_function("pcapng", |b| b.iter(|| read_all(&pcapng)));
    group.sample_size(10);
    group.bench_function("pcap by pcap-file", |b| b.iter(|| pcap_file_pcap(&pcap)));
    group.bench_function("pcapng by pcap-file", |b| b.iter(|| pcap_file_pcapng(&pcapng)));
    for (tool, extension) in [("gzip", "pcap.gz"), ("zstd", "pcap.zst")] {
        if let Some(path) = compressed(&pcap, tool, extension) {
            group.bench_function(extension, |b| b.iter(|| read_all(&path)));
        }
    }
    group.finish();
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    captures(&mut criterion);
    criterion.final_summary();
}
