//! Scalars are sound: a number that was possible before is possible after, whatever was done to it.

use oxbpf_isa::{AluOp, Cond, EndianOp, MovSx, Width};
use oxbpf_verifier::scalar::{Scalar, Test, Tnum};
use proptest::prelude::*;

/// Numbers near the edges of words, small ones, and any.
fn number() -> impl Strategy<Value = u64> {
    let edge = (0..64u32, 0..5u64).prop_map(|(bit, by)| (1u64 << bit).wrapping_add(by).wrapping_sub(2));
    let small = (-40..40i64).prop_map(|v| v as u64);
    let narrow = (any::<u64>(), 0..64u32).prop_map(|(v, by)| ((v as i64) >> by) as u64);
    prop_oneof![edge, small, narrow, any::<u64>()]
}

/// An interval around `v`, of some reading of it; mostly a wide one.
macro_rules! around {
    ($name:ident, $number:ty) => {
        fn $name(v: $number, below: u64, above: u64) -> ($number, $number) {
            let reach = |by: u64| <$number>::try_from(by).unwrap_or(<$number>::MAX);
            (v.saturating_sub(reach(below)), v.saturating_add(reach(above)))
        }
    };
}
around!(around_u64, u64);
around!(around_i64, i64);
around!(around_u32, u32);
around!(around_i32, i32);

