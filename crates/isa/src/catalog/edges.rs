//! Edge rules: where an instruction's meaning is more than its formula, and which operands show it.

use super::{Form, Kind};
use crate::eval::sign_extend;
use crate::ops::{AluOp, AtomicOp, Cond, MemSize, Width};

/// A rule about an edge of an instruction's meaning.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[allow(missing_docs)]
pub enum Edge {
    Wraps,
    ZeroDivisor,
    SignedOverflow,
    SignedOperands,
    ShiftCount,
    UpperHalfCleared,
    ImmSignExtended,
    SignExtends,
    ZeroExtends,
    Truncates,
    LowHalfCompared,
    Taken,
    NotTaken,
    SignedOrder,
    UnsignedOrder,
    FetchesOld,
    ExchangeHit,
    ExchangeMiss,
}

/// What an [`Edge`] is called and says.
#[derive(Clone, Copy, Debug)]
pub struct EdgeRow {
    /// The rule.
    pub edge: Edge,
    /// Its name.
    pub name: &'static str,
    /// The rule in words.
    pub rule: &'static str,
}

const fn row(edge: Edge, name: &'static str, rule: &'static str) -> EdgeRow {
    EdgeRow { edge, name, rule }
}

impl Edge {
    /// All rules, in the order of the enum.
    pub const ROWS: [EdgeRow; 18] = [
        row(Edge::Wraps, "wraps", "a result that does not fit is taken modulo two to the width"),
        row(Edge::ZeroDivisor, "zero-divisor", "division by zero gives 0; the remainder by zero is the dividend"),
        row(Edge::SignedOverflow, "signed-overflow", "the most negative number divided by -1 is itself, remainder 0"),
        row(Edge::SignedOperands, "signed-operands", "operands are signed; a remainder has the dividend's sign"),
        row(Edge::ShiftCount, "shift-count", "a shift count is taken modulo the width"),
        row(
            Edge::UpperHalfCleared,
            "upper-half-cleared",
            "an operation on 32 bits clears the upper half of its register",
        ),
        row(Edge::ImmSignExtended, "imm-sign-extended", "the immediate is extended to 64 bits by its sign"),
        row(Edge::SignExtends, "sign-extends", "the upper bits are copies of the sign"),
        row(Edge::ZeroExtends, "zero-extends", "the upper bits are zero"),
        row(Edge::Truncates, "truncates", "only the low bits count"),
        row(Edge::LowHalfCompared, "low-half-compared", "a comparison on 32 bits does not see the upper halves"),
        row(Edge::Taken, "taken", "where the comparison holds, the jump is taken"),
        row(Edge::NotTaken, "not-taken", "where it does not hold, the next instruction follows"),
        row(Edge::SignedOrder, "signed-order", "the comparison is signed: -1 is less than 0"),
        row(Edge::UnsignedOrder, "unsigned-order", "the comparison is unsigned: all ones are the greatest number"),
        row(Edge::FetchesOld, "fetches-old", "the source register gets what memory held, zero-extended"),
        row(Edge::ExchangeHit, "exchange-hit", "where memory equals r0, it gets the source; r0 gets what memory held"),
        row(
            Edge::ExchangeMiss,
            "exchange-miss",
            "where it differs, memory stays; r0 gets what memory held, zero-extended",
        ),
    ];

