//! What can be wrong with a capture, and where.

use std::fmt;
use std::io;

use thiserror::Error;

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
    /// The packet's number, counted from 1; 0 while there is no packet yet.
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
    /// The first four bytes are not a pcap magic.
    #[error("is not a pcap capture: it begins with {}{}", Hex(found), Known(known))]
    Magic {
        /// The first four bytes, in the order of the file.
        found: [u8; 4],
        /// The format these bytes stand for, where they are known.
        known: Option<&'static str>,
    },
    /// The file is pcapng.
    #[error("is a pcapng capture, which is not read yet (`tcpdump -r IN -w OUT` makes a pcap of it)")]
    Pcapng,
    /// A version of pcap that nobody defined, or one older than version 2.
    #[error("is pcap of version {major}.{minor}; 2.0 to 2.4 are read")]
    Version {
        /// The header's major version.
        major: u16,
        /// The header's minor version.
        minor: u16,
    },
    /// The file ends within its header or within a record.
    #[error("cut short: {part} needs {wanted} bytes, {got} are there")]
    Truncated {
        /// What was cut: `the file's header`, `the record's header` or `the record`.
        part: &'static str,
        /// The bytes it needs from `offset` on.
        wanted: usize,
        /// The bytes there are from `offset` on.
        got: usize,
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
            CaptureErrorKind::Pcapng => "capture-pcapng",
            CaptureErrorKind::Version { .. } => "capture-version",
            CaptureErrorKind::Truncated { .. } => "capture-truncated",
            CaptureErrorKind::RecordSize { .. } => "capture-record-size",
            CaptureErrorKind::Time { .. } => "capture-time",
        }
    }
}

impl fmt::Display for CaptureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.packet {
            0 => write!(f, "{}: {}", self.file, self.kind),
            packet => write!(f, "{}: packet {packet}, byte {}: {}", self.file, self.offset, self.kind),
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
