//! The meaning of operators at the edges, against values worked out by hand from RFC 9669.

use oxbpf_isa::{AluOp, AtomicOp, Cond, EndianOp, MovSx, Width, sign_extend};

use AluOp::*;
use Width::{W32, W64};

const MIN64: u64 = 1 << 63;
const MIN32: u64 = 1 << 31;
const ONES32: u64 = 0xffff_ffff;
/// A value with something in the upper half, which 32-bit operations must not see.
const HIGH: u64 = 0xdead_beef_0000_0000;

#[test]
fn alu() {
    let minus = |n: i64| -n as u64;
    let rows: &[(AluOp, Width, u64, u64, u64)] = &[
        // Section 4.1: a zero divisor yields zero, a zero modulus the dividend.
        (Div, W64, 7, 0, 0),
        (SDiv, W64, 7, 0, 0),
        (Mod, W64, 7, 0, 7),
        (SMod, W64, minus(7), 0, minus(7)),
        (Div, W32, HIGH | 7, HIGH, 0),
        (SDiv, W32, HIGH | 7, HIGH, 0),
        (Mod, W32, HIGH | 7, HIGH, 7),
        (SMod, W32, HIGH | ONES32, HIGH, ONES32),
        // The most negative number divided by -1 is itself, without a remainder.
        (SDiv, W64, MIN64, u64::MAX, MIN64),
        (SMod, W64, MIN64, u64::MAX, 0),
        (SDiv, W32, MIN32, ONES32, MIN32),
        (SMod, W32, MIN32, ONES32, 0),
        // Unsigned, the same operands are large.
        (Div, W64, MIN64, u64::MAX, 0),
        (Mod, W64, MIN64, u64::MAX, MIN64),
        (Div, W32, HIGH | ONES32, HIGH | 2, 0x7fff_ffff),
        // Division rounds towards zero: -13 / 3 == -4, -13 % 3 == -1.
        (SDiv, W64, minus(13), 3, minus(4)),
        (SMod, W64, minus(13), 3, minus(1)),
        (SDiv, W64, 13, minus(3), minus(4)),
        (SMod, W64, 13, minus(3), 1),
        (SDiv, W32, minus(13), 3, ONES32 - 3),
        (SMod, W32, minus(13), 3, ONES32),
        // Shift counts are masked with 0x3f or 0x1f.
        (Lsh, W64, 1, 63, MIN64),
        (Lsh, W64, 1, 64, 1),
        (Lsh, W64, 1, u64::MAX, MIN64),
        (Lsh, W32, 1, 31, MIN32),
        (Lsh, W32, 1, 32, 1),
        (Lsh, W32, 3, 31, MIN32),
        (Rsh, W64, MIN64, 63, 1),
        (Rsh, W64, MIN64, 65, MIN64 >> 1),
        (Rsh, W32, HIGH | MIN32, 31, 1),
        (Rsh, W32, HIGH | MIN32, 33, MIN32 >> 1),
        (Arsh, W64, MIN64, 63, u64::MAX),
        (Arsh, W64, MIN64, 64, MIN64),
        (Arsh, W32, MIN32, 31, ONES32),
        (Arsh, W32, HIGH | 0x7fff_ffff, 30, 1),
        (Arsh, W32, MIN32, 32, MIN32),
        // Arithmetic wraps; a 32-bit result clears the upper half.
        (Add, W64, u64::MAX, 1, 0),
        (Add, W32, HIGH | ONES32, 1, 0),
        (Sub, W64, 0, 1, u64::MAX),
        (Sub, W32, HIGH, 1, ONES32),
        (Mul, W64, MIN64, 2, 0),
        (Mul, W32, 0x1_0000, 0x1_0000, 0),
        (Mul, W64, ONES32, ONES32, 0xffff_fffe_0000_0001),
        (Or, W32, HIGH | 1, HIGH | 2, 3),
        (And, W32, u64::MAX, u64::MAX, ONES32),
        (Xor, W32, HIGH, 0, 0),
        (Xor, W64, u64::MAX, u64::MAX, 0),
        (Mov, W64, 5, u64::MAX, u64::MAX),
        (Mov, W32, 5, u64::MAX, ONES32),
    ];
    for &(op, width, a, b, want) in rows {
        assert_eq!(op.eval(width, a, b), want, "{a:#x} {op:?} {b:#x}, {width:?}");
    }
}

#[test]
fn conditions() {
    let rows: &[(Cond, Width, u64, u64, bool)] = &[
        (Cond::Eq, W64, HIGH | 1, 1, false),
        (Cond::Eq, W32, HIGH | 1, 1, true),
        (Cond::Ne, W32, HIGH | 1, 1, false),
        (Cond::Gt, W64, u64::MAX, 0, true),
        (Cond::SGt, W64, u64::MAX, 0, false),
        (Cond::Gt, W32, MIN32, 0x7fff_ffff, true),
        (Cond::SGt, W32, MIN32, 0x7fff_ffff, false),
        (Cond::SLt, W32, MIN32, 0x7fff_ffff, true),
        (Cond::SLt, W64, MIN32, 0x7fff_ffff, false),
        (Cond::Lt, W32, HIGH, 1, true),
        (Cond::Lt, W64, HIGH, 1, false),
        (Cond::Ge, W64, 3, 3, true),
        (Cond::Le, W64, 3, 3, true),
        (Cond::SGe, W32, ONES32, 0, false),
        (Cond::SLe, W64, MIN64, MIN64, true),
        (Cond::Set, W64, MIN64, MIN64, true),
        (Cond::Set, W64, 1, 2, false),
        // The upper half is not tested, and no sign is extended into it.
        (Cond::Set, W32, HIGH, HIGH, false),
        (Cond::Set, W32, MIN32, ONES32, true),
    ];
    for &(cond, width, a, b, want) in rows {
        assert_eq!(cond.eval(width, a, b), want, "{a:#x} {cond:?} {b:#x}, {width:?}");
    }
}

