//! Classic programs at the command line, as a user meets them.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

fn run(program: &Path, arguments: &[&str], stdin: &[u8]) -> Output {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("starts");
    // A program that does not read its input closes it.
    let _ = child.stdin.take().expect("piped").write_all(stdin);
    child.wait_with_output().expect("ends")
}

fn oxbpf(arguments: &[&str], stdin: &[u8]) -> Output {
    run(Path::new(env!("CARGO_BIN_EXE_oxbpf")), arguments, stdin)
}

/// Exit code, standard output and standard error.
fn ends(arguments: &[&str], stdin: &[u8]) -> (i32, String, String) {
    told(oxbpf(arguments, stdin))
}

fn told(out: Output) -> (i32, String, String) {
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    (out.status.code().expect("a code"), text(out.stdout), text(out.stderr))
}

fn succeeds(arguments: &[&str], stdin: &[u8]) -> Vec<u8> {
    let out = oxbpf(arguments, stdin);
    assert!(out.status.success() && out.stderr.is_empty(), "{arguments:?}: {}", String::from_utf8_lossy(&out.stderr));
    out.stdout
}

const IP: &[u8] = b"ldh [12]\njne #0x800, drop\nret #-1\ndrop: ret #0\n";

const FORMATS: [&str; 11] = ["text", "tc", "asm-c", "d", "dd", "ddd", "raw-le", "raw-be", "c", "rust", "json"];

#[test]
fn every_format_leads_to_every_other() {
    let wanted = FORMATS.map(|f| succeeds(&["asm", "-", "--emit", f], IP));
    assert_eq!(wanted[1], b"4,40 0 0 12,21 0 1 2048,6 0 0 4294967295,6 0 0 0,\n");
    for (from, bytes) in FORMATS.iter().zip(&wanted) {
        for (to, wanted) in FORMATS.iter().zip(&wanted) {
            assert_eq!(succeeds(&["disasm", "-", "--format", from, "--emit", to], bytes), *wanted, "{from} to {to}");
            assert_eq!(succeeds(&["asm", "-", "--emit", to], bytes), *wanted, "{from}, by itself, to {to}");
        }
    }
}

#[test]
fn what_looks_classic_is_listed_as_such() {
    let text = succeeds(&["asm", "-", "--emit", "text"], IP);
    for format in FORMATS.iter().filter(|f| !f.starts_with("raw")) {
        let bytes = succeeds(&["asm", "-", "--emit", format], IP);
        assert_eq!(succeeds(&["disasm", "-"], &bytes), text, "{format}");
    }
    assert_eq!(succeeds(&["disasm", "bytecode:1,6 0 0 0"], b""), b"\tret #0x0\n");
    // eBPF text with slots and opcodes looks alike at its beginning.
    let ebpf = succeeds(&["disasm", "-"], b"0: (b7) r0 = 2\n1: (95) exit\n");
    assert!(String::from_utf8(ebpf).unwrap().ends_with("r0 = 2\nexit\n"));
}

#[test]
fn hex_for_tc_is_refused_with_what_it_would_do() {
    let (code, out, err) = ends(&["disasm", "bytecode:1,6 0 0 0xffffffff,"], b"");
    let expected = "\
error[casm-tc-number]: `0xffffffff` is no decimal number of 32 bits: tc would read 0 and install `6 0 0 0`
  --> bytecode:1:9
   |
 1 | 1,6 0 0 0xffffffff,
   |         ^^^^^^^^^^
";
    assert_eq!((code, out.as_str(), err.as_str()), (2, "", expected));
}

