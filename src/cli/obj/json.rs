//! The listing as a JSON document, `oxbpf.obj/1`.

use oxbpf_abi::is_gpl_compatible;
use oxbpf_elf::{ElfError, MapSource};
use oxbpf_ir::MapDef;
use serde_json::{Value, json};

use super::Facts;

pub(super) fn document(facts: &Facts) -> String {
    let object = &facts.object;
    let document = json!({
        "schema": "oxbpf.obj/1",
        "object": facts.name,
        "byte_order": if object.is_big_endian() { "big" } else { "little" },
        "license": object.license(),
        "gpl_compatible": is_gpl_compatible(object.license()),
        "btf": object.types().map(|types| json!({ "types": types.len() - 1 })),
        "notes": facts.notes,
        "sections": sections(facts),
        "programs": programs(facts),
        "maps": maps(facts),
        "externs": externs(facts),
        "relocations": relocations(facts),
        "core": core(facts),
    });
    format!("{document:#}\n")
}

fn fault(fault: Option<&ElfError>) -> Value {
    fault.map_or(Value::Null, |f| json!({ "code": f.code(), "message": f.to_string() }))
}

fn sections(facts: &Facts) -> Vec<Value> {
    let row = |s: &oxbpf_elf::SectionRow| {
        json!({
            "number": s.index, "name": &*s.name, "type": s.type_name(), "sh_type": s.sh_type,
            "flags": s.flag_letters(), "size": s.size,
        })
    };
    facts.found.sections.iter().map(row).collect()
}

fn programs(facts: &Facts) -> Vec<Value> {
    let mut all = Vec::new();
    for (i, program) in facts.object.programs().iter().enumerate() {
        let survey = &facts.survey[i];
        let mut row = json!({
            "section": program.section(),
            "function": program.name(),
            "type": facts.types.of(program).map(|t| t.to_string()),
            "tail": program.is_tail(),
            "insns": survey.slots,
            "functions": survey.functions,
            "helpers": facts.helpers(i),
            "gpl_only": facts.gpl_only(i),
            "licensed": facts.licensed(i),
            "maps": facts.map_names(i),
            "fault": fault(survey.fault.as_ref()),
        });
        if let Some(lines) = &facts.lines {
            let line =
                |l: &super::SourceLine| json!({ "slot": l.slot, "file": l.file, "line": l.line, "text": l.text });
            row["lines"] = lines[i].iter().map(line).collect();
        }
        all.push(row);
    }
    all
}

fn maps(facts: &Facts) -> Vec<Value> {
    let mut all = Vec::new();
    for (i, (def, source)) in facts.object.maps().zip(facts.object.map_sources()).enumerate() {
        let mut row = shape(def);
        row["defined_by"] = match source {
            MapSource::Legacy(layout) => json!({
                "kind": "legacy", "structure": layout.structure, "bytes": layout.len, "decided": layout.decided.reason(),
            }),
            MapSource::Btf => json!({ "kind": "btf" }),
            MapSource::Data => json!({ "kind": "data" }),
            MapSource::Settings => json!({ "kind": "settings" }),
        };
        row["read_only"] = def.frozen().into();
        row["inner"] = def.inner.as_deref().map_or(Value::Null, shape);
        row["values"] = facts.object.map_contents(i).map(|(key, name)| json!({ "key": key, "name": name })).collect();
        row["fault"] = fault(facts.object.map_fault(i));
        all.push(row);
    }
    all
}

fn shape(def: &MapDef) -> Value {
    json!({
        "name": def.name, "type": def.map_type.to_string(), "key": def.key_size, "value": def.value_size,
        "max_entries": def.max_entries, "flags": def.flags, "extra": def.extra, "lock": def.lock, "id": def.id,
        "pinning": def.pinning,
    })
}

fn externs(facts: &Facts) -> Vec<Value> {
    let row = |e: &oxbpf_elf::Extern| {
        let value = e.value().map(|bytes| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>());
        json!({ "name": e.name(), "kind": e.kind().name(), "weak": e.is_weak(), "value": value })
    };
    facts.object.externs().iter().map(row).collect()
}

fn core(facts: &Facts) -> Vec<Value> {
    let row = |r: oxbpf_elf::core::CoreRelocation<'_>| {
        let resolved = r.outcome().and_then(Result::ok);
        let at = facts.target.as_ref().and_then(|target| Some(resolved?.target.as_ref()?.describe(target.btf())));
        let fault = r.outcome().and_then(Result::err).map(|e| json!({ "code": e.code(), "message": e.to_string() }));
        json!({
            "section": r.section(),
            "function": r.function(),
            "slot": r.slot(),
            "kind": r.kind(),
            "of": r.local(),
            "target": at,
            "value": resolved.and_then(|r| r.value),
            "traps": r.traps(),
            "error": fault,
        })
    };
    facts.object.core_relocations().map(row).collect()
}

fn relocations(facts: &Facts) -> Vec<Value> {
    let row = |r: &oxbpf_elf::RelocRow| json!({ "section": &*r.section, "at": r.at, "kind": r.kind_name(), "number": r.kind, "symbol": &*r.symbol });
    facts.found.relocations.iter().map(row).collect()
}
