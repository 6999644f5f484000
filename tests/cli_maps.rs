//! `oxbpf run --map-init`, `--map-dump` and `--map-check`: contents from outside and back, word for word.

mod cli;

use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use cli::{oxbpf, scratch, write};
use serde_json::{Value, json};

/// Maps of every kind that has contents; the program returns what the longest prefix of 10.1.1.7 says.
const TEXT: &str = "\
.map routes lpm_trie key=8 value=4 entries=9 flags=1
.map plain hash key=4 value=8 entries=4
.map each percpu_array value=5 entries=2
.map waiting queue value=2 entries=3
.map outer array_of_maps entries=2
.inner outer array value=8 entries=2
.map one array value=8 entries=2
.map programs prog_array entries=2
.program main sched_cls
    *(u32 *)(r10 - 8) = 32
    r1 = 0x0701010a ll
    *(u32 *)(r10 - 4) = r1
    r1 = routes ll
    r2 = r10
    r2 += -8
    call map_lookup_elem
    if r0 == 0 goto out
    r0 = *(u32 *)(r0 + 0)
out:
    exit
.program other sched_cls
    r0 = 0
    exit
";

const INIT: &str = r#"{
  "routes": {"10.0.0.0/8": 1, "10.1.0.0/16": 2, "0.0.0.0/0": 3},
  "plain": [{"key": ["0x01", 0, 0, 0], "value": "0x10"}, {"key": "0a 00 00 00", "value": -1}, {"key": 5, "value": null}],
  "each": [{"key": 1, "values": [{"cpu": 0, "value": "01 02 03 04 05"}]}],
  "waiting": [1, 258],
  "outer": [{"key": 0, "map": "one"}, {"key": 1, "value": {"1": 9}}],
  "one": {"1": 7},
  "programs": {"1": "other"}
}"#;

fn run(extra: &[&str]) -> std::process::Output {
    run_text(TEXT, extra)
}

fn run_text(text: &str, extra: &[&str]) -> std::process::Output {
    // Tests run beside each other.
    static RUNS: AtomicUsize = AtomicUsize::new(0);
    let dir = scratch(&format!("maps{}", RUNS.fetch_add(1, Ordering::Relaxed)));
    let program = write(&dir, "maps.bpf", text);
    let mut arguments = vec!["run", &program, "--pcap", "examples/captures/http.pcap", "--limit", "1"];
    arguments.extend(extra);
    oxbpf(&arguments)
}

