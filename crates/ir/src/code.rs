//! The lowered form: three-address operations over virtual registers, each with the slot it came from.
//! Engines read this and nothing above it.

use std::fmt;
use std::ops::Range;

use oxbpf_isa::{AluOp, AtomicOp, Cond, EndianOp, MemSize, MovSx, Narrow, Slot, Width};

use crate::facts::RegionClass;
use crate::program::FuncIdx;
use crate::unit::MapIdx;

/// A virtual register. Without passes, v0 to v10 are r0 to r10.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VReg(pub u16);

impl VReg {
    /// The result of helpers, functions and programs.
    pub const RESULT: VReg = VReg(0);
    /// The register that legacy packet loads expect the context in.
    pub const LEGACY_CTX: VReg = VReg(6);
    /// The frame pointer.
    pub const FP: VReg = VReg(10);

    /// As an index.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

impl fmt::Debug for VReg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v{}", self.0)
    }
}

/// A register, or an immediate that engines sign-extend to 64 bits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[allow(missing_docs)]
pub enum Src {
    Reg(VReg),
    Imm(i32),
}

/// Where a branch goes: an index into [`Code::ops`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Target(pub u32);

/// Whether a memory access still has to be checked.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Check {
    /// Nothing is known: the engine bounds it by its own region.
    Full,
    /// A fact says that it stays in a region of this class.
    Proven(RegionClass),
}

/// One operation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs)]
pub enum Op {
    /// Takes `insns` from the fuel; out of fuel traps here. Stands at the head of a block.
    Charge {
        insns: u32,
    },
    Alu {
        op: AluOp,
        width: Width,
        dst: VReg,
        a: VReg,
        b: Src,
    },
    Neg {
        width: Width,
        dst: VReg,
        a: VReg,
    },
    MovSx {
        op: MovSx,
        dst: VReg,
        a: VReg,
    },
    Endian {
        op: EndianOp,
        dst: VReg,
        a: VReg,
    },
    Const {
        dst: VReg,
        value: u64,
    },
    /// The handle of a map, as helpers take it.
    MapHandle {
        dst: VReg,
        map: MapIdx,
    },
    /// An address inside the first value of a map.
    MapValue {
        dst: VReg,
        map: MapIdx,
        off: u32,
    },
    /// The handle of a function, as callbacks take it.
    FuncHandle {
        dst: VReg,
        func: FuncIdx,
    },
    Load {
        size: MemSize,
        dst: VReg,
        base: VReg,
        off: i16,
        check: Check,
    },
    LoadSx {
        size: Narrow,
        dst: VReg,
        base: VReg,
        off: i16,
        check: Check,
    },
    Store {
        size: MemSize,
        base: VReg,
        off: i16,
        src: Src,
        check: Check,
    },
    /// `old = *(base + off)`, always checked, which becomes `op(old, src, v0)`; a fetching operator leaves `old` in `fetch`.
    Atomic {
        op: AtomicOp,
        width: Width,
        base: VReg,
        off: i16,
        src: VReg,
        fetch: Option<VReg>,
    },
    LoadAcquire {
        size: MemSize,
        dst: VReg,
        base: VReg,
        off: i16,
    },
    StoreRelease {
        size: MemSize,
        base: VReg,
        off: i16,
        src: VReg,
    },
    /// Legacy packet load to v0 from `imm` plus `index`; out of range leaves the function with 0.
    Legacy {
        size: Narrow,
        index: Option<VReg>,
        imm: i32,
    },
    Jump {
        to: Target,
    },
    Branch {
        cond: Cond,
        width: Width,
        a: VReg,
        b: Src,
        to: Target,
    },
    /// Jumps once the frame's budget of loop iterations is used up.
    MayGoto {
        to: Target,
    },
    /// v0 = helper(v1..v5).
    Helper {
        id: u32,
    },
    /// v0 = helper(v1..v5), of the number in a register; what numbers no helper traps.
    HelperIn {
        id: VReg,
    },
    /// A function of this program: its frame gets v1..v5, the caller keeps v6..v10.
    Call {
        func: FuncIdx,
    },
    /// A function of this program by its handle, called back by a helper: as [`Op::Call`], of functions that are not
    /// [`CodeFunc::builtin`]. What is no handle traps as this helper's second argument.
    CallHandle {
        func: VReg,
        helper: u32,
    },
    /// `tail_call(v1, v2, v3)`: continues in another program, or falls through.
    TailCall,
    Exit,
    /// Something this toolchain decodes but does not run; traps with the name.
    Unsupported {
        what: Unsupported,
    },
}

/// What [`Op::Unsupported`] stands for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[allow(missing_docs)]
pub enum Unsupported {
    Kfunc { id: i32 },
    AddrSpaceCast,
    BtfVar,
}

impl fmt::Display for Unsupported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unsupported::Kfunc { id } => write!(f, "call of kernel function {id}"),
            Unsupported::AddrSpaceCast => f.write_str("addr_space_cast"),
            Unsupported::BtfVar => f.write_str("address of a kernel variable"),
        }
    }
}

/// A function of lowered code.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CodeFunc {
    /// Its name.
    pub name: String,
    /// Its operations; control enters at the first.
    pub ops: Range<u32>,
    /// Written by lowering in the place of a helper that calls back. It has a frame and does not count as one of the
    /// program's active functions. Handles never lead to it.
    pub builtin: bool,
}

/// A lowered program. Immutable; every branch lands on the head of a block of its own function, and no function runs
/// off its end.
///
/// A program is entered with the context in v1, its frame in v10 and zero in all other registers. A callee sees its
/// caller's v0 to v9. After helpers, calls, tail calls that were not followed and legacy loads, v1 to v5 are zero:
/// a program that was not verified may look.
#[derive(Clone, Debug)]
pub struct Code {
    pub(crate) ops: Vec<Op>,
    pub(crate) slots: Vec<Slot>,
    pub(crate) blocks: Vec<Range<u32>>,
    pub(crate) funcs: Vec<CodeFunc>,
    pub(crate) vregs: u16,
}

impl Code {
    /// All operations.
    pub fn ops(&self) -> &[Op] {
        &self.ops
    }

    /// The slot of each operation.
    pub fn slots(&self) -> &[Slot] {
        &self.slots
    }

    /// The basic blocks, in order, as runs of operations: a branch lands on the head of one.
    pub fn blocks(&self) -> &[Range<u32>] {
        &self.blocks
    }

    /// The functions; the first is the entry. The program's come first, builtin ones after them.
    pub fn funcs(&self) -> &[CodeFunc] {
        &self.funcs
    }

    /// How many virtual registers a frame needs.
    pub fn vregs(&self) -> u16 {
        self.vregs
    }
}
