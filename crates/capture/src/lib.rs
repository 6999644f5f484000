//! Packet captures: pcap, read and written.
//!
//! [`Reader`] is the type to look at: it walks a capture packet by packet out of one reused buffer, and each [`Packet`]
//! borrows from it. [`Writer`] is its counterpart. Captures are hostile input: no header field is believed before it is
//! bounded, and a [`CaptureError`] says in which file, at which byte and in which packet the trouble is.
//!
//! ```
//! use oxbpf_capture::{Header, LinkType, Reader, Writer};
//!
//! # fn main() -> Result<(), oxbpf_capture::CaptureError> {
//! let mut writer = Writer::new(Vec::new(), "memory", Header::new(LinkType::EN10MB))?;
//! writer.write_packet(1_704_067_200_000_000_001, 60, &[0xff; 14])?;
//! let bytes = writer.finish()?;
//!
//! let mut reader = Reader::new(bytes.as_slice(), "memory")?;
//! assert_eq!(reader.link_type(), LinkType::EN10MB);
//! while let Some(packet) = reader.next_packet()? {
//!     assert_eq!((packet.number, packet.len, packet.data.len()), (1, 60, 14));
//! }
//! # Ok(())
//! # }
//! ```
//!
//! What exists: classic pcap in microseconds and nanoseconds, of both byte orders and of versions 2.0 to 2.4. pcapng is
//! recognised and refused by name for now; that is why [`Packet`] carries its own link type, which in pcapng belongs to
//! the packet's interface and not to the file.

#![forbid(unsafe_code)]

mod error;
mod input;
mod link;
mod output;
mod pcap;
mod reader;
mod writer;

pub use error::{CaptureError, CaptureErrorKind};
pub use input::Source;
pub use link::LinkType;
pub use output::Sink;
pub use pcap::{ByteOrder, Header, MAX_CAPTURED, Resolution};
pub use reader::{Packet, Reader};
pub use writer::Writer;
