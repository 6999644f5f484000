//! What the calls take and answer, in plain data: the same on every host.

use std::time::Duration;

use crate::{Errno, KernelFailure};

/// A map to create.
#[derive(Debug, Clone, Copy, Default)]
pub struct MapArgs {
    pub map_type: u32,
    pub key_size: u32,
    pub value_size: u32,
    pub max_entries: u32,
    pub flags: u32,
    pub name: [u8; 16],
    pub inner_fd: u32,
    pub btf_fd: u32,
    pub btf_key_type_id: u32,
    pub btf_value_type_id: u32,
    pub extra: u64,
}

/// A program to load.
#[derive(Debug, Clone, Copy)]
pub struct LoadArgs<'a> {
    pub prog_type: u32,
    pub insns: &'a [[u8; 8]],
    /// Ends with a zero byte.
    pub license: &'a [u8],
    pub name: [u8; 16],
    pub expected_attach_type: u32,
    pub flags: u32,
    pub log_level: u32,
    pub log_size: u32,
    pub btf_fd: u32,
    pub func_info: (&'a [u8], u32),
    pub line_info: (&'a [u8], u32),
    pub attach_btf_id: u32,
    pub deadline: Duration,
}

/// What became of a load.
#[derive(Debug)]
pub struct LoadAnswer<P> {
    pub prog: Result<P, Errno>,
    /// The log without its final zero byte.
    pub log: Vec<u8>,
    /// Bytes the whole log takes with its final zero; 0 where the kernel does not say.
    pub log_true_size: u32,
}

/// A test run to make.
#[derive(Debug, Clone, Copy)]
pub struct RunArgs<'a> {
    pub data: &'a [u8],
    pub ctx: &'a [u8],
    pub data_out: usize,
    pub ctx_out: usize,
    pub repeat: u32,
    pub flags: u32,
    pub cpu: u32,
    pub batch_size: u32,
    pub deadline: Option<Duration>,
}

/// What a test run left.
#[derive(Debug)]
pub struct RunAnswer {
    pub retval: u32,
    pub duration: u32,
    pub data: Vec<u8>,
    pub data_size: u32,
    pub ctx: Vec<u8>,
    pub ctx_size: u32,
}

/// Why a call has no answer.
#[derive(Debug)]
pub enum CallError {
    /// The kernel's refusal.
    Errno(Errno),
    /// The child that made the call died or hung.
    Failed(KernelFailure),
}

impl From<Errno> for CallError {
    fn from(errno: Errno) -> Self {
        Self::Errno(errno)
    }
}

/// Tables that the kernel keeps of a program, as bytes.
#[derive(Debug, Default)]
pub struct ProgTables {
    /// Instructions after the kernel's rewriting.
    pub insns: Vec<u8>,
    /// Ids of the maps.
    pub map_ids: Vec<u8>,
    /// Addresses of the functions' native code.
    pub ksyms: Vec<u8>,
    /// `bpf_func_info` records.
    pub func_info: Vec<u8>,
    /// `bpf_line_info` records.
    pub line_info: Vec<u8>,
}
