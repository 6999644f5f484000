//! Programs with a verdict, as text, and what the kernel says of them.
#![allow(dead_code)] // Each test uses some of these.

use std::process::Command;
use std::sync::Arc;

use oxbpf::ir::{ProgIdx, Unit};
use oxbpf::isa::encode_all;
use oxbpf::kernel::{Kernel, KernelProg, LoadError, LoadSpec, VerifierLog, probe};
use oxbpf::runtime::{Engine, EngineError, Env, Image};
use oxbpf::text_unit::{self, UnitTextFault};
use oxbpf::verdict::of_shape;
use oxbpf::verifier::{Caps, Code, Fault, Options, Verdict, verify};

/// What the kernel says of a program that it refuses.
#[derive(Debug)]
pub struct Said {
    pub text: String,
    /// The last line that is not a state.
    pub last: String,
    pub slot: Option<u32>,
}

impl Said {
    fn of(log: &VerifierLog, otherwise: &str) -> Said {
        Said {
            text: log.error().unwrap_or(otherwise).to_string(),
            last: log.last_error_line().unwrap_or(otherwise).to_string(),
            slot: log.at,
        }
    }

    /// The code for it, at its place in the program.
    pub fn code(&self, unit: Option<&Unit>) -> Option<Code> {
        let code = Code::of_kernel_message(&self.text)?;
        let program = unit.map(|unit| &unit.programs()[0]);
        let insn = program.zip(self.slot).and_then(|(p, slot)| Some(p.insns()[p.insn_at(slot.into())?.index()]));
        Some(insn.map_or(code, |insn| code.at(&insn)))
    }
}

/// A program, and the rules that comments at its head ask for: `; caps: bpf,net_admin`.
pub struct Case<'a> {
    pub name: &'a str,
    pub text: &'a str,
}

impl Case<'_> {
    /// The unit; none where its shape is wrong already.
    pub fn unit(&self) -> Result<Unit, String> {
        let options = text_unit::Options::default();
        text_unit::parse(self.text, self.name, &options).map_err(|e| text_unit::render(&e, self.text, self.name))
    }

    /// The rules.
    pub fn options(&self) -> Options {
        let caps = self.caps().map_or(Caps::ROOT, |names| Caps::parse(names).expect("capabilities"));
        Options { caps, ..Options::default() }
    }

    /// The verifier's verdict; of a program whose shape is wrong, what that is called.
    pub fn judge(&self) -> Verdict {
        let options = text_unit::Options::default();
        match text_unit::parse(self.text, self.name, &options) {
            Ok(unit) => verify(&unit, ProgIdx(0), &self.options()).verdict,
            Err(errors) => match &errors[0].fault {
                UnitTextFault::Build(fault) => Verdict::Rejected(Fault::new(of_shape(fault), errors[0].to_string())),
                other => panic!("{}: {other}", self.name),
            },
        }
    }

    fn caps(&self) -> Option<&str> {
        self.text.lines().find_map(|line| line.strip_prefix("; caps: "))
    }

    /// What the kernel says as it refuses the program; none where it loads it.
    pub fn kernel(&self, dir: &std::path::Path) -> Result<Option<Said>, String> {
        match (self.caps(), self.unit()) {
            (Some(caps), _) => self.kernel_with(caps, dir),
            (None, Ok(unit)) => of_unit(unit),
            (None, Err(_)) => self.kernel_bare(),
        }
    }

    /// The instructions alone: what has no shape is no unit.
    fn kernel_bare(&self) -> Result<Option<Said>, String> {
        let parsed = oxbpf::isa::text::parse(self.text).map_err(|e| e.render(self.text, self.name))?;
        let words: Vec<[u8; 8]> = encode_all(&parsed.insns).into_iter().map(|word| word.to_bytes()).collect();
        match KernelProg::load(&LoadSpec::new(3, &words)) {
            Ok(_) => Ok(None),
            Err(LoadError::Rejected { errno, log }) => Ok(Some(Said::of(&log, &errno.to_string()))),
            Err(e) => Err(e.to_string()),
        }
    }

    /// With these capabilities only: by a process that has no others.
    fn kernel_with(&self, caps: &str, dir: &std::path::Path) -> Result<Option<Said>, String> {
        let path = dir.join(format!("{}.bpf", self.name.replace(' ', "_")));
        std::fs::write(&path, self.text).map_err(|e| e.to_string())?;
        let keep = caps.split(',').map(|cap| format!(",+{cap}")).collect::<String>();
        let capture = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/captures/http.pcap");
        let output = Command::new("setpriv")
            .args([&format!("--bounding-set=-all{keep}"), "--inh-caps=-all", env!("CARGO_BIN_EXE_oxbpf"), "run"])
            .arg(&path)
            .args(["--engine", "kernel", "--json", "--pcap", capture])
            .output()
            .map_err(|e| format!("setpriv: {e}"))?;
        let said = String::from_utf8_lossy(&output.stderr);
        match output.status.code() {
            Some(0) => Ok(None),
            Some(1) if said.contains("engine-rejected") => {
                let log = said.split_once('\n').map_or("", |(_, log)| log);
                Ok(Some(Said::of(&VerifierLog::parse(log.to_string(), false, 0), "no message")))
            }
            _ => Err(said.into_owned()),
        }
    }
}

fn of_unit(unit: Unit) -> Result<Option<Said>, String> {
    match Kernel.prepare(&Image::unproven(Arc::new(unit), ProgIdx(0)), &Env::default()) {
        Ok(_) => Ok(None),
        Err(EngineError::Rejected { log, message, .. }) => {
            Ok(Some(Said::of(&VerifierLog::parse(log, false, 0), &message)))
        }
        Err(e) => Err(e.to_string()),
    }
}

/// Whether the kernel is the one whose texts and verdicts these are; otherwise says that the test is skipped, which
/// fails on a development machine.
pub fn measured(test: &str) -> bool {
    let availability = probe();
    let same = availability.release().is_some_and(|release| release.starts_with("6.18"));
    if !same || !cfg!(target_arch = "x86_64") {
        println!("{test}: skipped: {availability}, measured on 6.18 on x86-64");
        assert!(std::env::var_os("OXBPF_DEV").is_none(), "{test}: skipped on a development machine");
        return false;
    }
    true
}
