//! Mistakes in texts: each has its code, and the exact characters it is about.

use oxbpf_isa::text::{MAX_ERRORS, MAX_SOURCE, TextErrors, parse};

/// A text, and below it a line with carets under the mistake, a blank, and the code.
const ROWS: &[&str] = &[
    "r11 = 1\n^^^ asm-register",
    "r0 = w16\n     ^^^ asm-register",
    "r01 = 1\n^^^ asm-register",
    "r99999999999 = 1\n^^^^^^^^^^^^ asm-register",
    "r0 = w1\n     ^^ asm-width",
    "w0 += r1\n      ^^ asm-width",
    "if r0 > w1 goto +1\n        ^^ asm-width",
    "w0 = *(u64 *)(r1 + 0)\n^^ asm-width",
    "r0 = *(u64 *)(w1 + 0)\n              ^^ asm-width",
    "*(u64 *)(r1 + 0) = w2\n                   ^^ asm-width",
    "w1 = *(s8 *)(r2 + 0)\n^^ asm-width",
    "w1 = 5 ll\n^^ asm-width",
    "w1 = flows ll\n^^ asm-width",
    "callx w1\n      ^^ asm-width",
    "w0 = be16 w0\n^^ asm-width",
    "w0 = *(u8 *)skb[1]\n^^ asm-width",
    "mov r0, 1 ; uBPF\n^^^^^^^^^ asm-dialect",
    "ldxw %r7, [%r6+112]\n^^^^^^^^^^^^^^^^^^^ asm-dialect",
    "r0 = frob(r1)\n     ^^^^ asm-mnemonic",
    "r0 = atomic_add((u64 *)(r1 + 0), r0)\n     ^^^^^^^^^^ asm-mnemonic",
    "r0 = flows\n     ^^^^^ asm-operand",
    "r0 += flows\n      ^^^^^ asm-operand",
    "if r0 == flows goto +1\n         ^^^^^ asm-operand",
    "r0 = *(i32 *)(r1 + 0)\n       ^^^ asm-type",
    "*(s32 *)(r1 + 0) = 1\n  ^^^ asm-type",
    "lock *(u16 *)(r1 + 0) += r2\n       ^^^ asm-type",
    "r0 = *(u64 *)skb[0]\n       ^^^ asm-type",
    "w0 = (s32)w1\n      ^^^ asm-type",
    "r0 = (u8)r1\n      ^^ asm-type",
    "r0 = -r1\n      ^^ asm-same-register",
    "r0 = be16 r1\n          ^^ asm-same-register",
    "r1 = *(u8 *)skb[0]\n^^ asm-same-register",
    "r2 = xchg_64(r1 + 0, r3)\n                     ^^ asm-same-register",
    "r1 = cmpxchg_64(r1 + 0, r0, r2)\n^^ asm-same-register",
    "r0 = cmpxchg_64(r1 + 0, r3, r2)\n                        ^^ asm-same-register",
    "r0 = 0x\n     ^^ asm-number",
    "r0 = 12ab\n     ^^^^ asm-number",
    "r0 = 010\n     ^^^ asm-number",
    "r0 = 2147483648\n     ^^^^^^^^^^ asm-range",
    "r0 = -2147483649\n     ^^^^^^^^^^^ asm-range",
    "r0 = 0x100000000\n     ^^^^^^^^^^^ asm-range",
    "r0 = 18446744073709551616 ll\n     ^^^^^^^^^^^^^^^^^^^^ asm-range",
    "r0 = 999999999999999999999999999999999999999999999 ll\n     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ asm-range",
    "r0 = *(u8 *)(r1 + 32768)\n                  ^^^^^ asm-range",
    "r0 = *(u8 *)(r1 - 32769)\n                ^^^^^^^ asm-range",
    "goto +32768\n     ^^^^^^ asm-range",
    "if r1 == 0 goto pc-32769\n                  ^^^^^^ asm-range",
    "gotol 2147483648\n      ^^^^^^^^^^ asm-range",
    "call 4294967296\n     ^^^^^^^^^^ asm-range",
    "r0 = addr_space_cast(r1, 65536, 0)\n                         ^^^^^ asm-range",
    "call kfunc(1, 40000)\n              ^^^^^ asm-range",
    "goto nowhere\n     ^^^^^^^ asm-unknown-label",
    "if r1 == 0 goto nowhere\n                ^^^^^^^ asm-unknown-label",
    "a: a: exit\n   ^ asm-duplicate-label",
    "r1 = f + 8 ll\n     ^ asm-addend",
    "(62) r0 = 1\n^^^^ asm-opcode",
    "b7 00 00 00 01 00 00 00 r0 = 2\n^^^^^^^^^^^^^^^^^^^^^^^ asm-bytes",
    "  b7 0f 00 00 01 00 00 00 r0 = 2\n  ^^^^^^^^^^^^^^^^^^^^^^^ asm-not-insn",
    "b7 00 00 00 01 00 00 00\n                       ^ asm-syntax",
    "b7 00 00 00 01 00 00 r0 = 1\n^^ asm-mnemonic",
    "r0\n  ^ asm-syntax",
    "r0 =\n    ^ asm-syntax",
    "r0 = # nothing\n     ^ asm-syntax",
    "r0 ~= 1\n   ^ asm-syntax",
    "r0 = 1 2\n       ^ asm-syntax",
    "r0 = \u{fc} ll\n     ^ asm-syntax",
    "\u{fc}\n^ asm-syntax",
    "exit now\n     ^^^ asm-syntax",
    "if r1 ? 0 goto +1\n      ^ asm-syntax",
    "if r1 == 0 jump +1\n           ^^^^ asm-syntax",
    "if r1 == 0 goto\n               ^ asm-syntax",
    "goto *\n     ^ asm-syntax",
    "call\n    ^ asm-syntax",
    "r1 = *(u32)(r2 + 0)\n          ^ asm-syntax",
    "r1 = *(u32 *)r2\n             ^^ asm-syntax",
    "r1 = *(u32 *)(5)\n              ^ asm-syntax",
    "r1 = flows + ll\n             ^^ asm-syntax",
    "r1 = flows + 8\n              ^ asm-syntax",
    "r1 = map_fd(3)\n              ^ asm-syntax",
    "r1 = map_value(3) ll\n                ^ asm-syntax",
    "lock *(u64 *)(r1 + 0) -= r2\n                      ^ asm-syntax",
    "goto +1 <LBB0\n             ^ asm-syntax",
    "call x#y\n       ^ asm-syntax",
    "\tr0 = r11\n\t     ^^^ asm-register",
];

