//! From the bytes of a `.BTF.ext` section to what it says about instructions.
//!
//! ```text
//!  header       magic:16 version:8 flags:8 | hdr_len | func off,len | line off,len [| relo off,len]
//!  each table   record_len | { section name | count | count records of record_len bytes } ...
//! ```
//!
//! Records may be longer than what is known of them; the rest is skipped.

use std::collections::HashMap;

use crate::error::BtfError;
use crate::reader::Reader;
use crate::types::{Btf, StrOff, TypeId};

/// Bytes of the header up to the line table, which all producers write.
const HEADER_LEN: u32 = 24;

/// Bytes of the header with the CO-RE table.
const HEADER_LEN_CORE: u32 = 32;

/// What `.BTF.ext` says, by ELF section.
#[derive(Debug, Clone, Default)]
pub struct BtfExt {
    /// One entry for each section name offset, in the order first seen.
    sections: Vec<SectionInfo>,
}

/// The records of one ELF section.
#[derive(Debug, Clone, Default)]
pub struct SectionInfo {
    /// The section's name.
    pub name: StrOff,
    /// Functions that start in it.
    pub funcs: Vec<FuncInfo>,
    /// Source lines.
    pub lines: Vec<LineInfo>,
    /// Instructions that depend on the layout of the kernel's types.
    pub relos: Vec<CoreRelo>,
}

/// The function that starts at an instruction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FuncInfo {
    /// Where, in bytes from the start of the ELF section; a multiple of 8.
    pub insn_off: u32,
    /// The function, a [`crate::Type::Func`] if the producer is right.
    pub type_id: TypeId,
}

/// The source line that instructions from here on were made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineInfo {
    /// Where, in bytes from the start of the ELF section; a multiple of 8.
    pub insn_off: u32,
    /// The source file's name.
    pub file: StrOff,
    /// The line's text.
    pub line_text: StrOff,
    /// The line's number, from 1; 0 where unknown.
    pub line: u32,
    /// The column, from 1; 0 where unknown.
    pub col: u32,
}

/// An instruction to be adapted to the types of the running kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CoreRelo {
    /// Where, in bytes from the start of the ELF section; a multiple of 8.
    pub insn_off: u32,
    /// The type in the object's own BTF.
    pub type_id: TypeId,
    /// The way into it, such as `0:1:2`.
    pub access_str: StrOff,
    /// What of it is wanted.
    pub kind: CoreKind,
}

/// What a [`CoreRelo`] asks about a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)] // the names say it
pub enum CoreKind {
    FieldByteOffset,
    FieldByteSize,
    FieldExists,
    FieldSigned,
    FieldLeftShift,
    FieldRightShift,
    TypeIdLocal,
    TypeIdTarget,
    TypeExists,
    TypeSize,
    EnumValueExists,
    EnumValue,
    TypeMatches,
}

/// Every kind at the index of its number, with clang's name for it.
const CORE_KINDS: [(CoreKind, &str); 13] = [
    (CoreKind::FieldByteOffset, "byte_off"),
    (CoreKind::FieldByteSize, "byte_sz"),
    (CoreKind::FieldExists, "field_exists"),
    (CoreKind::FieldSigned, "signed"),
    (CoreKind::FieldLeftShift, "lshift_u64"),
    (CoreKind::FieldRightShift, "rshift_u64"),
    (CoreKind::TypeIdLocal, "local_type_id"),
    (CoreKind::TypeIdTarget, "target_type_id"),
    (CoreKind::TypeExists, "type_exists"),
    (CoreKind::TypeSize, "type_size"),
    (CoreKind::EnumValueExists, "enumval_exists"),
    (CoreKind::EnumValue, "enumval_value"),
    (CoreKind::TypeMatches, "type_matches"),
];

impl CoreKind {
    /// The kind with this number.
    #[must_use]
    pub fn from_number(number: u32) -> Option<CoreKind> {
        CORE_KINDS.get(number as usize).map(|row| row.0)
    }

    /// A short name for messages.
    #[must_use]
    pub fn name(self) -> &'static str {
        CORE_KINDS[self as usize].1
    }
}

