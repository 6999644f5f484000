//! Bytes from a file or stream, a record's worth at a time.

use std::fs::File;
use std::io::{self, Read, Stdin};

use crate::error::CaptureErrorKind;
use crate::pcap::{MAX_CAPTURED, RECORD_SIZE};

/// What [`Reader::open`](crate::Reader::open) reads from.
#[derive(Debug)]
pub enum Source {
    /// A file, a pipe or a device.
    File(File),
    /// Standard input.
    Stdin(Stdin),
}

impl Source {
    /// Opens `path`; `-` is standard input.
    pub(crate) fn open(path: &std::path::Path) -> Result<Source, CaptureErrorKind> {
        if path.as_os_str() == "-" {
            return Ok(Source::Stdin(io::stdin()));
        }
        let file = File::open(path).map_err(CaptureErrorKind::Open)?;
        // Linux opens a directory for reading and only then refuses the read.
        match file.metadata() {
            Ok(metadata) if metadata.is_dir() => Err(CaptureErrorKind::Directory),
            _ => Ok(Source::File(file)),
        }
    }
}

impl Read for Source {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Source::File(file) => file.read(buffer),
            Source::Stdin(stdin) => stdin.read(buffer),
        }
    }
}

/// A window that moves over a stream: `read(2)` into one buffer, which is reused and grows to one record at most.
#[derive(Debug)]
pub(crate) struct Window<R> {
    read: R,
    buffer: Vec<u8>,
    /// What was read and not yet consumed is `buffer[start..end]`.
    start: usize,
    end: usize,
    /// Where `start` lies in the stream.
    offset: u64,
}

impl<R: Read> Window<R> {
    pub(crate) fn new(read: R) -> Window<R> {
        Window { read, buffer: vec![0; FIRST_BUFFER], start: 0, end: 0, offset: 0 }
    }

    /// Where the window begins in the stream, in bytes.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// What is in the window.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// Reads until `wanted` bytes, at most [`LARGEST_RECORD`], are in the window, or the stream ends; answers how many
    /// there are. Nothing is consumed, so that a failed call can be repeated.
    pub(crate) fn fill(&mut self, wanted: usize) -> io::Result<usize> {
        debug_assert!(wanted <= LARGEST_RECORD);
        if self.start + wanted > self.buffer.len() {
            self.make_room(wanted);
        }
        while self.end - self.start < wanted {
            match self.read.read(&mut self.buffer[self.end..]) {
                Ok(0) => break,
                Ok(count) => self.end += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(self.end - self.start)
    }

    /// Consumes `count` bytes and answers them; they are in the window.
    pub(crate) fn take(&mut self, count: usize) -> &[u8] {
        let taken = &self.buffer[self.start..self.end][..count];
        self.start += count;
        self.offset += count as u64;
        taken
    }

    /// Moves what is left to the front of the buffer, which grows if `wanted` bytes still do not fit.
    fn make_room(&mut self, wanted: usize) {
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        if wanted > self.buffer.len() {
            self.buffer.resize(wanted.next_power_of_two(), 0);
        }
    }
}

/// The buffer at first: hundreds of ordinary packets for one system call, and small enough to stay in the L2 cache.
const FIRST_BUFFER: usize = 128 * 1024;

/// The most a window is ever asked for.
pub(crate) const LARGEST_RECORD: usize = RECORD_SIZE + MAX_CAPTURED;
