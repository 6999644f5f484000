//! Rejected programs, one for each common message: the kernel refuses them for the reason that the file names.

use std::path::{Path, PathBuf};

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
        match said {
            Ok(Some(said)) if said.code(Some(&unit)).map(|c| c.name()).as_deref() == Some(code(&text)) => {}
            other => wrong.push(format!("{name}: {other:?}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
