//! Every mistake: its code, its place, and what is said of it; and what is read although bpf_asm refuses it.

use std::collections::BTreeSet;

use oxbpf_cbpf_asm::{Diagnostic, Format, MAX_SOURCE, Options, assemble, read};
use oxbpf_isa::cbpf::{Fault as Rule, Program, SockFilter};

const LOOSE: Options = Options { strict: false, relax: false };
const STRICT: Options = Options { strict: true, relax: false };

/// `code line:column+width: message`, one for each mistake.
fn told(errors: &[Diagnostic]) -> Vec<String> {
    let one = |e: &Diagnostic| format!("{} {}:{}+{}: {}", e.code(), e.line, e.column, e.width, e.fault);
    errors.iter().map(one).collect()
}

fn of_text(text: &str) -> Vec<String> {
    match assemble(text, &LOOSE) {
        Ok(assembled) => told(&assembled.warnings),
        Err(errors) => told(&errors),
    }
}

const TEXTS: [(&str, &str); 37] = [
    ("lod [12]", "casm-mnemonic 1:1+3: unknown instruction `lod`"),
    ("ldh", "casm-syntax 1:4+1: expected `[k]`, `[x + k]` or an extension, found the end of the text"),
    ("ldh [", "casm-syntax 1:6+1: expected an offset: a number, or `x + k`, found the end of the text"),
    ("ldh [y]", "casm-syntax 1:6+1: expected an offset: a number, or `x + k`, found `y`"),
    ("ldh [12", "casm-syntax 1:8+1: expected `]`, found the end of the text"),
    ("ldh [x * 2]", "casm-syntax 1:8+1: expected `+` or `]`, found `*`"),
    ("ldh [x + y]", "casm-syntax 1:10+1: expected a number, found `y`"),
    ("ldb len", "casm-operand 1:5+3: `ldb` takes `[k]`, `[x + k]` or an extension, not `len`"),
    ("add [ 4 ]", "casm-operand 1:5+5: `add` takes `#k` or `x`, not `[ 4 ]`"),
    ("ret M[1]", "casm-operand 1:5+4: `ret` takes `#k`, `a` or `x`, not `M[1]`"),
    ("ld #", "casm-syntax 1:5+1: expected a number, `len` or an extension behind `#`, found the end of the text"),
    ("ld foo", "casm-syntax 1:4+3: expected `#k`, `len`, `M[k]`, `[k]`, `[x + k]` or an extension, found `foo`"),
    ("ret #08", "casm-number 1:6+2: malformed number `08`: decimal, 0x1f, 017 and 0b11 are numbers"),
    ("ret #0x1g", "casm-number 1:6+4: malformed number `0x1g`: decimal, 0x1f, 017 and 0b11 are numbers"),
    ("ret #4294967296", "casm-range 1:6+10: 4294967296 does not fit 32 bits"),
    ("ret #-2147483649", "casm-range 1:6+11: -2147483649 does not fit 32 bits"),
    ("st M[16]", "casm-scratch 1:6+2: M[16] does not exist, there are M[0] to M[15]"),
    ("ld M[-1]", "casm-scratch 1:6+2: M[-1] does not exist, there are M[0] to M[15]"),
    ("ldxb 4*([14]&0xff)", "casm-header-length 1:6+13: only `4*([k]&0xf)` can be loaded, not `4*([14]&0xff)`"),
    ("ldxb 4*([14]&0xf", "casm-syntax 1:17+1: expected `)`, found the end of the text"),
    ("len: ret a", "casm-keyword 1:1+3: `len` is a word of the language and cannot be a label"),
    ("jeq #1, tax\nret a", "casm-keyword 1:9+3: `tax` is a word of the language and cannot be a label"),
    ("l1: ret a\nl1: ret a", "casm-duplicate-label 2:1+2: label `l1` is already defined on line 1"),
    ("ja nowhere\nret a", "casm-unknown-label 1:4+7: no label `nowhere`"),
    ("ret a\nend:", "casm-empty-label 2:1+3: label `end` has no instruction"),
    ("up: ld len\nja up\nret a", "casm-backward 2:4+2: `up` stands before this jump; classic BPF jumps forward only"),
    ("jeq #1", "casm-syntax 1:7+1: expected `,` and a label, found the end of the text"),
    ("jeq #1, 5", "casm-syntax 1:9+1: expected a label, found `5`"),
    ("", "casm-empty 1:1+1: no instructions"),
    ("ret a /* never", "casm-comment 1:7+2: comment without end"),
    ("ret a é", "casm-syntax 1:7+1: expected an instruction or a label, found `é`"),
    ("div #0\nret a", "cbpf-division 1:1+3: the kernel refuses this: division by the constant 0"),
    ("lsh #32\nret a", "cbpf-shift 1:1+3: the kernel refuses this: shift by 32, which is not below 32"),
    ("ret x", "cbpf-ret-x 1:1+3: the kernel refuses this: no kernel runs `ret x`"),
    (
        "ld M[3]\nret a",
        "cbpf-unwritten 1:1+2: the kernel refuses this: M[3] is read before it is written on every way here",
    ),
    ("ld len", "cbpf-no-ret 1:1+2: the kernel refuses this: the last instruction is no ret"),
    ("ld [-1]\nret a", "cbpf-extension 1:1+2: the kernel refuses this: offset 0xffffffff names no extension"),
];

