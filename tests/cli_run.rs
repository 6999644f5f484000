//! `oxbpf run` from outside: what it prints, and how it ends.

mod cli;

use std::io::Write;
use std::process::{Command, Output, Stdio};

use cli::{oxbpf, scratch, stderr, stdout, write};
use serde_json::Value;

const HTTP: &str = "examples/captures/http.pcap";

/// The error's code and the exit code.
#[track_caller]
fn fails(output: &Output, exit: i32, code: &str) {
    let message = stderr(output);
    assert_eq!(output.status.code(), Some(exit), "{message}");
    assert!(message.contains(&format!("error[{code}]")), "{message}");
}

#[test]
fn the_table_names_what_gives_verdicts_their_meaning() {
    let output = oxbpf(&["run", "examples/port_redirect.o", "--pcap", HTTP, "--flowid", "1:1"]);
    let expected = "\
program    port_redirect.o:lb/lb_main  sched_cls, 44 insns, 0 maps
hook       ingress, mode classid, flowid 1:1
capture    examples/captures/http.pcap  EN10MB
engine     interp

verdict                      packets  bytes  first
mismatch                          40   2806     #2
match classid 1:1 (default)       25   2052     #1
total                             65   4858
";
    assert_eq!(stdout(&output), expected);
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn a_line_for_each_packet_and_engine() {
    let output =
        oxbpf(&["run", "examples/port_redirect.o", "--pcap", HTTP, "--jsonl", "--with", "ctx", "--limit", "1"]);
    let line = r#"{"packet":1,"len":66,"caplen":66,"engine":"interp","return":4294967295,"verdict":"match","classid":null,"trap":null,"ctx":{"mark":0,"queue_mapping":0,"priority":0,"tc_index":0,"cb":[0,0,0,0,0],"tc_classid":0,"tstamp":0}}"#;
    assert_eq!(stdout(&output).trim(), line);
}

#[test]
fn a_document_with_totals_and_maps() {
    let arguments = ["run", "examples/mark_stats.o", "--pcap", HTTP, "--json", "--map-dump", "--ctx", r#"{"mark":3}"#];
    let document: Value = serde_json::from_str(&stdout(&oxbpf(&arguments))).unwrap();
    assert_eq!(document["schema"], "oxbpf.run/1");
    assert_eq!(document["verdicts"][0]["packets"], 65);
    let counters = &document["maps"]["mark_counters"][3];
    assert_eq!(counters["key"], serde_json::json!(["0x03", "0x00", "0x00", "0x00"]));
    assert_eq!(counters["value"][0], "0x41", "65 packets");
}

#[test]
fn skip_and_limit_choose_packets() {
    let output = oxbpf(&["run", "examples/minimal.o", "--pcap", HTTP, "--jsonl", "--skip", "3", "--limit", "2"]);
    let numbers: Vec<Value> =
        stdout(&output).lines().map(|l| serde_json::from_str::<Value>(l).unwrap()["packet"].clone()).collect();
    assert_eq!(numbers, [4, 5]);
}

#[test]
fn direct_action_follows_the_section_and_the_flags() {
    let mode = |arguments: &[&str]| {
        let all = [&["run", "--pcap", HTTP, "--json"], arguments].concat();
        let document: Value = serde_json::from_str(&stdout(&oxbpf(&all))).unwrap();
        document["mode"].as_str().unwrap().to_string()
    };
    assert_eq!(mode(&["examples/tc_flow.o"]), "direct-action");
    assert_eq!(mode(&["examples/tc_flow.o", "--no-da"]), "classid");
    assert_eq!(mode(&["examples/minimal.o"]), "classid");
    assert_eq!(mode(&["examples/minimal.o", "--da"]), "direct-action");
    assert_eq!(mode(&["examples/minimal.o", "--hook", "action"]), "action");
}

#[test]
fn expectations_are_compared_key_by_key() {
    let dir = scratch("expect");
    let run = |text: &str| {
        let file = write(&dir, "expect.jsonl", text);
        oxbpf(&["run", "examples/port_redirect.o", "--pcap", HTTP, "--expect", &file])
    };
    assert_eq!(run("{\"packet\":1,\"verdict\":\"match\"}\n# a remark\n").status.code(), Some(0));
    let output = run("{\"packet\":2,\"return\":1}\n");
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("packet 2: return is 0, expected 1"), "{}", stderr(&output));
    let output = run("{\"packet\":1000}\n");
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("packet 1000 was not seen"));
    fails(&run("{\"packet\":0}\n"), 2, "expect");
    fails(&run("no json\n"), 2, "expect");
    // What a run prints is what it expects.
    let lines = stdout(&oxbpf(&["run", "examples/port_redirect.o", "--pcap", HTTP, "--jsonl"]));
    assert_eq!(run(&lines).status.code(), Some(0));
}

