//! The kernel's dialect, row by row: each instruction of the catalogue as the running kernel's verifier writes it into
//! its log, which is before it looks at it.

mod common;

use common::{SCHED_CLS, kernel};
use oxbpf_abi::call_name;
use oxbpf_btf::Btf;
use oxbpf_isa::catalog::{Form, Kind, PseudoKind};
use oxbpf_isa::text::{Dialect, Names, PrintOptions, print};
use oxbpf_isa::{CallTarget, Insn, RawInsn, Slot, decode};
use oxbpf_kernel::{KernelProg, LoadError, LoadSpec, LogPolicy};

/// Where the instruction stands.
const AT: usize = 2;

/// `if r1 == 0 goto`
fn if_null(off: i16) -> [u8; 8] {
    common::insn(0x15, 1, 0, off, 0)
}

/// A program with the instruction in it, of which every path and function is closed wherever it leads:
///
/// ```text
/// 0: if r1 == 0 goto 3         what stands behind the instruction is reached
/// 1: if r1 == 0 goto 11        what it jumps to is; not where that is another function
/// 2: the instruction           leads 8 slots on, where it leads anywhere
/// 3: r0 = 0 …
/// 10: exit
/// 11: r0 = 0
/// 12: exit
/// ```
fn program(insn: &Insn) -> Vec<[u8; 8]> {
    let words: Vec<[u8; 8]> = insn.encode().words().iter().map(|w| w.to_bytes()).collect();
    let wide = words.len() as i16 - 1;
    let calls = matches!(Kind::of(insn), Kind::CallLocal | Kind::LoadPseudo(_));
    let (nothing, exit) = (common::mov(0, 0), common::insn(0x95, 0, 0, 0, 0));
    let mut code = vec![if_null(2 + wide), if calls { nothing } else { if_null(9) }];
    code.extend(words);
    code.resize(10, nothing);
    code.extend([exit, nothing, exit]);
    code
}

/// The instruction's text in the log, without what the kernel adds about registers; or what the log says instead.
fn logged(insn: &Insn) -> Result<String, String> {
    let code = program(insn);
    let spec = LoadSpec { log: LogPolicy::Level(2), ..LoadSpec::new(SCHED_CLS, &code) };
    let text = match KernelProg::load(&spec) {
        Ok(loaded) => loaded.log.text,
        Err(LoadError::Rejected { log, .. }) => log.text,
        Err(error) => return Err(error.to_string()),
    };
    let line = text.lines().find_map(|line| line.strip_prefix(&format!("{AT}: (")));
    let line = line.ok_or_else(|| text.lines().next().unwrap_or_default().to_string())?;
    Ok(format!("({}", line.split(" ; ").next().unwrap_or(line).trim_end()))
}

/// The same instruction with a negative offset and immediate, where it may have such.
fn negative(kind: Kind, form: Form) -> Option<Insn> {
    let mut words = kind.sample(form).encode().words().to_vec();
    let leads = matches!(kind, Kind::Jump | Kind::JumpLong | Kind::MayGoto | Kind::CallLocal | Kind::JumpIf(..));
    let flip = |raw: &mut RawInsn| {
        raw.off = if raw.off == 8 && !leads { -8 } else { raw.off };
        raw.imm = if raw.imm == 8 && !matches!(kind, Kind::JumpLong | Kind::CallLocal) { -2 } else { raw.imm };
    };
    flip(&mut words[0]);
    let (insn, _) = decode(&words, Slot(0)).ok()?;
    (Kind::of(&insn) == kind && insn != kind.sample(form)).then_some(insn)
}

/// What the kernel knows by name.
struct Known {
    kfunc: i32,
}

/// A function that classifiers may call.
const KFUNC: &str = "bpf_rdonly_cast";

impl Names for Known {
    fn call(&self, target: CallTarget) -> Option<String> {
        match target {
            CallTarget::Helper(id) => call_name(id),
            CallTarget::Kfunc { id, .. } if id == self.kfunc => Some(KFUNC.into()),
            _ => None,
        }
    }
}

fn kfunc() -> Option<i32> {
    let types = Btf::parse(&std::fs::read("/sys/kernel/btf/vmlinux").ok()?).ok()?;
    types.find(oxbpf_btf::Kind::Func, KFUNC)?.0.try_into().ok()
}

/// Rows that cannot be asked for, and why.
const NOT_ASKED: [(&str, &str); 6] = [
    ("lddw_map_fd", "the log has the map's address"),
    ("lddw_map_value", "the log has the value's address"),
    ("lddw_btf_var", "the log has the variable's address"),
    ("lddw_map_idx", "the log has the map's address"),
    ("lddw_map_idx_value", "the log has the value's address"),
    ("callx", "no Linux has it"),
];

#[test]
fn each_instruction_is_written_as_the_kernel_writes_it() {
    if !kernel("each_instruction_is_written_as_the_kernel_writes_it") {
        return;
    }
    let Some(kfunc) = kfunc() else {
        println!("skipped: the kernel's types have no {KFUNC}");
        return;
    };
    let names = Known { kfunc };
    let (mut same, mut wrong, mut left) = (0, Vec::new(), Vec::new());
    for kind in Kind::all() {
        let name = kind.name();
        if let Some((_, why)) = NOT_ASKED.iter().find(|row| row.0 == name) {
            println!("{name}: not asked: {why}");
            left.push(name);
            continue;
        }
        for &form in kind.forms() {
            let sample = match kind {
                Kind::CallKfunc => Insn::Call(CallTarget::Kfunc { id: kfunc, fd_idx: 0 }),
                _ => kind.sample(form),
            };
            let more = negative(kind, form).filter(|_| !matches!(kind, Kind::CallKfunc | Kind::LoadPseudo(_)));
            for insn in [Some(sample), more].into_iter().flatten() {
                let ours = print(&[insn], &PrintOptions { dialect: Dialect::Kernel, ..Default::default() }, &names);
                let ours = match kind {
                    // The log does not tell these from a number, and from a helper; ours can be read again.
                    Kind::LoadPseudo(PseudoKind::Func) => "(18) r1 = 0x8".to_string(),
                    Kind::CallKfunc => format!("{}#{kfunc}", ours.trim()),
                    _ => ours,
                };
                match logged(&insn) {
                    Ok(theirs) if theirs == ours.trim() => same += 1,
                    Ok(theirs) => wrong.push(format!("{name} {}: {} is {theirs}", form.name(), ours.trim())),
                    Err(why) => wrong.push(format!("{name} {}: {why}", form.name())),
                }
            }
        }
    }
    println!("{same} alike");
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!((left.len(), same > 250), (NOT_ASKED.len(), true));
}
