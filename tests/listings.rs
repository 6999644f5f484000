//! Listings of the example objects as llvm-objdump 19 writes them: as committed, as it writes them now, and read back.
//!
//! `BLESS=1` rewrites what is committed out of llvm-objdump itself.

use std::path::{Path, PathBuf};
use std::process::Command;

use oxbpf::elf::code_sections;
use oxbpf::isa::encode_all;
use oxbpf::isa::text::parse;
use oxbpf::listing::objdump::{Options, print};

const NONE: Options = Options { bytes: false, relocs: false, source: false, numbers: false };

const FORMS: [(&str, Options, &[&str]); 7] = [
    ("d", Options { bytes: true, ..NONE }, &["-d"]),
    ("dr", Options { bytes: true, relocs: true, ..NONE }, &["-d", "-r"]),
    ("plain", NONE, &["-d", "--no-show-raw-insn"]),
    ("S", Options { bytes: true, source: true, ..NONE }, &["-S"]),
    ("l", Options { bytes: true, numbers: true, ..NONE }, &["-d", "-l"]),
    ("rSl", Options { bytes: true, relocs: true, source: true, numbers: true }, &["-r", "-S", "-l"]),
    ("plainS", Options { source: true, ..NONE }, &["-S", "--no-show-raw-insn"]),
];

/// The forms that are committed.
const GOLDEN: [&str; 2] = ["dr", "S"];

fn objects() -> Vec<PathBuf> {
    let dir = std::fs::read_dir("examples").expect("examples are committed");
    let mut files: Vec<_> = dir.map(|e| e.expect("readable").path()).collect();
    files.retain(|p| p.extension().is_some_and(|e| e == "o"));
    files.sort();
    assert!(files.len() >= 6);
    files
}

/// What llvm-objdump says of an example, by its bare name; none where it is not installed.
fn llvm(object: &Path, arguments: &[&str]) -> Option<String> {
    let name = object.file_name().expect("a file");
    match Command::new("llvm-objdump-19").args(arguments).arg(name).current_dir("examples").output() {
        Ok(output) => Some(String::from_utf8(output.stdout).expect("text")),
        Err(e) => {
            assert!(std::env::var_os("OXBPF_DEV").is_none(), "skipped: llvm-objdump-19: {e}");
            println!("skipped: llvm-objdump-19: {e}");
            None
        }
    }
}

#[test]
fn listings_are_llvm_objdumps() {
    for object in objects() {
        let bytes = std::fs::read(&object).expect("readable");
        let name = object.file_name().and_then(|n| n.to_str()).expect("text");
        for (form, options, arguments) in FORMS {
            let ours = print(name, &bytes, &options).expect("an object");
            let golden = PathBuf::from(format!("tests/listings/{name}.{form}"));
            if let Some(theirs) = llvm(&object, arguments) {
                if std::env::var_os("BLESS").is_some() && GOLDEN.contains(&form) {
                    std::fs::write(&golden, &theirs).expect("written");
                }
                assert_eq!(ours, theirs, "{name} {form}");
            }
            if GOLDEN.contains(&form) {
                assert_eq!(ours, std::fs::read_to_string(&golden).expect("committed"), "{name}");
            }
            let code: Vec<u8> = code_sections(&bytes).expect("an object").into_iter().flat_map(|s| s.data).collect();
            // Sections begin anew: what one calls a label, another may too.
            let mut read = Vec::new();
            for part in ours.split("\nDisassembly of section ").skip(1) {
                let part = part.split_once('\n').expect("a line").1;
                let source = parse(part).unwrap_or_else(|e| panic!("{name} {form}: {}", e.render(part, name)));
                read.extend(encode_all(&source.insns).iter().flat_map(|w| w.to_bytes()));
            }
            if options.bytes {
                assert_eq!(read, code, "{name} {form}");
            }
        }
    }
}
