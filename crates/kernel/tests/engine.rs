//! The engine's own doings: how units are made in the kernel, what is refused, what comes back.

mod common;

use std::sync::Arc;

use common::pair::*;
use common::{frame, kernel};
use oxbpf_abi::{MapType, ProgType};
use oxbpf_interp::Interp;
use oxbpf_ir::{MapDef, MapIdx, MapInit, MapPurpose, ProgIdx, Program, ProgramParts, Unit};
use oxbpf_isa::{AluOp, Insn, MemSize, Operand, Pseudo, Reg, Width};
use oxbpf_kernel::Kernel;
use oxbpf_runtime::maps::MapSet;
use oxbpf_runtime::skb::{self, Link};
use oxbpf_runtime::{Availability, Engine, EngineError, Env, Image, Input, Instance, Outcome, Refusal};

fn prepare(unit: &Arc<Unit>) -> Result<Box<dyn Instance>, EngineError> {
    Kernel.prepare(&Image::unproven(unit.clone(), ProgIdx(0)), &Env::default())
}

fn error_of(unit: &Arc<Unit>) -> EngineError {
    prepare(unit).err().expect("not prepared")
}

#[test]
fn availability_has_a_reason_or_a_release() {
    match Kernel.availability() {
        Availability::Available(text) => assert!(text.starts_with("Linux ")),
        Availability::Unavailable(reason) => {
            assert!(!reason.is_empty());
            let unit = unit(ProgType::SchedCls, vec![], vec![end(0).to_vec()]);
            assert_eq!(error_of(&unit).code(), "engine-unavailable");
        }
    }
}

#[test]
fn a_rejection_has_the_place_and_the_log() {
    if !kernel("a_rejection_has_the_place_and_the_log") {
        return;
    }
    let bad = vec![imm(R[0], 0), load(MemSize::W, R[0], R[1], 400), Insn::Exit];
    match error_of(&unit(ProgType::SchedCls, vec![], vec![bad])) {
        EngineError::Rejected { engine: "kernel", program, message, log } => {
            assert_eq!(
                (program.as_str(), message.as_str()),
                ("prog0", "insn 1: invalid bpf_context access off=400 size=4")
            );
            assert!(log.contains("r0 = *(u32 *)(r1 +400)"), "{log}");
        }
        other => panic!("{other}"),
    }
}

#[test]
fn a_map_that_the_kernel_refuses() {
    if !kernel("a_map_that_the_kernel_refuses") {
        return;
    }
    let def = MapDef::new("wrong", MapType::ARRAY, 8, 4, 1);
    let error = error_of(&unit(ProgType::SchedCls, vec![def], vec![end(0).to_vec()]));
    assert_eq!(
        (error.code(), error.to_string().as_str()),
        ("engine-failed", "engine kernel failed: map wrong: map_create: EINVAL")
    );
}

/// What a program may return depends on where it is to be attached, which its section says.
#[test]
fn sections_say_where_programs_are_attached() {
    if !kernel("sections_say_where_programs_are_attached") {
        return;
    }
    let prepared = |section: &str, prog_type, r0| {
        let parts = ProgramParts { section: section.into(), ..ProgramParts::new("main", prog_type, end(r0).to_vec()) };
        let unit = Unit::new("u", "GPL", vec![], vec![Program::new(parts).unwrap()]).unwrap();
        prepare(&Arc::new(unit)).map(drop).map_err(|e| e.code())
    };
    assert_eq!(prepared("cgroup_skb/egress", ProgType::CgroupSkb, 3), Ok(()));
    assert_eq!(prepared("cgroup_skb/ingress", ProgType::CgroupSkb, 3), Err("engine-rejected"));
    assert_eq!(prepared("cgroup_skb/egress", ProgType::CgroupSkb, 4), Err("engine-rejected"));
    for section in ["tc", "tc/egress", "tcx/ingress", "tcx/egress"] {
        assert_eq!(prepared(section, ProgType::SchedCls, 1), Ok(()), "{section}");
    }
    assert_eq!(prepared("xdp", ProgType::Xdp, 2), Ok(()));
    for section in ["xdp/devmap", "xdp/cpumap"] {
        assert_eq!(prepared(section, ProgType::Xdp, 2), Err("engine-unsupported"), "{section}");
    }
}

