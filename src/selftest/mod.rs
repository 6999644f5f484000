//! The self-test: what each instruction must do, on every engine.
//!
//! Every instruction of [`oxbpf_isa::catalog`] has vectors, with operands at the edges of its rules and results that
//! were worked out apart from this toolchain's own arithmetic. [`vectors`] are all of them, [`run`] asks an engine.
//!
//! ```
//! use oxbpf::interp::Interp;
//! use oxbpf::isa::catalog::Group;
//! use oxbpf::selftest::{Outcome, run, vectors};
//!
//! let division = vectors().iter().filter(|v| v.group() == Group::DivMul64);
//! assert!(division.map(|v| run(v, &Interp)).all(|o| o == Outcome::Passed));
//! ```

mod frame;
mod vector;

use std::sync::LazyLock;

use oxbpf_runtime::{Engine, EngineError, Trap};

use crate::bare::{Bare, BareError};
use crate::text_unit;

pub use vector::{Subject, Vector, VectorError, Wanted, parse};

/// The vectors' texts, a file for each group.
const TEXTS: [(&str, &str); 8] = [
    ("base32.vec", include_str!("vectors/base32.vec")),
    ("base64.vec", include_str!("vectors/base64.vec")),
    ("divmul32.vec", include_str!("vectors/divmul32.vec")),
    ("divmul64.vec", include_str!("vectors/divmul64.vec")),
    ("atomic32.vec", include_str!("vectors/atomic32.vec")),
    ("atomic64.vec", include_str!("vectors/atomic64.vec")),
    ("packet.vec", include_str!("vectors/packet.vec")),
    ("linux.vec", include_str!("vectors/linux.vec")),
];

/// All vectors, by group.
pub fn vectors() -> &'static [Vector] {
    static VECTORS: LazyLock<Vec<Vector>> = LazyLock::new(|| {
        let read = |(file, text)| parse(text).unwrap_or_else(|e| panic!("{file}: {e}"));
        TEXTS.into_iter().flat_map(read).collect()
    });
    &VECTORS
}

/// How a vector ended on an engine.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// As it must.
    Passed,
    /// Otherwise; what was wanted and what came.
    Failed(String),
    /// Not run, and why.
    Skipped(String),
}

/// Runs a vector on an engine.
pub fn run(vector: &Vector, engine: &dyn Engine) -> Outcome {
    let results = match &vector.subject {
        Subject::Insn { form, operands } => {
            let memory = frame::memory(operands);
            let run =
                |&returned| Bare::new(&frame::program(vector.kind, *form, operands, returned), &memory).run(engine);
            frame::results(vector.kind).iter().map(run).collect::<Vec<_>>()
        }
        Subject::Program { text, packet, .. } => match text_unit::parse(text, "vector", &text_unit::Options::default())
        {
            Err(errors) => return Outcome::Failed(text_unit::render(&errors, text, "vector")),
            Ok(unit) => {
                let insns = unit.programs()[0].insns();
                let bare = match packet {
                    Some(packet) => Bare::over_packet(insns, packet),
                    None => Bare::new(insns, &[]),
                };
                vec![bare.with_maps(unit.maps()).run(engine)]
            }
        },
    };
    judge(vector, engine, results)
}

fn judge(vector: &Vector, engine: &dyn Engine, results: Vec<Result<Result<u64, Trap>, BareError>>) -> Outcome {
    let refused = vector.kernel_refuses && engine.name() == "kernel";
    let mut got = Vec::new();
    for result in results {
        match result {
            Err(BareError::Engine(EngineError::Rejected { .. })) if refused => return Outcome::Passed,
            Err(BareError::Engine(e @ EngineError::Unsupported { .. })) => return Outcome::Skipped(e.to_string()),
            Err(e) => return Outcome::Failed(e.to_string()),
            Ok(_) if refused => return Outcome::Failed("loaded, where the kernel must refuse it".into()),
            Ok(Err(trap)) => return compare(&vector.wanted, &Wanted::Trap(trap.kind.code().to_string())),
            Ok(Ok(r0)) => got.push(r0),
        }
    }
    compare(&vector.wanted, &Wanted::Values(got))
}

fn compare(wanted: &Wanted, got: &Wanted) -> Outcome {
    if wanted == got { Outcome::Passed } else { Outcome::Failed(format!("{}, not {}", shown(got), shown(wanted))) }
}

fn shown(result: &Wanted) -> String {
    match result {
        Wanted::Trap(code) => format!("trap[{code}]"),
        Wanted::Values(values) => values.iter().map(|v| format!("{v:#x}")).collect::<Vec<_>>().join(" "),
    }
}