const FILES: [(Format, &[u8], &str); 23] = [
    (Format::Tc, b"x", "casm-syntax 1:1+1: expected a number, found `x`"),
    (Format::Tc, b"1;", "casm-syntax 1:2+1: expected `,` or a new line, found `;`"),
    (Format::Tc, b"2,6 0 0 1,", "casm-count 1:1+1: the count says 2 instructions, 1 follow"),
    (Format::Tc, b"1,6 0 0", "casm-syntax 1:8+1: expected k, found the end of the text"),
    (Format::Tc, b"0x1,6 0 0 1", "casm-number 1:1+3: malformed number `0x1`: decimal, 0x1f, 017 and 0b11 are numbers"),
    (Format::Tc, b"70000,6 0 0 1", "casm-range 1:1+5: 70000 does not fit 16 bits"),
    (
        Format::Tc,
        b"1,6 0 0 0xffffffff,",
        "casm-tc-number 1:9+10: `0xffffffff` is no decimal number of 32 bits: tc would read 0 and install `6 0 0 0`",
    ),
    (Format::Tc, b"0,", "casm-empty 1:1+1: no instructions"),
    (Format::Ddd, b"1\n40 0 0", "casm-syntax 2:7+1: expected k, found the end of the text"),
    (Format::Dd, b"{ 0x28, 0, 0 },", "casm-syntax 1:14+1: expected `,`, found `}`"),
    (Format::Dd, b"{ 0x28, 256, 0, 0 },", "casm-range 1:9+3: 256 does not fit 8 bits"),
    (Format::C, b"{ .code = 0x28, .k = 1 }", "casm-syntax 1:18+1: expected `jt`, found `k`"),
    (Format::C, b"/* {", "casm-comment 1:1+2: comment without end"),
    (
        Format::Rust,
        b"{ code: 0b1, }",
        "casm-number 1:9+3: malformed number `0b1`: decimal, 0x1f, 017 and 0b11 are numbers",
    ),
    (Format::D, b"(001) ret", "casm-syntax 1:2+3: expected the number 0, found `001`"),
    (Format::D, b"(000) lod [1]", "casm-mnemonic 1:7+3: unknown instruction `lod`"),
    (Format::D, b"(000) jeq #0x1 jt 0\tjf 1", "casm-syntax 1:19+1: expected a number from 1 to 256, found `0`"),
    (
        Format::D,
        b"(000) unimp    0x99",
        "casm-unlisted 1:16+1: a listing does not tell what is in an instruction of unknown opcode 0x99",
    ),
    (Format::RawLe, b"1234567", "casm-bytes 1:1+1: 7 bytes are not whole instructions of 8"),
    (Format::RawBe, b"", "casm-empty 1:1+1: no instructions"),
    (Format::Json, b"{\"insns\": [{}]}", "casm-json 1:13+1: missing field `code`"),
    (Format::Json, b"{\"length\": 2, \"insns\": []}", "casm-count 1:1+1: the count says 2 instructions, 0 follow"),
    (Format::Text, b"ret a\xff", "casm-utf8 1:1+1: byte 5 is not UTF-8"),
];

