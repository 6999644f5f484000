//! A unit as text that [`parse`](super::parse) reads.

use std::collections::HashSet;
use std::fmt::Write as _;

use oxbpf_abi::MapType;
use oxbpf_ir::{InsnId, LineRef, MapDef, MapInit, MapPurpose, Program, Unit};
use oxbpf_isa::text::{Names, PrintOptions as InsnOptions, is_name};
use oxbpf_isa::{CallTarget, Pseudo, Slot};

/// What a listing shows.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct PrintOptions {
    /// Labels, slots and raw bytes.
    pub insns: InsnOptions,
    /// The programs' source lines, as comments in front of their instructions.
    pub source_lines: bool,
}

/// The unit as text: maps and data, then each program.
///
/// What is printed parses back to the same maps and instructions. Names that the text cannot carry, and names used
/// twice, are replaced by numbered ones.
///
/// ```
/// use oxbpf::text_unit::{Options, PrintOptions, parse, print};
///
/// let text = ".map m array value=8 entries=1\nr1 = m ll\nr0 = 0\nexit";
/// let unit = parse(text, "one.bpf", &Options::default()).unwrap();
/// let printed = print(&unit, &PrintOptions::default());
/// assert_eq!(
///     printed,
///     "\
/// .license \"GPL\"
/// .map m array key=4 value=8 entries=1
///
/// .program one sched_cls
/// r1 = m ll
/// r0 = 0
/// exit
/// "
/// );
/// ```
pub fn print(unit: &Unit, options: &PrintOptions) -> String {
    let maps = distinct(unit.maps().iter().map(|m| m.name.as_str()), "map");
    let programs = distinct(unit.programs().iter().map(|p| p.name()), "prog");
    let mut out = format!(".license \"{}\"\n", escaped(unit.license().as_bytes()));
    // Writing to a string does not fail.
    for (def, name) in unit.maps().iter().zip(&maps) {
        declare(&mut out, def, name, &programs, &maps);
    }
    for (program, name) in unit.programs().iter().zip(&programs) {
        let _ = writeln!(out, "\n.program {name} {}", program.prog_type());
        let known = Known { unit, maps: &maps, program };
        let listing = oxbpf_isa::text::print(program.insns(), &options.insns, &known);
        if options.source_lines { with_lines(&mut out, &listing, program) } else { out.push_str(&listing) }
    }
    out
}

fn declare(out: &mut String, def: &MapDef, name: &str, programs: &[String], maps: &[String]) {
    let single = def.map_type == MapType::ARRAY && def.max_entries == 1 && def.key_size == 4;
    let directive = match def.purpose {
        MapPurpose::Rodata if single => Some("rodata"),
        MapPurpose::Data if single => Some("data"),
        _ => None,
    };
    if let Some(directive) = directive {
        let contents = match &def.init {
            MapInit::Entries(entries) => entries.last().map(|e| hex(&e.1)),
            _ => None,
        };
        let _ = writeln!(out, ".{directive} {name} {}", contents.unwrap_or_else(|| format!("00*{}", def.value_size)));
        return;
    }
    let _ = writeln!(out, ".map {name} {}", attributes(def));
    if let Some(inner) = &def.inner {
        let _ = writeln!(out, ".inner {name} {}", attributes(inner));
    }
    match &def.init {
        MapInit::Empty => {}
        MapInit::Entries(entries) => {
            for (key, value) in entries {
                let _ = writeln!(out, ".entry {name} {} = {}", hex(key), hex(value));
            }
        }
        MapInit::Programs(entries) => {
            for (key, program) in entries {
                let _ = writeln!(out, ".entry {name} {key} = {}", programs[program.index()]);
            }
        }
        MapInit::Maps(entries) => {
            for (key, map) in entries {
                let _ = writeln!(out, ".entry {name} {} = {}", hex(key), maps[map.index()]);
            }
        }
    }
}

