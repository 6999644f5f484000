//! The object as a whole: read once, asked for its programs and maps.

use std::sync::Arc;

use object::Endianness;
use oxbpf_abi::{MapType, ProgType};
use oxbpf_btf::Btf;
use oxbpf_ir::MapDef;

use crate::error::ElfError;
use crate::externs::{Extern, Externs};
use crate::file::Elf;
use crate::functions::{FuncId, Functions};
use crate::kconfig::Kconfig;
use crate::maps::{MapSource, Maps};
use crate::{lines, relocate};

/// The section that tc looks for when none is named.
const DEFAULT_SECTION: &str = "classifier";

/// Programs that share subprograms link to more slots than the file has. This
/// many are always taken, and beyond them four times what the file could hold,
/// so that memory stays in proportion to the input.
const FREE_SLOTS: u64 = 1 << 17;

/// Where the licence stands.
const LICENSE: [&str; 2] = ["license", ".license"];

/// The longest licence the kernel reads: 128 bytes with the final zero; it cuts longer ones.
const MAX_LICENSE: usize = 127;

/// A compiled object: programs, maps, licence and debug types.
pub struct Object {
    pub(crate) functions: Functions,
    pub(crate) maps: Maps,
    programs: Vec<ObjProgram>,
    license: String,
    pub(crate) types: Option<Arc<Btf>>,
    notes: Vec<Note>,
    pub(crate) externs: Externs,
    big_endian: bool,
    /// How many slots a unit of this object may have, see `unit`.
    pub(crate) slot_limit: u64,
}

/// A program of an object, not yet linked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ObjProgram {
    section: String,
    name: String,
    /// The slot that a section `ID/idx` asks for.
    tail: bool,
    pub(crate) function: FuncId,
}

impl ObjProgram {
    /// The ELF section it stands in.
    pub fn section(&self) -> &str {
        &self.section
    }

    /// The function's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The program type that the section's name tells, if it does.
    pub fn prog_type(&self) -> Option<ProgType> {
        ProgType::by_section(&self.section)
    }

    /// Whether it stands in a section `ID/idx`, to be entered by a tail call only.
    pub fn is_tail(&self) -> bool {
        self.tail
    }
}

/// What was assumed where an object leaves room.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Note {
    /// Legacy map definitions of a length that two structures have.
    AssumedLegacyLayout {
        /// The structure assumed.
        structure: &'static str,
        /// The length of a definition in bytes.
        len: usize,
    },
    /// A map's memory node.
    NumaNodeIgnored {
        /// The map.
        map: String,
        /// The node.
        node: u32,
    },
    /// A section `ID/idx` whose id no program array has: nothing calls its program.
    NoTailArray {
        /// The section.
        section: String,
    },
    /// A static function that is alone in its section, and so its program.
    StaticProgram {
        /// The section.
        section: String,
        /// The function.
        function: String,
    },
    /// Several sections of one name, for which BTF.ext has records.
    AmbiguousSection {
        /// Their name.
        section: String,
    },
}

impl std::fmt::Display for Note {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Note::AssumedLegacyLayout { structure, len } => {
                write!(f, "section maps: definitions of {len} bytes taken as struct {structure}")
            }
            Note::NumaNodeIgnored { map, node } => write!(f, "map {map}: memory node {node} is of no consequence here"),
            Note::NoTailArray { section } => {
                write!(f, "section {section}: no program array has that id, so no tail call leads to it")
            }
            Note::StaticProgram { section, function } => {
                write!(f, "section {section}: the static function {function} is taken as its program")
            }
            Note::AmbiguousSection { section } => {
                write!(f, "there are several sections {section}: source lines of none of them are known")
            }
        }
    }
}

