//! The same calls where they cannot be made. The descriptors are types without values.

use std::os::fd::BorrowedFd;

use oxbpf_isa::cbpf::SockFilter;

use super::{CallError, LoadAnswer, LoadArgs, MapArgs, ProgTables, RunAnswer, RunArgs};
use crate::Errno;

/// Why this build can never reach a kernel.
pub const ABSENT: Option<&str> = Some("built for a host without Linux's bpf(2) on x86-64 or arm64");

/// A map's descriptor, of which there are none here.
#[derive(Debug)]
pub enum MapFd {}

/// A loaded program's descriptor, of which there are none here.
#[derive(Debug)]
pub enum ProgFd {}

/// A BTF object's descriptor, of which there are none here.
#[derive(Debug)]
pub enum BtfFd {}

impl MapFd {
    pub fn create(_: &MapArgs) -> Result<Self, Errno> {
        Err(Errno::NOSYS)
    }

    pub fn value_size(&self) -> usize {
        match *self {}
    }

    pub fn raw(&self) -> i32 {
        match *self {}
    }

    pub fn lookup(&self, _: &[u8], _: &mut [u8], _: u64) -> Result<(), Errno> {
        match *self {}
    }

    pub fn update(&self, _: &[u8], _: &[u8], _: u64) -> Result<(), Errno> {
        match *self {}
    }

    pub fn delete(&self, _: &[u8]) -> Result<(), Errno> {
        match *self {}
    }

    pub fn take(&self, _: &[u8], _: &mut [u8], _: u64) -> Result<(), Errno> {
        match *self {}
    }

    pub fn next_key(&self, _: Option<&[u8]>, _: &mut [u8]) -> Result<(), Errno> {
        match *self {}
    }

    pub fn freeze(&self) -> Result<(), Errno> {
        match *self {}
    }
}

impl ProgFd {
    pub fn load(_: &LoadArgs<'_>) -> Result<LoadAnswer<Self>, CallError> {
        Err(Errno::NOSYS.into())
    }

    pub fn raw(&self) -> i32 {
        match *self {}
    }

    pub fn test_run(&self, _: &RunArgs<'_>) -> Result<RunAnswer, CallError> {
        match *self {}
    }

    pub fn info(&self, _: usize) -> Result<Vec<u8>, Errno> {
        match *self {}
    }

    pub fn tables(&self) -> Result<ProgTables, Errno> {
        match *self {}
    }
}

impl BtfFd {
    pub fn load(_: &[u8], _: u32) -> (Result<Self, Errno>, Vec<u8>) {
        (Err(Errno::NOSYS), Vec::new())
    }

    pub fn raw(&self) -> i32 {
        match *self {}
    }
}

/// A shared mapping, of which there are none here.
#[derive(Debug)]
pub enum Shared {}

impl Shared {
    pub fn of_map(_: &MapFd, _: usize, _: usize, _: bool) -> Result<Shared, Errno> {
        Err(Errno::NOSYS)
    }

    pub fn of_event(_: &PerfFd, _: usize) -> Result<Shared, Errno> {
        Err(Errno::NOSYS)
    }

    pub fn load_u32(&self, _: usize) -> u32 {
        match *self {}
    }

    pub fn load_u64(&self, _: usize) -> u64 {
        match *self {}
    }

    pub fn store_u64(&self, _: usize, _: u64) {
        match *self {}
    }

    pub fn load_u8(&self, _: usize) -> u8 {
        match *self {}
    }
}

/// A perf event's descriptor, of which there are none here.
#[derive(Debug)]
pub enum PerfFd {}

impl PerfFd {
    pub fn bpf_output(_: u32) -> Result<PerfFd, Errno> {
        Err(Errno::NOSYS)
    }

    pub fn enable(&self) -> Result<(), Errno> {
        match *self {}
    }

    pub fn raw(&self) -> i32 {
        match *self {}
    }
}

/// How many CPUs the kernel may ever run, of which nothing is known here.
pub fn possible_cpus() -> Result<usize, Errno> {
    Err(Errno::NOSYS)
}

/// Runs something on one CPU, which cannot be chosen here.
pub fn on_cpu<T>(_: u32, _: impl FnOnce() -> T) -> Result<T, Errno> {
    Err(Errno::NOSYS)
}

/// Attaches a classic filter, which cannot be done here.
pub fn attach_filter(_: BorrowedFd<'_>, _: &[SockFilter]) -> Result<(), Errno> {
    Err(Errno::NOSYS)
}
