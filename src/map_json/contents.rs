//! `--map-init` and `--map-check`: contents of maps by their names.

use oxbpf_abi::MapType as T;
use oxbpf_abi::errno::{ENOENT, EPERM, name};
use oxbpf_ir::{MapDef, MapIdx, ProgIdx, Unit};
use oxbpf_runtime::maps::{MapSet, outside_size, per_cpu};
use serde_json::Value;

use super::MapJsonError;
use super::bytes::Wanted;
use crate::near::near;

type Result<T> = std::result::Result<T, MapJsonError>;

/// Contents of some of a unit's maps.
#[derive(Clone, PartialEq, Debug)]
pub struct Contents {
    pub(super) maps: Vec<(MapIdx, Vec<Item>)>,
}

/// An entry; of maps without keys, the key is empty.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Item {
    pub(super) key: Vec<u8>,
    pub(super) is: Is,
}

/// What stands at a key.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Is {
    /// Nothing.
    Absent,
    /// A value; of a per-CPU map, each CPU's.
    Value(Vec<u8>),
    /// Values of some CPUs.
    Each(Vec<(usize, Vec<u8>)>),
    Program(ProgIdx),
    Map(MapIdx),
    /// A map of its own with these contents.
    New(Vec<Item>),
}

impl Contents {
    /// Reads `{"MAP": CONTENTS, …}` for a unit's maps.
    ///
    /// CONTENTS are an array of `{"key": K, "value": V}`, as bpftool prints them, or an object of keys and values. V may be
    /// null for nothing. Of a per-CPU map V is for all CPUs, and `"values": [{"cpu": N, "value": V}]` for some; a program
    /// array has `"program": NAME`, a map of maps `"map": NAME` or, for a map of its own, CONTENTS as its value; numbers, as
    /// in a dump, stand for the unit's programs and maps. Where maps have no keys, CONTENTS are an array of values, in the
    /// order in which they come out.
    pub fn parse(text: &str, unit: &Unit) -> Result<Contents> {
        let json = serde_json::from_str(text).map_err(|e| MapJsonError::new("", e.to_string()))?;
        let Value::Object(maps) = json else {
            return Err(MapJsonError::new("", "no object of maps by their names"));
        };
        let one = |(name, contents): (&String, &Value)| {
            let index = unit.maps().iter().position(|m| m.name == *name).ok_or_else(|| unknown(unit, name))?;
            let def = &unit.maps()[index];
            let reader = Reader { unit, def, at: format!("map {name}") };
            Ok((MapIdx(index as u32), reader.items(contents)?))
        };
        Ok(Contents { maps: maps.iter().map(one).collect::<Result<_>>()? })
    }

    /// Puts the contents into maps of the unit.
    pub fn put(&self, unit: &Unit, set: &mut MapSet) -> Result<()> {
        for (map, items) in &self.maps {
            let name = &unit.maps()[map.index()].name;
            put_all(set, *map, items).map_err(|(number, what)| MapJsonError {
                code: "map-init",
                ..MapJsonError::new(format!("map {name}, entry {number}: "), what)
            })?;
        }
        Ok(())
    }
}

fn unknown(unit: &Unit, name: &str) -> MapJsonError {
    let near =
        near(name, unit.maps().iter().map(|m| &*m.name)).map_or(String::new(), |n| format!("; did you mean {n}?"));
    MapJsonError::new("", format!("no map {name:?}{near}"))
}

/// Puts entries into a map; what went wrong with which, counted from 1.
///
/// Of a stack the top stands first, as in a dump, and goes in last.
fn put_all(set: &mut MapSet, map: MapIdx, items: &[Item]) -> std::result::Result<(), (usize, String)> {
    let stack = set.get(map).is_some_and(|map| map.def().map_type == T::STACK);
    let one = |(i, item): (usize, &Item)| put(set, map, item).map_err(|what| (i + 1, what));
    let mut numbered = items.iter().enumerate();
    if stack { numbered.rev().try_for_each(one) } else { numbered.try_for_each(one) }
}

