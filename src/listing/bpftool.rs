//! What `bpftool prog dump xlated` of bpftool 7.1 writes about a program, also of one that the kernel has not seen.

use std::fmt::Write as _;

use oxbpf_abi::call_name;
use oxbpf_btf::{Btf, Kind, StrOff, TypeId};
use oxbpf_ir::{InsnId, Program};
use oxbpf_isa::text::{Callees, bpftool_insn};
use oxbpf_isa::{RawInsn, encode_all};
use oxbpf_kernel::Translated;

/// What the listing shows besides.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Options {
    /// The bytes below each instruction, as with `opcodes`.
    pub opcodes: bool,
    /// File, line and column behind source lines, as with `linum`.
    pub linum: bool,
}

/// What is listed.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Listed {
    /// The instructions.
    pub insns: Vec<RawInsn>,
    /// Slots where functions start, and how they are declared.
    pub functions: Vec<(u32, String)>,
    /// The source lines in order of slots.
    pub lines: Vec<SourceLine>,
}

/// A source line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SourceLine {
    /// The slot of its first instruction.
    pub slot: u32,
    /// Its text.
    pub text: String,
    /// The file's name.
    pub file: String,
    /// Its number, from 1.
    pub line: u32,
    /// The column, from 1; 0 where unknown.
    pub column: u32,
}

impl Listed {
    /// A program as it stands in its object: maps by their number in the unit, calls of functions by their distance.
    pub fn of_program(program: &Program, types: Option<&Btf>) -> Listed {
        let declared = |f: &oxbpf_ir::Function| {
            let types = types?;
            let text = types.declaration(types.find(Kind::Func, &f.name)?)?;
            Some((program.slot(InsnId(f.insns.start)).0, text))
        };
        let line = |l: &oxbpf_ir::LineRef| SourceLine {
            slot: program.slot(l.insn).0,
            text: l.text.to_string(),
            file: l.file.to_string(),
            line: l.line,
            column: l.column,
        };
        Listed {
            insns: encode_all(program.insns()),
            functions: program.functions().iter().filter_map(declared).collect(),
            lines: program.lines().iter().map(line).collect(),
        }
    }

    /// A program as the kernel has it, with the types that it was loaded with.
    pub fn of_translated(translated: &Translated, types: Option<&Btf>) -> Listed {
        let text = |off| types.map_or("", |types| types.str(StrOff(off))).to_owned();
        let declared = |&(slot, id): &(u32, u32)| Some((slot, types?.declaration(TypeId(id))?));
        let line = |l: &oxbpf_kernel::TranslatedLine| SourceLine {
            slot: l.slot,
            text: text(l.text),
            file: text(l.file),
            line: l.line,
            column: l.column,
        };
        Listed {
            insns: translated.insns.iter().map(|bytes| RawInsn::from_bytes(*bytes)).collect(),
            functions: translated.functions.iter().filter_map(declared).collect(),
            lines: translated.lines.iter().map(line).collect(),
        }
    }
}

/// The listing.
///
/// ```
/// use oxbpf::isa::RawInsn;
/// use oxbpf::listing::bpftool::{Helpers, Listed, Options, print};
///
/// let insns = vec![RawInsn { code: 0x85, imm: 5, ..RawInsn::default() }];
/// let listed = Listed { insns, functions: vec![(0, "int now(void)".into())], ..Listed::default() };
/// let options = Options { opcodes: true, ..Options::default() };
/// let want = "\
/// int now(void):
///    0: (85) call bpf_ktime_get_ns#5
///        85 00 00 00 05 00 00 00
/// ";
/// assert_eq!(print(&listed, &options, &Helpers), want);
/// ```
pub fn print(listed: &Listed, options: &Options, callees: &dyn Callees) -> String {
    const WIDE: u8 = 0x18;
    let mut out = String::new();
    let mut functions = listed.functions.iter().peekable();
    let mut lines = &listed.lines[..];
    let mut slot = 0;
    while slot < listed.insns.len() {
        let words = &listed.insns[slot..];
        let at = slot as u32;
        while let Some((start, declared)) = functions.next_if(|f| f.0 <= at) {
            if *start == at {
                let _ = writeln!(out, "{declared}:");
            }
        }
        // The last line that begins here or in front, and once shown, one line is done with.
        if let Some(line) = lines[..lines.partition_point(|l| l.slot <= at)].last() {
            source(&mut out, line, options.linum);
            lines = &lines[1..];
        }
        let number = slot.to_string();
        // A blank stands where a sign would.
        let _ = write!(out, "{:>4}: ", if number.len() > 3 { format!(" {number}") } else { number });
        bpftool_insn(&mut out, words, callees);
        out.push('\n');
        let len = if words[0].code == WIDE { words.len().min(2) } else { 1 };
        if options.opcodes {
            let bytes: Vec<String> =
                words[..len].iter().flat_map(|w| w.to_bytes()).map(|b| format!("{b:02x}")).collect();
            let _ = writeln!(out, "       {}", bytes.join(" "));
        }
        slot += len;
    }
    out
}

