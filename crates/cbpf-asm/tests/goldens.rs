//! What bpf_asm, tcpdump and libpcap print, recorded, beside what this crate reads and writes.

use oxbpf_cbpf_asm::{Fault, Format, Options, assemble, detect, read, write};
use oxbpf_isa::cbpf::SockFilter;
use serde_json::Value;

fn recorded(text: &str) -> Vec<Value> {
    serde_json::from_str(text).unwrap()
}

const STRICT: Options = Options { strict: true, relax: false };

/// What bpf_asm swallows and is a mistake here.
fn swallowed(fault: &Fault) -> bool {
    use Fault::*;
    matches!(fault, Range { .. } | DuplicateLabel { .. } | Backward { .. } | Scratch { .. })
}

/// Every text that was given to bpf_asm: strict reading accepts what it accepts, with the same result.
#[test]
fn bpf_asm() {
    let mut accepted = 0;
    for case in recorded(include_str!("bpf_asm.json")) {
        let text = case["text"].as_str().unwrap();
        let strict = assemble(text, &STRICT);
        let Some(expected) = case["bpf_asm"].as_str() else {
            assert!(strict.is_err(), "{text:?} is not for bpf_asm");
            continue;
        };
        match strict {
            Ok(strict) => {
                accepted += 1;
                assert_eq!(String::from_utf8(write(Format::Tc, &strict.code).unwrap()).unwrap(), expected, "{text:?}");
                let c = String::from_utf8(write(Format::AsmC, &strict.code).unwrap()).unwrap();
                assert_eq!(c, case["c"].as_str().unwrap(), "{text:?}");
                assert_eq!(assemble(text, &Options::default()).unwrap().code, strict.code);
                for (format, text) in [(Format::Tc, expected), (Format::AsmC, &c)] {
                    let back = read(text.as_bytes(), Some(format), &STRICT).unwrap();
                    assert_eq!(back.code, strict.code, "{text:?}");
                }
                assert_eq!(detect(expected.as_bytes()), Format::Tc);
            }
            Err(errors) => {
                assert!(errors.iter().all(|e| swallowed(&e.fault)), "{text:?}: {errors:?}");
            }
        }
    }
    assert!(accepted > 120, "{accepted}");
}

#[test]
fn tcpdump() {
    for case in recorded(include_str!("tcpdump.json")) {
        let of = |name: &str| case[name].as_str().unwrap().as_bytes();
        let code = read(of("ddd"), Some(Format::Ddd), &STRICT).unwrap().code;
        for (name, format) in [("d", Format::D), ("dd", Format::Dd), ("ddd", Format::Ddd)] {
            assert_eq!(detect(of(name)), format, "{}", case["expr"]);
            // libpcap leaves numbers in fields that are not used, which the listing does not have.
            let used = |code: &[SockFilter]| code.iter().map(|i| i.decode().unwrap()).collect::<Vec<_>>();
            let back = read(of(name), None, &STRICT).unwrap().code;
            assert_eq!(used(&back), used(&code), "{name} of {}", case["expr"]);
            assert!(back == code || name == "d");
            let written = String::from_utf8(write(format, &code).unwrap()).unwrap();
            assert_eq!(written.as_bytes(), of(name), "{name} of {}", case["expr"]);
        }
    }
}

/// Lines of libpcap's bpf_image, for every opcode with several numbers.
#[test]
fn bpf_image() {
    for row in recorded(include_str!("bpf_image.json")) {
        let number = |i: usize| row[i].as_u64().unwrap();
        let insn = SockFilter { code: number(1) as u16, jt: number(2) as u8, jf: number(3) as u8, k: number(4) as u32 };
        let mut code = vec![SockFilter::stmt(6, 0); number(0) as usize];
        code.push(insn);
        let written = String::from_utf8(write(Format::D, &code).unwrap()).unwrap();
        let line = written.lines().next_back().unwrap();
        assert_eq!(line, row[5].as_str().unwrap(), "{insn:?}");
    }
}

/// What tc takes for numbers, and what it installs.
#[test]
fn tc() {
    let installed = [
        ("1,6 0 0 0xffffffff,", "6 0 0 0"),
        ("1,6 0 0 -1,", "6 0 0 4294967295"),
        ("1,6 0 0 4294967296,", "6 0 0 0"),
        ("1,6 0 0 18446744073709551616,", "6 0 0 4294967295"),
        ("1,65542 0 0 1,", "6 0 0 1"),
        ("1,6 256 0 1,", "6 0 0 1"),
        ("1,6 0 0 7abc,", "6 0 0 7"),
        ("1,+6 0 0 7,", "6 0 0 7"),
        ("1,6 0 -1 1,", "6 0 255 1"),
        ("1,-65530 0 0 1", "6 0 0 1"),
        ("1,6 0 0 -0x5,", "6 0 0 0"),
        ("1,6 0 0 -18446744073709551615,", "6 0 0 1"),
        ("1,6 99999999999999999999 0 1,", "6 255 0 1"),
        ("2,6 0 0 0x1,6 0 0 1", "6 0 0 0"),
    ];
    for (text, expected) in installed {
        let errors = read(text.as_bytes(), None, &Options::default()).unwrap_err();
        let Fault::TcNumber { installed, .. } = &errors[0].fault else { panic!("{text}: {errors:?}") };
        assert_eq!(installed, expected, "{text}");
    }
    for text in
        ["1,6 0 0 5", "1,6 0 0 5,", "1,\n6 0 0 5", "1,6  0 0 5", "1, 6 0 0 5 ", "'1,6 0 0 5,'\n", "1\n6 0 0 5\n"]
    {
        let code = read(text.as_bytes(), None, &Options::default()).unwrap().code;
        assert_eq!(code, [SockFilter::stmt(6, 5)], "{text:?}");
    }
    for text in ["2,0x28 0 0 1,6 0 0 1,", "2,6 0 0 1,", "1,6 0 0 1,6 0 0 1,", "1,6 0 0,", "0x1,6 0 0 1", "1,6 0 0 1 2"]
    {
        assert!(read(text.as_bytes(), None, &Options::default()).is_err(), "{text:?}");
    }
}
