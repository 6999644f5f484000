//! Writing a capture packet by packet.

use std::io::Write;
use std::path::Path;

use crate::error::{CaptureError, CaptureErrorKind};
use crate::output::{self, Pending, Sink};
use crate::pcap::{HEADER_SIZE, Header, MAX_CAPTURED, RECORD_SIZE, Record, encode_header, encode_record};

/// Writes a pcap capture into anything that is [`Write`], in one or two writes per packet: hand it a buffered one.
///
/// [`Writer::finish`] must be called: only then is everything written, and, for a file, in its place.
#[derive(Debug)]
#[must_use = "nothing is in its place before finish()"]
pub struct Writer<W> {
    write: W,
    file: Box<str>,
    header: Header,
    /// Bytes written so far.
    offset: u64,
    /// Packets written so far.
    packets: u64,
    pending: Option<Pending>,
}

impl Writer<Sink> {
    /// Begins the capture at `path`, where `-` is standard output.
    ///
    /// A file is written under a temporary name beside `path` and renamed by [`Writer::finish`], so that nobody meets half
    /// a capture, a failed run leaves what was there, and a capture may be written over the one being read. Devices and
    /// pipes are written directly.
    ///
    /// Fails if the file cannot be made, the path is a directory, or the header cannot be written.
    pub fn create(path: impl AsRef<Path>, header: Header) -> Result<Writer<Sink>, CaptureError> {
        let file = path.as_ref().display().to_string();
        match output::create(path.as_ref()) {
            Ok((sink, pending)) => Writer::begin(sink, &file, header, pending),
            Err(kind) => Err(CaptureError { file: file.into(), offset: 0, packet: 0, kind }),
        }
    }
}

impl<W: Write> Writer<W> {
    /// Begins a capture in `write`, which errors call `file`.
    ///
    /// Fails if the header cannot be written.
    pub fn new(write: W, file: &str, header: Header) -> Result<Writer<W>, CaptureError> {
        Writer::begin(write, file, header, None)
    }

    pub(crate) fn begin(
        write: W,
        file: &str,
        header: Header,
        pending: Option<Pending>,
    ) -> Result<Writer<W>, CaptureError> {
        let mut writer = Writer { write, file: file.into(), header, offset: 0, packets: 0, pending };
        match writer.write.write_all(&encode_header(&header)) {
            Ok(()) => {
                writer.offset = HEADER_SIZE as u64;
                Ok(writer)
            }
            Err(error) => Err(writer.error(0, CaptureErrorKind::Write(error))),
        }
    }

    /// Writes one packet: `time_ns` nanoseconds since 1970, `len` bytes long on the wire, of which `data` is known.
    ///
    /// Data beyond the header's snaplen is cut off, as tcpdump does; in a file of microseconds the time is rounded down.
    /// Fails if the time lies after pcap's 32 bits of seconds, the data is longer than [`MAX_CAPTURED`], or writing fails.
    pub fn write_packet(&mut self, time_ns: u64, len: u32, data: &[u8]) -> Result<(), CaptureError> {
        let number = self.packets + 1;
        self.put(time_ns, len, data).map_err(|kind| self.error(number, kind))?;
        self.packets = number;
        Ok(())
    }

    fn put(&mut self, time_ns: u64, len: u32, data: &[u8]) -> Result<(), CaptureErrorKind> {
        if data.len() > MAX_CAPTURED {
            return Err(CaptureErrorKind::RecordSize { captured: data.len() as u64 });
        }
        let data = &data[..data.len().min(self.header.snaplen as usize)];
        let record = encode_record(&self.header, Record { time_ns, caplen: data.len() as u32, len })?;
        self.write.write_all(&record).map_err(CaptureErrorKind::Write)?;
        self.write.write_all(data).map_err(CaptureErrorKind::Write)?;
        self.offset += (RECORD_SIZE + data.len()) as u64;
        Ok(())
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

    /// What the file says about all its packets.
    pub(crate) fn header(&self) -> &Header {
        &self.header
    }

    /// Packets written so far.
    pub(crate) fn packets(&self) -> u64 {
        self.packets
    }

    pub(crate) fn error(&self, packet: u64, kind: CaptureErrorKind) -> CaptureError {
        CaptureError { file: self.file.clone(), offset: self.offset, packet, kind }
    }
}
