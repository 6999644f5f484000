//! `cargo xtask docs`: rewrites the pages that are made from tables; `--check` tells which are stale.
//!
//! Tests make the pages and compare them, so that a stale one fails; this only calls them.

use std::process::Command;

/// The test that makes each page: cargo's arguments.
const PAGES: &[&[&str]] = &[
    // docs/helpers.md
    &["-p", "oxbpf-kernel", "--test", "helper_campaigns", "the_document_is_what_the_tables_say"],
    // docs/reference
    &["--test", "reference"],
];

/// Runs the verb with the arguments after its name.
pub fn run(args: &[String]) -> Result<(), String> {
    let check = match args {
        [] => false,
        [flag] if flag == "--check" => true,
        _ => return Err("usage: cargo xtask docs [--check]".into()),
    };
    for page in PAGES {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["test", "--quiet"]).args(*page);
        if !check {
            cargo.env("BLESS", "1");
        }
        let status = cargo.status().map_err(|e| format!("cargo: {e}"))?;
        if !status.success() {
            return Err(format!("cargo test {}: {status}", page.join(" ")));
        }
    }
    Ok(())
}
