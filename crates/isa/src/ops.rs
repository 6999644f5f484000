//! Operators as rows: each is declared once, and decoder, encoder, printers, parsers and engines read it here.

/// Whether an operation works on 64-bit registers or on their lower halves.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Width {
    /// 32 bits; a result clears the upper half of its register.
    W32,
    /// 64 bits.
    W64,
}

impl Width {
    /// Both widths.
    pub const ALL: [Width; 2] = [Width::W32, Width::W64];

    /// 32 or 64.
    pub const fn bits(self) -> u32 {
        match self {
            Width::W32 => 32,
            Width::W64 => 64,
        }
    }

    /// 4 or 8.
    pub const fn bytes(self) -> u32 {
        self.bits() / 8
    }
}

/// The size of a memory access.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum MemSize {
    /// One byte.
    B,
    /// Two bytes, a half word.
    H,
    /// Four bytes, a word.
    W,
    /// Eight bytes, a double word.
    Dw,
}

impl MemSize {
    /// All sizes, smallest first.
    pub const ALL: [MemSize; 4] = [MemSize::B, MemSize::H, MemSize::W, MemSize::Dw];

    /// 1, 2, 4 or 8.
    pub const fn bytes(self) -> u32 {
        match self {
            MemSize::B => 1,
            MemSize::H => 2,
            MemSize::W => 4,
            MemSize::Dw => 8,
        }
    }

    /// The size's bits in an opcode (RFC 9669 section 5).
    pub const fn code(self) -> u8 {
        match self {
            MemSize::W => 0x00,
            MemSize::H => 0x08,
            MemSize::B => 0x10,
            MemSize::Dw => 0x18,
        }
    }

    /// The size of an opcode's bits.
    pub const fn from_code(code: u8) -> MemSize {
        match code & 0x18 {
            0x00 => MemSize::W,
            0x08 => MemSize::H,
            0x10 => MemSize::B,
            _ => MemSize::Dw,
        }
    }

    /// The unsigned C type's name in the clang dialect: `u8` to `u64`.
    pub const fn unsigned_name(self) -> &'static str {
        match self {
            MemSize::B => "u8",
            MemSize::H => "u16",
            MemSize::W => "u32",
            MemSize::Dw => "u64",
        }
    }
}

/// The sizes that leave room in a register: of sign-extending and of legacy packet loads.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Narrow {
    /// One byte.
    B,
    /// Two bytes.
    H,
    /// Four bytes.
    W,
}

impl Narrow {
    /// All three, smallest first.
    pub const ALL: [Narrow; 3] = [Narrow::B, Narrow::H, Narrow::W];

    /// The same as a size of any memory access.
    pub const fn size(self) -> MemSize {
        match self {
            Narrow::B => MemSize::B,
            Narrow::H => MemSize::H,
            Narrow::W => MemSize::W,
        }
    }

    /// The signed C type's name in the clang dialect: `s8` to `s32`.
    pub const fn signed_name(self) -> &'static str {
        match self {
            Narrow::B => "s8",
            Narrow::H => "s16",
            Narrow::W => "s32",
        }
    }

    /// This size where it is narrow; none for a double word.
    pub const fn from_size(size: MemSize) -> Option<Narrow> {
        match size {
            MemSize::B => Some(Narrow::B),
            MemSize::H => Some(Narrow::H),
            MemSize::W => Some(Narrow::W),
            MemSize::Dw => None,
        }
    }
}

/// A binary arithmetic or logic operator, or a move (RFC 9669 section 4.1).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[allow(missing_docs)]
pub enum AluOp {
    Add,
    Sub,
    Mul,
    Div,
    SDiv,
    Or,
    And,
    Lsh,
    Rsh,
    Mod,
    SMod,
    Xor,
    Mov,
    Arsh,
}

/// What an [`AluOp`] is on the wire and in text.
#[derive(Clone, Copy, Debug)]
pub struct AluRow {
    /// The operator.
    pub op: AluOp,
    /// The high four bits of the opcode.
    pub code: u8,
    /// The offset field, which tells signed division from unsigned.
    pub off: i16,
    /// The name in mnemonic dialects, without a width.
    pub mnemonic: &'static str,
    /// The assignment operator in the clang dialect.
    pub symbol: &'static str,
}

