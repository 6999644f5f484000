//! What the example objects hold.

mod common;

use oxbpf_abi::{MapType, ProgType};
use oxbpf_elf::{Object, load};
use oxbpf_ir::{MapDef, MapInit, MapPurpose, ProgIdx};
use oxbpf_isa::{CallTarget, Insn, Pseudo};

fn object(name: &str) -> Object {
    load(&common::example(name)).unwrap()
}

/// `section/function` of each program.
fn programs(object: &Object) -> Vec<String> {
    object.programs().iter().map(|p| format!("{}/{}", p.section(), p.name())).collect()
}

fn map<'a>(object: &'a Object, name: &str) -> &'a MapDef {
    object.maps().find(|m| m.name == name).unwrap()
}

/// Type, key, value and entries of a map.
fn shape(map: &MapDef) -> (MapType, u32, u32, u32) {
    (map.map_type, map.key_size, map.value_size, map.max_entries)
}

#[test]
fn all_examples_link_and_are_gpl() {
    for (name, bytes) in common::examples() {
        let object = load(&bytes).unwrap_or_else(|e| panic!("{name}: {e}"));
        let unit = common::link_all(&object).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(unit.license(), "GPL");
        assert_eq!(unit.programs().len(), object.programs().len());
        assert!(object.notes().is_empty(), "{name}: {:?}", object.notes());
        for program in unit.programs() {
            let first = program.line(oxbpf_ir::InsnId(0)).unwrap();
            assert_eq!(&*first.file, format!("./{name}.c"));
            assert!(first.line > 0 && !first.text.is_empty(), "{name}");
        }
    }
}

#[test]
fn minimal_is_one_classifier() {
    let object = object("minimal");
    assert_eq!(programs(&object), ["classifier/cls_all"]);
    assert_eq!(object.programs()[0].prog_type(), Some(ProgType::SchedCls));
    assert_eq!(object.maps().count(), 0);
    assert_eq!(object.select(None), Ok(0));
}

#[test]
fn mark_stats_has_a_legacy_map() {
    let object = object("mark_stats");
    assert_eq!(programs(&object), ["cls/cls_mark"]);
    assert_eq!(object.programs()[0].prog_type(), None);
    let counters = map(&object, "mark_counters");
    assert_eq!(shape(counters), (MapType::ARRAY, 4, 16, 256));
    assert_eq!((counters.id, counters.pinning, counters.purpose), (Some(1), 0, MapPurpose::User));
    let unit = common::link_all(&object).unwrap();
    let refers = |i: &Insn| matches!(i, Insn::LoadPseudo { value: Pseudo::MapFd(0), .. });
    assert_eq!(unit.programs()[0].insns().iter().filter(|i| refers(i)).count(), 1);
}

#[test]
fn port_redirect_loads_from_the_packet() {
    let object = object("port_redirect");
    assert_eq!(programs(&object), ["lb/lb_main"]);
    assert_eq!(object.select(Some("lb/lb_main")), Ok(0));
    let unit = common::link_all(&object).unwrap();
    let loads = |i: &Insn| matches!(i, Insn::LdAbs { .. } | Insn::LdInd { .. });
    assert!(unit.programs()[0].insns().iter().any(loads));
}

#[test]
fn tail_call_sections_fill_the_legacy_program_array() {
    let object = object("tail_call");
    assert_eq!(programs(&object), ["1/0/by_protocol", "1/1/by_length", "classifier/entry"]);
    assert_eq!(object.programs().iter().map(|p| p.is_tail()).collect::<Vec<_>>(), [true, true, false]);
    let entry = object.select(None).unwrap();
    assert_eq!(entry, 2);
    let unit = object.unit("t", &[entry], |_| Some(ProgType::SchedCls)).unwrap();
    assert_eq!(unit.programs()[0].name(), "entry");
    let slots = MapInit::Programs(vec![(0, ProgIdx(1)), (1, ProgIdx(2))]);
    assert_eq!(unit.maps()[0].init, slots);
    assert_eq!(unit.programs()[1].name(), "by_protocol");
    // Without its type the section "1/0" cannot be linked.
    let error = object.unit("t", &[entry], |p| p.prog_type()).unwrap_err();
    assert_eq!(error.code(), "elf-no-program-type");
}

