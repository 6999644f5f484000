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
    for arguments in [&["llvm-objdump", "--opcodes"], &["llvm-objdump", "--xlated"], &["bpftool", "--reloc"]] {
        let out = oxbpf(&["disasm", "examples/minimal.o", "--listing", arguments[0], arguments[1]]);
        assert_eq!(out.status.code(), Some(2));
        assert!(text(&out.stderr).contains("--listing"), "{}", text(&out.stderr));
    }
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
