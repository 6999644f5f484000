//! What `llvm-objdump -d` of LLVM 19 writes about an object.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use oxbpf_elf::{CodeSection, ElfError, SourceLine, code_sections, source_lines};
use oxbpf_isa::text::objdump_insn;
use oxbpf_isa::{RawInsn, Slot, decode};

/// What the listing shows.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Options {
    /// The raw bytes; without, as with `--no-show-raw-insn`.
    pub bytes: bool,
    /// The relocations, as with `-r`.
    pub relocs: bool,
    /// The text of source lines, as with `-S`.
    pub source: bool,
    /// Names of sources and numbers of lines, as with `-l`.
    pub numbers: bool,
}

/// The listing of all code of the object in `bytes`, which is called `name`.
///
/// Source lines are those of BTF, which llvm-objdump shows where there is no DWARF.
///
/// # Errors
/// What is no object for BPF, and where source lines are wanted, broken BTF.
pub fn print(name: &str, bytes: &[u8], options: &Options) -> Result<String, ElfError> {
    let mut out = format!("\n{name}:\tfile format elf64-bpf\n");
    let lines = if options.source || options.numbers { source_lines(bytes)? } else { Default::default() };
    let none = BTreeMap::new();
    for section in code_sections(bytes)? {
        // Writing to a string does not fail.
        let _ = writeln!(out, "\nDisassembly of section {}:", section.name);
        list(&mut out, &section, lines.get(&section.name).unwrap_or(&none), options);
    }
    Ok(out)
}

/// What stands in front of an instruction: its source line, unless it is that of the instruction before.
fn source(out: &mut String, line: Option<&SourceLine>, before: Option<&SourceLine>, options: &Options) {
    let place = |line: &SourceLine| (line.file.clone(), line.line);
    let Some(line) = line.filter(|line| line.line != 0 && before.map(place) != Some(place(line))) else { return };
    if options.numbers {
        let _ = writeln!(out, "; {}:{}", line.file, line.line);
    }
    if options.source && !line.text.is_empty() {
        let _ = writeln!(out, "; {}", line.text);
    }
}

fn list(out: &mut String, section: &CodeSection, lines: &BTreeMap<u64, SourceLine>, options: &Options) {
    let words: Vec<RawInsn> = section.data.as_chunks().0.iter().map(|w| RawInsn::from_bytes(*w)).collect();
    let mut relocs = section.relocs.iter().peekable();
    let mut symbols = section.symbols.iter().peekable();
    let mut slot = 0;
    let mut before = None;
    if symbols.peek().is_none_or(|s| s.0 != 0) {
        let _ = writeln!(out, "\n{:016x} <{}>:", 0, section.name);
    }
    while slot < words.len() {
        let address = slot as u64 * 8;
        // Of symbols at one place, the last is shown.
        let mut heading = None;
        while let Some(symbol) = symbols.next_if(|s| s.0 <= address) {
            heading = Some(symbol);
        }
        if let Some((_, name)) = heading {
            let _ = writeln!(out, "\n{address:016x} <{name}>:");
        }
        let line = lines.get(&address);
        source(out, line, before, options);
        before = line;
        let mut text = String::new();
        let len = objdump_insn(&mut text, &words[slot..]);
        let _ = write!(out, "{slot:8}:");
        if options.bytes {
            let bytes: Vec<String> =
                words[slot..slot + len].iter().flat_map(|w| w.to_bytes()).map(|b| format!("{b:02x}")).collect();
            let _ = write!(out, "\t{}", bytes.join(" "));
        }
        let _ = write!(out, "\t{text}");
        if let Some(target) = target(&words, slot) {
            let _ = write!(out, " <{}>", symbolic(section, target));
        }
        out.push('\n');
        slot += len;
        while let Some((at, kind, name)) = options.relocs.then(|| relocs.next_if(|r| r.0 < slot as u64 * 8)).flatten() {
            let _ = writeln!(out, "\t\t{at:016x}:  {}\t{name}", reloc_name(*kind));
        }
    }
}

/// Where a jump leads to.
fn target(words: &[RawInsn], slot: usize) -> Option<u64> {
    let (insn, _) = decode(words, Slot(slot as u32)).ok()?;
    let target = slot as i64 + 1 + i64::from(insn.jump_off()?);
    Some((target as u64).wrapping_mul(8))
}

/// An address by the symbol in front of it: `main+0x18`.
fn symbolic(section: &CodeSection, address: u64) -> String {
    let symbol = section.symbols.iter().rev().find(|s| s.0 <= address);
    let (start, name) = symbol.map_or((0, &section.name), |s| (s.0, &s.1));
    match address - start {
        0 => name.clone(),
        off => format!("{name}+{off:#x}"),
    }
}

fn reloc_name(kind: u32) -> String {
    match kind {
        1 => "R_BPF_64_64".into(),
        2 => "R_BPF_64_ABS64".into(),
        3 => "R_BPF_64_ABS32".into(),
        4 => "R_BPF_64_NODYLD32".into(),
        10 => "R_BPF_64_32".into(),
        _ => "Unknown".into(),
    }
}
