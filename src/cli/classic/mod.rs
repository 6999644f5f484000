//! Classic BPF at the command line: assembled, listed, checked, and under the name `bpf_asm`.

pub(super) mod bpf_asm;
pub(super) mod verify;

use std::io::IsTerminal;
use std::path::Path;

use oxbpf_cbpf_asm::{Diagnostic, Format, Options, Read, detect, write};

use super::asm::output;
use super::{Exit, say};
use crate::prog::{filter, read, shown_name};

/// A classic format by name, for options.
pub(super) fn format(text: &str) -> Result<Format, String> {
    let names = || Format::ROWS.map(|r| r.name).join(", ");
    Format::by_name(text).ok_or_else(|| format!("one of {}", names()))
}

/// A classic program as PROG names it, before anything of it is looked at.
pub(super) struct Named {
    /// Its name in messages.
    pub name: String,
    pub bytes: Vec<u8>,
    /// The format that its name says.
    pub format: Option<Format>,
}

/// Which classic program PROG names; none where its form does not say that it is classic.
pub(super) fn named(prog: &str) -> Option<Result<Named, String>> {
    if let Some(text) = prog.strip_prefix("bytecode:") {
        let bytes = text.as_bytes().to_vec();
        return Some(Ok(Named { name: "bytecode".into(), bytes, format: Some(Format::Tc) }));
    }
    if let Some(rest) = prog.strip_prefix(filter::PREFIX) {
        let code = filter::compile_prog(rest).map(|(_, code)| code).map_err(|e| e.shown());
        let bytes = code.and_then(|code| write(Format::Tc, &code).map_err(|e| e.to_string()));
        return Some(bytes.map(|bytes| Named { name: filter::NAME.into(), bytes, format: Some(Format::Tc) }));
    }
    let forms = [("raw:cbpf-be:", Some(Format::RawBe)), ("raw:cbpf:", Some(Format::RawLe)), ("@", None)];
    let (path, format) = forms.iter().find_map(|(prefix, format)| Some((prog.strip_prefix(prefix)?, *format)))?;
    Some(file(path, format))
}

/// A file that is to be taken for a classic program.
pub(super) fn file(path: &str, format: Option<Format>) -> Result<Named, String> {
    let bytes = read(path).map_err(|e| e.shown())?;
    Ok(Named { name: shown_name(path).into(), bytes, format })
}

/// Its instructions; where there are none, all mistakes rendered.
pub(super) fn parse(named: &Named, options: &Options) -> Result<Read, String> {
    oxbpf_cbpf_asm::read(&named.bytes, named.format, options).map_err(|errors| rendered(named, &errors))
}

/// Messages with the lines that they are about.
pub(super) fn rendered(named: &Named, list: &[Diagnostic]) -> String {
    let source = String::from_utf8_lossy(&named.bytes);
    list.iter().map(|d| d.render(&source, &named.name)).collect::<Vec<_>>().join("\n")
}

/// Reads a classic program and writes it in another format; what is doubtful goes to standard error.
pub(super) fn convert(named: &Named, to: Format, options: &Options, out: Option<&Path>) -> Result<(), String> {
    let out = out.filter(|o| *o != Path::new("-"));
    if out.is_none() && to.is_binary() && std::io::stdout().is_terminal() {
        return Err("error: bytes would spoil the terminal; give -o FILE, or another --emit".to_string());
    }
    let read = parse(named, options)?;
    let bytes = write(to, &read.code).map_err(|e| format!("error[{}]: {}: {e}", e.code(), named.name))?;
    match out {
        Some(path) => output::to_file(path, &bytes).map_err(|e| format!("error: {}: {e}", path.display())),
        None => output::to_stdout(&bytes).map_err(|e| format!("error: standard output: {e}")),
    }?;
    if !read.warnings.is_empty() {
        say(rendered(named, &read.warnings).trim_end());
    }
    Ok(())
}

/// How a verb ends that did something or has a message.
pub(super) fn ended(result: Result<(), String>) -> Exit {
    match result {
        Ok(()) => Exit::Ok,
        Err(message) => {
            say(message.trim_end());
            Exit::Usage
        }
    }
}

/// Whether what is no eBPF text is meant as a classic program.
pub(super) fn is_meant(source: &str) -> bool {
    detect(source.as_bytes()) != Format::Text || crate::prog::looks_classic(source)
}
