//! Programs from a JSON file: map kinds by name, and programs as hexadecimal words with the slots that name maps.

use std::collections::BTreeMap;
use std::sync::Arc;

use oxbpf::abi::{MapType, PROG_TYPES, ProgType};
use oxbpf::ir::{MapDef, MapInit, MapTypes};
use oxbpf::isa::RawInsn;
use oxbpf_btf::{Btf, TypeId};
use serde::Deserialize;

use crate::case::Case;
use crate::oracle::MapBtf;

#[derive(Deserialize)]
struct File {
    maps: BTreeMap<String, Map>,
    programs: Vec<Program>,
}

#[derive(Deserialize, Clone)]
struct Map {
    r#type: u32,
    key: u32,
    value: u32,
    entries: u32,
    #[serde(default)]
    flags: u32,
    #[serde(default)]
    init: Vec<(String, String)>,
    lock: Option<u32>,
    inner: Option<Box<Map>>,
    btf: Option<String>,
    #[serde(default)]
    btf_key: u32,
    #[serde(default)]
    btf_value: u32,
}

#[derive(Deserialize)]
struct Program {
    name: String,
    prog_type: u32,
    attach: u32,
    flags: u32,
    insns: String,
    maps: Vec<(usize, String)>,
    #[serde(default)]
    kfuncs: Vec<(usize, String)>,
}

/// A program with the types of its maps.
pub struct Listed {
    pub case: Case,
    pub types: Vec<Option<MapBtf>>,
}

fn hex(text: &str) -> Vec<u8> {
    let digit = |b: u8| (b as char).to_digit(16).expect("hexadecimal") as u8;
    text.as_bytes().chunks_exact(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
}

impl Map {
    /// With the types of its keys and values where it is the one that the unit's types are of.
    fn def(&self, name: &str, typed: bool) -> MapDef {
        let entries: Vec<_> = self.init.iter().map(|(key, value)| (hex(key), hex(value))).collect();
        MapDef {
            flags: self.flags,
            lock: self.lock,
            inner: self.inner.as_ref().map(|inner| Box::new(inner.def("inner", false))),
            types: typed.then_some(MapTypes { key: TypeId(self.btf_key), value: TypeId(self.btf_value) }),
            init: if entries.is_empty() { MapInit::Empty } else { MapInit::Entries(entries) },
            ..MapDef::new(name, MapType(self.r#type), self.key, self.value, self.entries)
        }
    }
}

fn prog_type(id: u32) -> ProgType {
    PROG_TYPES.iter().find(|row| row.id == id).expect("a type of networking").prog_type
}

/// All programs of a file.
pub fn read(path: &str) -> Vec<Listed> {
    let text = std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{path}: {e}"));
    let file: File = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{path}: {e}"));
    let listed = file.programs.iter().map(|program| {
        let mut kinds: Vec<&str> = Vec::new();
        let bytes = hex(&program.insns);
        let mut words: Vec<RawInsn> =
            bytes.chunks_exact(8).map(|b| RawInsn::from_bytes(b.try_into().expect("eight bytes"))).collect();
        for (slot, kind) in &program.maps {
            let at = kinds.iter().position(|k| k == kind).unwrap_or_else(|| {
                kinds.push(kind);
                kinds.len() - 1
            });
            words[*slot].imm = at as i32;
        }
        for (slot, _) in &program.kfuncs {
            // A function that no kernel has: the tests are of those that know these.
            words[*slot].imm = i32::MAX;
        }
        // A unit has one set of types: those of the first map that has some.
        let first = kinds.iter().position(|kind| file.maps[*kind].btf.is_some());
        let maps: Vec<MapDef> =
            kinds.iter().enumerate().map(|(i, kind)| file.maps[*kind].def(kind, first == Some(i))).collect();
        let btf = first.and_then(|i| file.maps[kinds[i]].btf.as_ref());
        let btf = btf.map(|btf| Arc::new(Btf::parse(&hex(btf)).expect("the map's types")));
        let types = kinds.iter().map(|kind| {
            let map = &file.maps[*kind];
            map.btf.as_ref().map(|btf| (hex(btf), map.btf_key, map.btf_value))
        });
        let types = types.collect();
        let case = Case {
            name: program.name.clone(),
            prog_type: prog_type(program.prog_type),
            attach: program.attach,
            flags: program.flags,
            license: "GPL".to_string(),
            words,
            maps: Arc::new(maps),
            types: btf,
            unit: None,
            typed: false,
        };
        Listed { case, types }
    });
    listed.collect()
}