#[test]
fn values_fill_the_btf_program_array() {
    let object = object("tail_call_btf");
    assert_eq!(programs(&object), ["tc/drop", "tc/pass", "tc/entry"]);
    assert_eq!(shape(map(&object, "stages")), (MapType::PROG_ARRAY, 4, 4, 3));
    let error = object.select(Some("tc")).unwrap_err();
    assert_eq!(error.to_string(), "tc names several programs: tc/drop, tc/pass, tc/entry");
    let entry = object.select(Some("tc/entry")).unwrap();
    let unit = object.unit("t", &[entry], |p| p.prog_type()).unwrap();
    let names: Vec<_> = unit.programs().iter().map(|p| p.name()).collect();
    assert_eq!(names, ["entry", "drop", "pass"]);
    assert_eq!(unit.maps()[0].init, MapInit::Programs(vec![(0, ProgIdx(1)), (2, ProgIdx(2))]));
    // A program that reaches no other comes alone, without the array that it does not use.
    let alone = object.unit("t", &[0], |p| p.prog_type()).unwrap();
    assert_eq!((alone.programs().len(), alone.maps().len()), (1, 0));
}

#[test]
fn tc_flow_has_btf_maps_and_global_data() {
    let object = object("tc_flow");
    assert_eq!(programs(&object), ["tc/tc_flow"]);
    assert_eq!(shape(map(&object, "flows")), (MapType::HASH, 16, 32, 1024));
    assert_eq!(shape(map(&object, "counters")), (MapType::ARRAY, 4, 8, 4));

    let rodata = map(&object, ".rodata");
    assert_eq!(shape(rodata), (MapType::ARRAY, 4, 6, 1));
    assert!(rodata.frozen());
    let settings = vec![(vec![0; 4], vec![100, 0, 0, 0, 46, 1])];
    assert_eq!(rodata.init, MapInit::Entries(settings));
    let text = map(&object, ".rodata.str1.1");
    assert!(text.frozen());
    assert_eq!(text.init, MapInit::Entries(vec![(vec![0; 4], b"flow %u: proto %u\n\0".to_vec())]));
    assert_eq!(map(&object, ".data").init, MapInit::Entries(vec![(vec![0; 4], vec![1, 0, 0, 0])]));
    assert_eq!(shape(map(&object, ".bss")), (MapType::ARRAY, 4, 12, 1));
    assert_eq!((&map(&object, ".bss").init, map(&object, ".bss").frozen()), (&MapInit::Empty, false));
}

#[test]
fn tc_flow_carries_its_subprograms() {
    let object = object("tc_flow");
    let unit = common::link_all(&object).unwrap();
    let program = &unit.programs()[0];
    let names: Vec<_> = program.functions().iter().map(|f| f.name.as_str()).collect();
    assert_eq!(names, ["tc_flow", "flow_hash", "remark"]);
    let mut called = Vec::new();
    for (i, insn) in program.insns().iter().enumerate() {
        if let Insn::Call(CallTarget::Local(_)) = insn {
            let callee = program.callee(oxbpf_ir::InsnId(i as u32)).unwrap();
            called.push(names[callee.index()]);
        }
    }
    assert_eq!(called, ["flow_hash", "remark"]);
    // Lines follow the subprograms to where they are appended.
    let hash = &program.functions()[1];
    let line = program.line(oxbpf_ir::InsnId(hash.insns.start)).unwrap();
    assert!(line.text.contains("flow_hash"), "{}", line.text);
    // last_flow_hash is the second variable of .bss.
    let bss = object.maps().position(|m| m.name == ".bss").unwrap() as i32;
    let wanted = Pseudo::MapValue { fd: bss, off: 8 };
    assert!(program.insns().iter().any(|i| matches!(i, Insn::LoadPseudo { value, .. } if *value == wanted)));
}

#[test]
fn a_missing_section_lists_what_there_is() {
    let error = object("tail_call").select(Some("nowhere")).unwrap_err();
    assert_eq!(error.code(), "elf-no-program");
    assert_eq!(error.to_string(), "no program nowhere; there are: 1/0, 1/1, classifier");
}
