//! Calls that keep the rules and, one line apart, calls that break them: `pairs.txt`.

use oxbpf_abi::ProgType;
use oxbpf_ir::ProgIdx;
use oxbpf_isa::Insn;
use oxbpf_isa::text::parse;
use oxbpf_verifier::{Caps, Options, verify};

use crate::kernel::{caps, measured, unit, verdicts, without};

/// A program of the file.
struct Case {
    title: String,
    accepted: bool,
    /// Whether only root's verdict is compared: how pointers are masked otherwise is not followed.
    root_only: bool,
    prog_type: ProgType,
    text: String,
}

/// `== [type] accept|reject[!]: title`, then instructions; with `!` for root only.
fn cases() -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    for line in include_str!("pairs.txt").lines() {
        if let Some(head) = line.strip_prefix("== ") {
            let (words, title) = head.split_once(": ").expect("a title");
            let (prog_type, verdict) = words.split_once(' ').unwrap_or(("sched_cls", words));
            cases.push(Case {
                title: title.into(),
                accepted: verdict.starts_with("accept"),
                root_only: verdict.ends_with('!'),
                prog_type: ProgType::by_name(prog_type).expect("a program type"),
                text: String::new(),
            });
        } else if let Some(case) = cases.last_mut() {
            case.text += line;
            case.text += "\n";
        }
    }
    cases
}

/// The instructions of the programs that are accepted.
pub fn programs() -> Vec<(ProgType, Vec<Insn>)> {
    let insns = |case: &Case| parse(&case.text).unwrap_or_else(|errors| panic!("{}: {errors:?}", case.title)).insns;
    cases().iter().filter(|case| case.accepted).map(|case| (case.prog_type, insns(case))).collect()
}

#[test]
fn calls_are_judged_as_by_the_kernel() {
    let live = measured();
    let (mut different, cases) = (Vec::new(), cases());
    for case in &cases {
        let source = parse(&case.text).unwrap_or_else(|errors| panic!("{}: {errors:?}", case.title));
        if !live || case.root_only && caps() != Caps::ROOT {
            continue;
        }
        let both = verdicts(&unit(case.prog_type, "GPL", source.insns));
        let as_said = caps() != Caps::ROOT || case.accepted == both.kernel.is_none();
        if both.unsupported.is_some() || both.ours != both.kernel || !as_said {
            let (ours, kernel) = (both.unsupported.or(both.ours), both.kernel);
            different.push(format!("{}: {ours:?}, kernel {kernel:?}", case.title));
        }
    }
    println!("{} calls", cases.len());
    assert!(different.is_empty(), "{} of {}:\n{}", different.len(), cases.len(), different.join("\n"));
}

#[test]
fn calls_are_judged_as_by_the_kernel_without_perfmon() {
    if measured() {
        without("perfmon", &["pairs::calls_are_judged_as_by_the_kernel"]);
    }
}

/// What calls back in a way that is not followed is not accepted.
#[test]
fn callbacks_that_are_not_followed_are_named() {
    let text = "r1 = map_fd(19) ll\nr2 = func(+6) ll\nr3 = 0\nr4 = 0\ncall 209\nr0 = 0\nexit\nr0 = 0\nexit\n";
    let insns = parse(text).expect("instructions").insns;
    let report = verify(&unit(ProgType::SchedCls, "GPL", insns), ProgIdx(0), &Options::default());
    assert_eq!(report.fault().map(|fault| fault.message()), Some("helper bpf_user_ringbuf_drain"));
}
