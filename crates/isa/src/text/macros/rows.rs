//! The macros, and the names in their arguments, with the numbers of the kernel's headers.

use std::sync::LazyLock;

use crate::encode::{CALL, EXIT, JA, JCOND, LOAD_ACQUIRE, MOV, NEG, STORE_RELEASE, X};
use crate::ops::{AluOp, Cond};
use crate::raw::{class, mode};
use crate::text::names::NameTable;

/// The field that an argument fills.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Field {
    /// The operator: the opcode's high four bits.
    Op,
    /// The size: two bits of the opcode.
    Size,
    /// The byte order: one bit of the opcode.
    Order,
    /// The whole opcode.
    Code,
    Dst,
    Src,
    Off,
    Imm,
    /// Both immediates of a wide instruction.
    Imm64,
    /// The second immediate of a wide instruction.
    Next,
}

/// A macro: its name, what it says of opcode and source, and its arguments.
#[derive(Debug)]
pub(super) struct Row {
    pub name: &'static str,
    pub code: u8,
    pub src: u8,
    pub fields: &'static [Field],
}

const fn row(name: &'static str, code: u8, fields: &'static [Field]) -> Row {
    Row { name, code, src: 0, fields }
}

const fn row_src(name: &'static str, code: u8, src: u8, fields: &'static [Field]) -> Row {
    Row { name, code, src, fields }
}

const WIDE: u8 = class::LD | mode::IMM | 0x18;

use Field::{Code, Dst, Imm, Imm64, Next, Off, Op, Order, Size, Src};

/// All macros.
static ROWS: [Row; 39] = [
    row("BPF_ALU32_IMM", class::ALU, &[Op, Dst, Imm]),
    row("BPF_ALU32_IMM_OFF", class::ALU, &[Op, Dst, Imm, Off]),
    row("BPF_ALU32_REG", class::ALU | X, &[Op, Dst, Src]),
    row("BPF_ALU32_REG_OFF", class::ALU | X, &[Op, Dst, Src, Off]),
    row("BPF_ALU64_IMM", class::ALU64, &[Op, Dst, Imm]),
    row("BPF_ALU64_IMM_OFF", class::ALU64, &[Op, Dst, Imm, Off]),
    row("BPF_ALU64_REG", class::ALU64 | X, &[Op, Dst, Src]),
    row("BPF_ALU64_REG_OFF", class::ALU64 | X, &[Op, Dst, Src, Off]),
    row("BPF_ATOMIC_OP", class::STX | mode::ATOMIC, &[Size, Imm, Dst, Src, Off]),
    row("BPF_BSWAP", class::ALU64 | 0xd0, &[Dst, Imm]),
    row_src("BPF_CALL_KFUNC", class::JMP | CALL, 2, &[Off, Imm]),
    row_src("BPF_CALL_REL", class::JMP | CALL, 1, &[Imm]),
    row("BPF_EMIT_CALL", class::JMP | CALL, &[Imm]),
    row("BPF_ENDIAN", class::ALU | 0xd0, &[Order, Dst, Imm]),
    row("BPF_EXIT_INSN", class::JMP | EXIT, &[]),
    row("BPF_JMP32_A", class::JMP32 | JA, &[Imm]),
    row("BPF_JMP32_IMM", class::JMP32, &[Op, Dst, Imm, Off]),
    row("BPF_JMP32_REG", class::JMP32 | X, &[Op, Dst, Src, Off]),
    row("BPF_JMP_A", class::JMP | JA, &[Off]),
    row("BPF_JMP_IMM", class::JMP, &[Op, Dst, Imm, Off]),
    row("BPF_JMP_REG", class::JMP | X, &[Op, Dst, Src, Off]),
    row("BPF_LDX_MEM", class::LDX | mode::MEM, &[Size, Dst, Src, Off]),
    row("BPF_LDX_MEMSX", class::LDX | mode::MEMSX, &[Size, Dst, Src, Off]),
    row("BPF_LD_ABS", class::LD | mode::ABS, &[Size, Imm]),
    row("BPF_LD_IMM64", WIDE, &[Dst, Imm64]),
    row("BPF_LD_IMM64_RAW", WIDE, &[Dst, Src, Imm64]),
    row("BPF_LD_IND", class::LD | mode::IND, &[Size, Src, Imm]),
    row_src("BPF_LD_MAP_FD", WIDE, 1, &[Dst, Imm]),
    row_src("BPF_LD_MAP_VALUE", WIDE, 2, &[Dst, Imm, Next]),
    row("BPF_MOV32_IMM", class::ALU | MOV, &[Dst, Imm]),
    row("BPF_MOV32_REG", class::ALU | MOV | X, &[Dst, Src]),
    row("BPF_MOV64_IMM", class::ALU64 | MOV, &[Dst, Imm]),
    row("BPF_MOV64_REG", class::ALU64 | MOV | X, &[Dst, Src]),
    row("BPF_MOVSX32_REG", class::ALU | MOV | X, &[Dst, Src, Off]),
    row("BPF_MOVSX64_REG", class::ALU64 | MOV | X, &[Dst, Src, Off]),
    row("BPF_STX_XADD", class::STX | mode::ATOMIC, &[Size, Dst, Src, Off]),
    row("BPF_STX_MEM", class::STX | mode::MEM, &[Size, Dst, Src, Off]),
    row("BPF_ST_MEM", class::ST | mode::MEM, &[Size, Dst, Off, Imm]),
    row("BPF_RAW_INSN", 0, &[Code, Dst, Src, Off, Imm]),
];

