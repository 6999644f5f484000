//! What the generator of programs for verifiers makes: every topic for every type that has it, and every fault.

use oxbpf_abi::{PROG_TYPES, ProgType};
use oxbpf_progen::checked::{self, Fault, Topic};

const PROGRAMS: u64 = 3000;

/// Whether programs of a type can have this in them.
fn has(prog_type: ProgType, topic: Topic) -> bool {
    let socket = prog_type == ProgType::SocketFilter;
    match topic {
        Topic::PacketCheck | Topic::PacketVariable => !socket,
        Topic::PacketWrite | Topic::PacketMeta => !socket && prog_type != ProgType::CgroupSkb,
        Topic::PacketMoved => !socket && prog_type != ProgType::CgroupSkb,
        Topic::ContextStore => prog_type != ProgType::Xdp,
        Topic::LegacyLoad => !matches!(prog_type, ProgType::Xdp | ProgType::CgroupSkb),
        Topic::SpinLock => !socket,
        _ => true,
    }
}

#[test]
fn every_topic_is_in_some_programs_of_every_type() {
    for row in &PROG_TYPES {
        let topics: Vec<_> = (0..PROGRAMS).map(|seed| checked::program(seed, row.prog_type).topics).collect();
        for &topic in Topic::ALL {
            let count = topics.iter().filter(|t| t.has(topic)).count() as u64;
            let least = if has(row.prog_type, topic) { PROGRAMS / 200 } else { 0 };
            assert!(count >= least, "{topic:?} is in {count} of {PROGRAMS} programs of type {}", row.name);
            assert!(least > 0 || count == 0, "{topic:?} is in {count} programs of type {}", row.name);
        }
    }
}

#[test]
fn every_fault_is_made_and_changes_one_place() {
    let mut counts = std::collections::BTreeMap::new();
    for seed in 0..PROGRAMS {
        let program = checked::program(seed, ProgType::SchedCls);
        let (fault, insns) = checked::mutant(seed, &program.insns);
        assert_ne!(insns, program.insns, "seed {seed}: {fault:?}");
        let slots = |insns: &[oxbpf_isa::Insn]| insns.iter().map(|i| i.slots()).sum::<u32>();
        assert_eq!(slots(&insns), slots(&program.insns), "seed {seed}: {fault:?}");
        let same_start = insns.iter().zip(&program.insns).take_while(|(a, b)| a == b).count();
        let same_end = insns.iter().rev().zip(program.insns.iter().rev()).take_while(|(a, b)| a == b).count();
        assert!(same_start + same_end + 2 >= program.insns.len(), "seed {seed}: {fault:?}");
        *counts.entry(fault).or_insert(0u64) += 1;
    }
    for fault in Fault::ALL {
        let count = counts.get(fault).copied().unwrap_or(0);
        assert!(count * 200 >= PROGRAMS, "{fault:?} {count} times in {PROGRAMS}");
    }
}

#[test]
fn the_same_seed_makes_the_same() {
    for seed in 0..50 {
        let program = checked::program(seed, ProgType::Xdp);
        assert_eq!(program, checked::program(seed, ProgType::Xdp));
        assert_eq!(checked::mutant(seed, &program.insns), checked::mutant(seed, &program.insns));
    }
}
