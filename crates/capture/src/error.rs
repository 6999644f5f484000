//! What can be wrong with a capture, and where.

use std::fmt;
use std::io;

use thiserror::Error;

use crate::link::LinkType;
use crate::pcap::MAX_CAPTURED;

/// Why a capture cannot be read or written, with its place.
///
/// `Display` is one lowercase clause that begins with the file and, once past the file's header, the packet and byte:
/// `web.pcap: packet 3, byte 172: cut short: the record needs 76 bytes, 20 are there`.
#[derive(Debug)]
pub struct CaptureError {
    /// The file as the user named it; `-` for standard input or output.
    pub file: Box<str>,
    /// The offset in the file, in bytes, at which the header or record in question begins.
    pub offset: u64,
    /// The packet's number, counted from 1; 0 where what is wrong is no packet.
    pub packet: u64,
    /// What is wrong.
    pub kind: CaptureErrorKind,
}

/// What is wrong with a capture; [`CaptureErrorKind::code`] names each kind for scripts.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CaptureErrorKind {
    /// The file cannot be opened or made.
    #[error("cannot be opened: {0}")]
    Open(io::Error),
    /// The path names a directory.
    #[error("is a directory, not a capture")]
    Directory,
    /// Reading failed in the middle.
    #[error("cannot be read: {0}")]
    Read(io::Error),
    /// Writing failed.
    #[error("cannot be written: {0}")]
    Write(io::Error),
    /// There is not one byte.
    #[error("is empty, not even a capture's header is there")]
    Empty,
    /// The first four bytes are neither a pcap magic nor the start of a pcapng section.
    #[error("is no capture: it begins with {}{}", Hex(found), Known(known))]
    Magic {
        /// The first four bytes, in the order of the file.
        found: [u8; 4],
        /// The format these bytes stand for, where they are known.
        known: Option<&'static str>,
    },
    /// A version of pcap that nobody defined, or one older than version 2.
    #[error("is pcap of version {major}.{minor}; 2.0 to 2.4 are read")]
    Version {
        /// The header's major version.
        major: u16,
        /// The header's minor version.
        minor: u16,
    },
    /// The file ends within its header, a record or a block.
    #[error("cut short: {part} needs {wanted} bytes, {got} are there")]
    Truncated {
        /// What was cut: `the file's header`, `the record's header`, `the record`, `the block's header` or `the block`.
        part: &'static str,
        /// The bytes it needs from `offset` on.
        wanted: u64,
        /// The bytes there are from `offset` on.
        got: u64,
    },
    /// A record claims, or a packet to be written has, more captured bytes than [`MAX_CAPTURED`].
    #[error("{captured} captured bytes are more than the {MAX_CAPTURED} a packet can have")]
    RecordSize {
        /// The captured length.
        captured: u64,
    },
    /// The time does not fit pcap's 32 bits of seconds.
    #[error("time {time_ns} ns lies after February 2106, where pcap's 32-bit seconds end")]
    Time {
        /// The packet's time in nanoseconds since 1970.
        time_ns: u64,
    },
    /// A file that was followed is shorter than what was already read of it.
    #[error("is shorter than before: {read} bytes were read, {len} are there now")]
    Shrunk {
        /// The bytes that were read.
        read: u64,
        /// The bytes that are there.
        len: u64,
    },
    /// What compression keeps cannot be had back.
    #[error("{format} data is damaged: {what}")]
    Compressed {
        /// `gzip` or `zstd`.
        format: &'static str,
        /// What the decoder says.
        what: String,
    },
    /// A section header's second integer is no byte-order magic.
    #[error("a section begins with {}, which is no byte-order magic", Hex(found))]
    SectionMagic {
        /// The four bytes, in the order of the file.
        found: [u8; 4],
    },
    /// A version of pcapng that is not known.
    #[error("a section is pcapng of version {major}.{minor}; 1.0 and 1.2 are read")]
    SectionVersion {
        /// The header's major version.
        major: u16,
        /// The header's minor version.
        minor: u16,
    },
    /// A block's length is none that a block can have.
    #[error("a block of {len} bytes: {why}")]
    BlockLength {
        /// The length.
        len: u32,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A block whose content is looked at is longer than 16 MiB.
    #[error("an {block} of {len} bytes is more than the 16777216 that are read")]
    BlockSize {
        /// What the block is called.
        block: &'static str,
        /// Its length.
        len: u32,
    },
    /// A block does not end with the length that it begins with.
    #[error("a block of {front} bytes says {behind} behind")]
    BlockTrailer {
        /// The length in front.
        front: u32,
        /// The length behind.
        behind: u32,
    },
    /// A block's body is shorter than what must be in it.
    #[error("the {block} has {got} bytes in it, {wanted} are needed")]
    BlockBody {
        /// What the block is called.
        block: &'static str,
        /// The bytes of fixed fields, or of these and the packet.
        wanted: u64,
        /// The bytes of the body.
        got: usize,
    },
    /// An option does not fit into its block.
    #[error("option {code} of {len} bytes does not fit into the {room} that are left of its block")]
    Option {
        /// The option's code.
        code: u16,
        /// Its length.
        len: usize,
        /// What is left of the block.
        room: usize,
    },
    /// An option has a length that its value cannot have.
    #[error("option {code} has {len} bytes, which it cannot have")]
    OptionLength {
        /// The option's code.
        code: u16,
        /// Its length.
        len: usize,
    },
    /// A packet is of an interface that its section does not describe.
    #[error("the packet is of interface {id}; {known} are described before it")]
    Interface {
        /// The interface's number, from 0.
        id: u32,
        /// How many interfaces are known.
        known: usize,
    },
    /// A section describes more than 65,536 interfaces, or a capture to be written would.
    #[error("more than 65536 interfaces")]
    Interfaces,
    /// A packet's time is outside of 1970 to 2554, which 64 bits of nanoseconds hold.
    #[error("time {units} in its interface's units lies before 1970 or after 2554")]
    Clock {
        /// The time as the capture has it.
        units: u64,
    },
    /// Packets of several link types cannot be written into one pcap.
    #[error("a pcap has one link type: {second} cannot follow {first}; pcapng takes both")]
    LinkMixed {
        /// The link type of the packets before.
        first: LinkType,
        /// That of this packet.
        second: LinkType,
    },
    /// pcapng has 16 bits for a link type.
    #[error("link type {link_type} is more than the 65535 that pcapng can have")]
    LinkRange {
        /// The link type.
        link_type: LinkType,
    },
}