/// The instructions of a listing with bytes, as the bytes say; else the first line, from 1, that is not followed by its
/// bytes, or whose slot is not the next.
///
/// The kernel's own instructions, which no text has, are read too; [`oxbpf_isa::text::parse`] answers those of programs.
///
/// # Errors
/// The line.
pub fn read_bytes(listing: &str) -> Result<Vec<RawInsn>, usize> {
    let mut insns = Vec::new();
    let mut lines = listing.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        let slot = line.split_once(": ").and_then(|(slot, _)| slot.trim_start().parse::<usize>().ok());
        let Some(slot) = slot.filter(|_| line.starts_with(|c: char| c == ' ' || c.is_ascii_digit())) else { continue };
        let words = lines.next().and_then(|(_, line)| raw_words(line)).filter(|_| slot == insns.len());
        insns.extend(words.ok_or(number + 1)?);
    }
    Ok(insns)
}

/// One or two instructions in hexadecimal.
fn raw_words(line: &str) -> Option<Vec<RawInsn>> {
    let byte = |text: &str| (text.len() == 2).then(|| u8::from_str_radix(text, 16).ok()).flatten();
    let bytes: Option<Vec<u8>> = line.split_ascii_whitespace().take(17).map(byte).collect();
    let bytes = bytes.filter(|b| matches!(b.len(), 8 | 16))?;
    Some(bytes.as_chunks().0.iter().map(|word| RawInsn::from_bytes(*word)).collect())
}

fn source(out: &mut String, line: &SourceLine, linum: bool) {
    let text = line.text.trim_start_matches([' ', '\t', '\n', '\r', '\u{b}', '\u{c}']);
    let _ = write!(out, "; {text}");
    if linum {
        let _ = write!(out, " [file:{} line_num:{} line_col:{}]", line.file, line.line, line.column);
    }
    out.push('\n');
}

/// Names of helpers by their numbers, and no other.
#[derive(Clone, Copy, Debug, Default)]
pub struct Helpers;

/// The first number that bpftool 7.1 knows no helper of.
const UNKNOWN_HELPER: i32 = 212;

impl Callees for Helpers {
    fn helper(&self, id: i32) -> Option<String> {
        match id {
            0 => Some("bpf_unspec".to_owned()),
            1..UNKNOWN_HELPER => call_name(id),
            _ => None,
        }
    }
}

/// The running kernel's names of what a translated program calls.
#[derive(Clone, Debug, Default)]
pub struct Symbols {
    /// By address.
    names: Vec<(u64, String)>,
    /// What calls of helpers count from.
    base: u64,
    /// The program's functions.
    functions: Vec<u64>,
}

impl Symbols {
    /// The symbols of `kallsyms` (as `/proc/kallsyms` shows them), for a program whose functions are at `functions`.
    pub fn new(kallsyms: &str, functions: &[u64]) -> Symbols {
        let mut names = Vec::new();
        let mut base = 0;
        for line in kallsyms.lines() {
            let mut words = line.split_ascii_whitespace();
            let (Some(address), Some(_), Some(name)) = (words.next(), words.next(), words.next()) else { continue };
            let Ok(address) = u64::from_str_radix(address, 16) else { continue };
            if name == "__bpf_call_base" {
                base = address;
                // The kernel does not tell addresses.
                if base == 0 {
                    break;
                }
            }
            if address != 0 {
                names.push((address, name.to_owned()));
            }
        }
        names.sort_by_key(|symbol| symbol.0);
        Symbols { names, base, functions: functions.to_vec() }
    }

    /// Of several names of an address, the one that halving the table comes upon first.
    fn name(&self, address: u64) -> Option<&str> {
        let (mut from, mut to) = (0, self.names.len());
        while from < to {
            let middle = (from + to) / 2;
            match self.names[middle].0.cmp(&address) {
                std::cmp::Ordering::Equal => return Some(&self.names[middle].1),
                std::cmp::Ordering::Less => from = middle + 1,
                std::cmp::Ordering::Greater => to = middle,
            }
        }
        None
    }
}

impl Callees for Symbols {
    fn callee(&self, call: RawInsn) -> Option<String> {
        const LOCAL: u8 = 1;
        let mut address = self.base.wrapping_add(i64::from(call.imm) as u64);
        if call.src() != LOCAL {
            return Some(self.name(address).map_or_else(|| format!("{address:#x}"), str::to_owned));
        }
        // The kernel leaves the distance in the offset and makes the immediate the function's number.
        if self.functions.is_empty() {
            return Some(format!("{:+}", call.off));
        }
        if let Some(own) = usize::try_from(call.imm).ok().and_then(|number| self.functions.get(number)) {
            address = *own;
        }
        let name = self.name(address).map_or_else(|| format!("{address:#x}"), str::to_owned);
        Some(format!("{:+}#{name}", call.off))
    }

    fn helper(&self, id: i32) -> Option<String> {
        Helpers.helper(id)
    }
}