/// Reads an object that clang made for BPF.
///
/// Faults that concern one program only, such as a CO-RE relocation, do not
/// fail here but when that program is wanted, in [`Object::unit`].
///
/// # Errors
/// [`ElfError`] if the bytes are no such object.
pub fn load(bytes: &[u8]) -> Result<Object, ElfError> {
    let elf = Elf::parse(bytes)?;
    let mut functions = Functions::cut(&elf)?;
    let types = lines::types(&elf)?;
    let mut notes = Vec::new();
    let externs = Externs::read(&elf, types.as_ref())?;
    let mut maps = Maps::read(&elf, types.as_ref(), &functions, &externs, &mut notes)?;
    relocate::apply(&elf, &maps, &externs, &mut functions)?;
    if let Some(types) = &types {
        lines::attach(&elf, types, &mut functions, &mut notes)?;
    }
    let mut programs = Vec::new();
    for function in functions.entries(&elf)? {
        programs.push(program(&elf, &functions, function, &mut maps, &mut notes)?);
    }
    Ok(Object {
        license: license(&elf),
        big_endian: elf.order == Endianness::Big,
        slot_limit: bytes.len() as u64 / 2 + FREE_SLOTS,
        functions,
        maps,
        programs,
        types: types.map(Arc::new),
        notes,
        externs,
    })
}

fn program(
    elf: &Elf<'_>,
    functions: &Functions,
    id: FuncId,
    maps: &mut Maps,
    notes: &mut Vec<Note>,
) -> Result<ObjProgram, ElfError> {
    let function = &functions.all[id];
    let section = elf.sections[function.section].name;
    if function.local {
        let (section, function) = (section.to_string(), function.name.clone());
        notes.push(Note::StaticProgram { section, function });
    }
    let tail = tail_slot(section).is_some_and(|slot| fill_slot(section, slot, id, maps, notes));
    Ok(ObjProgram { section: section.to_string(), name: function.name.clone(), tail, function: id })
}

/// Puts the program of a section `ID/idx` into tc's program array of that id,
/// and tells whether there is one.
fn fill_slot(section: &str, (map_id, key): (u32, u32), id: FuncId, maps: &mut Maps, notes: &mut Vec<Note>) -> bool {
    let wanted = |d: &MapDef| d.id == Some(map_id) && d.map_type == MapType::PROG_ARRAY;
    let Some(map) = maps.all.iter_mut().find(|m| wanted(&m.def)) else {
        let note = Note::NoTailArray { section: section.to_string() };
        if notes.last() != Some(&note) {
            notes.push(note);
        }
        return false;
    };
    if key >= map.def.max_entries {
        map.fault.get_or_insert(ElfError::NoTailSlot { section: section.to_string() });
    } else if !map.programs.iter().any(|p| p.0 == key) {
        // tc loads the section as a whole: its first function is the program.
        map.programs.push((key, id));
    }
    true
}

/// Reads tc's `ID/idx`, two numbers in C's notation.
pub(crate) fn tail_slot(section: &str) -> Option<(u32, u32)> {
    let (id, key) = section.split_once('/')?;
    Some((c_number(id)?, c_number(key)?))
}

fn c_number(text: &str) -> Option<u32> {
    let (digits, radix) = match text.as_bytes() {
        [b'0', b'x' | b'X', ..] => (&text[2..], 16),
        [b'0', _, ..] => (&text[1..], 8),
        _ => (text, 10),
    };
    let all_digits = digits.chars().all(|c| c.is_digit(radix));
    u32::from_str_radix(digits, radix).ok().filter(|_| all_digits)
}

fn license(elf: &Elf<'_>) -> String {
    let section = LICENSE.iter().find_map(|name| elf.section(name));
    let data = section.map_or(&[][..], |i| elf.sections[i].data);
    let text = data.split(|&b| b == 0).next().unwrap_or(&[]);
    let text = String::from_utf8_lossy(&text[..text.len().min(MAX_LICENSE)]).into_owned();
    // What stands for a byte that is no text is longer than the byte.
    text[..text.floor_char_boundary(MAX_LICENSE)].to_string()
}

impl Object {
    /// Its programs, by section and place.
    pub fn programs(&self) -> &[ObjProgram] {
        &self.programs
    }

    /// Its maps: legacy ones, BTF ones, then global data. Which programs a
    /// program array holds is decided in [`Object::unit`].
    pub fn maps(&self) -> impl ExactSizeIterator<Item = &MapDef> {
        self.maps.all.iter().map(|m| &m.def)
    }

