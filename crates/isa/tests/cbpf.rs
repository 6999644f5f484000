//! Classic instructions: every opcode, what operators mean, and the rows' order.

use oxbpf_isa::Narrow;
use oxbpf_isa::cbpf::{AluOp, Cond, Ext, Fault, Insn, LL_OFF, M, NET_OFF, Offset, SockFilter};

#[test]
fn every_opcode_decodes_to_what_encodes_it() {
    let mut known = 0;
    for code in 0..=u16::MAX {
        for k in [0, 1, 15, 16, 255, Ext::BASE, Ext::BASE + 1, Ext::BASE + 60, Ext::BASE + 64, u32::MAX] {
            let raw = SockFilter { code, jt: 3, jf: 7, k };
            match raw.decode() {
                Ok(insn) => {
                    let encoded = insn.encode();
                    assert_eq!(encoded.code, code);
                    assert_eq!(encoded.decode(), Ok(insn));
                    known += u32::from(k == 0);
                }
                Err(fault) => assert!(matches!(fault, Fault::Opcode { .. } | Fault::Scratch { k: 16.. }), "{raw:?}"),
            }
        }
    }
    // The 46 that Linux attaches, the two loads of scratch memory, `ret x`, and none beside.
    assert_eq!(known, 46 + 1 + 2 + 1);
}

/// An offset that names an extension has one typed form, whatever makes it.
#[test]
fn loads_decode_to_what_was_encoded() {
    for k in (0..80).map(|n| Ext::BASE - 8 + n).chain([0, NET_OFF, LL_OFF, u32::MAX]) {
        let insn = Insn::ld_abs(Narrow::H, k);
        assert_eq!(insn.encode().decode(), Ok(insn));
        assert_eq!(Offset::new(k).is_some(), Ext::from_k(k).is_none());
        assert_eq!(Offset::new(k).map(|k| Insn::LdAbs { size: Narrow::H, k }).unwrap_or(insn), insn);
    }
}

#[test]
fn bytes_are_the_same_from_both_ends() {
    let raw = SockFilter { code: 0x0115, jt: 2, jf: 3, k: 0x0102_0304 };
    assert_eq!(raw.to_le_bytes(), [0x15, 1, 2, 3, 4, 3, 2, 1]);
    assert_eq!(raw.to_be_bytes(), [1, 0x15, 2, 3, 1, 2, 3, 4]);
    assert_eq!(SockFilter::from_le_bytes(raw.to_le_bytes()), raw);
    assert_eq!(SockFilter::from_be_bytes(raw.to_be_bytes()), raw);
}

#[test]
fn rows_stand_in_the_order_of_their_enumeration() {
    assert!(AluOp::ROWS.iter().all(|r| r.op.row().op == r.op));
    assert!(Cond::ROWS.iter().all(|r| r.cond.row().cond == r.cond));
    for row in &Ext::ROWS {
        assert!(row.ext.row().ext == row.ext);
        assert_eq!(Ext::from_k(row.ext.k()), Some(row.ext));
        assert_eq!(Ext::from_k(row.ext.k() + 1), None);
    }
    assert_eq!(Ext::from_k(Ext::BASE + 64), None);
    assert_eq!((Ext::BASE, NET_OFF, LL_OFF), (0xffff_f000, 0xfff0_0000, 0xffe0_0000));
}

#[test]
fn operators_mean_what_linux_does() {
    for (op, a, b, expected) in [
        (AluOp::Add, u32::MAX, 2, Some(1)),
        (AluOp::Sub, 0, 1, Some(u32::MAX)),
        (AluOp::Mul, 0x8000_0001, 2, Some(2)),
        (AluOp::Div, 7, 0, None),
        (AluOp::Mod, 7, 0, None),
        (AluOp::Div, u32::MAX, 2, Some(0x7fff_ffff)),
        (AluOp::Mod, u32::MAX, 10, Some(5)),
        (AluOp::Lsh, 1, 33, Some(2)),
        (AluOp::Rsh, 4, 33, Some(2)),
        (AluOp::Xor, 6, 3, Some(5)),
    ] {
        assert_eq!(op.eval(a, b), expected, "{op:?} {a} {b}");
    }
    assert!(Cond::Gt.eval(u32::MAX, 1) && Cond::Ge.eval(1, 1) && Cond::Set.eval(6, 2) && !Cond::Set.eval(6, 1));
}

#[test]
fn scratch_memory_has_sixteen_words() {
    assert_eq!(M::new(15).map(M::index), Some(15));
    assert_eq!(M::new(16), None);
    assert_eq!(SockFilter::stmt(0x02, 16).decode(), Err(Fault::Scratch { k: 16 }));
    assert_eq!(SockFilter::stmt(0x02, 15).decode(), Ok(Insn::St(M::new(15).unwrap())));
}
