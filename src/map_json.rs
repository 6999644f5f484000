//! Map contents in bpftool's forms.

use oxbpf_abi::MapType;
use oxbpf_ir::MapDef;
use oxbpf_runtime::maps::Entry;
use serde_json::{Value, json};

/// `bpftool -j map dump` without type information: keys and values as arrays of hexadecimal bytes.
pub fn bpftool(def: &MapDef, entries: &[Entry]) -> Value {
    let hex = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:#04x}")).collect::<Vec<_>>();
    let entry = |(key, value): &Entry| match def.map_type {
        // A program array's value is the number of a program of the unit.
        MapType::PROG_ARRAY => json!({ "key": hex(key), "program": number(value) }),
        _ => json!({ "key": hex(key), "value": hex(value) }),
    };
    entries.iter().map(entry).collect()
}

/// `bpftool map dump` without type information: a line per element.
pub fn plain(def: &MapDef, entries: &[Entry]) -> String {
    let hex = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02x}")).collect::<Vec<_>>().join(" ");
    let mut out = String::new();
    for (key, value) in entries {
        match def.map_type {
            MapType::PROG_ARRAY => out.push_str(&format!("key: {}  program: {}\n", hex(key), number(value))),
            _ => out.push_str(&format!("key: {}  value: {}\n", hex(key), hex(value))),
        }
    }
    let plural = if entries.len() == 1 { "" } else { "s" };
    out.push_str(&format!("Found {} element{plural}\n", entries.len()));
    out
}

fn number(value: &[u8]) -> u64 {
    value.iter().rev().fold(0, |n, b| n << 8 | u64::from(*b))
}