static BY_NAME: LazyLock<NameTable<&'static Row>> =
    LazyLock::new(|| NameTable::new(ROWS.iter().map(|r| (r.name.to_owned(), r))));

/// The macro of this name.
pub(super) fn by_name(name: &str) -> Option<&'static Row> {
    BY_NAME.get(name)
}

/// Names besides those of the operators, which follow from their rows, and of registers by number.
const CONSTANTS: [(&str, i32); 59] = [
    ("BPF_LD", class::LD as i32),
    ("BPF_LDX", class::LDX as i32),
    ("BPF_ST", class::ST as i32),
    ("BPF_STX", class::STX as i32),
    ("BPF_ALU", class::ALU as i32),
    ("BPF_JMP", class::JMP as i32),
    ("BPF_JMP32", class::JMP32 as i32),
    ("BPF_ALU64", class::ALU64 as i32),
    ("BPF_W", 0x00),
    ("BPF_H", 0x08),
    ("BPF_B", 0x10),
    ("BPF_DW", 0x18),
    ("BPF_IMM", mode::IMM as i32),
    ("BPF_ABS", mode::ABS as i32),
    ("BPF_IND", mode::IND as i32),
    ("BPF_MEM", mode::MEM as i32),
    ("BPF_MEMSX", mode::MEMSX as i32),
    ("BPF_ATOMIC", mode::ATOMIC as i32),
    ("BPF_XADD", mode::ATOMIC as i32),
    ("BPF_K", 0x00),
    ("BPF_X", X as i32),
    ("BPF_NEG", NEG as i32),
    ("BPF_END", 0xd0),
    ("BPF_TO_LE", 0x00),
    ("BPF_TO_BE", 0x08),
    ("BPF_FROM_LE", 0x00),
    ("BPF_FROM_BE", 0x08),
    ("BPF_JA", JA as i32),
    ("BPF_CALL", CALL as i32),
    ("BPF_EXIT", EXIT as i32),
    ("BPF_JCOND", JCOND as i32),
    ("BPF_MAY_GOTO", 0),
    ("BPF_FETCH", 0x01),
    ("BPF_XCHG", 0xe1),
    ("BPF_CMPXCHG", 0xf1),
    ("BPF_LOAD_ACQ", LOAD_ACQUIRE),
    ("BPF_STORE_REL", STORE_RELEASE),
    ("BPF_ADDR_SPACE_CAST", 1),
    ("BPF_PSEUDO_MAP_FD", 1),
    ("BPF_PSEUDO_MAP_VALUE", 2),
    ("BPF_PSEUDO_BTF_ID", 3),
    ("BPF_PSEUDO_FUNC", 4),
    ("BPF_PSEUDO_MAP_IDX", 5),
    ("BPF_PSEUDO_MAP_IDX_VALUE", 6),
    ("BPF_PSEUDO_CALL", 1),
    ("BPF_PSEUDO_KFUNC_CALL", 2),
    ("BPF_REG_FP", 10),
    ("BPF_REG_CTX", 6),
    ("BPF_REG_ARG1", 1),
    ("BPF_REG_ARG2", 2),
    ("BPF_REG_ARG3", 3),
    ("BPF_REG_ARG4", 4),
    ("BPF_REG_ARG5", 5),
    // What numbers in C sources are often given as.
    ("INT_MIN", i32::MIN),
    ("INT_MAX", i32::MAX),
    ("SHRT_MIN", i16::MIN as i32),
    ("SHRT_MAX", i16::MAX as i32),
    ("ETH_HLEN", 14),
    ("SKF_AD_OFF", -0x1000),
];

static NUMBERS: LazyLock<NameTable<i32>> = LazyLock::new(|| {
    let named = CONSTANTS.iter().map(|&(n, v)| (n.to_owned(), v));
    let plain = AluOp::ROWS.iter().filter(|r| r.off == 0).map(|r| (r.mnemonic, r.code));
    let operators = plain.chain(Cond::ROWS.iter().map(|r| (r.mnemonic, r.code)));
    let operators = operators.map(|(m, code)| (format!("BPF_{}", m.to_uppercase()), code.into()));
    NameTable::new(named.chain(operators).chain((0..=10).map(|n| (format!("BPF_REG_{n}"), n))))
});

/// The number that a name stands for.
pub(super) fn constant(name: &str) -> Option<i32> {
    // The most frequent ones need no search.
    match name.as_bytes() {
        [b'B', b'P', b'F', b'_', b'R', b'E', b'G', b'_', digit @ b'0'..=b'9'] => Some(i32::from(digit - b'0')),
        _ => NUMBERS.get(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stand_once() {
        let mut names: Vec<_> = ROWS.iter().map(|r| r.name).chain(CONSTANTS.iter().map(|c| c.0)).collect();
        names.sort_unstable();
        assert!(names.windows(2).all(|w| w[0] != w[1]));
        assert!(ROWS.iter().all(|r| by_name(r.name).is_some_and(|f| f.code == r.code)));
    }
}
