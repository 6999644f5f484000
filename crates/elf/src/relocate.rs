//! Relocations applied to functions: maps and global data become indices into
//! the unit's maps, calls become references to functions.

use std::collections::HashSet;

use oxbpf_isa::RawInsn;

use crate::error::ElfError;
use crate::externs::{ExternKind, Externs};
use crate::file::{Elf, Reloc, SecIdx, SectionKind, Symbol};
use crate::functions::{FuncId, Functions, SLOT};
use crate::maps::{Maps, Place};

/// `R_BPF_64_64`: a wide load; the addend is its first immediate.
const R_64_64: u32 = 1;
/// `R_BPF_64_32`: a call; the addend is its immediate, in slots, plus one.
const R_64_32: u32 = 10;

/// The opcode of a wide load.
const WIDE: u8 = 0x18;
/// The opcode of a call by number.
const CALL: u8 = 0x85;

/// The number of the helper that a call of a missing weak function becomes,
/// plus that of the extern: none has it, and libbpf takes the same.
const POISONED_CALL: i32 = 2_002_000_000;

/// Values of the source field (RFC 9669 sections 4.3 and 5.4).
mod src {
    pub(super) const LOCAL: u8 = 1;
    pub(super) const VALUE: u8 = 0;
    pub(super) const MAP: u8 = 1;
    pub(super) const MAP_VALUE: u8 = 2;
    pub(super) const FUNC: u8 = 4;
}

/// Applies every relocation of every code section, then reads the calls that
/// the compiler resolved itself.
pub(crate) fn apply(elf: &Elf<'_>, maps: &Maps, externs: &Externs, functions: &mut Functions) -> Result<(), ElfError> {
    let mut relocator = Relocator { elf, maps, externs, functions };
    for (index, section) in elf.sections.iter().enumerate() {
        if section.kind != SectionKind::Code {
            continue;
        }
        for reloc in &section.relocs {
            // Code that belongs to no function is not run.
            if let Some(function) = relocator.functions.holding(index, reloc.at) {
                relocator.one(function, index, reloc)?;
            }
        }
    }
    for function in 0..relocator.functions.all.len() {
        relocator.finish(function);
    }
    Ok(())
}

struct Relocator<'e, 'a> {
    elf: &'e Elf<'a>,
    maps: &'e Maps,
    externs: &'e Externs,
    functions: &'e mut Functions,
}

impl Relocator<'_, '_> {
    fn one(&mut self, function: FuncId, section: SecIdx, reloc: &Reloc) -> Result<(), ElfError> {
        let bad = |what| self.elf.bad_reloc(section, reloc.at, what);
        let holder = &self.functions.all[function];
        let from = reloc.at - holder.start;
        if !from.is_multiple_of(SLOT) {
            return Err(bad("it does not stand at an instruction"));
        }
        let slot = (from / SLOT) as usize;
        let insn = holder.code[slot];
        let symbol = self.elf.reloc_symbol(section, reloc)?;
        match reloc.kind {
            R_64_64 if insn.code == WIDE && slot + 1 < holder.code.len() => self.wide(function, slot, reloc, symbol),
            R_64_64 => Err(bad("it does not stand at a wide load")),
            R_64_32 if insn.code == CALL && insn.src() == src::LOCAL => self.call(function, slot, reloc, symbol),
            R_64_32 => Err(bad("it does not stand at a call of a function")),
            _ => Err(bad("its kind does not belong into code")),
        }
    }

    /// A wide load of a map, an address in global data, or a function.
    fn wide(&mut self, function: FuncId, slot: usize, reloc: &Reloc, symbol: &Symbol) -> Result<(), ElfError> {
        let Some(section) = symbol.section else {
            return self.external_address(function, slot, reloc, symbol);
        };
        let insn = self.functions.all[function].code[slot];
        // The addend is an offset of 32 bits; a negative one means an address
        // before the symbol.
        let target = symbol.value.wrapping_add_signed(insn.imm.into());
        if self.elf.sections[section].kind == SectionKind::Code {
            self.refer(function, slot, section, target.cast_signed());
            self.set_wide(function, slot, src::FUNC, 0, 0);
            return Ok(());
        }
        match self.maps.place(section, target) {
            Place::Map(map) => self.use_map(function, slot, src::MAP, map, 0),
            Place::Data(map) => match i32::try_from(target) {
                Ok(off) => self.use_map(function, slot, src::MAP_VALUE, map, off),
                Err(_) => {
                    let holder = self.functions.all[function].section;
                    return Err(self.elf.bad_reloc(holder, reloc.at, "it leads outside the data"));
                }
            },
            Place::None => {
                let name = self.elf.symbol_name(symbol)?;
                self.missing(function, reloc, format!("variable {name} outside the known data sections"));
            }
        }
        Ok(())
    }

    /// A call of a function in this object.
    fn call(&mut self, function: FuncId, slot: usize, reloc: &Reloc, symbol: &Symbol) -> Result<(), ElfError> {
        let Some(section) = symbol.section else {
            return self.external_call(function, slot, reloc, symbol);
        };
        let imm = self.functions.all[function].code[slot].imm;
        let target = symbol.value.cast_signed().wrapping_add((i64::from(imm) + 1) * SLOT as i64);
        self.refer(function, slot, section, target);
        Ok(())
    }

