//! Instructions as text, in the dialect of clang, llvm-objdump, bpftool and the kernel's log.
//!
//! ```text
//! r7 = *(u32 *)(r6 + 112)            ; a comment, as behind # and //
//! if r7 > 100 goto big
//! call bpf_ktime_get_ns              # a name for the caller, a label here, or a number
//! r1 = flows ll                      // the address of a map, a variable or a function
//! big: exit
//! ```
//!
//! [`parse`] reads the dialect with all of its variants: `(61) r7 = *(u32 *)(r6 +112)` with the kernel's
//! opcodes, slot numbers in front (which are not looked at), `goto pc+2`, llvm-objdump's raw bytes and
//! `<LBB0_2>`. A line with raw bytes is what its bytes say, and its text must not contradict them. A `;` begins a
//! comment, as in the kernel's log; it does not separate instructions.
//!
//! [`print()`] and `Display` write what clang prints; where clang has no text for an instruction, there is
//! one here: wide loads that the loader resolves (`r1 = map_fd(3) ll`, `map_value(3, 8)`, `btf_var(9, 0)`,
//! `func(+7)`, `map_idx(0)`, `map_idx_value(0, 8)`), `call pc+4` and `call kfunc(12, 0)`. Text that was
//! printed parses back to the same instructions.
//!
//! Directives are lines with a dot; they are handed up as they are. The reader is written by hand, see
//! `cursor.rs` for the reason.

mod cursor;
mod dialect;
mod digits;
mod error;
mod fields;
mod line;
mod listing;
mod macros;
mod mnemonic;
mod names;
mod number;
mod objdump;
mod print;
mod pseudo_c;
mod source;
mod statement;

pub use cursor::is_name;
pub use dialect::{Dialect, DialectRow};
pub use error::{TextError, TextErrors, TextFault, excerpt, more, quote};
pub use line::detect;
pub use objdump::objdump_insn;
pub use print::{Names, PrintOptions, print};
pub use source::{Directive, Label, MAX_ERRORS, MAX_SOURCE, Pos, Source, SymbolKind, SymbolRef, parse, parse_as};
