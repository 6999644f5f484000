//! Reading a capture packet by packet.

use std::borrow::Cow;
use std::io::{self, Read};
use std::path::Path;

use crate::error::{CaptureError, CaptureErrorKind};
use crate::interface::Interface;
use crate::link::LinkType;
use crate::pcap::{HEADER_SIZE, Header, Layout, MAX_CAPTURED, RECORD_SIZE, Record};
use crate::pcapng::options::{Options, code};
use crate::pcapng::{FRAME, Found, Head, MAGIC, MAX_BLOCK, Section, kind, text};
use crate::source::Source;
use crate::window::Window;

/// One captured packet, borrowed from its [`Reader`] until the next is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    /// The packet's number in the capture, counted from 1.
    pub number: u64,
    /// When it was captured: nanoseconds since 1970. Packets of pcapng's simple packet blocks have no time, and 0 here.
    pub time_ns: u64,
    /// Its length on the wire, as the capture has it. Usually at least the captured length, but nothing enforces it:
    /// like tcpdump, the reader hands on a smaller one, or one of four billion, as it stands.
    pub len: u32,
    /// The bytes that were captured, at most [`MAX_CAPTURED`].
    pub data: &'a [u8],
    /// How `data` begins.
    pub link_type: LinkType,
    /// Where it was captured.
    pub interface: &'a Interface,
    options: Options<'a>,
}

impl<'a> Packet<'a> {
    /// Whether fewer bytes were captured than the packet had.
    pub fn truncated(&self) -> bool {
        (self.data.len() as u64) < u64::from(self.len)
    }

    /// What someone noted about the packet; only pcapng has such comments.
    pub fn comments(&self) -> impl Iterator<Item = Cow<'a, str>> + use<'a> {
        self.options.filter(|(code, _)| *code == code::COMMENT).map(|(_, value)| text(value))
    }
}

/// Reads a capture from anything that is [`Read`]; it buffers by itself.
///
/// Packets before a damaged place are delivered, then an error names the place. The error repeats while the place stays
/// damaged; where a file merely had not been written to its end yet, reading goes on (see [`Reader::poll`]).
///
/// All captured bytes are delivered, up to [`MAX_CAPTURED`], whatever the capture's snaplen is. libpcap cuts such packets
/// to the snaplen; here that would drop bytes that are there.
#[derive(Debug)]
pub struct Reader<R> {
    window: Window<R>,
    file: Box<str>,
    format: Format,
    /// Packets delivered so far.
    packets: u64,
}

/// What was learned about the file so far.
#[derive(Debug)]
enum Format {
    Pcap { layout: Layout, interface: Interface },
    Pcapng { section: Section, skip: Option<Skip> },
}

/// A block that is passed over, of which `left` bytes are still to come.
#[derive(Clone, Copy, Debug)]
struct Skip {
    head: Head,
    start: u64,
    left: u64,
}

impl Reader<Source> {
    /// Opens the capture at `path`, where `-` is standard input, and reads its header.
    ///
    /// With the feature `compress`, captures compressed by gzip or zstd are read as what they were.
    ///
    /// Fails as [`Reader::new`] does, and if the path cannot be opened or is a directory.
    pub fn open(path: impl AsRef<Path>) -> Result<Reader<Source>, CaptureError> {
        let file = path.as_ref().display().to_string();
        match Source::open(path.as_ref()) {
            Ok(source) => Reader::new(source, &file),
            Err(kind) => Err(CaptureError { file: file.into(), offset: 0, packet: 0, kind }),
        }
    }

    /// The file.
    pub fn source(&self) -> &Source {
        self.window.get_ref()
    }

    /// How much of the file was read, in bytes of the file as it is, compressed or not.
    pub fn file_read(&self) -> u64 {
        self.source().compressed_read().unwrap_or(self.window.read_so_far())
    }

    /// Fails where the file has become shorter than what was read of it: it was begun anew, and what comes would be
    /// read from the middle.
    pub fn check_length(&self) -> Result<(), CaptureError> {
        let read = self.window.read_so_far();
        let kind = match self.source().len_now() {
            Ok(Some(len)) if len < read => CaptureErrorKind::Shrunk { read, len },
            Ok(_) => return Ok(()),
            Err(error) => CaptureErrorKind::Read(error),
        };
        Err(self.error(0, kind))
    }
}

