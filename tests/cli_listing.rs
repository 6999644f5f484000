//! `oxbpf disasm --listing bpftool` from outside.

mod cli;

use cli::oxbpf;

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn an_object_as_it_is() {
    let out = oxbpf(&["disasm", "examples/tail_call_btf.o:tc/entry", "--listing", "bpftool", "--opcodes", "--linum"]);
    assert_eq!(out.status.code(), Some(0), "{}", text(&out.stderr));
    let listed = text(&out.stdout);
    let want = "\
# tc/entry
int entry(struct __sk_buff * skb):
; int entry(struct __sk_buff *skb) [file:./tail_call_btf.c line_num:";
    let from = listed.find("int entry(").unwrap();
    let head = listed[..from].lines().last().unwrap();
    assert!(head.starts_with("# tc") && head.ends_with("/entry"), "{listed}");
    assert!(listed[from..].starts_with(want.split_once('\n').unwrap().1), "{listed}");
    assert!(
        listed.contains("   3: (18) r2 = map[id:0]\n       18 12 00 00 00 00 00 00 00 00 00 00 00 00 00 00\n"),
        "{listed}"
    );
    assert!(listed.contains("   5: (85) call bpf_tail_call#12\n"), "{listed}");
}

#[test]
fn options_of_the_other_tool_are_refused() {
    for arguments in [
        &["llvm-objdump", "--opcodes"],
        &["llvm-objdump", "--xlated"],
        &["bpftool", "--reloc"],
        &["bpftool", "--source"],
    ] {
        let out = oxbpf(&["disasm", "examples/minimal.o", "--listing", arguments[0], arguments[1]]);
        assert_eq!(out.status.code(), Some(2));
        assert!(text(&out.stderr).contains("--listing"), "{}", text(&out.stderr));
    }
}

#[test]
fn source_lines_are_those_of_btf() {
    let list = |file: &str| oxbpf(&["disasm", file, "--listing", "llvm-objdump", "--source", "--line-numbers"]);
    let out = list("examples/minimal.o");
    assert_eq!(out.status.code(), Some(0), "{}", text(&out.stderr));
    assert!(text(&out.stdout).contains(">:\n; ./minimal.c:"), "{}", text(&out.stdout));
    // DWARF is a section of that name; here another is called so.
    let mut bytes = std::fs::read("examples/minimal.o").unwrap();
    let name = b".rel.BTF.ext";
    let at = bytes.windows(name.len()).position(|w| w == name).expect("relocations of BTF.ext");
    bytes[at..at + name.len()].copy_from_slice(b".debug_info\0");
    let path = cli::write(&cli::scratch("dwarf"), "dwarf.o", bytes);
    let out = list(&path);
    let message = "error[listing-dwarf]: dwarf.o: source lines of DWARF are not supported\n\
                   help: llvm-strip -g leaves those of BTF, which are shown\n";
    assert_eq!((out.status.code(), text(&out.stderr).replace(&path, "dwarf.o").as_str()), (Some(3), message));
}

#[test]
fn what_the_kernel_makes_of_it_or_why_not() {
    let out = oxbpf(&["disasm", "examples/minimal.o", "--listing", "bpftool", "--xlated"]);
    if let Some(reason) = oxbpf_kernel::probe().reason() {
        assert!(std::env::var_os("OXBPF_DEV").is_none(), "skipped: {reason}");
        assert_eq!(out.status.code(), Some(3), "{}", text(&out.stderr));
        assert!(text(&out.stderr).starts_with("error[engine-unavailable]: "), "{}", text(&out.stderr));
        return println!("skipped: {reason}");
    }
    assert_eq!(out.status.code(), Some(0), "{}", text(&out.stderr));
    assert!(text(&out.stdout).ends_with("(95) exit\n"), "{}", text(&out.stdout));
}
