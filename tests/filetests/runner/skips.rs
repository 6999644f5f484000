//! What could not be run here, and whether that was to be expected.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Mutex;

use oxbpf::runtime::Availability;

use super::EngineRow;
use super::case::Case;

/// One `[[skip]]` of `unavailable.toml`.
#[derive(Debug, Default, PartialEq, Eq)]
struct Listed {
    /// The file's name, or `*` for all.
    test: String,
    engine: String,
    reason: String,
    /// How to see that it is still so.
    probe: String,
}

pub struct Skips {
    listed: Vec<Listed>,
    pub availability: BTreeMap<&'static str, Availability>,
    /// Whether a skip that is not listed is a failure.
    pub strict: bool,
    /// Skips by engine and reason.
    seen: Mutex<BTreeMap<(&'static str, String), BTreeSet<String>>>,
}

impl Skips {
    pub fn read(path: &Path, engines: &[EngineRow]) -> Result<Skips, String> {
        let text = std::fs::read_to_string(path).map_err(|e| e.to_string())?;
        let listed = parse(&text)?;
        let availability: BTreeMap<_, _> = engines.iter().map(|e| (e.name, (e.make)().availability())).collect();
        let kernel = matches!(availability.get("kernel"), Some(Availability::Available(_)));
        let strict = std::env::var_os("OXBPF_DEV").map_or(kernel, |v| v != "0");
        Ok(Skips { listed, availability, strict, seen: Mutex::default() })
    }

    pub fn whole_engine_listed(&self, engine: &str) -> bool {
        self.listed.iter().any(|l| l.engine == engine && l.test == "*")
    }

    /// Notes a skip; fails where it has to be listed and is not.
    pub fn note(&self, case: &Case, engine: &'static str, reason: &str) -> Result<(), String> {
        let listed = |l: &Listed| l.engine == engine && (l.test == "*" || l.test == case.name);
        let known = case.skipped_by_rule(engine) || self.listed.iter().any(listed);
        let mut seen = self.seen.lock().unwrap_or_else(|e| e.into_inner());
        seen.entry((engine, reason.to_string())).or_default().insert(case.name.clone());
        if known || !self.strict {
            return Ok(());
        }
        Err(format!("skipped: {reason}\nOn a machine with the engine, tests/unavailable.toml has to list this."))
    }

    /// Notes that an engine differs as it is known to.
    pub fn note_known(&self, case: &Case, engine: &'static str, what: &str) {
        let mut seen = self.seen.lock().unwrap_or_else(|e| e.into_inner());
        seen.entry((engine, format!("known to be wrong: {what}"))).or_default().insert(case.name.clone());
    }

    /// Prints what was skipped and why. False where something is listed that is skipped no more.
    pub fn report(&self) -> bool {
        for (engine, availability) in &self.availability {
            match availability {
                Availability::Available(what) => println!("engine {engine}: {what}"),
                Availability::Unavailable(reason) => println!("engine {engine}: unavailable: {reason}"),
            }
        }
        let seen = self.seen.lock().unwrap_or_else(|e| e.into_inner());
        for ((engine, reason), tests) in seen.iter() {
            println!("not answered by {engine}, {}: {reason}", tests.len());
            for test in tests {
                println!("    {test}");
            }
        }
        let skipped =
            |l: &Listed| seen.iter().any(|((engine, _), tests)| *engine == l.engine && tests.contains(&l.test));
        let available =
            |l: &Listed| matches!(self.availability.get(l.engine.as_str()), Some(Availability::Available(_)));
        let stale: Vec<_> = self.listed.iter().filter(|l| l.test != "*" && available(l) && !skipped(l)).collect();
        for l in &stale {
            println!("tests/unavailable.toml: {} runs on {} now; remove the entry", l.test, l.engine);
        }
        stale.is_empty() || !self.strict
    }
}

/// The part of TOML that the list needs: `[[skip]]` tables of strings, and comments.
fn parse(text: &str) -> Result<Vec<Listed>, String> {
    let mut listed: Vec<Listed> = Vec::new();
    for (line, number) in text.lines().zip(1..) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if line == "[[skip]]" {
            listed.push(Listed::default());
            continue;
        }
        let (key, value) = line.split_once('=').ok_or(format!("line {number}: no `key = \"value\"`"))?;
        let value = value.trim().strip_prefix('"').and_then(|v| v.strip_suffix('"'));
        let value = value.ok_or(format!("line {number}: no string"))?.to_string();
        let last = listed.last_mut().ok_or(format!("line {number}: outside of [[skip]]"))?;
        match key.trim() {
            "test" => last.test = value,
            "engine" => last.engine = value,
            "reason" => last.reason = value,
            "probe" => last.probe = value,
            key => return Err(format!("line {number}: unknown key {key}")),
        }
    }
    match listed.iter().find(|l| [&l.test, &l.engine, &l.reason, &l.probe].iter().any(|v| v.is_empty())) {
        Some(l) => Err(format!("{l:?}: test, engine, reason and probe are needed")),
        None => Ok(listed),
    }
}
