//! A JSON document: what `tc -j filter show` has under `bytecode`, with the text of each instruction.

use oxbpf_isa::cbpf::SockFilter;
use serde::{Deserialize, Serialize};

use super::text::insn_text;
use crate::error::{Diagnostic, Fault};

#[derive(Serialize, Deserialize)]
struct JsonInsn {
    code: u16,
    jt: u8,
    jf: u8,
    k: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    text: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct Document {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    version: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    length: Option<u32>,
    insns: Vec<JsonInsn>,
}

pub(super) fn write(code: &[SockFilter]) -> String {
    let insn = |(at, i): (usize, &SockFilter)| JsonInsn {
        code: i.code,
        jt: i.jt,
        jf: i.jf,
        k: i.k,
        text: Some(insn_text(at, *i)),
    };
    let insns = code.iter().enumerate().map(insn).collect();
    let document = Document { version: Some(1), length: Some(code.len() as u32), insns };
    // Numbers and strings have JSON.
    serde_json::to_string_pretty(&document).unwrap_or_default() + "\n"
}

/// Reads that document, tc's `{"bytecode": …}`, and a bare array of instructions.
pub(super) fn read(source: &str) -> Result<Vec<SockFilter>, Diagnostic> {
    #[derive(Deserialize)]
    struct OfTc {
        bytecode: Document,
    }
    let document = if source.trim_start().starts_with('[') {
        serde_json::from_str(source).map(|insns| Document { version: None, length: None, insns })
    } else {
        match serde_json::from_str::<OfTc>(source) {
            Ok(of_tc) => Ok(of_tc.bytecode),
            Err(_) => serde_json::from_str::<Document>(source),
        }
    };
    let document = document.map_err(|e| {
        let message = e.to_string();
        let message = message.split(" at line ").next().unwrap_or_default().to_string();
        let (line, column) = (e.line().max(1) as u32, e.column().max(1) as u32);
        Diagnostic { fault: Fault::Json { message }, line, column, width: 1 }
    })?;
    let found = document.insns.len();
    if let Some(count) = document.length.filter(|&l| l as usize != found) {
        return Err(Diagnostic { fault: Fault::Count { count, found }, line: 1, column: 1, width: 1 });
    }
    Ok(document.insns.into_iter().map(|JsonInsn { code, jt, jf, k, .. }| SockFilter { code, jt, jf, k }).collect())
}
