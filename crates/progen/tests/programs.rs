//! What holds of every generated program, and what many of them contain together.

use oxbpf_isa::{AluOp, AtomicOp, CallTarget, Insn, Operand, Pseudo, Reg, Width, decode_all, encode_all};
use oxbpf_progen::{Generated, Generator, MAX_SLOTS, MapKind, ProgType, RowSet, Topic};

const TYPES: [ProgType; 3] = [ProgType::SchedCls, ProgType::SocketFilter, ProgType::Xdp];
const COUNT: u64 = 2000;

fn programs(prog_type: ProgType) -> impl Iterator<Item = Generated> {
    (0..COUNT).map(move |seed| Generator::of_type(seed, prog_type).program())
}

#[test]
fn same_seed_same_program() {
    for seed in 0..200 {
        assert_eq!(Generator::new(seed).program(), Generator::new(seed).program());
    }
    assert_ne!(Generator::new(1).program().insns, Generator::new(2).program().insns);
}

#[test]
fn every_row_is_generated() {
    let mut rows = RowSet::default();
    for generated in [ProgType::SchedCls, ProgType::Xdp].into_iter().flat_map(programs) {
        rows.extend(&generated.features.rows);
    }
    assert_eq!(rows.missing(), []);
}

#[test]
fn topics_have_their_shares() {
    // (topic, at least so many percent of classifiers)
    let shares = [
        (Topic::Loops, 20),
        (Topic::Calls, 20),
        (Topic::Atomics, 20),
        (Topic::Maps, 20),
        (Topic::Packet, 20),
        (Topic::LegacyLoads, 10),
        (Topic::Helpers, 20),
        (Topic::ContextRead, 20),
        (Topic::ContextWrite, 10),
        (Topic::VariableOffset, 10),
        (Topic::PointerSpills, 2),
        (Topic::MayGoto, 1),
    ];
    let all: Vec<Generated> = programs(ProgType::SchedCls).collect();
    for (topic, percent) in shares {
        let having = all.iter().filter(|g| g.features.has(topic)).count() as u64;
        assert!(having * 100 >= percent * COUNT, "{topic:?}: {having} of {COUNT}");
    }
}

#[test]
fn programs_encode_and_decode_to_themselves() {
    for generated in TYPES.into_iter().flat_map(programs) {
        let words = encode_all(&generated.insns);
        let back: Vec<Insn> = decode_all(&words).unwrap().into_iter().map(|(_, insn)| insn).collect();
        assert_eq!(back, generated.insns, "seed {}", generated.seed);
        assert!(words.len() <= MAX_SLOTS as usize, "seed {}: {} slots", generated.seed, words.len());
    }
}

/// Jumps and calls land on instructions, jumps stay inside their function, each function ends and is called.
#[test]
fn branches_land_on_instructions() {
    for generated in TYPES.into_iter().flat_map(programs) {
        let seed = generated.seed;
        let placed = decode_all(&encode_all(&generated.insns)).unwrap();
        let mut starts = vec![0];
        let target = |slot: u32, off: i32| (i64::from(slot) + 1 + i64::from(off)) as u32;
        for &(slot, insn) in &placed {
            if let Insn::Call(CallTarget::Local(off)) = insn {
                starts.push(target(slot.0, off));
            }
        }
        starts.sort();
        starts.dedup();
        let function = |slot: u32| starts.partition_point(|&s| s <= slot);
        let ends = placed.iter().filter(|(_, insn)| matches!(insn, Insn::Exit)).count();
        assert_eq!(ends, starts.len(), "seed {seed}: a function is never called");
        for &(slot, insn) in &placed {
            if let Some(off) = insn.jump_off() {
                let to = target(slot.0, off);
                assert!(placed.iter().any(|(s, _)| s.0 == to), "seed {seed}: {insn:?} at {slot}");
                assert_eq!(function(to), function(slot.0), "seed {seed}: {insn:?} at {slot}");
            }
        }
        for &start in &starts {
            assert!(placed.iter().any(|(s, _)| s.0 == start), "seed {seed}: call into the middle");
        }
    }
}

#[test]
fn maps_are_as_the_program_uses_them() {
    for generated in programs(ProgType::SchedCls) {
        let maps = &generated.maps;
        assert_eq!((maps[0].kind, maps[0].max_entries), (MapKind::Array, 1));
        assert!((256..=1024).contains(&maps[0].value_size));
        for map in maps {
            assert!(map.initial.len() <= map.max_entries as usize);
            for (key, value) in &map.initial {
                assert_eq!((key.len(), value.len()), (map.key_size as usize, map.value_size as usize));
            }
        }
        for insn in &generated.insns {
            match *insn {
                Insn::LoadPseudo { value: Pseudo::MapFd(fd), .. } => assert!((fd as usize) < maps.len()),
                Insn::LoadPseudo { value: Pseudo::MapValue { fd, off }, .. } => {
                    let map = &maps[fd as usize];
                    assert_eq!((map.kind, map.max_entries), (MapKind::Array, 1));
                    assert!((off as u32) < map.value_size);
                }
                _ => {}
            }
        }
    }
}

#[test]
fn the_frame_pointer_is_never_written() {
    for generated in TYPES.into_iter().flat_map(programs) {
        assert!(generated.insns.iter().all(|i| i.written() != Some(Reg::R10)), "seed {}", generated.seed);
    }
}

/// Both shapes get wrong answers from Linux 6.18: docs/kernel-engine.md has the programs.
#[test]
fn no_shape_that_the_kernel_answers_wrongly() {
    for generated in TYPES.into_iter().flat_map(programs) {
        for (i, insn) in generated.insns.iter().enumerate() {
            let Insn::Atomic { op, width, base, off, .. } = *insn else { continue };
            let (seed, before) = (generated.seed, &generated.insns[i.saturating_sub(4)..i]);
            let next = generated.insns.get(i + 1);
            let whole = Insn::Alu { op: AluOp::Mov, width: Width::W64, dst: Reg::R0, src: Operand::Reg(Reg::R0) };
            assert!(
                (op, width) != (AtomicOp::Cmpxchg, Width::W32) || next == Some(&whole),
                "seed {seed}: {insn:?} with the upper half not read"
            );
            let forgets = |earlier: &Insn| {
                matches!(*earlier, Insn::Atomic { op, width: w, base: b, off: o, .. }
                    if !op.fetches() && (w, b, o) == (width, base, off))
            };
            assert!(
                base != Reg::R10 || !op.fetches() || before.iter().any(forgets),
                "seed {seed}: {insn:?} of a slot that the verifier may know"
            );
        }
    }
}

#[test]
fn packets_are_frames_that_test_runs_accept() {
    for generated in programs(ProgType::SchedCls) {
        assert!((64..=200).contains(&generated.packet.len()));
    }
}