    /// The address of something in the kernel: a setting's is in the map of
    /// settings, others there are none; what is weak is then at 0.
    fn external_address(
        &mut self,
        function: FuncId,
        slot: usize,
        reloc: &Reloc,
        symbol: &Symbol,
    ) -> Result<(), ElfError> {
        let name = self.elf.symbol_name(symbol)?;
        let Some(index) = self.externs.named(name) else {
            self.missing(function, reloc, format!("external variable {name}"));
            return Ok(());
        };
        let wanted = &self.externs.all[index as usize];
        let imm = self.functions.all[function].code[slot].imm;
        match (wanted.kind(), wanted.offset(), self.maps.settings) {
            (ExternKind::Setting, Some(at), Some(map)) => {
                self.use_map(function, slot, src::MAP_VALUE, map, (at as i32).wrapping_add(imm));
                self.functions.all[function].settings.push(index);
            }
            (ExternKind::Setting, ..) => self.functions.all[function].settings.push(index),
            _ if wanted.is_weak() => self.set_wide(function, slot, src::VALUE, 0, 0),
            (kind, ..) => self.missing(function, reloc, format!("{} {name}", kind.name())),
        }
        Ok(())
    }

    /// A call of a function in the kernel. There are none; what is weak is
    /// looked for before it is called, so that the call is never reached.
    fn external_call(&mut self, function: FuncId, slot: usize, reloc: &Reloc, symbol: &Symbol) -> Result<(), ElfError> {
        let name = self.elf.symbol_name(symbol)?;
        match self.externs.named(name) {
            Some(index) if self.externs.all[index as usize].is_weak() => {
                let insn = &mut self.functions.all[function].code[slot];
                *insn = RawInsn { regs: 0, off: 0, imm: POISONED_CALL + index.cast_signed(), ..*insn };
            }
            _ => self.missing(function, reloc, format!("{} {name}", ExternKind::Function.name())),
        }
        Ok(())
    }

    /// Records that something is not to be had here.
    fn missing(&mut self, function: FuncId, reloc: &Reloc, what: String) {
        let holder = &mut self.functions.all[function];
        let section = self.elf.sections[holder.section].name.to_string();
        holder.fault.get_or_insert(ElfError::Unsupported { section, at: reloc.at, what });
    }

    /// Makes a slot refer to the function at a place.
    fn refer(&mut self, function: FuncId, slot: usize, section: SecIdx, target: i64) {
        let at = u64::try_from(target).ok();
        let callee = at.and_then(|at| self.functions.starting_at(section, at));
        let holder = &mut self.functions.all[function];
        match callee {
            Some(callee) => holder.refs.push((slot as u32, callee)),
            None => {
                holder.fault.get_or_insert(ElfError::BadCall {
                    section: self.elf.sections[holder.section].name.to_string(),
                    at: holder.start + slot as u64 * SLOT,
                    target,
                });
            }
        }
    }

    fn use_map(&mut self, function: FuncId, slot: usize, source: u8, map: u32, off: i32) {
        self.set_wide(function, slot, source, map.cast_signed(), off);
        self.functions.all[function].maps.push((slot as u32, map));
    }

    fn set_wide(&mut self, function: FuncId, slot: usize, source: u8, low: i32, high: i32) {
        let code = &mut self.functions.all[function].code;
        let first = code[slot];
        code[slot] = RawInsn { regs: first.dst() | source << 4, imm: low, ..first };
        code[slot + 1].imm = high;
    }

    /// Calls and callback references without a relocation lead to the same
    /// section; other references must have had one.
    fn finish(&mut self, function: FuncId) {
        let holder = &self.functions.all[function];
        let (section, start) = (holder.section, holder.start);
        let relocated = holder.refs.iter().map(|r| r.0).chain(holder.maps.iter().map(|m| m.0));
        let relocated: HashSet<u32> = relocated.collect();
        let mut open = Vec::new();
        let mut fault = None;
        let mut slot = 0;
        while let Some(insn) = holder.code.get(slot) {
            match (insn.code, insn.src()) {
                _ if relocated.contains(&(slot as u32)) => {}
                (CALL, src::LOCAL) | (WIDE, src::FUNC) => open.push((slot, insn.imm)),
                (WIDE, source) if source != src::VALUE => fault = fault.or(Some(slot)),
                _ => {}
            }
            slot += if insn.code == WIDE { 2 } else { 1 };
        }
        for (slot, imm) in open {
            let next = start.cast_signed() + (slot as i64 + 1) * SLOT as i64;
            self.refer(function, slot, section, next + i64::from(imm) * SLOT as i64);
        }
        if let Some(slot) = fault {
            let at = start + slot as u64 * SLOT;
            let what = "a wide load of a map or kernel object without a relocation".to_string();
            let section = self.elf.sections[section].name.to_string();
            let holder = &mut self.functions.all[function];
            holder.fault.get_or_insert(ElfError::Unsupported { section, at, what });
        }
    }
}
