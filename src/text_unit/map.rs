//! Map definitions in a text: attributes, what follows from the type, and inner maps.

use oxbpf_abi::{MAP_TYPES, MapType};
use oxbpf_ir::{MapDef, MapInit};
use oxbpf_isa::text::quote;
use oxbpf_runtime::maps::{MapError, check_definition};

use super::error::UnitTextFault;
use super::line::{Line, Result, Word};
use crate::near::near;

const ATTRIBUTES: [&str; 8] = ["key", "value", "entries", "flags", "id", "pinning", "extra", "lock"];

/// Bytes of a key, where the type leaves no choice.
fn key_size(map_type: MapType) -> Option<u32> {
    use MapType as T;
    match map_type {
        T::ARRAY | T::PERCPU_ARRAY | T::PROG_ARRAY | T::PERF_EVENT_ARRAY | T::ARRAY_OF_MAPS => Some(4),
        T::QUEUE | T::STACK | T::BLOOM_FILTER | T::RINGBUF => Some(0),
        _ => None,
    }
}

/// Bytes of a value, where the type leaves no choice.
fn value_size(map_type: MapType) -> Option<u32> {
    use MapType as T;
    match map_type {
        T::PROG_ARRAY | T::PERF_EVENT_ARRAY | T::ARRAY_OF_MAPS | T::HASH_OF_MAPS => Some(4),
        T::RINGBUF => Some(0),
        _ => None,
    }
}

/// `TYPE key=4 value=8 entries=16 flags=0x1 id=1 pinning=2 extra=3 lock=4`.
pub(super) fn definition(line: &mut Line<'_>, name: &str) -> Result<MapDef> {
    let kind = line.expect_word("a map type")?;
    let map_type = MapType::by_name(kind.text).ok_or_else(|| {
        let near = near(kind.text, MAP_TYPES.iter().map(|r| r.name));
        line.error(kind, UnitTextFault::Unknown { what: "map type", name: quote(kind.text), near })
    })?;
    let mut def = MapDef::new(name, map_type, 0, 0, 0);
    let (mut key, mut value, mut entries) = (key_size(map_type), value_size(map_type), None);
    while !line.at_end() {
        let attribute = line.expect_word("an attribute like `key=4`")?;
        line.expect('=')?;
        let number = line.u32()?;
        match attribute.text {
            "key" => key = Some(number),
            "value" => value = Some(number),
            "entries" => entries = Some(number),
            "flags" => def.flags = number,
            "id" => def.id = Some(number),
            "pinning" => def.pinning = number,
            "extra" => def.extra = number.into(),
            "lock" => def.lock = Some(number),
            other => {
                let near = near(other, ATTRIBUTES);
                let fault = UnitTextFault::Unknown { what: "map attribute", name: quote(other), near };
                return Err(line.error(attribute, fault));
            }
        }
    }
    let missing = [("`key=BYTES`", key), ("`value=BYTES`", value), ("`entries=COUNT`", entries)];
    if let Some((what, _)) = missing.iter().find(|m| m.1.is_none()) {
        return Err(line.expected(what));
    }
    [def.key_size, def.value_size, def.max_entries] = [key, value, entries].map(Option::unwrap_or_default);
    Ok(def)
}

/// Whether a definition is one that the kernel takes; of types that are not implemented nothing is known.
///
/// `name` is the place to point at.
pub(super) fn check(def: &MapDef, line: &Line<'_>, name: Word<'_>) -> Result<()> {
    match check_definition(&def.for_cpus(1)) {
        Ok(()) | Err(MapError::Unsupported { .. }) => Ok(()),
        Err(error) => Err(line.error(name, UnitTextFault::Map(error))),
    }
}

/// What the map answers to one entry more, as far as that can be told: whether there is room.
pub(super) fn room(def: &MapDef, key: &[u8]) -> std::result::Result<(), MapError> {
    use MapType as T;
    let MapInit::Entries(entries) = &def.init else { return Ok(()) };
    let full = entries.len() >= def.max_entries as usize;
    let errno = match def.map_type {
        T::QUEUE | T::STACK => oxbpf_abi::errno::E2BIG,
        T::LPM_TRIE if !entries.iter().any(|e| e.0 == key) => oxbpf_abi::errno::ENOSPC,
        T::HASH | T::PERCPU_HASH if !entries.iter().any(|e| e.0 == key) => oxbpf_abi::errno::E2BIG,
        _ => return Ok(()),
    };
    if full { Err(MapError::Init { map: def.name.clone(), key: key.to_vec(), errno }) } else { Ok(()) }
}