    /// This rule's row.
    pub const fn row(self) -> &'static EdgeRow {
        &Self::ROWS[self as usize]
    }

    /// Its name, as in `zero-divisor`.
    pub const fn name(self) -> &'static str {
        self.row().name
    }

    /// Whether the rule binds this instruction.
    pub fn binds(self, kind: Kind, form: Form) -> bool {
        match (self, kind) {
            (Edge::Wraps, Kind::Alu(AluOp::Add | AluOp::Sub | AluOp::Mul, _)) => true,
            (Edge::Wraps, Kind::Neg(_) | Kind::Atomic(AtomicOp::Add | AtomicOp::FetchAdd, _)) => true,
            (Edge::ZeroDivisor, Kind::Alu(AluOp::Div | AluOp::SDiv | AluOp::Mod | AluOp::SMod, _)) => true,
            (Edge::SignedOverflow | Edge::SignedOperands, Kind::Alu(AluOp::SDiv | AluOp::SMod, _)) => true,
            (Edge::ShiftCount, Kind::Alu(AluOp::Lsh | AluOp::Rsh | AluOp::Arsh, _)) => true,
            (Edge::UpperHalfCleared, Kind::Alu(_, Width::W32) | Kind::Neg(Width::W32)) => true,
            (Edge::UpperHalfCleared, Kind::MovSx(op)) => op.width() == Width::W32,
            (Edge::ImmSignExtended, Kind::Alu(op, Width::W64)) => form == Form::Imm && !is_shift(op),
            (Edge::ImmSignExtended, Kind::JumpIf(_, Width::W64) | Kind::Store(MemSize::Dw)) => form == Form::Imm,
            (Edge::SignExtends, Kind::MovSx(_) | Kind::LoadSx(_) | Kind::Alu(AluOp::Arsh, _)) => true,
            (Edge::ZeroExtends, Kind::Load(size) | Kind::LoadAcquire(size)) => size != MemSize::Dw,
            (Edge::ZeroExtends, Kind::Endian(op)) => op.row().bits < 64,
            (Edge::Truncates, Kind::Store(size) | Kind::StoreRelease(size)) => size != MemSize::Dw,
            (Edge::Truncates, Kind::Atomic(_, Width::W32)) => true,
            (Edge::LowHalfCompared, Kind::JumpIf(_, Width::W32)) => true,
            (Edge::Taken | Edge::NotTaken, Kind::JumpIf(..)) => true,
            (Edge::SignedOrder, Kind::JumpIf(Cond::SGt | Cond::SGe | Cond::SLt | Cond::SLe, _)) => true,
            (Edge::UnsignedOrder, Kind::JumpIf(Cond::Gt | Cond::Ge | Cond::Lt | Cond::Le, _)) => true,
            (Edge::FetchesOld, Kind::Atomic(op, _)) => op.fetches() && op != AtomicOp::Cmpxchg,
            (Edge::ExchangeHit | Edge::ExchangeMiss, Kind::Atomic(AtomicOp::Cmpxchg, _)) => true,
            _ => false,
        }
    }

    /// Whether these operands show the rule on an instruction that it [binds](Edge::binds).
    ///
    /// `a` is the destination register or what memory held, `b` the source, `r0` what cmpxchg compares with. Of an
    /// instruction with one operand, that is `a`. Immediates are given as 64 bits, extended by their sign.
    pub fn shown(self, kind: Kind, a: u64, b: u64, r0: u64) -> bool {
        let width = kind.width();
        let bits = width.bits();
        let low = |v: u64| v & mask(bits);
        let negative = |v: u64| low(v) >> (bits - 1) != 0;
        match self {
            Edge::Wraps => wraps(kind, low(a), low(b), bits),
            Edge::ZeroDivisor => low(b) == 0,
            Edge::SignedOverflow => low(a) == 1 << (bits - 1) && low(b) == mask(bits),
            Edge::SignedOperands => negative(a) != negative(b) && low(b) != 0,
            Edge::ShiftCount => low(b) >= u64::from(bits),
            // A move does not look at its destination, which may hold anything.
            Edge::UpperHalfCleared => a >> 32 != 0,
            Edge::LowHalfCompared => a >> 32 != b >> 32,
            Edge::ImmSignExtended => b >> 32 == u64::from(u32::MAX),
            Edge::SignExtends => match kind {
                Kind::MovSx(op) => sign_extend(a, op.from_bits()) >> 63 != 0,
                Kind::LoadSx(size) => sign_extend(a, size.size().bytes() * 8) >> 63 != 0,
                _ => negative(a) && low(b) != 0,
            },
            Edge::ZeroExtends => a >> kind.value_bits() != 0,
            Edge::Truncates => match kind {
                Kind::Atomic(..) => a >> 32 != 0 && b >> 32 != 0,
                _ => b >> kind.value_bits() != 0,
            },
            Edge::Taken | Edge::NotTaken => match kind {
                Kind::JumpIf(cond, width) => cond.eval(width, a, b) == (self == Edge::Taken),
                _ => false,
            },
            Edge::SignedOrder | Edge::UnsignedOrder => negative(a) != negative(b),
            Edge::FetchesOld => low(a) != low(b),
            Edge::ExchangeHit => low(a) == low(r0),
            Edge::ExchangeMiss => low(a) != low(r0),
        }
    }
}

fn wraps(kind: Kind, a: u64, b: u64, bits: u32) -> bool {
    let (a, b) = (u128::from(a), u128::from(b));
    match kind {
        Kind::Neg(_) => a == 1 << (bits - 1),
        Kind::Alu(AluOp::Sub, _) => b > a,
        Kind::Alu(AluOp::Mul, _) => (a * b) >> bits != 0,
        _ => (a + b) >> bits != 0,
    }
}

const fn mask(bits: u32) -> u64 {
    u64::MAX >> (64 - bits)
}

const fn is_shift(op: AluOp) -> bool {
    matches!(op, AluOp::Lsh | AluOp::Rsh | AluOp::Arsh)
}

impl Kind {
    /// How many bits it works on.
    pub const fn width(self) -> Width {
        match self {
            Kind::Alu(_, width) | Kind::Neg(width) | Kind::JumpIf(_, width) | Kind::Atomic(_, width) => width,
            Kind::MovSx(op) => op.width(),
            _ => Width::W64,
        }
    }

    /// How many bits of a value count where they are fewer than 64: of memory accesses and byte order operations.
    const fn value_bits(self) -> u32 {
        match self {
            Kind::Load(size) | Kind::Store(size) | Kind::LoadAcquire(size) | Kind::StoreRelease(size) => {
                size.bytes() * 8 % 64
            }
            Kind::Endian(op) => op.row().bits as u32 % 64,
            _ => 0,
        }
    }

    /// The edge rules that bind it in this form.
    pub fn edges(self, form: Form) -> impl Iterator<Item = Edge> {
        Edge::ROWS.iter().map(|row| row.edge).filter(move |edge| edge.binds(self, form))
    }
}
