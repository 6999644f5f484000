//! Every kind of misshapen program and unit in its exact words.

#[path = "../../../tests/codes/mod.rs"]
mod codes;

use codes::{check, shown};
use oxbpf_abi::{MapType, ProgType};
use oxbpf_ir::{MapDef, MapIdx, MapInit, ProgIdx, Program, ProgramParts, Unit};
use oxbpf_isa::text;

fn built(source: &str) -> Result<Program, oxbpf_ir::BuildError> {
    let source = text::parse(source).expect("the test's text is right");
    Program::new(ProgramParts::new("main", ProgType::SchedCls, source.insns))
}

#[test]
fn programs() {
    let build = |source: &str| shown!(built(source).unwrap_err());
    let long = || {
        let mut insns = text::parse("r0 = 0").unwrap().insns;
        insns.resize(1_000_001, insns[0]);
        shown!(Program::new(ProgramParts::new("main", ProgType::SchedCls, insns)).unwrap_err())
    };
    let unit = Unit::new("u", "", vec![], vec![built("r1 = map_fd(3) ll\nexit").unwrap()]);
    let rows = [
        ("build-empty", "insn 0: the program has no instructions", build("")),
        ("build-too-long", "insn 0: the program has 1000001 instructions, more than 1000000", long()),
        ("build-jump-outside", "insn 1: jump to slot 5, which is outside the program", build("r0 = 0\ngoto +3\nexit")),
        ("build-call-outside", "insn 0: call of slot 10, which is outside the program", build("call pc+9\nexit")),
        (
            "build-jump-into-wide",
            "insn 0: jump to slot 2, the second half of a wide instruction",
            build("goto +1\nr0 = 1 ll\nexit"),
        ),
        (
            "build-jump-out-of-function",
            "insn 2: jump to slot 0, which belongs to another function",
            build("call f\nexit\nf: goto -3\nexit"),
        ),
        ("build-falls-off", "insn 0: control runs past the last instruction of function main", build("r0 = 0")),
        ("build-frame-pointer-written", "insn 0: frame pointer is read only", build("r10 += 8\nexit")),
        ("build-no-such-map", "program main: insn 0: map 3 does not exist; the unit has 0", shown!(unit.unwrap_err())),
    ];
    check(include_str!("../src/build_error.rs"), &rows);
}

#[test]
fn units() {
    let unit = |init, map_type| {
        let map = MapDef { init, ..MapDef::new("jumps", map_type, 4, 4, 1) };
        shown!(Unit::new("u", "", vec![map], vec![built("r0 = 0\nexit").unwrap()]).unwrap_err())
    };
    let programs = MapInit::Programs(vec![(0, ProgIdx(7))]);
    let maps = MapInit::Maps(vec![(vec![0; 4], MapIdx(7))]);
    let rows = [
        ("build-no-such-program", "map jumps holds program 7; the unit has 1", unit(programs, MapType::PROG_ARRAY)),
        ("build-no-such-inner-map", "map jumps holds map 7; the unit has 1", unit(maps, MapType::ARRAY_OF_MAPS)),
    ];
    check(include_str!("../src/unit.rs"), &rows);
}
