//! Our verdicts beside the running kernel's.
//!
//! Programs are generated and mutated ([`oxbpf_progen::checked`]), compiled from `tests/verifier/programs`, and, where
//! `OXBPF_ARRAYS` names a file of them, read from JSON. What differs is written to `target/verdicts`.
//!
//! `OXBPF_PROGRAMS=100000 OXBPF_SEED=0 cargo test --release --test verdicts -- --nocapture` runs more.

#[path = "verdicts/arrays.rs"]
mod arrays;
#[path = "verdicts/case.rs"]
mod case;
#[path = "verdicts/oracle.rs"]
mod oracle;
#[path = "verdicts/tally.rs"]
mod tally;

use case::{Case, Judged, Ours};
use oracle::{Maps, Told};
use oxbpf::kernel::probe;
use tally::{LARGE, Tally};

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |v| v.parse().unwrap_or_else(|_| panic!("{name} is not a number: {v}")))
}

/// Whether there is a kernel to ask; says why not.
fn kernel() -> bool {
    match probe().reason() {
        None => true,
        Some(reason) => {
            assert!(std::env::var("OXBPF_DEV").as_deref() != Ok("1"), "no kernel: {reason}");
            eprintln!("skipped: {reason}");
            false
        }
    }
}

/// How often a time is taken; the least counts.
const TIMES: u32 = 3;

/// Judges a program on both sides and enters it.
fn compare(tally: &mut Tally, case: &Case, maps: &Maps, told: &Told) {
    let ours = case.judge();
    tally.enter(case, maps, told, &ours);
    if let (Told::Verdict { accepted: true, processed, micros, .. }, Ours::Accepted) = (told, &ours.verdict)
        && *processed > LARGE
    {
        let times = measure(case, maps, *micros, &ours);
        tally.enter_cost(case, told, &ours, times);
    }
}

/// The least times of both sides in microseconds, taken in turn.
fn measure(case: &Case, maps: &Maps, micros: u64, ours: &Judged) -> (f64, f64) {
    let mut best = (micros as f64, ours.took.as_secs_f64() * 1e6);
    for _ in 1..TIMES {
        if let Told::Verdict { micros, .. } = oracle::ask(case, maps) {
            best.0 = best.0.min(micros as f64);
        }
        best.1 = best.1.min(case.judge().took.as_secs_f64() * 1e6);
    }
    best
}

#[test]
fn listed_programs() {
    let Ok(path) = std::env::var("OXBPF_ARRAYS") else {
        eprintln!("skipped: OXBPF_ARRAYS names no file of programs");
        return;
    };
    if !kernel() {
        return;
    }
    let mut tally = Tally::new("listed");
    for listed in arrays::read(&path) {
        let maps =
            Maps::create(&listed.case.maps, &listed.types).unwrap_or_else(|e| panic!("{}: {e}", listed.case.name));
        let told = oracle::ask(&listed.case, &maps);
        compare(&mut tally, &listed.case, &maps, &told);
    }
    eprintln!("{}", tally.report());
}
