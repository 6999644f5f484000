//! Instructions as text, in six dialects.
//!
//! | [`Dialect`] | `r7 = *(u32 *)(r6 + 112)` |
//! |---|---|
//! | `Clang` | `r7 = *(u32 *)(r6 + 112)` |
//! | `Kernel` | `(61) r7 = *(u32 *)(r6 +112)` |
//! | `Ubpf` | `ldxw %r7, [%r6+112]` |
//! | `Rbpf` | `ldxw r7, [r6+0x70]` |
//! | `Gnu` | `ldxw %r7, [%r6+112]` |
//! | `Macros` | `BPF_LDX_MEM(BPF_W, BPF_REG_7, BPF_REG_6, 112),` |
//!
//! [`parse_as`] reads a text, [`detect`] tells its dialect, [`print()`] writes instructions and [`convert()`] a text in
//! another dialect. Three families of readers and writers ([`Dialect::ROWS`]) stand over the rows of the operators; what
//! differs within a family is a row too. Every instruction has a text in every dialect: where its own tools have none,
//! there is one here (`docs/dialects.md`), and what is printed parses back to the same instructions.
//!
//! ```text
//! r7 = *(u32 *)(r6 + 112)            ; a comment, as behind # and //
//! if r7 > 100 goto big
//! call bpf_ktime_get_ns              # a name for the caller, a label here, or a number
//! r1 = flows ll                      // the address of a map, a variable or a function
//! big: exit
//! ```
//!
//! [`parse`] reads clang's dialect and the kernel's with all of their variants: `(61) r7 = *(u32 *)(r6 +112)`, slot
//! numbers in front (which are not looked at), `goto pc+2`, llvm-objdump's headings, raw bytes and `<LBB0_2>`. A line
//! with raw bytes is what its bytes say, and its text must not contradict them. A `;` begins a comment, as in the
//! kernel's log; it does not separate instructions.
//!
//! Wide loads that the loader resolves are `r1 = map_fd(3) ll`, `map_value(3, 8)`, `btf_var(9, 0)`, `func(+7)`,
//! `map_idx(0)` and `map_idx_value(0, 8)`; calls that it does, `call pc+4` and `call kfunc(12, 0)`.
//!
//! Directives are lines with a dot; they are handed up as they are. The readers are written by hand, see
//! `cursor.rs` for the reason.

mod bpftool;
mod convert;
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

pub use bpftool::{Callees, bpftool_insn};
pub use convert::convert;
pub use cursor::is_name;
pub use dialect::{Dialect, DialectRow};
pub use error::{TextError, TextErrors, TextFault, excerpt, more, quote};
pub use line::detect;
pub use objdump::objdump_insn;
pub use print::{Names, PrintOptions, print};
pub use source::{Directive, Label, MAX_ERRORS, MAX_SOURCE, Pos, Source, SymbolKind, SymbolRef, parse, parse_as};
