//! The pcap format: its header and its records, as bytes and as values.
//!
//! ```text
//!   file header, 24 bytes                                   record, 16 bytes and the data
//!   0     4     6     8       12      16      20      24    0      4      8      12     16
//!   ┌─────┬─────┬─────┬───────┬───────┬───────┬───────┐     ┌──────┬──────┬──────┬──────┬────────┐
//!   │magic│major│minor│ zone  │sigfigs│snaplen│ link  │     │ secs │ frac │caplen│ len  │ data … │
//!   └─────┴─────┴─────┴───────┴───────┴───────┴───────┘     └──────┴──────┴──────┴──────┴────────┘
//! ```
//!
//! These 40 bytes are read here and not by `pcap-file`, which stands in the way in four places: an incomplete record is
//! reported without how many bytes it lacks, so that the captured length must be read and bounded before the library may
//! be asked; its checked packets refuse `len > snaplen` and `len < caplen`, which tcpdump reads; its raw packets do not
//! know that versions before 2.4 have the two lengths the other way round; and its errors have no place. The tests read
//! with it beside us.

use crate::bytes::ByteOrder;
use crate::error::CaptureErrorKind;
use crate::link::LinkType;

/// The most bytes of one packet that are read or written: libpcap's bound for all link types but three that carry no
/// network packets (D-Bus, USBPcap, EBHSCR). It bounds the reader's buffer.
pub const MAX_CAPTURED: usize = 262_144;

/// What a capture says about all its packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// The link type of the packets.
    pub link_type: LinkType,
    /// The unit of the fraction of a second in the file.
    pub resolution: Resolution,
    /// The byte order of the file's integers.
    pub byte_order: ByteOrder,
    /// The length to which packets were cut. [`Reader`](crate::Reader) does not rely on it, [`Writer`](crate::Writer)
    /// cuts to it.
    pub snaplen: u32,
}

impl Header {
    /// Nanoseconds, little-endian, packets of up to [`MAX_CAPTURED`] bytes.
    pub fn new(link_type: LinkType) -> Header {
        Header { link_type, resolution: Resolution::Nano, byte_order: ByteOrder::Little, snaplen: MAX_CAPTURED as u32 }
    }
}

/// The unit of the fraction of a second in a pcap record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// Microseconds, magic `a1b2c3d4`.
    Micro,
    /// Nanoseconds, magic `a1b23c4d`.
    Nano,
}

impl Resolution {
    /// Nanoseconds per unit.
    pub fn unit_ns(self) -> u32 {
        match self {
            Resolution::Micro => 1_000,
            Resolution::Nano => 1,
        }
    }
}

/// Length of the file header.
pub(crate) const HEADER_SIZE: usize = 24;
/// Length of a record's header.
pub(crate) const RECORD_SIZE: usize = 16;

/// The magics that are read, as the file's first four bytes.
const MAGICS: [([u8; 4], ByteOrder, Resolution); 4] = [
    ([0xd4, 0xc3, 0xb2, 0xa1], ByteOrder::Little, Resolution::Micro),
    ([0xa1, 0xb2, 0xc3, 0xd4], ByteOrder::Big, Resolution::Micro),
    ([0x4d, 0x3c, 0xb2, 0xa1], ByteOrder::Little, Resolution::Nano),
    ([0xa1, 0xb2, 0x3c, 0x4d], ByteOrder::Big, Resolution::Nano),
];

/// First bytes of files that get passed for captures, so that the error can name them.
const FOREIGN: [(&[u8], &str); 8] = [
    (&[0x34, 0xcd, 0xb2, 0xa1], "pcap with the records of a patched libpcap"),
    (&[0xa1, 0xb2, 0xcd, 0x34], "pcap with the records of a patched libpcap"),
    (&[0x1f, 0x8b], "compressed by gzip"),
    (&[0x28, 0xb5, 0x2f, 0xfd], "compressed by zstd"),
    (&[0xfd, b'7', b'z', b'X'], "compressed by xz"),
    (b"BZh", "compressed by bzip2"),
    (b"snoo", "a Solaris snoop capture"),
    (b"\x7fELF", "an ELF object"),
];

/// What a file header says of how its records are to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    pub(crate) header: Header,
    lengths: Lengths,
}

/// The order of a record's two lengths. Version 2.4 settled it; libpcap reads older files like this, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lengths {
    /// Captured, then original.
    Settled,
    /// Version 2.3 was written both ways; the captured length is the smaller one.
    Either,
    /// Original, then captured.
    Swapped,
}

/// A record's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) time_ns: u64,
    pub(crate) caplen: u32,
    pub(crate) len: u32,
}

