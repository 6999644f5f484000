//! Reading a capture packet by packet.

use std::io::Read;
use std::path::Path;

use crate::error::{CaptureError, CaptureErrorKind};
use crate::input::{Source, Window};
use crate::link::LinkType;
use crate::pcap::{HEADER_SIZE, Header, Layout, MAX_CAPTURED, RECORD_SIZE};

/// One captured packet, borrowed from its [`Reader`] until the next is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    /// The packet's number in the capture, counted from 1.
    pub number: u64,
    /// When it was captured: nanoseconds since 1970.
    pub time_ns: u64,
    /// Its length on the wire, as the capture has it. Usually at least the captured length, but nothing enforces it:
    /// like tcpdump, the reader hands on a smaller one, or one of four billion, as it stands.
    pub len: u32,
    /// The bytes that were captured, at most [`MAX_CAPTURED`].
    pub data: &'a [u8],
    /// How `data` begins.
    pub link_type: LinkType,
}

/// Reads a capture from anything that is [`Read`]; it buffers by itself.
///
/// Packets before a damaged place are delivered, then an error names the place. The error repeats while the place stays
/// damaged; where a file merely had not been written to its end yet, reading goes on.
///
/// All captured bytes are delivered, up to [`MAX_CAPTURED`], whatever the header's snaplen is. libpcap cuts such packets
/// to the snaplen; here that would drop bytes that are there.
#[derive(Debug)]
pub struct Reader<R> {
    window: Window<R>,
    file: Box<str>,
    layout: Layout,
    /// Packets delivered so far.
    packets: u64,
}

impl Reader<Source> {
    /// Opens the capture at `path`, where `-` is standard input, and reads its header.
    ///
    /// Fails as [`Reader::new`] does, and if the path cannot be opened or is a directory.
    pub fn open(path: impl AsRef<Path>) -> Result<Reader<Source>, CaptureError> {
        let file = path.as_ref().display().to_string();
        match Source::open(path.as_ref()) {
            Ok(source) => Reader::new(source, &file),
            Err(kind) => Err(CaptureError { file: file.into(), offset: 0, packet: 0, kind }),
        }
    }
}

impl<R: Read> Reader<R> {
    /// Reads the header of the capture in `read`, which errors call `file`.
    ///
    /// Fails if there is no whole pcap header of a known version.
    pub fn new(read: R, file: &str) -> Result<Reader<R>, CaptureError> {
        let mut window = Window::new(read);
        let layout = match window.fill(HEADER_SIZE) {
            Ok(_) => Layout::decode(window.bytes()),
            Err(error) => Err(CaptureErrorKind::Read(error)),
        };
        match layout {
            Ok(layout) => {
                window.take(HEADER_SIZE);
                Ok(Reader { window, file: file.into(), layout, packets: 0 })
            }
            Err(kind) => Err(CaptureError { file: file.into(), offset: 0, packet: 0, kind }),
        }
    }

    /// What the file says about all its packets; a [`Writer`](crate::Writer) with this header writes alike.
    pub fn header(&self) -> &Header {
        &self.layout.header
    }

    /// The link type of the packets.
    pub fn link_type(&self) -> LinkType {
        self.layout.header.link_type
    }

    /// The next packet, or `None` at the capture's end.
    ///
    /// Fails if the file ends within a record, a record claims more than [`MAX_CAPTURED`] bytes, or reading fails.
    pub fn next_packet(&mut self) -> Result<Option<Packet<'_>>, CaptureError> {
        let head = match self.fill(RECORD_SIZE, "the record's header")? {
            0 => return Ok(None),
            _ => self.window.bytes().first_chunk().expect("the window was filled"),
        };
        let record = self.layout.record(head);
        let caplen = record.caplen as usize;
        if caplen > MAX_CAPTURED {
            return Err(self.error(CaptureErrorKind::RecordSize { captured: u64::from(record.caplen) }));
        }
        self.fill(RECORD_SIZE + caplen, "the record")?;
        self.packets += 1;
        let data = &self.window.take(RECORD_SIZE + caplen)[RECORD_SIZE..];
        Ok(Some(Packet {
            number: self.packets,
            time_ns: record.time_ns,
            len: record.len,
            data,
            link_type: self.layout.header.link_type,
        }))
    }

    /// Has `wanted` bytes in the window, and answers how many there are: at least `wanted`, or none.
    fn fill(&mut self, wanted: usize, part: &'static str) -> Result<usize, CaptureError> {
        match self.window.fill(wanted) {
            Ok(got) if got == 0 || got >= wanted => Ok(got),
            Ok(got) => Err(self.error(CaptureErrorKind::Truncated { part, wanted, got })),
            Err(error) => Err(self.error(CaptureErrorKind::Read(error))),
        }
    }

    /// An error in the record that comes next.
    fn error(&self, kind: CaptureErrorKind) -> CaptureError {
        CaptureError { file: self.file.clone(), offset: self.window.offset(), packet: self.packets + 1, kind }
    }
}
