//! What a verdict costs: `cargo bench --bench verifier`, or under callgrind for counts that do not depend on the machine.
//!
//! Generated programs that the kernel accepts for the most part, and the example objects. The best of 7 rounds, in
//! nanoseconds for each instruction visited; the kernel needs about 1,000.

use std::hint::black_box;
use std::time::Instant;

use oxbpf::abi::ProgType;
use oxbpf::ir::ProgIdx;
use oxbpf_progen::checked;
use oxbpf_verifier::{Options, verify};

#[allow(dead_code)]
#[path = "../tests/verdicts/case.rs"]
mod case;
#[allow(dead_code)]
#[path = "../tests/verdicts/generated.rs"]
mod generated;

/// Nanoseconds per visited instruction, and how many were visited in all.
fn cost(mut work: impl FnMut() -> u64, rounds: u32) -> (f64, u64) {
    let (mut best, mut visited) = (f64::INFINITY, 0);
    for _ in 0..rounds {
        let started = Instant::now();
        visited = black_box(work());
        best = best.min(started.elapsed().as_nanos() as f64);
    }
    (best / visited as f64, visited)
}

fn main() {
    // Fewer of both where instructions are counted one by one.
    let brief = std::env::var_os("OXBPF_BRIEF").is_some();
    let (programs, rounds) = if brief { (100, 1) } else { (1000, 7) };
    let maps = generated::maps();
    let units: Vec<_> = (0..programs)
        .map(|seed| generated::case(&checked::program(seed, ProgType::SchedCls), &maps))
        .filter_map(|case| Some((case.unit().ok()?.0, case.options())))
        .collect();
    let judge = || units.iter().map(|(unit, o)| u64::from(verify(unit, ProgIdx(0), o).stats.processed)).sum();
    let (ns, visited) = cost(judge, rounds);
    println!("generated {:5} programs {visited:9} visited {ns:7.1} ns each", units.len());

    let paths = std::fs::read_dir("examples").expect("the examples are there").filter_map(|e| Some(e.ok()?.path()));
    let objects: Vec<_> = paths.filter(|path| path.extension().is_some_and(|e| e == "o")).collect();
    let loaded: Vec<_> =
        objects.iter().filter_map(|path| oxbpf::prog::load(path.to_str()?, None, ProgType::SchedCls).ok()).collect();
    let judge = || {
        let all = loaded.iter().flat_map(|l| (0..l.unit.programs().len() as u32).map(move |i| (l, ProgIdx(i))));
        all.map(|(l, i)| u64::from(verify(&l.unit, i, &Options::default()).stats.processed)).sum()
    };
    let (ns, visited) = cost(judge, rounds);
    println!("examples  {:5} objects  {visited:9} visited {ns:7.1} ns each", loaded.len());
}