#[test]
fn every_mistake_has_its_place() {
    let mut codes = BTreeSet::new();
    for (text, expected) in TEXTS {
        assert_eq!(of_text(text), [expected], "{text:?}");
        codes.insert(expected.split(' ').next().unwrap().to_string());
    }
    for (format, bytes, expected) in FILES {
        let errors = told(&read(bytes, Some(format), &LOOSE).unwrap_err());
        assert_eq!(errors, [expected], "{:?}", String::from_utf8_lossy(bytes));
        codes.insert(expected.split(' ').next().unwrap().to_string());
    }
    let far = format!("jeq #1, far\n{}far: ret a", "ld len\n".repeat(256));
    assert_eq!(
        of_text(&far),
        ["casm-distance 1:9+3: `far` is 256 instructions away, a condition reaches 255; --relax goes through `ja`"]
    );
    let long = "ret a ".repeat(4097);
    assert_eq!(of_text(&long), ["casm-too-long 1:24577+3: more than 4096 instructions"]);
    assert_eq!(assemble(&"ret a ".repeat(4096), &LOOSE).unwrap().code.len(), 4096);
    let labels: String = (0..70_000).map(|n| format!("l{n}:")).collect();
    assert_eq!(of_text(&labels), ["casm-too-many-labels 1:447650+1: more than 65536 labels"]);
    let huge = " ".repeat(MAX_SOURCE + 1);
    assert_eq!(of_text(&huge), ["casm-size 1:1+1: text of 67108865 bytes; at most 67108864 are read"]);
    // With the four above, and strict reading below, these are all that a reader tells.
    let of_rules = codes.iter().filter(|c| c.starts_with("cbpf-")).count();
    assert_eq!((codes.len() - of_rules, of_rules), (20, 6), "{codes:?}");
}

#[test]
fn all_mistakes_of_a_text_are_told() {
    let text = "lod [12]\njeq #1, foo\nld #99999999999 \nret #1\r\nbar: ret\n";
    let rendered: Vec<String> = assemble(text, &LOOSE).unwrap_err().iter().map(|e| e.render(text, "f.txt")).collect();
    let expected = "\
error[casm-mnemonic]: unknown instruction `lod`
  --> f.txt:1:1
   |
 1 | lod [12]
   | ^^^

error[casm-unknown-label]: no label `foo`
  --> f.txt:2:9
   |
 2 | jeq #1, foo
   |         ^^^

error[casm-range]: 99999999999 does not fit 32 bits
  --> f.txt:3:5
   |
 3 | ld #99999999999 
   |     ^^^^^^^^^^^

error[casm-syntax]: expected `#k`, `a` or `x`, found the end of the text
  --> f.txt:5:9
   |
 5 | bar: ret
   |         ^
";
    assert_eq!(rendered.join("\n"), expected);
}

