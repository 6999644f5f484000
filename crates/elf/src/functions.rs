//! Code sections cut into functions.

use std::collections::{HashMap, HashSet};

use object::Endianness;
use oxbpf_isa::RawInsn;

use crate::core::CoreSite;
use crate::error::ElfError;
use crate::file::{Elf, SecIdx, Section, SectionKind, Symbol, SymbolKind};

/// Bytes of an instruction slot.
pub(crate) const SLOT: u64 = 8;

/// The section of functions that are no programs themselves.
const SUBPROGRAMS: &str = ".text";

/// The most programs of one object; the largest real ones have some dozens.
const MAX_PROGRAMS: usize = 4096;

/// A function by its position in [`Functions::all`].
pub(crate) type FuncId = usize;

/// One function's code, with references to other functions still open.
pub(crate) struct Function {
    pub(crate) name: String,
    pub(crate) section: SecIdx,
    /// Where it starts in its section, in bytes.
    pub(crate) start: u64,
    /// Its instructions; map references hold the object's map index.
    pub(crate) code: Vec<RawInsn>,
    /// Calls and callback references, by slot.
    pub(crate) refs: Vec<(u32, FuncId)>,
    /// Maps that it uses, by slot.
    pub(crate) maps: Vec<(u32, u32)>,
    /// Its CO-RE records, by slot.
    pub(crate) core: Vec<CoreSite>,
    /// The kernel's settings that it reads, by their number in the object's externs.
    pub(crate) settings: Vec<u32>,
    /// Whether only its own file sees it.
    pub(crate) local: bool,
    /// Whether it is seen beyond what is linked together.
    pub(crate) exported: bool,
    /// Its source lines, by slot.
    pub(crate) lines: Vec<Line>,
    /// Why it cannot be used, where that is so.
    pub(crate) fault: Option<ElfError>,
}

/// A source line; file and text are offsets in the BTF's strings.
#[derive(Clone, Copy)]
pub(crate) struct Line {
    pub(crate) slot: u32,
    pub(crate) file: oxbpf_btf::StrOff,
    pub(crate) text: oxbpf_btf::StrOff,
    pub(crate) line: u32,
    pub(crate) column: u32,
}

impl Function {
    /// Where it ends in its section.
    pub(crate) fn end(&self) -> u64 {
        self.start + self.code.len() as u64 * SLOT
    }
}

/// An instruction of an object of this byte order. Big-endian ones have the
/// destination in the upper half of the byte of registers (RFC 9669 section 3).
fn raw_insn(order: Endianness, bytes: [u8; 8]) -> RawInsn {
    match order {
        Endianness::Little => RawInsn::from_bytes(bytes),
        Endianness::Big => {
            let [code, regs, off0, off1, imm @ ..] = bytes;
            let off = i16::from_be_bytes([off0, off1]);
            RawInsn { code, regs: regs.rotate_left(4), off, imm: i32::from_be_bytes(imm) }
        }
    }
}

/// All functions of an object.
#[derive(Default)]
pub(crate) struct Functions {
    /// By section, then by start.
    pub(crate) all: Vec<Function>,
    by_start: HashMap<(SecIdx, u64), FuncId>,
}

impl Functions {
    /// Cuts every code section by its function symbols. A section without any
    /// is one function, as the first compilers left it.
    pub(crate) fn cut(elf: &Elf<'_>) -> Result<Functions, ElfError> {
        let mut symbols: HashMap<SecIdx, Vec<&Symbol>> = HashMap::new();
        for symbol in &elf.symbols {
            if let Some(section) = symbol.section {
                symbols.entry(section).or_default().push(symbol);
            }
        }
        let mut functions = Functions::default();
        for (index, section) in elf.sections.iter().enumerate() {
            if section.kind != SectionKind::Code || section.data.is_empty() {
                continue;
            }
            if !section.data.len().is_multiple_of(SLOT as usize) {
                let section_name = section.name.to_string();
                return Err(ElfError::CodeLength { section: section_name, len: section.data.len() });
            }
            let here = symbols.get(&index).map_or(&[][..], |s| s);
            functions.cut_section(elf, index, section, here)?;
        }
        Ok(functions)
    }

