//! Programs in the kernel: loading one.

use std::time::Duration;

use crate::sys::{CallError, LoadAnswer, LoadArgs, ProgFd};
use crate::{Errno, KernelBtf, KernelError, LOAD_DEADLINE, LoadError, VerifierLog, lossy, object_name};

/// Most bytes of log asked for: what kernels of every version take, and more than people read.
pub const LOG_LIMIT: u32 = (1 << 24) - 1;

/// Most instruction slots passed on; the kernel's own limit is a million.
pub const INSN_LIMIT: usize = 1 << 20;

/// The log level that prints instructions and states.
const LEVEL_TRACE: u32 = 1;
/// The log level that prints the error's text and the figures, at next to no cost.
const LEVEL_STATS: u32 = 4;

/// How much the kernel is to write about a load.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogPolicy {
    /// Nothing, in either case.
    Never,
    /// The figures; and when the program is rejected, a second load for the trace that leads to the error.
    #[default]
    OnReject,
    /// The kernel's level: 1 instructions and states of one path, 2 of all, 4 figures, or a sum of these.
    Level(u32),
}

/// The BTF that belongs to a program, as the kernel takes it.
#[derive(Debug, Clone, Copy)]
pub struct ProgBtf<'a> {
    /// The types.
    pub btf: &'a KernelBtf,
    /// `bpf_func_info` records one after the other, with instruction offsets of this program.
    pub func_info: &'a [u8],
    /// Bytes of each.
    pub func_info_rec_size: u32,
    /// `bpf_line_info` records one after the other, with instruction offsets of this program.
    pub line_info: &'a [u8],
    /// Bytes of each.
    pub line_info_rec_size: u32,
}

/// A program to load; `LoadSpec::new` and then the fields that differ.
#[derive(Debug, Clone, Copy)]
pub struct LoadSpec<'a> {
    /// The kernel's number of the program type.
    pub prog_type: u32,
    /// The instructions, with descriptors where they name maps.
    pub insns: &'a [[u8; 8]],
    /// `GPL` opens all helpers.
    pub license: &'a str,
    /// Shown by tools; shortened and cleaned to what the kernel takes.
    pub name: &'a str,
    /// The attach type that the program type's rules depend on, else 0.
    pub expected_attach_type: u32,
    /// `BPF_F_...` of program loading.
    pub flags: u32,
    /// Types, functions and lines.
    pub btf: Option<ProgBtf<'a>>,
    /// The kernel function's BTF id, for the types that want one.
    pub attach_btf_id: u32,
    /// What to ask of the log.
    pub log: LogPolicy,
    /// Most bytes of log, at most [`LOG_LIMIT`]; of a longer one the end is kept.
    pub log_limit: u32,
    /// How long the kernel may take.
    pub deadline: Duration,
}

impl<'a> LoadSpec<'a> {
    /// A program under GPL, with default log and deadline.
    pub fn new(prog_type: u32, insns: &'a [[u8; 8]]) -> Self {
        Self {
            prog_type,
            insns,
            license: "GPL",
            name: "",
            expected_attach_type: 0,
            flags: 0,
            btf: None,
            attach_btf_id: 0,
            log: LogPolicy::default(),
            log_limit: LOG_LIMIT,
            deadline: LOAD_DEADLINE,
        }
    }
}

/// A loaded program and what the kernel wrote about it.
#[derive(Debug)]
pub struct Loaded {
    /// The program.
    pub prog: KernelProg,
    /// The log, as far as one was asked for.
    pub log: VerifierLog,
}

/// A program in the kernel. It lives until its descriptor is closed and nothing else holds it; a prog array does hold it,
/// until the array's own last descriptor is closed.
#[derive(Debug)]
pub struct KernelProg {
    pub(crate) fd: ProgFd,
}

impl KernelProg {
    /// Loads a program, in a child process: where the kernel's verifier fails over a program, the child is lost and
    /// the answer is [`LoadError::KernelFailed`]. That program should not be tried again.
    ///
    /// # Errors
    /// As [`LoadError`] tells them apart.
    pub fn load(spec: &LoadSpec<'_>) -> Result<Loaded, LoadError> {
        let first = match spec.log {
            LogPolicy::Never => 0,
            LogPolicy::OnReject => LEVEL_STATS,
            LogPolicy::Level(level) => level,
        };
        match load_at(spec, first) {
            // EPERM with nothing written comes before the verifier: a trace would not come.
            Err(LoadError::Rejected { log, .. }) if spec.log == LogPolicy::OnReject && !log.text.is_empty() => {
                load_at(spec, LEVEL_STATS | LEVEL_TRACE)
            }
            other => other,
        }
    }

    /// The descriptor's number, as a prog array takes it. Valid while `self` lives.
    pub fn raw_fd(&self) -> i32 {
        self.fd.raw()
    }

    /// What the kernel says of the program.
    ///
    /// # Errors
    /// What the kernel refuses.
    pub fn info(&self) -> Result<ProgInfo, KernelError> {
        let info = self.fd.info(ProgInfo::SIZE).map_err(|errno| KernelError::Refused {
            call: "obj_get_info_by_fd",
            errno,
            log: String::new(),
        })?;
        Ok(ProgInfo::read(&info))
    }
}

