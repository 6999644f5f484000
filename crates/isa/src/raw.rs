//! The wire form: eight bytes, and the names of its bit fields.

use core::fmt;

/// One basic instruction as it stands in memory, little-endian fields (RFC 9669 section 3).
///
/// ```text
///   byte 0    byte 1           bytes 2..4   bytes 4..8
///   +--------+--------+--------+------------+--------------------+
///   | code   | src:4  | dst:4  | off (i16)  | imm (i32)          |
///   +--------+--------+--------+------------+--------------------+
/// ```
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct RawInsn {
    /// The opcode byte: class in the low three bits.
    pub code: u8,
    /// Source register in the high, destination register in the low four bits.
    pub regs: u8,
    /// Signed offset; a jump distance, a displacement, or a sub-operator.
    pub off: i16,
    /// Signed immediate; also the operator of an atomic instruction.
    pub imm: i32,
}

const _: () = assert!(size_of::<RawInsn>() == 8);

impl RawInsn {
    /// The instruction in these bytes; any eight bytes are one.
    pub const fn from_bytes(b: [u8; 8]) -> Self {
        RawInsn {
            code: b[0],
            regs: b[1],
            off: i16::from_le_bytes([b[2], b[3]]),
            imm: i32::from_le_bytes([b[4], b[5], b[6], b[7]]),
        }
    }

    /// The eight bytes of this instruction, as an object file or bpf(2) wants them.
    pub const fn to_bytes(self) -> [u8; 8] {
        let o = self.off.to_le_bytes();
        let i = self.imm.to_le_bytes();
        [self.code, self.regs, o[0], o[1], i[0], i[1], i[2], i[3]]
    }

    /// The destination register's number, 0 to 15.
    pub const fn dst(self) -> u8 {
        self.regs & 0xf
    }

    /// The source register's number, 0 to 15; also a sub-operator of calls and wide loads.
    pub const fn src(self) -> u8 {
        self.regs >> 4
    }
}

impl fmt::Debug for RawInsn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let RawInsn { code, off, imm, .. } = *self;
        write!(f, "RawInsn(code {code:#04x} dst {} src {} off {off} imm {imm:#x})", self.dst(), self.src())
    }
}

/// The place of an instruction as people, jump offsets and the kernel's log count it: a wide
/// instruction takes two slots.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Slot(pub u32);

impl Slot {
    /// This slot as an index.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A register: r0 the result, r1 to r5 arguments, r6 to r9 callee-saved, r10 the frame pointer.
#[repr(u8)]
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[allow(missing_docs)]
pub enum Reg {
    R0,
    R1,
    R2,
    R3,
    R4,
    R5,
    R6,
    R7,
    R8,
    R9,
    R10,
}

impl Reg {
    /// All registers in order.
    pub const ALL: [Reg; 11] =
        [Reg::R0, Reg::R1, Reg::R2, Reg::R3, Reg::R4, Reg::R5, Reg::R6, Reg::R7, Reg::R8, Reg::R9, Reg::R10];

    /// The register of this number, if there is one (RFC 9669 section 3: 0 to 10).
    pub fn new(n: u8) -> Option<Reg> {
        Reg::ALL.get(usize::from(n)).copied()
    }

    /// The register's number.
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The register's number as an index.
    pub const fn index(self) -> usize {
        self as usize
    }
}

impl fmt::Display for Reg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "r{}", self.number())
    }
}

/// Instruction classes: the low three bits of the opcode.
#[allow(missing_docs)]
pub mod class {
    pub const LD: u8 = 0;
    pub const LDX: u8 = 1;
    pub const ST: u8 = 2;
    pub const STX: u8 = 3;
    pub const ALU: u8 = 4;
    pub const JMP: u8 = 5;
    pub const JMP32: u8 = 6;
    pub const ALU64: u8 = 7;
}

/// Modes of load and store instructions: the high three bits of the opcode.
#[allow(missing_docs)]
pub mod mode {
    pub const IMM: u8 = 0x00;
    pub const ABS: u8 = 0x20;
    pub const IND: u8 = 0x40;
    pub const MEM: u8 = 0x60;
    pub const MEMSX: u8 = 0x80;
    pub const ATOMIC: u8 = 0xc0;
}
