//! The family of assignments: clang's dialect, the kernel's, and what llvm-objdump shows.
//!
//! One reader takes them all, since none writes what another would take for something else; the writer has a row for
//! each.

mod operand;
mod read;
mod write;

pub(super) use read::statement;
pub(super) use write::write;

/// How numbers are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Num {
    /// `-5`
    Dec,
    /// `-0x5`
    SignedHex,
    /// `0xfffffffb`: the field's bits
    Bits,
}

/// How an address is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Displacement {
    /// `r6 + 112`, with this kind of number
    Spaced(Num),
    /// `r6 +112`
    Glued,
}

/// What differs between the dialects of this family.
#[derive(Debug)]
pub(super) struct Style {
    /// The opcode in front: `(b7) `.
    opcode: bool,
    /// Immediates of operators, stores, packet loads and calls.
    imm: Num,
    /// Immediates that are compared with.
    compared: Num,
    /// Wide immediates.
    wide: Num,
    /// ` ll` behind wide loads, which the opcode in front replaces.
    ll: bool,
    displacement: Displacement,
    /// What stands in front of a distance: nothing, or `pc`.
    pc: &'static str,
    /// Distances in hexadecimal.
    hex_distance: bool,
    /// Atomics by the names of LLVM (`xchg_64`); else by the kernel's (`atomic64_xchg`).
    llvm_atomics: bool,
    /// What narrow atomics hold as lower halves: `w2`.
    lower_halves: bool,
    /// Helpers by number alone; else as `unknown#7`.
    bare_helper: bool,
}

/// What clang, llvm-mc and `oxbpf` write. Wide immediates are hexadecimal, which clang reads too.
pub(super) const CLANG: Style = Style {
    opcode: false,
    imm: Num::Dec,
    compared: Num::Dec,
    wide: Num::Bits,
    ll: true,
    displacement: Displacement::Spaced(Num::Dec),
    pc: "",
    hex_distance: false,
    llvm_atomics: true,
    lower_halves: true,
    bare_helper: true,
};

/// What the kernel's log and bpftool write.
pub(super) const KERNEL: Style = Style {
    opcode: true,
    imm: Num::Dec,
    compared: Num::Bits,
    wide: Num::Bits,
    ll: false,
    displacement: Displacement::Glued,
    pc: "pc",
    hex_distance: false,
    llvm_atomics: false,
    lower_halves: false,
    bare_helper: false,
};

/// What llvm-objdump of LLVM 19 writes.
pub(super) const OBJDUMP: Style = Style {
    opcode: false,
    imm: Num::SignedHex,
    compared: Num::SignedHex,
    wide: Num::SignedHex,
    ll: true,
    displacement: Displacement::Spaced(Num::SignedHex),
    pc: "",
    hex_distance: true,
    llvm_atomics: true,
    lower_halves: false,
    bare_helper: true,
};
