//! The verifier's notes in the form of the kernel's log: what is known before an instruction, and the instruction.

use std::collections::HashMap;

use oxbpf_ir::{Program, Unit};
use oxbpf_isa::text::{Dialect, PrintOptions, print};
use oxbpf_verifier::Fault;

use super::render::Known;

/// The notes, each followed by its instruction as the kernel prints it, and at the end the fault in its words.
pub(super) fn of_kernel(unit: &Unit, program: &Program, notes: &str, fault: Option<&Fault>) -> String {
    let mut texts: HashMap<u32, String> = HashMap::new();
    let mut out = String::with_capacity(notes.len() * 2);
    for note in notes.lines() {
        out.push_str(note);
        out.push('\n');
        let slot = note.split_once(": ").and_then(|(slot, _)| slot.parse::<u32>().ok());
        if let Some(slot) = slot {
            out.push_str(texts.entry(slot).or_insert_with(|| insn(unit, program, slot)));
        }
    }
    if let Some(fault) = fault {
        out.push_str(&fault.kernel);
        out.push('\n');
    }
    out
}

fn insn(unit: &Unit, program: &Program, slot: u32) -> String {
    let Some(insn) = program.insn_at(slot.into()) else { return String::new() };
    let options = PrintOptions { dialect: Dialect::Kernel, ..PrintOptions::default() };
    let text = print(&[program.insns()[insn.index()]], &options, &Known(unit));
    format!("{slot}: {}\n", text.trim())
}