impl CaptureError {
    /// The stable code of the kind, for scripts and tests.
    pub fn code(&self) -> &'static str {
        self.kind.code()
    }
}

impl CaptureErrorKind {
    /// The stable code of this kind: `capture-` and a word.
    pub fn code(&self) -> &'static str {
        match self {
            CaptureErrorKind::Open(_) => "capture-open",
            CaptureErrorKind::Directory => "capture-directory",
            CaptureErrorKind::Read(_) => "capture-read",
            CaptureErrorKind::Write(_) => "capture-write",
            CaptureErrorKind::Empty => "capture-empty",
            CaptureErrorKind::Magic { .. } => "capture-magic",
            CaptureErrorKind::Version { .. } => "capture-version",
            CaptureErrorKind::Truncated { .. } => "capture-truncated",
            CaptureErrorKind::RecordSize { .. } => "capture-record-size",
            CaptureErrorKind::Time { .. } => "capture-time",
            CaptureErrorKind::Shrunk { .. } => "capture-shrunk",
            CaptureErrorKind::Compressed { .. } => "capture-compressed",
            CaptureErrorKind::SectionMagic { .. } => "capture-section-magic",
            CaptureErrorKind::SectionVersion { .. } => "capture-section-version",
            CaptureErrorKind::BlockLength { .. } => "capture-block-length",
            CaptureErrorKind::BlockSize { .. } => "capture-block-size",
            CaptureErrorKind::BlockTrailer { .. } => "capture-block-trailer",
            CaptureErrorKind::BlockBody { .. } => "capture-block-body",
            CaptureErrorKind::Option { .. } => "capture-option",
            CaptureErrorKind::OptionLength { .. } => "capture-option-length",
            CaptureErrorKind::Interface { .. } => "capture-interface",
            CaptureErrorKind::Interfaces => "capture-interfaces",
            CaptureErrorKind::Clock { .. } => "capture-clock",
            CaptureErrorKind::LinkMixed { .. } => "capture-link-mixed",
            CaptureErrorKind::LinkRange { .. } => "capture-link-range",
        }
    }
}

impl fmt::Display for CaptureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.packet, self.offset) {
            (0, 0) => write!(f, "{}: {}", self.file, self.kind),
            (0, offset) => write!(f, "{}: byte {offset}: {}", self.file, self.kind),
            (packet, offset) => write!(f, "{}: packet {packet}, byte {offset}: {}", self.file, self.kind),
        }
    }
}

impl std::error::Error for CaptureError {
    /// The system's error, where there is one.
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.kind {
            CaptureErrorKind::Open(error) | CaptureErrorKind::Read(error) | CaptureErrorKind::Write(error) => {
                Some(error)
            }
            _ => None,
        }
    }
}

/// Four bytes as `0a 0d 0d 0a`.
struct Hex<'a>(&'a [u8; 4]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d] = self.0;
        write!(f, "{a:02x} {b:02x} {c:02x} {d:02x}")
    }
}

/// The name of a foreign format in parentheses, or nothing.
struct Known<'a>(&'a Option<&'static str>);

impl fmt::Display for Known<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(name) => write!(f, " ({name})"),
            None => Ok(()),
        }
    }
}
