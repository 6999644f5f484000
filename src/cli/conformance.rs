//! `oxbpf conformance-plugin`: the plugin that the public bpf_conformance runner calls for each of its tests.

use std::ffi::OsString;
use std::io::Read;
use std::path::Path;

use oxbpf_abi::ProgType;
use oxbpf_ir::MapDef;
use oxbpf_isa::Insn;

use super::asm::output;
use super::{Exit, say};
use crate::bare::Bare;
use crate::{engines, prog};

const EXAMPLES: &str = "\
Examples:
  echo 'b7 00 00 00 2a 00 00 00 95 00 00 00 00 00 00 00' | oxbpf conformance-plugin
  echo '71 10 01 00 00 00 00 00 95 00 00 00 00 00 00 00' | oxbpf conformance-plugin 'aa bb'
  bpf_conformance_runner --test_file_directory tests --plugin_path ./oxbpf-conformance-plugin

The runner takes the path of one file: make a link named oxbpf-conformance-plugin to oxbpf, and that is this verb.
The program starts with the address of MEMORY in r1 and its length in r2, both zero without. It is not verified; only
the kernel engine asks the kernel's verifier.
Exit codes: 0 with r0 in hexadecimal on standard output, 1 with the reason on standard error.";

/// Run a program for the public conformance suite: hexadecimal bytes in, r0 out.
#[derive(clap::Args, Clone, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// The program's memory as hexadecimal bytes; empty arguments, which old runners give, say nothing
    #[arg(value_name = "MEMORY")]
    memory: Vec<String>,
    /// Standard input is an object's bytes; its function main in section .text runs
    #[arg(long)]
    elf: bool,
    /// What runs the program
    #[arg(long, value_name = "ENGINE", default_value = "interp", conflicts_with_all = ["jit", "interpret"])]
    engine: String,
    /// The same as --engine jit
    #[arg(long, conflicts_with = "interpret")]
    jit: bool,
    /// The same as --engine interp
    #[arg(long)]
    interpret: bool,
    /// Accepted and not looked at: all instructions are understood
    #[arg(long = "cpu_version", alias = "cpu-version", value_name = "V")]
    _cpu_version: Option<String>,
}

/// The process's arguments, with the verb where the binary was called by its name.
pub(super) fn named(arguments: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut arguments: Vec<_> = arguments.collect();
    let called = arguments.first().and_then(|name| Path::new(name).file_stem());
    if called.is_some_and(|name| name == "oxbpf-conformance-plugin") {
        arguments.insert(1, "conformance-plugin".into());
    }
    arguments
}

pub(super) fn main(arguments: Arguments) -> Exit {
    match run(&arguments) {
        Ok(r0) => match output::to_stdout(format!("{r0:x}\n").as_bytes()) {
            Ok(()) => Exit::Ok,
            Err(e) => failed(format_args!("error[output]: {e}")),
        },
        Err(message) => failed(message),
    }
}

/// The protocol knows one code for everything that went wrong.
fn failed(message: impl std::fmt::Display) -> Exit {
    say(message);
    Exit::Finding
}

fn run(arguments: &Arguments) -> Result<u64, String> {
    let engine = match (arguments.jit, arguments.interpret) {
        (true, _) => "jit",
        (_, true) => "interp",
        _ => &arguments.engine,
    };
    let engine = engines::by_name(engine).map_err(|e| format!("error[conformance-engine]: {e}"))?;
    let mut given = arguments.memory.iter().filter(|text| !text.is_empty());
    let memory = bytes("memory", given.next().map_or("", String::as_str))?;
    if let Some(other) = given.next() {
        return Err(format!("error[conformance-input]: a second memory: `{}`", oxbpf_isa::text::quote(other)));
    }
    let program = bytes("program", &standard_input()?)?;
    let (insns, maps) = if arguments.elf { object(&program)? } else { (bare(&program)?, Vec::new()) };
    let outcome = Bare::new(&insns, &memory).with_maps(&maps).run(&*engine);
    let outcome = outcome.map_err(|e| format!("error[{}]: {e}", e.code()))?;
    outcome.map_err(|trap| trap.to_string())
}

fn standard_input() -> Result<String, String> {
    let mut text = String::new();
    let read = std::io::stdin().lock().take(MAX_HEX + 1).read_to_string(&mut text);
    match read {
        Err(e) => Err(format!("error[conformance-input]: standard input: {e}")),
        Ok(len) if len as u64 > MAX_HEX => {
            Err(format!("error[conformance-input]: standard input is longer than {MAX_HEX} bytes"))
        }
        Ok(_) => Ok(text),
    }
}

/// The longest hexadecimal text: that of the largest object the suite could hold.
const MAX_HEX: u64 = 64 << 20;

/// Bytes from hexadecimal digits in pairs, with or without spaces between.
fn bytes(what: &str, text: &str) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::with_capacity(text.len() / 2);
    let mut digits = text.char_indices().filter(|(_, c)| !c.is_whitespace());
    while let Some((at, high)) = digits.next() {
        let value = |c: char| c.to_digit(16);
        let low = digits.next().and_then(|(_, c)| value(c));
        let pair = value(high).zip(low);
        let (high, low) =
            pair.ok_or_else(|| format!("error[conformance-hex]: {what}: no byte in hexadecimal at character {at}"))?;
        bytes.push((high * 16 + low) as u8);
    }
    Ok(bytes)
}

fn bare(bytes: &[u8]) -> Result<Vec<Insn>, String> {
    prog::decode("program", bytes).map_err(|e| format!("error[{}]: {e}", e.code()))
}

/// The instructions of `main` in `.text` with the functions that it calls, and the maps that they use.
fn object(bytes: &[u8]) -> Result<(Vec<Insn>, Vec<MapDef>), String> {
    let error = |e: oxbpf_elf::ElfError| format!("error[{}]: {e}", e.code());
    let object = oxbpf_elf::load(bytes).map_err(error)?;
    let main = object.select(Some(".text/main")).map_err(error)?;
    let unit = object.unit("object", &[main], |_| Some(ProgType::SchedCls)).map_err(error)?;
    Ok((unit.programs()[0].insns().to_vec(), unit.maps().to_vec()))
}
