//! `oxbpf run`: a program over a capture, its verdicts in words, on one engine or compared with others.

mod expect;
mod options;
mod packets;
mod report;
mod syscalls;
mod tally;

use std::io::Write;

pub(super) use options::Arguments;

use super::Exit;
use crate::compare::Comparison;
use crate::prog::{self, ProgError};
use options::Job;
use oxbpf_runtime::{EngineError, Instance, Outcome, TrapKind};
use packets::{Prepared, Source};
use report::{PacketLine, Report};
use tally::Tally;

/// A failure before or during the run: what to say and how to exit.
pub(super) struct Failure {
    message: String,
    exit: Exit,
}

impl Failure {
    fn usage(message: impl Into<String>) -> Failure {
        Failure { message: message.into(), exit: Exit::Usage }
    }
}

impl From<ProgError> for Failure {
    fn from(e: ProgError) -> Failure {
        let exit = match &e {
            ProgError::Unsupported { .. } => Exit::Unsupported,
            ProgError::Object { source, .. } if source.code() == "elf-unsupported" => Exit::Unsupported,
            _ => Exit::Usage,
        };
        let message = match &e {
            ProgError::Text { rendered } | ProgError::Classic { rendered } => rendered.trim_end().to_string(),
            _ => format!("error[{}]: {e}", e.code()),
        };
        Failure { message, exit }
    }
}

impl From<EngineError> for Failure {
    fn from(e: EngineError) -> Failure {
        let exit = match &e {
            EngineError::Rejected { .. } => Exit::Finding,
            EngineError::Unavailable { .. } | EngineError::Unsupported { .. } => Exit::Unsupported,
            EngineError::Vm(oxbpf_runtime::VmError::Map(_)) if e.code() == "map-unsupported" => Exit::Unsupported,
            EngineError::Vm(oxbpf_runtime::VmError::Map(m)) if m.code() == "map-memory" => Exit::Limit,
            EngineError::Vm(_) => Exit::Usage,
            EngineError::Failed { .. } => Exit::Internal,
        };
        let mut message = format!("error[{}]: {e}", e.code());
        if let EngineError::Rejected { log, .. } = &e {
            message.push('\n');
            message.push_str(log.trim_end());
        }
        Failure { message, exit }
    }
}

impl From<oxbpf_capture::CaptureError> for Failure {
    fn from(e: oxbpf_capture::CaptureError) -> Failure {
        Failure::usage(format!("error[{}]: {e}", e.code()))
    }
}

impl From<std::io::Error> for Failure {
    fn from(e: std::io::Error) -> Failure {
        Failure::usage(format!("error[output]: {e}"))
    }
}

/// Runs the verb.
pub(super) fn main(arguments: Arguments) -> Exit {
    match run(arguments) {
        Ok(exit) => exit,
        // A reader that closed its end of the pipe has seen enough.
        Err(failure) if failure.message.contains("Broken pipe") => Exit::Ok,
        Err(failure) => {
            eprintln!("{}", failure.message);
            failure.exit
        }
    }
}

fn run(arguments: Arguments) -> Result<Exit, Failure> {
    if !arguments.seccomp.is_empty() {
        return syscalls::run(&arguments);
    }
    let loaded = prog::load(&arguments.prog, arguments.forced_type(), arguments.fallback_type())?;
    for note in &loaded.notes {
        eprintln!("note: {note}");
    }
    let job = Job::new(arguments, &loaded)?;
    let image = loaded.image();
    let engines = job.engines(&loaded)?;
    let mut primary = engines.primary.prepare(&image, &job.env)?;
    let mut others = Vec::new();
    for other in &engines.others {
        others.push(Comparison::new(&**other, &*engines.primary, &image, &job.env)?);
    }
    let mut source = Source::open(&job)?;
    let mut report = Report::new(&job, &loaded, &source, engines.primary.name());
    let mut tally = Tally::default();
    let mut expected = job.expected()?;
    let out = std::io::stdout().lock();
    let mut out = std::io::BufWriter::new(out);
    let mut broken = None;
    loop {
        let packet = match source.next(&job) {
            Ok(Some(packet)) => packet,
            Ok(None) => break,
            Err(e) => {
                // What came before the damaged place is reported, then the place.
                broken = Some(e);
                break;
            }
        };
        let outcome = primary.run(&packet.input())?;
        let line = PacketLine::new(&job, &packet, engines.primary.name(), &outcome, &*primary);
        tally.add(&packet, &line);
        expected.check(&line);
        report.packet(&mut out, &job, &line)?;
        keep(&mut report, &job, &packet, &line, &*primary)?;
        for other in &mut others {
            match other.run(packet.number, &packet.input())? {
                Ok(outcome) => {
                    let line = PacketLine::new(&job, &packet, other.name, &outcome, other.engine());
                    report.packet(&mut out, &job, &line)?;
                }
                Err(refusals) => report.refused(&mut out, &job, &packet, other.name, &refusals)?,
            }
        }
    }
    for other in &mut others {
        other.finish()?;
    }
    report.finish(&mut out, &job, &tally, &*primary, &others, &expected)?;
    out.flush()?;
    if let Some(e) = broken {
        return Err(e);
    }
    Ok(exit(&tally, &others, &expected))
}

fn keep(
    report: &mut Report,
    job: &Job,
    packet: &Prepared<'_>,
    line: &PacketLine,
    instance: &dyn Instance,
) -> Result<(), Failure> {
    if job.arguments.write.is_some() && line.passes() {
        report.write_packet(packet, &instance.packet())?;
    }
    Ok(())
}

/// Findings outweigh limits.
fn exit(tally: &Tally, others: &[Comparison], expected: &expect::Expected) -> Exit {
    let differs = others.iter().any(|o| o.different > 0);
    let out_of_fuel = |o: &Outcome| matches!(o, Outcome::Trap(t) if matches!(t.kind, TrapKind::OutOfFuel { .. }));
    let (limits, traps): (Vec<_>, Vec<_>) = tally.traps().partition(|o| out_of_fuel(o));
    if differs || !traps.is_empty() || expected.failed() {
        Exit::Finding
    } else if !limits.is_empty() {
        Exit::Limit
    } else {
        Exit::Ok
    }
}
