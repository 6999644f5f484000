//! What BTF.ext says of each function: its source lines, and where it depends
//! on the layout of the kernel's types.

use std::collections::HashMap;
use std::sync::Arc;

use oxbpf_btf::{Btf, BtfExt};

use crate::core::CoreSite;
use crate::error::ElfError;
use crate::file::{Elf, SecIdx, SectionKind};
use crate::functions::{Functions, Line, SLOT};

/// Reads `.BTF`, if there is one.
pub(crate) fn types(elf: &Elf<'_>) -> Result<Option<Btf>, ElfError> {
    let Some(index) = elf.section(".BTF") else {
        return Ok(None);
    };
    let types = Btf::parse(elf.sections[index].data);
    types.map(Some).map_err(|error| ElfError::Btf { section: ".BTF", error })
}

/// Gives each function its lines and CO-RE records. Records that
/// belong to no function are dropped.
pub(crate) fn attach(elf: &Elf<'_>, types: &Btf, functions: &mut Functions) -> Result<(), ElfError> {
    let Some(index) = elf.section(".BTF.ext") else {
        return Ok(());
    };
    let ext = BtfExt::parse(elf.sections[index].data, types);
    let ext = ext.map_err(|error| ElfError::Btf { section: ".BTF.ext", error })?;
    let code = elf.sections.iter().enumerate().filter(|(_, s)| s.kind == SectionKind::Code);
    let code: HashMap<&str, SecIdx> = code.map(|(i, s)| (s.name, i)).collect();
    for info in ext.sections() {
        let Some(&section) = code.get(types.str(info.name)) else {
            continue;
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
    for function in &mut functions.all {
        // Of several lines for one slot the last counts.
        function.lines.sort_by_key(|l| l.slot);
        function.lines.reverse();
        function.lines.dedup_by_key(|l| l.slot);
        function.lines.reverse();
    }
    Ok(())
}
