//! Rejected programs, one for each common message: the kernel refuses them for the reason that the file names.

use std::path::{Path, PathBuf};

use oxbpf::verdict;
use oxbpf::verifier::{Code, Verdict};

use crate::verdicts::{Case, measured};

/// The programs and their names, in order.
pub fn programs() -> Vec<(String, String, PathBuf)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/verifier/rejected");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|e| e == "bpf"));
    files.sort();
    let read = |path: PathBuf| {
        let name = path.file_stem().unwrap().to_str().unwrap().to_string();
        (name, std::fs::read_to_string(&path).unwrap(), path)
    };
    files.into_iter().map(read).collect()
}

/// The code that a file says.
pub fn code(text: &str) -> &str {
    text.lines().find_map(|line| line.strip_prefix("; code: ")).expect("; code: OXnnn")
}

#[test]
fn renderings_are_as_committed() {
    let bless = std::env::var_os("BLESS").is_some();
    let mut wrong = Vec::new();
    for (name, text, path) in programs() {
        let case = Case { name: &format!("{name}.bpf"), text: &text };
        let unit = case.unit().expect("a program of the right shape");
        let Verdict::Rejected(fault) = case.judge() else {
            wrong.push(format!("{name}: not rejected"));
            continue;
        };
        if fault.code.name() != code(&text) {
            wrong.push(format!("{name}: {} {}", fault.code, fault.message()));
        }
        let (shown, golden) = (verdict::render(&unit, &unit.programs()[0], &fault), path.with_extension("txt"));
        if bless {
            std::fs::write(&golden, &shown).unwrap();
        }
        let committed = std::fs::read_to_string(&golden).unwrap_or_default();
        if shown != committed {
            wrong.push(format!("{name}: shown as\n{shown}\ncommitted as\n{committed}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn our_text_means_our_code() {
    for (name, text, _) in programs() {
        let case = Case { name: &name, text: &text };
        let unit = case.unit().expect("a program of the right shape");
        let Verdict::Rejected(fault) = case.judge() else { panic!("{name}: not rejected") };
        let insn = fault.insn.map(|insn| unit.programs()[0].insns()[insn.index()]);
        let meant = Code::of_kernel_message(&fault.kernel).map(|code| insn.map_or(code, |insn| code.at(&insn)));
        assert_eq!(meant, Some(fault.code), "{name}: {}", fault.kernel);
    }
}

#[test]
fn the_kernel_refuses_them_too() {
    if !measured("the_kernel_refuses_them_too") {
        return;
    }
    let mut wrong = Vec::new();
    let programs = programs();
    assert!(programs.len() >= 30);
    for (name, text, _) in programs {
        let case = Case { name: &name, text: &text };
        let said = case.kernel(Path::new(env!("CARGO_TARGET_TMPDIR")));
        let unit = case.unit().expect("a program of the right shape");
        let ours = case.judge();
        let ours = match &ours {
            Verdict::Rejected(fault) => fault.message(),
            _ => "",
        };
        match said {
            Ok(Some(said))
                if said.code(Some(&unit)).map(|c| c.name()).as_deref() == Some(code(&text)) && said.last == ours => {}
            other => wrong.push(format!("{name}: {other:?}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
