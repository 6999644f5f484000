//! Programs in the kernel: running one on a given packet and context.

use std::time::Duration;

use crate::sys::{CallError, RunArgs};
use crate::{KernelError, KernelProg};

/// A run to make. What each program type takes is in `docs/kernel-engine.md`.
#[derive(Debug, Clone, Copy)]
pub struct TestRun<'a> {
    /// The packet from its Ethernet header.
    pub data: &'a [u8],
    /// The context as bytes in the kernel's public layout; empty for none.
    pub ctx: &'a [u8],
    /// Room for the packet as the program leaves it; 0 not to have it back.
    pub data_out_size: usize,
    /// Room for the context as the program leaves it; 0 not to have it back.
    pub ctx_out_size: usize,
    /// How often to run on the same packet, which is not put back in between; 0 counts as 1.
    pub repeat: u32,
    /// `BPF_F_TEST_...`.
    pub flags: u32,
    /// The CPU for the flag that asks for one.
    pub cpu: u32,
    /// Packets at a time for live XDP frames.
    pub batch_size: u32,
    /// How long the run may take: then it is made in a child process. `None` runs in this thread, for as long as it takes;
    /// a program is not interrupted, so one that does not end holds its CPU either way.
    pub deadline: Option<Duration>,
}

/// Room for what a program may add to a packet of its own accord (encapsulation), beyond the packet itself.
const GROWTH: usize = 1024;

impl<'a> TestRun<'a> {
    /// One run on a packet and a context (which may be empty), both to be answered.
    pub fn new(data: &'a [u8], ctx: &'a [u8]) -> Self {
        Self {
            data,
            ctx,
            data_out_size: data.len() + GROWTH,
            ctx_out_size: ctx.len(),
            repeat: 1,
            flags: 0,
            cpu: 0,
            batch_size: 0,
            deadline: None,
        }
    }
}

/// What a run left behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestRunResult {
    /// The low 32 bits of the program's result.
    pub retval: u32,
    /// The packet, as much as there was room for.
    pub data: Vec<u8>,
    /// The packet's whole length.
    pub data_size: usize,
    /// The context, as much as there was room for.
    pub ctx: Vec<u8>,
    /// The context's whole length.
    pub ctx_size: usize,
    /// Mean time of one run.
    pub duration: Duration,
}

impl KernelProg {
    /// Runs the program in the kernel.
    ///
    /// # Errors
    /// What the kernel refuses; [`KernelError::Failed`] when a run with a deadline was not done by then.
    pub fn test_run(&self, run: &TestRun<'_>) -> Result<TestRunResult, KernelError> {
        const CALL: &str = "prog_test_run";
        let args = RunArgs {
            data: run.data,
            ctx: run.ctx,
            data_out: run.data_out_size,
            ctx_out: run.ctx_out_size,
            repeat: run.repeat,
            flags: run.flags,
            cpu: run.cpu,
            batch_size: run.batch_size,
            deadline: run.deadline,
        };
        let answer = self.fd.test_run(&args).map_err(|error| match error {
            CallError::Errno(errno) => KernelError::Refused { call: CALL, errno, log: String::new() },
            CallError::Failed(how) => KernelError::Failed { call: CALL, how },
        })?;
        Ok(TestRunResult {
            retval: answer.retval,
            data: answer.data,
            data_size: answer.data_size as usize,
            ctx: answer.ctx,
            ctx_size: answer.ctx_size as usize,
            duration: Duration::from_nanos(u64::from(answer.duration)),
        })
    }
}