const fn alu(op: AluOp, code: u8, off: i16, mnemonic: &'static str, symbol: &'static str) -> AluRow {
    AluRow { op, code, off, mnemonic, symbol }
}

impl AluOp {
    /// All operators, in the order of the enum.
    pub const ROWS: [AluRow; 14] = [
        alu(AluOp::Add, 0x00, 0, "add", "+="),
        alu(AluOp::Sub, 0x10, 0, "sub", "-="),
        alu(AluOp::Mul, 0x20, 0, "mul", "*="),
        alu(AluOp::Div, 0x30, 0, "div", "/="),
        alu(AluOp::SDiv, 0x30, 1, "sdiv", "s/="),
        alu(AluOp::Or, 0x40, 0, "or", "|="),
        alu(AluOp::And, 0x50, 0, "and", "&="),
        alu(AluOp::Lsh, 0x60, 0, "lsh", "<<="),
        alu(AluOp::Rsh, 0x70, 0, "rsh", ">>="),
        alu(AluOp::Mod, 0x90, 0, "mod", "%="),
        alu(AluOp::SMod, 0x90, 1, "smod", "s%="),
        alu(AluOp::Xor, 0xa0, 0, "xor", "^="),
        alu(AluOp::Mov, 0xb0, 0, "mov", "="),
        alu(AluOp::Arsh, 0xc0, 0, "arsh", "s>>="),
    ];

    /// This operator's row.
    pub const fn row(self) -> &'static AluRow {
        &Self::ROWS[self as usize]
    }
}

/// The comparison of a conditional jump (RFC 9669 section 4.3).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[allow(missing_docs)]
pub enum Cond {
    Eq,
    Gt,
    Ge,
    Set,
    Ne,
    SGt,
    SGe,
    Lt,
    Le,
    SLt,
    SLe,
}

/// What a [`Cond`] is on the wire and in text.
#[derive(Clone, Copy, Debug)]
pub struct CondRow {
    /// The condition.
    pub cond: Cond,
    /// The high four bits of the opcode.
    pub code: u8,
    /// The name in mnemonic dialects.
    pub mnemonic: &'static str,
    /// The comparison operator in the clang dialect.
    pub symbol: &'static str,
}

const fn cond(cond: Cond, code: u8, mnemonic: &'static str, symbol: &'static str) -> CondRow {
    CondRow { cond, code, mnemonic, symbol }
}

impl Cond {
    /// All conditions, in the order of the enum.
    pub const ROWS: [CondRow; 11] = [
        cond(Cond::Eq, 0x10, "jeq", "=="),
        cond(Cond::Gt, 0x20, "jgt", ">"),
        cond(Cond::Ge, 0x30, "jge", ">="),
        cond(Cond::Set, 0x40, "jset", "&"),
        cond(Cond::Ne, 0x50, "jne", "!="),
        cond(Cond::SGt, 0x60, "jsgt", "s>"),
        cond(Cond::SGe, 0x70, "jsge", "s>="),
        cond(Cond::Lt, 0xa0, "jlt", "<"),
        cond(Cond::Le, 0xb0, "jle", "<="),
        cond(Cond::SLt, 0xc0, "jslt", "s<"),
        cond(Cond::SLe, 0xd0, "jsle", "s<="),
    ];

    /// This condition's row.
    pub const fn row(self) -> &'static CondRow {
        &Self::ROWS[self as usize]
    }
}

/// A byte swap, or a conversion to a given byte order (RFC 9669 section 4.2).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[allow(missing_docs)]
pub enum EndianOp {
    Le16,
    Le32,
    Le64,
    Be16,
    Be32,
    Be64,
    Swap16,
    Swap32,
    Swap64,
}

/// What an [`EndianOp`] is on the wire and in text.
#[derive(Clone, Copy, Debug)]
pub struct EndianRow {
    /// The operation.
    pub op: EndianOp,
    /// The whole opcode byte.
    pub code: u8,
    /// The width, which is the immediate.
    pub bits: i32,
    /// The name in the clang dialect.
    pub name: &'static str,
}

const fn end(op: EndianOp, code: u8, bits: i32, name: &'static str) -> EndianRow {
    EndianRow { op, code, bits, name }
}

