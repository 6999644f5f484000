//! `oxbpf run`: a program over a capture, its verdicts in words, on one engine or compared with others.

mod capture_options;
mod cpus;
mod expect;
mod follow;
mod link;
mod maps;
mod options;
mod output;
mod packets;
mod progress;
mod report;
mod sidecar;
mod sinks;
mod syscalls;
mod tally;
mod verified;

use std::io::{ErrorKind, Write};

pub(super) use options::Arguments;

use super::{Exit, say};
use crate::compare::Comparison;
use crate::prog::{self, Loaded, ProgError, Types};
use options::Job;
use output::Listener;
use oxbpf_capture::CaptureErrorKind;
use oxbpf_kernel::VerifierLog;
use oxbpf_runtime::{Engine, EngineError};
use packets::{Item, Source};
use progress::Progress;
use report::{Ending, PacketLine, Rejected, Report};
use sinks::Sinks;
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

    /// A reader that closed its end of the pipe has seen enough: nothing to say, and nothing wrong.
    fn seen_enough() -> Failure {
        Failure { message: String::new(), exit: Exit::Ok }
    }
}

impl From<ProgError> for Failure {
    fn from(e: ProgError) -> Failure {
        let exit = match &e {
            ProgError::Unsupported { .. } => Exit::Unsupported,
            ProgError::Object { source, .. } if source.is_unsupported() => Exit::Unsupported,
            ProgError::License { .. } => Exit::Finding,
            ProgError::Filter { source, .. } => super::filter::exit(source),
            // The program was read, and is rejected.
            ProgError::Classic { .. } => Exit::Finding,
            _ => Exit::Usage,
        };
        let mut message = e.shown();
        if e.code() == "elf-ambiguous" {
            message.push_str("\nhelp: choose one, as OBJ:SECTION or OBJ:SECTION/FUNCTION");
        }
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
        match &e.kind {
            CaptureErrorKind::Write(io) if &*e.file == "-" && io.kind() == ErrorKind::BrokenPipe => {
                Failure::seen_enough()
            }
            _ => Failure::usage(format!("error[{}]: {e}", e.code())),
        }
    }
}

impl From<std::io::Error> for Failure {
    fn from(e: std::io::Error) -> Failure {
        if e.kind() == ErrorKind::BrokenPipe {
            return Failure::seen_enough();
        }
        Failure::usage(format!("error[output]: {e}"))
    }
}

/// Runs the verb.
pub(super) fn main(arguments: Arguments) -> Exit {
    match run(arguments) {
        Ok(exit) => exit,
        Err(failure) => {
            if !failure.message.is_empty() {
                say(&failure.message);
            }
            failure.exit
        }
    }
}

