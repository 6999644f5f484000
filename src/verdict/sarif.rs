//! Verdicts as SARIF 2.1.0, which code hosts and editors show beside the source.
//! <https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>

use std::collections::BTreeMap;

use oxbpf_verifier::Code;
use serde_json::{Value, json};

use super::{Judged, Outcome, Place, Refusal};

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// The document about these programs: a result for each that was not accepted.
pub fn document(programs: &[Judged]) -> Value {
    let refused: Vec<(&Judged, &Refusal)> = programs.iter().filter_map(|p| Some((p, p.refusal.as_ref()?))).collect();
    let mut rules: BTreeMap<&str, usize> = refused.iter().map(|(_, r)| (r.code.as_str(), 0)).collect();
    for (index, (_, place)) in rules.iter_mut().enumerate() {
        *place = index;
    }
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "oxbpf",
                "version": env!("CARGO_PKG_VERSION"),
                "informationUri": env!("CARGO_PKG_REPOSITORY"),
                "rules": rules.keys().map(|code| rule(code)).collect::<Vec<_>>(),
            }},
            "columnKind": "unicodeCodePoints",
            "results": refused.iter().map(|(p, r)| result(p, r, rules[r.code.as_str()])).collect::<Vec<_>>(),
        }],
    })
}

fn rule(id: &str) -> Value {
    match Code::by_name(id) {
        Some(code) => json!({
            "id": id,
            "name": format!("{code:?}"),
            "shortDescription": { "text": code.title() },
            "fullDescription": { "text": code.prose() },
            "help": { "text": code.help() },
        }),
        None => json!({ "id": id }),
    }
}

fn result(program: &Judged, refusal: &Refusal, rule: usize) -> Value {
    let level = if program.outcome == Outcome::Unsupported { "note" } else { "error" };
    let kernel = if refusal.kernel.is_empty() { String::new() } else { format!(" (the kernel: {})", refusal.kernel) };
    let mut result = json!({
        "ruleId": refusal.code,
        "ruleIndex": rule,
        "level": level,
        "message": { "text": format!("program {}: {}{kernel}", program.name, refusal.message) },
        "locations": [location(program, refusal.place.as_ref(), refusal.slot)],
        "properties": { "section": program.section, "slot": refusal.slot, "processed": program.stats.processed },
    });
    if !refusal.path.is_empty() {
        let steps = refusal
            .path
            .iter()
            .map(|(slot, place)| json!({ "location": location(program, place.as_ref(), Some(*slot)) }));
        result["codeFlows"] = json!([{ "threadFlows": [{ "locations": steps.collect::<Vec<_>>() }] }]);
    }
    result
}

/// The line of source, or the file of the program where no line is known.
fn location(program: &Judged, place: Option<&Place>, slot: Option<u32>) -> Value {
    let uri = |path: &str| path.replace('\\', "/").replace('%', "%25").replace(' ', "%20");
    let physical = match place {
        Some(place) => {
            let mut region = json!({ "startLine": place.line });
            if place.column > 0 {
                region["startColumn"] = json!(place.column);
            }
            json!({ "artifactLocation": { "uri": uri(&place.file) }, "region": region })
        }
        None => json!({ "artifactLocation": { "uri": uri(&program.file) } }),
    };
    let name = match slot {
        Some(slot) => format!("{}:{slot}", program.name),
        None => program.name.clone(),
    };
    json!({ "physicalLocation": physical, "logicalLocations": [{ "fullyQualifiedName": name, "kind": "function" }] })
}
