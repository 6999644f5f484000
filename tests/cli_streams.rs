//! Streams and combinations of `oxbpf`'s options: what goes where, and what the exit code then says.

mod cli;

use std::io::Write;
use std::process::{Output, Stdio};

use cli::{command, oxbpf, scratch, stderr, stdout, write};
use serde_json::{Value, json};

const HTTP: &str = "examples/captures/http.pcap";

fn run(prog: &str, more: &[&str]) -> Output {
    oxbpf(&[&["run", prog, "--pcap", HTTP], more].concat())
}

fn with_stdin(arguments: &[&str], bytes: &[u8]) -> Output {
    let mut child =
        command(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(bytes).unwrap();
    child.wait_with_output().unwrap()
}

/// Its reader is gone before it starts.
fn with_closed_stdout(arguments: &[&str]) -> Output {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    command(arguments).stdout(writer).stderr(Stdio::piped()).spawn().unwrap().wait_with_output().unwrap()
}

fn document(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap()
}

#[track_caller]
fn ends(output: &Output, exit: i32, part: &str) {
    let message = stderr(output);
    assert_eq!(output.status.code(), Some(exit), "{message}");
    assert!(message.contains(part), "{message}");
}

#[test]
fn a_capture_on_standard_output_has_it_for_itself() {
    let output = run("examples/minimal.o", &["-w", "-"]);
    ends(&output, 0, "total ");
    let dir = scratch("capture");
    let mut reader = oxbpf::capture::Reader::open(write(&dir, "out.pcap", &output.stdout)).unwrap();
    let mut packets = 0;
    while reader.next_packet().unwrap().is_some() {
        packets += 1;
    }
    assert_eq!(packets, 65, "nothing but packets");
    for json in ["--json", "--jsonl"] {
        ends(&run("examples/minimal.o", &["-w", "-", json]), 2, "error[stdout]");
    }
}

#[test]
fn standard_input_is_the_program_or_the_capture() {
    for prog in ["-", "-:tc", "raw:ebpf:-"] {
        ends(&oxbpf(&["run", "--pcap", "-", "--", prog]), 2, "error[stdin]");
    }
}

#[test]
fn bytecode_is_known_on_standard_input_and_by_name() {
    let bytes: &[u8] = b"\xb7\0\0\0\x02\0\0\0\x95\0\0\0\0\0\0\0";
    let output = with_stdin(&["run", "-", "--pcap", HTTP, "--da", "--json"], bytes);
    assert_eq!(document(&output)["verdicts"][0]["verdict"], "shot", "{}", stderr(&output));
    let file = write(&scratch("bytecode"), "drop.bin", bytes);
    assert_eq!(document(&run(&file, &["--da", "--json"]))["verdicts"][0]["verdict"], "shot");
    let renamed = write(&scratch("renamed"), "drop", b"\xff\xff\xff\xff\xff\xff\xff\xff");
    ends(&run(&renamed, &[]), 2, "raw:ebpf:");
}

#[test]
fn a_closed_pipe_ends_the_run_only_where_nothing_else_is_wanted() {
    let dir = scratch("closed");
    let out = dir.join("out.pcap").to_str().unwrap().to_string();
    ends(&with_closed_stdout(&["run", "examples/minimal.o", "--pcap", HTTP, "--jsonl"]), 0, "");
    ends(&with_closed_stdout(&["run", "examples/minimal.o", "--pcap", HTTP, "--jsonl", "-w", &out]), 0, "");
    assert!(std::fs::metadata(&out).is_ok_and(|m| m.len() > 4858), "the capture is whole");
    let wrong = write(&dir, "wrong.jsonl", "{\"packet\": 65, \"verdict\": \"ok\"}\n");
    let expecting = ["run", "examples/minimal.o", "--pcap", HTTP, "--jsonl", "--expect", &wrong];
    ends(&with_closed_stdout(&expecting), 1, "packet 65: verdict is \"match\"");
    ends(&with_closed_stdout(&["run", "examples/minimal.o", "--pcap", HTTP, "-w", "-"]), 0, "");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_said_and_standard_error_may_be_full_too() {
    let full = || std::fs::File::options().write(true).open("/dev/full").unwrap();
    for arguments in [&["run", "examples/minimal.o", "--pcap", HTTP][..], &["disasm", "examples/minimal.o"]] {
        let child = command(arguments).stdout(full()).stderr(Stdio::piped()).spawn().unwrap();
        ends(&child.wait_with_output().unwrap(), 2, "No space left");
    }
    for verb in ["run", "asm", "disasm"] {
        let capture: &[&str] = if verb == "run" { &["--pcap", HTTP] } else { &[] };
        let status = command(&[&[verb, "nonexistent"], capture].concat()).stderr(full()).status().unwrap();
        assert_eq!(status.code(), Some(2), "{verb}");
    }
}

#[test]
fn expectations_hold_for_the_engine_they_name() {
    let dir = scratch("engines");
    let line = |text: &str| write(&dir, "expect.jsonl", text);
    let note = "lines of engine kernel, which does not run: 1 left out";
    let kernels = line("{\"packet\": 1, \"engine\": \"kernel\", \"verdict\": \"ok\"}\n");
    ends(&run("examples/minimal.o", &["--expect", &kernels]), 0, note);
    let interps = line("{\"packet\": 1, \"engine\": \"interp\", \"verdict\": \"ok\"}\n");
    ends(&run("examples/minimal.o", &["--expect", &interps]), 1, "packet 1: verdict is \"match\", expected \"ok\"");
    ends(&run("examples/minimal.o", &["--expect", &line("[1]\n")]), 2, "line 1: no JSON object");
    ends(&run("examples/minimal.o", &["--expect", &line("{\"packet\": 1, \"engine\": 1}\n")]), 2, "is no name");
    let many: String = (100..120).map(|n| format!("{{\"packet\": {n}}}\n")).collect();
    ends(&run("examples/minimal.o", &["--expect", &line(&many)]), 1, "unexpected: 10 more were not seen");
}

/// With a kernel to ask: its own lines are compared too, and the interpreter's hold for it.
#[test]
fn expectations_of_the_kernel_are_compared() {
    let dir = scratch("kernel");
    if run("examples/minimal.o", &["--engine", "kernel"]).status.code() == Some(3) {
        eprintln!("skipped: no kernel to ask");
        return;
    }
    let fails = |engine: &str, text: &str, part: &str| {
        let file = write(&dir, "expect.jsonl", text);
        ends(&run("examples/minimal.o", &["--engine", engine, "--expect", &file]), 1, part);
    };
    let kernels = "{\"packet\": 1, \"engine\": \"kernel\", \"verdict\": \"ok\"}\n";
    fails("kernel", kernels, "packet 1: verdict is");
    fails("all", kernels, "packet 1, kernel: verdict is");
    fails("kernel", "{\"packet\": 1, \"engine\": \"interp\", \"verdict\": \"ok\"}\n", "packet 1: verdict is");
    let all = stdout(&run("examples/mark_stats.o", &["--engine", "all", "--jsonl"]));
    let file = write(&dir, "all.jsonl", all);
    ends(&run("examples/mark_stats.o", &["--engine", "all", "--expect", &file]), 0, "");

    let rejected = write(&dir, "rejected.bpf", "r0 = *(u8 *)(r10 - 600)\nexit\n");
    let output = run(&rejected, &["--engine", "all", "--unverified", "--json", "--limit", "1"]);
    ends(&output, 1, "error[engine-rejected]");
    assert_eq!(document(&output)["verdicts"][0]["trap"]["kind"], "out-of-bounds", "the interpreter's word is there");
    assert_eq!(document(&output)["compared"][0]["engine"], "kernel");
    assert!(document(&output)["compared"][0]["rejected"].is_string());
    let untold = ["--engine", "kernel", "--ctx", "{\"hash\": 9}", "--limit", "1"];
    let output = run("examples/minimal.o", &untold);
    ends(&output, 3, "");
    assert!(stdout(&output).contains("not run: context field hash cannot be set"), "{}", stdout(&output));
    let line = stdout(&run("examples/minimal.o", &[&untold[..], &["--jsonl"]].concat()));
    assert!(line.ends_with("\"left_out\":[\"context field hash cannot be set\"]}\n"), "{line}");

    ends(&run("examples/minimal.o", &["--engine", "kernel", "--trace"]), 0, "note: engine kernel does not tell");
}

#[test]
fn totals_name_verdict_and_class_as_lines_do() {
    let totals = document(&run("examples/mark_stats.o", &["--json", "--limit", "5"]));
    let row = json!({
        "verdict": "match", "classid": "ffff:0", "text": "match classid ffff:0", "packets": 5, "bytes": 360, "first": 1,
    });
    assert_eq!(totals["verdicts"], json!([row]));
}

#[test]
fn what_programs_print_and_maps_hold_is_beside_json() {
    let text = ".rodata hi \"hi\\n\\0\"\nr1 = hi ll\nr2 = 4\ncall trace_printk\nr0 = 0\nexit\n";
    let prog = write(&scratch("print"), "print.bpf", text);
    let output = run(&prog, &["--trace", "--json", "--limit", "1"]);
    assert_eq!(document(&output)["packets"], 1);
    ends(&output, 0, "#1: hi\n");
    let output = run(&prog, &["--map-dump", "--jsonl", "--limit", "1"]);
    assert_eq!(stdout(&output).lines().count(), 1, "one line for each packet");
    ends(&output, 0, "map hi  array");
    assert_eq!(run(&prog, &["--json", "--with", "data"]).status.code(), Some(2));
}

#[test]
fn what_is_not_supported_exits_with_3() {
    let dir = scratch("unsupported");
    let kfunc = write(&dir, "kfunc.bpf", "call kfunc(12, 0)\nexit\n");
    ends(&run(&kfunc, &["--unverified", "--limit", "1"]), 3, "");
    let sockets = write(&dir, "sockets.bpf", ".map m sockmap key=4 value=8 entries=1\nr1 = m ll\nr0 = 0\nexit\n");
    ends(&run(&sockets, &["--unverified"]), 3, "error[map-unsupported]: map m");
    // The fields of a legacy map, of which the first is the type: now a map of sockets.
    let mut sockets = std::fs::read("examples/mark_stats.o").unwrap();
    let fields: Vec<u8> = [2u32, 4, 16, 256, 0, 1].iter().flat_map(|n| n.to_le_bytes()).collect();
    let at = sockets.windows(fields.len()).position(|w| w == fields).expect("the map of the example");
    sockets[at] = 15;
    ends(&run(&write(&dir, "sockets.o", sockets), &["--unverified"]), 3, "error[map-unsupported]: map ");
    let mut wifi = std::fs::read(HTTP).unwrap();
    wifi[20..24].copy_from_slice(&105u32.to_le_bytes());
    let wifi = write(&dir, "wifi.pcap", wifi);
    ends(
        &oxbpf(&["run", "examples/minimal.o", "--pcap", &wifi]),
        3,
        "wifi.pcap: link type IEEE802_11 is not supported",
    );
}

/// More verdicts than the table has rows: a trap among the rest still counts.
#[test]
fn a_trap_among_very_many_verdicts_is_a_finding() {
    let dir = scratch("many");
    let text =
        "r6 = *(u32 *)(r1 + 0)\nif r6 == 20 goto bad\ncall get_prandom_u32\nexit\nbad: r0 = *(u8 *)(r10 + 0)\nexit\n";
    let prog = write(&dir, "many.bpf", text);
    let mut writer = oxbpf::capture::Writer::create(
        dir.join("many.pcap"),
        oxbpf::capture::Header::new(oxbpf::capture::LinkType::EN10MB),
    )
    .unwrap();
    for i in 0..1100 {
        let len = if i == 1099 { 20 } else { 30 };
        writer.write_packet(i, len, &[0; 30][..len as usize]).unwrap();
    }
    writer.finish().unwrap();
    let output = oxbpf(&["run", &prog, "--unverified", "--pcap", dir.join("many.pcap").to_str().unwrap(), "--json"]);
    ends(&output, 1, "");
    let totals = document(&output);
    let others = totals["verdicts"].as_array().unwrap().iter().find(|r| r["text"] == "others").unwrap();
    assert!(others["verdict"].is_null() && others["packets"].as_u64() > Some(90), "{others}");
}

#[test]
fn options_that_mean_nothing_are_named() {
    let prog = write(&scratch("idle"), "pass.bpf", ".program pass xdp\nr0 = 2\nexit\n");
    let output = run(&prog, &["--da", "--flowid", "1:1", "--hook", "egress"]);
    for option in ["--da", "--flowid", "--hook"] {
        ends(&output, 0, &format!("note: {option} means nothing to a program of type xdp"));
    }
    ends(&run("examples/minimal.o", &["--hook", "action", "--da"]), 0, "note: --da means nothing to an action");
    assert_eq!(stderr(&run("examples/minimal.o", &["--da", "--flowid", "1:1", "--hook", "egress"])), "");
}

#[test]
fn a_byte_order_mark_and_other_line_ends_do_no_harm() {
    let dir = scratch("marked");
    ends(&run(&write(&dir, "good.bpf", "\u{feff}r0 = 0\r\nexit\r\n"), &[]), 0, "");
    ends(
        &run(&write(&dir, "bad.bpf", "\u{feff}r0 = foo\r\nexit\r\n"), &[]),
        2,
        "bad.bpf:1:6\n   |\n 1 | r0 = foo\n   |      ^^^",
    );
}

#[test]
fn messages_say_what_to_do() {
    let help = stdout(&oxbpf(&["run", "--help"]));
    assert!(help.contains("Exit codes: 0"), "{help}");
    let dir = scratch("messages");
    let typo = write(&dir, "typo.bpf", ".program p kprobe\nr0 = 0\nexit\n");
    ends(&run(&typo, &[]), 2, "no program type `kprobe`; there are socket_filter, sched_cls");
    ends(&run("examples/minimal.o", &["--limit", "-1"]), 2, "invalid value '-1' for '--limit <N>'");
}
