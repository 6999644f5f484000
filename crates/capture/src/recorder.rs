//! Writing packets of any capture, in the format that a file's name asks for.

use std::path::Path;

use crate::error::{CaptureError, CaptureErrorKind};
use crate::interface::Interface;
use crate::link::LinkType;
use crate::ngwriter::NgWriter;
use crate::output::{self, Pending, Sink};
use crate::pcap::Header;
use crate::writer::Writer;

/// A format that is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// pcap, in nanoseconds.
    Pcap,
    /// pcapng.
    Pcapng,
}

impl Format {
    /// The format that a file's name asks for: pcapng for `….pcapng` and `….ntar`, else pcap.
    ///
    /// ```
    /// use oxbpf_capture::Format;
    ///
    /// assert_eq!(Format::of_path("out.pcapng"), Format::Pcapng);
    /// assert_eq!(Format::of_path("-"), Format::Pcap);
    /// ```
    pub fn of_path(path: impl AsRef<Path>) -> Format {
        let extension = path.as_ref().extension().and_then(|e| e.to_str()).unwrap_or_default();
        match extension.to_ascii_lowercase().as_str() {
            "pcapng" | "ntar" => Format::Pcapng,
            _ => Format::Pcap,
        }
    }

    /// The extension of files in this format.
    pub const fn extension(self) -> &'static str {
        match self {
            Format::Pcap => "pcap",
            Format::Pcapng => "pcapng",
        }
    }
}

/// Writes a capture whose link type is known once the first packet comes.
///
/// ```no_run
/// use oxbpf_capture::{Format, Interface, LinkType, Recorder};
///
/// # fn main() -> Result<(), oxbpf_capture::CaptureError> {
/// let mut recorder = Recorder::create("out.pcapng", Format::of_path("out.pcapng"))?;
/// recorder.write(&Interface::new(LinkType::EN10MB), 0, 60, &[0; 60], &["verdict: ok"])?;
/// recorder.finish(&Interface::new(LinkType::EN10MB))?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "nothing is in its place before finish()"]
pub struct Recorder {
    file: Box<str>,
    state: State,
}

#[derive(Debug)]
enum State {
    /// A pcap before its first packet.
    Waiting(Sink, Option<Pending>),
    Pcap(Box<Writer<Sink>>),
    Pcapng(Box<NgWriter<Sink>>),
    /// The header could not be written; said already.
    Failed,
}

impl Recorder {
    /// Opens `path` for a capture in this format, in the way of [`Writer::create`].
    ///
    /// Fails if the file cannot be made or the path is a directory.
    pub fn create(path: impl AsRef<Path>, format: Format) -> Result<Recorder, CaptureError> {
        let file: Box<str> = path.as_ref().display().to_string().into();
        let (sink, pending) = match output::create(path.as_ref()) {
            Ok(opened) => opened,
            Err(kind) => return Err(CaptureError { file, offset: 0, packet: 0, kind }),
        };
        let state = match format {
            Format::Pcap => State::Waiting(sink, pending),
            Format::Pcapng => State::Pcapng(Box::new(NgWriter::begin(sink, &file, pending)?)),
        };
        Ok(Recorder { file, state })
    }

    /// Writes a packet with comments, which a pcap cannot have and does not get.
    ///
    /// Fails as the writers do, and if a pcap would get a second link type.
    pub fn write(
        &mut self,
        interface: &Interface,
        time_ns: u64,
        len: u32,
        data: &[u8],
        comments: &[&str],
    ) -> Result<(), CaptureError> {
        self.begin(interface.link_type)?;
        match &mut self.state {
            State::Pcap(writer) => {
                let (first, second) = (writer.header().link_type, interface.link_type);
                if first == second {
                    return writer.write_packet(time_ns, len, data);
                }
                Err(writer.error(writer.packets() + 1, CaptureErrorKind::LinkMixed { first, second }))
            }
            State::Pcapng(writer) => writer.write_packet(interface, time_ns, len, data, comments),
            State::Waiting(..) | State::Failed => Ok(()),
        }
    }

    /// Writes out what is buffered and puts a file in its place. A capture without packets is of `interface`.
    ///
    /// Fails if writing or renaming fails; then no file appears.
    pub fn finish(mut self, interface: &Interface) -> Result<(), CaptureError> {
        self.begin(interface.link_type)?;
        match self.state {
            State::Pcap(writer) => writer.finish().map(drop),
            State::Pcapng(mut writer) => {
                if writer.is_empty() {
                    writer.describe(interface)?;
                }
                writer.finish().map(drop)
            }
            State::Waiting(..) | State::Failed => Ok(()),
        }
    }

    /// Writes the header of a pcap that waits for it.
    fn begin(&mut self, link_type: LinkType) -> Result<(), CaptureError> {
        if !matches!(self.state, State::Waiting(..)) {
            return Ok(());
        }
        if let State::Waiting(sink, pending) = std::mem::replace(&mut self.state, State::Failed) {
            let writer = Writer::begin(sink, &self.file, Header::new(link_type), pending)?;
            self.state = State::Pcap(Box::new(writer));
        }
        Ok(())
    }
}
