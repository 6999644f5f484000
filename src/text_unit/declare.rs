//! Directives: maps, data, licence, and what compilers write beside them.

use std::collections::HashMap;

use oxbpf_abi::{MapType, errno, map_flags};
use oxbpf_ir::{MapDef, MapIdx, MapInit, MapPurpose, ProgIdx};
use oxbpf_isa::text::{Directive, quote};
use oxbpf_runtime::maps::{MapError, may_stand_for};

use super::error::{UnitTextError, UnitTextErrors, UnitTextFault};
use super::line::{Line, Result, Word};
use super::map;
use crate::near::near;

/// The directives of this dialect.
pub(super) const DIRECTIVES: [&str; 8] = ["program", "license", "map", "inner", "entry", "data", "rodata", "section"];

/// What compilers write and a program is none the worse without.
const IGNORED: [&str; 17] = [
    "file",
    "globl",
    "global",
    "p2align",
    "align",
    "balign",
    "size",
    "type",
    "ident",
    "addrsig",
    "addrsig_sym",
    "loc",
    "local",
    "weak",
    "hidden",
    "end",
    "cpu",
];

/// What puts bytes into a section: not looked at in debug sections and such, refused among instructions.
const BYTES: [&str; 17] = [
    "byte", "short", "long", "quad", "ascii", "asciz", "string", "zero", "space", "skip", "2byte", "4byte", "8byte",
    "int", "word", "comm", "uleb128",
];

/// Bytes of initial contents that one text may ask for: `00*COUNT` is short and can be large.
const MAX_CONTENTS: usize = 16 << 20;

/// What the directives of a text say.
#[derive(Debug)]
pub(super) struct Declared<'a> {
    pub license: Option<(String, u32)>,
    pub maps: Vec<MapDef>,
    /// Each map's position and line, by name.
    names: HashMap<&'a str, (MapIdx, u32)>,
    /// Maps that a line declares, which is where their definitions are wrong.
    declared: Vec<(MapIdx, Line<'a>, Word<'a>)>,
    /// Inner maps are read once all maps are known.
    inners: Vec<Line<'a>>,
    /// Entries are read once all maps and programs are known.
    entries: Vec<Line<'a>>,
    room: usize,
}

/// Where the directives of one program stand.
#[derive(Debug)]
pub(super) struct Section {
    pub code: bool,
    /// The section that instructions stand in, where a compiler named one.
    pub name: Option<String>,
    current: String,
}

impl Default for Section {
    fn default() -> Self {
        Section { code: true, name: None, current: String::new() }
    }
}