/// Puts an entry into a map; what went wrong.
fn put(set: &mut MapSet, index: MapIdx, item: &Item) -> std::result::Result<(), String> {
    let Some(map) = set.get(index).cloned() else { return Err("no such map".into()) };
    match &item.is {
        Is::Absent => match map.remove(&item.key) {
            Ok(()) | Err(ENOENT) => Ok(()),
            Err(errno) => Err(refused(errno)),
        },
        Is::Value(value) if per_cpu(map.def().map_type) => {
            let mut slot = value.clone();
            slot.resize(outside_size(map.def(), 1), 0);
            write(set, index, &item.key, &slot.repeat(map.cpus() as usize))
        }
        Is::Value(value) => write(set, index, &item.key, value),
        Is::Each(values) => {
            let step = outside_size(map.def(), 1);
            let mut all = map.read(&item.key, 0).unwrap_or_else(|_| vec![0; outside_size(map.def(), map.cpus())]);
            for (cpu, value) in values {
                let slot = all.get_mut(cpu * step..).and_then(|rest| rest.get_mut(..value.len()));
                slot.ok_or(format!("there is no CPU {cpu}"))?.copy_from_slice(value);
            }
            write(set, index, &item.key, &all)
        }
        Is::Program(program) => {
            let key = item.key.as_slice().try_into().map_or(u32::MAX, u32::from_le_bytes);
            map.set_program(key, Some(*program)).map_err(refused)
        }
        Is::Map(inner) => write(set, index, &item.key, &inner.0.to_le_bytes()),
        Is::New(items) => {
            let Some(model) = map.def().inner.as_deref() else { return Err("holds no maps".into()) };
            let name = format!("{}[]", map.def().name);
            let inner = set.add(&MapDef { name, ..model.clone() }).map_err(|e| e.to_string())?;
            put_all(set, inner, items).map_err(|(_, what)| what)?;
            write(set, index, &item.key, &inner.0.to_le_bytes())
        }
    }
}

/// Writes an entry. Where nobody may write, what the entry holds already is no write: so a dump, which has the frozen
/// maps' contents too, goes in again.
fn write(set: &MapSet, index: MapIdx, key: &[u8], value: &[u8]) -> std::result::Result<(), String> {
    let holds = || set.get(index).is_some_and(|map| !key.is_empty() && map.read(key, 0).is_ok_and(|has| has == value));
    match set.write(index, key, value, 0) {
        Err(EPERM) if holds() => Ok(()),
        result => result.map_err(refused),
    }
}

fn refused(errno: i64) -> String {
    name(errno).map_or(format!("refused with errno {errno}"), |name| format!("refused with {name}"))
}

/// Reads the contents of one map.
struct Reader<'a> {
    unit: &'a Unit,
    def: &'a MapDef,
    at: String,
}

