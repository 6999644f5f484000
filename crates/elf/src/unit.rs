//! Linking: from an object to a unit of complete programs.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use oxbpf_abi::ProgType;
use oxbpf_btf::{Btf, StrOff};
use oxbpf_ir::{InsnId, LineRef, MapDef, MapIdx, MapInit, ProgIdx, Program, ProgramParts, Unit};
use oxbpf_isa::{CallTarget, Insn, RawInsn, Slot, decode_all};

use crate::error::ElfError;
use crate::functions::{FuncId, Function};
use crate::object::{ObjProgram, Object};

/// Bytes of a source line's text that are kept. Generated code has lines of
/// any length.
const MAX_TEXT: usize = 256;

impl Object {
    /// Links a unit: the programs at the positions `roots` in that order, then
    /// those they can reach by tail calls through program arrays, each with
    /// the subprograms it needs; and the maps that they use, with the maps in
    /// those. `type_of` tells each program's type, [`ObjProgram::prog_type`]
    /// where the section's name is to decide.
    ///
    /// # Errors
    /// Whatever keeps one of these programs from running: its own fault, kept
    /// from loading; that of a map it uses; [`ElfError::BigEndian`];
    /// [`ElfError::Kconfig`]; [`ElfError::NoProgramType`];
    /// [`ElfError::Decode`]; [`ElfError::Build`]; [`ElfError::TooMany`].
    ///
    /// # Panics
    /// If a root is not the position of a program.
    pub fn unit(
        &self,
        name: &str,
        roots: &[usize],
        type_of: impl Fn(&ObjProgram) -> Option<ProgType>,
    ) -> Result<Unit, ElfError> {
        match self.is_big_endian() {
            true => Err(ElfError::BigEndian),
            false => self.unit_to_list(name, roots, type_of),
        }
    }

    /// As [`Object::unit`], of big-endian objects too. Their instructions are
    /// right to be listed; but constants, such as `htons(ETH_P_IP)`, and data
    /// are in their order, so that a run would not do what was meant.
    ///
    /// # Errors
    /// As [`Object::unit`], without [`ElfError::BigEndian`].
    ///
    /// # Panics
    /// If a root is not the position of a program.
    pub fn unit_to_list(
        &self,
        name: &str,
        roots: &[usize],
        type_of: impl Fn(&ObjProgram) -> Option<ProgType>,
    ) -> Result<Unit, ElfError> {
        let reached = Reached::from(self, roots, &mut Linker::new(self))?;
        let mut linker = Linker::new(self);
        let programs = reached.programs.iter().map(|(index, layout)| {
            let program = &self.programs()[*index];
            let section = || program.section().to_string();
            let prog_type = type_of(program).ok_or_else(|| ElfError::NoProgramType { section: section() })?;
            linker.program(program, prog_type, layout, &reached.map_index)
        });
        let programs = programs.collect::<Result<Vec<_>, _>>()?;
        let maps = reached.maps.iter().map(|map| self.definition(*map, &reached));
        let unit = Unit::new(name, self.license(), maps.collect(), programs).map_err(ElfError::Unit)?;
        Ok(match &self.types {
            Some(types) => unit.with_types(types.clone()),
            None => unit,
        })
    }

    /// What each program consists of and, where it cannot be linked, why: its
    /// own fault or that of a program it reaches by tail calls. What several
    /// programs need is looked at once, so that this takes no longer than
    /// linking all of them.
    pub fn survey(&self) -> Vec<Survey> {
        let mut linker = Linker::new(self);
        let targets = self.targets();
        let mut callers: Vec<Vec<usize>> = vec![Vec::new(); self.programs().len()];
        let mut all = Vec::new();
        for (index, program) in self.programs().iter().enumerate() {
            let own = self.functions.all[program.function].code.len();
            let mut survey = Survey { slots: own, functions: 1, ..Survey::default() };
            if let Err(fault) = linker.survey(program, &mut survey) {
                survey.fault = Some(fault);
            }
            for callee in survey.maps.iter().flat_map(|m| &self.maps.all[*m].programs) {
                callers[targets[&callee.1]].push(index);
            }
            all.push(survey);
        }
        let mut faulty: Vec<usize> = (0..all.len()).filter(|&i| all[i].fault.is_some()).collect();
        while let Some(index) = faulty.pop() {
            for &caller in &callers[index] {
                if all[caller].fault.is_none() {
                    all[caller].fault = all[index].fault.clone();
                    faulty.push(caller);
                }
            }
        }
        all
    }

