//! Captures: what reads, and is written, reads again to the same.

use oxbpf_capture::{CaptureError, Interface, LinkType, NgWriter, Packet, Reader, Unpack, Writer};

/// What becomes of a packet in a copy.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Owned {
    time_ns: u64,
    len: u32,
    data: Vec<u8>,
    link_type: LinkType,
    name: Option<Box<str>>,
    comments: Vec<String>,
}

impl From<Packet<'_>> for Owned {
    fn from(p: Packet<'_>) -> Owned {
        let comments = p.comments().map(|c| c.into_owned()).collect();
        let name = p.interface.name.clone();
        Owned { time_ns: p.time_ns, len: p.len, data: p.data.to_vec(), link_type: p.link_type, name, comments }
    }
}

/// Packets that are looked at: compression makes many of few bytes.
const MAX_PACKETS: usize = 1 << 16;

/// All packets, up to the end or the first error, which must render and repeat.
fn read<R: std::io::Read>(reader: &mut Reader<R>) -> Vec<Owned> {
    let mut packets = Vec::new();
    while packets.len() < MAX_PACKETS {
        match reader.next_packet() {
            Ok(Some(packet)) => {
                assert_eq!(packet.number, packets.len() as u64 + 1);
                packets.push(packet.into());
            }
            Ok(None) => break,
            Err(error) => {
                renders(&error);
                assert_eq!(reader.next_packet().expect_err("damage stays").code(), error.code());
                break;
            }
        }
    }
    packets
}

fn renders(error: &CaptureError) {
    assert!(error.code().starts_with("capture-") && error.to_string().starts_with("fuzz: "));
}

fn stored(packets: &[Owned]) -> usize {
    packets.iter().map(|p| p.data.len() + 16).sum()
}

fn reader(bytes: &[u8]) -> Option<Reader<&[u8]>> {
    Reader::new(bytes, "fuzz").map_err(|e| renders(&e)).ok()
}

/// Bytes as a pcap.
pub fn pcap(bytes: &[u8]) {
    let Some(mut ours) = reader(bytes) else { return };
    let Some(header) = ours.header().copied() else { return };
    let packets = read(&mut ours);
    assert!(stored(&packets) <= bytes.len(), "no more comes out than was put in");
    let mut writer = Writer::new(Vec::new(), "copy", header).expect("a header that was read can be written");
    for packet in &packets {
        // Old headers carry more into the seconds than 32 bits hold.
        if writer.write_packet(packet.time_ns, packet.len, &packet.data).is_err() {
            return;
        }
    }
    let copy = writer.finish().expect("memory takes everything");
    let mut again = reader(&copy).expect("what was written is a capture");
    assert_eq!(again.header(), Some(&header));
    let copied = read(&mut again);
    assert_eq!(copied.len(), packets.len());
    for (a, b) in copied.iter().zip(&packets) {
        assert!(a.time_ns == b.time_ns && b.data.starts_with(&a.data));
    }
}

/// Bytes as a pcapng.
pub fn pcapng(bytes: &[u8]) {
    let Some(mut ours) = reader(bytes) else { return };
    if ours.header().is_some() {
        return;
    }
    let packets = read(&mut ours);
    assert!(stored(&packets) <= bytes.len(), "no more comes out than was put in");
    let mut writer = NgWriter::new(Vec::new(), "copy").expect("memory takes everything");
    for p in &packets {
        let interface = Interface::new(p.link_type);
        let interface = p.name.iter().fold(interface, |i, name| i.named(name));
        let comments: Vec<&str> = p.comments.iter().map(|c| c.as_str()).collect();
        writer.write_packet(&interface, p.time_ns, p.len, &p.data, &comments).expect("what was read can be written");
    }
    let copy = writer.finish().expect("memory takes everything");
    let copied = read(&mut reader(&copy).expect("what was written is a capture"));
    // What is no UTF-8 grows when it is replaced, and may then be cut off.
    let plain = packets.iter().flat_map(|p| &p.comments).all(|c| c.len() < 1 << 15);
    assert!(!plain || copied == packets);
}

/// Bytes as a stream that may be compressed, and a capture in it.
pub fn compressed(bytes: &[u8]) {
    let Ok(stream) = Unpack::new(bytes) else { return };
    if !stream.compressed() {
        return;
    }
    match Reader::new(stream, "fuzz") {
        Ok(mut reader) => drop(read(&mut reader)),
        Err(error) => renders(&error),
    }
}
