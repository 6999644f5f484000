//! The verdict on a program.

use std::time::Instant;

use oxbpf_ir::{FuncIdx, ProgIdx, Unit, Vetted};

use crate::call::maps::check_named;
use crate::code::Code;
use crate::depth::check_depth;
use crate::explore::{Explorer, entry};
use crate::maps::check_maps;
use crate::notes::facts;
use crate::options::Options;
use crate::report::{Checked, Report, Stats, Verdict};

/// The verdict on one program of a unit, as Linux 6.18 would give it.
///
/// Takes time and memory in proportion to [`Options::limit`] at most.
///
/// ```
/// use oxbpf_abi::ProgType;
/// use oxbpf_ir::{ProgIdx, Program, ProgramParts, Unit};
/// use oxbpf_isa::text::parse;
/// use oxbpf_verifier::{Code, Options, verify};
///
/// let insns = oxbpf_isa::text::parse("r0 = *(u32 *)(r2 + 0)\nexit").unwrap().insns;
/// let program = Program::new(ProgramParts::new("wrong", ProgType::SchedCls, insns)).unwrap();
/// let unit = Unit::new("example", "GPL", vec![], vec![program]).unwrap();
/// let report = verify(&unit, ProgIdx(0), &Options::default());
/// assert_eq!(report.fault().unwrap().code, Code::UninitRegister);
/// assert_eq!(report.fault().unwrap().message(), "R2 !read_ok");
/// ```
pub fn verify(unit: &Unit, program: ProgIdx, options: &Options) -> Report {
    let begun = Instant::now();
    let program = &unit.programs()[program.index()];
    let blank = Report {
        verdict: Verdict::Accepted(Vetted::unproven(program.clone())),
        stats: Stats { limit: options.limit, ..Stats::default() },
        stack: Vec::new(),
        time: begun.elapsed(),
        log: String::new(),
    };
    let refused = |fault: Box<crate::report::Fault>| match fault.code {
        Code::Unsupported => Verdict::Unsupported(fault),
        _ => Verdict::Rejected(fault),
    };
    let explorer = check_maps(unit, program).and_then(|()| Explorer::new(unit, program, options));
    let mut explorer = match explorer {
        Ok(explorer) => explorer,
        Err(fault) => return Report { verdict: refused(fault), time: begun.elapsed(), ..blank },
    };
    let verdict = match walk(&mut explorer) {
        Ok(()) => Verdict::Accepted(vetted(&explorer, program.clone())),
        Err(fault) => refused(fault),
    };
    Report {
        verdict,
        stats: explorer.stats,
        stack: std::mem::take(&mut explorer.stack_depth),
        time: begun.elapsed(),
        log: std::mem::take(&mut explorer.log),
    }
}

fn walk(explorer: &mut Explorer<'_>) -> Checked {
    check_named(explorer.unit, explorer.program)?;
    explorer.explore(FuncIdx(0), entry())?;
    explorer.explore_globals()?;
    check_depth(explorer.program, &explorer.stack_depth)
}

#[allow(unsafe_code)]
fn vetted(explorer: &Explorer<'_>, program: std::sync::Arc<oxbpf_ir::Program>) -> Vetted {
    // SAFETY: every path of the program was followed, and the facts are those that held at each visit of their
    // instruction and that the visits' acceptance rested on.
    unsafe { Vetted::assume(program, facts(&explorer.notes)) }
}
