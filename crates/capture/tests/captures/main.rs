//! What a capture can be, and what is made of it.

mod blocks;
#[path = "../../../../tests/codes/mod.rs"]
mod codes;
#[cfg(feature = "compress")]
mod compressed;
mod errors;
mod files;
mod hostile;
mod matrix;
mod pcapng;
mod peers;

use oxbpf_capture::{CaptureError, Header, Packet, Reader, Writer};

/// A packet that owns its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Owned {
    time_ns: u64,
    len: u32,
    data: Vec<u8>,
}

impl Owned {
    /// A packet with `size` bytes of a pattern in which a shifted byte shows.
    fn of_size(time_ns: u64, size: usize) -> Owned {
        Owned { time_ns, len: size as u32, data: (0..size).map(|i| (i % 251) as u8).collect() }
    }
}

impl From<Packet<'_>> for Owned {
    fn from(packet: Packet<'_>) -> Owned {
        Owned { time_ns: packet.time_ns, len: packet.len, data: packet.data.to_vec() }
    }
}

/// The capture with these packets.
fn written(header: Header, packets: &[Owned]) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new(), "test", header).unwrap();
    for packet in packets {
        writer.write_packet(packet.time_ns, packet.len, &packet.data).unwrap();
    }
    writer.finish().unwrap()
}

/// All packets of a capture, and the error that ended it.
fn read(bytes: &[u8]) -> (Vec<Owned>, Option<CaptureError>) {
    read_from(bytes)
}

/// All packets of a stream, and the error that ended it.
fn read_from(stream: impl std::io::Read) -> (Vec<Owned>, Option<CaptureError>) {
    let mut reader = match Reader::new(stream, "test") {
        Ok(reader) => reader,
        Err(error) => return (Vec::new(), Some(error)),
    };
    let mut packets = Vec::new();
    loop {
        match reader.next_packet() {
            Ok(None) => return (packets, None),
            Ok(Some(packet)) => {
                assert_eq!(packet.number, packets.len() as u64 + 1);
                packets.push(packet.into());
            }
            Err(error) => return (packets, Some(error)),
        }
    }
}

/// A pcap file header, field by field, little-endian.
fn raw_header(magic: u32, version: (u16, u16), snaplen: u32, link: u32) -> Vec<u8> {
    let mut bytes = magic.to_le_bytes().to_vec();
    bytes.extend(version.0.to_le_bytes());
    bytes.extend(version.1.to_le_bytes());
    bytes.extend([0; 8]);
    bytes.extend(snaplen.to_le_bytes());
    bytes.extend(link.to_le_bytes());
    bytes
}

/// A record whose header says anything, little-endian.
fn raw_record(fields: [u32; 4], data: &[u8]) -> Vec<u8> {
    let mut bytes: Vec<u8> = fields.iter().flat_map(|field| field.to_le_bytes()).collect();
    bytes.extend(data);
    bytes
}

const MICRO: u32 = 0xa1b2_c3d4;
const NANO: u32 = 0xa1b2_3c4d;
