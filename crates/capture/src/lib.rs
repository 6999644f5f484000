//! Packet captures: pcap and pcapng, read and written.
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
//! assert_eq!(reader.interfaces()[0].link_type, LinkType::EN10MB);
//! while let Some(packet) = reader.next_packet()? {
//!     assert_eq!((packet.number, packet.len, packet.data.len()), (1, 60, 14));
//! }
//! # Ok(())
//! # }
//! ```
//!
//! What exists: classic pcap in microseconds and nanoseconds, of both byte orders and of versions 2.0 to 2.4; pcapng with
//! any number of sections and interfaces, each with its own link type and clock; both compressed by gzip or zstd, with the
//! feature `compress`. [`NgWriter`] writes pcapng, and [`Recorder`] the one that is asked for. `docs/captures.md` says
//! what is made of what captures can contain.

#![forbid(unsafe_code)]

mod bytes;
#[cfg(feature = "compress")]
mod compress;
mod error;
mod interface;
mod link;
mod ngwriter;
mod output;
mod pcap;
mod pcapng;
mod reader;
mod recorder;
mod source;
mod window;
mod writer;

pub use bytes::ByteOrder;
pub use error::{CaptureError, CaptureErrorKind};
pub use interface::Interface;
pub use link::LinkType;
pub use ngwriter::NgWriter;
pub use output::Sink;
pub use pcap::{Header, MAX_CAPTURED, Resolution};
pub use reader::{Packet, Reader};
pub use recorder::{Format, Recorder};
pub use source::{Source, Unpack};
pub use writer::Writer;