#[test]
fn packets_that_pass_are_written_as_the_program_left_them() {
    let dir = scratch("write");
    let out = dir.join("out.pcap").to_str().unwrap().to_string();
    let output = oxbpf(&["run", "examples/port_redirect.o", "--pcap", HTTP, "-w", &out]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let mut reader = oxbpf::capture::Reader::open(&out).unwrap();
    let mut ports = Vec::new();
    while let Some(packet) = reader.next_packet().unwrap() {
        let tcp = 14 + usize::from(packet.data[14] & 0xf) * 4;
        ports.push(u16::from_be_bytes([packet.data[tcp + 2], packet.data[tcp + 3]]));
    }
    assert_eq!(ports, [8080; 25]);
    fails(&oxbpf(&["run", "examples/minimal.o", "--pcap", HTTP, "-w", "/nonexistent/x.pcap"]), 2, "capture-open");
}

#[test]
fn traps_are_findings_and_fuel_is_a_limit() {
    let dir = scratch("traps");
    let bad = write(&dir, "bad.bpf", "r0 = *(u8 *)(r10 + 0)\nexit\n");
    let output = oxbpf(&["run", &bad, "--unverified", "--pcap", HTTP, "--limit", "2"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stdout(&output).contains("trap[out-of-bounds] in bad at insn 0"), "{}", stdout(&output));
    let line: Value = serde_json::from_str(
        stdout(&oxbpf(&["run", &bad, "--unverified", "--pcap", HTTP, "--limit", "1", "--jsonl"])).trim(),
    )
    .unwrap();
    assert_eq!(line["trap"], serde_json::json!({ "kind": "out-of-bounds", "program": "bad", "slot": 0 }));
    assert_eq!((&line["return"], &line["verdict"]), (&Value::Null, &Value::Null));
    let endless = write(&dir, "endless.bpf", "again: goto again\nexit\n");
    let output = oxbpf(&["run", &endless, "--unverified", "--pcap", HTTP, "--limit", "1", "--fuel", "1000"]);
    assert_eq!(output.status.code(), Some(4), "{}", stdout(&output));
}

#[test]
fn unreadable_programs_are_usage_errors() {
    let dir = scratch("programs");
    let object = std::fs::read("examples/tc_flow.o").unwrap();
    let run = |prog: &str| oxbpf(&["run", prog, "--pcap", HTTP]);
    fails(&run(&write(&dir, "cut.o", &object[..100])), 2, "elf-malformed");
    let mut wrong = object.clone();
    wrong[18] = 62;
    fails(&run(&write(&dir, "x86.o", wrong)), 2, "elf-wrong-machine");
    fails(&run(&dir.join("absent.o").display().to_string()), 2, "prog-read");
    fails(&run(dir.to_str().unwrap()), 2, "prog-read");
    fails(&run("filter:EN10MB:tcp and"), 2, "filter-syntax");
    fails(&run(&write(&dir, "empty.o", "")), 2, "build-empty");
    fails(&run(&write(&dir, "noise", [0xff, 0xfe, 0x00])), 2, "prog-not-text");
    fails(&run(&format!("raw:ebpf:{}", write(&dir, "seven", [0; 7]))), 2, "prog-length");
    let output = run("examples/tail_call.o:nowhere");
    fails(&output, 2, "elf-no-program");
    for section in ["classifier", "1/0", "1/1"] {
        assert!(stderr(&output).contains(section), "lists what there is: {}", stderr(&output));
    }
}

#[test]
fn what_is_known_but_not_here_is_unsupported() {
    let dir = scratch("unsupported");
    let lookup = write(&dir, "fib.bpf", "call 69\nexit\n");
    let output = oxbpf(&["run", &lookup, "--unverified", "--pcap", HTTP, "--limit", "1"]);
    let printed = stdout(&output);
    assert!(printed.contains("helper fib_lookup ") && printed.contains(" is not supported"), "{printed}");
    assert_eq!(output.status.code(), Some(3));
    // The section's name is in the object twice: as the section's and as part of its relocations'.
    let object = std::fs::read("examples/minimal.o").unwrap();
    let mut other = object.clone();
    for at in 0..object.len() - 11 {
        if object[at..].starts_with(b"classifier\0") {
            other[at..at + 10].copy_from_slice(b"kprobe/do_");
        }
    }
    let probe = write(&dir, "kprobe.o", other);
    fails(&oxbpf(&["run", &probe, "--pcap", HTTP]), 3, "prog-unsupported");
    assert_eq!(oxbpf(&["run", &probe, "--pcap", HTTP, "--type", "sched_cls"]).status.code(), Some(0));
}

#[test]
fn unreadable_captures_are_usage_errors() {
    let dir = scratch("captures");
    let run = |pcap: &str| oxbpf(&["run", "examples/minimal.o", "--pcap", pcap]);
    fails(&run(dir.to_str().unwrap()), 2, "capture-directory");
    fails(&run(&dir.join("absent").display().to_string()), 2, "capture-open");
    fails(&run(&write(&dir, "empty", "")), 2, "capture-empty");
    fails(&run(&write(&dir, "text", "this is not a capture file at all")), 2, "capture-magic");
    let mut other_link = std::fs::read(HTTP).unwrap();
    other_link[20..24].copy_from_slice(&147u32.to_le_bytes());
    fails(&run(&write(&dir, "user0", other_link)), 3, "link-type");
}

#[test]
fn a_capture_cut_anywhere_gives_what_came_before() {
    let dir = scratch("cut");
    let whole = std::fs::read(HTTP).unwrap();
    // The file's header, and three records of 16 bytes and a packet.
    let mut ends = vec![24];
    for _ in 0..3 {
        let at = ends[ends.len() - 1];
        let caplen = u32::from_le_bytes(whole[at + 8..at + 12].try_into().unwrap()) as usize;
        ends.push(at + 16 + caplen);
    }
    for cut in 0..=ends[3] {
        let file = write(&dir, "cut.pcap", &whole[..cut]);
        let output = oxbpf(&["run", "examples/minimal.o", "--pcap", &file, "--jsonl"]);
        let packets = ends[1..].iter().filter(|&&end| end <= cut).count();
        assert_eq!(stdout(&output).lines().count(), packets, "cut at {cut}");
        let whole_records = ends.contains(&cut);
        assert_eq!(output.status.code(), Some(if whole_records { 0 } else { 2 }), "cut at {cut}");
        if !whole_records && cut > 0 {
            assert!(stderr(&output).contains("error[capture-truncated]"), "cut at {cut}: {}", stderr(&output));
        }
    }
}

#[test]
fn packets_of_no_and_of_262144_bytes_run() {
    let output =
        oxbpf(&["run", "examples/tc_flow.o", "--pcap", "examples/captures/odd.pcap", "--jsonl", "--with", "data"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let lens: Vec<u64> = stdout(&output)
        .lines()
        .map(|l| serde_json::from_str::<Value>(l).unwrap()["caplen"].as_u64().unwrap())
        .collect();
    assert!(lens.contains(&0) && lens.contains(&262_144), "{lens:?}");
}

#[test]
fn standard_input_and_a_closed_pipe() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_oxbpf"))
        .args(["run", "examples/minimal.o", "--pcap", "-", "--json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(&std::fs::read(HTTP).unwrap()).unwrap();
    let output = child.wait_with_output().unwrap();
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["packets"], 65);
}

#[test]
fn wrong_options_are_usage_errors() {
    let run = |extra: &[&str]| oxbpf(&[&["run", "examples/minimal.o", "--pcap", HTTP], extra].concat());
    for extra in
        [&["--flowid", "1"][..], &["--type", "nosuch"], &["--hook", "nowhere"], &["--limit", "x"], &["--with", "data"]]
    {
        assert_eq!(run(extra).status.code(), Some(2), "{extra:?}");
    }
    fails(&run(&["--ctx", "{\"marc\": 1}"]), 2, "ctx");
    fails(&run(&["--ctx", "@/nonexistent"]), 2, "ctx");
}
