//! The longest programs, those with nothing to do, and what cannot be migrated.

use std::sync::Arc;

use oxbpf_abi::ProgType;
use oxbpf_cbpf2ebpf::{Migrated, migrate};
use oxbpf_interp::Interp;
use oxbpf_interp::classic::{Code, Packet};
use oxbpf_ir::{ProgIdx, Unit};
use oxbpf_isa::Narrow;
use oxbpf_isa::cbpf::{Cond, Ext, Insn, MAX_INSNS, Operand, Program};
use oxbpf_runtime::skb::Link;
use oxbpf_runtime::{Engine, Env, Image, Input, Outcome};

fn program(insns: &[Insn]) -> Program {
    Program::check(&insns.iter().map(Insn::encode).collect::<Vec<_>>()).unwrap()
}

fn migrated(program: &Program) -> Migrated {
    migrate(program, "edge", ProgType::SchedCls).unwrap()
}

/// What both forms return for a frame of 60 bytes.
#[track_caller]
fn result(program: &Program) -> u32 {
    let frame: [u8; 60] = std::array::from_fn(|i| i as u8);
    let input = Input::new(&frame, Link::Ethernet);
    let direct = Code::new(program).run(&Packet::new(&input, false, 0));
    let unit = Unit::new("edge", "GPL", Vec::new(), vec![migrated(program).into_program()]).unwrap();
    let image = Image::unproven(Arc::new(unit), ProgIdx(0));
    let outcome = Interp.prepare(&image, &Env::default()).unwrap().run(&input).unwrap();
    assert_eq!(outcome, Outcome::Return(direct.into()));
    direct
}

#[test]
fn the_longest_program_of_the_longest_translations_fits() {
    for (insn, result_is) in [
        // A is needed behind each load, so that it is kept: six instructions.
        (Insn::LdxMsh(15), 7),
        (Insn::LdExt { size: Narrow::W, ext: Ext::Hatype }, 1),
        (Insn::JumpIf { cond: Cond::Set, src: Operand::X, jt: 1, jf: 2 }, 7),
    ] {
        let mut insns = vec![Insn::LdImm(7)];
        insns.resize(MAX_INSNS - 3, insn);
        insns.extend([Insn::LdxImm(0), Insn::LdxImm(0), Insn::RetA]);
        assert_eq!(result(&program(&insns)), result_is, "{insn:?}");
    }
    let mut insns = vec![Insn::Ja(MAX_INSNS as u32 - 2)];
    insns.resize(MAX_INSNS - 1, Insn::LdxMsh(0));
    insns.push(Insn::RetK(5));
    let skipping = program(&insns);
    assert_eq!(result(&skipping), 5);
    assert_eq!(migrated(&skipping).program().insns().len(), 3, "what is skipped becomes nothing");
}

#[test]
fn the_longest_jumps_reach() {
    let mut insns = vec![Insn::LdxImm(1), Insn::LdExt { size: Narrow::W, ext: Ext::Mark }];
    insns.push(Insn::JumpIf { cond: Cond::Eq, src: Operand::K(0), jt: 255, jf: 0 });
    insns.resize(insns.len() + 255, Insn::LdxMsh(0));
    insns.extend([Insn::LdImm(9), Insn::RetA]);
    assert_eq!(result(&program(&insns)), 9);
    // Over everything, where something else leads inside too.
    let mut insns = vec![Insn::LdImm(3), Insn::JumpIf { cond: Cond::Eq, src: Operand::K(3), jt: 0, jf: 1 }];
    insns.push(Insn::Ja(MAX_INSNS as u32 - 4));
    insns.resize(MAX_INSNS - 1, Insn::LdxMsh(0));
    insns.push(Insn::RetA);
    assert_eq!(result(&program(&insns)), 3);
}

#[test]
fn comparisons_in_a_row_are_one_question() {
    let is = |k, jt, jf| Insn::JumpIf { cond: Cond::Eq, src: Operand::K(k), jt, jf };
    for (byte, answer) in [(1, 10), (2, 10), (3, 10), (4, 20), (5, 30), (6, 20)] {
        // The frame's bytes are their offsets. The last comparison leads elsewhere.
        let insns = [
            Insn::ld_abs(Narrow::B, byte),
            is(1, 3, 0),
            is(2, 2, 0),
            is(3, 1, 0),
            is(5, 2, 1),
            Insn::RetK(10),
            Insn::RetK(20),
            Insn::RetK(30),
        ];
        assert_eq!(result(&program(&insns)), answer, "{byte}");
        let from_a: Vec<Insn> = [Insn::LdImm(byte), Insn::Tax].into_iter().chain(insns[1..].iter().copied()).collect();
        assert_eq!(result(&program(&from_a)), answer, "{byte}");
    }
}

#[test]
fn registers_are_zero_at_the_start() {
    let both = [Insn::Stx(oxbpf_isa::cbpf::M::new(3).unwrap()), Insn::Neg, Insn::RetA];
    assert_eq!(result(&program(&both)), 0);
    assert_eq!(migrated(&program(&both)).prologue(), 0..2);
    assert_eq!(migrated(&program(&[Insn::RetK(1)])).prologue(), 0..0);
}

#[test]
fn jumps_to_the_next_instruction_become_nothing() {
    let same = Insn::JumpIf { cond: Cond::Gt, src: Operand::X, jt: 0, jf: 0 };
    let migrated = migrated(&program(&[Insn::Ja(0), same, Insn::RetK(1)]));
    assert!([0, 1].iter().all(|&at| migrated.insns_of(at).is_empty()));
    assert_eq!(migrated.origins().last(), Some(&Some(2)));
}

#[test]
fn programs_without_an_skb_are_refused() {
    let error = migrate(&program(&[Insn::RetK(0)]), "edge", ProgType::Xdp).unwrap_err();
    assert_eq!(error.code(), "migrate-no-skb");
    assert_eq!(error.to_string(), "programs of type xdp have no skb, which classic programs look at");
}
