//! One classic instruction, as bytes and as a typed value.

use core::fmt;

use super::ops::{AluOp, Cond, Ext, Operand};
use crate::ops::Narrow;

/// One instruction as it stands in memory: `struct sock_filter`, fields in the host's byte order.
///
/// ```text
///   bytes 0..2   byte 2   byte 3   bytes 4..8
///   +------------+--------+--------+--------------------+
///   | code (u16) | jt     | jf     | k (u32)            |
///   +------------+--------+--------+--------------------+
/// ```
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct SockFilter {
    /// The opcode: class in the low three bits; what is above the low byte names no instruction.
    pub code: u16,
    /// How many instructions to skip where the condition holds.
    pub jt: u8,
    /// How many instructions to skip where it does not.
    pub jf: u8,
    /// The constant, offset, index or distance.
    pub k: u32,
}

const _: () = assert!(size_of::<SockFilter>() == 8);

impl SockFilter {
    /// An instruction that does not branch on a condition.
    pub const fn stmt(code: u16, k: u32) -> Self {
        SockFilter { code, jt: 0, jf: 0, k }
    }

    /// The instruction in these bytes, fields in little-endian order.
    pub const fn from_le_bytes(b: [u8; 8]) -> Self {
        let k = u32::from_le_bytes([b[4], b[5], b[6], b[7]]);
        SockFilter { code: u16::from_le_bytes([b[0], b[1]]), jt: b[2], jf: b[3], k }
    }

    /// The instruction in these bytes, fields in big-endian order.
    pub const fn from_be_bytes(b: [u8; 8]) -> Self {
        let k = u32::from_be_bytes([b[4], b[5], b[6], b[7]]);
        SockFilter { code: u16::from_be_bytes([b[0], b[1]]), jt: b[2], jf: b[3], k }
    }

    /// The eight bytes, fields in little-endian order.
    pub const fn to_le_bytes(self) -> [u8; 8] {
        let (c, k) = (self.code.to_le_bytes(), self.k.to_le_bytes());
        [c[0], c[1], self.jt, self.jf, k[0], k[1], k[2], k[3]]
    }

    /// The eight bytes, fields in big-endian order.
    pub const fn to_be_bytes(self) -> [u8; 8] {
        let (c, k) = (self.code.to_be_bytes(), self.k.to_be_bytes());
        [c[0], c[1], self.jt, self.jf, k[0], k[1], k[2], k[3]]
    }
}

impl fmt::Debug for SockFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{ {:#04x}, {}, {}, {:#010x} }}", self.code, self.jt, self.jf, self.k)
    }
}

/// The index of a word of scratch memory, 0 to 15.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct M(u8);

impl M {
    /// How many words there are.
    pub const COUNT: usize = 16;

    /// The word of this number, if there is one.
    pub const fn new(k: u32) -> Option<M> {
        if k < M::COUNT as u32 { Some(M(k as u8)) } else { None }
    }

    /// The word's number, 0 to 15.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// One instruction. Jump distances count instructions from the next one and lead forward only.
///
/// Packet loads read in network order; one that is out of range ends the program with 0.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[allow(missing_docs)]
pub enum Insn {
    /// `A = k`.
    LdImm(u32),
    /// `A = length of the packet`.
    LdLen,
    /// `A = M[n]`.
    LdMem(M),
    /// `A = packet[k]`; from [`NET_OFF`](super::NET_OFF) and [`LL_OFF`](super::LL_OFF) on, relative to a header.
    /// [`Insn::ld_abs`] makes one, or an [`Insn::LdExt`] of an offset that names an extension.
    LdAbs { size: Narrow, k: Offset },
    /// `A = packet[X + k]`, the sum being 32 bits wide.
    LdInd { size: Narrow, k: u32 },
    /// `A = what the host knows of the packet`; the size makes no difference.
    LdExt { size: Narrow, ext: Ext },
    /// `X = k`.
    LdxImm(u32),
    /// `X = length of the packet`.
    LdxLen,
    /// `X = M[n]`.
    LdxMem(M),
    /// `X = 4 * (packet[k] & 0xf)`: the length of an IPv4 header.
    LdxMsh(u32),
    /// `M[n] = A`.
    St(M),
    /// `M[n] = X`.
    Stx(M),
    /// `A = A op src`.
    Alu { op: AluOp, src: Operand },
    /// `A = -A`.
    Neg,
    /// Skips `k` instructions.
    Ja(u32),
    /// Skips `jt` instructions where `A cond src` holds, else `jf`.
    JumpIf { cond: Cond, src: Operand, jt: u8, jf: u8 },
    /// Ends with `k`.
    RetK(u32),
    /// Ends with A.
    RetA,
    /// Ends with X: has an encoding and a text, and no kernel runs it.
    RetX,
    /// `X = A`.
    Tax,
    /// `A = X`.
    Txa,
}

const _: () = assert!(size_of::<Insn>() <= 12);

/// The offset of a packet load: any number but those that name an extension.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Offset(u32);

impl Offset {
    /// This offset; none where it names an extension.
    pub fn new(k: u32) -> Option<Offset> {
        Ext::from_k(k).is_none().then_some(Offset(k))
    }

    /// The offset as it stands in an instruction.
    pub const fn k(self) -> u32 {
        self.0
    }
}

impl Insn {
    /// `ld`, `ldh` or `ldb` with a constant offset, which may name an extension.
    ///
    /// ```
    /// use oxbpf_isa::Narrow;
    /// use oxbpf_isa::cbpf::{Ext, Insn};
    ///
    /// assert!(matches!(Insn::ld_abs(Narrow::H, 12), Insn::LdAbs { size: Narrow::H, k } if k.k() == 12));
    /// assert_eq!(Insn::ld_abs(Narrow::W, Ext::Mark.k()), Insn::LdExt { size: Narrow::W, ext: Ext::Mark });
    /// ```
    pub fn ld_abs(size: Narrow, k: u32) -> Insn {
        match Ext::from_k(k) {
            Some(ext) => Insn::LdExt { size, ext },
            None => Insn::LdAbs { size, k: Offset(k) },
        }
    }

    /// Whether control can go on at the next instruction without a jump.
    pub const fn falls_through(&self) -> bool {
        !matches!(self, Insn::Ja(_) | Insn::JumpIf { .. } | Insn::RetK(_) | Insn::RetA | Insn::RetX)
    }

    /// Whether this ends the program.
    pub const fn is_ret(&self) -> bool {
        matches!(self, Insn::RetK(_) | Insn::RetA | Insn::RetX)
    }
}
