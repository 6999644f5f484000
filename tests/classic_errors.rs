//! What the command line says of classic programs that it does not run, word for word: `classic_errors.txt`. `BLESS=1`
//! writes it.

mod cli;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::Write as _;
use std::process::Stdio;

use oxbpf::isa::cbpf::Fault as Rule;

const CAPTURE: &str = "examples/captures/mixed.pcap";

/// Exit code and complaints.
fn told(arguments: &[&str], input: &[u8]) -> (i32, String) {
    let mut command = cli::command(arguments);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("oxbpf starts");
    // Who refuses the arguments does not read.
    let _ = child.stdin.take().expect("piped").write_all(input);
    let output = child.wait_with_output().expect("ends");
    (output.status.code().expect("a code"), cli::stderr(&output))
}

/// Programs that break the kernel's rules: PROG, and what is on standard input.
fn broken() -> Vec<(&'static str, Vec<u8>)> {
    let text = |text: &str| ("-", text.as_bytes().to_vec());
    let raw = |insns: &[[u8; 8]]| ("raw:cbpf:-", insns.concat());
    let ret = [6, 0, 0, 0, 0, 0, 0, 0];
    vec![
        text("ld len\ndiv #0\nret a\n"),
        text("\tld len\n\tlsh #32\n\tret a\n"),
        text("ret x\n"),
        text("jeq #1, skip\nst M[3]\nskip: ld M[3]\nret a\n"),
        text("ld len\n"),
        text("ld [-1]\nret a\n"),
        text("/* three at once */ mod #0\nrsh #99\nret x\n"),
        ("bytecode:2,5 0 0 7,6 0 0 1", vec![]),
        ("bytecode:2,153 0 0 7,6 0 0 1", vec![]),
        ("bytecode:2,96 0 0 16,6 0 0 1", vec![]),
        ("-", b"2\n21 9 0 1\n6 0 0 1\n".to_vec()),
        ("-", b"{ 0x34, 0, 0, 0x00000000 },\n{ 0x6, 0, 0, 0x00000001 },\n".to_vec()),
        ("-", b"(000) ld       M[5]\n(001) ret      \n".to_vec()),
        (
            "-",
            br#"{"insns": [{"code": 52, "jt": 0, "jf": 0, "k": 0}, {"code": 6, "jt": 0, "jf": 0, "k": 1}]}"#.to_vec(),
        ),
        raw(&[[0x99, 0, 0, 0, 1, 0, 0, 0], ret]),
        raw(&[[0x05, 0, 0, 0, 0xff, 0xff, 0xff, 0xff], ret]),
    ]
}

/// What is no program, with the verb's arguments and what is on standard input.
fn unreadable() -> Vec<(Vec<&'static str>, Vec<u8>)> {
    let run = |prog: &'static str| vec!["run", prog, "--pcap", CAPTURE];
    let seccomp = |text: &str| (vec!["run", "-", "--seccomp", "nr=1"], text.as_bytes().to_vec());
    vec![
        (run("@no/such/file"), vec![]),
        (run("raw:cbpf:no/such/file"), vec![]),
        (run("raw:cbpf:-"), b"1234567".to_vec()),
        (run("raw:cbpf-be:-"), vec![]),
        (run("bytecode:1,6 0 0 0xffffffff,"), vec![]),
        (run("bytecode:"), vec![]),
        (run("@-"), b"ret \xff".to_vec()),
        (run("-"), b"ldh [12]\nret #z\n".to_vec()),
        (vec!["migrate", "-"], b"lod [12]\nret a\n".to_vec()),
        (vec!["migrate", "-"], b"r0 = 0\nexit\n".to_vec()),
        (vec!["migrate", "-", "--type", "xdp"], b"ret a\n".to_vec()),
        (vec!["run", "-", "--pcap", CAPTURE, "--engine", "cbpf"], b"r0 = 0\nexit\n".to_vec()),
        (vec!["run", "-", "--seccomp", "nr=1"], b"r0 = 0\nexit\n".to_vec()),
        seccomp("ldh [0]\nret a\n"),
        seccomp("ld [2]\nret a\n"),
        seccomp("ld [64]\nret a\n"),
        seccomp("ld [0]\nmod #3\nret a\n"),
        (vec!["asm", "-", "--emit", "text"], b"ja nowhere\nret a\n".to_vec()),
        (vec!["disasm", "bytecode:2,5 0 0 7,6 0 0 1"], vec![]),
        (vec!["disasm", "-", "--format", "d"], b"(000) unimp    0x99\n".to_vec()),
    ]
}

fn golden(shown: &str) {
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/classic_errors.txt");
    if std::env::var("BLESS").as_deref() == Ok("1") {
        std::fs::write(&file, shown).unwrap();
    }
    let expected = std::fs::read_to_string(&file).unwrap();
    for (at, (ours, theirs)) in shown.lines().zip(expected.lines()).enumerate() {
        assert_eq!(ours, theirs, "classic_errors.txt:{}", at + 1);
    }
    assert_eq!(shown, expected);
}

#[test]
fn every_refusal_has_its_exact_words() {
    let mut shown = String::new();
    let mut codes = BTreeSet::new();
    for (prog, input) in broken() {
        let (code, words) = told(&["verify", prog], &input);
        assert_eq!(code, 1, "{words}");
        // Whoever needs the program says the same of it.
        assert_eq!(told(&["run", prog, "--pcap", CAPTURE], &input), (1, words.clone()));
        assert_eq!(told(&["migrate", prog], &input), (1, words.clone()));
        codes.extend(Rule::CODES.into_iter().filter(|code| words.contains(&format!("error[{code}]"))));
        writeln!(shown, "=== verify, run, migrate {prog}: 1\n{words}").unwrap();
    }
    // A reader tells these two of what has no instruction, and more than 4,096.
    let missing: Vec<_> = Rule::CODES.iter().filter(|c| !codes.contains(*c)).collect();
    assert_eq!(missing, [&"cbpf-empty", &"cbpf-too-long"]);
    for (arguments, input) in unreadable() {
        let (code, words) = told(&arguments, &input);
        assert!([1, 2, 3].contains(&code) && !words.is_empty(), "{arguments:?}: {code} {words}");
        writeln!(shown, "=== {}: {code}\n{words}", arguments.join(" ")).unwrap();
    }
    golden(&shown);
}