impl BtfExt {
    /// Reads a `.BTF.ext` section that belongs to `btf`.
    ///
    /// # Errors
    /// [`BtfError`] with the place. Offsets of strings and ids of types are
    /// checked; whether instruction offsets lie in the section is for the one
    /// who has the section.
    pub fn parse(bytes: &[u8], btf: &Btf) -> Result<BtfExt, BtfError> {
        let mut header = Reader::open(bytes)?;
        let hdr_len = header.u32()?;
        if hdr_len < HEADER_LEN || !hdr_len.is_multiple_of(4) {
            return Err(BtfError::BadHeaderLength { len: hdr_len });
        }
        let mut body = Reader::open(bytes)?;
        // `open` has taken 4 bytes; the header length counts from the start.
        body.take(hdr_len as usize - 4)?;

        let mut builder = Builder { btf, ext: BtfExt::default(), index: HashMap::new() };
        let table = |header: &mut Reader<'_>| body.window(header.u32()?, header.u32()?);
        builder.table(table(&mut header)?, FUNC_WORDS, Builder::func)?;
        builder.table(table(&mut header)?, LINE_WORDS, Builder::line)?;
        if hdr_len >= HEADER_LEN_CORE {
            builder.table(table(&mut header)?, RELO_WORDS, Builder::relo)?;
        }
        Ok(builder.ext)
    }

    /// All sections.
    #[must_use]
    pub fn sections(&self) -> &[SectionInfo] {
        &self.sections
    }

    /// The records of the ELF section of this name. Producers write one entry
    /// for a name; if there are more, all are given.
    pub fn section<'a>(&'a self, btf: &'a Btf, name: &'a str) -> impl Iterator<Item = &'a SectionInfo> + 'a {
        self.sections.iter().filter(move |s| btf.str_is(s.name, name))
    }
}

const FUNC_WORDS: u32 = 2;
const LINE_WORDS: u32 = 4;
const RELO_WORDS: u32 = 4;

/// The sections read so far.
struct Builder<'a> {
    btf: &'a Btf,
    ext: BtfExt,
    /// From the offset of a section's name to its place in `ext`.
    index: HashMap<u32, usize>,
}

impl Builder<'_> {
    /// Reads one table, handing each record to `record` with its place.
    fn table(
        &mut self,
        mut table: Reader<'_>,
        words: u32,
        record: fn(&mut Self, usize, Reader<'_>) -> Result<(), BtfError>,
    ) -> Result<(), BtfError> {
        if table.is_empty() {
            return Ok(());
        }
        let at = table.at();
        let len = table.u32()?;
        if len < words * 4 || !len.is_multiple_of(4) {
            return Err(BtfError::BadRecordLength { at, len });
        }
        while !table.is_empty() {
            let name = self.text(&mut table)?;
            let count = table.u32()?;
            let section = self.section_index(name);
            for _ in 0..count {
                let row = table.take(len as usize)?;
                record(self, section, row)?;
            }
        }
        Ok(())
    }

    fn section_index(&mut self, name: StrOff) -> usize {
        let sections = &mut self.ext.sections;
        *self.index.entry(name.0).or_insert_with(|| {
            sections.push(SectionInfo { name, ..SectionInfo::default() });
            sections.len() - 1
        })
    }

    fn func(&mut self, section: usize, mut row: Reader<'_>) -> Result<(), BtfError> {
        let info = FuncInfo { insn_off: insn_off(&mut row)?, type_id: self.type_id(&mut row)? };
        self.ext.sections[section].funcs.push(info);
        Ok(())
    }

    fn line(&mut self, section: usize, mut row: Reader<'_>) -> Result<(), BtfError> {
        let insn_off = insn_off(&mut row)?;
        let file = self.text(&mut row)?;
        let line_text = self.text(&mut row)?;
        // line:22 col:10
        let place = row.u32()?;
        self.ext.sections[section].lines.push(LineInfo {
            insn_off,
            file,
            line_text,
            line: place >> 10,
            col: place & 0x3ff,
        });
        Ok(())
    }

    fn relo(&mut self, section: usize, mut row: Reader<'_>) -> Result<(), BtfError> {
        let insn_off = insn_off(&mut row)?;
        let type_id = self.type_id(&mut row)?;
        let access_str = self.text(&mut row)?;
        let at = row.at();
        let number = row.u32()?;
        let kind =
            CoreKind::from_number(number).ok_or(BtfError::BadField { at, field: "relocation kind", value: number })?;
        self.ext.sections[section].relos.push(CoreRelo { insn_off, type_id, access_str, kind });
        Ok(())
    }

    fn text(&self, row: &mut Reader<'_>) -> Result<StrOff, BtfError> {
        let at = row.at();
        let off = row.u32()?;
        if self.btf.holds(StrOff(off)) { Ok(StrOff(off)) } else { Err(BtfError::BadStringOffset { at, off }) }
    }

    fn type_id(&self, row: &mut Reader<'_>) -> Result<TypeId, BtfError> {
        let id = TypeId(row.u32()?);
        self.btf.get(id).map(|_| id)
    }
}

fn insn_off(row: &mut Reader<'_>) -> Result<u32, BtfError> {
    let at = row.at();
    let off = row.u32()?;
    match off.is_multiple_of(8) {
        true => Ok(off),
        false => Err(BtfError::BadInsnOffset { at, off }),
    }
}
