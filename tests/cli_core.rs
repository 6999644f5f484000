//! CO-RE objects on the command line: `--btf`, the running kernel's types, and what traps.

mod cli;

use cli::{oxbpf, stderr, stdout};

const HTTP: &str = "examples/captures/http.pcap";
const TYPES: &str = "crates/elf/tests/core/types.o";
const TARGET: &str = "crates/elf/tests/core/target.o";

/// What one program of `types.o` returned for a packet, adapted to `target.o`.
fn verdict(program: &str) -> String {
    let prog = format!("{TYPES}:classifier/{program}");
    let output = oxbpf(&[
        "run",
        &prog,
        "--unverified",
        "--btf",
        TARGET,
        "--pcap",
        HTTP,
        "--limit",
        "1",
        "--verdict-as",
        "socket",
        "--jsonl",
    ]);
    assert_eq!(stderr(&output), "");
    stdout(&output)
}

#[test]
fn programs_run_with_the_types_of_the_file() {
    for (program, returned) in [("value", 4), ("value_guarded", 55), ("size", 312), ("size_nowhere", 0)] {
        let line = verdict(program);
        assert!(line.contains(&format!("\"return\":{returned},")), "{program}: {line}");
    }
}

#[test]
fn what_the_types_lack_traps_by_name() {
    let line = verdict("value_gone");
    assert!(line.contains("core-unresolved"), "{line}");
}

#[test]
fn what_the_types_lack_is_listed_by_name_and_reads_again() {
    let output = oxbpf(&["disasm", &format!("{TYPES}:classifier/value_gone"), "--btf", TARGET]);
    let text = stdout(&output);
    assert!(text.ends_with("call core_unresolved\ncall core_unresolved\nexit\n"), "{text}");
    let file = cli::write(&cli::scratch("core"), "gone.bpf", &text);
    let output = oxbpf(&["disasm", &file]);
    // All but the source lines, which texts do not keep.
    let code: Vec<&str> = text.lines().filter(|line| !line.starts_with(';')).collect();
    assert_eq!(stdout(&output).lines().collect::<Vec<_>>(), code);
}

#[test]
fn files_without_types_are_refused_with_their_name() {
    let refused = |btf: &str, code: &str| {
        let output = oxbpf(&["run", &format!("{TYPES}:classifier/size"), "--btf", btf, "--pcap", HTTP]);
        let said = stderr(&output);
        assert!(said.starts_with(&format!("error[{code}]: {btf}: ")), "{said}");
        assert_eq!(output.status.code(), Some(2));
    };
    refused("nowhere.btf", "prog-read");
    refused("Cargo.toml", "btf-bad-magic");
    // An ELF file, and none of BPF's.
    refused(env!("CARGO_BIN_EXE_oxbpf"), "elf-no-btf");
}

#[test]
fn without_a_file_it_is_the_running_kernel_and_said() {
    let output = oxbpf(&["run", &format!("{TYPES}:classifier/id_local"), "--pcap", HTTP]);
    let said = stderr(&output);
    let kernel = std::path::Path::new(oxbpf::core_target::KERNEL_BTF).exists();
    let expected = if kernel {
        "note: CO-RE: adapted to the types of the running kernel"
    } else {
        "note: the running kernel shows no types"
    };
    assert!(said.starts_with(expected), "{said}");
}

#[test]
fn the_guarded_example_equals_the_kernel() {
    let kernels = std::path::Path::new(oxbpf::core_target::KERNEL_BTF).exists();
    let root = oxbpf(&["run", "examples/minimal.o", "--pcap", HTTP, "--engine", "kernel"]).status.success();
    if !kernels || !root {
        assert!(std::env::var_os("OXBPF_DEV").is_none_or(|v| v != "1"), "the kernel is there on a development machine");
        return eprintln!("skipped: no kernel that takes programs and shows its types");
    }
    let output = oxbpf(&["run", "examples/core/core_guard.o", "--pcap", HTTP, "--engine", "all"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stdout(&output).contains("interp = kernel on 65 packets"), "{}", stdout(&output));
}