#[test]
fn byte_order() {
    let v = 0x0123_4567_89ab_cdef;
    let rows = [
        (EndianOp::Le16, 0xcdef),
        (EndianOp::Le32, 0x89ab_cdef),
        (EndianOp::Le64, v),
        (EndianOp::Be16, 0xefcd),
        (EndianOp::Be32, 0xefcd_ab89),
        (EndianOp::Be64, 0xefcd_ab89_6745_2301),
        (EndianOp::Swap16, 0xefcd),
        (EndianOp::Swap32, 0xefcd_ab89),
        (EndianOp::Swap64, 0xefcd_ab89_6745_2301),
    ];
    for (op, want) in rows {
        assert_eq!(op.eval(v), want, "{op:?}");
    }
}

#[test]
fn sign_extending_moves() {
    let rows = [
        (MovSx::W32From8, 0x80, 0xffff_ff80),
        (MovSx::W32From8, HIGH | 0x17f, 0x7f),
        (MovSx::W32From16, 0x8000, 0xffff_8000),
        (MovSx::W64From8, 0x80, 0xffff_ffff_ffff_ff80),
        (MovSx::W64From16, 0x1_7fff, 0x7fff),
        (MovSx::W64From32, MIN32, 0xffff_ffff_8000_0000),
        (MovSx::W64From32, HIGH | 0x7fff_ffff, 0x7fff_ffff),
    ];
    for (op, v, want) in rows {
        assert_eq!(op.eval(v), want, "{op:?} of {v:#x}");
    }
    assert_eq!(sign_extend(1, 1), u64::MAX);
    assert_eq!(sign_extend(MIN64, 64), MIN64);
}

#[test]
fn atomics() {
    let rows: &[(AtomicOp, Width, u64, u64, u64, u64)] = &[
        (AtomicOp::Add, W64, u64::MAX, 1, 9, 0),
        (AtomicOp::FetchAdd, W32, ONES32, 1, 9, 0),
        (AtomicOp::Or, W64, 1, 2, 9, 3),
        (AtomicOp::FetchOr, W32, MIN32, 1, 9, MIN32 | 1),
        (AtomicOp::And, W64, 3, 6, 9, 2),
        (AtomicOp::FetchAnd, W32, ONES32, 0, 9, 0),
        (AtomicOp::Xor, W64, 3, 6, 9, 5),
        (AtomicOp::FetchXor, W32, ONES32, ONES32, 9, 0),
        (AtomicOp::Xchg, W64, 3, 6, 9, 6),
        (AtomicOp::Cmpxchg, W64, 3, 6, 3, 6),
        (AtomicOp::Cmpxchg, W64, 3, 6, 4, 3),
    ];
    for &(op, width, old, src, r0, want) in rows {
        assert_eq!(op.eval(width, old, src, r0), want, "{op:?} {width:?} of {old:#x}, {src:#x}");
    }
}

/// A plain reading of the table in section 4.1, in wide integers, for whatever the rows above left out.
#[test]
fn alu_agrees_with_wide_arithmetic() {
    let values =
        [0, 1, 2, 3, 31, 32, 63, 64, 0x7fff_ffff, MIN32, ONES32, 1 << 32, MIN64 - 1, MIN64, u64::MAX - 1, u64::MAX];
    for row in &AluOp::ROWS {
        for width in Width::ALL {
            for a in values {
                for b in values {
                    assert_eq!(
                        row.op.eval(width, a, b),
                        plain(row.op, width, a, b),
                        "{a:#x} {:?} {b:#x} {width:?}",
                        row.op
                    );
                }
            }
        }
    }
}

fn plain(op: AluOp, width: Width, a: u64, b: u64) -> u64 {
    let mask = if width == W64 { u64::MAX } else { ONES32 };
    let unsigned = |v: u64| i128::from(v & mask);
    let signed = |v: u64| i128::from(sign_extend(v, width.bits()) as i64);
    let (ua, ub, sa, sb) = (unsigned(a), unsigned(b), signed(a), signed(b));
    let count = ub % i128::from(width.bits());
    let wide = match op {
        Add => ua + ub,
        Sub => ua - ub,
        // The low bits of a product do not depend on signs, and a signed product fits.
        Mul => sa * sb,
        Div if ub == 0 => 0,
        Div => ua / ub,
        SDiv if sb == 0 => 0,
        SDiv => sa / sb,
        Mod if ub == 0 => ua,
        Mod => ua % ub,
        SMod if sb == 0 => sa,
        SMod => sa % sb,
        Or => ua | ub,
        And => ua & ub,
        Xor => ua ^ ub,
        Mov => ub,
        Lsh => ua << count,
        Rsh => ua >> count,
        Arsh => sa >> count,
    };
    wide as u64 & mask
}
