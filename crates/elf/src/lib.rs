//! Clang's BPF objects: programs, maps, global data, relocations.
//!
//! [`load`] reads an object, [`Object`] is the type to look at: it lists
//! programs and maps, and [`Object::unit`] links the wanted programs into an
//! [`oxbpf_ir::Unit`] that engines run.
//!
//! ```
//! use oxbpf_elf::{ObjProgram, load};
//!
//! let bytes = std::fs::read("../../examples/tail_call.o")?;
//! let object = load(&bytes)?;
//! let entry = object.select(Some("classifier"))?;
//! let classifier = object.programs()[entry].prog_type();
//! // tc's tail-call sections tell no type: they have their caller's.
//! let unit = object.unit("tail_call.o", &[entry], |p| p.prog_type().or(classifier))?;
//! assert_eq!(unit.programs().len(), 3);
//! assert_eq!(unit.maps()[0].name, "jmp_table");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Understood: programs by function symbols, several in a section; static
//! subprograms, appended to each program that needs them; legacy `maps` of 20,
//! 28 and 36 bytes in tc's and libbpf's dialects, and their maps of maps; BTF
//! `.maps` with programs and inner maps as `values`; tc's sections `ID/idx`;
//! `.rodata*`, `.data*` and `.bss*` as maps of one element; callbacks; lines
//! from BTF.ext; settings of the kernel ([`Object::resolve_kconfig`]); weak
//! functions and variables of the kernel, which are absent; CO-RE records, once
//! [`Object::relocate_core`] was told the types to adapt to.
//!
//! Refused by name, when a program needs them: other functions
//! and variables of the kernel, pointers in global data. Objects for
//! big-endian machines can be listed, not run. `docs/objects.md` says more.
//!
//! Objects are hostile: all offsets are checked, memory is bounded by a small
//! multiple of the file's size.

#![forbid(unsafe_code)]

mod code;
pub mod core;
mod error;
mod externs;
mod file;
mod functions;
mod inspect;
mod kconfig;
mod lines;
mod maps;
mod object;
mod order;
mod relocate;
mod unit;

pub use code::{CodeSection, SourceLine, code_sections, has_dwarf, source_lines};
pub use error::ElfError;
pub use externs::{Extern, ExternKind};
pub use inspect::{Inspection, RelocRow, SectionRow, inspect};
pub use kconfig::Kconfig;
pub use maps::{Decided, LegacyLayout, MapSource};
pub use object::{Note, ObjProgram, Object, load};
pub use unit::Survey;