impl Reader<'_> {
    fn error<T>(&self, place: &str, what: impl Into<String>) -> Result<T> {
        Err(MapJsonError::new(format!("{}{place}: ", self.at), what))
    }

    fn items(&self, json: &Value) -> Result<Vec<Item>> {
        let keyless = self.def.key_size == 0;
        match json {
            // What a dump has of them.
            Value::Array(items) if items.is_empty() => Ok(Vec::new()),
            _ if matches!(self.def.map_type, T::RINGBUF | T::PERF_EVENT_ARRAY) => self.error("", "has no contents"),
            Value::Array(items) if keyless => {
                let value = |(v, n): (&Value, usize)| {
                    // As bpftool would print it, too.
                    let v = v.get("value").unwrap_or(v);
                    Ok(Item { key: Vec::new(), is: Is::Value(self.value(&format!(", entry {n}"), v)?) })
                };
                items.iter().zip(1..).map(value).collect()
            }
            Value::Array(items) => {
                items.iter().zip(1..).map(|(item, n)| self.entry(&format!(", entry {n}"), item)).collect()
            }
            Value::Object(members) if !keyless => {
                let member = |((key, value), n): ((&String, &Value), usize)| {
                    let place = format!(", entry {n}");
                    Ok(Item { key: self.key(&place, &Value::String(key.clone()))?, is: self.is(&place, value)? })
                };
                members.iter().zip(1..).map(member).collect()
            }
            Value::Object(_) => self.error("", "has no keys: its contents are an array of values"),
            _ => self.error("", "contents are an array of entries, or an object of keys and values"),
        }
    }

    fn entry(&self, place: &str, json: &Value) -> Result<Item> {
        let Value::Object(object) = json else { return self.error(place, "no object with `key` and `value`") };
        let Some(key) = object.get("key") else { return self.error(place, "no `key`") };
        let key = self.key(place, key)?;
        let known = ["key", "value", "values", "map", "program", "formatted"];
        if let Some(other) = object.keys().find(|k| !known.contains(&k.as_str())) {
            return self.error(place, format!("no attribute `{other}` of an entry"));
        }
        let is = match (object.get("value"), object.get("values"), object.get("map"), object.get("program")) {
            (Some(value), None, None, None) => self.is(place, value)?,
            (None, Some(values), None, None) => self.each(place, values)?,
            (None, None, Some(map), None) => self.map(place, map)?,
            (None, None, None, Some(program)) => self.program(place, program)?,
            _ => return self.error(place, "one of `value`, `values`, `map` and `program` is wanted"),
        };
        Ok(Item { key, is })
    }

    fn key(&self, place: &str, json: &Value) -> Result<Vec<u8>> {
        let types = self.unit.types().map(|t| &**t).zip(self.def.types.map(|t| t.key));
        let wanted = Wanted { size: self.def.key_size as usize, key_of: Some(self.def.map_type), types };
        wanted.bytes(json).or_else(|what| self.error(&format!("{place}, key"), what))
    }

    fn value(&self, place: &str, json: &Value) -> Result<Vec<u8>> {
        let types = self.unit.types().map(|t| &**t).zip(self.def.types.map(|t| t.value));
        let wanted = Wanted { size: self.def.value_size as usize, key_of: None, types };
        wanted.bytes(json).or_else(|what| self.error(&format!("{place}, value"), what))
    }

    /// What a value stands for.
    fn is(&self, place: &str, json: &Value) -> Result<Is> {
        match (json, self.def.map_type) {
            (Value::Null, _) => Ok(Is::Absent),
            (json, T::PROG_ARRAY) => self.program(place, json),
            (json @ Value::String(_), T::ARRAY_OF_MAPS | T::HASH_OF_MAPS) => self.map(place, json),
            (json, T::ARRAY_OF_MAPS | T::HASH_OF_MAPS) => {
                let Some(model) = self.def.inner.as_deref() else { return self.error(place, "holds no maps") };
                let inner = Reader { unit: self.unit, def: model, at: format!("{}{place}", self.at) };
                Ok(Is::New(inner.items(json)?))
            }
            (json, _) => Ok(Is::Value(self.value(place, json)?)),
        }
    }

    /// `[{"cpu": 0, "value": V}]`.
    fn each(&self, place: &str, json: &Value) -> Result<Is> {
        let (true, Value::Array(items)) = (per_cpu(self.def.map_type), json) else {
            return self.error(place, "`values` are an array with one for each CPU, of a per-CPU map");
        };
        let one = |(item, n): (&Value, usize)| {
            let place = format!("{place}, value {n}");
            let cpu = item.get("cpu").and_then(Value::as_u64).and_then(|cpu| usize::try_from(cpu).ok());
            match (cpu, item.get("value")) {
                (Some(cpu), Some(value)) if cpu < MAX_CPUS => Ok((cpu, self.value(&place, value)?)),
                _ => self.error(&place, "no object with `cpu` and `value`"),
            }
        };
        Ok(Is::Each(items.iter().zip(1..).map(one).collect::<Result<_>>()?))
    }

    /// By name, or by number as in a dump.
    fn map(&self, place: &str, json: &Value) -> Result<Is> {
        let maps = self.unit.maps();
        let map = match (json, self.def.map_type) {
            (Value::String(name), T::ARRAY_OF_MAPS | T::HASH_OF_MAPS) => maps.iter().position(|m| m.name == *name),
            (Value::Number(n), T::ARRAY_OF_MAPS | T::HASH_OF_MAPS) => numbered(n, maps.len()),
            _ => return self.error(place, "no name of a map for a map of maps"),
        };
        match (map, json) {
            (Some(map), _) => Ok(Is::Map(MapIdx(map as u32))),
            (None, Value::String(name)) => self.error(place, unknown(self.unit, name).to_string()),
            (None, _) => self.error(place, format!("no map of the unit has the number {json}")),
        }
    }

    /// By name, or by number as in a dump.
    fn program(&self, place: &str, json: &Value) -> Result<Is> {
        let programs = self.unit.programs();
        let program = match (json, self.def.map_type) {
            (Value::String(name), T::PROG_ARRAY) => programs.iter().position(|p| p.name() == *name),
            (Value::Number(n), T::PROG_ARRAY) => numbered(n, programs.len()),
            _ => return self.error(place, "no name of a program for a program array"),
        };
        match program {
            Some(program) => Ok(Is::Program(ProgIdx(program as u32))),
            None => self.error(place, format!("no program {json}")),
        }
    }
}

fn numbered(number: &serde_json::Number, len: usize) -> Option<usize> {
    number.as_u64().and_then(|n| usize::try_from(n).ok()).filter(|n| *n < len)
}

/// As many CPUs as a kernel may have.
const MAX_CPUS: usize = 8192;
