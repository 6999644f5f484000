//! `oxbpf fmt`, and dialects in `asm` and `disasm`.

mod cli;

use cli::{oxbpf, scratch, write};

const CLANG: &str = "\
; the port, or nothing
.program port sched_cls
    r0 = *(u16 *)skb[36]        // destination
    if r0 != 53 goto out
    call bpf_ktime_get_ns
out:
    exit
";

const UBPF: &str = "\
; the port, or nothing
.program port sched_cls
    ldabsh 36        // destination
    jne %r0, 53, out
    call bpf_ktime_get_ns
out:
    exit
";

#[test]
fn a_text_in_every_dialect_assembles_to_the_same() {
    let dir = scratch("fmt");
    let clang = write(&dir, "clang.bpf", CLANG);
    let want = oxbpf(&["asm", &clang, "--format", "hex"]).stdout;
    assert!(!want.is_empty());
    for to in ["clang", "kernel", "ubpf", "rbpf", "gnu", "macros"] {
        let converted = oxbpf(&["fmt", "--to", to, &clang]);
        assert!(converted.status.success(), "{to}");
        let file = write(&dir, to, &converted.stdout);
        assert_eq!(oxbpf(&["asm", &file, "--format", "hex"]).stdout, want, "{to}");
        // The kernel's dialect is read with clang's.
        let read_as = oxbpf(&["asm", &file, "--format", "hex", "--syntax", to]);
        assert_eq!(read_as.stdout, want, "{to}");
        let back = oxbpf(&["fmt", "--from", to, &file]);
        assert_eq!(String::from_utf8(back.stdout).unwrap(), CLANG, "{to}");
        let listed = oxbpf(&["disasm", "--syntax", to, "--labels", &clang]);
        let listed = write(&dir, "listed", &listed.stdout);
        assert_eq!(oxbpf(&["asm", &listed, "--format", "hex"]).stdout, want, "{to}");
    }
    assert_eq!(String::from_utf8(oxbpf(&["fmt", "--to", "ubpf", &clang]).stdout).unwrap(), UBPF);
}

#[test]
fn errors_name_the_other_dialect_and_count_the_rest() {
    let dir = scratch("fmt-errors");
    let mixed = write(&dir, "mixed.bpf", "r0 = 1\n  mov r0, 2 ; two\nexit\n");
    for verb in ["asm", "fmt"] {
        let told = oxbpf(&[verb, &mixed]);
        assert_eq!(told.status.code(), Some(2));
        let want = format!(
            "error[asm-dialect]: this is uBPF/rbpf syntax, and the text is read as clang; --syntax ubpf\n  --> {mixed}:2:3\n   \
             |\n 2 |   mov r0, 2 ; two\n   |   ^^^^^^^^^\n"
        );
        assert_eq!(String::from_utf8(told.stderr).unwrap(), want);
    }
    let many = write(&dir, "many.bpf", "frob\n".repeat(25));
    let told = String::from_utf8(oxbpf(&["asm", &many]).stderr).unwrap();
    assert_eq!(told.matches("error[asm-mnemonic]").count(), 20);
    assert!(told.ends_with("\n\nand 5 more errors\n"), "{told}");
    let unknown = oxbpf(&["fmt", "--to", "intel", &many]);
    assert_eq!(unknown.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("clang, kernel, ubpf, rbpf, gnu, macros"));
}
