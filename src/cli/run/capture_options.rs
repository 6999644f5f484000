//! What the user asked for about captures: which packets, how they are read, and where what comes of them goes.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use oxbpf_capture::Format;

use super::Failure;
use super::link::LinkAs;

/// CPUs that can be had at most; per-CPU maps have a value for each.
const MAX_CPUS: i64 = 4096;

/// Options about captures.
#[derive(clap::Args, Clone, Debug)]
pub(in crate::cli) struct CaptureArguments {
    /// How packets begin, whatever the capture says: a link type's name or number, or bytes for no header at all
    #[arg(long, value_name = "TYPE|bytes")]
    pub(super) link: Option<LinkAs>,
    /// Leave out and count packets whose link type is not supported, or not the filter's, instead of ending there
    #[arg(long, conflicts_with = "link")]
    pub(super) skip_links: bool,
    /// Wait for more at the end of the file, until interrupted (SIGINT) or --limit is reached
    #[arg(long)]
    pub(super) follow: bool,
    /// Context fields of each packet: a file with one JSON object per line, for the packet of that number
    #[arg(long, value_name = "FILE")]
    pub(super) ctx_lines: Option<PathBuf>,
    /// How many CPUs there are
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=MAX_CPUS))]
    pub(super) cpus: u32,
    /// Which CPU a packet is on
    #[arg(long, value_enum, default_value_t = CpuRule::Flow)]
    pub(super) cpu_rule: CpuRule,
    /// The format of written captures; without it the file's name says it, or it is pcap
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub(super) write_format: Option<WriteFormat>,
    /// With -w, write packets that do not pass, too; in pcapng a comment says each packet's verdict
    #[arg(long, requires = "write")]
    pub(super) write_all: bool,
    /// Write redirected packets to DIR, one capture for each interface and direction
    #[arg(long, value_name = "DIR")]
    pub(super) redirect_dir: Option<PathBuf>,
    /// Write what the program sends through ring buffers and perf event arrays, one JSON object per line; with - the
    /// report goes to standard error
    #[arg(long, value_name = "FILE")]
    pub(super) events: Option<PathBuf>,
    /// Show no progress, which is otherwise shown for large files where standard error is a terminal
    #[arg(long)]
    pub(super) no_progress: bool,
}

/// Which CPU a packet is on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(super) enum CpuRule {
    /// That of its flow: both directions of a connection are on one
    Flow,
    /// One after the other
    Rr,
}

/// Formats by the names users type.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(super) enum WriteFormat {
    /// pcap
    Pcap,
    /// pcapng
    Pcapng,
}

impl CaptureArguments {
    /// The format of what is written to this path.
    pub(super) fn format(&self, path: &Path) -> Format {
        match self.write_format {
            None => Format::of_path(path),
            Some(WriteFormat::Pcap) => Format::Pcap,
            Some(WriteFormat::Pcapng) => Format::Pcapng,
        }
    }

    /// What each option allows and their combination does not. `json` says whether that goes to standard output,
    /// `capture` whether the written capture does.
    pub(super) fn check(&self, json: bool, capture: bool) -> Result<(), Failure> {
        if self.events_to_stdout() && (json || capture) {
            let other = if capture { "capture (-w -)" } else { "JSON" };
            return Err(Failure::usage(format!(
                "error[stdout]: events (--events -) and {other} cannot both be standard output"
            )));
        }
        Ok(())
    }

    /// Whether events go to standard output.
    pub(super) fn events_to_stdout(&self) -> bool {
        self.events.as_deref() == Some(Path::new("-"))
    }
}
