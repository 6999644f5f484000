//! `oxbpf asm` and `oxbpf disasm` as a user meets them.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use oxbpf::ir::Program;
use oxbpf::isa::encode_all;

fn oxbpf(arguments: &[&str], stdin: &[u8]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_oxbpf"));
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("oxbpf starts");
    // A program that does not read its input closes it.
    let _ = child.stdin.take().expect("piped").write_all(stdin);
    child.wait_with_output().expect("oxbpf ends")
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("text")
}

/// Standard output of a run that succeeds and has nothing to complain of.
fn succeeds(arguments: &[&str], stdin: &[u8]) -> Vec<u8> {
    let out = oxbpf(arguments, stdin);
    assert!(out.status.success() && out.stderr.is_empty(), "{arguments:?}: {}", text(&out.stderr));
    out.stdout
}

/// Standard error of a run that ends with 2 and writes nothing.
fn fails(arguments: &[&str], stdin: &[u8]) -> String {
    let out = oxbpf(arguments, stdin);
    assert_eq!((out.status.code(), out.stdout.as_slice()), (Some(2), &b""[..]), "{arguments:?}");
    text(&out.stderr).to_string()
}

/// An empty folder of this test's own.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn example(name: &str) -> String {
    format!("{}/examples/{name}", env!("CARGO_MANIFEST_DIR"))
}

const DROP: &[u8] = b"r0 = 2\nexit\n";
const DROP_BYTES: [u8; 16] = [0xb7, 0, 0, 0, 2, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0];

#[test]
fn text_becomes_bytes_in_every_format() {
    assert_eq!(succeeds(&["asm", "-"], DROP), DROP_BYTES);
    let hex = succeeds(&["asm", "-", "--format", "hex"], DROP);
    assert_eq!(text(&hex), "b700000002000000\n9500000000000000\n");
    let c = succeeds(&["asm", "-", "--format", "c"], b"r0 = -2147483648\nr1 = 0x100000002 ll\nexit");
    assert_eq!(
        text(&c),
        "static const struct bpf_insn stdin[] = {\n\
        \t{ .code = 0xb7, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = -2147483647 - 1 }, /* r0 = -2147483648 */\n\
        \t{ .code = 0x18, .dst_reg = 1, .src_reg = 0, .off = 0, .imm = 2 }, /* r1 = 0x100000002 ll */\n\
        \t{ .code = 0x00, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = 1 },\n\
        \t{ .code = 0x95, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = 0 }, /* exit */\n};\n"
    );
    let json = succeeds(&["asm", "-", "--format", "json"], b".map m array value=8 entries=1\nr1 = m ll\nexit");
    let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
    assert_eq!(json["schema"], "oxbpf.asm/1");
    assert_eq!(json["maps"][0]["type"], "array");
    assert_eq!(json["programs"][0]["type"], "sched_cls");
    assert_eq!(json["programs"][0]["insns"][1]["slot"], 2);
    assert_eq!(json["programs"][0]["insns"][1]["bytes"], "9500000000000000");
}

#[test]
fn what_is_listed_assembles_to_the_same_bytes() {
    let mut objects = 0;
    for entry in fs::read_dir(example("")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|e| e != "o") {
            continue;
        }
        objects += 1;
        let path = path.to_str().unwrap();
        let object = oxbpf::elf::load(&fs::read(path).unwrap()).unwrap();
        let roots: Vec<usize> = (0..object.programs().len()).collect();
        let unit = object.unit("x", &roots, |_| Some(oxbpf::abi::ProgType::SchedCls)).unwrap();
        let line = |w: oxbpf::isa::RawInsn| w.to_bytes().iter().map(|b| format!("{b:02x}")).collect::<String>();
        let lines = |p: &Program| encode_all(p.insns()).into_iter().map(line).collect::<Vec<_>>();
        let expected: Vec<String> = unit.programs().iter().flat_map(|p| lines(p)).collect();
        for options in [&[][..], &["--labels"], &["--bytes"], &["--slots"], &["--labels", "--bytes", "--slots"]] {
            let listing = succeeds(&[&["disasm", path], options].concat(), b"");
            let again = succeeds(&["asm", "-", "--format", "hex"], &listing);
            let again: Vec<&str> = text(&again).lines().filter(|l| !l.starts_with('#')).collect();
            assert_eq!(again, expected, "{path} {options:?}");
            let normal = succeeds(&["disasm", "-"], &listing);
            assert_eq!(succeeds(&["disasm", "-"], &normal), normal, "{path}: a listing is its own listing");
        }
    }
    assert!(objects >= 6, "examples are missing");
}

#[test]
fn an_object_is_listed_with_names_and_source_lines() {
    let listing = succeeds(&["disasm", &example("mark_stats.o")], b"");
    for part in [
        ".map mark_counters array key=4 value=16 entries=256 id=1\n",
        "\n.program cls_mark sched_cls\n; int cls_mark(struct __sk_buff *skb)\nr6 = r1\n",
        "\nr1 = mark_counters ll\ncall bpf_map_lookup_elem\n; if (likely(c)) {\nif r0 == 0 goto +4\n",
    ] {
        assert!(text(&listing).contains(part), "{part}\n{}", text(&listing));
    }
    let one = succeeds(&["disasm", &format!("{}:classifier", example("tail_call.o"))], b"");
    assert!(text(&one).contains(".program "));
    let json = succeeds(&["disasm", &example("tail_call.o"), "--json"], b"");
    let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
    assert_eq!(json["programs"].as_array().unwrap().len(), 3);
    assert!(json["programs"][0]["insns"][0]["line"]["line"].as_u64().unwrap() > 0);
    assert_eq!(json["maps"][0]["entries"].as_array().unwrap().len(), 2);
}