    /// Programs by their functions.
    fn targets(&self) -> HashMap<FuncId, usize> {
        self.programs().iter().enumerate().map(|(i, p)| (p.function, i)).collect()
    }

    /// A map's definition in a unit, with what it holds at first.
    fn definition(&self, map: u32, reached: &Reached) -> MapDef {
        let map = &self.maps.all[map as usize];
        let mut def = map.def.clone();
        if !map.programs.is_empty() {
            let there = |(key, f): &(u32, FuncId)| Some((*key, *reached.program_index.get(f)?));
            def.init = MapInit::Programs(map.programs.iter().filter_map(there).collect());
        }
        if !map.inners.is_empty() {
            let there = |(key, m): &(u32, u32)| Some((key.to_le_bytes().to_vec(), MapIdx(*reached.map_index.get(m)?)));
            def.init = MapInit::Maps(map.inners.iter().filter_map(there).collect());
        }
        def
    }
}

/// What a program consists of, see [`Object::survey`].
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Survey {
    /// Why it cannot be linked, where that is so; then the rest is about its
    /// own function.
    pub fault: Option<ElfError>,
    /// Its slots, subprograms included.
    pub slots: usize,
    /// Its functions, itself included.
    pub functions: usize,
    /// Numbers of the helpers it calls.
    pub helpers: BTreeSet<i32>,
    /// Positions in [`Object::maps`] of the maps it uses, and of those in them.
    pub maps: Vec<usize>,
}

/// The functions of a program, entry first, each with its first slot.
type Layout = Vec<(FuncId, u32)>;

/// What programs need: other programs, and maps.
#[derive(Default)]
struct Reached {
    /// Positions of programs, and their functions.
    programs: Vec<(usize, Layout)>,
    program_index: HashMap<FuncId, ProgIdx>,
    /// Numbers of maps, in the object's order.
    maps: Vec<u32>,
    map_index: HashMap<u32, u32>,
}

impl Reached {
    fn from(object: &Object, roots: &[usize], linker: &mut Linker<'_>) -> Result<Reached, ElfError> {
        let targets = object.targets();
        let mut reached = Reached::default();
        let mut seen = HashSet::new();
        let mut wanted: Vec<usize> = Vec::new();
        let mut add = |wanted: &mut Vec<usize>, program: usize| {
            let next = ProgIdx(wanted.len() as u32);
            reached.program_index.entry(object.programs()[program].function).or_insert_with(|| {
                wanted.push(program);
                next
            });
        };
        roots.iter().for_each(|root| add(&mut wanted, *root));
        let mut next = 0;
        while let Some(&program) = wanted.get(next) {
            next += 1;
            let layout = linker.layout(&object.programs()[program])?;
            for map in linker.maps(&layout)? {
                if seen.insert(map) {
                    for (_, function) in &object.maps.all[map as usize].programs {
                        add(&mut wanted, targets[function]);
                    }
                }
            }
            reached.programs.push((program, layout));
        }
        reached.maps = seen.into_iter().collect();
        reached.maps.sort_unstable();
        reached.map_index = reached.maps.iter().copied().zip(0..).collect();
        Ok(reached)
    }
}

struct Linker<'o> {
    object: &'o Object,
    /// Slots that may still be linked.
    room: u64,
    /// Texts already made, by their offset in the BTF's strings.
    texts: HashMap<StrOff, Arc<str>>,
}

impl<'o> Linker<'o> {
    fn new(object: &'o Object) -> Linker<'o> {
        Linker { object, room: object.slot_limit, texts: HashMap::new() }
    }

    fn function(&self, id: FuncId) -> &'o Function {
        &self.object.functions.all[id]
    }