impl EndianOp {
    /// All operations, in the order of the enum.
    pub const ROWS: [EndianRow; 9] = [
        end(EndianOp::Le16, 0xd4, 16, "le16"),
        end(EndianOp::Le32, 0xd4, 32, "le32"),
        end(EndianOp::Le64, 0xd4, 64, "le64"),
        end(EndianOp::Be16, 0xdc, 16, "be16"),
        end(EndianOp::Be32, 0xdc, 32, "be32"),
        end(EndianOp::Be64, 0xdc, 64, "be64"),
        end(EndianOp::Swap16, 0xd7, 16, "bswap16"),
        end(EndianOp::Swap32, 0xd7, 32, "bswap32"),
        end(EndianOp::Swap64, 0xd7, 64, "bswap64"),
    ];

    /// This operation's row.
    pub const fn row(self) -> &'static EndianRow {
        &Self::ROWS[self as usize]
    }
}

/// A sign-extending move: from the low bits of the source, to a register or its lower half.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[allow(missing_docs)]
pub enum MovSx {
    W32From8,
    W32From16,
    W64From8,
    W64From16,
    W64From32,
}

impl MovSx {
    /// All moves, in the order of the enum.
    pub const ALL: [MovSx; 5] =
        [MovSx::W32From8, MovSx::W32From16, MovSx::W64From8, MovSx::W64From16, MovSx::W64From32];

    /// The width of the result.
    pub const fn width(self) -> Width {
        match self {
            MovSx::W32From8 | MovSx::W32From16 => Width::W32,
            MovSx::W64From8 | MovSx::W64From16 | MovSx::W64From32 => Width::W64,
        }
    }

    /// How many low bits of the source count; on the wire this is the offset field.
    pub const fn from_bits(self) -> u32 {
        match self {
            MovSx::W32From8 | MovSx::W64From8 => 8,
            MovSx::W32From16 | MovSx::W64From16 => 16,
            MovSx::W64From32 => 32,
        }
    }
}

/// An atomic read-modify-write operator (RFC 9669 section 5.3).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[allow(missing_docs)]
pub enum AtomicOp {
    Add,
    Or,
    And,
    Xor,
    FetchAdd,
    FetchOr,
    FetchAnd,
    FetchXor,
    Xchg,
    Cmpxchg,
}

/// What an [`AtomicOp`] is on the wire and in text.
#[derive(Clone, Copy, Debug)]
pub struct AtomicRow {
    /// The operator.
    pub op: AtomicOp,
    /// The immediate field.
    pub imm: i32,
    /// The name in mnemonic dialects, as in `atomic_fetch_add`.
    pub mnemonic: &'static str,
    /// The assignment operator in the clang dialect; empty where it is written as a call.
    pub symbol: &'static str,
}

const fn atomic(op: AtomicOp, imm: i32, mnemonic: &'static str, symbol: &'static str) -> AtomicRow {
    AtomicRow { op, imm, mnemonic, symbol }
}

impl AtomicOp {
    /// All operators, in the order of the enum.
    pub const ROWS: [AtomicRow; 10] = [
        atomic(AtomicOp::Add, 0x00, "atomic_add", "+="),
        atomic(AtomicOp::Or, 0x40, "atomic_or", "|="),
        atomic(AtomicOp::And, 0x50, "atomic_and", "&="),
        atomic(AtomicOp::Xor, 0xa0, "atomic_xor", "^="),
        atomic(AtomicOp::FetchAdd, 0x01, "atomic_fetch_add", ""),
        atomic(AtomicOp::FetchOr, 0x41, "atomic_fetch_or", ""),
        atomic(AtomicOp::FetchAnd, 0x51, "atomic_fetch_and", ""),
        atomic(AtomicOp::FetchXor, 0xa1, "atomic_fetch_xor", ""),
        atomic(AtomicOp::Xchg, 0xe1, "xchg", ""),
        atomic(AtomicOp::Cmpxchg, 0xf1, "cmpxchg", ""),
    ];

    /// This operator's row.
    pub const fn row(self) -> &'static AtomicRow {
        &Self::ROWS[self as usize]
    }

    /// Whether the old value is written back to a register: to the source, or to r0 for cmpxchg.
    pub const fn fetches(self) -> bool {
        self.row().imm & 1 != 0
    }
}