impl<R: Read> Reader<R> {
    /// Reads the header of the capture in `read`, which errors call `file`.
    ///
    /// Fails if there is no whole header of a known format and version.
    pub fn new(read: R, file: &str) -> Result<Reader<R>, CaptureError> {
        let mut window = Window::new(read);
        match begin(&mut window) {
            Ok(format) => Ok(Reader { window, file: file.into(), format, packets: 0 }),
            Err(kind) => Err(CaptureError { file: file.into(), offset: 0, packet: 0, kind }),
        }
    }

    /// What a pcap says about all its packets; a [`Writer`](crate::Writer) with this header writes alike. None for
    /// pcapng.
    pub fn header(&self) -> Option<&Header> {
        match &self.format {
            Format::Pcap { layout, .. } => Some(&layout.header),
            Format::Pcapng { .. } => None,
        }
    }

    /// The interfaces that are known by now: that of a pcap, or those that the current section of a pcapng has described
    /// so far. At the beginning of a pcapng there are none.
    pub fn interfaces(&self) -> &[Interface] {
        match &self.format {
            Format::Pcap { interface, .. } => std::slice::from_ref(interface),
            Format::Pcapng { section, .. } => &section.interfaces,
        }
    }

    /// The next packet, or `None` at the capture's end.
    ///
    /// Fails if the file ends within a packet, something in it is not as the format has it, a packet claims more than
    /// [`MAX_CAPTURED`] bytes, or reading fails.
    #[inline]
    pub fn next_packet(&mut self) -> Result<Option<Packet<'_>>, CaptureError> {
        match &self.format {
            Format::Pcap { .. } => self.next_record(),
            Format::Pcapng { .. } => self.next_block(),
        }
    }

    /// Whether the next packet can be read now: false at the end of what is there, be it between packets or in the middle
    /// of one. By then the interfaces described before it are known.
    ///
    /// So a growing file is followed, and the first interface of a pcapng learned. Fails as [`Reader::next_packet`] does.
    pub fn poll(&mut self) -> Result<bool, CaptureError> {
        let found = match &self.format {
            Format::Pcap { .. } => self.find_record().map(|found| found.is_some()),
            Format::Pcapng { .. } => self.find_packet().map(|found| found.is_some()),
        };
        match found {
            Err(error) if matches!(error.kind, CaptureErrorKind::Truncated { .. }) => Ok(false),
            found => found,
        }
    }

    /// The next record of a pcap.
    #[inline]
    fn next_record(&mut self) -> Result<Option<Packet<'_>>, CaptureError> {
        let ready = match &self.format {
            Format::Pcap { layout, .. } => layout.ready(self.window.bytes()),
            Format::Pcapng { .. } => None,
        };
        // One place delivers, so that the packet stays in registers.
        let found = match ready {
            Some(record) => Some(record),
            None => self.find_record()?,
        };
        Ok(found.map(|record| self.deliver_record(record)))
    }

    /// Has the next record whole at the window's start. None at the end.
    #[cold]
    fn find_record(&mut self) -> Result<Option<Record>, CaptureError> {
        let Format::Pcap { layout, .. } = self.format else { unreachable!("asked for a pcap") };
        let number = self.packets + 1;
        let head = match self.fill(RECORD_SIZE, number, "the record's header")? {
            0 => return Ok(None),
            _ => self.window.bytes().first_chunk().expect("the window was filled"),
        };
        let record = layout.record(head);
        let caplen = record.caplen as usize;
        if caplen > MAX_CAPTURED {
            return Err(self.error(number, CaptureErrorKind::RecordSize { captured: u64::from(record.caplen) }));
        }
        self.fill(RECORD_SIZE + caplen, number, "the record")?;
        Ok(Some(record))
    }

    /// Consumes the record at the window's start, which is whole there.
    #[inline]
    fn deliver_record(&mut self, record: Record) -> Packet<'_> {
        let Format::Pcap { interface, .. } = &self.format else { unreachable!("asked for a pcap") };
        self.packets += 1;
        Packet {
            number: self.packets,
            time_ns: record.time_ns,
            len: record.len,
            data: &self.window.take(RECORD_SIZE + record.caplen as usize)[RECORD_SIZE..],
            link_type: interface.link_type,
            interface,
            options: Options::NONE,
        }
    }

    /// The next packet of a pcapng.
    #[inline]
    fn next_block(&mut self) -> Result<Option<Packet<'_>>, CaptureError> {
        let ready = match &self.format {
            Format::Pcapng { section, skip: None } => section.ready(self.window.bytes()),
            _ => None,
        };
        let found = match ready {
            Some(found) => Some(found),
            None => self.search()?,
        };
        Ok(found.map(|(len, found)| self.deliver(len, found)))
    }

    /// The next packet of a pcapng, wherever it is and however it is written; it is whole at the window's start, in a
    /// block of this length.
    #[cold]
    fn search(&mut self) -> Result<Option<(usize, Found)>, CaptureError> {
        match self.find_packet()? {
            Some(head) => self.packet(head).map(|found| Some((head.len as usize, found))),
            None => Ok(None),
        }
    }

    /// Has the next block that is a packet whole at the window's start, and learns what those before it say. None at the
    /// end.
    fn find_packet(&mut self) -> Result<Option<Head>, CaptureError> {
        loop {
            let Some(head) = self.next_head()? else { return Ok(None) };
            let number = if head.packet() { self.packets + 1 } else { 0 };
            let len = head.len as usize;
            if len > MAX_BLOCK {
                return Err(self.error(number, CaptureErrorKind::BlockSize { block: head.name(), len: head.len }));
            }
            self.fill(len, number, "the block")?;
            if head.packet() {
                return Ok(Some(head));
            }
            match self.describe(head) {
                Ok(()) => self.window.take(len),
                Err(kind) => return Err(self.error(0, kind)),
            };
        }
    }

    /// The packet in the block at the window's start.
    fn packet(&self, head: Head) -> Result<Found, CaptureError> {
        let Format::Pcapng { section, .. } = &self.format else { unreachable!("asked for a pcapng") };
        body(self.window.bytes(), head)
            .and_then(|body| section.packet(head, body))
            .map_err(|kind| self.error(self.packets + 1, kind))
    }

    /// Consumes the block of `len` bytes at the window's start, in which a packet was found.
    #[inline]
    fn deliver(&mut self, len: usize, found: Found) -> Packet<'_> {
        let Format::Pcapng { section, .. } = &self.format else { unreachable!("asked for a pcapng") };
        self.packets += 1;
        let body = &self.window.take(len)[8..len - 4];
        let interface = &section.interfaces[found.interface as usize];
        Packet {
            number: self.packets,
            time_ns: found.time_ns,
            len: found.len,
            data: &body[found.at..found.at + found.captured],
            link_type: interface.link_type,
            interface,
            options: Options::new(section.order, &body[found.options..]),
        }
    }

    /// Learns what the block at the window's start says, which is no packet.
    fn describe(&mut self, head: Head) -> Result<(), CaptureErrorKind> {
        let Format::Pcapng { section, .. } = &mut self.format else { unreachable!("asked for a pcapng") };
        let body = body(self.window.bytes(), head)?;
        match head.kind {
            kind::SECTION => *section = Section::decode(head, body, section.number.wrapping_add(1))?,
            _ => section.add_interface(head, body)?,
        }
        Ok(())
    }

    /// The start of the next block whose content is looked at; those before it are consumed. None at the end.
    fn next_head(&mut self) -> Result<Option<Head>, CaptureError> {
        loop {
            if let Format::Pcapng { skip: Some(_), .. } = self.format {
                self.skip()?;
            }
            if self.fill(FRAME, 0, "the block's header")? == 0 {
                return Ok(None);
            }
            let Format::Pcapng { section, skip } = &mut self.format else { unreachable!("asked for a pcapng") };
            let bytes = self.window.bytes().first_chunk().expect("the window was filled");
            match Head::decode(section.order, bytes) {
                Ok(head) if head.known() => return Ok(Some(head)),
                Ok(head) => *skip = Some(Skip { head, start: self.window.offset(), left: head.len.into() }),
                Err(kind) => return Err(self.error(0, kind)),
            }
        }
    }

    /// Passes over what is left of a block, as much of it at once as is in the window.
    #[cold]
    fn skip(&mut self) -> Result<(), CaptureError> {
        let Format::Pcapng { skip: Some(mut skip), .. } = self.format else { return Ok(()) };
        let result = loop {
            let wanted = if skip.left > 4 { 1 } else { 4 };
            let there = match self.window.fill(wanted) {
                Ok(there) => there,
                Err(error) => break Err(read_error(error)),
            };
            if there < wanted {
                let got = u64::from(skip.head.len) - skip.left + there as u64;
                break Err(CaptureErrorKind::Truncated { part: "the block", wanted: skip.head.len.into(), got });
            }
            if skip.left == 4 {
                let trailer = *self.window.bytes().first_chunk().expect("the window was filled");
                break skip.head.check_end(trailer).map(|()| {
                    self.window.take(4);
                });
            }
            let passed = (skip.left - 4).min(there as u64);
            self.window.take(passed as usize);
            skip.left -= passed;
        };
        let Format::Pcapng { skip: state, .. } = &mut self.format else { unreachable!("asked for a pcapng") };
        *state = result.is_err().then_some(skip);
        result.map_err(|kind| CaptureError { file: self.file.clone(), offset: skip.start, packet: 0, kind })
    }

    /// Has `wanted` bytes in the window, and answers how many there are: at least `wanted`, or none.
    #[inline]
    fn fill(&mut self, wanted: usize, number: u64, part: &'static str) -> Result<usize, CaptureError> {
        match self.window.fill(wanted) {
            Ok(got) if got == 0 || got >= wanted => Ok(got),
            Ok(got) => Err(self.truncated(wanted, got, number, part)),
            Err(error) => Err(self.error(number, read_error(error))),
        }
    }

    #[cold]
    fn truncated(&self, wanted: usize, got: usize, number: u64, part: &'static str) -> CaptureError {
        self.error(number, CaptureErrorKind::Truncated { part, wanted: wanted as u64, got: got as u64 })
    }

    /// An error in what comes next.
    #[cold]
    fn error(&self, packet: u64, kind: CaptureErrorKind) -> CaptureError {
        CaptureError { file: self.file.clone(), offset: self.window.offset(), packet, kind }
    }
}