/// A number, and a scalar that it belongs to and whose views agree.
fn member() -> impl Strategy<Value = (u64, Scalar)> {
    let reach = prop_oneof![Just(u64::MAX), number(), 0..20u64];
    (number(), number(), prop::collection::vec(reach, 8), 0..16u8).prop_map(|(v, mask, reach, kinds)| {
        let mut scalar = Scalar::UNKNOWN;
        if kinds & 1 != 0 {
            scalar.tnum = Tnum { value: v & !mask, mask };
        }
        if kinds & 2 != 0 {
            (scalar.umin, scalar.umax) = around_u64(v, reach[0], reach[1]);
            (scalar.smin, scalar.smax) = around_i64(v as i64, reach[2], reach[3]);
        }
        if kinds & 4 != 0 {
            (scalar.u32_min, scalar.u32_max) = around_u32(v as u32, reach[4], reach[5]);
            (scalar.s32_min, scalar.s32_max) = around_i32(v as i32, reach[6], reach[7]);
        }
        if kinds == 15 {
            scalar = Scalar::constant(v);
        }
        assert!(scalar.contains(v));
        scalar.sync();
        (v, scalar)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn agreement_keeps_members((v, scalar) in member()) {
        let mut again = scalar;
        for _ in 0..3 {
            prop_assert!(again.contains(v), "{v:#x} in {scalar:?}, {again:?}");
            prop_assert!(!again.is_contradictory(), "{again:?}");
            again.sync();
        }
        prop_assert_eq!(scalar.settled(), scalar);
    }

    #[test]
    fn operations_keep_members((v, a) in member(), (w, b) in member()) {
        for width in Width::ALL {
            for row in AluOp::ROWS {
                let (result, concrete) = (Scalar::alu(row.op, width, &a, &b), row.op.eval(width, v, w));
                prop_assert!(result.contains(concrete), "{:?} {width:?} {v:#x} {w:#x}: {concrete:#x} {result:?}", row.op);
                prop_assert!(!result.is_contradictory());
                if let Some(fork) = Scalar::fork(row.op, width, &a, &b) {
                    prop_assert!(fork.now.contains(v) || fork.later.contains(v), "{v:#x} {fork:?}");
                }
            }
            let negated = AluOp::Sub.eval(width, 0, v);
            prop_assert!(a.neg(width).contains(negated));
        }
    }

    #[test]
    fn conversions_keep_members((v, scalar) in member()) {
        for row in EndianOp::ROWS {
            prop_assert!(scalar.endian(row.op).contains(row.op.eval(v)), "{:?} {v:#x} {scalar:?}", row.op);
        }
        for op in MovSx::ALL {
            prop_assert!(scalar.movsx(op).contains(op.eval(v)), "{op:?} {v:#x} {scalar:?}");
        }
        for bytes in [1, 2, 4, 8] {
            let low = v & u64::MAX >> (64 - 8 * bytes);
            prop_assert!(scalar.truncate(bytes).contains(low));
            prop_assert!(scalar.sign_load(bytes).contains(oxbpf_isa::sign_extend(v, 8 * bytes)));
        }
    }

    #[test]
    fn comparisons_keep_members((v, a) in member(), (w, b) in member()) {
        for width in Width::ALL {
            for row in Cond::ROWS {
                let holds = row.cond.eval(width, v, w);
                prop_assert_ne!(Scalar::decide(row.cond, width, &a, &b), Some(!holds), "{:?} {:#x} {:#x}", row.cond, v, w);
                let test = Test::of(row.cond, holds);
                prop_assert!(test.eval(width, v, w));
                let (x, y) = Scalar::refine(test, width, a, b);
                prop_assert!(x.contains(v) && y.contains(w), "{test:?} {width:?} {v:#x} {w:#x}: {x:?} {y:?}");
                let same = Test::of(row.cond, row.cond.eval(width, v, v));
                prop_assert!(Scalar::refine_same(same, width, a).contains(v));
                prop_assert_ne!(Scalar::decide(row.cond, width, &a, &a), Some(!row.cond.eval(width, v, v)));
            }
        }
    }

    #[test]
    fn long_runs_stay_sound((v, a) in member(), seed in any::<u64>()) {
        let (mut v, mut a, mut seed) = (v, a, seed);
        for _ in 0..30 {
            seed = seed.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
            let pick = (seed >> 33) as usize;
            let k = (seed as u32 % 70) as u64;
            let b = Scalar::constant(k);
            let width = Width::ALL[pick / 100 % 2];
            if pick.is_multiple_of(3) {
                let cond = Cond::ROWS[pick / 200 % 11].cond;
                a = Scalar::refine(Test::of(cond, cond.eval(width, v, k)), width, a, b).0;
            } else {
                let op = AluOp::ROWS[pick / 200 % 14].op;
                a = Scalar::alu(op, width, &a, &b);
                v = op.eval(width, v, k);
            }
            prop_assert!(a.contains(v) && !a.is_contradictory());
        }
    }
}

/// All tristate numbers of `bits` bits.
fn tnums(bits: u32) -> impl Iterator<Item = Tnum> + Clone {
    (0..1u64 << bits).flat_map(move |mask| {
        (0..1u64 << bits).filter(move |value| value & mask == 0).map(move |value| Tnum { value, mask })
    })
}

fn members(tnum: Tnum, bits: u32) -> impl Iterator<Item = u64> {
    (0..1u64 << bits).filter(move |&v| tnum.has(v))
}

/// The best tristate number for these.
fn hull(of: impl Iterator<Item = u64>) -> Option<Tnum> {
    of.map(Tnum::constant).reduce(Tnum::union)
}

#[test]
fn bits_are_exact() {
    const BITS: u32 = 4;
    type Op = (&'static str, fn(Tnum, Tnum) -> Tnum, fn(u64, u64) -> u64);
    const OPS: [Op; 5] = [
        ("add", Tnum::add, u64::wrapping_add),
        ("sub", Tnum::sub, u64::wrapping_sub),
        ("and", Tnum::and, |a, b| a & b),
        ("or", Tnum::or, |a, b| a | b),
        ("xor", Tnum::xor, |a, b| a ^ b),
    ];
    for a in tnums(BITS) {
        for b in tnums(BITS) {
            for (name, ours, concrete) in OPS {
                let best = hull(members(a, BITS).flat_map(|v| members(b, BITS).map(move |w| concrete(v, w))));
                assert_eq!(Some(ours(a, b)), best, "{name} {a} {b}");
            }
            let product = a.mul(b);
            assert!(members(a, BITS).all(|v| members(b, BITS).all(|w| product.has(v * w))), "mul {a} {b}");
            let common = || members(a, BITS).filter(|&v| b.has(v));
            assert_eq!(a.overlaps(b), common().next().is_some(), "{a} {b}");
            assert_eq!(a.contains(b), members(b, BITS).all(|v| a.has(v)), "{a} {b}");
            if a.overlaps(b) {
                assert_eq!(Some(a.intersect(b)), hull(common()), "{a} {b}");
            }
        }
        assert_eq!(Some(a.neg()), hull(members(a, BITS).map(u64::wrapping_neg)));
        for v in 0..1 << BITS {
            assert_eq!(a.next(v), members(a, BITS).find(|&w| w > v).unwrap_or(a.max()), "{a} after {v}");
        }
    }
}

#[test]
fn bits_of_ranges_are_exact() {
    for min in 0..64 {
        for max in min..64 {
            assert_eq!(Some(Tnum::range(min, max)), hull(min..=max));
        }
    }
    assert_eq!(Tnum::range(0, u64::MAX), Tnum::UNKNOWN);
    assert_eq!(Tnum::range(5, 5), Tnum::constant(5));
}

#[test]
fn bits_move() {
    let bits = Tnum { value: 0x8000_0000_0000_0012, mask: 0x0f00_0000_8000_0300 };
    for shift in 0..64 {
        for v in [bits.value, bits.max(), bits.value | 0x0500_0000_8000_0100] {
            assert!(bits.lsh(shift).has(v << shift) && bits.rsh(shift).has(v >> shift));
            assert!(bits.arsh(shift).has((v as i64 >> shift) as u64));
            assert!(shift > 31 || bits.subreg().arsh32(shift).has(((v as i32) >> shift) as u32 as u64));
        }
    }
    assert_eq!(bits.swap_bytes(8).swap_bytes(8), bits);
    assert_eq!(bits.clear_subreg().with_subreg(bits), bits);
    assert!(
        Tnum { value: 8, mask: 0x10 }.is_aligned(8) && !bits.is_aligned(4) && bits.is_aligned(2) && bits.is_aligned(0)
    );
    assert_eq!(Tnum { value: 0, mask: 0xff }.to_string(), "(0x0; 0xff)");
}

#[test]
fn intervals_within_intervals() {
    let (byte, any) = (Scalar::UNKNOWN.truncate(1), Scalar::UNKNOWN);
    assert!(any.contains_range(&byte) && byte.contains_range(&byte) && !byte.contains_range(&any));
    assert!(byte.contains_range(&Scalar::constant(255)) && !byte.contains_range(&Scalar::constant(256)));
}

#[test]
fn texts_of_the_log() {
    let texts = [
        (Scalar::UNKNOWN, "scalar()"),
        (Scalar::constant(5), "5"),
        (Scalar::constant(u64::MAX), "-1"),
        (Scalar::constant(0x1_0000), "0x10000"),
        (Scalar::UNKNOWN.truncate(4), "scalar(smin=0,smax=umax=0xffffffff,var_off=(0x0; 0xffffffff))"),
        (Scalar::UNKNOWN.sign_load(4), "scalar(smin=0xffffffff80000000,smax=0x7fffffff)"),
        (Scalar::UNKNOWN.sign_load(1), "scalar(smin=smin32=-128,smax=smax32=127)"),
    ];
    for (scalar, text) in texts {
        assert_eq!(scalar.kernel_text(false), text);
        assert_eq!(scalar.kernel_text(true), format!("P{text}"));
    }
    let mut text = String::new();
    Scalar::UNKNOWN.truncate(1).write_kernel(&mut text, false, "id=7").unwrap();
    assert_eq!(text, "scalar(id=7,smin=smin32=0,smax=umax=smax32=umax32=255,var_off=(0x0; 0xff))");
}

#[test]
fn masks_fork() {
    let sign =
        |width: Width, of: &Scalar| Scalar::alu(AluOp::Arsh, width, of, &Scalar::constant(u64::from(width.bits()) - 1));
    let three = Scalar::constant(3);
    let whole = sign(Width::W64, &Scalar::UNKNOWN);
    let fork = Scalar::fork(AluOp::And, Width::W32, &whole, &three).unwrap();
    assert_eq!((fork.now, fork.later), (Scalar::constant(u64::MAX), Scalar::constant(0)));
    let half = sign(Width::W32, &Scalar::UNKNOWN);
    let fork = Scalar::fork(AluOp::Or, Width::W64, &half, &three).unwrap();
    assert_eq!((fork.now.as_const(), fork.later.as_const()), (Some(0xffff_ffff), Some(0)));
    // No other operator forks, no other number, and not by what is not one known number.
    assert_eq!(Scalar::fork(AluOp::Xor, Width::W64, &whole, &three), None);
    assert_eq!(Scalar::fork(AluOp::And, Width::W64, &Scalar::UNKNOWN.truncate(1), &three), None);
    assert_eq!(Scalar::fork(AluOp::And, Width::W64, &whole, &half), None);
}

#[test]
fn ties() {
    use oxbpf_verifier::scalar::Link;
    let (byte, five) = (Scalar::UNKNOWN.truncate(1), Scalar::constant(5));
    let tied = Link::NONE.for_copy(&byte, || 7);
    assert_eq!(tied, Link { id: 7, delta: None });
    assert_eq!(tied.for_copy(&byte, || 8), tied);
    assert_eq!(Link::NONE.for_copy(&five, || 8), Link::NONE);
    let more = tied.after(AluOp::Add, Width::W64, &byte, &five);
    assert_eq!(more.delta, Some((Width::W64, 5)));
    assert_eq!(tied.after(AluOp::Sub, Width::W32, &byte, &five).delta, Some((Width::W32, -5)));
    // Twice is once too often; what is cut off, too far, or no sum cannot be undone.
    assert_eq!(more.after(AluOp::Add, Width::W64, &byte, &five), Link::NONE);
    assert_eq!(more.for_copy(&byte, || 9), Link { id: 9, delta: None });
    assert_eq!(tied.after(AluOp::Add, Width::W32, &Scalar::UNKNOWN, &five), Link::NONE);
    assert_eq!(tied.after(AluOp::Add, Width::W64, &byte, &Scalar::constant(1 << 31)), Link::NONE);
    assert_eq!(tied.after(AluOp::Sub, Width::W64, &byte, &Scalar::constant(i32::MIN as i64 as u64)), Link::NONE);
    assert_eq!(tied.after(AluOp::Mul, Width::W64, &byte, &five), Link::NONE);
    // `r2 = r1 + 5` and `r1 < 10`.
    let (known, _) = Scalar::refine(Test::Holds(Cond::Lt), Width::W64, byte, Scalar::constant(10));
    let (sum, link) = Scalar::follow(more, &known, tied).unwrap();
    assert_eq!((sum.umin, sum.umax, link), (5, 14, more));
    assert_eq!(Scalar::follow(tied, &known, tied), Some((known, tied)));
    assert_eq!(Scalar::follow(Link { id: 3, ..more }, &known, tied), None);
    assert_eq!(Scalar::follow(more, &known, tied.after(AluOp::Add, Width::W32, &byte, &five)), None);
    assert_eq!(Scalar::follow(Link::NONE, &known, Link::NONE), None);
}