#[test]
fn doubts_are_warnings_to_asm_and_findings_to_verify() {
    let text = b"ld M[3]\ndiv #0\nret a\n";
    let (code, out, err) = ends(&["asm", "-", "--emit", "tc"], text);
    assert_eq!((code, out.as_str()), (0, "3,96 0 0 3,52 0 0 0,22 0 0 0,\n"));
    let place = "  --> stdin:2:1\n   |\n 2 | div #0\n   | ^^^\n";
    assert_eq!(err, format!("warning[cbpf-division]: the kernel refuses this: division by the constant 0\n{place}"));
    let (code, out, err) = ends(&["verify", "-"], text);
    assert_eq!((code, out.as_str()), (1, ""));
    assert_eq!(err, format!("error[cbpf-division]: insn 1: division by the constant 0\n{place}"));
    let (code, _, err) = ends(&["verify", "bytecode:2,6 0 0 1,5 0 0 7"], b"");
    let expected = "\
error[cbpf-jump]: insn 1: jump to insn 9, behind the last of 2
  --> bytecode:1:11
   |
 1 | 2,6 0 0 1,5 0 0 7
   |           ^^^^^^^
";
    assert_eq!((code, err.as_str()), (1, expected));
    let (code, out, _) = ends(&["verify", "-", "--json"], text);
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &json["accepted"], &json["errors"][0]["insn"]), (1, &false.into(), &1.into()));
}

#[test]
fn sound_programs_are_accepted() {
    let (code, out, err) = ends(&["verify", "-"], IP);
    assert_eq!((code, out.as_str(), err.as_str()), (0, "stdin: accepted, 4 instructions\n", ""));
    let (code, _, err) = ends(&["verify", "raw:ebpf:-"], b"");
    assert_ne!(code, 0, "{err}");
}

#[test]
fn classic_text_for_the_other_assembler_gets_a_hint() {
    let (code, _, err) = ends(&["asm", "-"], IP);
    assert_eq!(code, 2);
    assert!(err.ends_with("help: classic BPF is assembled with --emit FORMAT\n"), "{err}");
}

#[test]
fn strict_and_relax() {
    let (code, _, err) = ends(&["asm", "-", "--emit", "tc", "--strict"], b"ld [x+3]\nret a");
    assert_eq!(code, 2);
    assert!(err.starts_with("error[casm-strict]: bpf_asm does not read `+3` behind `x`"), "{err}");
    let far = format!("jeq #1, far\n{}far: ret a", "ld len\n".repeat(256));
    assert_eq!(ends(&["asm", "-", "--emit", "tc"], far.as_bytes()).0, 2);
    succeeds(&["asm", "-", "--emit", "tc", "--relax"], far.as_bytes());
}

/// The command line of bpf_asm, under its name.
#[test]
#[cfg(unix)]
fn called_as_bpf_asm() {
    let folder: PathBuf = Path::new(env!("CARGO_TARGET_TMPDIR")).join("called_as_bpf_asm");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    let (name, file) = (folder.join("bpf_asm"), folder.join("ip.txt"));
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_oxbpf"), &name).unwrap();
    fs::write(&file, IP).unwrap();
    let file = file.to_str().unwrap();
    let bpf_asm = |arguments: &[&str]| told(run(&name, arguments, IP));
    let line = "4,40 0 0 12,21 0 1 2048,6 0 0 4294967295,6 0 0 0,\n".to_string();
    let table = "{ 0x28,  0,  0, 0x0000000c },\n{ 0x15,  0,  1, 0x00000800 },\n{ 0x06,  0,  0, 0xffffffff },\n\
                 { 0x06,  0,  0, 0000000000 },\n";
    let none = String::new();
    for (arguments, expected) in [
        (&[file][..], &line),
        (&["-c", file], &table.to_string()),
        (&["-cfoo", file], &table.to_string()),
        (&[file, "-c"], &line),
        (&["-x", file], &line),
        (&["-"], &line),
        (&[], &line),
    ] {
        assert_eq!(bpf_asm(arguments), (0, expected.clone(), none.clone()), "{arguments:?}");
    }
    let (code, out, err) = bpf_asm(&["/nonexistent"]);
    assert_eq!((code, out.as_str()), (1, ""));
    assert!(err.starts_with("error[prog-read]: /nonexistent: "), "{err}");
}