fn run(arguments: Arguments) -> Result<Exit, Failure> {
    arguments.check()?;
    if !arguments.seccomp.is_empty() {
        return syscalls::run(&arguments);
    }
    let (forced, fallback) = (arguments.forced_type(), arguments.fallback_type());
    let (btf, kconfig) = (arguments.btf.as_deref(), arguments.kconfig.as_deref());
    let loaded = prog::load_with(&arguments.prog, Types { forced, fallback, btf, kconfig })?;
    for note in &loaded.notes {
        say(format_args!("note: {note}"));
    }
    let job = Job::new(arguments, &loaded)?;
    let image = match job.arguments.verifies() {
        true => verified::image(&loaded, job.arguments.caps)?,
        false => loaded.image(),
    };
    let engines = job.engines(&loaded)?;
    let prepare = |engine: &dyn Engine| job.maps.prepare(engine, &image, &job.env);
    let mut primary = prepare(&*engines.primary).map_err(|e| explained(&loaded, e))?;
    let (mut others, mut rejected) = (Vec::new(), Vec::new());
    for other in &engines.others {
        match Comparison::with(&**other, &*engines.primary, &image, &prepare) {
            Ok(comparison) => others.push(comparison),
            // What the interpreter makes of the program is still worth knowing.
            Err(e @ EngineError::Rejected { .. }) => {
                let Failure { message, .. } = explained(&loaded, e);
                say(&message);
                rejected.push(Rejected { engine: other.name(), message });
            }
            Err(e) => return Err(e.into()),
        }
    }
    if job.arguments.trace && primary.trace().is_none() {
        say(format_args!("note: engine {} does not tell what programs print", engines.primary.name()));
    }
    let maps = loaded.unit.maps().iter().map(|m| m.name.clone()).collect();
    let mut source = Source::open(&job)?;
    let mut sinks = Sinks::open(&job.arguments, maps)?;
    if sinks.want_sent() && primary.sent().is_none() {
        say(format_args!("note: engine {} does not tell what programs send", engines.primary.name()));
    }
    let progress = Progress::new(&job.arguments, source.size());
    let mut report = Report::new(&job, &loaded, &source, engines.primary.name());
    let mut tally = Tally::default();
    let mut expected = job.expected(&engines)?;
    let mut out = Listener::output(&job.arguments);
    let mut broken = None;
    loop {
        progress.at(tally.packets, || source.read());
        let mut idle = || out.flush().and_then(|()| sinks.flush());
        let packet = match source.next(&job, &mut idle) {
            Ok(Some(Item::Packet(packet))) => packet,
            Ok(Some(Item::LeftOut)) => continue,
            Ok(None) => break,
            Err(e) => {
                // What came before the damaged place is reported, then the place.
                broken = Some(e);
                break;
            }
        };
        let refusals = primary.refuses(&packet.input());
        if !refusals.is_empty() {
            let line = report::refused(&packet, engines.primary.name(), &refusals);
            tally.leave_out(&packet, &refusals);
            report.refused(&mut out, &job, &line)?;
            expected.check(packet.number, engines.primary.name(), || line);
            continue;
        }
        let outcome = primary.run(&packet.input())?;
        let line = PacketLine::new(&job, &packet, engines.primary.name(), &outcome, &*primary);
        tally.add(&packet, &line);
        expected.check(packet.number, line.engine, || line.json());
        report.packet(&mut out, &job, &line)?;
        sinks.keep(&job, &packet, &line, &*primary)?;
        for other in &mut others {
            match other.run(packet.number, &packet.input())? {
                Ok(outcome) => {
                    let line = PacketLine::new(&job, &packet, other.name, &outcome, other.engine());
                    expected.check(packet.number, other.name, || line.json());
                    report.packet(&mut out, &job, &line)?;
                }
                Err(refusals) => {
                    let line = report::refused(&packet, other.name, &refusals);
                    report.refused(&mut out, &job, &line)?;
                    expected.check(packet.number, other.name, || line);
                }
            }
        }
    }
    for other in &mut others {
        other.finish()?;
    }
    drop(progress);
    sinks.finish(&source.interface())?;
    let maps = job.maps.unexpected(&*primary)?;
    let ending = Ending {
        tally: &tally,
        primary: &*primary,
        others: &others,
        rejected: &rejected,
        expected: &expected,
        skipped: source.skipped,
        left_out: source.left_out,
        nowhere: sinks.nowhere(),
        lost: sinks.lost,
        maps: &maps,
    };
    report.finish(&mut out, &job, &ending)?;
    out.flush()?;
    if let Some(e) = broken {
        return Err(e);
    }
    Ok(exit(&ending))
}

/// An engine's failure; where it refuses a program, with what that means and what to do.
fn explained(loaded: &Loaded, error: EngineError) -> Failure {
    let meaning = match &error {
        EngineError::Rejected { program, log, .. } => {
            let log = VerifierLog::parse(log.clone(), false, 0);
            let programs = loaded.unit.programs();
            let program = programs.iter().find(|p| p.name() == program).unwrap_or(&programs[loaded.entry.index()]);
            log.error().and_then(|text| crate::verdict::of_kernel(&loaded.unit, program, text, log.at))
        }
        _ => None,
    };
    let failure = Failure::from(error);
    match meaning {
        Some(meaning) => Failure { message: format!("{}\n\n{}", failure.message, meaning.trim_end()), ..failure },
        None => failure,
    }
}

/// A finding outweighs what the program's runs ended with, except a defect of ours.
fn exit(ending: &Ending<'_>) -> Exit {
    let differs = ending.others.iter().any(|o| o.different > 0);
    let finding = differs || !ending.rejected.is_empty() || ending.expected.failed() || !ending.maps.is_empty();
    match ending.tally.worst() {
        Exit::Internal => Exit::Internal,
        _ if finding => Exit::Finding,
        worst => worst,
    }
}
