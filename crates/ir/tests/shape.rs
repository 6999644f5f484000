//! Programs by shape: what is built, what is refused and where, how it is cut and lowered.

use oxbpf_abi::{MapType, ProgType};
use oxbpf_ir::{
    BlockId, BuildFault, Cfg, Check, Fact, Facts, FuncIdx, InsnId, LowerOptions, MapDef, MapInit, Op, ProgIdx, Program,
    ProgramParts, RegionClass, Unit, UnitError, Vetted, lower,
};
use oxbpf_isa::{Slot, text};

fn parts(source: &str) -> ProgramParts {
    let source = text::parse(source).expect("the test's text is right");
    ProgramParts::new("main", ProgType::SchedCls, source.insns)
}

fn program(source: &str) -> Program {
    Program::new(parts(source)).expect("the program is well shaped")
}

fn refused(source: &str) -> (u32, BuildFault) {
    let error = Program::new(parts(source)).expect_err("the program is badly shaped");
    (error.slot.0, error.fault)
}

#[test]
fn shapes_are_refused_at_their_instruction() {
    assert_eq!(Program::new(parts("")).unwrap_err().fault, BuildFault::Empty);
    assert_eq!(refused("r0 = 1 ll\ngoto +1\nexit").1, BuildFault::JumpOutside { target: 4 });
    assert_eq!(refused("goto -2\nexit"), (0, BuildFault::JumpOutside { target: -1 }));
    assert_eq!(refused("goto +1\nr0 = 1 ll\nexit"), (0, BuildFault::JumpIntoWide { target: 2 }));
    assert_eq!(refused("call pc+5\nexit"), (0, BuildFault::CallOutside { target: 6 }));
    assert_eq!(refused("r0 = 0").1, BuildFault::FallsOff { function: "main".into() });
    assert_eq!(refused("if r0 == 0 goto -1").1, BuildFault::FallsOff { function: "main".into() });
    assert_eq!(refused("r1 = 2\nr10 += 8\nexit"), (1, BuildFault::FramePointerWritten));
    assert_eq!(refused("r10 = *(u64 *)(r1 + 0)\nexit"), (0, BuildFault::FramePointerWritten));
    assert_eq!(refused("r10 = xchg_64(r1 + 0, r10)\nexit"), (0, BuildFault::FramePointerWritten));
}

#[test]
fn storing_through_the_frame_pointer_is_no_write_of_it() {
    program("*(u64 *)(r10 - 8) = 1\nlock *(u64 *)(r10 - 8) += r1\nexit");
}

#[test]
fn functions_are_cut_at_call_targets_and_closed() {
    let p = program("call f\nexit\nf: r0 = 1 ll\nexit\n");
    let functions: Vec<_> = p.functions().iter().map(|f| (f.name.as_str(), f.insns.clone())).collect();
    assert_eq!(functions, [("main", 0..2), ("sub_2", 2..4)]);
    assert_eq!(p.callee(InsnId(0)), Some(FuncIdx(1)));
    assert_eq!(refused("call f\nexit\nf: goto -3\nexit\n").1, BuildFault::JumpOutOfFunction { target: 0 });
    assert_eq!(refused("call f\nr0 = 0\nf: exit").1, BuildFault::FallsOff { function: "main".into() });
}

#[test]
fn loader_names_functions() {
    let named = ProgramParts { functions: vec![(Slot(2), "helper".into())], ..parts("call pc+1\nexit\nr0 = 0\nexit") };
    assert_eq!(Program::new(named).unwrap().functions()[1].name, "helper");
}

#[test]
fn slots_count_wide_instructions_twice() {
    let p = program("r0 = 1 ll\nr1 = 2\nexit");
    assert_eq!([0, 1, 2].map(|i| p.slot(InsnId(i)).0), [0, 2, 3]);
    assert_eq!((p.slot_count(), p.insn_at(2), p.insn_at(1), p.insn_at(4)), (4, Some(InsnId(1)), None, None));
}

