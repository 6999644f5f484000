//! Operations: instructions with the choices of size, operator and operand made, and jumps as indices.

/// Calls the given macro with the loads that are fused with the comparison behind them: the operation, whether X is
/// added to the offset, the bytes, the condition, and whether control goes on at either way or at one of two operations
/// of a kind.
macro_rules! for_each_fused {
    ($then:ident) => {
        $then! {
            AbsBEq abs 1 Eq go, AbsBGt abs 1 Gt go, AbsBGe abs 1 Ge go, AbsBSet abs 1 Set go,
            AbsHEq abs 2 Eq go, AbsHGt abs 2 Gt go, AbsHGe abs 2 Ge go, AbsHSet abs 2 Set go,
            AbsWEq abs 4 Eq go, AbsWGt abs 4 Gt go, AbsWGe abs 4 Ge go, AbsWSet abs 4 Set go,
            IndBEq ind 1 Eq go, IndBGt ind 1 Gt go, IndBGe ind 1 Ge go, IndBSet ind 1 Set go,
            IndHEq ind 2 Eq go, IndHGt ind 2 Gt go, IndHGe ind 2 Ge go, IndHSet ind 2 Set go,
            IndWEq ind 4 Eq go, IndWGt ind 4 Gt go, IndWGe ind 4 Ge go, IndWSet ind 4 Set go,
            AbsBEqPick abs 1 Eq pick, AbsBGtPick abs 1 Gt pick, AbsBGePick abs 1 Ge pick, AbsBSetPick abs 1 Set pick,
            AbsHEqPick abs 2 Eq pick, AbsHGtPick abs 2 Gt pick, AbsHGePick abs 2 Ge pick, AbsHSetPick abs 2 Set pick,
            AbsWEqPick abs 4 Eq pick, AbsWGtPick abs 4 Gt pick, AbsWGePick abs 4 Ge pick, AbsWSetPick abs 4 Set pick,
            IndBEqPick ind 1 Eq pick, IndBGtPick ind 1 Gt pick, IndBGePick ind 1 Ge pick, IndBSetPick ind 1 Set pick,
            IndHEqPick ind 2 Eq pick, IndHGtPick ind 2 Gt pick, IndHGePick ind 2 Ge pick, IndHSetPick ind 2 Set pick,
            IndWEqPick ind 4 Eq pick, IndWGtPick ind 4 Gt pick, IndWGePick ind 4 Ge pick, IndWSetPick ind 4 Set pick,
        }
    };
}
pub(super) use for_each_fused;

use oxbpf_isa::cbpf::{Ext, M};

/// Where a condition leads: indices of operations.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ways {
    pub(super) holds: u16,
    pub(super) fails: u16,
}

/// A load and a comparison with a constant.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fused {
    pub(super) off: u32,
    pub(super) k: u32,
    pub(super) ways: Ways,
}

macro_rules! ops {
    ($($fused:ident $kind:ident $bytes:literal $cond:ident $way:ident,)*) => {
        /// One operation. A fused one does the work of its instruction and the next, which keeps its own operation for
        /// those that jump there.
        #[derive(Clone, Copy, Debug)]
        pub(super) enum Op {
            $($fused(Fused),)*
            LdImm(u32),
            LdLen,
            LdMem(M),
            AbsB(u32),
            AbsH(u32),
            AbsW(u32),
            IndB(u32),
            IndH(u32),
            IndW(u32),
            Ext(Ext),
            LdxImm(u32),
            LdxLen,
            LdxMem(M),
            LdxMsh(u32),
            St(M),
            Stx(M),
            AddK(u32),
            SubK(u32),
            MulK(u32),
            DivK(u32),
            OrK(u32),
            AndK(u32),
            LshK(u32),
            RshK(u32),
            ModK(u32),
            XorK(u32),
            AddX,
            SubX,
            MulX,
            DivX,
            OrX,
            AndX,
            LshX,
            RshX,
            ModX,
            XorX,
            Neg,
            Jump(u16),
            EqK(u32, Ways),
            GtK(u32, Ways),
            GeK(u32, Ways),
            SetK(u32, Ways),
            /// Equal to either number.
            EqEitherK([u32; 2], Ways),
            EqX(Ways),
            GtX(Ways),
            GeX(Ways),
            SetX(Ways),
            RetK(u32),
            RetA,
            RetX,
            Tax,
            Txa,
        }
    };
}
for_each_fused!(ops);

const _: () = assert!(size_of::<Op>() <= 16);

impl Op {
    /// Whether this is for the whole loop only: it asks the host.
    pub(super) const fn needs_whole(&self) -> bool {
        matches!(self, Op::Ext(_))
    }
}
