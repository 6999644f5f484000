//! Listings as JSON, versioned.

use oxbpf_ir::{InsnId, MapInit, Program, Unit};
use oxbpf_isa::Insn;
use serde_json::{Value, json};

/// A unit's maps and some of its programs, as `verb` shows them; the schema's number grows when something that was
/// there changes its meaning.
pub(in crate::cli) fn document(verb: &str, unit: &Unit, programs: &[&Program]) -> String {
    let maps: Vec<Value> = unit.maps().iter().map(|m| map(m, unit)).collect();
    let programs: Vec<Value> = programs.iter().map(|p| program(p)).collect();
    shown(&json!({
        "schema": format!("oxbpf.{verb}/1"), "name": unit.name(), "license": unit.license(), "maps": maps, "programs": programs,
    }))
}

/// Bare instructions, of which nothing else is known.
pub(super) fn bare(name: &str, insns: &[Insn]) -> String {
    shown(&json!({ "schema": "oxbpf.disasm/1", "name": name, "programs": [{ "insns": listing(insns) }] }))
}

fn shown(document: &Value) -> String {
    format!("{document:#}\n")
}

fn map(def: &oxbpf_ir::MapDef, unit: &Unit) -> Value {
    let entries: Vec<Value> = match &def.init {
        MapInit::Empty => Vec::new(),
        MapInit::Entries(entries) => {
            entries.iter().map(|(key, value)| json!({ "key": hex(key), "value": hex(value) })).collect()
        }
        MapInit::Programs(entries) => {
            let name = |p: &oxbpf_ir::ProgIdx| unit.programs()[p.index()].name().to_string();
            entries.iter().map(|(key, p)| json!({ "key": key, "program": name(p) })).collect()
        }
        MapInit::Maps(entries) => {
            let name = |m: &oxbpf_ir::MapIdx| unit.maps()[m.index()].name.clone();
            entries.iter().map(|(key, m)| json!({ "key": hex(key), "map": name(m) })).collect()
        }
    };
    json!({
        "name": def.name, "type": def.map_type.to_string(), "key": def.key_size, "value": def.value_size,
        "max_entries": def.max_entries, "flags": def.flags, "entries": entries,
    })
}

fn program(program: &Program) -> Value {
    let mut insns = listing(program.insns());
    for line in program.lines() {
        let insn = &mut insns[line.insn.index()];
        insn["line"] = json!({ "file": &*line.file, "line": line.line, "column": line.column, "text": &*line.text });
    }
    let slot = |start: u32| program.slot(InsnId(start)).0;
    let functions: Vec<Value> =
        program.functions().iter().map(|f| json!({ "name": f.name, "slot": slot(f.insns.start) })).collect();
    json!({
        "name": program.name(), "type": program.prog_type().to_string(), "section": program.section(),
        "functions": functions, "insns": insns,
    })
}

fn listing(insns: &[Insn]) -> Vec<Value> {
    let mut slot = 0;
    let entry = |insn: &Insn| {
        let at = slot;
        slot += insn.slots();
        let bytes: Vec<u8> = insn.encode().words().iter().flat_map(|w| w.to_bytes()).collect();
        json!({ "slot": at, "bytes": hex(&bytes), "text": insn.to_string() })
    };
    insns.iter().map(entry).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}
