//! The listing for people.

use std::collections::HashMap;
use std::fmt::Write as _;

use comfy_table::{CellAlignment, Table, presets};
use oxbpf_abi::is_gpl_compatible;
use oxbpf_elf::{ExternKind, MapSource};
use oxbpf_ir::MapDef;

use super::Facts;

pub(super) fn listing(facts: &Facts) -> String {
    let mut out = String::new();
    // Writing to a string does not fail.
    let order = if facts.object.is_big_endian() { "big-endian (listed, not run)" } else { "little-endian" };
    let license = facts.object.license();
    let compatible = if is_gpl_compatible(license) { "GPL-compatible" } else { "not GPL-compatible" };
    let shown = if license.is_empty() { "none" } else { license };
    let _ = writeln!(out, "object    {}, {order}", facts.name);
    let _ = writeln!(out, "licence   {} ({compatible})", shown);
    let _ = writeln!(out, "types     {}", types(facts));
    for note in &facts.notes {
        let _ = writeln!(out, "note      {note}");
    }
    section(&mut out, "sections", sections(facts));
    section(&mut out, "programs", programs(facts));
    section(&mut out, "maps", maps(facts));
    section(&mut out, "from the kernel", externs(facts));
    section(&mut out, "relocations", relocations(facts));
    section(&mut out, "CO-RE records", core(facts));
    if let Some(lines) = &facts.lines {
        for (program, lines) in facts.object.programs().iter().zip(lines) {
            let mut table = table(&["slot", "line", "text"], &[0]);
            for line in lines {
                let place = format!("{}:{}", line.file, line.line);
                table.add_row([line.slot.to_string(), place, line.text.clone()]);
            }
            section(&mut out, &format!("lines of {}/{}", program.section(), program.name()), table);
        }
    }
    // Names are the object's, and a terminal obeys some characters.
    out.replace(|c: char| c.is_control() && c != '\n', "?")
}

fn section(out: &mut String, title: &str, table: Table) {
    if table.row_count() > 0 {
        let _ = writeln!(out, "\n{title}");
        for line in table.to_string().lines() {
            let _ = writeln!(out, "{}", line.trim_end());
        }
    }
}