/// As loaders do it, and our own maps.
#[test]
fn an_event_array_that_states_no_entries_has_one_for_each_cpu() {
    if !kernel("an_event_array_that_states_no_entries_has_one_for_each_cpu") {
        return;
    }
    let def = MapDef::new("events", MapType::PERF_EVENT_ARRAY, 4, 4, 0);
    let unit = unit(ProgType::SchedCls, vec![def], vec![[vec![map(R[2], 0)], end(0).to_vec()].concat()]);
    let image = Image::unproven(unit, ProgIdx(0));
    let env = Env { cpus: 2, ..Env::default() };
    let maps = MapSet::in_env(image.unit(), &env).unwrap();
    let ours = Interp.compile(&image).unwrap().instance(&maps, &env).unwrap().map_entries(MapIdx(0)).unwrap();
    assert_eq!(ours.len(), 2);
    assert_eq!(Kernel.prepare(&image, &env).unwrap().map_entries(MapIdx(0)).unwrap(), ours);
    assert_eq!(Kernel.compile(&image).unwrap().instance(&maps, &env).unwrap().map_entries(MapIdx(0)).unwrap(), ours);
}

#[test]
fn only_programs_that_may_run_are_loaded() {
    if !kernel("only_programs_that_may_run_are_loaded") {
        return;
    }
    let bad = vec![Insn::Exit];
    let mut programs = MapDef::new("programs", MapType::PROG_ARRAY, 4, 4, 4);
    programs.init = MapInit::Programs(vec![(2, ProgIdx(1))]);
    // Without a reference to the array, what it holds is not loaded.
    let alone = unit(ProgType::SchedCls, vec![programs.clone()], vec![end(5).to_vec(), bad.clone()]);
    let instance = prepare(&alone).unwrap();
    assert_eq!(instance.map_entries(MapIdx(0)).unwrap(), []);
    let refers = [vec![map(R[2], 0)], end(5).to_vec()].concat();
    assert_eq!(
        error_of(&unit(ProgType::SchedCls, vec![programs.clone()], vec![refers.clone(), bad])).code(),
        "engine-rejected"
    );
    let both = unit(ProgType::SchedCls, vec![programs], vec![refers, end(1).to_vec()]);
    assert_eq!(prepare(&both).unwrap().map_entries(MapIdx(0)).unwrap(), [(vec![2, 0, 0, 0], vec![1, 0, 0, 0])]);
}

#[test]
fn constants_are_frozen() {
    if !kernel("constants_are_frozen") {
        return;
    }
    let mut rodata = MapDef::new(".rodata", MapType::ARRAY, 4, 8, 1);
    rodata.purpose = MapPurpose::Rodata;
    rodata.init = MapInit::Entries(vec![(vec![0; 4], 0x1234u64.to_le_bytes().to_vec())]);
    let reads = vec![map_value(R[1], 0, 0), load(MemSize::Dw, R[0], R[1], 0), Insn::Exit];
    let mut instance = prepare(&unit(ProgType::SchedCls, vec![rodata.clone()], vec![reads])).unwrap();
    let bytes = frame(60, 0x0806);
    assert_eq!(instance.run(&input(&bytes)).unwrap(), Outcome::Return(0x1234));
    assert_eq!(instance.update_map(MapIdx(0), &[0; 4], &[0; 8], 0), Err(1));
    let writes = [vec![map_value(R[1], 0, 0), store_imm(MemSize::W, R[1], 0, 1)], end(0).to_vec()].concat();
    assert_eq!(error_of(&unit(ProgType::SchedCls, vec![rodata], vec![writes])).code(), "engine-rejected");
}

#[test]
fn callbacks_have_the_types_that_the_kernel_wants() {
    if !kernel("callbacks_have_the_types_that_the_kernel_wants") {
        return;
    }
    const LOOP: i32 = 181;
    let insns = vec![
        store_imm(MemSize::Dw, Reg::R10, -8, 0),
        imm(R[1], 5),
        // The load behind the first exit, counted from the second half of this.
        Insn::LoadPseudo { dst: R[2], value: Pseudo::Func(7) },
        copy(R[3], Reg::R10),
        add(R[3], -8),
        imm(R[4], 0),
        call(LOOP),
        load(MemSize::Dw, R[0], Reg::R10, -8),
        Insn::Exit,
        // The callback: what its second argument points to grows by its first, the index.
        load(MemSize::Dw, R[3], R[2], 0),
        Insn::Alu { op: AluOp::Add, width: Width::W64, dst: R[3], src: Operand::Reg(R[1]) },
        store(MemSize::Dw, R[2], 0, R[3]),
        imm(R[0], 0),
        Insn::Exit,
    ];
    let mut instance = prepare(&unit(ProgType::SchedCls, vec![], vec![insns])).unwrap();
    assert_eq!(instance.run(&input(&frame(60, 0x0806))).unwrap(), Outcome::Return(1 + 2 + 3 + 4));
}

