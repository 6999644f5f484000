//! Map contents as JSON: in bpftool's forms, printed with types where they are known; and read, for a run to begin with or
//! to be checked against.
//!
//! ```
//! use oxbpf::map_json::Contents;
//! use oxbpf::text_unit::{Options, parse};
//! use oxbpf::runtime::{Env, maps::MapSet};
//! use oxbpf::ir::MapIdx;
//!
//! let text = ".map routes lpm_trie key=8 value=4 entries=9 flags=1\nr0 = 0\nexit";
//! let unit = parse(text, "t.bpf", &Options::default()).unwrap();
//! let contents = Contents::parse(r#"{"routes": {"10.0.0.0/8": 7}}"#, &unit).unwrap();
//! let mut maps = MapSet::in_env(&unit, &Env::default()).unwrap();
//! contents.put(&unit, &mut maps).unwrap();
//! assert_eq!(maps.get(MapIdx(0)).unwrap().entries(), [(vec![8, 0, 0, 0, 10, 0, 0, 0], vec![7, 0, 0, 0])]);
//!
//! let error = Contents::parse(r#"{"routes": {"10.0.0.0/8": -1, "10.0.0.0/40": 1}}"#, &unit).unwrap_err();
//! assert_eq!(error.to_string(), "map routes, entry 2, key: \"10.0.0.0/40\" is no prefix of at most 32 bits");
//! ```

mod bytes;
mod check;
mod contents;

use oxbpf_abi::MapType;
use oxbpf_btf::{Btf, TypeId};
use oxbpf_ir::MapDef;
use oxbpf_runtime::maps::{Entry, outside_size, per_cpu};
use serde_json::{Value, json};
use thiserror::Error;

pub use contents::Contents;

/// What is wrong with contents that were read as JSON, and where.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[error("{at}{what}")]
pub struct MapJsonError {
    at: String,
    what: String,
    code: &'static str,
}

impl MapJsonError {
    fn new(at: impl Into<String>, what: impl Into<String>) -> MapJsonError {
        MapJsonError { at: at.into(), what: what.into(), code: "map-json" }
    }

    /// A stable code: `map-json`, or that of the map which did not take an entry.
    pub const fn code(&self) -> &'static str {
        self.code
    }
}

fn hex(bytes: &[u8]) -> Vec<String> {
    bytes.iter().map(|b| format!("{b:#04x}")).collect()
}

/// The values of a per-CPU map by CPU.
fn slots<'v>(def: &MapDef, value: &'v [u8]) -> impl Iterator<Item = (usize, &'v [u8])> {
    let size = def.value_size as usize;
    value.chunks(outside_size(def, 1).max(1)).map(move |slot| &slot[..size.min(slot.len())]).enumerate()
}

/// `bpftool -j map dump`: keys and values as arrays of hexadecimal bytes, and where `types` know them under `formatted`
/// as what they are.
pub fn bpftool(def: &MapDef, entries: &[Entry], types: Option<&Btf>) -> Value {
    let typed = def.types.zip(types);
    let shown = |id: TypeId, bytes: &[u8]| {
        let (_, btf) = typed?;
        serde_json::from_str::<Value>(&btf.decode(id, bytes).ok()?.to_string()).ok()
    };
    let entry = |(key, value): &Entry| {
        if per_cpu(def.map_type) {
            let each = |show: &dyn Fn(&[u8]) -> Option<Value>| -> Option<Vec<Value>> {
                slots(def, value).map(|(cpu, v)| Some(json!({ "cpu": cpu, "value": show(v)? }))).collect()
            };
            let mut object = json!({ "key": hex(key), "values": each(&|v| Some(json!(hex(v)))) });
            let formatted = typed.and_then(|(ids, _)| Some((shown(ids.key, key)?, each(&|v| shown(ids.value, v))?)));
            if let Some((key, values)) = formatted {
                object["formatted"] = json!({ "key": key, "values": values });
            }
            return object;
        }
        match def.map_type {
            // A number of a program or map of the unit.
            MapType::PROG_ARRAY => json!({ "key": hex(key), "program": number(value) }),
            MapType::ARRAY_OF_MAPS | MapType::HASH_OF_MAPS => json!({ "key": hex(key), "map": number(value) }),
            MapType::PERF_EVENT_ARRAY => json!({ "key": hex(key), "cpu": number(value) }),
            _ => {
                let mut object = json!({ "key": hex(key), "value": hex(value) });
                let formatted = typed.and_then(|(ids, _)| Some((shown(ids.key, key)?, shown(ids.value, value)?)));
                if let Some((key, value)) = formatted {
                    object["formatted"] = json!({ "key": key, "value": value });
                }
                object
            }
        }
    };
    entries.iter().map(entry).collect()
}

/// `bpftool map dump` without type information: a line per element, or per value of a CPU.
pub fn plain(def: &MapDef, entries: &[Entry]) -> String {
    let hex = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02x}")).collect::<Vec<_>>().join(" ");
    let mut out = String::new();
    for (key, value) in entries {
        match def.map_type {
            MapType::PROG_ARRAY => out.push_str(&format!("key: {}  program: {}\n", hex(key), number(value))),
            MapType::PERF_EVENT_ARRAY => out.push_str(&format!("key: {}  cpu: {}\n", hex(key), number(value))),
            MapType::ARRAY_OF_MAPS | MapType::HASH_OF_MAPS => {
                out.push_str(&format!("key: {}  map: {}\n", hex(key), number(value)));
            }
            map_type if per_cpu(map_type) => {
                out.push_str(&format!("key:\n{}\n", hex(key)));
                for (cpu, slot) in slots(def, value) {
                    out.push_str(&format!("value (CPU {cpu:02}): {}\n", hex(slot)));
                }
            }
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
