//! The family of mnemonics: uBPF, rbpf and the GNU assembler's normal syntax.
//!
//! A [`Style`] says what differs. The names are written by one function ([`names`]); the reader's table is what that
//! function writes for each row of the instruction set, and a few names that are read and never written.
//!
//! Where a dialect has no text for a row, it gets one here, which nobody else's assembler reads (`docs/dialects.md`
//! lists them): `ldacqw`, `strelw`, `may_goto`, `addr_space_cast`, `lddw %r1, map_fd(3)`, `call local +4`,
//! `call kfunc(12, 0)` and some names of one dialect in another.

mod names;
mod read;
mod write;

use super::Dialect;
pub(super) use read::statement;
pub(super) use write::write;

/// How byte swaps are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Swaps {
    /// `be16 %r0`
    InName,
    /// `endbe %r0, 16`
    Operand,
}

/// How atomic operations are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Atomics {
    /// `lock fetch add32 [%r1+0], %r2`
    Lock,
    /// The same, but `stxxaddw` for what older instruction sets had.
    Xadd,
    /// `afadd32 [%r1+0], %r2`
    Letters,
}

/// What differs between the dialects of this family.
#[derive(Debug)]
pub(super) struct Style {
    /// Registers, by number.
    registers: [&'static str; 11],
    /// What ends the names of 64-bit operators.
    wide: &'static str,
    /// Numbers in hexadecimal.
    hex: bool,
    swaps: Swaps,
    /// Sign extension as `movs %r0, %r1, 8`; else as `movsx864 %r0, %r1`.
    movs: bool,
    atomics: Atomics,
    /// The jump with a 32-bit distance.
    jump_long: &'static str,
    /// A call by address.
    call_register: &'static str,
}

const PERCENT: [&str; 11] = ["%r0", "%r1", "%r2", "%r3", "%r4", "%r5", "%r6", "%r7", "%r8", "%r9", "%r10"];
const PLAIN: [&str; 11] = ["r0", "r1", "r2", "r3", "r4", "r5", "r6", "r7", "r8", "r9", "r10"];

const UBPF: Style = Style {
    registers: PERCENT,
    wide: "",
    hex: false,
    swaps: Swaps::InName,
    movs: false,
    atomics: Atomics::Lock,
    jump_long: "ja32",
    call_register: "callx",
};

const RBPF: Style = Style { registers: PLAIN, wide: "64", hex: true, atomics: Atomics::Xadd, ..UBPF };

const GNU: Style = Style {
    swaps: Swaps::Operand,
    movs: true,
    atomics: Atomics::Letters,
    jump_long: "jal",
    call_register: "call",
    ..UBPF
};

/// The dialects of this family, in the order of the reader's tables.
const STYLES: [(Dialect, &Style); 3] = [(Dialect::Ubpf, &UBPF), (Dialect::Rbpf, &RBPF), (Dialect::Gnu, &GNU)];

/// The style of a dialect of this family; of another, the first.
pub(super) fn style(dialect: Dialect) -> &'static Style {
    STYLES.iter().find(|s| s.0 == dialect).map_or(&UBPF, |s| s.1)
}
