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
#[path = "verdicts/generated.rs"]
mod generated;
#[path = "verdicts/objects.rs"]
mod objects;
#[path = "verdicts/oracle.rs"]
mod oracle;
#[path = "verdicts/tally.rs"]
mod tally;

use case::{Case, Judged, Ours};
use oracle::{Maps, Told};
use oxbpf::kernel::probe;
use tally::{Difference, LARGE, Tally};

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

/// Programs of each type in a plain `cargo test`.
const FEW: u64 = 20;
/// From how many on shares are looked at, and how even messages must be.
const MANY: u64 = 1000;

/// Compares generated programs of one type until there are enough.
fn generated_of(prog_type: oxbpf::abi::ProgType, programs: u64, seed: u64) -> Tally {
    let mut tally = Tally::new(&format!("generated-{prog_type}"));
    let defs = generated::maps();
    let maps = Maps::create(&defs, &[]).expect("maps are created");
    for seed in (seed..).take(programs as usize * 8) {
        if tally.total() >= programs {
            break;
        }
        let program = oxbpf_progen::checked::program(seed, prog_type);
        let case = generated::case(&program, &defs);
        let told = oracle::ask(&case, &maps);
        match &told {
            Told::Verdict { accepted: true, .. } => {}
            Told::Verdict { message, .. } => {
                let verbose = std::env::var("OXBPF_FLAWS").is_ok();
                if verbose {
                    eprintln!("{}: {message}", case.name);
                }
                tally.leave_out("not accepted as generated");
                continue;
            }
            Told::Failed { .. } => {
                tally.leave_out("failed in the kernel as generated");
                continue;
            }
        }
        if seed % 100 < generated::UNCHANGED {
            compare(&mut tally, &case, &maps, &told);
            continue;
        }
        let case = generated::faulty(&program, &defs, seed);
        let told = oracle::ask(&case, &maps);
        match &told {
            Told::Verdict { accepted: false, message, .. } if tally.saturated(message) => {
                tally.leave_out("of a message that makes its share");
            }
            _ => compare(&mut tally, &case, &maps, &told),
        }
    }
    tally
}

#[test]
fn generated_programs() {
    if !kernel() {
        return;
    }
    let (programs, seed) = (setting("OXBPF_PROGRAMS", FEW), setting("OXBPF_SEED", 0));
    let only = std::env::var("OXBPF_TYPE").ok();
    let types = generated::TYPES.into_iter().filter(|t| only.as_ref().is_none_or(|name| *name == t.to_string()));
    let types: Vec<_> = types.collect();
    let threads = std::thread::available_parallelism().map_or(1, |n| n.get()).min(2);
    let next = std::sync::atomic::AtomicUsize::new(0);
    let worker = || {
        let mut tallies = Vec::new();
        while let Some(prog_type) = types.get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed)) {
            tallies.push(generated_of(*prog_type, programs, seed));
        }
        tallies
    };
    let tallies: Vec<Tally> = std::thread::scope(|s| {
        let handles: Vec<_> = (0..threads).map(|_| s.spawn(worker)).collect();
        handles.into_iter().flat_map(|h| h.join().expect("workers do not panic")).collect()
    });
    for tally in &tallies {
        eprintln!("{}", tally.report());
    }
    for tally in &tallies {
        assert!(tally.total() >= programs, "{} programs of {programs}", tally.total());
        assert_eq!(tally.count(Difference::Panicked), 0, "the verifier panicked");
        if programs < MANY {
            continue;
        }
        let (share, (most, message)) = (tally.accepted_share(), tally.greatest_message());
        assert!((30.0..=70.0).contains(&share), "the kernel accepts {share:.1} %");
        assert!(most <= 10.0, "{most:.1} % of rejects say {message}");
        assert!(tally.agreement() >= 99.0, "{:.2} % agree", tally.agreement());
    }
}

fn object_case(path: &str) -> (Case, Maps) {
    let bytes = std::fs::read(path).unwrap_or_else(|e| panic!("{path}: {e}"));
    let case = objects::programs(path, &bytes).into_iter().next().expect("a program");
    let maps = Maps::create(&case.maps, &[]).expect("maps are created");
    (case, maps)
}

fn generated_case(wanted: &str) -> (Case, Maps) {
    let mut words = wanted.split(' ');
    let prog_type = words.next().and_then(oxbpf::abi::ProgType::by_name).expect("a program type");
    let seed = words.next().and_then(|w| w.parse().ok()).expect("a seed");
    let defs = generated::maps();
    let maps = Maps::create(&defs, &[]).expect("maps are created");
    let program = oxbpf_progen::checked::program(seed, prog_type);
    let case = match words.next() {
        Some(_) => generated::faulty(&program, &defs, seed),
        None => generated::case(&program, &defs),
    };
    (case, maps)
}

/// Writes both sides' logs of one program: `OXBPF_SHOW='xdp 17'`, `'xdp 17 fault'`, or the first one of an object.
#[test]
fn shown_program() {
    let Ok(wanted) = std::env::var("OXBPF_SHOW") else { return };
    let (case, maps) = match wanted.strip_suffix(".o") {
        Some(_) => object_case(&wanted),
        None => generated_case(&wanted),
    };
    let accepted = matches!(oracle::ask(&case, &maps), Told::Verdict { accepted: true, .. });
    std::fs::create_dir_all("target/verdicts").expect("a directory");
    let write = |name: &str, text: String| std::fs::write(format!("target/verdicts/{name}"), text).expect("a file");
    write("shown.listing", case.listing());
    write("shown.kernel", oracle::trace(&case, &maps, accepted));
    write("shown.ours", case.log());
}

#[test]
fn compiled_programs() {
    if !kernel() {
        return;
    }
    let compilers = objects::compilers();
    if compilers.is_empty() {
        eprintln!("skipped: there is no clang");
        return;
    }
    let many = std::env::var_os("OXBPF_PROGRAMS").is_some();
    let (cases, refused) = objects::all(if many { &compilers } else { &compilers[compilers.len() - 1..] }, !many);
    let mut tally = Tally::new("compiled");
    for case in cases {
        let maps = Maps::create(&case.maps, &[]).unwrap_or_else(|e| panic!("{}: {e}", case.name));
        let told = oracle::ask(&case, &maps);
        compare(&mut tally, &case, &maps, &told);
    }
    for error in &refused {
        eprintln!("  does not compile: {}", error.lines().next().unwrap_or_default());
    }
    eprintln!("{}", tally.report());
    assert!(tally.total() >= 15, "{} programs", tally.total());
    assert_eq!(tally.count(Difference::Panicked), 0, "the verifier panicked");
    assert_eq!(tally.count(Difference::WeAccept), 0, "we accept what the kernel rejects");
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
