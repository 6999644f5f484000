//! BTF in the kernel.

use crate::sys::BtfFd;
use crate::{KernelError, lossy};

/// Bytes of log asked for when BTF is refused.
const LOG_SIZE: u32 = 1 << 20;

/// A BTF object in the kernel, for maps and programs to refer to.
#[derive(Debug)]
pub struct KernelBtf {
    fd: BtfFd,
}

impl KernelBtf {
    /// Loads BTF as it stands in an object's `.BTF` section, with section sizes and offsets filled in.
    ///
    /// # Errors
    /// What the kernel refuses, with its log.
    pub fn load(btf: &[u8]) -> Result<Self, KernelError> {
        if let (Ok(fd), _) = BtfFd::load(btf, 0) {
            return Ok(Self { fd });
        }
        match BtfFd::load(btf, LOG_SIZE) {
            (Ok(fd), _) => Ok(Self { fd }),
            (Err(errno), log) => Err(KernelError::Refused { call: "btf_load", errno, log: lossy(log) }),
        }
    }

    /// The descriptor's number. Valid while `self` lives.
    pub fn raw_fd(&self) -> i32 {
        self.fd.raw()
    }
}
