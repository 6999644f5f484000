//! The plugin of the public conformance suite, as its runner calls it.

#[path = "cli/mod.rs"]
mod cli;

use std::io::Write;
use std::process::{Command, Output, Stdio};

use cli::{scratch, stderr, stdout};

/// The plugin with these arguments and this program.
fn plugin(arguments: &[&str], program: &str) -> Output {
    started(&mut Command::new(env!("CARGO_BIN_EXE_oxbpf")), &[&["conformance-plugin"], arguments].concat(), program)
}

fn started(command: &mut Command, arguments: &[&str], program: &str) -> Output {
    let pipe = Stdio::piped;
    let child = command.args(arguments).stdin(pipe()).stdout(pipe()).stderr(pipe()).spawn();
    let mut child = child.expect("the plugin starts");
    // A plugin that has seen enough does not read to the end.
    let _ = child.stdin.take().unwrap().write_all(program.as_bytes());
    child.wait_with_output().unwrap()
}

/// r0 = 42.
const ANSWER: &str = "b7 00 00 00 2a 00 00 00 95 00 00 00 00 00 00 00 ";
/// r0 = the second byte of memory.
const SECOND: &str = "71 10 01 00 00 00 00 00 95 00 00 00 00 00 00 00";
/// r0 = r2.
const LENGTH: &str = "bf20000000000000 9500000000000000";
/// r0 = 1 << r2, where r2 is 65.
const SHIFT: &str = "b7000000010000006f2000000000000095 00000000000000";

#[test]
fn r0_is_printed_in_hexadecimal() {
    let output = plugin(&[], ANSWER);
    assert_eq!((output.status.code(), stdout(&output).as_str(), stderr(&output).as_str()), (Some(0), "2a\n", ""));
}

#[test]
fn memory_is_in_r1_and_its_length_in_r2() {
    for engine in ["interp", "kernel"] {
        if engine == "kernel" && std::env::var("OXBPF_DEV").as_deref() != Ok("1") {
            continue;
        }
        assert_eq!(stdout(&plugin(&["aa bb cc", "--engine", engine], SECOND)), "bb\n");
        assert_eq!(stdout(&plugin(&["--engine", engine, "aabbcc"], LENGTH)), "3\n");
    }
    assert_eq!(stdout(&plugin(&[], LENGTH)), "0\n");
    assert_eq!(stdout(&plugin(&[""], LENGTH)), "0\n");
    // Runners of old give the options as one argument, empty or not.
    assert_eq!(stdout(&plugin(&["", ""], LENGTH)), "0\n");
    assert_eq!(stdout(&plugin(&["aa bb", ""], LENGTH)), "2\n");
}

#[test]
fn programs_are_not_verified() {
    let memory = "00 ".repeat(65);
    assert_eq!(stdout(&plugin(&[&memory, "--interpret", "--cpu_version", "v3"], SHIFT)), "2\n");
}

#[test]
fn all_64_bits_are_told() {
    let negative = "b7 00 00 00 ff ff ff ff 95 00 00 00 00 00 00 00";
    assert_eq!(stdout(&plugin(&[], negative)), "ffffffffffffffff\n");
    if std::env::var("OXBPF_DEV").as_deref() == Ok("1") {
        assert_eq!(stdout(&plugin(&["--engine", "kernel"], negative)), "ffffffffffffffff\n");
    }
}

#[test]
fn called_by_its_name_it_is_the_plugin() {
    let link = scratch("named").join("oxbpf-conformance-plugin");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_oxbpf"), &link).unwrap();
    assert_eq!(stdout(&started(&mut Command::new(link), &["aa bb"], SECOND)), "bb\n");
}

#[test]
fn whatever_goes_wrong_is_said_with_exit_code_1() {
    let cases: &[(&[&str], &str, &str)] = &[
        (&[], SECOND, "trap[out-of-bounds] in bare at insn 2: read of 1 bytes at null+1 is out of bounds\n"),
        (&[], "b7 0", "error[conformance-hex]: program: no byte in hexadecimal at character 3\n"),
        (&["aa", "bb"], ANSWER, "error[conformance-input]: a second memory: `bb`\n"),
        (&["a"], ANSWER, "error[conformance-hex]: memory: no byte in hexadecimal at character 0\n"),
        (&[], "", "error[prog-length]: program: 0 bytes are not whole instructions of 8\n"),
        (&[], "b700", "error[prog-length]: program: 2 bytes are not whole instructions of 8\n"),
        (&["--engine", "none"], ANSWER, "error[conformance-engine]: no engine `none`; there are interp, kernel\n"),
    ];
    for (arguments, program, message) in cases {
        let output = plugin(arguments, program);
        assert_eq!(
            (output.status.code(), stdout(&output).as_str(), stderr(&output).as_str()),
            (Some(1), "", *message),
            "{arguments:?} {program}"
        );
    }
}

/// An object with these sections of code is compiled from C, where clang is installed.
#[test]
fn an_objects_main_runs() {
    let source = "static __attribute__((noinline)) int twice(int x) { return 2 * x; }\n\
                  int main(unsigned char *mem, unsigned long len) { return twice(mem[0]) + len; }\n";
    let dir = scratch("elf");
    let (c, o) = (cli::write(&dir, "main.c", source), dir.join("main.o"));
    let clang = ["clang-19", "clang"].into_iter().find(|clang| {
        let compile =
            Command::new(clang).args(["-target", "bpf", "-O1", "-ffreestanding", "-c", &c, "-o"]).arg(&o).output();
        compile.is_ok_and(|output| output.status.success())
    });
    if clang.is_none() {
        assert!(std::env::var("OXBPF_DEV").as_deref() != Ok("1"), "clang is not installed");
        println!("skipped: clang is not installed");
        return;
    }
    let hex: String = std::fs::read(&o).unwrap().iter().map(|byte| format!("{byte:02x} ")).collect();
    let output = plugin(&["2a 00 00", "--elf"], &hex);
    assert_eq!((stdout(&output).as_str(), stderr(&output).as_str()), ("57\n", ""));
    let none = plugin(&["--elf"], "7f 45 4c 46");
    assert_eq!(none.status.code(), Some(1));
    assert!(stderr(&none).starts_with("error[elf-"), "{}", stderr(&none));
}
