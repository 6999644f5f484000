//! The running kernel's verdict on bare instructions.

use std::process::Command;
use std::sync::Arc;

use oxbpf_abi::{MapType, ProgType, map_flags};
use oxbpf_ir::{MapDef, MapInit, MapPurpose, ProgIdx, Program, ProgramParts, Unit};
use oxbpf_isa::{AluOp, Cond, Insn, MemSize, Operand, Reg, Width, encode_all};
use oxbpf_kernel::{Kernel, KernelProg, LoadError, LoadSpec, LogPolicy, probe};
use oxbpf_runtime::{Engine, EngineError, Env, Image};
use oxbpf_verifier::{Caps, Options, Verdict, verify};

/// Whether this is the kernel that the rules were measured on; otherwise says that the test is skipped.
pub fn measured() -> bool {
    let availability = probe();
    let same =
        availability.release().is_some_and(|release| release.starts_with("6.18")) && cfg!(target_arch = "x86_64");
    if !same {
        let reason = format!("skipped: {availability}, measured on 6.18 on x86-64");
        assert_ne!(std::env::var("OXBPF_DEV").as_deref(), Ok("1"), "{reason}");
        println!("{reason}");
    }
    same
}

/// What the kernel says in the end about a program that it refuses.
pub fn refusal(prog_type: ProgType, insns: &[Insn]) -> Option<String> {
    let words: Vec<_> = encode_all(insns).into_iter().map(|word| word.to_bytes()).collect();
    let spec = LoadSpec {
        log: LogPolicy::Level(1),
        expected_attach_type: prog_type.row().attach_type,
        ..LoadSpec::new(prog_type.row().id, &words)
    };
    match KernelProg::load(&spec) {
        Ok(_) => None,
        Err(LoadError::Rejected { log, .. }) => Some(log.last_error_line().unwrap_or_default().to_string()),
        Err(error) => panic!("{error}"),
    }
}

pub fn imm(dst: Reg, value: i32) -> Insn {
    Insn::Alu { op: AluOp::Mov, width: Width::W64, dst, src: Operand::Imm(value) }
}

pub fn copy(dst: Reg, src: Reg) -> Insn {
    Insn::Alu { op: AluOp::Mov, width: Width::W64, dst, src: Operand::Reg(src) }
}

/// Leaves with 0 where the register is null.
pub fn or_leave(reg: Reg) -> [Insn; 3] {
    let jump = Insn::JumpIf { cond: Cond::Ne, width: Width::W64, dst: reg, src: Operand::Imm(0), off: 2 };
    [jump, imm(Reg::R0, 0), Insn::Exit]
}

pub fn load(size: MemSize, dst: Reg, base: Reg, off: i16) -> Insn {
    Insn::Load { size, dst, base, off }
}

/// What the verifier and the kernel say of a unit's first program: nothing, or the last line of the refusal.
pub struct Verdicts {
    pub ours: Option<String>,
    pub kernel: Option<String>,
    /// What ours does not judge yet.
    pub unsupported: Option<String>,
}

/// What this process may do.
pub fn caps() -> Caps {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let bits = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    let bits = bits.and_then(|text| u64::from_str_radix(text.trim(), 16).ok()).unwrap_or(u64::MAX);
    let has = |cap: u32| bits & (1 << cap | 1 << 21) != 0;
    Caps { bpf: has(39), perfmon: has(38), net_admin: has(12) }
}

/// Runs tests of this binary again in a process without a capability; fails where they do.
pub fn without(cap: &str, tests: &[&str]) {
    let mut command = Command::new("setpriv");
    // `sys_admin` stands for all of them.
    command.args(["--bounding-set", &format!("-{cap},-sys_admin"), "--"]);
    command.arg(std::env::current_exe().expect("a test has a file")).args(tests).args(["--exact", "--nocapture"]);
    match command.output() {
        Err(error) => {
            assert_ne!(std::env::var("OXBPF_DEV").as_deref(), Ok("1"), "setpriv: {error}");
            println!("skipped: setpriv: {error}");
        }
        Ok(output) => {
            let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "without {cap}:\n{text}");
            println!("{text}");
        }
    }
}

