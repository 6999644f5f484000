//! One program of a text: names resolved, shape checked, errors at their lines.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use oxbpf_abi::{HELPERS, ProgType, call_id};
use oxbpf_ir::{BuildError, BuildFault, InsnId, LineRef, MapPurpose, Program, ProgramParts};
use oxbpf_isa::text::{SymbolKind, SymbolRef, quote};
use oxbpf_isa::{CallTarget, Insn, Pseudo, Slot};

use super::declare::{Declared, Section};
use super::error::{UnitTextError, UnitTextFault};
use super::{Errors, Options, Part, begin_of};
use crate::near::near;

/// Characters of a source line that a program keeps.
const MAX_TEXT: usize = 256;

/// The program of `part`.
pub(super) fn build(
    part: &Part<'_>,
    section: &Section,
    declared: &Declared<'_>,
    file: &str,
    options: &Options,
) -> Result<Program, Errors> {
    let mut insns = part.source.insns.clone();
    let mut errors = Errors::default();
    for symbol in &part.source.symbols {
        match resolved(insns[symbol.insn], symbol, part, declared) {
            Ok(insn) => insns[symbol.insn] = insn,
            Err(fault) => errors.push(at_name(symbol, fault)),
        }
        if errors.enough() {
            break;
        }
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    let by_section = || section.name.as_deref().and_then(ProgType::by_section);
    let prog_type = options.prog_type.or(part.segment.prog_type).or_else(by_section).unwrap_or(options.default_type);
    let mut parts = ProgramParts::new(part.segment.name, prog_type, insns);
    parts.section = section.name.clone().unwrap_or_default();
    parts.functions = functions(part, &parts.insns);
    parts.lines = lines(part, file);
    Program::new(parts).map_err(|e| misbuilt(part, e).into())
}

fn at_name(symbol: &SymbolRef, fault: UnitTextFault) -> UnitTextError {
    let width = symbol.name.chars().count().max(1) as u32;
    UnitTextError { fault, line: symbol.pos.line, column: symbol.pos.column, width }
}

/// `insn` with what its name stands for.
fn resolved(insn: Insn, symbol: &SymbolRef, part: &Part<'_>, declared: &Declared<'_>) -> Result<Insn, UnitTextFault> {
    match (symbol.kind, insn) {
        (SymbolKind::Call, _) => helper(symbol, part).map(|id| Insn::Call(CallTarget::Helper(id))),
        (SymbolKind::Address, Insn::LoadImm64 { dst, .. }) => {
            let value = address(symbol, declared)?;
            Ok(Insn::LoadPseudo { dst, value })
        }
        // No other instruction has the address of something in it.
        (SymbolKind::Address, other) => Ok(other),
    }
}

/// A helper's number; the kernel prints it behind the name.
fn helper(symbol: &SymbolRef, part: &Part<'_>) -> Result<i32, UnitTextFault> {
    let printed = i32::try_from(symbol.addend).ok().filter(|&id| id != 0);
    match (call_id(&symbol.name), printed) {
        (Some(id), None) => Ok(id),
        (Some(id), Some(printed)) if id != printed => {
            Err(UnitTextFault::Value(format!("helper {} is number {id}, not {printed}", quote(&symbol.name))))
        }
        (_, Some(printed)) => Ok(printed),
        (None, None) => {
            let labels = part.source.labels.iter().map(|l| l.name.as_str());
            let near = near(&symbol.name, HELPERS.iter().map(|h| h.name).chain(labels));
            Err(UnitTextFault::Unknown { what: "helper or label", name: quote(&symbol.name), near })
        }
    }
}

fn address(symbol: &SymbolRef, declared: &Declared<'_>) -> Result<Pseudo, UnitTextFault> {
    let Some(map) = declared.map(&symbol.name) else {
        let near = near(&symbol.name, declared.map_names());
        return Err(UnitTextFault::Unknown { what: "map, data or label", name: quote(&symbol.name), near });
    };
    let def = &declared.maps[map.index()];
    let index = map.0.cast_signed();
    if def.purpose == MapPurpose::User {
        return match symbol.addend {
            0 => Ok(Pseudo::MapFd(index)),
            _ => Err(UnitTextFault::Value(format!("`{}` is a map, which takes no offset", quote(&symbol.name)))),
        };
    }
    let off = u32::try_from(symbol.addend).ok().filter(|&off| off < def.value_size);
    let outside = || UnitTextFault::Value(format!("`{}` has {} bytes", quote(&symbol.name), def.value_size));
    Ok(Pseudo::MapValue { fd: index, off: off.ok_or_else(outside)?.cast_signed() })
}

/// The labels that something calls: those of functions.
fn functions(part: &Part<'_>, insns: &[Insn]) -> Vec<(Slot, String)> {
    let mut next = 0;
    let mut called = HashSet::new();
    for insn in insns {
        next += insn.slots();
        if let Insn::Call(CallTarget::Local(off)) | Insn::LoadPseudo { value: Pseudo::Func(off), .. } = *insn {
            // A function's address takes two slots, its distance counts from the second.
            let after = next - insn.slots() + 1;
            called.insert(i64::from(after) + i64::from(off));
        }
    }
    let mut names = BTreeMap::new();
    for label in part.source.labels.iter().filter(|l| called.contains(&l.slot.0.into())) {
        names.entry(label.slot).or_insert_with(|| label.name.clone());
    }
    names.into_iter().collect()
}

fn lines(part: &Part<'_>, file: &str) -> Vec<LineRef> {
    let file: Arc<str> = file.into();
    let texts: Vec<&str> = part.segment.text.lines().collect();
    let line = |(i, pos): (usize, &oxbpf_isa::text::Pos)| {
        let text = texts.get((pos.line - part.segment.lines) as usize - 1).map_or("", |t| t.trim());
        let end = text.char_indices().nth(MAX_TEXT).map_or(text.len(), |(end, _)| end);
        LineRef {
            insn: InsnId(i as u32),
            file: file.clone(),
            line: pos.line,
            column: pos.column,
            text: text[..end].into(),
        }
    };
    part.source.positions.iter().enumerate().map(line).collect()
}

/// A mistake of shape at the line of its instruction.
pub(super) fn misbuilt(part: &Part<'_>, error: BuildError) -> UnitTextError {
    if let BuildFault::Empty | BuildFault::TooLong { .. } = error.fault {
        return begin_of(part, error.fault);
    }
    let mut slot = 0;
    let at = part.source.insns.iter().position(|insn| {
        slot += insn.slots();
        slot > error.slot.0
    });
    match at.map(|i| part.source.positions[i]) {
        None => begin_of(part, error.fault),
        Some(pos) => {
            let line = part.segment.text.lines().nth((pos.line - part.segment.lines) as usize - 1).unwrap_or("");
            let width =
                line.chars().skip(pos.column as usize - 1).take_while(|c| !matches!(c, ';' | '#')).collect::<String>();
            let width = width.trim_end().chars().count().max(1) as u32;
            UnitTextError { fault: UnitTextFault::Build(error.fault), line: pos.line, column: pos.column, width }
        }
    }
}
