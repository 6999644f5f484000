//! What maps hold, against what they were to hold.

use std::collections::BTreeMap;

use oxbpf_abi::MapType;
use oxbpf_ir::{MapDef, Unit};
use oxbpf_runtime::maps::{outside_size, per_cpu};
use oxbpf_runtime::{EngineError, Instance};

use super::Contents;
use super::contents::{Is, Item};

impl Contents {
    /// Compares what an engine's maps hold with these contents; what differs, a line each. Of maps with keys only those
    /// that are named are compared, of others all values in their order.
    pub fn differences(&self, unit: &Unit, instance: &dyn Instance) -> Result<Vec<String>, EngineError> {
        let mut lines = Vec::new();
        for (map, items) in &self.maps {
            let def = &unit.maps()[map.index()];
            let entries = instance.map_entries(*map)?;
            if def.key_size == 0 {
                let have: Vec<_> = entries.iter().map(|e| shown(&e.1)).collect();
                let want: Vec<_> = items.iter().filter_map(|item| value(&item.is)).map(|v| shown(&v)).collect();
                if have != want {
                    lines.push(format!(
                        "map {}: holds [{}], expected [{}]",
                        def.name,
                        have.join(", "),
                        want.join(", ")
                    ));
                }
                continue;
            }
            let have: BTreeMap<_, _> = entries.into_iter().collect();
            lines.extend(items.iter().filter_map(|item| difference(def, item, have.get(&item.key).map(Vec::as_slice))));
        }
        Ok(lines)
    }
}

fn value(is: &Is) -> Option<Vec<u8>> {
    match is {
        Is::Value(value) => Some(value.clone()),
        Is::Program(program) => Some(program.0.to_le_bytes().to_vec()),
        Is::Map(map) => Some(map.0.to_le_bytes().to_vec()),
        Is::Absent | Is::Each(_) | Is::New(_) => None,
    }
}

fn difference(def: &MapDef, item: &Item, have: Option<&[u8]>) -> Option<String> {
    let say = |have: String, want: String| {
        Some(format!("map {}, key {}: {have}, expected {want}", def.name, shown(&item.key)))
    };
    let there = |have: &[u8]| format!("holds {}", shown(have));
    match (&item.is, have) {
        (Is::Absent, None) => None,
        (Is::Absent, Some(have)) => say(there(have), "nothing".into()),
        (Is::New(_), _) if matches!(def.map_type, MapType::ARRAY_OF_MAPS | MapType::HASH_OF_MAPS) => {
            say("is a map".into(), "contents, which are compared by the inner map's name".into())
        }
        (is, None) => say("holds nothing".into(), value(is).map_or("values".into(), |v| shown(&v))),
        (Is::Each(values), Some(have)) => values.iter().find_map(|(cpu, want)| {
            let slot = have.get(cpu * outside_size(def, 1)..).and_then(|rest| rest.get(..want.len()));
            match slot {
                Some(slot) if slot == want => None,
                Some(slot) => say(format!("holds {} on CPU {cpu}", shown(slot)), shown(want)),
                None => say(format!("has no CPU {cpu}"), shown(want)),
            }
        }),
        (is, Some(have)) => {
            let want = value(is)?;
            let same = match per_cpu(def.map_type) {
                true => have.chunks(outside_size(def, 1)).all(|slot| slot.starts_with(&want)),
                false => have == want,
            };
            if same { None } else { say(there(have), shown(&want)) }
        }
    }
}

fn shown(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}