#[test]
fn units_refuse_maps_that_do_not_exist() {
    let map = MapDef::new("m", MapType::ARRAY, 4, 8, 1);
    let unit = |index: i32| {
        let p = program(&format!("r1 = map_fd({index}) ll\nr0 = 0\nexit"));
        Unit::new("u", "GPL", vec![map.clone()], vec![p])
    };
    assert!(unit(0).is_ok());
    for index in [1, -1] {
        let UnitError::Program { error, .. } = unit(index).unwrap_err() else { panic!("the program is at fault") };
        assert_eq!(error.fault, BuildFault::NoSuchMap { index: index.into(), count: 1 });
    }
}

#[test]
fn units_refuse_programs_that_do_not_exist() {
    let jumps = |index: u32| MapDef {
        init: MapInit::Programs(vec![(0, ProgIdx(index))]),
        ..MapDef::new("jumps", MapType::PROG_ARRAY, 4, 4, 1)
    };
    let unit = |index| Unit::new("u", "GPL", vec![jumps(index)], vec![program("r0 = 0\nexit")]);
    assert!(unit(0).is_ok());
    let error = unit(1).unwrap_err();
    assert_eq!(error, UnitError::NoSuchProgram { map: "jumps".into(), index: 1, count: 1 });
}

#[test]
fn blocks_start_at_targets_and_behind_jumps() {
    let p = program("r0 = 0\nif r1 == 0 goto out\nr0 = 1\nout: exit");
    let cfg = Cfg::of(&p);
    let blocks: Vec<_> = cfg.blocks().iter().map(|b| (b.insns.clone(), b.successors.clone())).collect();
    let to = |ids: &[u32]| ids.iter().map(|&i| BlockId(i)).collect::<Vec<_>>();
    assert_eq!(blocks, [(0..2, to(&[1, 2])), (2..3, to(&[2])), (3..4, to(&[]))]);
    assert_eq!(cfg.block_of(InsnId(2)), BlockId(1));
}

#[test]
fn lowering_is_one_to_one_with_a_charge_for_each_block() {
    let p = program("r0 = 5 ll\nagain: r0 += -1\nif r0 != 0 goto again\nexit");
    let vetted = Vetted::unproven(p.into());
    let code = lower(&vetted, &LowerOptions { fuel: true });
    let listing: Vec<String> = code.slots().iter().zip(code.ops()).map(|(s, op)| format!("{s} {op:?}")).collect();
    let expected = [
        "0 Charge { insns: 1 }",
        "0 Const { dst: v0, value: 5 }",
        "2 Charge { insns: 2 }",
        "2 Alu { op: Add, width: W64, dst: v0, a: v0, b: Imm(-1) }",
        "3 Branch { cond: Ne, width: W64, a: v0, b: Imm(0), to: Target(2) }",
        "4 Charge { insns: 1 }",
        "4 Exit",
    ];
    assert_eq!(listing, expected);
    assert_eq!(code.blocks(), [0..2, 2..5, 5..7]);
    let bare = lower(&vetted, &LowerOptions { fuel: false });
    assert_eq!(bare.ops().len(), 4);
    assert!(bare.ops().iter().all(|op| !matches!(op, Op::Charge { .. })));
}

#[test]
fn a_check_stands_where_no_fact_licenses_its_absence() {
    let p = std::sync::Arc::new(program("r0 = *(u8 *)(r10 - 1)\nr1 = *(u8 *)(r2 + 0)\nexit"));
    let facts = Facts::new(vec![(InsnId(0), Fact::InBounds(RegionClass::Stack)), (InsnId(1), Fact::UpperZero)]);
    // SAFETY: the code is looked at, not run.
    let vetted = unsafe { Vetted::assume(p, facts) };
    let checks: Vec<_> = lower(&vetted, &LowerOptions { fuel: false })
        .ops()
        .iter()
        .filter_map(|op| match op {
            Op::Load { check, .. } => Some(*check),
            _ => None,
        })
        .collect();
    assert_eq!(checks, [Check::Proven(RegionClass::Stack), Check::Full]);
}

#[test]
fn a_million_slots_are_the_limit_and_cost_little() {
    let many = |n: usize| ProgramParts::new("long", ProgType::SchedCls, [vec![oxbpf_isa::Insn::Exit; n]].concat());
    assert!(Program::new(many(1_000_000)).is_ok());
    let fault = Program::new(many(1_000_001)).unwrap_err().fault;
    assert_eq!(fault, BuildFault::TooLong { count: 1_000_001, limit: 1_000_000 });
}
