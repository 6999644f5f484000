//! The verdict before the run: what engines may rely on, and what is not run at all.

use std::sync::Arc;

use oxbpf_ir::{ProgIdx, Program, Vetted};
use oxbpf_runtime::Image;
use oxbpf_verifier::{Caps, Options, Verdict, verify};

use super::Failure;
use crate::cli::{Exit, say};
use crate::prog::Loaded;
use crate::verdict::render;

/// The program and those it can reach by tail calls, with what was proved of each.
///
/// Fails with the report where one of them is refused. One that is not judged yet runs with every access checked.
pub(super) fn image(loaded: &Loaded, caps: Caps) -> Result<Image, Failure> {
    let programs = loaded.unit.programs().iter().zip(0u32..);
    let vetted = programs.map(|(program, index)| vet(loaded, program, ProgIdx(index), caps));
    Ok(Image::new(loaded.unit.clone(), vetted.collect::<Result<_, _>>()?, loaded.entry))
}

fn vet(loaded: &Loaded, program: &Arc<Program>, index: ProgIdx, caps: Caps) -> Result<Vetted, Failure> {
    let options = Options { caps, ..Options::default() };
    match verify(&loaded.unit, index, &options).verdict {
        Verdict::Accepted(vetted) => Ok(vetted),
        // A classic program kept the rules that are its own, and may call what only it is offered.
        _ if loaded.classic.is_some() => Ok(Vetted::unproven(program.clone())),
        Verdict::Rejected(fault) => {
            let report = render(&loaded.unit, program, &fault);
            let message = format!(
                "{report}   = program {} is refused; --unverified runs it, every access checked",
                program.name()
            );
            Err(Failure { message, exit: Exit::Finding })
        }
        Verdict::Unsupported(fault) => {
            let (name, what) = (program.name(), fault.message());
            say(format_args!("note: program {name} runs unproven, every access checked; not judged yet: {what}"));
            Ok(Vetted::unproven(program.clone()))
        }
    }
}