impl<'a> Declared<'a> {
    pub fn new() -> Declared<'a> {
        Declared {
            license: None,
            maps: vec![],
            names: HashMap::new(),
            declared: vec![],
            inners: vec![],
            entries: vec![],
            room: MAX_CONTENTS,
        }
    }

    pub fn map(&self, name: &str) -> Option<MapIdx> {
        self.names.get(name).map(|m| m.0)
    }

    pub fn map_names(&self) -> impl Iterator<Item = &'a str> {
        self.names.keys().copied()
    }

    /// Takes a directive; `insns` is how many instructions its program has.
    pub fn take(&mut self, directive: &'a Directive, section: &mut Section, insns: usize) -> Result<()> {
        let mut line = Line::new(&directive.text[1..], directive.pos.line, directive.pos.column);
        let word = line.expect_word("a directive's name")?;
        match word.text {
            "program" => Err(line.error(word, UnitTextFault::Misplaced("`.program` begins its line"))),
            "license" => {
                let text = line.string()?;
                line.end()?;
                self.set_license(text, word, &line)
            }
            "map" => self.declare_map(line),
            "inner" => {
                self.inners.push(line);
                Ok(())
            }
            "entry" => {
                self.entries.push(line);
                Ok(())
            }
            "data" | "bss" | "text" if line.at_end() => {
                section.enter(word.text, word.text == "text", directive, insns, &line, word)
            }
            "data" => self.declare_data(line, MapPurpose::Data),
            "rodata" => self.declare_data(line, MapPurpose::Rodata),
            "section" => {
                // A name with other characters than a word's stands in quotes.
                let (name, place) = match line.word() {
                    Some(w) => (w.text.to_string(), w),
                    None => (line.string()?, word),
                };
                let flags = if line.eat(',') { line.string().unwrap_or_default() } else { String::new() };
                let code = flags.contains('x') || name == ".text";
                section.enter(&name, code, directive, insns, &line, place)
            }
            "asciz" if section.current == "license" => {
                let text = line.string()?;
                self.set_license(text, word, &line)
            }
            name if BYTES.contains(&name) => {
                let fault = "bytes among instructions; data is declared by `.data NAME BYTES` or `.rodata NAME BYTES`";
                if section.code { Err(line.error(word, UnitTextFault::Misplaced(fault))) } else { Ok(()) }
            }
            name if IGNORED.contains(&name) || name.starts_with("cfi_") => Ok(()),
            name => {
                let fault = UnitTextFault::Directive {
                    name: format!(".{}", quote(name)),
                    near: near(name, DIRECTIVES).map(|n| format!(".{n}")),
                };
                Err(line.error(word, fault))
            }
        }
    }

    fn set_license(&mut self, text: String, word: Word<'_>, line: &Line<'_>) -> Result<()> {
        if let Some((_, first)) = self.license {
            let fault = UnitTextFault::Duplicate { what: "directive", name: ".license".to_string(), first };
            return Err(line.error(word, fault));
        }
        self.license = Some((text, line.number()));
        Ok(())
    }

    fn define(&mut self, name: Word<'a>, def: MapDef, line: &Line<'a>) -> Result<()> {
        if let Some(&(_, first)) = self.names.get(name.text) {
            let fault = UnitTextFault::Duplicate { what: "map", name: quote(name.text), first };
            return Err(line.error(name, fault));
        }
        self.names.insert(name.text, (MapIdx(self.maps.len() as u32), line.number()));
        self.maps.push(def);
        Ok(())
    }

    /// `NAME TYPE key=4 value=8 entries=16`, and other attributes.
    fn declare_map(&mut self, mut line: Line<'a>) -> Result<()> {
        let name = line.name("a map's name")?;
        let def = map::definition(&mut line, name.text)?;
        self.define(name, def, &line)?;
        self.declared.push((MapIdx(self.maps.len() as u32 - 1), line, name));
        Ok(())
    }

    /// `OUTER TYPE key=4 value=8 entries=16`: what the maps are like that a map of maps holds.
    fn declare_inner(&mut self, line: &mut Line<'a>) -> Result<()> {
        let (name, index) = self.named_map(line)?;
        let def = &self.maps[index.index()];
        if !matches!(def.map_type, MapType::ARRAY_OF_MAPS | MapType::HASH_OF_MAPS) {
            let fault = UnitTextFault::Value(format!("map {} holds no maps", quote(&def.name)));
            return Err(line.error(name, fault));
        }
        if def.inner.is_some() {
            let fault = UnitTextFault::Value(format!("what map {} holds is said already", quote(&def.name)));
            return Err(line.error(name, fault));
        }
        let inner = map::definition(line, "")?;
        self.maps[index.index()].inner = Some(Box::new(inner));
        Ok(())
    }

    /// A map by its name.
    fn named_map(&self, line: &mut Line<'a>) -> Result<(Word<'a>, MapIdx)> {
        let name = line.name("a map's name")?;
        let index = self.map(name.text).ok_or_else(|| {
            let near = near(name.text, self.map_names());
            line.error(name, UnitTextFault::Unknown { what: "map", name: quote(name.text), near })
        })?;
        Ok((name, index))
    }

    /// `NAME BYTES`: an array of one element.
    fn declare_data(&mut self, mut line: Line<'a>, purpose: MapPurpose) -> Result<()> {
        let name = line.name("a name")?;
        let bytes = self.contents(&mut line)?;
        line.end()?;
        if bytes.is_empty() {
            return Err(line.expected("bytes in hexadecimal"));
        }
        let mut def = MapDef::new(name.text, MapType::ARRAY, 4, bytes.len() as u32, 1);
        def.purpose = purpose;
        if purpose == MapPurpose::Rodata {
            def.flags = map_flags::RDONLY_PROG;
        }
        if bytes.iter().any(|&b| b != 0) {
            def.init = MapInit::Entries(vec![(vec![0; 4], bytes)]);
        }
        self.define(name, def, &line)
    }

    fn contents(&mut self, line: &mut Line<'_>) -> Result<Vec<u8>> {
        let bytes = line.bytes(self.room)?;
        self.room -= bytes.len();
        Ok(bytes)
    }

    /// Reads inner maps and entries; `program` finds a program by name.
    pub fn fill<'n>(
        &mut self,
        program: impl Fn(&str) -> Option<ProgIdx>,
        programs: impl Iterator<Item = &'n str> + Clone,
        errors: &mut UnitTextErrors,
    ) {
        for mut line in std::mem::take(&mut self.inners) {
            errors.take(self.declare_inner(&mut line).err());
        }
        for (index, line, name) in std::mem::take(&mut self.declared) {
            errors.take(map::check(&self.maps[index.index()], &line, name).err());
        }
        for mut line in std::mem::take(&mut self.entries) {
            if errors.enough() {
                return;
            }
            errors.take(self.entry(&mut line, &program, programs.clone()).err());
        }
    }

    /// `MAP KEY = VALUE`, `MAP = VALUE` where there are no keys, `MAP INDEX = PROGRAM`, or `MAP KEY = MAP`.
    fn entry<'n>(
        &mut self,
        line: &mut Line<'a>,
        program: &impl Fn(&str) -> Option<ProgIdx>,
        programs: impl Iterator<Item = &'n str>,
    ) -> Result<()> {
        let (name, index) = self.named_map(line)?;
        match self.maps[index.index()].map_type {
            MapType::PROG_ARRAY => self.program_entry(index, line, program, programs),
            MapType::RINGBUF | MapType::PERF_EVENT_ARRAY => {
                let fault = UnitTextFault::Value(format!("map {} begins without entries", quote(name.text)));
                Err(line.error(name, fault))
            }
            MapType::ARRAY_OF_MAPS | MapType::HASH_OF_MAPS => self.map_entry(index, line),
            _ => self.value_entry(index, name, line),
        }
    }

    /// `INDEX = PROGRAM`.
    fn program_entry<'n>(
        &mut self,
        index: MapIdx,
        line: &mut Line<'a>,
        program: &impl Fn(&str) -> Option<ProgIdx>,
        programs: impl Iterator<Item = &'n str>,
    ) -> Result<()> {
        let def = &mut self.maps[index.index()];
        let word = line.expect_word("an index")?;
        let key = line.number_of(word)?;
        if key >= def.max_entries {
            let fault = UnitTextFault::Value(format!("map {} has {} entries", quote(&def.name), def.max_entries));
            return Err(line.error(word, fault));
        }
        line.expect('=')?;
        let target = line.name("a program's name")?;
        let found = program(target.text).ok_or_else(|| {
            let near = near(target.text, programs);
            line.error(target, UnitTextFault::Unknown { what: "program", name: quote(target.text), near })
        })?;
        line.end()?;
        match &mut def.init {
            MapInit::Programs(all) => all.push((key, found)),
            init => *init = MapInit::Programs(vec![(key, found)]),
        }
        Ok(())
    }

    /// `KEY = MAP`.
    fn map_entry(&mut self, index: MapIdx, line: &mut Line<'a>) -> Result<()> {
        let key = self.key(index, line)?;
        let (target, inner) = self.named_map(line)?;
        line.end()?;
        let def = &self.maps[index.index()];
        if def.inner.as_deref().is_some_and(|model| !may_stand_for(model, &self.maps[inner.index()])) {
            let error = MapError::Init { map: def.name.clone(), key, errno: errno::EINVAL };
            return Err(line.error(target, UnitTextFault::Map(error)));
        }
        match &mut self.maps[index.index()].init {
            MapInit::Maps(all) => all.push((key, inner)),
            init => *init = MapInit::Maps(vec![(key, inner)]),
        }
        Ok(())
    }

    /// A key, and the `=` behind it.
    fn key(&mut self, index: MapIdx, line: &mut Line<'a>) -> Result<Vec<u8>> {
        let place = line.expected("");
        let key = self.contents(line)?;
        line.expect('=')?;
        let def = &self.maps[index.index()];
        let value = |text: String| Err(UnitTextError { fault: UnitTextFault::Value(text), ..place.clone() });
        if key.len() != def.key_size as usize {
            return value(format!("a key of this map has {} bytes, not {}", def.key_size, key.len()));
        }
        let indexed = matches!(def.map_type, MapType::ARRAY | MapType::PERCPU_ARRAY | MapType::ARRAY_OF_MAPS);
        match <[u8; 4]>::try_from(&key[..]).map(u32::from_le_bytes) {
            Ok(number) if indexed && number >= def.max_entries => {
                value(format!("the map has {} entries, no index {number}", def.max_entries))
            }
            _ => Ok(key),
        }
    }

    /// `KEY = VALUE`, or `= VALUE`.
    fn value_entry(&mut self, index: MapIdx, name: Word<'a>, line: &mut Line<'a>) -> Result<()> {
        let place = line.expected("");
        let key = self.key(index, line)?;
        let bytes = self.contents(line)?;
        line.end()?;
        let def = &mut self.maps[index.index()];
        if bytes.len() != def.value_size as usize {
            let fault =
                UnitTextFault::Value(format!("a value of this map has {} bytes, not {}", def.value_size, bytes.len()));
            return Err(UnitTextError { fault, ..place });
        }
        map::room(def, &key).map_err(|error| line.error(name, UnitTextFault::Map(error)))?;
        match &mut def.init {
            MapInit::Entries(all) => all.push((key, bytes)),
            init => *init = MapInit::Entries(vec![(key, bytes)]),
        }
        Ok(())
    }
}

impl Section {
    fn enter(
        &mut self,
        name: &str,
        code: bool,
        directive: &Directive,
        insns: usize,
        line: &Line<'_>,
        word: Word<'_>,
    ) -> Result<()> {
        let before = directive.insn > 0 && self.name.as_deref().unwrap_or(".text") != name;
        if code && before && directive.insn < insns {
            let fault = "instructions in a second section; `.program NAME TYPE` begins another program";
            return Err(line.error(word, UnitTextFault::Misplaced(fault)));
        }
        self.code = code;
        self.current = name.to_string();
        if code && (name != "text" && name != ".text" || directive.insn < insns && self.name.is_none()) {
            self.name = Some(name.to_string());
        }
        Ok(())
    }
}
