//! `docs/dependencies.md` has a line for each direct dependency of every crate, and for nothing else.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn manifests() -> Vec<PathBuf> {
    let crates = std::fs::read_dir("crates").expect("crates are here").map(|e| e.expect("readable").path());
    let all = crates.chain(["", "xtask", "fuzz"].map(PathBuf::from)).map(|dir| dir.join("Cargo.toml"));
    all.filter(|path| path.is_file()).collect()
}

/// The names in a manifest's sections of dependencies, without our own crates.
fn dependencies(manifest: &Path) -> BTreeSet<String> {
    let text = std::fs::read_to_string(manifest).expect("readable");
    let mut section = "";
    let mut names = BTreeSet::new();
    for line in text.lines() {
        if line.starts_with('[') {
            section = line;
        } else if section.ends_with("dependencies]") && section != "[workspace.dependencies]" {
            let name = line.split(['.', ' ', '=']).next().unwrap_or_default();
            if !name.is_empty() && !name.starts_with('#') && !name.starts_with("oxbpf") {
                names.insert(name.to_string());
            }
        }
    }
    names
}

#[test]
fn each_dependency_has_its_reason() {
    let used: BTreeSet<String> = manifests().iter().flat_map(|path| dependencies(path)).collect();
    let page = std::fs::read_to_string("docs/dependencies.md").expect("readable");
    let cells = page.lines().filter_map(|line| line.strip_prefix("| ")?.split(" |").next());
    let named: BTreeSet<String> =
        cells.flat_map(|cell| cell.split(", ")).filter(|cell| *cell != "crate").map(str::to_string).collect();
    assert!(used.len() > 10);
    assert_eq!(named, used);
}
