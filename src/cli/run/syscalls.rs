//! `--seccomp`: a classic program over system calls instead of packets.

use std::io::Write;

use oxbpf_abi::ProgType;
use oxbpf_interp::Interp;
use oxbpf_interp::classic::Classic;
use oxbpf_runtime::{Engine, Env, Instance};
use oxbpf_tc::{Hook, Mode, Semantics};
use serde_json::json;

use super::options::Arguments;
use super::{Exit, Failure};
use crate::prog;
use crate::seccomp::{self, SeccompData};

/// Runs the program for every call that was given; both interpreters do, and must agree.
pub(super) fn run(arguments: &Arguments) -> Result<Exit, Failure> {
    let loaded = prog::load(&arguments.prog, None, ProgType::SchedCls)?;
    let Some(classic) = &loaded.classic else {
        return Err(Failure::usage("error[seccomp-not-classic]: seccomp runs classic programs"));
    };
    let finding = |e: seccomp::RuleError| Failure { message: format!("error[{}]: {e}", e.code()), exit: Exit::Finding };
    seccomp::check(&classic.program).map_err(finding)?;
    let image = loaded.image();
    let mut migrated = Interp.prepare(&image, &Env::default())?;
    let mut direct = Classic::new(&classic.program).prepare(&image, &Env::default())?;
    let semantics = Semantics { hook: Hook::Ingress, mode: Mode::Seccomp, flowid: None };
    let mut out = std::io::stdout().lock();
    let mut exit = Exit::Ok;
    for call in &arguments.seccomp {
        let words = call.words();
        let value = |instance: &mut dyn Instance| instance.run(&seccomp::input(&words)).map(|o| o.verdict());
        let (ours, theirs) = (value(&mut *direct)?, value(&mut *migrated)?);
        let (Some(result), true) = (ours, ours == theirs) else {
            writeln!(out, "nr {}  cbpf returns {ours:x?}, interp {theirs:x?}", call.nr)?;
            exit = Exit::Finding;
            continue;
        };
        let verdict = semantics.verdict(result, 0);
        if arguments.jsonl || arguments.json {
            let SeccompData { nr, arch, ip, args } = call;
            let data = result as u16;
            let line = json!({
                "nr": nr, "arch": arch, "ip": ip, "args": args,
                "return": result, "verdict": verdict.word(), "data": data,
            });
            writeln!(out, "{line}")?;
        } else {
            writeln!(out, "nr {}  {verdict}", call.nr)?;
        }
    }
    Ok(exit)
}
