//! The typed instruction: every value of it encodes, and decoding what it encodes to gives it back.

use crate::ops::{AluOp, AtomicOp, Cond, EndianOp, MemSize, MovSx, Narrow, Width};
use crate::raw::Reg;

/// A register or an immediate. A 64-bit operation sign-extends the immediate.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[allow(missing_docs)]
pub enum Operand {
    Reg(Reg),
    Imm(i32),
}

/// What a wide load names instead of a value: resolved when the program is loaded (RFC 9669 section 5.4).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Pseudo {
    /// Source 1: a map, by file descriptor; before linking, by the unit's index.
    MapFd(i32),
    /// Source 2: an address inside the value of a map given by file descriptor.
    MapValue {
        /// The map.
        fd: i32,
        /// Byte offset inside the first value.
        off: i32,
    },
    /// Source 3: a kernel variable, by BTF id.
    BtfVar {
        /// The variable's BTF type id.
        id: i32,
        /// The BTF object's file descriptor, 0 for the kernel itself.
        fd: i32,
    },
    /// Source 4: a function of this program, as a callback; the distance counts from the next slot.
    Func(i32),
    /// Source 5: a map, by index into the descriptors given at load time.
    MapIdx(i32),
    /// Source 6: an address inside the value of a map given by index.
    MapIdxValue {
        /// The map's index.
        idx: i32,
        /// Byte offset inside the first value.
        off: i32,
    },
}

/// What a call instruction calls.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum CallTarget {
    /// Source 0: a helper, by its static id.
    Helper(i32),
    /// Source 1: a function of this program; the distance counts from the next slot.
    Local(i32),
    /// Source 2: a kernel function, by BTF id.
    Kfunc {
        /// The function's BTF type id.
        id: i32,
        /// Index of the BTF object's descriptor, 0 for the kernel itself.
        fd_idx: i16,
    },
}

/// One instruction. Jump distances count slots from the slot after the (one-slot) jump.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[allow(missing_docs)]
pub enum Insn {
    /// `dst = dst op src`; [`AluOp::Mov`] ignores the old `dst`.
    Alu { op: AluOp, width: Width, dst: Reg, src: Operand },
    /// `dst = -dst`.
    Neg { width: Width, dst: Reg },
    /// `dst = sign-extended src`.
    MovSx { op: MovSx, dst: Reg, src: Reg },
    /// `dst = byte-swapped dst`.
    Endian { op: EndianOp, dst: Reg },
    /// `dst = addr_space_cast(src, to, from)`: a pointer into another address space (arena maps).
    AddrSpaceCast { dst: Reg, src: Reg, to: u16, from: u16 },
    /// `dst = value ll`, two slots.
    LoadImm64 { dst: Reg, value: u64 },
    /// A wide load of what [`Pseudo`] names, two slots.
    LoadPseudo { dst: Reg, value: Pseudo },
    /// `dst = *(size *)(base + off)`, upper bits zero.
    Load { size: MemSize, dst: Reg, base: Reg, off: i16 },
    /// `dst = *(signed size *)(base + off)`, sign-extended to 64 bits.
    LoadSx { size: Narrow, dst: Reg, base: Reg, off: i16 },
    /// `*(size *)(base + off) = src`.
    Store { size: MemSize, base: Reg, off: i16, src: Operand },
    /// An atomic read-modify-write of 4 or 8 bytes.
    Atomic { op: AtomicOp, width: Width, base: Reg, off: i16, src: Reg },
    /// An atomic load with acquire ordering.
    LoadAcquire { size: MemSize, dst: Reg, base: Reg, off: i16 },
    /// An atomic store with release ordering.
    StoreRelease { size: MemSize, base: Reg, off: i16, src: Reg },
    /// Legacy packet load: `r0 = packet[imm]`, in host order; out of range ends the program with 0.
    LdAbs { size: Narrow, imm: i32 },
    /// Legacy packet load: `r0 = packet[src + imm]`.
    LdInd { size: Narrow, src: Reg, imm: i32 },
    /// `goto off`.
    Jump { off: i16 },
    /// `gotol off`: the distance is in the immediate.
    JumpLong { off: i32 },
    /// `may_goto off`: jumps once the loop's budget is used up.
    MayGoto { off: i16 },
    /// `if dst cond src goto off`.
    JumpIf { cond: Cond, width: Width, dst: Reg, src: Operand, off: i16 },
    /// `call target`.
    Call(CallTarget),
    /// `callx reg`: a call of the helper whose number is in a register. No Linux verifier accepts it.
    CallX { target: Reg },
    /// `exit`: returns r0.
    Exit,
}

const _: () = assert!(size_of::<Insn>() <= 16);

impl Insn {
    /// How many slots this instruction takes: 2 for wide loads, else 1.
    pub const fn slots(&self) -> u32 {
        match self {
            Insn::LoadImm64 { .. } | Insn::LoadPseudo { .. } => 2,
            _ => 1,
        }
    }

    /// The jump distance in slots from the next slot, where this is a jump within a function.
    pub const fn jump_off(&self) -> Option<i32> {
        match *self {
            Insn::Jump { off } | Insn::MayGoto { off } | Insn::JumpIf { off, .. } => Some(off as i32),
            Insn::JumpLong { off } => Some(off),
            _ => None,
        }
    }

    /// Whether control can go on at the next instruction.
    pub const fn falls_through(&self) -> bool {
        !matches!(self, Insn::Jump { .. } | Insn::JumpLong { .. } | Insn::Exit)
    }

    /// The register this instruction writes by name; calls and legacy loads write r0 (and calls r1 to r5 too).
    pub const fn written(&self) -> Option<Reg> {
        match *self {
            Insn::Alu { dst, .. }
            | Insn::Neg { dst, .. }
            | Insn::MovSx { dst, .. }
            | Insn::Endian { dst, .. }
            | Insn::AddrSpaceCast { dst, .. }
            | Insn::LoadImm64 { dst, .. }
            | Insn::LoadPseudo { dst, .. }
            | Insn::Load { dst, .. }
            | Insn::LoadSx { dst, .. }
            | Insn::LoadAcquire { dst, .. } => Some(dst),
            Insn::Atomic { op: AtomicOp::Cmpxchg, .. } => Some(Reg::R0),
            Insn::Atomic { op, src, .. } if op.fetches() => Some(src),
            Insn::LdAbs { .. } | Insn::LdInd { .. } | Insn::Call(_) | Insn::CallX { .. } => Some(Reg::R0),
            Insn::Atomic { .. }
            | Insn::Store { .. }
            | Insn::StoreRelease { .. }
            | Insn::Jump { .. }
            | Insn::JumpLong { .. }
            | Insn::MayGoto { .. }
            | Insn::JumpIf { .. }
            | Insn::Exit => None,
        }
    }
}
