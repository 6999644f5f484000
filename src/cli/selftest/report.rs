//! The self-test's results for people, for test harnesses and for programs.

use std::fmt::Write;

use oxbpf_isa::catalog::Group;
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};
use serde_json::json;

use super::{Line, Style};
use crate::selftest::{Outcome, Vector};

/// The vectors' names, a line each, with their groups.
pub(super) fn list(vectors: &[&Vector]) -> String {
    vectors.iter().map(|v| format!("{:9} {}\n", v.group().row().name, v.name())).collect()
}

/// The results.
pub(super) fn text(style: Style, lines: &[Line]) -> String {
    match style {
        Style::People => people(lines),
        Style::Tap => tap(lines),
        Style::Junit => junit(lines),
        Style::Json => json(lines),
    }
}

/// How many of a group's vectors ended how.
#[derive(Default)]
struct Count {
    passed: usize,
    failed: usize,
    skipped: usize,
}

impl Count {
    fn of<'a>(lines: impl Iterator<Item = &'a Line>) -> Count {
        let mut count = Count::default();
        for line in lines {
            match line.outcome {
                Outcome::Passed => count.passed += 1,
                Outcome::Failed(_) => count.failed += 1,
                Outcome::Skipped(_) => count.skipped += 1,
            }
        }
        count
    }
}

fn engines(lines: &[Line]) -> Vec<&'static str> {
    let mut engines: Vec<_> = lines.iter().map(|line| line.engine).collect();
    engines.dedup();
    engines
}

fn people(lines: &[Line]) -> String {
    let mut out = String::new();
    for line in lines {
        if let Outcome::Failed(what) = &line.outcome {
            let _ = writeln!(out, "FAILED {}: {}: {what}", line.engine, line.vector.name());
        }
    }
    for engine in engines(lines) {
        for group in Group::ROWS {
            let of_group = |line: &&Line| line.engine == engine && line.vector.group() == group.group;
            let count = Count::of(lines.iter().filter(of_group));
            if count.passed + count.failed + count.skipped > 0 {
                let Count { passed, failed, skipped } = count;
                let name = group.name;
                let _ = writeln!(out, "{engine:8} {name:9} {passed:5} passed {failed:5} failed {skipped:5} skipped");
            }
        }
    }
    let Count { passed, failed, skipped } = Count::of(lines.iter());
    let _ = writeln!(out, "{passed} passed, {failed} failed, {skipped} skipped");
    out
}

/// TAP 14: <https://testanything.org/tap-version-14-specification.html>.
fn tap(lines: &[Line]) -> String {
    let mut out = format!("TAP version 14\n1..{}\n", lines.len());
    for (line, number) in lines.iter().zip(1..) {
        let name = format!("{}: {}", line.engine, line.vector.name()).replace('\\', "\\\\").replace('#', "\\#");
        let _ = match &line.outcome {
            Outcome::Passed => writeln!(out, "ok {number} - {name}"),
            Outcome::Skipped(why) => writeln!(out, "ok {number} - {name} # SKIP {}", first_line(why)),
            Outcome::Failed(what) => {
                writeln!(out, "not ok {number} - {name}\n  ---\n  message: {}\n  ...", json!(first_line(what)))
            }
        };
    }
    out
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

fn junit(lines: &[Line]) -> String {
    let mut report = Report::new("oxbpf selftest");
    for engine in engines(lines) {
        let mut suite = TestSuite::new(engine);
        for line in lines.iter().filter(|line| line.engine == engine) {
            let status = match &line.outcome {
                Outcome::Passed => TestCaseStatus::success(),
                Outcome::Skipped(why) => {
                    let mut status = TestCaseStatus::skipped();
                    status.set_message(why.as_str());
                    status
                }
                Outcome::Failed(what) => {
                    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
                    status.set_message(what.as_str());
                    status
                }
            };
            let mut case = TestCase::new(line.vector.name(), status);
            case.set_classname(format!("{engine}.{}", line.vector.group()));
            suite.add_test_case(case);
        }
        report.add_test_suite(suite);
    }
    // Writing to a string fails for no input: the library escapes names.
    report.to_string().unwrap_or_default() + "\n"
}

fn json(lines: &[Line]) -> String {
    let result = |line: &Line| {
        let (outcome, why) = match &line.outcome {
            Outcome::Passed => ("passed", None),
            Outcome::Failed(what) => ("failed", Some(what)),
            Outcome::Skipped(why) => ("skipped", Some(why)),
        };
        let mut result = json!({
            "engine": line.engine,
            "group": line.vector.group().row().name,
            "insn": line.vector.kind.name(),
            "name": line.vector.name(),
            "outcome": outcome,
        });
        if let Some(why) = why {
            result["message"] = json!(why);
        }
        result
    };
    let Count { passed, failed, skipped } = Count::of(lines.iter());
    let document = json!({
        "schema": "oxbpf.selftest/1",
        "passed": passed,
        "failed": failed,
        "skipped": skipped,
        "results": lines.iter().map(result).collect::<Vec<_>>(),
    });
    format!("{document:#}\n")
}
