//! What the tests share: the example objects, a writer of small objects, and
//! random numbers.
#![allow(dead_code)] // each test uses its part

use std::collections::HashMap;
use std::path::Path;

use oxbpf_abi::ProgType;
use oxbpf_elf::{ElfError, Object, load};
use oxbpf_ir::Unit;

/// The name and bytes of each committed example object.
pub fn examples() -> Vec<(String, Vec<u8>)> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    let paths = std::fs::read_dir(dir).unwrap().map(|e| e.unwrap().path());
    let objects = paths.filter(|p| p.extension().is_some_and(|e| e == "o"));
    let named =
        |p: std::path::PathBuf| (p.file_stem().unwrap().to_str().unwrap().to_owned(), std::fs::read(&p).unwrap());
    let mut all: Vec<_> = objects.map(named).collect();
    all.sort();
    assert!(all.len() >= 6, "examples are missing");
    all
}

/// The bytes of one example.
pub fn example(name: &str) -> Vec<u8> {
    examples().into_iter().find(|e| e.0 == name).unwrap().1
}

/// Links all programs, those of unknown type as classifiers.
pub fn link_all(object: &Object) -> Result<Unit, ElfError> {
    let all: Vec<usize> = (0..object.programs().len()).collect();
    object.unit("test", &all, |p| p.prog_type().or(Some(ProgType::SchedCls)))
}

/// Loads and links bytes that are expected to be refused.
pub fn refused(bytes: &[u8]) -> ElfError {
    match load(bytes).and_then(|object| link_all(&object)) {
        Ok(unit) => panic!("accepted: {unit:?}"),
        Err(e) => e,
    }
}

pub const PROGBITS: u32 = 1;
pub const NOBITS: u32 = 8;
pub const WRITE: u64 = 1;
pub const ALLOC: u64 = 2;
pub const EXEC: u64 = 4;

/// Symbol types with global binding in the high half, as `st_info` has them.
pub const FUNC: u8 = 0x12;
pub const OBJECT: u8 = 0x11;
pub const LOCAL_SECTION: u8 = 0x03;

pub const R_64_64: u32 = 1;
pub const R_64_32: u32 = 10;
pub const R_ABS64: u32 = 2;

/// `r0 = 0; exit`.
pub const RETURN: [u8; 16] = [0xb7, 0, 0, 0, 0, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0];

/// One instruction's bytes.
pub fn insn(code: u8, regs: u8, off: i16, imm: i32) -> [u8; 8] {
    let (o, i) = (off.to_le_bytes(), imm.to_le_bytes());
    [code, regs, o[0], o[1], i[0], i[1], i[2], i[3]]
}

/// `r1 = imm ll`, to be relocated.
pub fn wide(imm: i32) -> [u8; 16] {
    let mut both = [0; 16];
    both[..8].copy_from_slice(&insn(0x18, 1, 0, imm));
    both
}

/// `call` of a function in this object.
pub fn call(imm: i32) -> [u8; 8] {
    insn(0x85, 0x10, 0, imm)
}

struct SectionSpec {
    name: u32,
    kind: u32,
    flags: u64,
    data: Vec<u8>,
    size: u64,
    link: u32,
    info: u32,
}

/// Puts an object together.
pub struct Writer {
    sections: Vec<SectionSpec>,
    names: Vec<u8>,
    known: HashMap<String, u32>,
    symbols: Vec<u8>,
    relocs: Vec<(u32, Vec<u8>)>,
}

impl Default for Writer {
    fn default() -> Self {
        Writer { sections: Vec::new(), names: vec![0], known: HashMap::new(), symbols: vec![0; 24], relocs: Vec::new() }
    }
}

impl Writer {
    /// The offset of a name; equal ones share it.
    fn name(&mut self, name: &str) -> u32 {
        let names = &mut self.names;
        *self.known.entry(name.to_owned()).or_insert_with(|| {
            let at = names.len() as u32;
            names.extend(name.as_bytes());
            names.push(0);
            at
        })
    }

