//! What BTF.ext says of each function: its source lines, and where it depends
//! on the layout of the kernel's types.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use object::Endianness;
use oxbpf_btf::{Btf, BtfExt};

use crate::core::CoreSite;
use crate::error::ElfError;
use crate::file::{Elf, SecIdx, SectionKind, SymbolKind};
use crate::functions::{Functions, Line, SLOT};
use crate::object::Note;
use crate::order;

/// Reads `.BTF`, if there is one.
pub(crate) fn types(elf: &Elf<'_>) -> Result<Option<Btf>, ElfError> {
    let Some(index) = elf.section(".BTF") else {
        return Ok(None);
    };
    let data = elf.sections[index].data;
    let types = match elf.order {
        Endianness::Little => Btf::parse(data),
        Endianness::Big => Btf::parse(&order::types(data)),
    };
    let mut types = types.map_err(|error| ElfError::Btf { section: ".BTF", error })?;
    place(elf, &mut types);
    Ok(Some(types))
}

/// Reads `.BTF.ext`, if there is one.
pub(crate) fn records(elf: &Elf<'_>, types: &Btf) -> Result<Option<BtfExt>, ElfError> {
    let Some(index) = elf.section(".BTF.ext") else { return Ok(None) };
    let data = elf.sections[index].data;
    let ext = match elf.order {
        Endianness::Little => BtfExt::parse(data, types),
        Endianness::Big => BtfExt::parse(&order::records(data), types),
    };
    ext.map(Some).map_err(|error| ElfError::Btf { section: ".BTF.ext", error })
}

/// Gives the variables of global data the places that symbols have.
fn place(elf: &Elf<'_>, types: &mut Btf) {
    let data = elf.sections.iter().enumerate().filter(|(_, s)| matches!(s.kind, SectionKind::Data | SectionKind::Bss));
    let sizes: HashMap<&str, u32> = data.map(|(_, s)| (s.name, u32::try_from(s.size).unwrap_or(u32::MAX))).collect();
    let mut places: HashMap<(&str, &str), u32> = HashMap::new();
    for symbol in elf.symbols.iter().filter(|s| s.kind == SymbolKind::Other) {
        if let (Some(section), Ok(name)) = (symbol.section, elf.symbol_name(symbol)) {
            places.insert((elf.sections[section].name, name), u32::try_from(symbol.value).unwrap_or(u32::MAX));
        }
    }
    types.place_variables(|section| sizes.get(section).copied(), |section, var| places.get(&(section, var)).copied());
}

/// Gives each function its lines and CO-RE records. Records that
/// belong to no function are dropped.
pub(crate) fn attach(
    elf: &Elf<'_>,
    types: &Btf,
    functions: &mut Functions,
    notes: &mut Vec<Note>,
) -> Result<(), ElfError> {
    let Some(ext) = records(elf, types)? else { return Ok(()) };
    let code = code_sections(elf, functions);
    let mut ambiguous = BTreeMap::new();
    for info in ext.sections() {
        let name = types.str(info.name);
        let section = match code.get(name) {
            Some(Named::One(section)) => *section,
            // Which of them a record is about cannot be told.
            Some(Named::Several) => {
                *ambiguous.entry(name).or_insert(false) |= !info.relos.is_empty();
                continue;
            }
            None => continue,
        };
        let name: Arc<str> = elf.sections[section].name.into();
        for line in &info.lines {
            let Some(id) = functions.holding(section, line.insn_off.into()) else {
                continue;
            };
            let function = &mut functions.all[id];
            let slot = ((u64::from(line.insn_off) - function.start) / SLOT) as u32;
            function.lines.push(Line {
                slot,
                file: line.file,
                text: line.line_text,
                line: line.line,
                column: line.col,
            });
        }
        for relo in &info.relos {
            let Some(id) = functions.holding(section, relo.insn_off.into()) else {
                continue;
            };
            functions.all[id].core.push(CoreSite::new(*relo, name.clone()));
        }
    }
    notes.extend(ambiguous.keys().map(|name| Note::AmbiguousSection { section: (*name).to_string() }));
    for function in &mut functions.all {
        let section = elf.sections[function.section].name;
        if ambiguous.get(section) == Some(&true) {
            let what = "a CO-RE relocation in one of several sections of the same name".to_string();
            let (section, at) = (section.to_string(), function.start);
            function.fault.get_or_insert(ElfError::Unsupported { section, at, what });
        }
        // Of several lines for one slot the last counts.
        function.lines.sort_by_key(|l| l.slot);
        function.lines.reverse();
        function.lines.dedup_by_key(|l| l.slot);
        function.lines.reverse();
    }
    Ok(())
}

/// The sections of code that have a name.
enum Named {
    One(SecIdx),
    Several,
}

/// Sections with functions by name.
fn code_sections<'a>(elf: &Elf<'a>, functions: &Functions) -> HashMap<&'a str, Named> {
    let mut named: HashMap<&str, Named> = HashMap::new();
    let mut last = None;
    for function in &functions.all {
        // Functions of one section stand together.
        if last.replace(function.section) == Some(function.section) {
            continue;
        }
        let name = elf.sections[function.section].name;
        named.entry(name).and_modify(|n| *n = Named::Several).or_insert(Named::One(function.section));
    }
    named
}
