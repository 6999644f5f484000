//! The same programs given to libbpf and aya, on the running kernel's types and on our own.
//!
//! libbpf is asked through `oracle.c`, which needs a C compiler and libbpf's headers; what is not there is a skip
//! with its reason, and with `OXBPF_DEV=1` a failure.

use std::path::{Path, PathBuf};
use std::process::Command;

use oxbpf_btf::core::CoreTarget;
use oxbpf_elf::core::read_target;

use super::{linked, object, path, target};

const OBJECTS: [&str; 5] = ["kernel.o", "matches.o", "fields.o", "bits.o", "types.o"];

const VMLINUX: &str = "/sys/kernel/btf/vmlinux";

/// Says why something is not compared; on a development machine that is a failure.
fn skip(reason: &str) {
    assert!(std::env::var_os("OXBPF_DEV").is_none_or(|v| v != "1"), "skipped on a development machine: {reason}");
    eprintln!("skipped: {reason}");
}

/// The oracle, compiled; or why not.
fn oracle() -> Result<PathBuf, String> {
    let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("core-oracle-{}", std::process::id()));
    let mut why = String::new();
    for compiler in ["cc", "clang-19", "gcc"] {
        let run = Command::new(compiler).arg(path("oracle.c")).arg("-o").arg(&out).arg("-lbpf").output();
        match run {
            Ok(done) if done.status.success() => return Ok(out),
            Ok(done) => why = String::from_utf8_lossy(&done.stderr).lines().next().unwrap_or("").to_string(),
            Err(e) => why = format!("{compiler}: {e}"),
        }
    }
    Err(format!("no libbpf to compare with: {why}"))
}

fn kernel() -> Option<CoreTarget> {
    match std::fs::File::open(VMLINUX) {
        Ok(file) => Some(CoreTarget::new(read_target(file).unwrap())),
        Err(e) => {
            skip(&format!("{VMLINUX}: {e}"));
            None
        }
    }
}

/// Compares each program of an object with what libbpf makes of it; answers how many there are.
fn equals_libbpf(oracle: &Path, name: &str, file: Option<&str>, target: &CoreTarget) -> Result<usize, String> {
    let mut command = Command::new(oracle);
    command.arg(path(name)).args(file.map(path));
    let output = command.output().expect("the oracle was made and starts");
    if !output.status.success() {
        return Err(format!("libbpf does not open the object: {:?}", output.status));
    }
    let said = String::from_utf8(output.stdout).unwrap();
    if said.lines().all(|line| line.ends_with(" refused")) {
        return Err("libbpf cannot load anything here, which takes root".into());
    }
    let mut object = object(name);
    object.relocate_core(target);
    let mut different = Vec::new();
    for line in said.lines() {
        let (program, code) = line.split_once(' ').unwrap();
        let at = object.programs().iter().position(|p| p.name() == program).unwrap();
        let ours = linked(&object, at).unwrap_or_else(|_| "refused".into());
        if ours != code {
            different.push(format!("{name} {program}\n   ours {ours}\n libbpf {code}"));
        }
    }
    assert!(different.is_empty(), "{}", different.join("\n"));
    assert_eq!(said.lines().count(), object.programs().len());
    Ok(said.lines().count())
}

#[test]
fn libbpf_makes_the_same_of_every_program() {
    let oracle = match oracle() {
        Ok(oracle) => oracle,
        Err(why) => return skip(&why),
    };
    let Some(kernel) = kernel() else { return };
    let mut on_kernel = 0;
    for name in OBJECTS {
        match equals_libbpf(&oracle, name, None, &kernel) {
            Ok(count) => on_kernel += count,
            Err(why) => return skip(&why),
        }
    }
    let mut on_ours = 0;
    for name in OBJECTS {
        on_ours += equals_libbpf(&oracle, name, Some("target.o"), &target()).unwrap();
    }
    eprintln!("{on_kernel} programs equal on the running kernel's types, {on_ours} on our own");
    assert!(on_kernel >= 170 && on_ours >= 170);
    let _ = std::fs::remove_file(oracle);
}

/// Where aya 0.3 differs from libbpf, which is followed: to aya, enumerations of 32 and of 64 bits are strangers.
/// It refuses a whole object for a type that is not there where its size or number is asked for, for a width that
/// cannot be adapted, and for the question whether types match; `kernel.c` has none of these, the other files have.
const AYA_DIFFERS: [&str; 1] = ["value_large"];

#[test]
fn aya_makes_the_same_of_every_program() {
    let Some(kernel) = kernel() else { return };
    let types = aya_obj::btf::Btf::from_sys_fs().unwrap();
    let mut peer = aya_obj::Object::parse(&std::fs::read(path("kernel.o")).unwrap()).unwrap();
    peer.relocate_btf(&types).unwrap();
    let mut ours = object("kernel.o");
    ours.relocate_core(&kernel);
    let mut seen = 0;
    for (at, program) in ours.programs().iter().enumerate() {
        let function = peer.functions.values().find(|f| f.name == program.name()).unwrap();
        let code: Vec<String> = function.instructions.iter().map(hex).collect();
        if !AYA_DIFFERS.contains(&program.name()) {
            assert_eq!(linked(&ours, at).unwrap(), code.concat(), "{}", program.name());
            seen += 1;
        }
    }
    assert!(seen >= 55, "{seen}");
}

fn hex(insn: &aya_obj::generated::bpf_insn) -> String {
    let regs = insn.dst_reg() | insn.src_reg() << 4;
    let [o0, o1] = insn.off.to_le_bytes();
    let [i0, i1, i2, i3] = insn.imm.to_le_bytes();
    [insn.code, regs, o0, o1, i0, i1, i2, i3].iter().map(|b| format!("{b:02x}")).collect()
}
