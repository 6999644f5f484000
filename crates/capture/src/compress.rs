//! gzip and zstd, read as streams: what a bomb would unpack to is never in memory.

use std::error::Error;
use std::fmt;
use std::io::{self, BufRead, BufReader, Read};

use flate2::bufread::MultiGzDecoder;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use crate::error::CaptureErrorKind;
use crate::source::Peeked;

/// A compression that is undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Gzip,
    Zstd,
}

impl Format {
    /// The compression of a stream that begins so.
    pub(crate) fn of(head: &[u8]) -> Option<Format> {
        match *head {
            [0x1f, 0x8b, ..] => Some(Format::Gzip),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Some(Format::Zstd),
            // A frame to be passed over, as parallel compressors put first.
            [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Some(Format::Zstd),
            _ => None,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Format::Gzip => "gzip",
            Format::Zstd => "zstd",
        }
    }
}

/// A compressed stream as what was compressed.
pub(crate) struct Decompressed<R> {
    format: Format,
    decoder: Decoder<Counted<R>>,
    /// What was wrong: decoders do not say it twice.
    damage: Option<Damaged>,
}

enum Decoder<R> {
    Gzip(MultiGzDecoder<BufReader<R>>),
    Zstd(Box<Zstd<BufReader<R>>>),
}

impl<R: Read> Decompressed<R> {
    pub(crate) fn new(format: Format, peeked: Peeked<R>) -> Decompressed<R> {
        Decompressed { format, decoder: Decoder::new(format, Counted { peeked, count: 0 }), damage: None }
    }

    /// How many compressed bytes were read.
    pub(crate) fn read_so_far(&self) -> u64 {
        match &self.decoder {
            Decoder::Gzip(gzip) => gzip.get_ref().get_ref().count,
            Decoder::Zstd(zstd) => zstd.input.get_ref().count,
        }
    }
}

impl<R: Read> Decoder<R> {
    fn new(format: Format, read: R) -> Decoder<R> {
        let input = BufReader::with_capacity(INPUT_BUFFER, read);
        match format {
            Format::Gzip => Decoder::Gzip(MultiGzDecoder::new(input)),
            Format::Zstd => Decoder::Zstd(Box::new(Zstd::new(input))),
        }
    }

    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Decoder::Gzip(gzip) => gzip.read(buffer),
            Decoder::Zstd(zstd) => zstd.read(buffer),
        }
    }
}

impl<R: Read> Read for Decompressed<R> {
    /// An error is a [`Damaged`], unless reading itself failed. Damage stays.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Some(damage) = &self.damage {
            return Err(damage.clone().into());
        }
        self.decoder.read(buffer).map_err(|error| match Damaged::of(self.format, &error) {
            Some(damage) => self.damage.insert(damage).clone().into(),
            None => error,
        })
    }
}

impl<R> fmt::Debug for Decompressed<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decompressed").field("format", &self.format).finish_non_exhaustive()
    }
}

/// Bytes that are no compressed data, or not all of it.
#[derive(Clone, Debug)]
pub(crate) struct Damaged {
    format: Format,
    what: String,
}

impl Damaged {
    /// What an error of a decoder says of the data; none where reading it failed, or was interrupted.
    fn of(format: Format, error: &io::Error) -> Option<Damaged> {
        let what = match error.kind() {
            _ if error.raw_os_error().is_some() => return None,
            io::ErrorKind::Interrupted => return None,
            // Decoders' words for the same thing differ.
            io::ErrorKind::UnexpectedEof => "it ends too early".to_string(),
            _ => error.to_string().to_lowercase(),
        };
        Some(Damaged { format, what })
    }

    /// The kind of an error in reading.
    pub(crate) fn kind(error: io::Error) -> CaptureErrorKind {
        match error.get_ref().and_then(|inner| inner.downcast_ref::<Damaged>()) {
            Some(Damaged { format, what }) => {
                CaptureErrorKind::Compressed { format: format.name(), what: what.clone() }
            }
            None => CaptureErrorKind::Read(error),
        }
    }
}

impl fmt::Display for Damaged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl Error for Damaged {}

impl From<Damaged> for io::Error {
    fn from(damage: Damaged) -> io::Error {
        io::Error::new(io::ErrorKind::InvalidData, damage)
    }
}

/// All frames of a zstd stream, one after the other.
struct Zstd<R> {
    input: R,
    decoder: FrameDecoder,
    /// Whether a frame has begun and was not read to its end.
    within: bool,
}

impl<R: BufRead> Zstd<R> {
    fn new(input: R) -> Zstd<R> {
        let mut decoder = FrameDecoder::new();
        decoder.set_max_window_size(MAX_WINDOW);
        Zstd { input, decoder, within: false }
    }

    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if !self.within {
                if self.input.fill_buf()?.is_empty() {
                    return Ok(0);
                }
                self.begin()?;
                continue;
            }
            while self.decoder.can_collect() == 0 && !self.decoder.is_finished() {
                self.decoder.decode_blocks(&mut self.input, BlockDecodingStrategy::UptoBlocks(1)).map_err(plain)?;
            }
            let count = self.decoder.read(buffer)?;
            if count > 0 || buffer.is_empty() {
                return Ok(count);
            }
            self.within = false;
            let said = self.decoder.get_checksum_from_data();
            if said.is_some() && said != self.decoder.get_calculated_checksum() {
                return Err(io::Error::other("a frame's checksum is another"));
            }
        }
    }

    /// Begins the next frame, or passes over one without data.
    fn begin(&mut self) -> io::Result<()> {
        match self.decoder.init(&mut self.input) {
            Ok(()) => {
                self.within = true;
                Ok(())
            }
            Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame { length, .. })) => {
                let length = u64::from(length);
                let passed = io::copy(&mut (&mut self.input).take(length), &mut io::sink())?;
                if passed < length { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
            }
            Err(error) => Err(plain(error)),
        }
    }
}

/// A decoder's error; that it had too little to read, and a system's error, are found again within it.
fn plain(error: FrameDecoderError) -> io::Error {
    let mut source: Option<&(dyn Error + 'static)> = Some(&error);
    while let Some(inner) = source {
        if let Some(io) = inner.downcast_ref::<io::Error>() {
            return match io.raw_os_error() {
                Some(code) => io::Error::from_raw_os_error(code),
                None if io.kind() == io::ErrorKind::UnexpectedEof => io.kind().into(),
                None => io::Error::other(error),
            };
        }
        source = inner.source();
    }
    io::Error::other(error)
}

/// A stream that counts what was read from it.
struct Counted<R> {
    peeked: Peeked<R>,
    count: u64,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.peeked.read(buffer)?;
        self.count += count as u64;
        Ok(count)
    }
}

/// Compressed bytes that are read at once.
const INPUT_BUFFER: usize = 64 << 10;
/// The most a zstd frame may demand to keep for references back: what zstd itself allows unless told otherwise. It bounds
/// memory.
const MAX_WINDOW: u64 = 128 << 20;