    /// Adds a section and gives its number.
    pub fn section(&mut self, name: &str, kind: u32, flags: u64, data: &[u8], size: u64) -> u16 {
        let name = self.name(name);
        self.sections.push(SectionSpec { name, kind, flags, data: data.to_vec(), size, link: 0, info: 0 });
        self.sections.len() as u16
    }

    /// Adds a section of instructions.
    pub fn code(&mut self, name: &str, parts: &[&[u8]]) -> u16 {
        let data = parts.concat();
        self.section(name, PROGBITS, ALLOC | EXEC, &data, data.len() as u64)
    }

    /// Adds a section of variables.
    pub fn data(&mut self, name: &str, data: &[u8]) -> u16 {
        self.section(name, PROGBITS, ALLOC | WRITE, data, data.len() as u64)
    }

    /// Adds a symbol and gives its number.
    pub fn symbol(&mut self, name: &str, info: u8, section: u16, value: u64, size: u64) -> u32 {
        let name = self.name(name);
        self.symbols.extend(name.to_le_bytes());
        self.symbols.extend([info, 0]);
        self.symbols.extend(section.to_le_bytes());
        self.symbols.extend(value.to_le_bytes());
        self.symbols.extend(size.to_le_bytes());
        self.symbols.len() as u32 / 24 - 1
    }

    /// Adds a relocation.
    pub fn reloc(&mut self, section: u16, at: u64, kind: u32, symbol: u32) {
        let mut entry = at.to_le_bytes().to_vec();
        entry.extend((u64::from(symbol) << 32 | u64::from(kind)).to_le_bytes());
        match self.relocs.iter_mut().find(|r| r.0 == u32::from(section)) {
            Some((_, table)) => table.extend(entry),
            None => self.relocs.push((section.into(), entry)),
        }
    }

    /// The object's bytes.
    pub fn bytes(mut self) -> Vec<u8> {
        let (table_name, names_name, rel_name) = (self.name(".symtab"), self.name(".strtab"), self.name(".rel"));
        let strtab = self.sections.len() as u32 + 2 + self.relocs.len() as u32;
        let symtab = self.sections.len() as u32 + 1;
        let plain = |name, kind, data: Vec<u8>, link, info| {
            let size = data.len() as u64;
            SectionSpec { name, kind, flags: 0, data, size, link, info }
        };
        self.sections.push(plain(table_name, 2, self.symbols, strtab, 1));
        for (target, table) in self.relocs {
            self.sections.push(plain(rel_name, 9, table, symtab, target));
        }
        self.sections.push(plain(names_name, 3, self.names, 0, 0));

        let mut out = vec![0x7f, b'E', b'L', b'F', 2, 1, 1];
        out.resize(64, 0);
        let mut headers = vec![0; 64];
        for section in &self.sections {
            out.resize(out.len().next_multiple_of(8), 0);
            headers.extend(section.name.to_le_bytes());
            headers.extend(section.kind.to_le_bytes());
            for word in [section.flags, 0, out.len() as u64, section.size] {
                headers.extend(word.to_le_bytes());
            }
            headers.extend(section.link.to_le_bytes());
            headers.extend(section.info.to_le_bytes());
            headers.extend([0; 16]);
            out.extend(&section.data);
        }
        out.resize(out.len().next_multiple_of(8), 0);
        let shoff = out.len() as u64;
        let count = self.sections.len() as u16 + 1;
        out[16..20].copy_from_slice(&[1, 0, 247, 0]);
        out[20] = 1;
        out[40..48].copy_from_slice(&shoff.to_le_bytes());
        out[52] = 64;
        out[58] = 64;
        out[60..62].copy_from_slice(&count.to_le_bytes());
        out[62..64].copy_from_slice(&(count - 1).to_le_bytes());
        out.extend(headers);
        out
    }
}

/// A generator of numbers, the same for the same seed (xorshift64*).
pub struct Rng(pub u64);

impl Rng {
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }
}
