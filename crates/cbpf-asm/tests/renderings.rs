//! The exact rendering of every kind of mistake, of the assembler and of each reader: `renderings.txt`. `BLESS=1`
//! writes it.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use oxbpf_cbpf_asm::{Diagnostic, Fault, Format, MAX_SOURCE, Options, read};
use oxbpf_isa::cbpf::Fault as Rule;

const LOOSE: Options = Options { strict: false, relax: false };
const STRICT: Options = Options { strict: true, relax: false };

/// What is read: a name, how, and the bytes.
struct Case {
    name: String,
    format: Format,
    options: Options,
    bytes: Vec<u8>,
}

fn case(name: &str, format: Format, bytes: impl Into<Vec<u8>>) -> Case {
    Case { name: name.into(), format, options: LOOSE, bytes: bytes.into() }
}

/// Texts of at most a few lines, each with one mistake or several.
const TEXTS: [(&str, &str); 29] = [
    ("mnemonic", "ldh [12]\nlod [12]\nret a\n"),
    ("syntax", "ldh [12\nret a\n"),
    ("syntax at the end", "ldh"),
    ("operand", "\tldb len\n\tret a\n"),
    ("number", "ret #0x1g"),
    ("range", "ld #4294967296\nret #-2147483649\n"),
    ("scratch", "st M[16]\nret a\n"),
    ("header length", "ldxb 4*([14]&0xff)\nret a\n"),
    ("keyword", "len: ret a\n"),
    ("keyword as a target", "jeq #1, tax\nret a\n"),
    ("duplicate label", "here: ld len\nhere: ret a\n"),
    ("unknown label", "ja nowhere\nret a\n"),
    ("empty label", "ret a\nend:\n"),
    ("backward", "up: ld len\nja up\nret a\n"),
    ("empty", "; nothing\n"),
    ("comment", "ret a /* never"),
    ("several", "lod [12]\njeq #1, foo\nld #99999999999\n\u{e9}: ret\n"),
    ("wide characters", "/* \u{e9}\u{4e2d} */ lod [12]\nret a\n"),
    ("warning: division", "div #0\nret a\n"),
    ("warning: shift", "lsh #32\nret a\n"),
    ("warning: ret x", "ret x\n"),
    ("warning: unwritten", "ld M[3]\nret a\n"),
    ("warning: no ret", "ld len\n"),
    ("warning: extension", "ld [-1]\nret a\n"),
    ("warnings: several", "mod #0\nrsh #99\nret x\n"),
    ("jump without a second label", "jeq #1\nret a\n"),
    ("unended packet load", "ld [x + "),
    ("no operand", "add\nret a\n"),
    ("wrong register", "ret %y\n"),
];

/// What `--strict` refuses.
const STRICT_TEXTS: [&str; 14] = [
    "ld [x+3]\nret a\n",
    "ld [x - 3]\nret a\n",
    "ld [x]\nret a\n",
    "ld len\r\nret a\n",
    "l: ret a\n",
    "l1: l2: ret a\n",
    "ret 5\n",
    "ret #-0x1\n",
    "ld # len\nret a\n",
    "ret a # why\n",
    "#\nret a\n",
    "// why\nret a\n",
    "/***/ ret a\n",
    "ret #-0\n",
];

const FILES: [(Format, &str); 40] = [
    (Format::Tc, "x"),
    (Format::Tc, "1;"),
    (Format::Tc, "2,6 0 0 1,"),
    (Format::Tc, "1,6 0 0"),
    (Format::Tc, "0x1,6 0 0 1"),
    (Format::Tc, "70000,6 0 0 1"),
    (Format::Tc, "1,6 0 0 0xffffffff,"),
    (Format::Tc, "1,6 0 0 4294967296,"),
    (Format::Tc, "1,6 0 0 -1,"),
    (Format::Tc, "0,"),
    (Format::Tc, "'1,6 0 0 1' 2"),
    (Format::Ddd, "1\n40 0 0\n"),
    (Format::Ddd, "3\n40 0 0 12\n6 0 0 0\n"),
    (Format::Ddd, "1\n0x28 0 0 12\n"),
    (Format::AsmC, "{ 0x28,  0,  0 },\n"),
    (Format::AsmC, "{ 0x28,  0,  0, 0x10000000c },\n"),
    (Format::Dd, "{ 0x28, 0, 0 },\n"),
    (Format::Dd, "{ 0x28, 256, 0, 0 },\n"),
    (Format::Dd, "{ 0x28, 0, 0, 0x0000000c\n"),
    (Format::C, "struct sock_filter f[] = {\n\t{ .code = 0x28, .k = 1 },\n};\n"),
    (Format::C, "struct sock_filter f[] = {\n\t{ BPF_LD, 0, 0, 1 },\n};\n"),
    (Format::C, "/* {"),
    (Format::C, "struct sock_filter f[] = { };\n"),
    (Format::Rust, "[sock_filter { code: 0b1, jt: 0, jf: 0, k: 0 }]\n"),
    (Format::Rust, "[sock_filter { code: 6, jt: 0, jf: 0, k = 0 }]\n"),
    (Format::Rust, "[sock_filter { code: 65536, jt: 0, jf: 0, k: 0 }]\n"),
    (Format::D, "(001) ret      #0\n"),
    (Format::D, "(000) lod      [1]\n"),
    (Format::D, "(000) jeq      #0x1             jt 0\tjf 1\n"),
    (Format::D, "(000) unimp    0x99\n"),
    (Format::D, "(000) ldh      [foo]\n"),
    (Format::D, "(000) ldh      [12] (001) ret #0\n"),
    (Format::D, "000 ret #0\n"),
    (Format::RawLe, "1234567"),
    (Format::RawLe, ""),
    (Format::RawBe, "123456789"),
    (Format::Json, "{\"insns\": [{}]}"),
    (Format::Json, "{\"length\": 2, \"insns\": []}"),
    (Format::Json, "[\n  {\"code\": 65536, \"jt\": 0, \"jf\": 0, \"k\": 0}\n]\n"),
    (Format::Json, "[]"),
];

