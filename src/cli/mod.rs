//! The command line: verbs, their options, and the exit codes they share.

mod asm;
mod classic;
mod conformance;
mod disasm;
mod filter;
mod fmt;
mod migrate;
mod obj;
mod reference;
mod run;
mod selftest;
mod verify;

use std::fmt::Display;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// How a verb ended; the process's exit code.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Exit {
    /// 0: everything as expected.
    Ok,
    /// 1: a finding: rejected, mismatch, failed expectation.
    Finding,
    /// 2: wrong usage or unreadable input.
    Usage,
    /// 3: something this toolchain does not support.
    Unsupported,
    /// 4: a limit was hit.
    Limit,
    /// 70: a defect of the toolchain.
    Internal,
}

impl Exit {
    const fn code(self) -> u8 {
        match self {
            Exit::Ok => 0,
            Exit::Finding => 1,
            Exit::Usage => 2,
            Exit::Unsupported => 3,
            Exit::Limit => 4,
            Exit::Internal => 70,
        }
    }
}

const EXIT_CODES: &str = "\
Exit codes: 0 as expected, 1 a finding (rejected, trapped, mismatch, failed expectation), 2 wrong usage,
unreadable input or unwritable output, 3 not supported, 4 a limit hit, 70 internal error.";

/// A pure-Rust toolchain for classic and extended BPF.
#[derive(Parser)]
#[command(name = "oxbpf", version, about, after_help = EXIT_CODES)]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    Run(Box<run::Arguments>),
    Asm(asm::Arguments),
    Disasm(disasm::Arguments),
    Filter(filter::Arguments),
    Fmt(fmt::Arguments),
    Migrate(migrate::Arguments),
    Obj(obj::Arguments),
    Verify(Box<verify::Arguments>),
    Isa(reference::IsaArguments),
    Helpers(reference::HelpersArguments),
    Maps(reference::MapsArguments),
    Fields(reference::FieldsArguments),
    Explain(reference::ExplainArguments),
    Selftest(selftest::Arguments),
    ConformancePlugin(conformance::Arguments),
}

/// Parses the process's arguments and runs the verb. Called as `bpf_asm`, it is that tool; called as
/// `oxbpf-conformance-plugin`, that verb.
pub fn main() -> ExitCode {
    if classic::bpf_asm::is_called() {
        return classic::bpf_asm::main();
    }
    let arguments = match Arguments::try_parse_from(conformance::named(std::env::args_os())) {
        Ok(arguments) => arguments,
        Err(e) => {
            // Help and version are no errors; clap prints each where it belongs.
            let _ = e.print();
            return ExitCode::from(if e.use_stderr() { Exit::Usage.code() } else { Exit::Ok.code() });
        }
    };
    let verb = || match arguments.verb {
        Verb::Run(a) => run::main(*a),
        Verb::Asm(a) => asm::main(a),
        Verb::Disasm(a) => disasm::main(a),
        Verb::Filter(a) => filter::main(a),
        Verb::Fmt(a) => fmt::main(a),
        Verb::Migrate(a) => migrate::main(a),
        Verb::Obj(a) => obj::main(a),
        Verb::Verify(a) => verify::main(*a),
        Verb::Isa(a) => reference::isa(&a),
        Verb::Helpers(a) => reference::helpers(&a),
        Verb::Maps(a) => reference::maps(&a),
        Verb::Fields(a) => reference::fields(&a),
        Verb::Explain(a) => reference::explain(&a),
        Verb::Selftest(a) => selftest::main(a),
        Verb::ConformancePlugin(a) => conformance::main(a),
    };
    let exit = catch_unwind(AssertUnwindSafe(verb)).unwrap_or_else(|_| {
        say("error[internal]: this is a defect of oxbpf; please report it, with what it was given");
        Exit::Internal
    });
    ExitCode::from(exit.code())
}

/// Says something on standard error; that it cannot be heard there changes nothing.
fn say(message: impl Display) {
    let _ = writeln!(std::io::stderr(), "{message}");
}
