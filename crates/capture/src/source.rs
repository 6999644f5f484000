//! Files and streams, and what they are compressed with.

use std::fs::File;
use std::io::{self, Read, Stdin};
use std::path::Path;

use crate::error::CaptureErrorKind;

/// What [`Reader::open`](crate::Reader::open) reads from: a file, unpacked where it is compressed.
#[derive(Debug)]
pub struct Source {
    stream: Unpack<Raw>,
    /// The file's length when it was opened, where it is a regular one.
    len: Option<u64>,
}

impl Source {
    /// Opens `path`; `-` is standard input.
    pub(crate) fn open(path: &Path) -> Result<Source, CaptureErrorKind> {
        let (raw, len) = match path.as_os_str() == "-" {
            true => (Raw::Stdin(io::stdin()), None),
            false => open_file(path)?,
        };
        let stream = Unpack::new(raw).map_err(CaptureErrorKind::Read)?;
        Ok(Source { stream, len })
    }

    /// The length of the file when it was opened; none for what is no regular file.
    pub fn file_len(&self) -> Option<u64> {
        self.len
    }

    /// Whether the bytes are decompressed on the way.
    pub fn compressed(&self) -> bool {
        self.stream.compressed()
    }

    /// How many bytes of the file itself, as it is compressed, were read; none where it is read as it is.
    pub(crate) fn compressed_read(&self) -> Option<u64> {
        match &self.stream.inner {
            Inner::Plain(_) => None,
            #[cfg(feature = "compress")]
            Inner::Compressed(stream) => Some(stream.read_so_far()),
        }
    }

    /// The file's length now; none for what is no regular file, or compressed.
    pub(crate) fn len_now(&self) -> io::Result<Option<u64>> {
        match &self.stream.inner {
            Inner::Plain(Peeked { raw: Raw::File(file), .. }) => {
                let metadata = file.metadata()?;
                Ok(metadata.is_file().then_some(metadata.len()))
            }
            _ => Ok(None),
        }
    }
}

impl Read for Source {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.read(buffer)
    }
}

fn open_file(path: &Path) -> Result<(Raw, Option<u64>), CaptureErrorKind> {
    let file = File::open(path).map_err(CaptureErrorKind::Open)?;
    let metadata = file.metadata().ok();
    // Linux opens a directory for reading and only then refuses the read.
    if metadata.as_ref().is_some_and(|m| m.is_dir()) {
        return Err(CaptureErrorKind::Directory);
    }
    let len = metadata.filter(|m| m.is_file()).map(|m| m.len());
    Ok((Raw::File(file), len))
}

/// A file, a pipe or a device; or standard input.
#[derive(Debug)]
enum Raw {
    File(File),
    Stdin(Stdin),
}

impl Read for Raw {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Raw::File(file) => file.read(buffer),
            Raw::Stdin(stdin) => stdin.read(buffer),
        }
    }
}

/// A stream, decompressed where it begins as gzip or zstd and the feature `compress` is on, else as it is.
///
/// Memory is bounded whatever the stream unpacks to: 128 MiB for the longest reference back that a zstd frame may ask
/// for, 32 KiB for gzip.
///
/// ```
/// use std::io::Read;
///
/// let mut text = String::new();
/// oxbpf_capture::Unpack::new(&b"as it is"[..])?.read_to_string(&mut text)?;
/// assert_eq!(text, "as it is");
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Unpack<R> {
    inner: Inner<R>,
}

#[derive(Debug)]
enum Inner<R> {
    Plain(Peeked<R>),
    #[cfg(feature = "compress")]
    Compressed(Box<crate::compress::Decompressed<R>>),
}

impl<R: Read> Unpack<R> {
    /// Looks at the first four bytes of the stream.
    ///
    /// Fails if they cannot be read.
    pub fn new(raw: R) -> io::Result<Unpack<R>> {
        let peeked = Peeked::new(raw)?;
        #[cfg(feature = "compress")]
        if let Some(format) = crate::compress::Format::of(peeked.head()) {
            let stream = crate::compress::Decompressed::new(format, peeked);
            return Ok(Unpack { inner: Inner::Compressed(Box::new(stream)) });
        }
        Ok(Unpack { inner: Inner::Plain(peeked) })
    }

    /// Whether the bytes are decompressed on the way.
    pub fn compressed(&self) -> bool {
        !matches!(self.inner, Inner::Plain(_))
    }
}

impl<R: Read> Read for Unpack<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &mut self.inner {
            Inner::Plain(plain) => plain.read(buffer),
            #[cfg(feature = "compress")]
            Inner::Compressed(stream) => stream.read(buffer),
        }
    }
}

/// A stream whose first bytes were looked at.
#[derive(Debug)]
pub(crate) struct Peeked<R> {
    raw: R,
    head: [u8; HEAD],
    /// How many there are, and how many were read since.
    len: usize,
    at: usize,
}

/// Enough for every magic.
const HEAD: usize = 4;

impl<R: Read> Peeked<R> {
    fn new(mut raw: R) -> io::Result<Peeked<R>> {
        let (mut head, mut len) = ([0; HEAD], 0);
        while len < HEAD {
            match raw.read(&mut head[len..]) {
                Ok(0) => break,
                Ok(count) => len += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Peeked { raw, head, len, at: 0 })
    }

    /// The first bytes, as many as there are.
    #[cfg(feature = "compress")]
    fn head(&self) -> &[u8] {
        &self.head[..self.len]
    }
}

impl<R: Read> Read for Peeked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at == self.len {
            return self.raw.read(buffer);
        }
        let count = (&self.head[self.at..self.len]).read(buffer)?;
        self.at += count;
        Ok(count)
    }
}
