//! Scalars compared with what the running kernel's verifier knows, one operation at a time.
//!
//! `OXBPF_SCALAR_CASES` is the number of programs, `OXBPF_SCALAR_SEED` the first one's seed.

mod jumps;
mod operations;
mod program;
mod random;
mod trace;

use std::collections::BTreeMap;

use oxbpf_isa::encode_all;
use oxbpf_kernel::{KernelProg, LoadError, LoadSpec, LogPolicy, probe};
use oxbpf_verifier::scalar::Scalar;

use program::{Program, Step};
use trace::{Regs, Trace};

const SOCKET_FILTER: u32 = 1;

/// Comparisons of one operation.
#[derive(Default)]
struct Account {
    compared: u64,
    differ: u64,
    examples: Vec<String>,
}

#[test]
fn the_kernel_knows_the_same() {
    if !measured() {
        return;
    }
    let number = |name: &str, or| std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(or);
    let (cases, seed) = (number("OXBPF_SCALAR_CASES", 400), number("OXBPF_SCALAR_SEED", 1));
    let mut accounts = BTreeMap::<String, Account>::new();
    let mut failed = 0;
    for case in seed..seed + cases {
        let program = program::generate(&mut random::Random::new(case), 40);
        match load(&program) {
            Ok(trace) => compare(case, &program, &trace, &mut accounts),
            Err(LoadError::KernelFailed { .. }) => failed += 1,
            Err(error) => panic!("seed {case}: {error:?}"),
        }
    }
    let (mut compared, mut differ) = (0, 0);
    for (label, account) in &accounts {
        println!("{label:24} {:8} {:6}", account.compared, account.differ);
        for example in &account.examples {
            println!("    {example}");
        }
        compared += account.compared;
        differ += account.differ;
    }
    println!("{cases} programs, {compared} comparisons, {differ} differ, {failed} loads on which the kernel failed");
    assert_eq!(differ, 0, "of {compared}");
}

/// Whether there is the kernel that the rules are those of.
fn measured() -> bool {
    let availability = probe();
    let same = availability.release().is_some_and(|release| release.starts_with("6.18"));
    if !same {
        assert_ne!(std::env::var("OXBPF_DEV").as_deref(), Ok("1"), "skipped: {availability}, not 6.18");
        println!("skipped: {availability}, to be compared with 6.18");
    }
    same
}

fn load(program: &Program) -> Result<Trace, LoadError> {
    let words: Vec<[u8; 8]> = wire(program);
    let spec = LoadSpec { log: LogPolicy::Level(2), ..LoadSpec::new(SOCKET_FILTER, &words) };
    Ok(Trace::parse(&KernelProg::load(&spec)?.log.text))
}

/// The instructions; what follows a wide load is its own second slot.
fn wire(program: &Program) -> Vec<[u8; 8]> {
    let mut words = Vec::new();
    for (at, insn) in program.insns.iter().enumerate() {
        let after_wide = at > 0 && program.insns[at - 1].slots() == 2;
        if !after_wide {
            words.extend(encode_all([insn]).into_iter().map(|word| word.to_bytes()));
        }
    }
    words
}

fn compare(case: u64, program: &Program, trace: &Trace, accounts: &mut BTreeMap<String, Account>) {
    let mut path = trace.path.iter().filter(|(slot, _)| *slot >= program.steps[0].slot);
    let mut count = |step: &Step, difference: Option<String>| {
        let account = accounts.entry(step.label.clone()).or_default();
        account.compared += 1;
        if let Some(text) = difference {
            account.differ += 1;
            if account.examples.len() < 3 {
                account.examples.push(format!("seed {case} slot {}: {}: {text}", step.slot, step.before));
            }
            return false;
        }
        true
    };
    // Where a path forked, what is seen of a jump may be the other's.
    let mut forked = false;
    for step in &program.steps {
        let Some((slot, regs)) = path.next() else {
            count(step, Some("the path ended before".into()));
            return;
        };
        let went = if *slot != step.slot {
            Some(format!("the path is at {slot}: {:?}", trace.bugs))
        } else {
            let here = differs(&step.after, regs);
            let there = match &step.other {
                Some((target, expected)) => {
                    forked |= target == slot;
                    match trace.from.get(&(*slot, *target)) {
                        Some(regs) => differs(expected, regs).map(|text| format!("other path: {text}")),
                        None => Some("no other path".to_string()),
                    }
                }
                None if forked => None,
                None => trace.from.keys().any(|key| key.0 == *slot).then(|| "another path".to_string()),
            };
            here.or(there)
        };
        if !count(step, went) {
            return;
        }
    }
}

fn differs(expected: &[(u8, Scalar)], regs: &Regs) -> Option<String> {
    for (reg, ours) in expected {
        let Some((theirs, printed)) = regs.get(reg) else {
            return Some(format!("R{reg} is not printed"));
        };
        let text = ours.kernel_text(false);
        let same_constant = ours.as_const().is_some() && ours.as_const() == theirs.as_const();
        // Of a constant no bounds are printed.
        if ours != theirs && !same_constant || text != *printed {
            return Some(format!("R{reg} ours {text} kernel {printed}"));
        }
    }
    None
}
