//! Linking: from an object to a unit of complete programs.

use std::collections::HashMap;
use std::sync::Arc;

use oxbpf_abi::ProgType;
use oxbpf_btf::{Btf, StrOff};
use oxbpf_ir::{InsnId, LineRef, MapInit, ProgIdx, Program, ProgramParts, Unit};
use oxbpf_isa::{RawInsn, Slot, decode_all};

use crate::error::ElfError;
use crate::functions::{FuncId, Function};
use crate::object::{ObjProgram, Object};

/// Bytes of a source line's text that are kept. Generated code has lines of
/// any length.
const MAX_TEXT: usize = 256;

impl Object {
    /// Links a unit: the programs at the positions `roots` in that order, then
    /// those they can reach by tail calls through program arrays, each with
    /// the subprograms it needs; and all maps of the object. `type_of` tells
    /// each program's type, [`ObjProgram::prog_type`] where the section's name
    /// is to decide.
    ///
    /// # Errors
    /// Whatever keeps one of these programs from running: its own fault, kept
    /// from loading; [`ElfError::NoProgramType`]; [`ElfError::Decode`];
    /// [`ElfError::Build`]; [`ElfError::TooMany`].
    ///
    /// # Panics
    /// If a root is not the position of a program.
    pub fn unit(
        &self,
        name: &str,
        roots: &[usize],
        type_of: impl Fn(&ObjProgram) -> Option<ProgType>,
    ) -> Result<Unit, ElfError> {
        let mut linker = Linker { object: self, room: self.slot_limit, texts: HashMap::new() };
        let mut unit_index: HashMap<FuncId, ProgIdx> = HashMap::new();
        let by_function: HashMap<FuncId, usize> =
            self.programs().iter().enumerate().map(|(i, p)| (p.function, i)).collect();

        let mut wanted: Vec<usize> = Vec::new();
        let mut add = |wanted: &mut Vec<usize>, program: usize| {
            let next = ProgIdx(wanted.len() as u32);
            unit_index.entry(self.programs()[program].function).or_insert_with(|| {
                wanted.push(program);
                next
            });
        };
        for &root in roots {
            add(&mut wanted, root);
        }
        let mut map_seen = vec![false; self.maps.all.len()];
        let mut programs = Vec::new();
        let mut next = 0;
        while let Some(&program) = wanted.get(next) {
            next += 1;
            let program = &self.programs()[program];
            let layout = linker.layout(program)?;
            for map in layout.iter().flat_map(|(f, _)| &self.functions.all[*f].maps).map(|m| m.1 as usize) {
                if !std::mem::replace(&mut map_seen[map], true) {
                    for (_, function) in &self.maps.all[map].programs {
                        add(&mut wanted, by_function[function]);
                    }
                }
            }
            let section = || program.section().to_string();
            let prog_type = type_of(program).ok_or_else(|| ElfError::NoProgramType { section: section() })?;
            programs.push(linker.program(program, prog_type, &layout)?);
        }

        let maps = self.maps.all.iter().map(|map| {
            let mut def = map.def.clone();
            if !map.programs.is_empty() {
                let reached = map.programs.iter().filter_map(|(key, f)| Some((*key, *unit_index.get(f)?)));
                def.init = MapInit::Programs(reached.collect());
            }
            def
        });
        Unit::new(name, self.license(), maps.collect(), programs).map_err(ElfError::Unit)
    }
}

struct Linker<'o> {
    object: &'o Object,
    /// Slots that may still be linked.
    room: u64,
    /// Texts already made, by their offset in the BTF's strings.
    texts: HashMap<StrOff, Arc<str>>,
}

impl Linker<'_> {
    fn function(&self, id: FuncId) -> &Function {
        &self.object.functions.all[id]
    }

    /// The functions of a program, entry first, each with its first slot.
    fn layout(&mut self, program: &ObjProgram) -> Result<Vec<(FuncId, u32)>, ElfError> {
        let mut layout = vec![(program.function, 0)];
        let mut placed: std::collections::HashSet<FuncId> = [program.function].into();
        let (mut next, mut slots) = (0, 0u64);
        while let Some(&(id, _)) = layout.get(next) {
            let function = self.function(id);
            if let Some(fault) = &function.fault {
                return Err(fault.clone());
            }
            self.object.core_ready(function)?;
            let limit = self.object.slot_limit;
            slots += function.code.len() as u64;
            if slots > self.room {
                let count = limit - self.room + slots;
                return Err(ElfError::TooMany { what: "slots in the linked programs", count, limit });
            }
            layout[next].1 = (slots - function.code.len() as u64) as u32;
            for (_, callee) in &function.refs {
                if placed.insert(*callee) {
                    layout.push((*callee, 0));
                }
            }
            next += 1;
        }
        self.room -= slots;
        Ok(layout)
    }

    fn program(
        &mut self,
        program: &ObjProgram,
        prog_type: ProgType,
        layout: &[(FuncId, u32)],
    ) -> Result<Program, ElfError> {
        let name = program.name();
        let decoded = decode_all(&self.code(layout));
        let decoded = decoded.map_err(|error| ElfError::Decode { program: name.to_string(), error })?;
        let mut parts = ProgramParts::new(name, prog_type, decoded.iter().map(|d| d.1).collect());
        parts.section = program.section().to_string();
        let names = layout.iter().map(|&(id, base)| (Slot(base), self.function(id).name.clone()));
        parts.functions = names.collect();
        parts.lines = self.lines(layout, &decoded.iter().map(|d| d.0).collect::<Vec<_>>());
        Program::new(parts).map_err(|error| ElfError::Build { program: name.to_string(), error })
    }

    /// The code of all functions in a row, with the distances between them.
    fn code(&self, layout: &[(FuncId, u32)]) -> Vec<RawInsn> {
        let base: HashMap<FuncId, u32> = layout.iter().copied().collect();
        let total = layout.iter().map(|&(id, _)| self.function(id).code.len()).sum();
        let mut code = Vec::with_capacity(total);
        for &(id, start) in layout {
            let function = self.function(id);
            code.extend_from_slice(&function.code);
            for (slot, callee) in &function.refs {
                let at = start + slot;
                // Both are below the kernel's limit, far from overflow.
                code[at as usize].imm = base[callee].cast_signed() - (at.cast_signed() + 1);
            }
        }
        code
    }

    fn lines(&mut self, layout: &[(FuncId, u32)], slots: &[Slot]) -> Vec<LineRef> {
        let object = self.object;
        let Some(types) = &object.types else {
            return Vec::new();
        };
        let count = layout.iter().map(|&(id, _)| self.function(id).lines.len()).sum();
        let mut lines = Vec::with_capacity(count);
        for &(id, base) in layout {
            for line in &object.functions.all[id].lines {
                // A line for the second half of a wide load says nothing.
                let Ok(insn) = slots.binary_search(&Slot(base + line.slot)) else {
                    continue;
                };
                lines.push(LineRef {
                    insn: InsnId(insn as u32),
                    file: self.text(types, line.file),
                    line: line.line,
                    column: line.column,
                    text: self.text(types, line.text),
                });
            }
        }
        lines
    }

    fn text(&mut self, types: &Btf, off: StrOff) -> Arc<str> {
        let cut = || {
            let text = types.str(off).trim();
            Arc::from(&text[..text.floor_char_boundary(MAX_TEXT)])
        };
        self.texts.entry(off).or_insert_with(cut).clone()
    }
}