/// A table without lines, numbers to the right.
fn table(head: &[&str], numbers: &[usize]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(head);
    for &column in numbers {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

fn types(facts: &Facts) -> String {
    match facts.object.types() {
        Some(types) => format!("BTF with {} types", types.len() - 1),
        None => "no BTF".to_string(),
    }
}

fn sections(facts: &Facts) -> Table {
    let mut table = table(&["number", "name", "type", "size", "flags", "relocations"], &[0, 3, 5]);
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for row in &facts.found.relocations {
        *counts.entry(&row.section).or_default() += 1;
    }
    for row in &facts.found.sections {
        let kind = row.type_name().map_or_else(|| format!("{:#x}", row.sh_type), str::to_string);
        let count = counts.get(&*row.name).map_or(String::new(), |n| n.to_string());
        let name = row.name.to_string();
        table.add_row([row.index.to_string(), name, kind, row.size.to_string(), row.flag_letters(), count]);
    }
    table
}

fn programs(facts: &Facts) -> Table {
    let mut table = table(&["section", "function", "type", "insns", "functions", "maps", "remarks"], &[3, 4]);
    for (i, program) in facts.object.programs().iter().enumerate() {
        let survey = &facts.survey[i];
        let kind = match facts.types.of(program) {
            Some(kind) => kind.to_string(),
            None if program.is_tail() => "its caller's".to_string(),
            None => "unknown (--type)".to_string(),
        };
        let mut remarks = Vec::new();
        if let Some(fault) = &survey.fault {
            remarks.push(format!("error[{}]: {fault}", fault.code()));
        }
        let gpl_only = facts.gpl_only(i).join(", ");
        match (gpl_only.is_empty(), facts.licensed(i)) {
            (true, _) => {}
            (false, true) => remarks.push(format!("needs its licence for {gpl_only}")),
            (false, false) => remarks.push(format!("its licence does not allow {gpl_only}")),
        }
        table.add_row([
            program.section().to_string(),
            program.name().to_string(),
            kind,
            survey.slots.to_string(),
            survey.functions.to_string(),
            facts.map_names(i).join(", "),
            remarks.join("; "),
        ]);
    }
    table
}

fn maps(facts: &Facts) -> Table {
    let head = ["name", "type", "key", "value", "entries", "flags", "defined by", "remarks"];
    let mut table = table(&head, &[2, 3, 4, 5]);
    for (i, (def, source)) in facts.object.maps().zip(facts.object.map_sources()).enumerate() {
        let remarks = map_remarks(facts, i, def);
        table.add_row([
            def.name.clone(),
            def.map_type.to_string(),
            def.key_size.to_string(),
            def.value_size.to_string(),
            def.max_entries.to_string(),
            if def.flags == 0 { String::new() } else { format!("{:#x}", def.flags) },
            source_text(source),
            remarks.join("; "),
        ]);
    }
    table
}

pub(super) fn source_text(source: MapSource) -> String {
    match source {
        MapSource::Legacy(layout) => layout.to_string(),
        MapSource::Btf => "BTF".to_string(),
        MapSource::Data => "global data".to_string(),
        MapSource::Settings => "kernel settings".to_string(),
    }
}

fn map_remarks(facts: &Facts, map: usize, def: &MapDef) -> Vec<String> {
    let mut remarks = Vec::new();
    if let Some(fault) = facts.object.map_fault(map) {
        remarks.push(format!("error[{}]: {fault}", fault.code()));
    }
    if let Some(id) = def.id {
        remarks.push(format!("id {id}"));
    }
    if def.pinning != 0 {
        remarks.push(format!("pinning {}", def.pinning));
    }
    if def.extra != 0 {
        remarks.push(format!("extra {:#x}", def.extra));
    }
    if let Some(lock) = def.lock {
        remarks.push(format!("lock at {lock}"));
    }
    if def.frozen() {
        remarks.push("read-only".to_string());
    }
    if let Some(inner) = &def.inner {
        let (kind, key, value, entries) = (inner.map_type, inner.key_size, inner.value_size, inner.max_entries);
        remarks.push(format!("of {kind} key {key} value {value} entries {entries}"));
    }
    remarks.extend(facts.object.map_contents(map).map(|(key, name)| format!("{key} = {name}")));
    remarks
}

fn externs(facts: &Facts) -> Table {
    let mut table = table(&["name", "kind", "binding", "value"], &[]);
    for wanted in facts.object.externs() {
        let value = match (wanted.kind(), wanted.value()) {
            (ExternKind::Setting, Some(bytes)) => {
                bytes.iter().map(|b| format!("{b:02x}")).collect::<Vec<_>>().join(" ")
            }
            (_, _) if wanted.is_weak() => "absent: 0".to_string(),
            _ => "absent".to_string(),
        };
        let binding = if wanted.is_weak() { "weak" } else { "strong" };
        table.add_row([wanted.name().to_string(), wanted.kind().name().to_string(), binding.to_string(), value]);
    }
    table
}

fn core(facts: &Facts) -> Table {
    let mut table = table(&["section", "function", "slot", "kind", "of", "answer"], &[2]);
    for row in facts.object.core_relocations() {
        let (section, function) = (row.section().to_string(), row.function().to_string());
        let answer = facts.target.as_ref().map_or(String::from("not looked up"), |target| row.answer(target));
        table.add_row([section, function, row.slot().to_string(), row.kind().to_string(), row.local(), answer]);
    }
    table
}

fn relocations(facts: &Facts) -> Table {
    let mut table = table(&["section", "at", "kind", "symbol"], &[1]);
    for row in &facts.found.relocations {
        let kind = row.kind_name().map_or_else(|| row.kind.to_string(), str::to_string);
        table.add_row([row.section.to_string(), format!("{:#x}", row.at), kind, row.symbol.to_string()]);
    }
    table
}
