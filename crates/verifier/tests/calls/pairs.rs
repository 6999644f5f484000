//! Calls that keep the rules and, one line apart, calls that break them: `pairs.txt`.

use oxbpf_abi::ProgType;
use oxbpf_isa::text::parse;

use crate::kernel::{measured, unit, verdicts};

/// A program of the file.
struct Case {
    title: String,
    accepted: bool,
    prog_type: ProgType,
    text: String,
}

/// `== [type] accept|reject: title`, then instructions.
fn cases() -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    for line in include_str!("pairs.txt").lines() {
        if let Some(head) = line.strip_prefix("== ") {
            let (words, title) = head.split_once(": ").expect("a title");
            let (prog_type, verdict) = words.split_once(' ').unwrap_or(("sched_cls", words));
            cases.push(Case {
                title: title.into(),
                accepted: verdict == "accept",
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

#[test]
fn calls_are_judged_as_by_the_kernel() {
    let live = measured();
    let (mut different, cases) = (Vec::new(), cases());
    for case in &cases {
        let source = parse(&case.text).unwrap_or_else(|errors| panic!("{}: {errors:?}", case.title));
        if !live {
            continue;
        }
        let both = verdicts(&unit(case.prog_type, "GPL", source.insns));
        let as_said = case.accepted == both.kernel.is_none();
        if both.unsupported.is_some() || both.ours != both.kernel || !as_said {
            let (ours, kernel) = (both.unsupported.or(both.ours), both.kernel);
            different.push(format!("{}: {ours:?}, kernel {kernel:?}", case.title));
        }
    }
    println!("{} calls", cases.len());
    assert!(different.is_empty(), "{} of {}:\n{}", different.len(), cases.len(), different.join("\n"));
}