fn errors(text: &str) -> TextErrors {
    match parse(text) {
        Ok(source) => panic!("{text:?} was read as {source:?}"),
        Err(errors) => errors,
    }
}

#[test]
fn each_mistake_has_its_code_and_columns() {
    for row in ROWS {
        let (text, want) = row.split_once('\n').unwrap();
        let (carets, code) = want.rsplit_once(' ').unwrap();
        // `f` is a function for the rows that need one.
        let all = errors(&format!("{text}\nf: exit"));
        assert_eq!(all.len(), 1, "{text}: {all:?}");
        let error = &all[0];
        assert_eq!(error.line, 1, "{text}");
        let column = carets.chars().position(|c| c == '^').unwrap() + 1;
        let width = carets.chars().filter(|&c| c == '^').count();
        assert_eq!(
            (error.code(), error.column as usize, error.width as usize),
            (code, column, width),
            "{}",
            error.render(text, "row")
        );
        // The rendered carets are the row's.
        assert_eq!(error.render(text, "row").lines().last().unwrap(), format!("   | {carets}"), "{text}");
    }
}

#[test]
fn jumps_that_are_too_far_say_what_to_use() {
    let far = "r0 = 0\n".repeat(32768);
    let text = format!("if r1 == 0 goto end\ngoto end\ngotol end\n{far}end: exit");
    let all = errors(&text);
    let found: Vec<_> = all.iter().map(|e| (e.code(), e.line, e.column, e.width)).collect();
    assert_eq!(found, [("asm-distance", 1, 17, 3), ("asm-distance", 2, 6, 3)]);
    assert!(all.iter().all(|e| e.fault.to_string().contains("gotol")), "{all:?}");
    let near = text.replacen("if r1 == 0 goto end\ngoto end\n", "", 1).replacen("gotol end\nr0 = 0\n", "goto end\n", 1);
    assert_eq!(parse(&near).unwrap().insns[0].jump_off(), Some(32767));
}

#[test]
fn all_mistakes_of_a_text_in_order() {
    let all = errors("goto nowhere\nr0 = r11\nl: exit\nl: frob\n");
    let found: Vec<_> = all.iter().map(|e| (e.code(), e.line)).collect();
    let want = [("asm-unknown-label", 1), ("asm-register", 2), ("asm-duplicate-label", 4), ("asm-mnemonic", 4)];
    assert_eq!(found, want);
    assert_eq!(all[2].fault.to_string(), "label `l` is already defined on line 3");
}

#[test]
fn no_more_than_the_limit() {
    for text in ["frob\n", "goto nowhere\n", "l:\n", "l: "] {
        let all = errors(&text.repeat(1000));
        let first_stands = usize::from(text.starts_with('l'));
        assert_eq!((all.len(), all.more), (MAX_ERRORS, 1000 - MAX_ERRORS - first_stands), "{text}");
    }
    let all = errors(&"frob\n".repeat(21));
    assert!(all.render("frob", "f").ends_with("\n\nand 1 more error\n"));
    let all = errors(&"frob\ngoto nowhere\n".repeat(20));
    assert!(all.render("frob", "f").ends_with("\n\nand 20 more errors\n"));
    assert_eq!(all.last().map(|e| e.line), Some(20));
}

#[test]
fn a_text_that_is_too_long() {
    assert_eq!(errors(&" ".repeat(MAX_SOURCE + 1))[0].code(), "asm-size");
    assert!(parse(&"#".repeat(MAX_SOURCE)).is_ok());
}

/// Counted anew for each, the columns alone would take minutes.
#[test]
fn a_line_of_many_labels_takes_no_time() {
    let labels: String = (0..200_000).map(|i| format!("l{i}: ")).collect();
    let source = parse(&format!("{labels}# \u{fc}\nexit")).unwrap();
    assert_eq!(source.labels.last().unwrap().pos.column as usize, labels.len() - 8);
}

#[test]
fn the_rendered_form() {
    let source = "r0 = 0\n\n  r0 = r11 ; no\nexit";
    let want = "\
error[asm-register]: no such register `r11`: there are r0 to r10, and w0 to w10 for their lower halves
  --> prog.s:3:8
   |
 3 |   r0 = r11 ; no
   |        ^^^
";
    assert_eq!(errors(source)[0].render(source, "prog.s"), want);
    assert_eq!(errors(source)[0].to_string(), format!("3:8: {}", errors(source)[0].fault));
}

#[test]
fn long_lines_are_cut_around_the_mistake() {
    let source = format!("r0 = {}x", " ".repeat(1000));
    let rendered = errors(&source)[0].render(&source, "f");
    let lines: Vec<&str> = rendered.lines().collect();
    assert!(lines.iter().all(|l| l.len() < 200), "{rendered}");
    assert_eq!(lines[3].find('x'), lines[4].find('^'));
}
