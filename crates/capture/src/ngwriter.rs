//! Writing a pcapng packet by packet.

use std::collections::HashMap;
use std::io::Write;
use std::path::Path;

use crate::error::{CaptureError, CaptureErrorKind};
use crate::interface::Interface;
use crate::link::LinkType;
use crate::output::{self, Pending, Sink};
use crate::pcap::MAX_CAPTURED;
use crate::pcapng::{MAX_BLOCK, MAX_INTERFACES, write};

/// Writes a pcapng capture into anything that is [`Write`], in one write per packet: hand it a buffered one.
///
/// There is one section. An interface is described before its first packet; interfaces that say the same are one. Times
/// are in nanoseconds.
///
/// [`NgWriter::finish`] must be called: only then is everything written, and, for a file, in its place.
///
/// ```
/// use oxbpf_capture::{Interface, LinkType, NgWriter, Reader};
///
/// # fn main() -> Result<(), oxbpf_capture::CaptureError> {
/// let mut writer = NgWriter::new(Vec::new(), "memory")?;
/// let eth0 = Interface::new(LinkType::EN10MB).named("eth0");
/// writer.write_packet(&eth0, 1_704_067_200_000_000_001, 60, &[0xff; 14], &["verdict: ok"])?;
/// let bytes = writer.finish()?;
///
/// let mut reader = Reader::new(bytes.as_slice(), "memory")?;
/// let packet = reader.next_packet()?.unwrap();
/// assert_eq!(packet.interface.name.as_deref(), Some("eth0"));
/// assert_eq!(packet.comments().collect::<Vec<_>>(), ["verdict: ok"]);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "nothing is in its place before finish()"]
pub struct NgWriter<W> {
    write: W,
    file: Box<str>,
    interfaces: HashMap<Described, u32>,
    /// Bytes written so far.
    offset: u64,
    /// Packets written so far.
    packets: u64,
    pending: Option<Pending>,
    /// Reused for blocks.
    block: Vec<u8>,
}

/// What is written of an interface.
type Described = (LinkType, u32, Option<Box<str>>);

impl NgWriter<Sink> {
    /// Begins the capture at `path`, where `-` is standard output, in the way of
    /// [`Writer::create`](crate::Writer::create).
    pub fn create(path: impl AsRef<Path>) -> Result<NgWriter<Sink>, CaptureError> {
        let file = path.as_ref().display().to_string();
        match output::create(path.as_ref()) {
            Ok((sink, pending)) => NgWriter::begin(sink, &file, pending),
            Err(kind) => Err(CaptureError { file: file.into(), offset: 0, packet: 0, kind }),
        }
    }
}

impl<W: Write> NgWriter<W> {
    /// Begins a capture in `write`, which errors call `file`.
    ///
    /// Fails if the section's header cannot be written.
    pub fn new(write: W, file: &str) -> Result<NgWriter<W>, CaptureError> {
        NgWriter::begin(write, file, None)
    }

    pub(crate) fn begin(write: W, file: &str, pending: Option<Pending>) -> Result<NgWriter<W>, CaptureError> {
        let mut writer = NgWriter {
            write,
            file: file.into(),
            interfaces: HashMap::new(),
            offset: 0,
            packets: 0,
            pending,
            block: Vec::new(),
        };
        write::section(&mut writer.block);
        match writer.flush_block() {
            Ok(()) => Ok(writer),
            Err(kind) => Err(writer.error(0, kind)),
        }
    }

    /// Whether nothing was described or written yet.
    pub(crate) fn is_empty(&self) -> bool {
        self.interfaces.is_empty()
    }

    /// Describes an interface, if none like it was: so a capture without packets says where they would be from.
    ///
    /// Fails if there are too many, its link type is beyond pcapng's 16 bits, or writing fails.
    pub fn describe(&mut self, interface: &Interface) -> Result<u32, CaptureError> {
        let described = (interface.link_type, interface.snaplen, interface.name.clone());
        if let Some(id) = self.interfaces.get(&described) {
            return Ok(*id);
        }
        let written = self.put_interface(interface);
        let id = written.map_err(|kind| self.error(0, kind))?;
        self.interfaces.insert(described, id);
        Ok(id)
    }

    fn put_interface(&mut self, interface: &Interface) -> Result<u32, CaptureErrorKind> {
        if self.interfaces.len() == MAX_INTERFACES {
            return Err(CaptureErrorKind::Interfaces);
        }
        write::interface(&mut self.block, interface)?;
        self.flush_block()?;
        Ok(self.interfaces.len() as u32)
    }

    /// Writes one packet: `time_ns` nanoseconds since 1970, `len` bytes long on the wire, of which `data` is known, with
    /// comments. A comment beyond 65,535 bytes is cut off.
    ///
    /// Fails as [`NgWriter::describe`] does, and if the data is longer than [`MAX_CAPTURED`].
    pub fn write_packet(
        &mut self,
        interface: &Interface,
        time_ns: u64,
        len: u32,
        data: &[u8],
        comments: &[&str],
    ) -> Result<(), CaptureError> {
        let number = self.packets + 1;
        if data.len() > MAX_CAPTURED {
            return Err(self.error(number, CaptureErrorKind::RecordSize { captured: data.len() as u64 }));
        }
        let id = self.describe(interface)?;
        write::packet(&mut self.block, id, time_ns, len, data, within(comments));
        self.flush_block().map_err(|kind| self.error(number, kind))?;
        self.packets = number;
        Ok(())
    }

    /// Writes the block and begins the next.
    fn flush_block(&mut self) -> Result<(), CaptureErrorKind> {
        let written = self.write.write_all(&self.block).map_err(CaptureErrorKind::Write);
        self.offset += self.block.len() as u64;
        self.block.clear();
        written
    }

    /// Writes out what is buffered, puts a file in its place, and gives back what was written to.
    ///
    /// Fails if writing or renaming fails; then no file appears.
    pub fn finish(mut self) -> Result<W, CaptureError> {
        let flushed = self.write.flush();
        let placed = flushed.and_then(|()| self.pending.take().map_or(Ok(()), Pending::commit));
        match placed {
            Ok(()) => Ok(self.write),
            Err(error) => Err(self.error(self.packets, CaptureErrorKind::Write(error))),
        }
    }

    fn error(&self, packet: u64, kind: CaptureErrorKind) -> CaptureError {
        CaptureError { file: self.file.clone(), offset: self.offset, packet, kind }
    }
}

/// As many of the comments as a block that is read takes.
fn within<'a, 'b>(comments: &'a [&'b str]) -> &'a [&'b str] {
    const MOST: usize = (MAX_BLOCK - MAX_CAPTURED) / (1 << 17);
    &comments[..comments.len().min(MOST)]
}
