//! What programs send out of the kernel: ring buffers and perf events, read as consumers do.

use crate::sys::{PerfFd, Shared};
use crate::{Errno, KernelError, KernelMap};

/// The kernel's page.
const PAGE: usize = 4096;

fn refused(call: &'static str) -> impl FnOnce(Errno) -> KernelError {
    move |errno| KernelError::Refused { call, errno, log: String::new() }
}

/// The consumer of a ring buffer map.
///
/// The consumer's position stands in the map's first page, the producer's in the second; the data follow, twice in a row.
#[derive(Debug)]
pub struct RingReader {
    consumer: Shared,
    producer: Shared,
    size: usize,
}

impl RingReader {
    /// The consumer of a ring buffer of `size` bytes. The map may go; the buffer stays.
    ///
    /// # Errors
    /// What the kernel refuses, as of a map that is no ring buffer.
    pub fn open(map: &KernelMap, size: u32) -> Result<RingReader, KernelError> {
        let (size, call) = (size as usize, "mmap of a ring buffer");
        let consumer = Shared::of_map(map.fd(), PAGE, 0, true).map_err(refused(call))?;
        let producer = Shared::of_map(map.fd(), PAGE + 2 * size, PAGE, false).map_err(refused(call))?;
        Ok(RingReader { consumer, producer, size })
    }

    /// Takes out all records that are complete.
    pub fn drain(&mut self) -> Vec<Vec<u8>> {
        const BUSY: u32 = 1 << 31;
        const DISCARDED: u32 = 1 << 30;
        const HEADER: usize = 8;
        let mut records = Vec::new();
        let (mut at, end) = (self.consumer.load_u64(0), self.producer.load_u64(0));
        while at < end {
            let place = PAGE + (at as usize & (self.size - 1));
            let header = self.producer.load_u32(place);
            if header & BUSY != 0 {
                break;
            }
            // What the kernel writes is no longer than the buffer.
            let len = (header & !DISCARDED) as usize % (self.size + 1);
            if header & DISCARDED == 0 {
                records.push((0..len).map(|i| self.producer.load_u8(place + HEADER + i)).collect());
            }
            at += (len + HEADER).next_multiple_of(8) as u64;
        }
        self.consumer.store_u64(0, at);
        records
    }
}

/// The consumer of the perf event of one CPU.
#[derive(Debug)]
pub struct PerfReader {
    event: PerfFd,
    ring: Shared,
}

impl PerfReader {
    /// Bytes of a CPU's ring.
    const DATA: usize = 64 * PAGE;

    /// An event for programs on a CPU, put into a perf event array at an index.
    ///
    /// # Errors
    /// What the kernel refuses.
    pub fn open(map: &KernelMap, index: u32, cpu: u32) -> Result<PerfReader, KernelError> {
        let event = PerfFd::bpf_output(cpu).map_err(refused("perf_event_open"))?;
        let ring = Shared::of_event(&event, PAGE + Self::DATA).map_err(refused("mmap of a perf event"))?;
        event.enable().map_err(refused("enabling a perf event"))?;
        map.update(&index.to_ne_bytes(), &event.raw().to_ne_bytes(), 0)?;
        Ok(PerfReader { event, ring })
    }

    /// The event's descriptor. Valid while `self` lives.
    pub fn raw_fd(&self) -> i32 {
        self.event.raw()
    }

    /// Takes out all samples. Their length is such that it makes a multiple of 8 with 4 bytes in front; what follows
    /// the program's data is not said.
    pub fn drain(&mut self) -> Vec<Vec<u8>> {
        const HEAD: usize = 1024;
        const TAIL: usize = 1032;
        const SAMPLE: u32 = 9;
        let (mut tail, head) = (self.ring.load_u64(TAIL), self.ring.load_u64(HEAD));
        let byte = |at: u64| self.ring.load_u8(PAGE + at as usize % Self::DATA);
        let number = |at: u64, size: u64| (0..size).rev().fold(0u32, |n, i| n << 8 | u32::from(byte(at + i)));
        let mut samples = Vec::new();
        while tail < head {
            // A header of 8 bytes: type, flags, size. Of a sample, the length and the bytes follow.
            let (kind, size) = (number(tail, 4), number(tail + 6, 2));
            if kind == SAMPLE {
                let len = number(tail + 8, 4).min(size);
                samples.push((0..u64::from(len)).map(|i| byte(tail + 12 + i)).collect());
            }
            tail += u64::from(size.max(8));
        }
        self.ring.store_u64(TAIL, tail);
        samples
    }
}
