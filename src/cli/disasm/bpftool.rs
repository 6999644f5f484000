//! Listings in bpftool's form, of programs as they are and as the running kernel translates them.

use std::fmt::Write as _;

use oxbpf_ir::{ProgIdx, Unit};
use oxbpf_kernel::LoadedProgram;
use oxbpf_runtime::EngineError;

use super::{Exit, Fault};
use crate::listing::bpftool::{Helpers, Listed, Options, Symbols, print};

/// All programs of a unit; where there are several, each below a comment with its name.
pub(super) fn unit(unit: &Unit, options: &Options) -> String {
    let listed = |index: usize| {
        let listed = Listed::of_program(&unit.programs()[index], unit.types().map(|types| &**types));
        Ok::<_, std::convert::Infallible>(print(&listed, options, &Helpers))
    };
    let Ok(text) = all(unit, listed);
    text
}

/// As [`unit`], of what the running kernel makes of the programs.
pub(super) fn translated(unit: &Unit, name: &str, options: &Options) -> Result<String, Fault> {
    // Without the names, calls are shown by their addresses, as bpftool does.
    let kallsyms = std::fs::read("/proc/kallsyms").unwrap_or_default();
    all(unit, |index| {
        let program = &unit.programs()[index];
        let loaded = LoadedProgram::load(unit, ProgIdx(index as u32)).map_err(|e| fault(name, &e))?;
        let translated = loaded.prog.translated().map_err(|e| {
            let message = format!("error[{}]: {name}: program {}: {e}", e.code(), program.name());
            Fault { message, exit: Exit::Usage }
        })?;
        let listed = Listed::of_translated(&translated, loaded.types.as_ref());
        let symbols = Symbols::new(&String::from_utf8_lossy(&kallsyms), &translated.ksyms);
        Ok(print(&listed, options, &symbols))
    })
}

fn all<E>(unit: &Unit, listed: impl Fn(usize) -> Result<String, E>) -> Result<String, E> {
    let mut out = String::new();
    let several = unit.programs().len() > 1;
    for (index, program) in unit.programs().iter().enumerate() {
        if several {
            let place = if index == 0 { "" } else { "\n" };
            let _ = writeln!(out, "{place}# {}/{}", program.section(), program.name());
        }
        out += &listed(index)?;
    }
    Ok(out)
}

fn fault(name: &str, error: &EngineError) -> Fault {
    let exit = match error {
        EngineError::Rejected { .. } => Exit::Finding,
        EngineError::Unavailable { .. } | EngineError::Unsupported { .. } => Exit::Unsupported,
        EngineError::Failed { .. } | EngineError::Vm(_) => Exit::Usage,
    };
    Fault { message: format!("error[{}]: {name}: {error}", error.code()), exit }
}