    fn cut_section(
        &mut self,
        elf: &Elf<'_>,
        index: SecIdx,
        section: &Section<'_>,
        symbols: &[&Symbol],
    ) -> Result<(), ElfError> {
        let mut starts: Vec<&Symbol> = symbols.iter().copied().filter(|s| s.kind == SymbolKind::Func).collect();
        if starts.is_empty() {
            let named = symbols.iter().find(|s| s.kind == SymbolKind::Other && s.global && s.value == 0);
            let name = named.map_or(Ok(section.name), |s| elf.symbol_name(s))?;
            self.push(elf.order, (name, index, 0, false, false), section.data);
            return Ok(());
        }
        // Of aliases, the global one names the function.
        starts.sort_by_key(|s| (s.value, !s.global));
        starts.dedup_by_key(|s| s.value);
        let mut free_from = 0;
        for symbol in starts {
            let name = elf.symbol_name(symbol)?;
            let end = symbol.value.checked_add(symbol.size).filter(|&end| end <= section.size);
            let aligned = symbol.value.is_multiple_of(SLOT) && symbol.size.is_multiple_of(SLOT);
            match end {
                Some(end) if aligned && symbol.value >= free_from && symbol.size > 0 => {
                    let code = &section.data[symbol.value as usize..end as usize];
                    let exported = symbol.global && !symbol.hidden;
                    self.push(elf.order, (name, index, symbol.value, !symbol.global, exported), code);
                    free_from = end;
                }
                _ => {
                    return Err(ElfError::BadFunction {
                        section: section.name.to_string(),
                        function: name.to_string(),
                        at: symbol.value,
                    });
                }
            }
        }
        Ok(())
    }

    fn push(
        &mut self,
        order: Endianness,
        (name, section, start, local, exported): (&str, SecIdx, u64, bool, bool),
        bytes: &[u8],
    ) {
        let (words, _) = bytes.as_chunks::<{ SLOT as usize }>();
        self.by_start.insert((section, start), self.all.len());
        self.all.push(Function {
            name: name.to_string(),
            section,
            start,
            code: words.iter().map(|w| raw_insn(order, *w)).collect(),
            refs: Vec::new(),
            maps: Vec::new(),
            core: Vec::new(),
            settings: Vec::new(),
            local,
            exported,
            lines: Vec::new(),
            fault: None,
        });
    }

    /// The function that starts here.
    pub(crate) fn starting_at(&self, section: SecIdx, at: u64) -> Option<FuncId> {
        self.by_start.get(&(section, at)).copied()
    }

    /// The function that holds this place.
    pub(crate) fn holding(&self, section: SecIdx, at: u64) -> Option<FuncId> {
        let after = self.all.partition_point(|f| (f.section, f.start) <= (section, at));
        let id = after.checked_sub(1)?;
        let function = &self.all[id];
        (function.section == section && at < function.end()).then_some(id)
    }

    /// The functions that are programs: all outside `.text`, or those in it
    /// when there is nothing else. A static function is one only where its
    /// section has no other, since then tc would run it too.
    pub(crate) fn entries(&self, elf: &Elf<'_>) -> Result<Vec<FuncId>, ElfError> {
        let outside = |f: &Function| elf.sections[f.section].name != SUBPROGRAMS;
        let only_text = !self.all.iter().any(outside);
        let open: HashSet<SecIdx> = self.all.iter().filter(|f| !f.local).map(|f| f.section).collect();
        let entry = |f: &Function| (only_text || outside(f)) && (!f.local || !open.contains(&f.section));
        let entries: Vec<_> = (0..self.all.len()).filter(|&id| entry(&self.all[id])).collect();
        if entries.len() > MAX_PROGRAMS {
            let (count, limit) = (entries.len() as u64, MAX_PROGRAMS as u64);
            return Err(ElfError::TooMany { what: "programs", count, limit });
        }
        Ok(entries)
    }
}