impl Layout {
    /// Reads the file header; `bytes` is as much as there is of the first [`HEADER_SIZE`] bytes.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Layout, CaptureErrorKind> {
        let Some((&magic, _)) = bytes.split_first_chunk::<4>() else {
            return Err(match bytes.len() {
                0 => CaptureErrorKind::Empty,
                got => header_cut(got),
            });
        };
        let (byte_order, resolution) = known_magic(magic)?;
        let Some((bytes, _)) = bytes.split_first_chunk::<HEADER_SIZE>() else {
            return Err(header_cut(bytes.len()));
        };
        let lengths = lengths_of_version(byte_order.get16(bytes, 4), byte_order.get16(bytes, 6))?;
        let header = Header {
            link_type: LinkType::from_pcap_field(byte_order.get32(bytes, 20)),
            resolution,
            byte_order,
            snaplen: byte_order.get32(bytes, 16),
        };
        Ok(Layout { header, lengths })
    }

    /// The header of a record that is whole in `bytes` and may have so many; with none the reader goes the long way.
    #[inline]
    pub(crate) fn ready(&self, bytes: &[u8]) -> Option<Record> {
        let (head, rest) = bytes.split_first_chunk()?;
        let record = self.record(head);
        (record.caplen as usize <= rest.len().min(MAX_CAPTURED)).then_some(record)
    }

    /// Reads a record's header. Every value is possible; a fraction of a second or more carries into the seconds.
    #[inline]
    pub(crate) fn record(&self, bytes: &[u8; RECORD_SIZE]) -> Record {
        // Where the next record is depends on this one's length: a branch, which the processor foresees, is faster than
        // to select among four ways to read it.
        match (self.header.byte_order, self.lengths) {
            (ByteOrder::Little, Lengths::Settled) => self.record_of(bytes, ByteOrder::Little, Lengths::Settled),
            (order, lengths) => self.uncommon(bytes, order, lengths),
        }
    }

    #[inline(never)]
    fn uncommon(&self, bytes: &[u8; RECORD_SIZE], order: ByteOrder, lengths: Lengths) -> Record {
        self.record_of(bytes, order, lengths)
    }

    #[inline(always)]
    fn record_of(&self, bytes: &[u8; RECORD_SIZE], order: ByteOrder, lengths: Lengths) -> Record {
        let field = |at| order.get32(bytes, at);
        let (first, second) = (field(8), field(12));
        let (caplen, len) = match lengths {
            Lengths::Settled => (first, second),
            Lengths::Either => (first.min(second), first.max(second)),
            Lengths::Swapped => (second, first),
        };
        // At most (2^32 - 1) * (10^9 + 1000), which is below 2^63.
        let fraction_ns = u64::from(field(4)) * u64::from(self.header.resolution.unit_ns());
        let time_ns = u64::from(field(0)) * NS_PER_SECOND + fraction_ns;
        Record { time_ns, caplen, len }
    }
}

/// Byte order and resolution of a magic, or what the file is instead.
fn known_magic(magic: [u8; 4]) -> Result<(ByteOrder, Resolution), CaptureErrorKind> {
    if let Some(&(_, byte_order, resolution)) = MAGICS.iter().find(|row| row.0 == magic) {
        return Ok((byte_order, resolution));
    }
    let known = FOREIGN.iter().find(|row| magic.starts_with(row.0)).map(|row| row.1);
    Err(CaptureErrorKind::Magic { found: magic, known })
}

/// The order of the lengths by version, as libpcap has it; 543.0 is how one vendor's tcpdump numbered its files.
fn lengths_of_version(major: u16, minor: u16) -> Result<Lengths, CaptureErrorKind> {
    match (major, minor) {
        (2, 4) => Ok(Lengths::Settled),
        (2, 3) => Ok(Lengths::Either),
        (2, 0..=2) | (543, 0) => Ok(Lengths::Swapped),
        _ => Err(CaptureErrorKind::Version { major, minor }),
    }
}

fn header_cut(got: usize) -> CaptureErrorKind {
    CaptureErrorKind::Truncated { part: "the file's header", wanted: HEADER_SIZE as u64, got: got as u64 }
}

/// The bytes of a file header, version 2.4.
pub(crate) fn encode_header(header: &Header) -> [u8; HEADER_SIZE] {
    let order = header.byte_order;
    let magic = match header.resolution {
        Resolution::Micro => 0xa1b2_c3d4,
        Resolution::Nano => 0xa1b2_3c4d,
    };
    let version = match order {
        ByteOrder::Little => 0x0004_0002,
        ByteOrder::Big => 0x0002_0004,
    };
    order.put32s([magic, version, 0, 0, header.snaplen, header.link_type.0])
}

/// The bytes of a record's header, or an error where the seconds do not fit. Microseconds round down.
pub(crate) fn encode_record(header: &Header, record: Record) -> Result<[u8; RECORD_SIZE], CaptureErrorKind> {
    let Record { time_ns, caplen, len } = record;
    let Ok(seconds) = u32::try_from(time_ns / NS_PER_SECOND) else {
        return Err(CaptureErrorKind::Time { time_ns });
    };
    let fraction_ns = (time_ns % NS_PER_SECOND) as u32;
    Ok(header.byte_order.put32s([seconds, fraction_ns / header.resolution.unit_ns(), caplen, len]))
}

const NS_PER_SECOND: u64 = 1_000_000_000;
