//! Global data: each section of constants or variables becomes a map of one
//! element, as libbpf has it.

use std::collections::HashMap;

use oxbpf_abi::{MapType, map_flags};
use oxbpf_btf::{Btf, Type, TypeId};
use oxbpf_ir::{MapDef, MapInit, MapPurpose, MapTypes};

use super::{Maps, ObjMap};
use crate::error::ElfError;
use crate::file::{Elf, Section, SectionKind};

/// The largest section; a map's value cannot be larger in the kernel either.
const MAX_SIZE: u64 = i32::MAX as u64;

/// Sections of global data by name, or by what stands before a further dot.
const SECTIONS: [(&str, MapPurpose); 3] =
    [(".rodata", MapPurpose::Rodata), (".data", MapPurpose::Data), (".bss", MapPurpose::Data)];

pub(super) fn read(elf: &Elf<'_>, types: Option<&Btf>, maps: &mut Maps) -> Result<(), ElfError> {
    let described: HashMap<&str, TypeId> = types.map(sections).unwrap_or_default();
    for (index, section) in elf.sections.iter().enumerate() {
        let Some(purpose) = purpose(section) else {
            continue;
        };
        if section.size > MAX_SIZE {
            return Err(ElfError::TooMany { what: "bytes of global data", count: section.size, limit: MAX_SIZE });
        }
        let mut map = ObjMap::new(definition(section, purpose));
        map.def.types = described.get(section.name).map(|&value| MapTypes { key: TypeId::VOID, value });
        // Pointers in data would need addresses that exist only once loaded.
        if let Some(reloc) = section.relocs.first() {
            let target = elf.reloc_symbol(index, reloc).and_then(|symbol| elf.symbol_name(symbol))?;
            map.fault = Some(ElfError::Unsupported {
                section: section.name.to_string(),
                at: reloc.at,
                what: format!("a pointer to {target} in global data"),
            });
        }
        let map = maps.push(map)?;
        maps.data.insert(index, map);
    }
    Ok(())
}

/// The types of sections by their names.
fn sections(types: &Btf) -> HashMap<&str, TypeId> {
    let all = types.types().filter_map(|(id, t)| match t {
        Type::DataSec(section) => Some((types.str(section.name), id)),
        _ => None,
    });
    all.collect()
}

fn purpose(section: &Section<'_>) -> Option<MapPurpose> {
    if !matches!(section.kind, SectionKind::Data | SectionKind::Bss) || section.size == 0 {
        return None;
    }
    let names =
        |base: &str| section.name.strip_prefix(base).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
    SECTIONS.iter().find(|(base, _)| names(base)).map(|row| row.1)
}

fn definition(section: &Section<'_>, purpose: MapPurpose) -> MapDef {
    let mut def = MapDef::new(section.name, MapType::ARRAY, 4, section.size as u32, 1);
    def.purpose = purpose;
    if purpose == MapPurpose::Rodata {
        def.flags = map_flags::RDONLY_PROG;
    }
    if section.kind == SectionKind::Data {
        def.init = MapInit::Entries(vec![(vec![0; 4], section.data.to_vec())]);
    }
    def
}
