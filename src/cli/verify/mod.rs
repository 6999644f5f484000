//! `oxbpf verify`: the kernel's verdict on programs, and why.

mod collect;
mod report;

use std::path::PathBuf;

use clap::ValueEnum;
use oxbpf_abi::ProgType;
use oxbpf_verifier::{Caps, INSN_LIMIT, LogLevel, Options};

use super::asm::{output, prog_type};
use super::{Exit, classic, say};
use crate::prog::Types;
use crate::verdict::veristat::{self, Table};
use crate::verdict::{Judged, Outcome, sarif};

const EXAMPLES: &str = "\
Examples:
  oxbpf verify examples/tc_flow.o
  oxbpf verify cls.o:tc/main -v
  oxbpf verify *.o --csv > before.csv
  oxbpf verify *.o --baseline before.csv
  oxbpf verify cls.o --json --sarif cls.sarif --junit cls.xml
  oxbpf verify cls.bpf --log kernel
  oxbpf verify filter.txt
  tcpdump -ddd tcp port 80 | oxbpf verify -

PROG is obj.o for all programs of an object, obj.o:section, obj.o:section/function, a text file, raw:ebpf:FILE, or - for
standard input. Classic programs are a file in any format (text, tcpdump -d, -dd, -ddd, bpf_asm, C, Rust, JSON), @FILE,
bytecode:'N,code jt jf k,...', filter:DLT:'EXPR', raw:cbpf:FILE or raw:cbpf-be:FILE; of them every broken rule is told.

`oxbpf explain CODE` tells more about a code. Exit codes: 0 all accepted, 1 some rejected, 2 some not readable, 3 some use
what is not judged yet.";

/// Say whether the kernel would accept programs, and why not.
#[derive(clap::Args, Clone, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// The programs, see below
    #[arg(required = true, value_name = "PROG")]
    progs: Vec<String>,
    /// Say of each program what its verdict took, and of each function its stack
    #[arg(short, long)]
    verbose: bool,
    /// The steps of the verification, as the kernel's log has them
    #[arg(long, value_enum, value_name = "STYLE", conflicts_with_all = ["json", "csv"])]
    log: Option<LogStyle>,
    /// A JSON document instead of text
    #[arg(long, conflicts_with = "csv")]
    json: bool,
    /// A table in veristat's columns instead of text
    #[arg(long)]
    csv: bool,
    /// Compare with a table from before, which --csv or veristat wrote
    #[arg(long, value_name = "FILE", conflicts_with = "json")]
    baseline: Option<PathBuf>,
    /// Write what is wrong as SARIF too
    #[arg(long, value_name = "FILE")]
    sarif: Option<PathBuf>,
    /// Write the verdicts as JUnit's XML too
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// What the loading process may do: root, none, or of bpf, perfmon and net_admin some
    #[arg(long, value_name = "LIST", value_parser = caps, default_value = "root")]
    caps: Caps,
    /// The program type, whatever section or text say
    #[arg(long = "type", value_name = "TYPE", value_parser = prog_type)]
    prog_type: Option<ProgType>,
    /// The most instructions to visit, over all paths of a program
    #[arg(long, value_name = "N", default_value_t = INSN_LIMIT, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    /// Accesses must be aligned, as on machines that cannot do otherwise
    #[arg(long)]
    strict_alignment: bool,
    /// The kernel's types that a CO-RE object is adapted to, as BTF or ELF file; without it the running kernel's
    #[arg(long, value_name = "FILE")]
    btf: Option<PathBuf>,
    /// The kernel's configuration that objects take settings from; without it the running kernel's
    #[arg(long, value_name = "FILE")]
    kconfig: Option<PathBuf>,
    /// The format of a classic program; without it, the one it seems to be in
    #[arg(long, value_name = "FORMAT", value_parser = classic::format)]
    format: Option<oxbpf_cbpf_asm::Format>,
}

/// Whose log is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum LogStyle {
    /// In the form of the kernel's log
    Kernel,
}

/// Capabilities by name, for options.
pub(super) fn caps(text: &str) -> Result<Caps, String> {
    Caps::parse(text).map_err(|word| format!("no capability `{word}`; there are {}", Caps::NAMES.join(", ")))
}

impl Arguments {
    fn options(&self) -> Options {
        Options {
            caps: self.caps,
            strict_alignment: self.strict_alignment,
            limit: self.limit,
            log: if self.log.is_some() { LogLevel::Trace } else { LogLevel::Off },
            ..Options::default()
        }
    }