fn stderr(extra: &[&str]) -> (Option<i32>, String) {
    let output = run(extra);
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn contents_go_in_and_come_out() {
    let output = run(&["--map-init", INIT, "--map-dump", "--json"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["verdicts"][0]["text"], json!("match classid 0:2"), "{}", report["verdicts"]);
    let maps = &report["maps"];
    assert_eq!(
        maps["routes"][0],
        json!({"key": ["0x10", "0x00", "0x00", "0x00", "0x0a", "0x01", "0x00", "0x00"], "value": ["0x02", "0x00", "0x00", "0x00"]})
    );
    assert_eq!(maps["plain"].as_array().unwrap().len(), 2);
    assert_eq!(
        maps["each"][1],
        json!({"key": ["0x01", "0x00", "0x00", "0x00"], "values": [{"cpu": 0, "value": ["0x01", "0x02", "0x03", "0x04", "0x05"]}]})
    );
    assert_eq!(maps["waiting"][1], json!({"key": [], "value": ["0x02", "0x01"]}));
    assert_eq!(maps["outer"][0], json!({"key": ["0x00", "0x00", "0x00", "0x00"], "map": 5}));
    assert_eq!(maps["programs"], json!([{"key": ["0x01", "0x00", "0x00", "0x00"], "program": 1}]));
    // What is printed is read.
    let plain = json!({"plain": maps["plain"], "each": maps["each"], "waiting": maps["waiting"]}).to_string();
    assert_eq!(stderr(&["--map-init", INIT, "--map-check", &plain]), (Some(0), String::new()));
}

/// A dump has frozen maps too: what they hold already goes in again, anything else does not.
#[test]
fn a_whole_dump_of_an_object_goes_in_again() {
    let run = |extra: &[&str]| {
        let run = ["run", "examples/tc_flow.o", "--pcap", "examples/captures/http.pcap", "--map-dump", "--json"];
        let output = oxbpf(&[&run, extra].concat());
        (output.status.code(), output.stdout, String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let maps = |stdout: &[u8]| serde_json::from_slice::<Value>(stdout).unwrap()["maps"].clone();
    let (code, stdout, _) = run(&[]);
    assert_eq!(code, Some(0));
    let dump = maps(&stdout);
    let frozen = dump.as_object().unwrap().keys().find(|name| name.starts_with(".rodata")).unwrap();
    let (code, stdout, stderr) = run(&["--limit", "0", "--map-init", &dump.to_string()]);
    assert_eq!((code, &*stderr), (Some(0), ""));
    assert_eq!(maps(&stdout), dump, "what went in comes out");

    let other = json!({frozen: {"0": "00".repeat(dump[frozen][0]["value"].as_array().unwrap().len())}}).to_string();
    let wanted = format!("error[map-init]: --map-init: map {frozen}, entry 1: refused with EPERM\n");
    assert_eq!(run(&["--map-init", &other]), (Some(2), Vec::new(), wanted));
}

/// Programs and maps by their numbers, a stack from its top, a ring without contents: as a dump has them.
#[test]
fn a_dump_of_every_kind_goes_in_again() {
    let text = ".map undo stack value=2 entries=3\n.map records ringbuf entries=4096\n".to_owned() + TEXT;
    let init = format!(r#"{{"undo": [1, 2, 3], "records": [], {}"#, &INIT[1..]);
    // What has no number in the unit goes in by its contents only.
    let init = init.replace(r#", {"key": 1, "value": {"1": 9}}"#, "");
    let output = run_text(&text, &["--map-init", &init, "--map-dump", "--json"]);
    // A hash's order within a bucket is that of insertion.
    let maps = |stdout: &[u8]| {
        let mut maps = serde_json::from_slice::<Value>(stdout).unwrap()["maps"].take();
        maps["plain"].as_array_mut().unwrap().sort_by_key(Value::to_string);
        maps
    };
    let dump = maps(&output.stdout);
    assert_eq!(dump["undo"][0], json!({"key": [], "value": ["0x01", "0x00"]}), "{dump}");
    let text_of_dump = dump.to_string();
    let output = run_text(&text, &["--map-init", &text_of_dump, "--map-check", &text_of_dump, "--map-dump", "--json"]);
    assert_eq!((output.status.code(), &*output.stderr), (Some(0), &b""[..]));
    assert_eq!(maps(&output.stdout), dump);
}

#[test]
fn a_difference_is_a_finding() {
    let check = r#"{"routes": {"10.0.0.0/8": 7, "10.1.0.0/16": null, "1.0.0.0/8": 1}, "waiting": [1],
        "each": [{"key": 1, "values": [{"cpu": 0, "value": 0}, {"cpu": 3, "value": 0}]}]}"#;
    let lines = "\
map each, key 01000000: holds 0102030405 on CPU 0, expected 0000000000
map routes, key 080000000a000000: holds 01000000, expected 07000000
map routes, key 100000000a010000: holds 02000000, expected nothing
map routes, key 0800000001000000: holds nothing, expected 01000000
map waiting: holds [0100, 0201], expected [0100]
";
    let (code, text) = stderr(&["--map-init", INIT, "--map-check", check]);
    let mut found: Vec<_> = text.lines().collect();
    let mut wanted: Vec<_> = lines.lines().collect();
    found.sort_unstable();
    wanted.sort_unstable();
    assert_eq!((code, found), (Some(1), wanted));
}

#[test]
fn errors_say_where() {
    for (init, error) in [
        ("{", "error[map-json]: --map-init: EOF while parsing an object at line 1 column 1"),
        ("[]", "error[map-json]: --map-init: no object of maps by their names"),
        (r#"{"rotes": {}}"#, "error[map-json]: --map-init: no map \"rotes\"; did you mean routes?"),
        (
            r#"{"routes": 7}"#,
            "error[map-json]: --map-init: map routes: contents are an array of entries, or an object of keys and values",
        ),
        (
            r#"{"routes": {"10.0.0.0/33": 7}}"#,
            "error[map-json]: --map-init: map routes, entry 1, key: \"10.0.0.0/33\" is no prefix of at most 32 bits",
        ),
        (
            r#"{"plain": {"1": 1, "2": "xyz"}}"#,
            "error[map-json]: --map-init: map plain, entry 2, value: \"xyz\" are no 8 bytes",
        ),
        (
            r#"{"plain": [{"key": 1}]}"#,
            "error[map-json]: --map-init: map plain, entry 1: one of `value`, `values`, `map` and `program` is wanted",
        ),
        (r#"{"plain": [{"value": 1}]}"#, "error[map-json]: --map-init: map plain, entry 1: no `key`"),
        (
            r#"{"plain": [{"key": 1, "value": 1, "flags": 1}]}"#,
            "error[map-json]: --map-init: map plain, entry 1: no attribute `flags` of an entry",
        ),
        (
            r#"{"plain": [[1, 2, 3]]}"#,
            "error[map-json]: --map-init: map plain, entry 1: no object with `key` and `value`",
        ),
        (
            r#"{"plain": {"4294967296": 1}}"#,
            "error[map-json]: --map-init: map plain, entry 1, key: \"4294967296\" is no number of 4 bytes",
        ),
        (r#"{"plain": {"1": [1, 2]}}"#, "error[map-json]: --map-init: map plain, entry 1, value: has 2 bytes, not 8"),
        (
            r#"{"plain": {"1": {"a": 1}}}"#,
            "error[map-json]: --map-init: map plain, entry 1, value: has members, of which no types are known",
        ),
        (
            r#"{"plain": [{"key": 1, "values": []}]}"#,
            "error[map-json]: --map-init: map plain, entry 1: `values` are an array with one for each CPU, of a per-CPU map",
        ),
        (
            r#"{"plain": {"1": 1, "2": 1, "3": 1, "4": 1, "5": 1}}"#,
            "error[map-init]: --map-init: map plain, entry 5: refused with E2BIG",
        ),
        (
            r#"{"each": [{"key": 1, "values": [{"cpu": 9, "value": 1}]}]}"#,
            "error[map-init]: --map-init: map each, entry 1: there is no CPU 9",
        ),
        (r#"{"each": {"2": 1}}"#, "error[map-init]: --map-init: map each, entry 1: refused with E2BIG"),
        (
            r#"{"waiting": {"1": 1}}"#,
            "error[map-json]: --map-init: map waiting: has no keys: its contents are an array of values",
        ),
        (r#"{"outer": {"0": "plain"}}"#, "error[map-init]: --map-init: map outer, entry 1: refused with EINVAL"),
        (r#"{"outer": {"0": "nothing"}}"#, "error[map-json]: --map-init: map outer, entry 1: no map \"nothing\""),
        (
            r#"{"programs": {"0": "nothing"}}"#,
            "error[map-json]: --map-init: map programs, entry 1: no program \"nothing\"",
        ),
        (r#"{"programs": {"0": 2}}"#, "error[map-json]: --map-init: map programs, entry 1: no program 2"),
        (
            r#"{"outer": [{"key": 0, "map": 7}]}"#,
            "error[map-json]: --map-init: map outer, entry 1: no map of the unit has the number 7",
        ),
        (
            r#"{"plain": [{"key": 1, "map": "one"}]}"#,
            "error[map-json]: --map-init: map plain, entry 1: no name of a map for a map of maps",
        ),
        ("@nowhere.json", "error[map-init]: nowhere.json: No such file or directory (os error 2)"),
    ] {
        assert_eq!(stderr(&["--map-init", init]), (Some(2), format!("{error}\n")), "{init}");
    }
}

/// The dump of an object's maps is bpftool's, for the same contents and types.
#[test]
fn dumps_are_bpftools() {
    let dir = scratch("bpftool");
    let dir = dir.display();
    // What bpftool loads stays in a file system of its own, which goes with the command.
    let script = format!(
        "mount -t bpf bpf {dir} && bpftool prog loadall examples/lpm_policy.o {dir}/p pinmaps {dir}/m >/dev/null 2>&1 &&
        bpftool map update pinned {dir}/m/policies key hex 08 00 00 00 0a 00 00 00 value hex 02 00 00 00 07 00 00 00 09 00 00 00 00 00 00 00 &&
        bpftool -j map dump pinned {dir}/m/policies"
    );
    let output = match Command::new("unshare").args(["-m", "sh", "-c", &script]).output() {
        Ok(output) if output.status.success() => output,
        other => {
            eprintln!("skipped: no bpftool, or not allowed: {other:?}");
            return;
        }
    };
    let theirs: Value = serde_json::from_slice(&output.stdout).unwrap();
    let init = r#"{"policies": {"10.0.0.0/8": {"action": 2, "mark": 7, "packets": 9}}}"#;
    let output = oxbpf(&[
        "run",
        "examples/lpm_policy.o",
        "--pcap",
        "examples/captures/http.pcap",
        "--limit",
        "0",
        "--map-init",
        init,
        "--map-dump",
        "--json",
    ]);
    let report: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&output.stderr)));
    assert_eq!(report["maps"]["policies"], theirs);
    assert_eq!(theirs[0]["formatted"]["value"]["packets"], json!(9));
}

/// Programs that count under locks, wherever in a value these stand, leave the same behind as in the kernel.
#[test]
fn objects_lock_as_in_the_kernel() {
    let object = "crates/elf/tests/objects/locks.o";
    for name in ["inside", "single", "several"] {
        let ours = oxbpf(&[
            "run",
            &format!("{object}:tc/count_{name}"),
            "--pcap",
            "examples/captures/http.pcap",
            "--limit",
            "2",
            "--map-dump",
            "--json",
        ]);
        let report: Value = serde_json::from_slice(&ours.stdout)
            .unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&ours.stderr)));
        assert_eq!(ours.status.code(), Some(0), "{report}");
        let dir = scratch(&format!("locks-{name}"));
        let (dir, packet) = (dir.display(), write(&scratch("locks"), "packet", "-".repeat(64)));
        let run = format!("bpftool prog run pinned {dir}/p/count_{name} data_in {packet} >/dev/null");
        let script = format!(
            "mount -t bpf bpf {dir} && bpftool prog loadall {object} {dir}/p pinmaps {dir}/m >/dev/null 2>&1 &&
            {run} && {run} && bpftool -j map dump pinned {dir}/m/{name}"
        );
        match Command::new("unshare").args(["-m", "sh", "-c", &script]).output() {
            Ok(output) if output.status.success() => {
                let theirs: Value = serde_json::from_slice(&output.stdout).unwrap();
                assert_eq!(report["maps"][name], theirs);
                assert_eq!(theirs[0]["formatted"]["value"]["count"], json!(14));
            }
            other => {
                eprintln!("skipped: no bpftool, or not allowed: {other:?}");
                assert_ne!(std::env::var("OXBPF_DEV").as_deref(), Ok("1"), "a skip on a development machine");
            }
        }
    }
}

/// What the kernel does not take for a lock stops a program that would take it.
#[test]
fn what_is_no_lock_is_not_taken() {
    for name in ["renamed", "qualified", "shared", "pair", "unaligned", "per_cpu"] {
        let program = format!("crates/elf/tests/objects/unlocked.o:tc/take_{name}");
        let output = oxbpf(&["run", &program, "--unverified", "--pcap", "examples/captures/http.pcap", "--limit", "1"]);
        let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.code(), Some(1), "{text}");
        assert!(text.contains("a lock in a map's value"), "{name}: {text}");
    }
}
