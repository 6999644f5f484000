//! `oxbpf verify`: the kernel's rules for classic programs.

use oxbpf_cbpf_asm::{Format, Options, Read};
use oxbpf_isa::cbpf::{CheckError, Fault, check_all};
use serde_json::json;

use super::{Named, file, named, parse};
use crate::cli::asm::output;
use crate::cli::{Exit, say};

const EXAMPLES: &str = "\
Examples:
  oxbpf verify filter.txt
  tcpdump -ddd tcp port 80 | oxbpf verify -
  oxbpf verify bytecode:'1,6 0 0 4294967295,' --json

PROG is a classic program: a file in any format (text, tcpdump -d, -dd, -ddd, bpf_asm, C, Rust, JSON), @FILE,
bytecode:'N,code jt jf k,...', filter:DLT:'EXPR', raw:cbpf:FILE, raw:cbpf-be:FILE, or - for standard input. Every broken rule is told.";

/// Check a classic program by the kernel's rules.
#[derive(clap::Args, Clone, Debug)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct Arguments {
    /// The program, see below
    prog: String,
    /// The format of the file; without it, the one it seems to be in
    #[arg(long, value_name = "FORMAT", value_parser = super::format)]
    format: Option<Format>,
    /// A JSON document instead of text
    #[arg(long)]
    json: bool,
}

pub(in crate::cli) fn main(arguments: Arguments) -> Exit {
    let named = named(&arguments.prog).unwrap_or_else(|| file(&arguments.prog, None));
    let mut named = match named {
        Ok(named) => named,
        Err(message) => return usage(&message),
    };
    named.format = arguments.format.or(named.format);
    if named.bytes.starts_with(b"\x7fELF") || arguments.prog.starts_with("raw:ebpf:") {
        say(format_args!("error: {}: eBPF cannot be verified yet; classic programs can", named.name));
        return Exit::Unsupported;
    }
    let read = match parse(&named, &Options::default()) {
        Ok(read) => read,
        Err(message) => return usage(&message),
    };
    let errors = check_all(&read.code);
    let shown = if arguments.json { document(&named, &read, &errors) } else { accepted(&named, &read, &errors) };
    if let Err(e) = output::to_stdout(shown.as_bytes()) {
        return usage(&format!("error: standard output: {e}"));
    }
    if !errors.is_empty() && !arguments.json {
        say(crate::prog::broken(&named.name, &named.bytes, &read, &errors).trim_end());
    }
    if errors.is_empty() { Exit::Ok } else { Exit::Finding }
}

fn usage(message: &str) -> Exit {
    say(message.trim_end());
    Exit::Usage
}

/// The line for an accepted program.
fn accepted(named: &Named, read: &Read, errors: &[CheckError]) -> String {
    match errors {
        [] => format!("{}: accepted, {} instructions\n", named.name, read.code.len()),
        _ => String::new(),
    }
}

fn document(named: &Named, read: &Read, errors: &[CheckError]) -> String {
    let error = |e: &CheckError| {
        let whole = matches!(e.fault, Fault::Empty | Fault::TooLong { .. });
        let insn = (!whole).then_some(e.at);
        json!({ "code": e.code(), "insn": insn, "line": read.places.get(e.at).map(|p| p.line), "message": e.fault.to_string() })
    };
    let document = json!({
        "schema": "oxbpf.verify/1",
        "program": named.name,
        "format": read.format.row().name,
        "insns": read.code.len(),
        "accepted": errors.is_empty(),
        "errors": errors.iter().map(error).collect::<Vec<_>>(),
    });
    format!("{document:#}\n")
}