#[test]
fn a_missing_section_is_answered_by_what_there_is() {
    let message = fails(&["disasm", &format!("{}:nope", example("tail_call.o"))], b"");
    assert!(message.contains("error[elf-no-program]") && message.contains("classifier"), "{message}");
    let message = fails(&["disasm", &format!("{}:nope", example("tail_call.c"))], b"");
    assert!(message.contains("no object"), "{message}");
}

#[test]
fn bytecode_is_listed_whatever_its_shape() {
    let folder = folder("bytecode");
    let file = folder.join("drop.bin");
    fs::write(&file, DROP_BYTES).unwrap();
    let file = file.to_str().unwrap();
    assert_eq!(succeeds(&["disasm", file], b""), b"r0 = 2\nexit\n");
    assert_eq!(succeeds(&["disasm", &format!("raw:ebpf:{file}")], b""), b"r0 = 2\nexit\n");
    assert_eq!(succeeds(&["disasm", "-", "--slots"], &DROP_BYTES), b"   0: r0 = 2\n   1: exit\n");
    // It falls off its end, and calls a helper.
    assert_eq!(succeeds(&["disasm", "-"], &[0x85, 0, 0, 0, 1, 0, 0, 0]), b"call bpf_map_lookup_elem\n");
    assert!(
        fails(&["disasm", "-"], &DROP_BYTES[..15])
            .contains("error[prog-length]: stdin: 15 bytes are not whole instructions")
    );
    assert!(fails(&["disasm", "raw:ebpf:-"], b"").contains("0 bytes are not whole instructions"));
    assert!(fails(&["disasm", "-"], &[0xff; 16]).contains("error[isa-opcode]: stdin: insn 0"));
}

#[test]
fn mistakes_are_shown_at_their_line_and_end_with_2() {
    let message = fails(&["asm", "-"], b"r0 = 1\n\tcall map_lokup_elem\nexit\n");
    assert_eq!(
        message,
        "error[unit-unknown-name]: no helper or label `map_lokup_elem`; did you mean `map_lookup_elem`?\n  \
        --> stdin:2:7\n   |\n 2 | \tcall map_lokup_elem\n   | \t     ^^^^^^^^^^^^^^\n"
    );
    assert!(fails(&["asm", "-"], b"r0 = 1").contains("error[build-falls-off]"));
    assert!(fails(&["asm", "-"], b"r0 = \xff").contains("byte 5 is not UTF-8"));
    assert!(fails(&["asm", "-"], b"").contains("error[build-empty]"));
    assert!(fails(&["asm", "no/such/file"], b"").starts_with("error[prog-read]: no/such/file: "));
    assert!(fails(&["asm", env!("CARGO_MANIFEST_DIR")], b"").starts_with("error[prog-read]: "));
    assert!(fails(&["asm", "-", "--format", "elf"], b"").contains("raw, hex, c, json"));
}

#[test]
fn of_several_programs_one_is_chosen() {
    let two = b".program a xdp\nr0 = 1\nexit\n.program b xdp\nr0 = 2\nexit\n";
    assert!(fails(&["asm", "-"], two).contains("choose by --program from a, b"));
    assert!(fails(&["asm", "-", "--program", "c"], two).contains("no program c; there are a, b"));
    assert_eq!(succeeds(&["asm", "-", "--program", "b"], two), DROP_BYTES);
    let hex = succeeds(&["asm", "-", "--format", "hex"], two);
    assert_eq!(text(&hex), "# a\nb700000001000000\n9500000000000000\n# b\nb700000002000000\n9500000000000000\n");
}

#[test]
fn a_file_is_replaced_whole_or_not_at_all() {
    let folder = folder("replaced");
    let file = folder.join("out.bin");
    let path = file.to_str().unwrap();
    assert_eq!(succeeds(&["asm", "-", "-o", path], DROP), b"");
    assert_eq!(fs::read(&file).unwrap(), DROP_BYTES);
    fails(&["asm", "-", "-o", path], b"nonsense");
    assert_eq!(fs::read(&file).unwrap(), DROP_BYTES, "what was there stays");
    succeeds(&["asm", "-", "-o", path, "--format", "hex"], b"exit");
    assert_eq!(fs::read(&file).unwrap(), b"9500000000000000\n");
    let names: Vec<_> = fs::read_dir(&folder).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(names, ["out.bin"], "no temporary file stays");
    let missing = folder.join("no/such/out.bin");
    assert!(fails(&["asm", "-", "-o", missing.to_str().unwrap()], DROP).starts_with("error: "));
    assert!(fails(&["asm", "-", "-o", folder.to_str().unwrap()], DROP).starts_with("error: "));
}

#[cfg(unix)]
#[test]
fn replacing_keeps_permissions_links_and_devices() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let folder = folder("kept");
    let (file, link) = (folder.join("out.bin"), folder.join("link"));
    fs::write(&file, "before").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    symlink("out.bin", &link).unwrap();
    succeeds(&["asm", "-", "-o", link.to_str().unwrap()], DROP);
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(fs::read(&file).unwrap(), DROP_BYTES);
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    succeeds(&["asm", "-", "-o", "/dev/null"], DROP);
    assert!(!fs::metadata("/dev/null").unwrap().is_file());
}

#[test]
fn help_has_examples() {
    for verb in ["asm", "disasm"] {
        let help = succeeds(&[verb, "--help"], b"");
        assert!(text(&help).contains("Examples:") && text(&help).contains(&format!("oxbpf {verb} ")));
    }
}
