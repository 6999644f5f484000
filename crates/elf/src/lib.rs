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
//! 28 and 36 bytes in tc's and libbpf's dialects; BTF `.maps` with program
//! `values`; tc's sections `ID/idx`; `.rodata*`, `.data*` and `.bss*` as maps
//! of one element; callbacks; lines from BTF.ext; CO-RE records, once
//! [`Object::relocate_core`] was told the types to adapt to.
//!
//! Refused by name, when a program needs them: kernel functions and variables,
//! maps of maps, pointers in global data.
//!
//! Objects are hostile: all offsets are checked, memory is bounded by a small
//! multiple of the file's size.

#![forbid(unsafe_code)]

pub mod core;
mod error;
mod file;
mod functions;
mod lines;
mod maps;
mod object;
mod relocate;
mod unit;

pub use error::ElfError;
pub use object::{Note, ObjProgram, Object, load};
