//! Classic programs from outside: every form of PROG, what bpf_dbg gets wrong, and migration shown.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

const MIXED: &str = "examples/captures/mixed.pcap";

fn oxbpf(arguments: &[&str], input: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_oxbpf"));
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("oxbpf starts");
    // Where the program is not read from standard input, nobody reads it.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// Runs a text over the capture as a socket's filter: how many packets are kept and dropped, on every engine alike.
#[track_caller]
fn kept(text: &str) -> (usize, usize) {
    let count = |engine: &str| {
        let arguments = ["run", "-", "--pcap", MIXED, "--verdict-as", "socket", "--jsonl", "--engine", engine];
        let output = oxbpf(&arguments, text);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        let lines: Vec<Value> = stdout(&output).lines().map(|l| serde_json::from_str(l).unwrap()).collect();
        let with = |verdict: &str| lines.iter().filter(|l| l["verdict"] == verdict).count();
        (with("keep"), with("drop"))
    };
    let counts = count("interp");
    assert_eq!(count("cbpf"), counts);
    counts
}

// bpf_dbg's defects, one by one.

#[test]
fn a_result_of_minus_one_counts() {
    let toy =
        |result: &str| format!("ldh [12]\njne #0x800, drop\nldb [23]\njneq #6, drop\nret #{result}\ndrop: ret #0\n");
    let (matches, others) = kept(&toy("-1"));
    assert!(matches > 0 && others > 0);
    assert_eq!(kept(&toy("65535")), (matches, others));
}

#[test]
fn a_load_behind_the_end_drops() {
    // Three packets of the capture have more than 150 bytes.
    assert_eq!(kept("ldb [150]\nret #-1"), (3, 37));
    assert_eq!(kept("ld [0x7fffffff]\nret #-1"), (0, 40));
}

#[test]
fn an_indexed_load_behind_the_end_drops() {
    assert_eq!(kept("ldx #100\nldb [x + 50]\nret #-1"), (3, 37));
    assert_eq!(kept("ldx #0xffffffff\nldb [x + 151]\nret #-1"), (3, 37));
}

#[test]
fn skip_and_limit_pick_the_packet_that_is_meant() {
    let arguments = ["run", "-", "--pcap", MIXED, "--verdict-as", "socket", "--jsonl", "--skip", "2", "--limit", "1"];
    let output = oxbpf(&arguments, "ld #len\nret a");
    let line: Value = serde_json::from_str(stdout(&output).trim()).unwrap();
    assert_eq!((&line["packet"], &line["return"]), (&3.into(), &42.into()));
}

#[test]
fn an_unreadable_capture_is_an_error() {
    for (capture, code) in [("no/such/file.pcap", "capture-"), ("Cargo.toml", "capture-")] {
        let output = oxbpf(&["run", "-", "--pcap", capture], "ret #-1");
        assert_eq!(output.status.code(), Some(2));
        assert!(stderr(&output).contains(code), "{}", stderr(&output));
    }
}

#[test]
fn every_form_is_the_same_program() {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("classic_forms");
    std::fs::create_dir_all(&dir).unwrap();
    let file = |name: &str, bytes: &[u8]| {
        std::fs::write(dir.join(name), bytes).unwrap();
        dir.join(name).to_str().unwrap().to_string()
    };
    let tc = "4,40 0 0 12,21 0 1 2054,6 0 0 7,6 0 0 0";
    let le = [40, 0, 0, 0, 12, 0, 0, 0, 21, 0, 0, 1, 6, 8, 0, 0, 6, 0, 0, 0, 7, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0];
    let be = [0, 40, 0, 0, 0, 0, 0, 12, 0, 21, 0, 1, 0, 0, 8, 6, 0, 6, 0, 0, 0, 0, 0, 7, 0, 6, 0, 0, 0, 0, 0, 0];
    let text = "ldh [12]\njeq #0x806, keep, drop\nkeep: ret #7\ndrop: ret #0\n";
    let forms = [
        format!("bytecode:{tc}"),
        format!("@{}", file("tc", tc.as_bytes())),
        format!("@{}", file("ddd", tc.replace(',', "\n").as_bytes())),
        format!("raw:cbpf:{}", file("le.bin", &le)),
        format!("raw:cbpf-be:{}", file("be.bin", &be)),
        file("text", text.as_bytes()),
    ];
    let results = forms.map(|form| {
        let output = oxbpf(&["run", &form, "--pcap", MIXED, "--jsonl"], "");
        assert_eq!(output.status.code(), Some(0), "{form}: {}", stderr(&output));
        stdout(&output)
    });
    assert!(results[0].contains("\"classid\":\"0:7\""), "{}", results[0]);
    assert!(results.iter().all(|r| r == &results[0]));
}

#[test]
fn what_is_no_program_is_refused_with_its_reason() {
    let output = oxbpf(&["run", "bytecode:1,6 0 0 0xffffffff,", "--pcap", MIXED], "");
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("would"), "what tc makes of hex");
    let output = oxbpf(&["run", "examples/port_redirect.o", "--pcap", MIXED, "--engine", "cbpf"], "");
    assert_eq!(output.status.code(), Some(3));
    assert!(stderr(&output).contains("not a classic one"));
}

