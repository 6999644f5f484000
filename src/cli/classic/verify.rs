//! The kernel's rules for classic programs, for `oxbpf verify`.

use oxbpf_cbpf_asm::{Options, Read};
use oxbpf_isa::cbpf::{CheckError, Fault, check_all};
use serde_json::json;

use super::{Named, parse};
use crate::cli::asm::output;
use crate::cli::{Exit, say};
use crate::verdict::{Judged, Outcome, Place, Refusal};

/// Judges one classic program and says so.
pub(in crate::cli) fn one(named: &Named, as_json: bool) -> Exit {
    let read = match parse(named, &Options::default()) {
        Ok(read) => read,
        Err(message) => return usage(&message),
    };
    let errors = check_all(&read.code);
    let shown = if as_json { document(named, &read, &errors) } else { accepted(named, &read, &errors) };
    if let Err(e) = output::to_stdout(shown.as_bytes()) {
        return usage(&format!("error: standard output: {e}"));
    }
    if !errors.is_empty() && !as_json {
        say(crate::prog::broken(&named.name, &named.bytes, &read, &errors).trim_end());
    }
    if errors.is_empty() { Exit::Ok } else { Exit::Finding }
}

/// Judges a classic program for a table of several.
pub(in crate::cli) fn judged(named: &Named) -> Judged {
    let refusal = |code: &str, message: String, rendered: String| Refusal {
        code: code.to_string(),
        slot: None,
        place: None,
        message,
        kernel: String::new(),
        rendered,
        path: Vec::new(),
    };
    let read = match parse(named, &Options::default()) {
        Ok(read) => read,
        Err(rendered) => {
            let why = refusal("prog-text", "no classic program".to_string(), rendered);
            return Judged::without(&named.name, &named.name, Outcome::Unreadable, why);
        }
    };
    let errors = check_all(&read.code);
    let rendered = crate::prog::broken(&named.name, &named.bytes, &read, &errors);
    let why = errors.first().map(|e| Refusal {
        slot: insn(e),
        place: read.places.get(e.at).map(|p| Place { file: named.name.clone(), line: p.line, column: p.column }),
        ..refusal(e.code(), e.fault.to_string(), rendered)
    });
    let outcome = if why.is_none() { Outcome::Accepted } else { Outcome::Rejected };
    let nothing = refusal("", String::new(), String::new());
    let mut judged = Judged::without(&named.name, &named.name, outcome, nothing);
    judged.refusal = why;
    judged.insns = read.code.len() as u32;
    judged
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

/// The instruction that an error is about.
fn insn(e: &CheckError) -> Option<u32> {
    let whole = matches!(e.fault, Fault::Empty | Fault::TooLong { .. });
    (!whole).then_some(e.at as u32)
}

fn document(named: &Named, read: &Read, errors: &[CheckError]) -> String {
    let error = |e: &CheckError| {
        let line = read.places.get(e.at).map(|p| p.line);
        json!({ "code": e.code(), "insn": insn(e), "line": line, "message": e.fault.to_string() })
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