    fn types(&self) -> Types<'_> {
        let (btf, kconfig) = (self.btf.as_deref(), self.kconfig.as_deref());
        Types { forced: self.prog_type, btf, kconfig, ..Types::new(ProgType::SchedCls) }
    }

    /// Whether only the verdict itself is wanted, as text or as JSON.
    fn plain(&self) -> bool {
        !self.csv && self.baseline.is_none() && self.sarif.is_none() && self.junit.is_none()
    }
}

pub(super) fn main(arguments: Arguments) -> Exit {
    let baseline = match arguments.baseline.as_deref().map(table).transpose() {
        Ok(baseline) => baseline,
        Err(message) => {
            say(message);
            return Exit::Usage;
        }
    };
    let mut programs = Vec::new();
    for prog in &arguments.progs {
        match collect::target(prog, arguments.format) {
            // A classic program alone is told of as such, with all its broken rules.
            Ok(collect::Target::Classic(named)) if arguments.progs.len() == 1 && arguments.plain() => {
                return classic::verify::one(&named, arguments.json);
            }
            Ok(target) => collect::judge(prog, target, &arguments, &mut |judged| {
                told(&arguments, &judged)?;
                programs.push(judged);
                Ok(())
            }),
            Err(e) => collect::unreadable(prog, &e).and_then(|judged| {
                told(&arguments, &judged)?;
                programs.push(judged);
                Ok(())
            }),
        }
        .unwrap_or_else(|e: std::io::Error| say(format_args!("error[output]: {e}")));
    }
    match written(&arguments, baseline.as_ref(), &programs) {
        Ok(()) => exit(&programs),
        Err(message) => {
            say(message);
            Exit::Usage
        }
    }
}

/// Says of a program at once what is for people.
fn told(arguments: &Arguments, judged: &Judged) -> std::io::Result<()> {
    if arguments.json || arguments.csv || arguments.baseline.is_some() {
        // What could not be read has no line of its own in these.
        if judged.outcome == Outcome::Unreadable {
            say(report::refusal(judged).trim_end());
        }
        return Ok(());
    }
    if arguments.log.is_some() {
        output::to_stdout(report::log(judged).as_bytes())?;
    }
    if let Some(line) = report::line(judged, arguments.verbose) {
        output::to_stdout(line.as_bytes())?;
    }
    if judged.refusal.is_some() {
        say(report::refusal(judged).trim_end());
    }
    Ok(())
}

/// Writes what is about all programs.
fn written(arguments: &Arguments, baseline: Option<&Table>, programs: &[Judged]) -> Result<(), String> {
    let shown = match baseline {
        Some(base) if arguments.csv => Some(veristat::compare(base, programs).csv()),
        Some(base) => Some(veristat::compare(base, programs).text()),
        None if arguments.csv => Some(veristat::csv(programs)),
        None if arguments.json => Some(report::json(programs)),
        None => None,
    };
    if let Some(shown) = shown {
        output::to_stdout(shown.as_bytes()).map_err(|e| format!("error[output]: {e}"))?;
    }
    let file = |path: &PathBuf, text: String| {
        output::to_file(path, text.as_bytes()).map_err(|e| format!("error[output]: {}: {e}", path.display()))
    };
    if let Some(path) = &arguments.sarif {
        file(path, format!("{:#}\n", sarif::document(programs)))?;
    }
    if let Some(path) = &arguments.junit {
        file(path, report::junit(programs))?;
    }
    Ok(())
}

/// A table from before.
fn table(path: &std::path::Path) -> Result<Table, String> {
    let shown = path.display();
    let text = std::fs::read_to_string(path).map_err(|e| format!("error[baseline]: {shown}: {e}"))?;
    Table::parse(&text).map_err(|e| format!("error[baseline]: {shown}: {e}"))
}

/// What could not be read outweighs what is refused, and that what is not judged.
fn exit(programs: &[Judged]) -> Exit {
    match programs.iter().map(|p| p.outcome).max() {
        None | Some(Outcome::Accepted) => Exit::Ok,
        Some(Outcome::Unsupported) => Exit::Unsupported,
        Some(Outcome::Rejected) => Exit::Finding,
        Some(Outcome::Unreadable) => Exit::Usage,
    }
}
