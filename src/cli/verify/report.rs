//! Verdicts for people, for programs and for test harnesses.

use std::fmt::Write;

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};
use serde_json::{Value, json};

use crate::verdict::{Judged, Outcome};

/// How a program is called: its file, section and name, as far as they say something.
fn title(judged: &Judged) -> String {
    match (judged.section.as_str(), judged.name.as_str()) {
        (_, name) if name == judged.file => name.to_string(),
        ("", name) => format!("{}: {name}", judged.file),
        (section, name) => format!("{}: {section}/{name}", judged.file),
    }
}

/// The line for a program that is accepted; with `verbose` for every one that was judged.
pub(super) fn line(judged: &Judged, verbose: bool) -> Option<String> {
    let told = judged.outcome == Outcome::Accepted || (verbose && judged.stats.processed > 0);
    if !told {
        return None;
    }
    let mut line = format!("{}: {}, {} instructions", title(judged), judged.outcome.name(), judged.insns);
    if judged.stats.processed > 0 {
        let _ = write!(line, ", {} processed", judged.stats.processed);
    }
    if verbose {
        let s = &judged.stats;
        let _ = write!(
            line,
            "\n  states {} (peak {}, most at one instruction {})",
            s.total_states, s.peak_states, s.max_states_per_insn
        );
        let depths: Vec<String> = judged.stack.iter().map(u32::to_string).collect();
        if !depths.is_empty() {
            let _ = write!(line, "\n  stack {} bytes", depths.join("+"));
        }
        let _ = write!(line, "\n  {} us", judged.time.as_micros());
    }
    Some(line + "\n")
}

/// What is said of a program that is not accepted.
pub(super) fn refusal(judged: &Judged) -> String {
    let rendered = judged.refusal.as_ref().map_or("", |r| r.rendered.as_str());
    match judged.outcome {
        Outcome::Rejected | Outcome::Unsupported if judged.prog_type.is_some() => {
            format!(
                "{rendered}   = {}: {}, {} processed\n",
                title(judged),
                judged.outcome.name(),
                judged.stats.processed
            )
        }
        _ => rendered.to_string(),
    }
}

/// The log in the kernel's form, with its last line.
pub(super) fn log(judged: &Judged) -> String {
    let mut log = judged.log.clone();
    if !log.is_empty() && !log.ends_with('\n') {
        log.push('\n');
    }
    if judged.prog_type.is_some() { format!("{log}{}\n", judged.stats) } else { log }
}

/// One document on all programs.
pub(super) fn json(programs: &[Judged]) -> String {
    let count = |outcome: Outcome| programs.iter().filter(|p| p.outcome == outcome).count();
    let document = json!({
        "schema": "oxbpf.verify/2",
        "accepted": count(Outcome::Accepted),
        "rejected": count(Outcome::Rejected),
        "unsupported": count(Outcome::Unsupported),
        "unreadable": count(Outcome::Unreadable),
        "programs": programs.iter().map(program).collect::<Vec<_>>(),
    });
    format!("{document:#}\n")
}

fn program(judged: &Judged) -> Value {
    let refusal = judged.refusal.as_ref();
    let place = refusal.and_then(|r| r.place.as_ref());
    json!({
        "file": judged.file,
        "section": judged.section,
        "program": judged.name,
        "type": judged.prog_type.map(|t| t.row().name),
        "verdict": judged.outcome.name(),
        "code": refusal.map(|r| r.code.as_str()),
        "slot": refusal.and_then(|r| r.slot),
        "source": place.map(|p| p.file.as_str()),
        "line": place.map(|p| p.line),
        "message": refusal.map(|r| r.message.as_str()),
        "kernel_message": refusal.map(|r| r.kernel.as_str()).filter(|k| !k.is_empty()),
        "report": refusal.map(|r| r.rendered.as_str()),
        "insns": judged.insns,
        "processed": judged.stats.processed,
        "states": judged.stats.total_states,
        "peak_states": judged.stats.peak_states,
        "max_states_per_insn": judged.stats.max_states_per_insn,
        "stack": judged.stack,
        "time_us": judged.time.as_micros() as u64,
    })
}

/// JUnit's XML: a suite for each file, a case for each program.
pub(super) fn junit(programs: &[Judged]) -> String {
    let mut report = Report::new("oxbpf verify");
    let mut files: Vec<&str> = programs.iter().map(|p| p.file.as_str()).collect();
    files.dedup();
    for file in files {
        let mut suite = TestSuite::new(file);
        for judged in programs.iter().filter(|p| p.file == file) {
            let name = if judged.section.is_empty() {
                judged.name.clone()
            } else {
                format!("{}/{}", judged.section, judged.name)
            };
            let mut case = TestCase::new(name, status(judged));
            case.set_classname(file);
            case.set_time(judged.time);
            suite.add_test_case(case);
        }
        report.add_test_suite(suite);
    }
    // Writing to a string fails for no input: the library escapes names.
    report.to_string().unwrap_or_default() + "\n"
}

fn status(judged: &Judged) -> TestCaseStatus {
    let mut status = match judged.outcome {
        Outcome::Accepted => return TestCaseStatus::success(),
        Outcome::Unsupported => TestCaseStatus::skipped(),
        Outcome::Rejected => TestCaseStatus::non_success(NonSuccessKind::Failure),
        Outcome::Unreadable => TestCaseStatus::non_success(NonSuccessKind::Error),
    };
    if let Some(refusal) = &judged.refusal {
        status.set_message(format!("{}: {}", refusal.code, refusal.message));
        if judged.outcome != Outcome::Unsupported {
            status.set_type(refusal.code.as_str());
            status.set_description(refusal.rendered.as_str());
        }
    }
    status
}
