//! `oxbpf selftest`: every instruction on every engine.

mod report;

use clap::ValueEnum;
use oxbpf_isa::catalog::Group;
use oxbpf_runtime::{Availability, Engine};

use super::asm::output;
use super::{Exit, say};
use crate::engines;
use crate::selftest::{Outcome, Vector, run, vectors};

const EXAMPLES: &str = "\
Examples:
  oxbpf selftest
  oxbpf selftest --groups base64,atomic64 --engine kernel
  oxbpf selftest --filter div --tap
  oxbpf selftest --list

Groups are those of RFC 9669: base32, base64 (with base32), divmul32, divmul64 (with divmul32), atomic32, atomic64 (with
atomic32), packet; and linux, what Linux has beyond. Exit codes: 0 all passed, 1 some failed, 3 an engine that was asked
for by name is not available.";

/// Run the instruction set's own tests: each instruction at the edges of its rules, on every engine present.
#[derive(clap::Args, Clone, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Only these conformance groups and what they include
    #[arg(long, value_name = "GROUP,...", value_delimiter = ',', value_parser = group)]
    groups: Vec<Group>,
    /// Only on this engine; all are those that are available
    #[arg(long, value_name = "ENGINE", default_value = "all")]
    engine: String,
    /// Only vectors whose name contains this
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
    /// List the vectors instead of running them
    #[arg(long)]
    list: bool,
    /// Report as the Test Anything Protocol, version 14
    #[arg(long, conflicts_with_all = ["junit", "json"])]
    tap: bool,
    /// Report as JUnit's XML
    #[arg(long, conflicts_with = "json")]
    junit: bool,
    /// Report as a JSON document
    #[arg(long)]
    json: bool,
}

/// How results are shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Style {
    People,
    Tap,
    Junit,
    Json,
}

/// A vector's outcome on an engine.
struct Line {
    engine: &'static str,
    vector: &'static Vector,
    outcome: Outcome,
}

fn group(name: &str) -> Result<Group, String> {
    let names = || Group::ROWS.map(|row| row.name).join(", ");
    Group::by_name(name).ok_or_else(|| format!("no such group; there are {}", names()))
}

pub(super) fn main(arguments: Arguments) -> Exit {
    let chosen: Vec<_> = vectors().iter().filter(|v| arguments.wants(v)).collect();
    if chosen.is_empty() {
        say("error[selftest-none]: no vector is of these groups and has such a name");
        return Exit::Usage;
    }
    if arguments.list {
        return printed(&report::list(&chosen), Exit::Ok);
    }
    let engines = match arguments.engines() {
        Ok(engines) => engines,
        Err(exit) => return exit,
    };
    let mut lines = Vec::new();
    for engine in &engines {
        let run = |vector: &&'static Vector| Line { engine: engine.name(), vector, outcome: run(vector, &**engine) };
        lines.extend(chosen.iter().map(run));
    }
    let failed = lines.iter().any(|line| matches!(line.outcome, Outcome::Failed(_)));
    printed(&report::text(arguments.style(), &lines), if failed { Exit::Finding } else { Exit::Ok })
}

fn printed(text: &str, exit: Exit) -> Exit {
    match output::to_stdout(text.as_bytes()) {
        Ok(()) => exit,
        Err(e) => {
            say(format_args!("error[output]: {e}"));
            Exit::Usage
        }
    }
}

impl Arguments {
    fn style(&self) -> Style {
        match (self.tap, self.junit, self.json) {
            (true, _, _) => Style::Tap,
            (_, true, _) => Style::Junit,
            (_, _, true) => Style::Json,
            _ => Style::People,
        }
    }

    fn wants(&self, vector: &Vector) -> bool {
        let holds = |group: &Group| vector.group() == *group || group.row().includes == Some(vector.group());
        let named = |text: &String| vector.name().contains(text);
        (self.groups.is_empty() || self.groups.iter().any(holds)) && self.filter.as_ref().is_none_or(named)
    }

    /// The engines asked for. Of `all`, one that is not available is left out and named.
    fn engines(&self) -> Result<Vec<Box<dyn Engine>>, Exit> {
        if self.engine != "all" {
            return engines::by_name(&self.engine).map(|engine| vec![engine]).map_err(|e| {
                say(format_args!("error[selftest-engine]: {e}"));
                if engines::all().iter().any(|engine| engine.name() == self.engine) {
                    Exit::Unsupported
                } else {
                    Exit::Usage
                }
            });
        }
        let available = |engine: &dyn Engine| match engine.availability() {
            Availability::Available(_) => true,
            Availability::Unavailable(reason) => {
                say(format_args!("note: engine {} is left out: {reason}", engine.name()));
                false
            }
        };
        Ok(engines::all().into_iter().filter(|engine| available(&**engine)).collect())
    }
}