/// Both verdicts.
pub fn verdicts(unit: &Arc<Unit>) -> Verdicts {
    let attach_type = unit.programs()[0].prog_type().row().attach_type;
    let (cpus, caps) = (oxbpf_kernel::cpus().unwrap_or(1), caps());
    let report = verify(unit, ProgIdx(0), &Options { attach_type, cpus, caps, ..Options::default() });
    let text = report.fault().map(|fault| fault.message().to_string());
    let (ours, unsupported) = match report.verdict {
        Verdict::Unsupported(_) => (None, text),
        _ => (text, None),
    };
    let kernel = match Kernel.prepare(&Image::unproven(unit.clone(), ProgIdx(0)), &Env::default()) {
        Ok(_) => None,
        Err(EngineError::Rejected { message, .. }) => {
            let line = message.strip_prefix("insn ").and_then(|rest| rest.split_once(": ")).map(|(_, line)| line);
            Some(line.unwrap_or(&message).to_string())
        }
        Err(error) => panic!("{error}"),
    };
    Verdicts { ours, kernel, unsupported }
}

/// The maps that programs of these tests name by number.
pub fn maps() -> Vec<MapDef> {
    let text = b"%d and %s\0".iter().copied().chain(std::iter::repeat_n(b'x', 6)).collect();
    vec![
        MapDef::new("array", MapType::ARRAY, 4, 64, 1),
        MapDef::new("hash", MapType::HASH, 8, 48, 16),
        MapDef::new("ring", MapType::RINGBUF, 0, 0, 4096),
        MapDef::new("progs", MapType::PROG_ARRAY, 4, 4, 4),
        MapDef::new("percpu", MapType::PERCPU_ARRAY, 4, 8, 4),
        MapDef {
            inner: Some(Box::new(MapDef::new("inner", MapType::ARRAY, 4, 16, 4))),
            ..MapDef::new("outer", MapType::ARRAY_OF_MAPS, 4, 4, 2)
        },
        MapDef::new("devs", MapType::DEVMAP, 4, 4, 4),
        MapDef::new("queue", MapType::QUEUE, 0, 8, 4),
        MapDef::new("bloom", MapType::BLOOM_FILTER, 0, 8, 4),
        MapDef { lock: Some(4), ..MapDef::new("locked", MapType::ARRAY, 4, 16, 2) },
        MapDef {
            flags: map_flags::RDONLY_PROG,
            purpose: MapPurpose::Rodata,
            init: MapInit::Entries(vec![(vec![0; 4], text)]),
            ..MapDef::new("text", MapType::ARRAY, 4, 16, 1)
        },
        match caps().perfmon {
            true => MapDef::new("events", MapType::PERF_EVENT_ARRAY, 4, 4, 1),
            // Nobody could listen.
            false => MapDef::new("events", MapType::ARRAY, 4, 4, 1),
        },
        MapDef::new("socks", MapType::SOCKMAP, 4, 4, 4),
        MapDef::new("xsks", MapType::XSKMAP, 4, 4, 4),
        MapDef::new("cgroups", MapType::CGROUP_ARRAY, 4, 4, 4),
        MapDef { flags: map_flags::WRONLY_PROG, ..MapDef::new("secret", MapType::ARRAY, 4, 64, 1) },
        MapDef::new("entries", MapType::ARRAY, 4, 8, 4),
        MapDef::new("cpus", MapType::CPUMAP, 4, 4, 4),
        MapDef { flags: map_flags::RDONLY_PROG, ..MapDef::new("given", MapType::HASH, 4, 8, 4) },
        MapDef::new("drained", MapType::USER_RINGBUF, 0, 0, 4096),
    ]
}

/// A unit of one program over [`maps`].
pub fn unit(prog_type: ProgType, license: &str, insns: Vec<Insn>) -> Arc<Unit> {
    let program = Program::new(ProgramParts::new("test", prog_type, insns)).expect("a program of good shape");
    // Maps that the program does not name cost as much as others.
    Arc::new(Unit::new("calls", license, maps(), vec![program]).expect("maps are there"))
}
