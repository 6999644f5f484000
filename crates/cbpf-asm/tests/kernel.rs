//! The checker's verdict is the running kernel's, on generated programs, mutants, and scratch memory under jumps.
//!
//! `OXBPF_PROGRAMS=100000 cargo test --release -p oxbpf-cbpf-asm --test kernel` runs more than 2,000 of each kind.

mod common;

use std::collections::BTreeMap;

use common::{generated, mutant, opcodes, scratch, seeds};
use oxbpf_isa::cbpf::{MAX_INSNS, Program, SockFilter};
use oxbpf_kernel::SocketFilter;

/// The oracle, or none where the kernel does not take a filter that it must take.
fn oracle() -> Option<SocketFilter> {
    let oracle = SocketFilter::new().map_err(|e| e.to_string());
    let attached =
        oracle.and_then(|o| o.attach(&[SockFilter::stmt(0x06, 1)]).map(|()| o).map_err(|e| format!("{e:?}")));
    match attached {
        Ok(oracle) => Some(oracle),
        Err(reason) => {
            // On a development machine it must be there.
            assert_ne!(std::env::var("OXBPF_DEV").as_deref(), Ok("1"), "skipped: {reason}");
            println!("skipped: this kernel attaches no classic filter: {reason}");
            None
        }
    }
}

fn agree(oracle: &SocketFilter, code: &[SockFilter], seed: u64, verdicts: &mut BTreeMap<&'static str, u64>) {
    let ours = Program::check(code);
    let theirs = oracle.attach(code);
    assert_eq!(
        ours.is_ok(),
        theirs.is_ok(),
        "seed {seed}: {ours:?}, but {theirs:?} of {} insns: {:?}",
        code.len(),
        &code[..code.len().min(64)]
    );
    *verdicts.entry(ours.err().map_or("accepted", |e| e.code())).or_default() += 1;
}

#[test]
fn programs_have_the_kernels_verdict() {
    let Some(oracle) = oracle() else { return };
    let opcodes = opcodes();
    let mut verdicts = BTreeMap::new();
    let count = seeds().end - seeds().start;
    for seed in seeds() {
        agree(&oracle, &generated(seed), seed, &mut verdicts);
        agree(&oracle, &mutant(seed, &opcodes), seed, &mut verdicts);
        agree(&oracle, &scratch(seed), seed, &mut verdicts);
    }
    eprintln!("{verdicts:?}");
    assert!(verdicts["accepted"] > count && verdicts["accepted"] < count * 29 / 10, "{verdicts:?}");
    if count >= 2000 {
        let rules = ["opcode", "ret-x", "scratch", "unwritten", "jump", "division", "shift", "extension", "no-ret"];
        for rule in rules {
            assert!(verdicts.contains_key(format!("cbpf-{rule}").as_str()), "no program breaks {rule}: {verdicts:?}");
        }
    }
}

#[test]
fn every_opcode_has_the_kernels_verdict() {
    let Some(oracle) = oracle() else { return };
    let mut verdicts = BTreeMap::new();
    for code in 0..=u16::MAX {
        for k in [0, 1, 31, 32] {
            let program = [SockFilter::stmt(0x02, 1), SockFilter::stmt(code, k), SockFilter::stmt(0x06, 0)];
            agree(&oracle, &program, code.into(), &mut verdicts);
            agree(&oracle, &program[..2], code.into(), &mut verdicts);
        }
    }
}

#[test]
fn lengths_have_the_kernels_verdict() {
    let mut verdicts = BTreeMap::new();
    for len in [0, 1, 2, MAX_INSNS - 1, MAX_INSNS, MAX_INSNS + 1] {
        // A socket of its own, as a socket's memory does not hold two programs of that length at once.
        let Some(oracle) = oracle() else { return };
        agree(&oracle, &vec![SockFilter::stmt(0x06, 0); len], len as u64, &mut verdicts);
    }
    assert_eq!(verdicts, BTreeMap::from([("accepted", 4), ("cbpf-empty", 1), ("cbpf-too-long", 1)]));
}
