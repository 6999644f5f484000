//! Operations: instructions with the choices of size, operator and operand made, and jumps as indices.

/// Calls the given macro with the loads that are fused with the comparison behind them: the operation, whether X is
/// added to the offset, the bytes and the condition.
macro_rules! for_each_fused {
    ($then:ident) => {
        $then! {
            AbsBEq abs 1 Eq, AbsBGt abs 1 Gt, AbsBGe abs 1 Ge, AbsBSet abs 1 Set,
            AbsHEq abs 2 Eq, AbsHGt abs 2 Gt, AbsHGe abs 2 Ge, AbsHSet abs 2 Set,
            AbsWEq abs 4 Eq, AbsWGt abs 4 Gt, AbsWGe abs 4 Ge, AbsWSet abs 4 Set,
            IndBEq ind 1 Eq, IndBGt ind 1 Gt, IndBGe ind 1 Ge, IndBSet ind 1 Set,
            IndHEq ind 2 Eq, IndHGt ind 2 Gt, IndHGe ind 2 Ge, IndHSet ind 2 Set,
            IndWEq ind 4 Eq, IndWGt ind 4 Gt, IndWGe ind 4 Ge, IndWSet ind 4 Set,
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
    ($($fused:ident $kind:ident $bytes:literal $cond:ident,)*) => {
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