/// The same return values in the words of all four who may ask.
#[test]
fn verdicts_are_read_as_asked() {
    let line = |verdict_as: &str, value: &str| {
        let arguments = ["run", "-", "--pcap", MIXED, "--limit", "1", "--jsonl", "--verdict-as", verdict_as];
        let output = oxbpf(&arguments, &format!("ret #{value}"));
        serde_json::from_str::<Value>(stdout(&output).trim()).unwrap()
    };
    let rows = [
        ("-1", ["keep", "match", "default action", "kill process"]),
        ("0", ["drop", "mismatch", "ok", "kill thread"]),
        ("1", ["keep", "match", "reclassify", "kill thread"]),
        ("2", ["keep", "match", "shot", "kill thread"]),
        ("3", ["keep", "match", "next action", "kill thread"]),
        ("4", ["keep", "match", "default action", "kill thread"]),
        ("5", ["keep", "match", "default action", "kill thread"]),
        ("6", ["keep", "match", "default action", "kill thread"]),
        ("7", ["keep", "match", "redirect", "kill thread"]),
        ("8", ["keep", "match", "default action", "kill thread"]),
        ("0x1002a", ["keep", "match", "default action", "kill process"]),
        ("0x30000", ["keep", "match", "default action", "trap"]),
        ("0x50001", ["keep", "match", "default action", "errno"]),
        ("0x7ff00000", ["keep", "match", "default action", "trace"]),
        ("0x7ffc0000", ["keep", "match", "default action", "log"]),
        ("0x7fff0000", ["keep", "match", "default action", "allow"]),
    ];
    for (value, words) in rows {
        let told = ["socket", "classid", "action", "seccomp"].map(|v| line(v, value)["verdict"].clone());
        assert_eq!(told, words, "{value}");
    }
    assert_eq!(line("classid", "0x1002a")["classid"], "1:2a");
    // An action stands behind a filter, and a classic one only decides.
    let output = oxbpf(&["run", "-", "--pcap", MIXED, "--verdict-as", "action"], "ret #0");
    assert!(stdout(&output).contains("hook       action, mode action"), "{}", stdout(&output));
    assert!(stderr(&output).contains("it cannot change packets"), "{}", stderr(&output));
}

#[test]
fn system_calls_instead_of_packets() {
    let filter = "ld [4]\njne #0xc000003e, kill\nld [0]\njeq #59, deny\nld [16]\njeq #7, deny\nret #0x7fff0000\n\
                  deny: ret #0x50001\nkill: ret #0x80000000\n";
    let run = |calls: &[&str], text: &str| {
        let calls = calls.iter().flat_map(|c| ["--seccomp", c]);
        let arguments: Vec<&str> = ["run", "-"].into_iter().chain(calls).collect();
        oxbpf(&arguments, text)
    };
    let output = run(&["nr=1", "nr=59", "nr=2,args=7:8", "nr=1,arch=aarch64"], filter);
    assert_eq!(stdout(&output), "nr 1  allow\nnr 59  errno 1\nnr 2  errno 1\nnr 1  kill process\n");
    for (text, code) in [("ldh [0]", "load"), ("ld [2]", "offset"), ("ld [64]", "offset"), ("mod #3", "modulo")] {
        let output = run(&["nr=1"], &format!("{text}\nret a\n"));
        assert_eq!(output.status.code(), Some(1));
        assert!(stderr(&output).contains(&format!("error[seccomp-{code}]: insn 0: ")), "{}", stderr(&output));
    }
}

#[test]
fn extensions_follow_the_context() {
    let arguments = ["run", "-", "--pcap", MIXED, "--limit", "1", "--jsonl", "--engine", "all"];
    let context = r#"{"mark": 5, "vlan_tci": 7, "vlan_present": 1, "hatype": 772, "queue_mapping": 3}"#;
    let result = |text: &str| {
        let output = oxbpf(&[&arguments[..], &["--ctx", context]].concat(), text);
        assert_eq!(output.status.code(), Some(0), "{}{}", stdout(&output), stderr(&output));
        let all = stdout(&output);
        let lines = all.lines().map(|l| serde_json::from_str::<Value>(l).unwrap());
        let mut values: Vec<_> = lines.filter_map(|l| l["return"].as_u64()).collect();
        values.dedup();
        assert_eq!(values.len(), 1, "engines agree: {all}");
        values[0]
    };
    let load = |name: &str| result(&format!("ld {name}\nret a"));
    assert_eq!(["mark", "vlan_tci", "vlan_avail", "hatype", "queue", "ifidx"].map(load), [5, 7, 1, 772, 3, 1]);
}

#[test]
fn migration_is_shown_side_by_side() {
    let output =
        oxbpf(&["migrate", "-"], "ldx 4*([14]&0xf)\nldh [x + 16]\njeq #80, yes, no\nyes: ret #-1\nno: ret #0\n");
    let expected = [
        "                        0: r6 = r1",
        "0:  ldxb 4*([14]&0xf)   1: r0 = *(u8 *)skb[14]",
        "                        2: w0 &= 15",
        "                        3: w0 <<= 2",
        "                        4: w7 = w0",
        "1:  ldh [x + 16]        5: r0 = *(u16 *)skb[r7 + 16]",
        "2:  jne #0x50, 4        6: if w0 != 80 goto +2",
        "3:  ret #0xffffffff     7: w0 = -1",
        "                        8: exit",
        "4:  ret #0x0            9: w0 = 0",
        "                       10: exit",
    ];
    assert_eq!(stdout(&output).lines().collect::<Vec<_>>(), expected, "{}", stderr(&output));
    let output = oxbpf(&["migrate", "-", "--json"], "ja end\nret #1\nend: ret #2\n");
    let document: Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!(document["classic"][1]["ebpf"], Value::Array(vec![]), "nothing reaches it");
    assert_eq!(document["ebpf"][1]["classic"], 2);
    let output = oxbpf(&["migrate", "examples/port_redirect.o"], "");
    assert_eq!(output.status.code(), Some(2));
}
