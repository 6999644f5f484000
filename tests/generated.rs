//! Generated programs give the same results in the interpreter and in the running kernel.
//!
//! `cargo test` runs 2,000; `OXBPF_PROGRAMS=1000000 OXBPF_SEED=0 cargo test --release --test generated` runs more,
//! on as many threads as there are processors.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use oxbpf::compare::Comparison;
use oxbpf::interp::Interp;
use oxbpf::ir::{MapDef, MapInit, ProgIdx, Program, ProgramParts, Unit};
use oxbpf::kernel::Kernel;
use oxbpf::runtime::skb::Link;
use oxbpf::runtime::{Availability, Engine, EngineError, Env, Image, Input};
use oxbpf_abi::{MapType, ProgType};
use oxbpf_progen::{Generated, Generator, MapKind, ProgType as GeneratedType, Topic};

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |v| v.parse().unwrap_or_else(|_| panic!("{name} is not a number: {v}")))
}

fn unit(generated: &Generated) -> Unit {
    let maps = generated.maps.iter().enumerate().map(|(i, m)| {
        let map_type = match m.kind {
            MapKind::Array => MapType::ARRAY,
            MapKind::Hash => MapType::HASH,
        };
        let init = MapInit::Entries(m.initial.clone());
        MapDef { init, ..MapDef::new(&format!("map{i}"), map_type, m.key_size, m.value_size, m.max_entries) }
    });
    let prog_type = match generated.prog_type {
        GeneratedType::SchedCls => ProgType::SchedCls,
        GeneratedType::SocketFilter => ProgType::SocketFilter,
        GeneratedType::Xdp => ProgType::Xdp,
    };
    let parts = ProgramParts::new("generated", prog_type, generated.insns.clone());
    let program = Program::new(parts).expect("generated programs are well shaped");
    Unit::new("generated", "GPL", maps.collect(), vec![program]).expect("generated maps exist")
}

#[derive(Default)]
struct Counts {
    run: AtomicU64,
    rejected: AtomicU64,
    kernel_failed: AtomicU64,
    different: AtomicU64,
}

/// Runs one program on both engines; says what differs.
fn compare(generated: &Generated, counts: &Counts) -> Option<String> {
    let image = Image::unproven(Arc::new(unit(generated)), ProgIdx(0));
    let mut pair = match Comparison::new(&Kernel, &Interp, &image, &Env::default()) {
        Ok(pair) => pair,
        Err(EngineError::Rejected { .. }) => {
            counts.rejected.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        Err(e) => {
            // Counted apart: a load that the kernel did not finish is no difference.
            counts.kernel_failed.fetch_add(1, Ordering::Relaxed);
            eprintln!("seed {}: {e}", generated.seed);
            return None;
        }
    };
    let ran = pair.run(1, &Input::new(&generated.packet, Link::Ethernet)).expect("both engines run");
    assert!(ran.is_ok(), "seed {}: the kernel takes generated packets: {ran:?}", generated.seed);
    pair.finish().expect("maps are read");
    counts.run.fetch_add(1, Ordering::Relaxed);
    let first = pair.differences.first().map(|(_, d)| format!("seed {}: interp {d}", generated.seed));
    if first.is_some() {
        counts.different.fetch_add(1, Ordering::Relaxed);
    }
    first
}

#[test]
fn interpreter_equals_kernel() {
    if let Availability::Unavailable(reason) = Kernel.availability() {
        eprintln!("skipped: {reason}");
        return;
    }
    let (programs, seed) = (setting("OXBPF_PROGRAMS", 2000), setting("OXBPF_SEED", 0));
    let threads = std::thread::available_parallelism().map_or(1, |n| n.get() as u64).min(8);
    let counts = Counts::default();
    let next = AtomicU64::new(0);
    let worker = || {
        let mut shares: BTreeMap<String, u64> = BTreeMap::new();
        let mut failures = Vec::new();
        loop {
            let n = next.fetch_add(1, Ordering::Relaxed);
            if n >= programs {
                return (shares, failures);
            }
            // Most are classifiers, whose context and helpers are the richest.
            let prog_type = match n % 10 {
                8 => GeneratedType::SocketFilter,
                9 => GeneratedType::Xdp,
                _ => GeneratedType::SchedCls,
            };
            let generated = Generator::of_type(seed + n, prog_type).program();
            for topic in Topic::ALL.iter().filter(|t| generated.features.has(**t)) {
                *shares.entry(format!("{topic:?}")).or_default() += 1;
            }
            if let Some(failure) = compare(&generated, &counts)
                && failures.len() < 20
            {
                eprintln!("{failure}");
                failures.push(failure);
            }
            if n % 50_000 == 49_999 {
                eprintln!("{} of {programs} programs", n + 1);
            }
        }
    };
    let results: Vec<_> = std::thread::scope(|s| {
        let handles: Vec<_> = (0..threads).map(|_| s.spawn(worker)).collect();
        handles.into_iter().map(|h| h.join().expect("workers do not panic")).collect()
    });
    let mut shares: BTreeMap<String, u64> = BTreeMap::new();
    for (topic, n) in results.iter().flat_map(|r| &r.0) {
        *shares.entry(topic.clone()).or_default() += n;
    }
    let [run, rejected, kernel_failed, different] =
        [&counts.run, &counts.rejected, &counts.kernel_failed, &counts.different].map(|c| c.load(Ordering::Relaxed));
    eprintln!(
        "{programs} programs from seed {seed}: {run} compared, {different} different, {rejected} rejected, {kernel_failed} failed in the kernel"
    );
    for (topic, n) in &shares {
        eprintln!("  {topic:<12} {:.1} %", *n as f64 * 100.0 / programs as f64);
    }
    let failures: Vec<_> = results.into_iter().flat_map(|r| r.1).collect();
    assert!(failures.is_empty(), "{failures:#?}");
    assert!(kernel_failed <= 1 + programs / 10_000, "{kernel_failed} of {programs} loads failed in the kernel");
    assert!(rejected * 50 <= programs, "the kernel rejects {rejected} of {programs}");
    for topic in [Topic::Loops, Topic::Calls, Topic::Atomics, Topic::Maps, Topic::Packet] {
        let share = shares.get(&format!("{topic:?}")).copied().unwrap_or(0);
        assert!(share * 5 >= programs, "{topic:?} are in {share} of {programs}");
    }
}
