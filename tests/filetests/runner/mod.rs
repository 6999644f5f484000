//! From files to trials: one for each file and engine.

mod bless;
mod case;
mod execute;
mod expect;
mod skips;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use libtest_mimic::{Arguments, Failed, Trial};
use oxbpf::interp::Interp;
use oxbpf::kernel::Kernel;
use oxbpf::runtime::{Availability, Engine};

use case::{Case, Mode};
use skips::Skips;

/// An engine that files run through. Engines are made where they are used: they need not be shared by threads.
#[derive(Clone, Copy)]
pub struct EngineRow {
    pub name: &'static str,
    pub make: fn() -> Box<dyn Engine>,
    /// Whether it stops programs that leave bounds, instead of refusing to load them.
    pub traps: bool,
}

pub const ENGINES: [EngineRow; 2] = [
    EngineRow { name: "interp", make: || Box::new(Interp), traps: true },
    EngineRow { name: "kernel", make: || Box::new(Kernel), traps: false },
];

pub fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let skips = match Skips::read(&root.join("unavailable.toml"), &ENGINES) {
        Ok(skips) => Arc::new(skips),
        Err(e) => {
            eprintln!("tests/unavailable.toml: {e}");
            return ExitCode::FAILURE;
        }
    };
    let folder = root.join("filetests");
    let mut files = Vec::new();
    collect(&folder, &mut files);
    files.sort();
    let mut trials = Vec::new();
    for file in files {
        let name = file.strip_prefix(&folder).unwrap_or(&file).with_extension("").to_string_lossy().replace('\\', "/");
        trials.extend(of_file(&file, &name, &skips));
    }
    // A blessed file is rewritten by one engine after another.
    let arguments = if bless::wanted() { Arguments { test_threads: Some(1), ..arguments } } else { arguments };
    let filtered = arguments.filter.is_some() || arguments.list;
    let conclusion = libtest_mimic::run(&arguments, trials);
    if !filtered && !skips.report() {
        return ExitCode::FAILURE;
    }
    conclusion.exit_code()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|e| e == "bpf") {
            files.push(path);
        }
    }
}

/// The trials of a file: of its text alone, or one for each engine.
fn of_file(file: &Path, name: &str, skips: &Arc<Skips>) -> Vec<Trial> {
    let case = match fs::read_to_string(file).map_err(|e| e.to_string()).and_then(|text| Case::parse(file, name, &text))
    {
        Ok(case) => Arc::new(case),
        Err(e) => {
            let e = format!("{}: {e}", file.display());
            return vec![Trial::test(name, move || Err(Failed::from(e)))];
        }
    };
    if case.mode == Mode::Text {
        return vec![Trial::test(name, move || execute::text(&case).map_err(Failed::from)).with_kind("text")];
    }
    let engines = ENGINES.into_iter().filter(|e| case.engines.iter().any(|n| n == e.name));
    engines.map(|engine| trial(case.clone(), engine, skips.clone())).collect()
}

fn trial(case: Arc<Case>, engine: EngineRow, skips: Arc<Skips>) -> Trial {
    let name = case.name.clone();
    if let Availability::Unavailable(_) = &skips.availability[engine.name] {
        let listed = skips.whole_engine_listed(engine.name);
        // On a machine that should have the engine, a test that cannot run is a failed one.
        let ignored = listed || !skips.strict;
        return Trial::test(name, move || Err("the engine is unavailable".into()))
            .with_kind(engine.name)
            .with_ignored_flag(ignored);
    }
    let known = case.known.iter().find(|k| k.0 == engine.name).map(|k| k.1.clone());
    let run = move || match (execute::run(&case, engine), known) {
        (Ok(None), Some(known)) => Err(Failed::from(format!("passes now; remove `; known: {} {known}`", engine.name))),
        (Err(_), Some(known)) => {
            skips.note_known(&case, engine.name, &known);
            Ok(())
        }
        (outcome, _) => finish(outcome, &case, engine, &skips),
    };
    Trial::test(name, run).with_kind(engine.name)
}

fn finish(
    outcome: Result<Option<String>, String>,
    case: &Case,
    engine: EngineRow,
    skips: &Skips,
) -> Result<(), Failed> {
    match outcome {
        Ok(None) => Ok(()),
        Ok(Some(reason)) => skips.note(case, engine.name, &reason).map_err(Failed::from),
        Err(failed) => Err(Failed::from(failed)),
    }
}