    /// How each map is defined, in the order of [`Object::maps`].
    pub fn map_sources(&self) -> impl Iterator<Item = MapSource> {
        (0..self.maps.all.len()).map(|map| self.maps.source(map))
    }

    /// What programs and maps it has by key in a map of it: names and, of
    /// maps in maps, positions in [`Object::maps`].
    pub fn map_contents(&self, map: usize) -> impl Iterator<Item = (u32, &str)> {
        let map = &self.maps.all[map];
        let programs = map.programs.iter().map(|(key, f)| (*key, self.functions.all[*f].name.as_str()));
        programs.chain(map.inners.iter().map(|(key, m)| (*key, self.maps.all[*m as usize].def.name.as_str())))
    }

    /// Why programs cannot use a map, where that is so.
    pub fn map_fault(&self, map: usize) -> Option<&ElfError> {
        self.maps.all[map].fault.as_ref()
    }

    /// What it takes from the kernel.
    pub fn externs(&self) -> &[Extern] {
        &self.externs.all
    }

    /// Takes the settings that it asks for (`.kconfig`) from a kernel's
    /// configuration. Without, programs that use one which is not weak are
    /// refused.
    pub fn resolve_kconfig(&mut self, config: &Kconfig) {
        let Some((types, map)) = self.types.as_deref().zip(self.maps.settings) else {
            return;
        };
        self.externs.resolve(types, config);
        self.maps.all[map as usize].def.init = self.externs.contents();
    }

    /// Whether it is for big-endian machines: then it can be listed, not run.
    pub fn is_big_endian(&self) -> bool {
        self.big_endian
    }

    /// The licence it declares; empty where there is none.
    pub fn license(&self) -> &str {
        &self.license
    }

    /// Its debug types.
    pub fn types(&self) -> Option<&Btf> {
        self.types.as_deref()
    }

    /// What was assumed in reading it.
    pub fn notes(&self) -> &[Note] {
        &self.notes
    }

    /// The position in [`Object::programs`] of what a user names: a section
    /// with one program, `section/function`, or, for `None`, the only program
    /// or tc's default section `classifier`.
    ///
    /// # Errors
    /// [`ElfError::NoProgram`] and [`ElfError::Ambiguous`], both listing what
    /// there is.
    pub fn select(&self, wanted: Option<&str>) -> Result<usize, ElfError> {
        let Some(wanted) = wanted else {
            return self.select_default();
        };
        match self.matching(|p| p.section == wanted)[..] {
            [only] => return Ok(only),
            [] => {}
            _ => return Err(self.ambiguous(wanted)),
        }
        let named = |p: &ObjProgram| {
            let function = wanted.strip_prefix(&p.section).and_then(|rest| rest.strip_prefix('/'));
            function == Some(&p.name)
        };
        let found = self.matching(named).first().copied();
        found.ok_or_else(|| self.no_program(wanted))
    }

    fn select_default(&self) -> Result<usize, ElfError> {
        let entries = self.matching(|p| !p.tail);
        let default = self.matching(|p| p.section == DEFAULT_SECTION);
        match (&entries[..], &default[..]) {
            ([only], _) | (_, [only]) => Ok(*only),
            ([], _) => Err(self.no_program("")),
            _ => Err(self.ambiguous("the object")),
        }
    }

    fn matching(&self, wanted: impl Fn(&ObjProgram) -> bool) -> Vec<usize> {
        (0..self.programs.len()).filter(|&i| wanted(&self.programs[i])).collect()
    }

    fn no_program(&self, wanted: &str) -> ElfError {
        let mut there: Vec<String> = self.programs.iter().map(|p| p.section.clone()).collect();
        there.dedup();
        ElfError::NoProgram { wanted: wanted.to_string(), there }
    }

    fn ambiguous(&self, wanted: &str) -> ElfError {
        let programs = self.programs.iter().filter(|p| p.section == wanted || wanted == "the object");
        let there = programs.map(|p| format!("{}/{}", p.section, p.name)).collect();
        ElfError::Ambiguous { wanted: wanted.to_string(), there }
    }
}
