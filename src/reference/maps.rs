//! Pages about map types.

use oxbpf_abi::uapi::{self, MapTypeInfo};
use oxbpf_abi::{MAP_TYPES, MapType, map_flags};
use serde_json::{Value, json};

use super::line;

/// Map types, a line each: number, name, since, what such a map is.
pub fn list() -> String {
    let row = |info: &MapTypeInfo| format!("{:>2} {:32} {:5} {}\n", info.id, name(info), info.since, info.is);
    format!("{:>2} {:32} {:5} {}\n", "id", "type", "since", "what it is")
        + &uapi::MAP_TYPES.iter().map(row).collect::<String>()
}

/// The page about the map type of this name: bpftool's, or the UAPI's.
pub fn explain(word: &str) -> Option<String> {
    find(word).map(page)
}

/// The map type of this name: bpftool's, or the UAPI's.
pub fn find(word: &str) -> Option<&'static MapTypeInfo> {
    uapi::MAP_TYPES.iter().find(|info| name(info) == word || constant(info) == word)
}

/// The page about a map type.
pub fn page(info: &MapTypeInfo) -> String {
    let mut out = format!("{}\n  {}\n\n", name(info), info.is);
    out += &line("constant", &format!("{} = {}", constant(info), info.id));
    out += &line("since", &format!("Linux {}", info.since));
    out += &line("key", info.key);
    out += &line("value", info.value);
    if MapType(info.id) == MapType::LPM_TRIE {
        out += &line("flags", &format!("BPF_F_NO_PREALLOC ({:#x}) is required", map_flags::NO_PREALLOC));
    }
    out
}

/// A map type as a JSON value.
pub fn value(info: &MapTypeInfo) -> Value {
    json!({
        "id": info.id,
        "name": name(info),
        "constant": constant(info),
        "since": info.since,
        "key": info.key,
        "value": info.value,
        "is": info.is,
    })
}

/// The name of a map type, as bpftool writes it.
pub fn name(info: &MapTypeInfo) -> &'static str {
    MAP_TYPES.iter().find(|row| row.map_type.0 == info.id).map_or("", |row| row.name)
}

fn constant(info: &MapTypeInfo) -> String {
    format!("BPF_MAP_TYPE_{}", name(info).to_uppercase())
}