/// Reads what every capture begins with.
fn begin<R: Read>(window: &mut Window<R>) -> Result<Format, CaptureErrorKind> {
    window.fill(HEADER_SIZE).map_err(read_error)?;
    if !window.bytes().starts_with(&MAGIC) {
        let layout = Layout::decode(window.bytes())?;
        window.take(HEADER_SIZE);
        let interface = Interface { snaplen: layout.header.snaplen, ..Interface::new(layout.header.link_type) };
        return Ok(Format::Pcap { layout, interface });
    }
    let cut = |wanted: usize, got: usize| CaptureErrorKind::Truncated {
        part: "the first section's header",
        wanted: wanted as u64,
        got: got as u64,
    };
    let Some(start) = window.bytes().first_chunk() else { return Err(cut(FRAME, window.bytes().len())) };
    // Of a section header, the order is its own.
    let head = Head::decode(crate::ByteOrder::Little, start)?;
    let len = head.len as usize;
    if len > MAX_BLOCK {
        return Err(CaptureErrorKind::BlockSize { block: head.name(), len: head.len });
    }
    let got = window.fill(len).map_err(read_error)?;
    if got < len {
        return Err(cut(len, got));
    }
    let section = Section::decode(head, body(window.bytes(), head)?, 0)?;
    window.take(len);
    Ok(Format::Pcapng { section, skip: None })
}

/// The body of the block at the start of `bytes`, which has it whole, once its two lengths agree.
fn body(bytes: &[u8], head: Head) -> Result<&[u8], CaptureErrorKind> {
    let block = &bytes[..head.len as usize];
    let (front, trailer) = block.split_last_chunk().expect("a block has a frame");
    head.check_end(*trailer)?;
    Ok(&front[8..])
}

fn read_error(error: io::Error) -> CaptureErrorKind {
    #[cfg(feature = "compress")]
    return crate::compress::Damaged::kind(error);
    #[cfg(not(feature = "compress"))]
    CaptureErrorKind::Read(error)
}
