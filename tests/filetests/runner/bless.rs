//! `BLESS=1`: files are rewritten to what engines show.

use std::collections::BTreeMap;

use super::EngineRow;
use super::case::Case;
use super::execute::Observed;

/// Whether files are to be rewritten.
pub fn wanted() -> bool {
    std::env::var_os("BLESS").is_some_and(|v| v != "0" && !v.is_empty())
}

/// Replaces the expectations of a file by what was observed. Engines come in the order of their table, so the
/// kernel has the last word on what it tells.
pub fn rewrite(case: &Case, engine: EngineRow, observed: &Observed) -> Result<(), String> {
    let text = std::fs::read_to_string(&case.file).map_err(|e| e.to_string())?;
    let changed: BTreeMap<u32, String> = observed
        .iter()
        .filter_map(|(expect, what)| Some((expect.line, what.as_ref().filter(|w| **w != expect.what)?.to_string())))
        .collect();
    if changed.is_empty() {
        return Ok(());
    }
    let lines = text.lines().zip(1u32..).map(|(line, number)| match changed.get(&number) {
        Some(what) => format!("; expect: {what}\n"),
        None => format!("{line}\n"),
    });
    println!("blessed by {}: {}", engine.name, case.file.display());
    std::fs::write(&case.file, lines.collect::<String>()).map_err(|e| e.to_string())
}