/// A map's type and numbers.
fn attributes(def: &MapDef) -> String {
    let MapDef { map_type, key_size, value_size, max_entries, .. } = def;
    let mut out = format!("{map_type} key={key_size} value={value_size} entries={max_entries}");
    let unless_zero = |value: u64| (value != 0).then_some(value);
    let attributes = [
        ("flags", unless_zero(def.flags.into())),
        ("id", def.id.map(u64::from)),
        ("pinning", unless_zero(def.pinning.into())),
        ("extra", unless_zero(def.extra)),
        ("lock", def.lock.map(u64::from)),
    ];
    for (attribute, value) in attributes.into_iter().filter_map(|(attribute, value)| Some((attribute, value?))) {
        let _ = write!(out, " {attribute}={value}");
    }
    out
}

/// Source lines in front of the instructions they start at.
fn with_lines(out: &mut String, listing: &str, program: &Program) {
    let mut lines = program.lines().iter().peekable();
    let mut insn = InsnId(0);
    let mut last = None;
    for text in listing.lines() {
        // Labels start a line, and nothing else ends in a colon.
        if !text.ends_with(':') {
            while let Some(line) = lines.next_if(|l: &&LineRef| l.insn <= insn) {
                // Compilers begin a line anew at each of its columns; people want it once.
                if last.replace((&line.file, line.line)) != Some((&line.file, line.line)) {
                    comment(out, line);
                }
            }
            insn.0 += 1;
        }
        let _ = writeln!(out, "{text}");
    }
}

fn comment(out: &mut String, line: &LineRef) {
    let text: String = line.text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if !text.trim().is_empty() {
        let _ = writeln!(out, "; {}", text.trim());
    }
}

/// Names as the text can carry them, each once.
fn distinct<'a>(names: impl Iterator<Item = &'a str>, kind: &str) -> Vec<String> {
    let mut used = HashSet::new();
    let pick = |(i, name): (usize, &str)| {
        let numbered = (0..).map(|n| if n == 0 { format!("{kind}_{i}") } else { format!("{kind}_{i}_{n}") });
        let mut candidates = std::iter::once(name.to_string()).chain(numbered);
        candidates.find(|n| is_name(n) && used.insert(n.clone())).unwrap_or_default()
    };
    names.enumerate().map(pick).collect()
}

fn hex(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        let _ = write!(out, "{byte:02x}");
    }
    out
}

fn escaped(bytes: &[u8]) -> String {
    let mut out = String::new();
    for &byte in bytes {
        match byte {
            b'"' | b'\\' => out.extend(['\\', char::from(byte)]),
            b' '..=b'~' => out.push(char::from(byte)),
            _ => {
                let _ = write!(out, "\\x{byte:02x}");
            }
        }
    }
    out
}

/// What a program's listing can name.
struct Known<'a> {
    unit: &'a Unit,
    maps: &'a [String],
    program: &'a Program,
}

impl Names for Known<'_> {
    fn call(&self, target: CallTarget) -> Option<String> {
        super::helper_name(target)
    }

    fn address(&self, _: usize, value: Pseudo) -> Option<(String, i64)> {
        let (index, off) = match value {
            Pseudo::MapFd(fd) => (fd, None),
            Pseudo::MapValue { fd, off } => (fd, Some(off)),
            _ => return None,
        };
        let index = usize::try_from(index).ok()?;
        let def = self.unit.maps().get(index)?;
        let inside = off.is_none_or(|off| u32::try_from(off).is_ok_and(|off| off < def.value_size));
        // Names mean maps where they are maps, and bytes where they are data.
        let means = (def.purpose == MapPurpose::User) == off.is_none();
        (means && inside).then(|| (self.maps[index].clone(), off.unwrap_or(0).into()))
    }

    fn function(&self, slot: Slot) -> Option<String> {
        let insn = self.program.insn_at(slot.0.into())?;
        // In order of their starts: a search for each label would take quadratic time.
        let functions = self.program.functions();
        let at = functions.binary_search_by_key(&insn.0, |f| f.insns.start).ok()?;
        Some(functions[at].name.clone())
    }
}
