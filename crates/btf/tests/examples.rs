//! What clang wrote into the example objects.

mod common;

use oxbpf_btf::{Btf, BtfExt, Kind, Type};

#[test]
fn examples_are_read_in_full() {
    for (name, btf, ext) in common::examples() {
        let btf = Btf::parse(&btf).unwrap_or_else(|e| panic!("{name}: {e}"));
        let ext = BtfExt::parse(&ext, &btf).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert!(!ext.sections().is_empty(), "{name}");
        for section in ext.sections() {
            assert!(!section.funcs.is_empty() && !section.lines.is_empty());
            for func in &section.funcs {
                assert!(btf.func(func.type_id).is_some(), "{name}");
            }
            for line in &section.lines {
                let file = btf.str(line.file);
                assert!(file == format!("./{name}.c") || file.starts_with("./include/"), "{name}: {file}");
                assert!(line.line > 0);
            }
        }
    }
}

#[test]
fn a_map_definition_is_legible() {
    let (btf, _) = common::example("tc_flow");
    let btf = Btf::parse(&btf).unwrap();
    let maps = btf.datasec(".maps").unwrap();
    let flows = maps.vars.iter().map(|v| btf.var(v.var).unwrap()).find(|v| btf.str(v.name) == "flows").unwrap();
    // `int (*max_entries)[1024]` codes 1024; `struct flow_key *key` the key's type.
    let pointee = |name| {
        let (_, member) = btf.members(flows.target).find(|m| m.0 == name).unwrap();
        match btf.resolved(member.target).unwrap() {
            Type::Ptr(to) => *to,
            other => panic!("{other:?}"),
        }
    };
    match btf.resolved(pointee("max_entries")).unwrap() {
        Type::Array(array) => assert_eq!(array.len, 1024),
        other => panic!("{other:?}"),
    }
    assert_eq!(btf.size_of(pointee("key")), Ok(16));
    assert_eq!(btf.size_of(pointee("value")), Ok(32));
    assert_eq!(btf.name(pointee("key")), "flow_key");
}

#[test]
fn functions_and_lines_stand_where_they_are() {
    let (btf, ext) = common::example("tc_flow");
    let btf = Btf::parse(&btf).unwrap();
    let ext = BtfExt::parse(&ext, &btf).unwrap();
    let text = ext.section(&btf, ".text").next().unwrap();
    let names: Vec<_> = text.funcs.iter().map(|f| btf.name(f.type_id)).collect();
    assert_eq!(names, ["flow_hash", "remark"]);
    assert_eq!(text.funcs[0].insn_off, 0);

    let tc = ext.section(&btf, "tc").next().unwrap();
    let first = &tc.lines[0];
    assert_eq!(first.insn_off, 0);
    assert!(btf.str(first.line_text).starts_with("int tc_flow(struct __sk_buff *skb)"));
    assert!(ext.section(&btf, "nowhere").next().is_none());
    assert!(btf.find(Kind::Struct, "__sk_buff").is_some());
}
