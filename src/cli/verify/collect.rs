//! From PROG to verdicts.

use std::io;

use oxbpf_cbpf_asm::Format;
use oxbpf_verifier::Code;

use super::Arguments;
use crate::cli::classic::{self, Named};
use crate::cli::say;
use crate::prog::each::{Candidate, NotLoaded, load_each};
use crate::prog::{ProgError, is_bytecode, read, shown_name, split};
use crate::text_unit;
use crate::verdict::{Judged, Outcome, Refusal, judge as ask, of_shape};

/// What kind of programs PROG names.
pub(super) enum Target {
    Classic(Named),
    /// With the bytes of its file, where they were read to find out.
    Extended(Option<Vec<u8>>),
}

/// Finds out what PROG names.
pub(super) fn target(prog: &str, format: Option<Format>) -> Result<Target, ProgError> {
    let rendered = |rendered| ProgError::Text { rendered };
    if let Some(named) = classic::named(prog) {
        let mut named = named.map_err(rendered)?;
        named.format = format.or(named.format);
        return Ok(Target::Classic(named));
    }
    if format.is_some() {
        return classic::file(prog, format).map(Target::Classic).map_err(rendered);
    }
    if prog.starts_with("raw:ebpf:") {
        return Ok(Target::Extended(None));
    }
    let (path, section) = split(prog);
    let bytes = read(path)?;
    if section.is_some() || bytes.starts_with(b"\x7fELF") || is_bytecode(path, &bytes) {
        return Ok(Target::Extended(Some(bytes)));
    }
    let extended = match std::str::from_utf8(&bytes) {
        Ok(source) => {
            text_unit::parse(source, path, &text_unit::Options::default()).is_ok() || !classic::is_meant(source)
        }
        Err(_) => false,
    };
    Ok(match extended {
        true => Target::Extended(Some(bytes)),
        false => Target::Classic(Named { name: shown_name(path).into(), bytes, format: None }),
    })
}

/// Judges every program of a PROG; each is handed on as soon as it is judged.
pub(super) fn judge(
    prog: &str,
    target: Target,
    arguments: &Arguments,
    each: &mut dyn FnMut(Judged) -> io::Result<()>,
) -> io::Result<()> {
    let bytes = match target {
        Target::Classic(named) => return each(classic::verify::judged(&named)),
        Target::Extended(bytes) => bytes,
    };
    let found = match load_each(prog, bytes, arguments.types()) {
        Ok(found) => found,
        Err(e) => return each(unreadable(prog, &e)?),
    };
    for note in &found.notes {
        say(format_args!("note: {note}"));
    }
    let file = shown_name(split(prog.strip_prefix("raw:ebpf:").unwrap_or(prog)).0);
    let options = arguments.options();
    for Candidate { name, loaded } in found.programs {
        each(match loaded {
            Ok((unit, program)) => ask(file, &unit, program, &options),
            Err(why) => not_loaded(file, &name, &why),
        })?;
    }
    Ok(())
}

/// A PROG in which there is nothing to judge.
pub(super) fn unreadable(prog: &str, error: &ProgError) -> io::Result<Judged> {
    let unsupported = match error {
        ProgError::Unsupported { .. } => true,
        ProgError::Object { source, .. } => source.is_unsupported(),
        _ => false,
    };
    let outcome = if unsupported { Outcome::Unsupported } else { Outcome::Unreadable };
    Ok(Judged::without(prog, prog, outcome, refusal(error, error.code().to_string(), error.to_string())))
}

fn refusal(error: &ProgError, code: String, message: String) -> Refusal {
    let rendered = error.shown();
    Refusal { code, slot: None, place: None, message, kernel: String::new(), rendered, path: Vec::new() }
}

/// A program that did not get as far as the verifier: its shape is wrong, which the kernel refuses too, or it cannot be
/// read.
fn not_loaded(file: &str, name: &str, why: &NotLoaded) -> Judged {
    let code = match &why.shape {
        Some(shape) => Some(of_shape(shape)),
        None => why.undecodable.then_some(Code::BadInsn),
    };
    let Some(code) = code else {
        let judged = unreadable(file, &why.error);
        return Judged { name: name.to_string(), file: file.to_string(), ..judged.expect("nothing is written") };
    };
    let help = format!("\n   = missing: {}\n   = help: {}\n", code.missing(), code.help());
    let mut refusal = refusal(&why.error, code.name(), code.title().to_string());
    refusal.rendered = format!("error[{code}]: {}\n{}{help}", code.title(), refusal.rendered.trim_end());
    Judged::without(file, name, Outcome::Rejected, refusal)
}
