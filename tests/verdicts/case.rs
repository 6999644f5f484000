//! One program to be judged by the kernel and by us.

use std::sync::Arc;
use std::time::{Duration, Instant};

use oxbpf::abi::ProgType;
use oxbpf::ir::{MapDef, ProgIdx, Program, ProgramParts, Unit};
use oxbpf::isa::{RawInsn, decode_all};
use oxbpf_btf::Btf;
use oxbpf_verifier::{LogLevel, Options, Verdict, verify};

/// `BPF_F_STRICT_ALIGNMENT` and `BPF_F_ANY_ALIGNMENT`, of which the first wins.
const STRICT_ALIGNMENT: u32 = 1;

/// A program, with map references by index into `maps`.
#[derive(Clone)]
pub struct Case {
    /// What it is called in tables and files.
    pub name: String,
    pub prog_type: ProgType,
    /// `expected_attach_type`.
    pub attach: u32,
    /// `BPF_F_...` of loading.
    pub flags: u32,
    pub license: String,
    pub words: Vec<RawInsn>,
    pub maps: Arc<Vec<MapDef>>,
    /// What the maps' keys and values are.
    pub types: Option<Arc<Btf>>,
    /// The unit it comes from, where it is not bare instructions.
    pub unit: Option<(Arc<Unit>, ProgIdx)>,
    /// Whether the kernel is told of the functions' types where it needs them.
    pub typed: bool,
}

/// What we say of a program.
pub enum Ours {
    Accepted,
    /// With the code, and the message that the kernel is expected to have.
    Rejected {
        code: String,
        message: String,
    },
    Unsupported {
        what: String,
    },
    Panicked {
        message: String,
    },
}

/// Our verdict with its cost.
pub struct Judged {
    pub verdict: Ours,
    pub processed: u64,
    pub total_states: u64,
    pub peak_states: u64,
    pub took: Duration,
}

impl Case {
    /// The unit, or why there is none: instructions that do not decode, or a shape that is wrong.
    pub fn unit(&self) -> Result<(Arc<Unit>, ProgIdx), (String, String)> {
        if let Some((unit, index)) = &self.unit {
            return Ok((unit.clone(), *index));
        }
        let insns = decode_all(&self.words).map_err(|e| (e.code().to_string(), e.to_string()))?;
        let insns = insns.into_iter().map(|(_, insn)| insn).collect();
        let parts = ProgramParts::new("program", self.prog_type, insns);
        let program = Program::new(parts).map_err(|e| (e.code().to_string(), e.to_string()))?;
        let unit = Unit::new("unit", &self.license, self.maps.to_vec(), vec![program]);
        let unit = unit.map_err(|e| (e.code().to_string(), e.to_string()))?;
        let unit = match &self.types {
            Some(types) => unit.with_types(types.clone()),
            None => unit,
        };
        Ok((Arc::new(unit), ProgIdx(0)))
    }

    pub fn options(&self) -> Options {
        let cpus = oxbpf::kernel::cpus().unwrap_or(Options::default().cpus);
        let strict_alignment = self.flags & STRICT_ALIGNMENT != 0;
        Options { strict_alignment, attach_type: self.attach, cpus, ..Options::default() }
    }

    /// What we say.
    pub fn judge(&self) -> Judged {
        let (unit, index) = match self.unit() {
            Ok(unit) => unit,
            Err((code, message)) => return Judged::without_cost(Ours::Rejected { code, message }),
        };
        self.judge_unit(&unit, index)
    }

    pub fn judge_unit(&self, unit: &Unit, index: ProgIdx) -> Judged {
        let options = self.options();
        let started = Instant::now();
        let report = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| verify(unit, index, &options)));
        let took = started.elapsed();
        let report = match report {
            Ok(report) => report,
            Err(panic) => {
                let text = panic.downcast_ref::<String>().cloned();
                let text = text.or_else(|| panic.downcast_ref::<&str>().map(|s| s.to_string()));
                return Judged::without_cost(Ours::Panicked { message: text.unwrap_or_default() });
            }
        };
        let stats = report.stats;
        let verdict = match &report.verdict {
            Verdict::Accepted(_) => Ours::Accepted,
            Verdict::Rejected(fault) => Ours::Rejected {
                code: fault.code.name(),
                message: match fault.insn {
                    Some(insn) => {
                        let slot = unit.programs()[index.index()].slot(insn);
                        format!("{} (insn {slot})", fault.message())
                    }
                    None => fault.message().to_string(),
                },
            },
            Verdict::Unsupported(fault) => Ours::Unsupported { what: fault.message().to_string() },
        };
        Judged {
            verdict,
            processed: stats.processed.into(),
            total_states: stats.total_states.into(),
            peak_states: stats.peak_states.into(),
            took,
        }
    }

    /// Our log of the program.
    pub fn log(&self) -> String {
        match self.unit() {
            Ok((unit, index)) => verify(&unit, index, &Options { log: LogLevel::Trace, ..self.options() }).log,
            Err((code, message)) => format!("{code} {message}\n"),
        }
    }

    /// The program as text, a line for each instruction.
    pub fn listing(&self) -> String {
        match decode_all(&self.words) {
            Ok(insns) => insns.iter().map(|(slot, insn)| format!("{slot:>4}: {insn}\n")).collect(),
            Err(error) => {
                let words = self.words.iter().enumerate().map(|(i, w)| format!("{i:>4}: {w:?}\n"));
                format!("{error}\n{}", words.collect::<String>())
            }
        }
    }
}

impl Judged {
    fn without_cost(verdict: Ours) -> Judged {
        Judged { verdict, processed: 0, total_states: 0, peak_states: 0, took: Duration::ZERO }
    }
}