/// What the kernel says of a loaded program; zero where an older kernel does not say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProgInfo {
    /// Its id.
    pub id: u32,
    /// The digest of its instructions that tools show.
    pub tag: [u8; 8],
    /// Bytes of native code; 0 when interpreted.
    pub jited_len: u32,
    /// Bytes of instructions after the kernel's rewriting.
    pub xlated_len: u32,
    /// Instructions that the verifier processed.
    pub verified_insns: u32,
}

impl ProgInfo {
    /// Through `verified_insns`.
    const SIZE: usize = 220;

    fn read(info: &[u8]) -> Self {
        let bytes = |at: usize| info.get(at..at + 4).and_then(|bytes| bytes.try_into().ok());
        let word = |at| u32::from_ne_bytes(bytes(at).unwrap_or_default());
        let tag = info.get(8..16).and_then(|bytes| bytes.try_into().ok());
        Self {
            id: word(4),
            tag: tag.unwrap_or_default(),
            jited_len: word(16),
            xlated_len: word(20),
            verified_insns: word(216),
        }
    }
}

/// One load, or two where the log's size hides the verdict.
fn load_at(spec: &LoadSpec<'_>, log_level: u32) -> Result<Loaded, LoadError> {
    let license = license(spec.license)?;
    let none = (&[][..], 0);
    let (btf_fd, func_info, line_info) = match &spec.btf {
        Some(btf) => {
            (btf.btf.raw_fd() as u32, (btf.func_info, btf.func_info_rec_size), (btf.line_info, btf.line_info_rec_size))
        }
        None => (0, none, none),
    };
    check(spec, func_info, line_info)?;
    let args = LoadArgs {
        prog_type: spec.prog_type,
        insns: spec.insns,
        license: &license,
        name: object_name(spec.name),
        expected_attach_type: spec.expected_attach_type,
        flags: spec.flags,
        log_level,
        log_size: spec.log_limit.clamp(LOG_FLOOR, LOG_LIMIT),
        btf_fd,
        func_info,
        line_info,
        attach_btf_id: spec.attach_btf_id,
        deadline: spec.deadline,
    };
    let answer = call(&args)?;
    let truncated = log_is_cut(&args, &answer);
    let log = VerifierLog::parse(lossy(answer.log), truncated, answer.log_true_size);
    let verdict = match answer.prog {
        // The log did not fit, which the kernel answers in place of its verdict: ask for the verdict alone.
        Err(Errno::NOSPC) if truncated => {
            let quiet = LoadArgs { log_level: 0, ..args };
            call(&quiet)?.prog
        }
        verdict => verdict,
    };
    match verdict {
        Ok(fd) => Ok(Loaded { prog: KernelProg { fd }, log }),
        Err(errno) => Err(LoadError::Rejected { errno, log: Box::new(log) }),
    }
}

/// The least log the kernel takes.
const LOG_FLOOR: u32 = 128;

fn call(args: &LoadArgs<'_>) -> Result<LoadAnswer<ProgFd>, LoadError> {
    ProgFd::load(args).map_err(|error| match error {
        CallError::Errno(errno) => LoadError::NoChild { errno },
        CallError::Failed(how) => LoadError::KernelFailed { how },
    })
}

/// Whether the kernel had more to write than it was given room for; before 6.4 it does not say, but then the room is full.
fn log_is_cut<P>(args: &LoadArgs<'_>, answer: &LoadAnswer<P>) -> bool {
    let said = answer.log_true_size > args.log_size;
    let full = answer.log_true_size == 0 && answer.log.len() + 1 >= args.log_size as usize;
    args.log_level != 0 && (said || full)
}

fn license(text: &str) -> Result<Vec<u8>, LoadError> {
    // The kernel reads 128 bytes at most, the final zero included.
    if text.len() > 127 || text.contains('\0') {
        return Err(LoadError::Spec { what: "a licence is at most 127 bytes, none of them zero" });
    }
    Ok([text.as_bytes(), b"\0"].concat())
}

fn check(spec: &LoadSpec<'_>, func_info: (&[u8], u32), line_info: (&[u8], u32)) -> Result<(), LoadError> {
    let whole =
        |(bytes, size): (&[u8], u32)| bytes.is_empty() || (size > 0 && bytes.len().is_multiple_of(size as usize));
    let wrong = |what| Err(LoadError::Spec { what });
    if spec.insns.is_empty() {
        wrong("no instructions")
    } else if spec.insns.len() > INSN_LIMIT {
        wrong("more than 2^20 instruction slots")
    } else if !whole(func_info) || !whole(line_info) {
        wrong("function or line records are not whole")
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn specs_that_cannot_be_told() {
        let exit = [[0x95, 0, 0, 0, 0, 0, 0, 0]];
        let code = |spec: &LoadSpec<'_>| KernelProg::load(spec).unwrap_err().code();
        assert_eq!(code(&LoadSpec::new(3, &[])), "load-spec");
        let many = vec![exit[0]; INSN_LIMIT + 1];
        assert_eq!(code(&LoadSpec::new(3, &many)), "load-spec");
        for license in ["G\0PL", &"x".repeat(128)] {
            let spec = LoadSpec { license, ..LoadSpec::new(3, &exit) };
            assert_eq!(code(&spec), "load-spec");
        }
    }

    #[test]
    fn info_of_an_old_kernel_is_short() {
        let mut info = vec![0u8; 24];
        info[4] = 9;
        let info = ProgInfo::read(&info);
        assert_eq!((info.id, info.verified_insns), (9, 0));
    }
}