#[test]
fn inputs_that_cannot_be_told() {
    if !kernel("inputs_that_cannot_be_told") {
        return;
    }
    let instances: Vec<_> = [ProgType::SchedCls, ProgType::Xdp, ProgType::SocketFilter]
        .map(|prog_type| prepare(&unit(prog_type, vec![], vec![end(1).to_vec()])).unwrap())
        .into();
    let refused = |type_: usize, input: &Input<'_>| instances[type_].refuses(input);
    assert_eq!(refused(0, &input(&frame(13, 0))), [Refusal::TooShort { min: 14 }]);
    assert_eq!(refused(0, &input(&frame(33, 0x0800))), [Refusal::TooShort { min: 34 }]);
    assert_eq!(refused(1, &input(&frame(33, 0x0800))), []);
    assert_eq!(refused(2, &input(&frame(53, 0x86dd))), [Refusal::TooShort { min: 54 }]);
    assert_eq!(refused(0, &input(&frame(3713, 0x0800))), [Refusal::TooLong { max: 3712 }]);
    assert_eq!(refused(1, &input(&frame(3521, 0x0800))), [Refusal::TooLong { max: 3520 }]);
    let bytes = frame(60, 0x0800);
    let snapped = Input { skb: skb::derive(&bytes, 1500, Link::Ethernet), ..input(&bytes) };
    assert_eq!(refused(0, &snapped), [Refusal::Snapped]);
    let ip = Input::new(&bytes[14..], Link::Ip);
    assert!(refused(0, &ip).contains(&Refusal::LinkType));
    let field = |name, value| {
        let refusals = refused(0, &input_with(&bytes, |ctx| skb::set(ctx, name, value).unwrap()));
        match &refusals[..] {
            [] => true,
            [Refusal::Field { name: refused }] => {
                assert_eq!(*refused, name);
                false
            }
            other => panic!("{other:?}"),
        }
    };
    let told = [
        ("mark", 7),
        ("priority", 1),
        ("tstamp", 1 << 40),
        ("wire_len", 60),
        ("wire_len", 65_536),
        ("gso_segs", 65_535),
        ("cb", 3),
    ];
    assert!(told.iter().all(|&(name, value)| field(name, value)));
    let untold = [
        ("queue_mapping", 1),
        ("hash", 1),
        ("ifindex", 2),
        ("ifindex", 0),
        ("wire_len", 59),
        ("wire_len", 65_537),
        ("gso_size", 65_536),
    ];
    assert!(untold.iter().all(|&(name, value)| !field(name, value)));
}

#[test]
fn a_header_that_is_not_seen_comes_back() {
    if !kernel("a_header_that_is_not_seen_comes_back") {
        return;
    }
    for prog_type in [ProgType::SocketFilter, ProgType::CgroupSkb, ProgType::SchedAct, ProgType::Xdp] {
        let mut instance = prepare(&unit(prog_type, vec![], vec![end(1).to_vec()])).unwrap();
        let bytes = frame(60, 0x0800);
        assert_eq!(instance.run(&input(&bytes)).unwrap(), Outcome::Return(1));
        assert_eq!(instance.packet(), bytes, "{prog_type}");
        assert_eq!(instance.skb(), input(&bytes).skb, "{prog_type}");
        assert_eq!((instance.trace(), instance.executed()), (None, None));
    }
}

#[test]
fn results_are_32_bits() {
    if !kernel("results_are_32_bits") {
        return;
    }
    let program = vec![wide(R[0], 0x1_ffff_fffe), Insn::Exit];
    let mut instance = prepare(&unit(ProgType::SchedCls, vec![], vec![program])).unwrap();
    assert_eq!(instance.run(&input(&frame(60, 0x0806))).unwrap(), Outcome::Return(0xffff_fffe));
}

#[test]
fn each_run_begins_anew_but_maps_go_on() {
    if !kernel("each_run_begins_anew_but_maps_go_on") {
        return;
    }
    let count = [
        prologue(),
        vec![load(MemSize::W, R[1], R[6], 8), add(R[1], 1), store(MemSize::W, R[6], 8, R[1])],
        vec![load(MemSize::Dw, R[1], R[7], 0), add(R[1], 1), store(MemSize::Dw, R[7], 0, R[1])],
        end(0).to_vec(),
    ]
    .concat();
    let mut instance = prepare(&unit(ProgType::SchedCls, vec![result_map(8)], vec![count])).unwrap();
    for run in 1..4u64 {
        instance.run(&input_with(&frame(60, 0x0800), |ctx| ctx.mark = 5)).unwrap();
        assert_eq!(instance.skb().mark, 6);
        assert_eq!(instance.map_entries(MapIdx(0)).unwrap()[0].1, run.to_le_bytes());
    }
    assert_eq!(instance.update_map(MapIdx(0), &[0; 4], &[9; 8], 0), Ok(()));
    assert_eq!(instance.map_entries(MapIdx(0)).unwrap()[0].1, [9; 8]);
    assert_eq!(instance.update_map(MapIdx(0), &[1, 0, 0, 0], &[9; 8], 0), Err(7));
    assert_eq!(instance.update_map(MapIdx(0), &[0; 3], &[9; 8], 0), Err(22));
    assert_eq!(instance.update_map(MapIdx(7), &[0; 4], &[9; 8], 0), Err(2));
}
