//! Bytes from a stream, a record's or block's worth at a time.

use std::io::{self, Read};

use crate::pcapng::MAX_BLOCK;

/// A window that moves over a stream: `read(2)` into one buffer, which is reused and grows to one block at most.
#[derive(Debug)]
pub(crate) struct Window<R> {
    read: R,
    buffer: Vec<u8>,
    /// What was read and not yet consumed is `buffer[start..end]`.
    start: usize,
    end: usize,
    /// Where the buffer's first byte lies in the stream.
    base: u64,
}

impl<R: Read> Window<R> {
    pub(crate) fn new(read: R) -> Window<R> {
        Window { read, buffer: vec![0; FIRST_BUFFER], start: 0, end: 0, base: 0 }
    }

    /// What is read from.
    pub(crate) fn get_ref(&self) -> &R {
        &self.read
    }

    /// Where the window begins in the stream, in bytes.
    pub(crate) fn offset(&self) -> u64 {
        self.base + self.start as u64
    }

    /// Where the next read continues in the stream, in bytes.
    pub(crate) fn read_so_far(&self) -> u64 {
        self.base + self.end as u64
    }

    /// What is in the window.
    #[inline]
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// Reads until `wanted` bytes, at most [`LARGEST`], are in the window, or the stream ends; answers how many
    /// there are. Nothing is consumed, so that a failed call can be repeated.
    #[inline]
    pub(crate) fn fill(&mut self, wanted: usize) -> io::Result<usize> {
        match self.end - self.start {
            there if there >= wanted => Ok(there),
            _ => self.read_more(wanted),
        }
    }

    #[cold]
    fn read_more(&mut self, wanted: usize) -> io::Result<usize> {
        debug_assert!(wanted <= LARGEST);
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
    #[inline]
    pub(crate) fn take(&mut self, count: usize) -> &[u8] {
        let taken = &self.buffer[self.start..self.end][..count];
        self.start += count;
        taken
    }

    /// Moves what is left to the front of the buffer, which grows if `wanted` bytes still do not fit.
    fn make_room(&mut self, wanted: usize) {
        self.buffer.copy_within(self.start..self.end, 0);
        self.base += self.start as u64;
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
const LARGEST: usize = MAX_BLOCK;
