//! Inputs that once broke a fuzz target, and some that reach far, replayed on the stable compiler:
//! `fuzz/regressions/TARGET/*`.

// The targets' bodies belong to the fuzz package, which is a workspace of its own: see there.
#[path = "../fuzz/src/lib.rs"]
#[allow(dead_code)]
mod targets;

use std::fs;
use std::path::Path;

#[test]
fn committed_inputs_hold() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/regressions");
    for (name, run) in targets::TARGETS {
        let mut inputs: Vec<_> = fs::read_dir(root.join(name))
            .unwrap_or_else(|e| panic!("target {name} has no regressions: {e}"))
            .map(|entry| entry.unwrap().path())
            .collect();
        inputs.sort();
        assert!(!inputs.is_empty(), "target {name} has no regressions");
        for input in inputs {
            // A panic shows which input it was by the last line that was printed.
            println!("{}", input.display());
            run(&fs::read(&input).unwrap());
        }
    }
    if let Some(peak) = peak_kib() {
        assert!(peak < MAX_KIB, "{peak} KiB of memory were used at once");
    }
}

/// Well above what the targets need for inputs of this size, well below what a claimed size of 32 bits would take.
const MAX_KIB: u64 = 512 << 10;

/// The most memory that this process ever had; none where the host does not tell.
fn peak_kib() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    status.lines().find_map(|l| l.strip_prefix("VmHWM:"))?.split_whitespace().next()?.parse().ok()
}

#[test]
fn every_target_is_listed_and_has_a_program() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/fuzz_targets");
    let mut programs: Vec<_> = fs::read_dir(dir).unwrap().map(|e| e.unwrap().path()).collect();
    programs.sort();
    let programs: Vec<_> = programs.iter().filter_map(|p| p.file_stem()?.to_str()).collect();
    let mut listed = targets::TARGETS.map(|t| t.0);
    listed.sort();
    assert_eq!(programs, listed);
}
