//! The types to adapt to, from a file.

use std::io::{Read, Seek, SeekFrom};

use object::read::{Object as _, ObjectSection, ReadCache};
use oxbpf_btf::Btf;

use crate::error::ElfError;

/// The largest BTF that is read; the kernel's is about a tenth of it.
const MAX_BTF: u64 = 64 << 20;

/// Reads BTF from a file as it is (`/sys/kernel/btf/vmlinux`), or the section
/// `.BTF` of an ELF file of any machine (`vmlinux`, a module, an object), of
/// which only what is needed is read.
///
/// # Errors
/// [`ElfError::Read`], [`ElfError::Malformed`], [`ElfError::NoBtf`], [`ElfError::TooMany`], [`ElfError::Btf`].
pub fn read_target(mut file: impl Read + Seek) -> Result<Btf, ElfError> {
    let failed = |e: std::io::Error| ElfError::Read { detail: e.to_string() };
    let mut magic = Vec::new();
    (&mut file).take(4).read_to_end(&mut magic).map_err(failed)?;
    let bytes = if magic == *b"\x7fELF" {
        file.seek(SeekFrom::Start(0)).map_err(failed)?;
        section(file)?
    } else {
        let mut bytes = magic;
        let room = MAX_BTF + 1 - bytes.len() as u64;
        file.take(room).read_to_end(&mut bytes).map_err(failed)?;
        bounded(bytes.len() as u64)?;
        bytes
    };
    Btf::parse(&bytes).map_err(|error| ElfError::Btf { section: ".BTF", error })
}

fn section(file: impl Read + Seek) -> Result<Vec<u8>, ElfError> {
    let malformed = |e: object::read::Error| ElfError::Malformed { detail: e.to_string() };
    let cache = ReadCache::new(file);
    let elf = object::File::parse(&cache).map_err(malformed)?;
    let section = elf.section_by_name(".BTF").ok_or(ElfError::NoBtf)?;
    bounded(section.size())?;
    Ok(section.data().map_err(malformed)?.to_vec())
}

fn bounded(len: u64) -> Result<(), ElfError> {
    match len > MAX_BTF {
        true => Err(ElfError::TooMany { what: "bytes of BTF", count: len, limit: MAX_BTF }),
        false => Ok(()),
    }
}
