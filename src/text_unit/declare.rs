//! Directives: maps, data, licence, and what compilers write beside them.

use std::collections::HashMap;

use oxbpf_abi::{MAP_TYPES, MapType, map_flags};
use oxbpf_ir::{MapDef, MapIdx, MapInit, MapPurpose, ProgIdx};
use oxbpf_isa::text::{Directive, MAX_ERRORS, quote};

use super::error::{UnitTextError, UnitTextFault};
use super::line::{Line, Result, Word};
use crate::near::near;

/// The directives of this dialect.
pub(super) const DIRECTIVES: [&str; 7] = ["program", "license", "map", "entry", "data", "rodata", "section"];

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
        Declared { license: None, maps: vec![], names: HashMap::new(), entries: vec![], room: MAX_CONTENTS }
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

    /// `NAME TYPE key=4 value=8 entries=16 flags=0x1 id=1 pinning=2`.
    fn declare_map(&mut self, mut line: Line<'a>) -> Result<()> {
        let name = line.name("a map's name")?;
        let kind = line.expect_word("a map type")?;
        let map_type = MapType::by_name(kind.text).ok_or_else(|| {
            let near = near(kind.text, MAP_TYPES.iter().map(|r| r.name));
            line.error(kind, UnitTextFault::Unknown { what: "map type", name: quote(kind.text), near })
        })?;
        let mut def = MapDef::new(name.text, map_type, 0, 0, 0);
        let indexed = matches!(map_type, MapType::ARRAY | MapType::PROG_ARRAY);
        let (mut key, mut value, mut entries) = (indexed.then_some(4), None, None);
        if map_type == MapType::PROG_ARRAY {
            value = Some(4);
        }
        while !line.at_end() {
            let attribute = line.expect_word("an attribute like `key=4`")?;
            line.expect('=')?;
            let number = line.u32()?;
            match attribute.text {
                "key" => key = Some(number),
                "value" => value = Some(number),
                "entries" => entries = Some(number),
                "flags" => def.flags = number,
                "id" => def.id = Some(number),
                "pinning" => def.pinning = number,
                other => {
                    let near = near(other, ["key", "value", "entries", "flags", "id", "pinning"]);
                    return Err(line
                        .error(attribute, UnitTextFault::Unknown { what: "map attribute", name: quote(other), near }));
                }
            }
        }
        let missing = [("`key=BYTES`", key), ("`value=BYTES`", value), ("`entries=COUNT`", entries)];
        if let Some((what, _)) = missing.iter().find(|m| m.1.is_none()) {
            return Err(line.expected(what));
        }
        [def.key_size, def.value_size, def.max_entries] = [key, value, entries].map(Option::unwrap_or_default);
        self.define(name, def, &line)
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

    /// Reads the entries; `program` finds a program by name.
    pub fn fill<'n>(
        &mut self,
        program: impl Fn(&str) -> Option<ProgIdx>,
        programs: impl Iterator<Item = &'n str> + Clone,
        errors: &mut Vec<UnitTextError>,
    ) {
        for mut line in std::mem::take(&mut self.entries) {
            if let Err(e) = self.entry(&mut line, &program, programs.clone()) {
                errors.push(e);
            }
            if errors.len() >= MAX_ERRORS {
                return;
            }
        }
    }

    /// `MAP KEY = VALUE`, or `MAP INDEX = PROGRAM`.
    fn entry<'n>(
        &mut self,
        line: &mut Line<'a>,
        program: &impl Fn(&str) -> Option<ProgIdx>,
        programs: impl Iterator<Item = &'n str>,
    ) -> Result<()> {
        let name = line.name("a map's name")?;
        let index = self.map(name.text).ok_or_else(|| {
            let near = near(name.text, self.map_names());
            line.error(name, UnitTextFault::Unknown { what: "map", name: quote(name.text), near })
        })?;
        let def = &self.maps[index.index()];
        let value = |text: String| UnitTextFault::Value(text);
        if def.map_type == MapType::PROG_ARRAY {
            let word = line.expect_word("an index")?;
            let key = line.number_of(word)?;
            if key >= def.max_entries {
                return Err(
                    line.error(word, value(format!("map {} has {} entries", quote(&def.name), def.max_entries)))
                );
            }
            line.expect('=')?;
            let target = line.name("a program's name")?;
            let found = program(target.text).ok_or_else(|| {
                let near = near(target.text, programs);
                line.error(target, UnitTextFault::Unknown { what: "program", name: quote(target.text), near })
            })?;
            line.end()?;
            match &mut self.maps[index.index()].init {
                MapInit::Programs(all) => all.push((key, found)),
                init => *init = MapInit::Programs(vec![(key, found)]),
            }
            return Ok(());
        }
        let (key_size, value_size) = (def.key_size as usize, def.value_size as usize);
        let array = (def.map_type == MapType::ARRAY).then_some(def.max_entries);
        let key_word = line.expected("");
        let key = self.contents(line)?;
        line.expect('=')?;
        let bytes = self.contents(line)?;
        line.end()?;
        for (what, found, size) in [("key", key.len(), key_size), ("value", bytes.len(), value_size)] {
            if found != size {
                let fault = value(format!("a {what} of this map has {size} bytes, not {found}"));
                return Err(UnitTextError { fault, ..key_word });
            }
        }
        let number = <[u8; 4]>::try_from(&key[..]).map(u32::from_le_bytes);
        if let (Some(count), Ok(number)) = (array, number)
            && number >= count
        {
            return Err(UnitTextError {
                fault: value(format!("the map has {count} entries, no index {number}")),
                ..key_word
            });
        }
        match &mut self.maps[index.index()].init {
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