    fn layout(&mut self, program: &ObjProgram) -> Result<Layout, ElfError> {
        let mut layout = vec![(program.function, 0)];
        let mut placed: HashSet<FuncId> = [program.function].into();
        let (mut next, mut slots) = (0, 0u64);
        while let Some(&(id, _)) = layout.get(next) {
            let function = self.function(id);
            if let Some(fault) = &function.fault {
                return Err(fault.clone());
            }
            self.object.core_ready(function)?;
            if let Some(fault) = function.settings.iter().find_map(|s| self.object.externs.setting_fault(*s)) {
                return Err(fault);
            }
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

    fn survey(&mut self, program: &ObjProgram, survey: &mut Survey) -> Result<(), ElfError> {
        let layout = self.layout(program)?;
        survey.functions = layout.len();
        survey.slots = layout.iter().map(|f| self.function(f.0).code.len()).sum();
        survey.maps = self.maps(&layout)?.into_iter().map(|m| m as usize).collect();
        let linked = self.program(program, ProgType::SchedCls, &layout, &HashMap::new())?;
        let helpers = linked.insns().iter().filter_map(|insn| match insn {
            Insn::Call(CallTarget::Helper(id)) => Some(*id),
            _ => None,
        });
        survey.helpers = helpers.collect();
        Ok(())
    }

    /// The maps that a program uses, and the maps in those.
    fn maps(&self, layout: &Layout) -> Result<Vec<u32>, ElfError> {
        let mut maps: Vec<u32> = Vec::new();
        let mut seen = HashSet::new();
        for map in layout.iter().flat_map(|(f, _)| &self.function(*f).maps).map(|m| m.1) {
            if seen.insert(map) {
                maps.push(map);
            }
        }
        let mut next = 0;
        while let Some(&map) = maps.get(next) {
            let map = &self.object.maps.all[map as usize];
            map.fault.clone().map_or(Ok(()), Err)?;
            maps.extend(map.inners.iter().map(|i| i.1).filter(|inner| seen.insert(*inner)));
            next += 1;
        }
        Ok(maps)
    }

    fn program(
        &mut self,
        program: &ObjProgram,
        prog_type: ProgType,
        layout: &Layout,
        map_index: &HashMap<u32, u32>,
    ) -> Result<Program, ElfError> {
        let name = program.name();
        let decoded = decode_all(&self.code(layout, map_index));
        let decoded = decoded.map_err(|error| ElfError::Decode { program: name.to_string(), error })?;
        let mut parts = ProgramParts::new(name, prog_type, decoded.iter().map(|d| d.1).collect());
        parts.section = program.section().to_string();
        let names = layout.iter().map(|&(id, base)| (Slot(base), self.function(id).name.clone()));
        parts.functions = names.collect();
        let exported = layout.iter().filter(|(id, _)| self.function(*id).exported);
        parts.globals = exported.map(|(_, base)| Slot(*base)).collect();
        parts.lines = self.lines(layout, &decoded.iter().map(|d| d.0).collect::<Vec<_>>());
        Program::new(parts).map_err(|error| ElfError::Build { program: name.to_string(), error })
    }

    /// The code of all functions in a row, with the distances between them
    /// and the unit's numbers of maps.
    fn code(&self, layout: &Layout, map_index: &HashMap<u32, u32>) -> Vec<RawInsn> {
        let base: HashMap<FuncId, u32> = layout.iter().copied().collect();
        let total = layout.iter().map(|&(id, _)| self.function(id).code.len()).sum();
        let mut code = Vec::with_capacity(total);
        for &(id, start) in layout {
            let function = self.function(id);
            code.extend_from_slice(&function.code);
            for (slot, map) in &function.maps {
                // Where only faults are looked for there are no numbers.
                code[(start + slot) as usize].imm = map_index.get(map).copied().unwrap_or(0).cast_signed();
            }
            for (slot, callee) in &function.refs {
                let at = start + slot;
                // Both are below the kernel's limit, far from overflow.
                code[at as usize].imm = base[callee].cast_signed() - (at.cast_signed() + 1);
            }
        }
        code
    }

    fn lines(&mut self, layout: &Layout, slots: &[Slot]) -> Vec<LineRef> {
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
