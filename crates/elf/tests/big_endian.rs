//! Objects for big-endian machines are read as they are meant, and not run.

use oxbpf_abi::MapType;
use oxbpf_elf::{MapSource, load};
use oxbpf_ir::MapInit;

const BIG: &[u8] = include_bytes!("objects/counts_be.o");

#[test]
fn it_is_listed_whole() {
    let object = load(BIG).unwrap();
    assert!(object.is_big_endian());
    let shapes: Vec<_> = object.maps().map(|m| (m.name.as_str(), m.map_type, m.value_size, m.max_entries)).collect();
    let wanted =
        [("legacy", MapType::ARRAY, 8, 256), ("modern", MapType::HASH, 8, 1024), (".data", MapType::ARRAY, 4, 1)];
    assert_eq!(shapes, wanted);
    assert_eq!(object.maps().next().unwrap().id, Some(7));
    assert!(matches!(object.map_sources().next(), Some(MapSource::Legacy(_))));
    let data = object.maps().nth(2).unwrap();
    assert_eq!(data.init, MapInit::Entries(vec![(vec![0; 4], vec![1, 2, 3, 4])]));
    assert!(object.survey().iter().all(|s| s.fault.is_none()));
}

#[test]
fn its_instructions_and_lines_are_right() {
    let object = load(BIG).unwrap();
    let unit = object.unit_to_list("t", &[0], |p| p.prog_type()).unwrap();
    let program = &unit.programs()[0];
    let names: Vec<_> = program.functions().iter().map(|f| f.name.as_str()).collect();
    assert_eq!(names, ["counts", "add"]);
    let text: Vec<String> = program.insns().iter().map(|i| i.to_string()).collect();
    // Numbers that would look otherwise the wrong way round: fields of the context, and a constant.
    assert!(text.iter().any(|t| t.contains("*(u32 *)(r1 + 60)")), "{text:?}");
    assert!(text.iter().any(|t| t.contains("1193046")), "{text:?}");
    let lines: Vec<&str> = program.lines().iter().map(|l| &*l.text).collect();
    assert!(lines.iter().any(|l| l.contains("skb->mark & 0x1ff")), "{lines:?}");
}

#[test]
fn it_is_not_linked_to_be_run() {
    let error = load(BIG).unwrap().unit("t", &[0], |p| p.prog_type()).unwrap_err();
    assert_eq!(error.code(), "elf-big-endian");
    assert!(error.is_unsupported());
}

#[test]
fn mutations_do_no_harm() {
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    let mut next = || {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        state.wrapping_mul(0x2545_f491_4f6c_dd1d)
    };
    let mut survived = 0;
    for _ in 0..5_000 {
        let mut bytes = BIG.to_vec();
        for _ in 0..1 + next() % 3 {
            let at = (next() % bytes.len() as u64) as usize;
            bytes[at] = next() as u8;
        }
        let object = load(&bytes);
        survived += usize::from(object.is_ok_and(|o| !o.survey().iter().any(|s| s.fault.is_some())));
    }
    assert!((50..5_000).contains(&survived), "{survived}");
}
