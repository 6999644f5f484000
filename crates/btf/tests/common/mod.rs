//! What the tests share: the example objects' sections, and a writer of BTF.
#![allow(dead_code)] // each test uses its part

use std::path::Path;

use object::{Object, ObjectSection};

/// The name, `.BTF` and `.BTF.ext` of each committed example object.
pub fn examples() -> Vec<(String, Vec<u8>, Vec<u8>)> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    let mut all = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|e| e != "o") {
            continue;
        }
        let bytes = std::fs::read(&path).unwrap();
        let elf = object::File::parse(&*bytes).unwrap();
        let section = |name| elf.section_by_name(name).unwrap().data().unwrap().to_vec();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        all.push((name, section(".BTF"), section(".BTF.ext")));
    }
    all.sort();
    assert!(all.len() >= 6, "examples are missing");
    all
}

/// One example by name.
pub fn example(name: &str) -> (Vec<u8>, Vec<u8>) {
    let (_, btf, ext) = examples().into_iter().find(|e| e.0 == name).unwrap();
    (btf, ext)
}

/// The bytes of a section of an object.
pub fn section(object: &[u8], name: &str) -> Vec<u8> {
    object::File::parse(object).unwrap().section_by_name(name).unwrap().data().unwrap().to_vec()
}

/// Puts a `.BTF` section together from words.
#[derive(Default)]
pub struct Writer {
    pub types: Vec<u32>,
    pub strings: Vec<u8>,
}

impl Writer {
    /// The offset of a new string; 0 for the empty one.
    pub fn text(&mut self, text: &str) -> u32 {
        if self.strings.is_empty() {
            self.strings.push(0);
        }
        if text.is_empty() {
            return 0;
        }
        let at = self.strings.len() as u32;
        self.strings.extend(text.as_bytes());
        self.strings.push(0);
        at
    }

    /// Adds a type: name, kind, vlen, flag, size or type, the words after.
    pub fn add(&mut self, name: &str, kind: u32, vlen: u32, flag: bool, word: u32, tail: &[u32]) {
        let name = self.text(name);
        let info = u32::from(flag) << 31 | kind << 24 | vlen;
        self.types.extend([name, info, word]);
        self.types.extend(tail);
    }

    /// The bytes of the section.
    pub fn bytes(&self, big_endian: bool) -> Vec<u8> {
        let order = |w: u32| match big_endian {
            true => w.to_be_bytes(),
            false => w.to_le_bytes(),
        };
        let mut out = match big_endian {
            true => vec![0xeb, 0x9f, 1, 0],
            false => vec![0x9f, 0xeb, 1, 0],
        };
        let types = self.types.len() as u32 * 4;
        let strings = self.strings.len() as u32;
        for word in [24, 0, types, types, strings] {
            out.extend(order(word));
        }
        out.extend(self.types.iter().flat_map(|&w| order(w)));
        out.extend(&self.strings);
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