/// What bpf_asm refuses without reason.
#[test]
fn quirks_are_read_unless_strict() {
    for (text, code, what) in [
        ("ld [x+3] ret a", "64 0 0 3", "`+3` behind `x`: there must be a space, as in `[x + 3]`"),
        ("ld [x +3] ret a", "64 0 0 3", "`+3` behind `x`: there must be a space, as in `[x + 3]`"),
        ("ld [x - 3] ret a", "64 0 0 4294967293", "`[x - k]`"),
        ("ld [x] ret a", "64 0 0 0", "`[x]`"),
        ("ld len\r\nret a", "128 0 0 0", "carriage returns, form feeds and vertical tabs"),
        ("l: ld len ret a", "128 0 0 0", "labels of one letter"),
        ("l1: l2: ld len ret a", "128 0 0 0", "two labels of one instruction"),
        ("ret 5", "6 0 0 5", "a number without `#` here"),
        ("ret #-0", "6 0 0 0", "a sign before a number that is zero or not decimal"),
        ("ret #-0x1", "6 0 0 4294967295", "a sign before a number that is zero or not decimal"),
        ("ld # len ret a", "128 0 0 0", "a space between `#` and a name"),
        ("ld len # why\n ret a", "128 0 0 0", "comments with `#` that do not begin in the first column"),
        ("ld len // why\n ret a", "128 0 0 0", "comments with `//`"),
        ("/***/ ld len ret a", "128 0 0 0", "comments that end with `**/`"),
    ] {
        let SockFilter { code: op, jt, jf, k } = assemble(text, &LOOSE).unwrap().code[0];
        assert_eq!(format!("{op} {jt} {jf} {k}"), code, "{text:?}");
        let errors = assemble(text, &STRICT).unwrap_err();
        assert_eq!(errors[0].code(), "casm-strict");
        assert_eq!(errors[0].fault.to_string(), format!("bpf_asm does not read {what}"), "{text:?}");
    }
}

/// A condition over more than 255 instructions goes through `ja`, on either side and on both.
#[test]
fn relaxed_jumps_go_through_ja() {
    let pad = |n: usize| "ld len\n".repeat(n);
    let relax = Options { strict: false, relax: true };
    for (jump, lead) in [
        ("jeq #1, far", "21 0 1 1,5 0 0 300"),
        ("jne #1, far", "21 1 0 1,5 0 0 300"),
        ("jeq #1, far, near", "21 0 1 1,5 0 0 300"),
        ("jeq #1, near, far", "21 1 0 1,5 0 0 300"),
        ("jset x, far, far", "77 0 1 0,5 0 0 301,5 0 0 300"),
    ] {
        let text = format!("{jump}\nnear: {}far: ret #1\n", pad(300));
        assert!(assemble(&text, &LOOSE).is_err());
        let assembled = assemble(&text, &relax).unwrap();
        assert!(Program::check(&assembled.code).is_ok());
        let shown: Vec<String> =
            assembled.code.iter().map(|i| format!("{} {} {} {}", i.code, i.jt, i.jf, i.k)).collect();
        assert!(shown.join(",").starts_with(&(lead.to_string() + ",128 0 0 0")), "{jump}: {}", &shown.join(",")[..60]);
    }
    // A detour in between makes the next jump too far in turn.
    let text = format!("jeq #1, aa\njeq #2, bb\n{}aa: {}bb: ret #1", pad(254), pad(2));
    let code = assemble(&text, &relax).unwrap().code;
    assert_eq!(code.len(), 2 + 254 + 2 + 1 + 2);
    assert!(Program::check(&code).is_ok());
}

#[test]
fn rules_are_told_of_instructions() {
    let check = |code: &[SockFilter]| Program::check(code).unwrap_err();
    let empty = check(&[]);
    assert_eq!((empty.code(), empty.to_string().as_str()), ("cbpf-empty", "a program has at least one instruction"));
    let long = check(&vec![SockFilter::stmt(6, 0); 4097]);
    assert_eq!(long.to_string(), "a program has at most 4096 instructions, this one 4097");
    let jump = check(&[SockFilter::stmt(5, 1), SockFilter::stmt(6, 0)]);
    assert_eq!(jump.to_string(), "insn 0: jump to insn 2, behind the last of 2");
    let opcode = check(&[SockFilter::stmt(0x99, 1), SockFilter::stmt(6, 0)]);
    assert_eq!((opcode.code(), opcode.fault), ("cbpf-opcode", Rule::Opcode { code: 0x99 }));
    assert_eq!(opcode.to_string(), "insn 0: unknown opcode 0x99");
}
