//! The pages of the codes: their programs are judged as they say, by the kernel too.

use std::path::Path;

use oxbpf::verifier::{Code, Verdict};

use crate::verdicts::{Case, measured};

#[test]
fn the_kernel_agrees_with_the_pages() {
    if !measured("the_kernel_agrees_with_the_pages") {
        return;
    }
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let mut wrong = Vec::new();
    for &code in Code::ALL {
        let (Some(rejected), Some(accepted)) = (code.rejected(), code.accepted()) else { continue };
        let name = code.name();
        match (Case { name: &name, text: accepted }).kernel(dir) {
            Ok(None) => {}
            other => wrong.push(format!("{name} accepted: {other:?}")),
        }
        let case = Case { name: &name, text: rejected };
        match case.kernel(dir) {
            // What is not judged here may well be accepted there.
            Ok(None) if code == Code::Unsupported => {}
            Ok(Some(said)) if said.code(case.unit().ok().as_ref()) == Some(code) => {}
            other => wrong.push(format!("{name} rejected: {other:?}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_pages_are_judged_as_they_say() {
    let mut wrong = Vec::new();
    for &code in Code::ALL {
        let (Some(rejected), Some(accepted)) = (code.rejected(), code.accepted()) else { continue };
        let name = code.name();
        let judge = |text| (Case { name: &name, text }).judge();
        match judge(accepted) {
            Verdict::Accepted(_) => {}
            other => wrong.push(format!("{name} accepted: {}", told(&other))),
        }
        match judge(rejected) {
            Verdict::Rejected(fault) if fault.code == code => {}
            Verdict::Unsupported(_) if code == Code::Unsupported => {}
            other => wrong.push(format!("{name} rejected: {}", told(&other))),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn told(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Accepted(_) => "accepted".to_string(),
        Verdict::Rejected(fault) => format!("{} {}", fault.code, fault.message()),
        Verdict::Unsupported(fault) => format!("unsupported: {}", fault.message()),
    }
}

/// Texts of Linux 6.18 and before, each with the code that it means.
const TEXTS: &str = include_str!("kernel_messages.txt");

#[test]
fn kernel_texts_mean_codes() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for line in TEXTS.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (code, text) = line.split_once(' ').expect("CODE TEXT");
        count += 1;
        let found = Code::of_kernel_message(text);
        if found.map(Code::name).as_deref() != Some(code) {
            wrong.push(format!("{code}: {found:?} for {text}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count >= 100, "{count}");
}