fn cases() -> Vec<Case> {
    let mut cases: Vec<Case> = TEXTS.iter().map(|(name, text)| case(name, Format::Text, *text)).collect();
    cases.extend(
        STRICT_TEXTS.iter().map(|text| Case { options: STRICT, ..case("strict", Format::Text, text.as_bytes()) }),
    );
    cases.extend(FILES.iter().map(|(format, text)| case(format.row().name, *format, *text)));
    let far = format!("jeq #1, far\n{}far: ret a\n", "ld len\n".repeat(256));
    let labels: String = (0..70_000).map(|n| format!("l{n}:\n")).collect();
    cases.extend([
        case("distance", Format::Text, far),
        case("too long", Format::Text, "ret a\n".repeat(4097)),
        case("too many labels", Format::Text, labels),
        case("size", Format::Text, " ".repeat(MAX_SOURCE + 1)),
        case("no UTF-8", Format::Text, b"ret a\n\xff".as_slice()),
        case("too long", Format::Tc, "4097,".to_string() + &"6 0 0 0,".repeat(4097)),
        case("too long", Format::Ddd, "4097\n".to_string() + &"6 0 0 0\n".repeat(4097)),
        case("too long", Format::Dd, "{ 0x6, 0, 0, 0x00000000 },\n".repeat(4097)),
        case("too long", Format::D, (0..4097).map(|n| format!("({n:03}) ret      #0\n")).collect::<String>()),
        case("too long", Format::RawBe, [0, 6, 0, 0, 0, 0, 0, 0].repeat(4097)),
        case("too long", Format::Json, format!("[{}]", ["{\"code\":6,\"jt\":0,\"jf\":0,\"k\":0}"; 4097].join(","))),
    ]);
    cases
}

/// What is told of a case: mistakes, or of a text that is read, doubts.
fn told(case: &Case) -> Vec<Diagnostic> {
    match read(&case.bytes, Some(case.format), &case.options) {
        Ok(read) => read.warnings,
        Err(errors) => errors,
    }
}

#[test]
fn every_kind_of_mistake_has_its_exact_rendering() {
    let (mut codes, mut formats) = (BTreeSet::new(), BTreeSet::new());
    let mut shown = String::new();
    for case in cases() {
        let told = told(&case);
        assert!(!told.is_empty(), "{}: nothing is told", case.name);
        let source = String::from_utf8_lossy(&case.bytes);
        writeln!(shown, "=== {} ({})", case.name, case.format.row().name).unwrap();
        for diagnostic in told {
            writeln!(shown, "{}", diagnostic.render(&source, "file")).unwrap();
            codes.insert(diagnostic.code());
            formats.insert(case.format.row().name);
        }
    }
    let missing: Vec<_> = Fault::CODES.iter().filter(|c| !codes.contains(*c)).collect();
    assert!(missing.is_empty(), "no case shows {missing:?}");
    // These are about numbers that no text has; `oxbpf verify` tells them, and its tests have them all.
    let untold = ["cbpf-empty", "cbpf-too-long", "cbpf-opcode", "cbpf-scratch", "cbpf-jump"];
    let warned: Vec<_> = Rule::CODES.iter().filter(|c| !codes.contains(*c)).collect();
    assert!(warned.iter().all(|c| untold.contains(c)), "no case shows {warned:?}");
    assert_eq!(formats.len(), Format::ROWS.len(), "each reader has a case: {formats:?}");
    let golden = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/renderings.txt");
    if std::env::var("BLESS").as_deref() == Ok("1") {
        std::fs::write(&golden, &shown).unwrap();
    }
    let expected = std::fs::read_to_string(&golden).unwrap();
    for (at, (ours, theirs)) in shown.lines().zip(expected.lines()).enumerate() {
        assert_eq!(ours, theirs, "renderings.txt:{}", at + 1);
    }
    assert_eq!(shown, expected);
}
