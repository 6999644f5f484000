//! `oxbpf migrate`: a classic program and what it becomes, side by side.

use oxbpf_abi::ProgType;
use oxbpf_cbpf_asm::insn_text;
use oxbpf_ir::InsnId;
use oxbpf_isa::text::PrintOptions;
use serde_json::json;

use super::asm::{output, prog_type};
use super::disasm::Helpers;
use super::{Exit, say};
use crate::prog::{self, Classic, Loaded, ProgError};

const EXAMPLES: &str = "\
Examples:
  oxbpf migrate bytecode:'4,40 0 0 12,21 0 1 2048,6 0 0 65535,6 0 0 0'
  tcpdump -ddd tcp port 80 | oxbpf migrate -
  oxbpf migrate filter.txt --json

PROG is a classic program: bytecode:'N,code jt jf k,...', filter:DLT:'EXPR', @FILE in any format, a text file, raw:cbpf:FILE,
raw:cbpf-be:FILE or - for standard input. Numbers of eBPF instructions are slots; what a jump leads to counts from the
next slot.";

/// Show what a classic program becomes as eBPF, instruction by instruction.
#[derive(clap::Args, Clone, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// The program, see below
    prog: String,
    /// A JSON document instead of two columns
    #[arg(long)]
    json: bool,
    /// The program type that it becomes
    #[arg(long = "type", value_name = "TYPE", value_parser = prog_type)]
    prog_type: Option<ProgType>,
}

pub(super) fn main(arguments: Arguments) -> Exit {
    let loaded = match prog::load(&arguments.prog, arguments.prog_type, ProgType::SchedCls) {
        Ok(loaded) => loaded,
        Err(e) => return fail(&e),
    };
    let Some(classic) = &loaded.classic else {
        say(format_args!("error[migrate-not-classic]: {} is eBPF already", loaded.unit.name()));
        return Exit::Usage;
    };
    for note in &loaded.notes {
        say(format_args!("note: {note}"));
    }
    let text = if arguments.json { document(&loaded, classic) } else { columns(classic) };
    if let Err(e) = output::to_stdout(text.as_bytes()) {
        say(format_args!("error: standard output: {e}"));
        return Exit::Usage;
    }
    Exit::Ok
}

fn fail(e: &ProgError) -> Exit {
    say(e.shown());
    match e {
        ProgError::Filter { source, .. } => super::filter::exit(source),
        ProgError::Unsupported { .. } => Exit::Unsupported,
        ProgError::Classic { .. } => Exit::Finding,
        _ => Exit::Usage,
    }
}

/// The classic instructions as text, with the numbers of others for labels.
fn classic_lines(classic: &Classic) -> Vec<String> {
    let raw = classic.program.encode();
    raw.iter().enumerate().map(|(at, insn)| insn_text(at, *insn)).collect()
}

/// The eBPF instructions as text, one line each.
fn ebpf_lines(classic: &Classic) -> Vec<String> {
    let insns = classic.migrated.program().insns();
    let text = oxbpf_isa::text::print(insns, &PrintOptions::default(), &Helpers);
    text.lines().map(|line| line.trim().to_string()).collect()
}

fn columns(classic: &Classic) -> String {
    let (left, right) = (classic_lines(classic), ebpf_lines(classic));
    let width = left.iter().map(|l| l.chars().count()).max().unwrap_or(0).max("classic".len());
    let digits = |n: usize| n.to_string().len();
    let (l, r) = (digits(left.len()), digits(right.len()));
    let mut text = String::new();
    let mut line = |number: Option<usize>, classic: &str, ebpf: Option<u32>| {
        let number = number.map_or(String::new(), |n| format!("{n}:"));
        let ebpf = ebpf.map_or("-".into(), |i| format!("{i:>r$}: {}", right[i as usize]));
        text += format!("{number:>w$}  {classic:width$}  {ebpf}", w = l + 1).trim_end();
        text.push('\n');
    };
    for i in classic.migrated.prologue() {
        line(None, "", Some(i));
    }
    for (at, insn) in left.iter().enumerate() {
        let range = classic.migrated.insns_of(at);
        // What nothing reaches, or has nothing to do, becomes nothing.
        line(Some(at), insn, (!range.is_empty()).then_some(range.start));
        for i in range.skip(1) {
            line(None, "", Some(i));
        }
    }
    text
}

fn document(loaded: &Loaded, classic: &Classic) -> String {
    let program = classic.migrated.program();
    let classic_rows = classic_lines(classic).into_iter().enumerate().map(|(at, text)| {
        let range = classic.migrated.insns_of(at);
        json!({ "insn": at, "text": text, "ebpf": range.collect::<Vec<_>>() })
    });
    let ebpf_rows = ebpf_lines(classic).into_iter().enumerate().map(|(i, text)| {
        let insn = InsnId(i as u32);
        json!({ "insn": i, "slot": program.slot(insn).0, "text": text, "classic": classic.migrated.origin(insn) })
    });
    let document = json!({
        "schema": "oxbpf.migrate/1",
        "program": loaded.unit.name(),
        "type": program.prog_type().row().name,
        "classic": classic_rows.collect::<Vec<_>>(),
        "ebpf": ebpf_rows.collect::<Vec<_>>(),
    });
    format!("{document:#}\n")
}
