//! The self-test covers every instruction with every edge rule, and passes on every engine.

use std::collections::HashSet;

use oxbpf::engines;
use oxbpf::isa::catalog::{Form, Group, Kind};
use oxbpf::runtime::Availability;
use oxbpf::selftest::{Outcome, Subject, Vector, parse, run, vectors};

#[path = "cli/mod.rs"]
mod cli;

use cli::{oxbpf, stderr, stdout};

/// The instructions of a vector that it is about, each with its form.
fn covered(vector: &Vector) -> (Kind, Form) {
    match &vector.subject {
        Subject::Insn { form, .. } => (vector.kind, *form),
        Subject::Program { .. } => (vector.kind, Form::Reg),
    }
}

#[test]
fn every_instruction_has_a_vector_in_each_form() {
    let covered: HashSet<_> = vectors().iter().map(covered).collect();
    for kind in Kind::all() {
        for &form in kind.forms() {
            assert!(covered.contains(&(kind, form)), "no vector for {} {}", kind.name(), form.name());
        }
    }
}

#[test]
fn every_edge_rule_is_shown_on_every_instruction_it_binds() {
    let mut missing = Vec::new();
    for kind in Kind::all() {
        for &form in kind.forms() {
            let mine = || vectors().iter().filter(|v| covered(v) == (kind, form));
            let unshown = kind.edges(form).filter(|&edge| !mine().any(|v| v.shows(edge)));
            missing.extend(unshown.map(|edge| format!("{} {}: {}", kind.name(), form.name(), edge.name())));
        }
    }
    assert!(missing.is_empty(), "edge rules without a vector:\n{}", missing.join("\n"));
}

#[test]
fn programs_contain_what_they_are_about() {
    for vector in vectors() {
        let Subject::Program { text, .. } = &vector.subject else { continue };
        let unit = oxbpf::text_unit::parse(text, "vector", &Default::default());
        let unit =
            unit.unwrap_or_else(|e| panic!("{}: {}", vector.name(), oxbpf::text_unit::render(&e, text, "vector")));
        let kinds: HashSet<_> = unit.programs()[0].insns().iter().map(Kind::of).collect();
        assert!(kinds.contains(&vector.kind), "{} has no {}", vector.name(), vector.kind.name());
    }
}

#[test]
fn all_engines_pass() {
    for engine in engines::all() {
        if let Availability::Unavailable(reason) = engine.availability() {
            assert!(std::env::var("OXBPF_DEV").as_deref() != Ok("1"), "{}: {reason}", engine.name());
            println!("skipped: engine {}: {reason}", engine.name());
            continue;
        }
        for vector in vectors() {
            assert_eq!(run(vector, &*engine), Outcome::Passed, "{}: {}", engine.name(), vector.name());
        }
    }
}

#[test]
fn a_wrong_result_fails() {
    let wrong = |text: &str| match &parse(text).unwrap()[..] {
        [vector] => run(vector, &oxbpf::interp::Interp),
        _ => panic!("one vector"),
    };
    assert_eq!(wrong("add32 reg 0x1 0x2 = 0x4"), Outcome::Failed("0x3, not 0x4".into()));
    assert_eq!(wrong("jeq64 reg 0x1 0x1 = next"), Outcome::Failed("0x1, not 0x0".into()));
    let fetched = "atomic_fetch_add64 0x1 0x2 = 0x3 0x2";
    assert_eq!(wrong(fetched), Outcome::Failed("0x3 0x1, not 0x3 0x2".into()));
    let trapped = "program exit: traps\n    r0 = 0\n    r0 = *(u8 *)(r0 + 0)\n    exit\n= 0x0";
    assert_eq!(wrong(trapped), Outcome::Failed("trap[out-of-bounds], not 0x0".into()));
}

#[test]
fn broken_vectors_are_named() {
    let error = |text: &str| parse(text).unwrap_err().to_string();
    assert_eq!(error("add32 reg 0x1 0x2"), "line 1: no ` = `");
    assert_eq!(error("\nadd33 reg 0x1 0x2 = 0x3"), "line 2: no instruction `add33`");
    assert_eq!(error("add32 0x1 0x2 = 0x3"), "line 1: no form: reg or imm");
    assert_eq!(error("add32 reg 0x1 = 0x3"), "line 1: add32 has 2 operands");
    assert_eq!(error("add32 imm 0x1 0x80000000 = 0x3"), "line 1: 0x80000000 is no immediate");
    assert_eq!(error("xchg64 0x1 0x2 = 0x3"), "line 1: xchg64 has 2 results");
    assert_eq!(error("ja 0x1 = 0x1"), "line 1: ja is tested by programs");
    assert_eq!(error("neg32 one = 0x1"), "line 1: `one` is no number");
    assert_eq!(error("program ja: no end\n    exit"), "line 1: no result behind the program");
    assert_eq!(error("program ja no title"), "line 1: no title behind the name");
    assert_eq!(error("program ja: packet\npacket 0g\n= 0x0"), "line 1: `0g` is no byte");
}

#[test]
fn groups_include_what_they_say() {
    let groups = |arguments: &[&str]| -> HashSet<String> {
        let output = oxbpf(&[&["selftest", "--list"], arguments].concat());
        stdout(&output).lines().map(|l| l.split_whitespace().next().unwrap().to_string()).collect()
    };
    assert_eq!(groups(&[]).len(), Group::ROWS.len());
    assert_eq!(groups(&["--groups", "base64,packet"]), ["base32", "base64", "packet"].map(String::from).into());
    assert_eq!(groups(&["--groups", "atomic32"]), ["atomic32"].map(String::from).into());
}

#[test]
fn reports_for_people_and_harnesses() {
    let only = ["selftest", "--engine", "interp", "--filter", "neg32 0x1 "];
    let only = &only[..5];
    let people = oxbpf(&["selftest", "--engine", "interp", "--filter", "neg64 0x123456789abcdef0"]);
    assert_eq!(
        stdout(&people),
        "interp   base64        1 passed     0 failed     0 skipped\n1 passed, 0 failed, 0 skipped\n"
    );
    assert_eq!(oxbpf(only).status.code(), Some(2), "{}", stderr(&oxbpf(only)));
    let with = |style: &str| {
        stdout(&oxbpf(&["selftest", "--engine", "interp", "--filter", "neg64 0x123456789abcdef0", style]))
    };
    assert_eq!(with("--tap"), "TAP version 14\n1..1\nok 1 - interp: neg64 0x123456789abcdef0\n");
    let junit = with("--junit");
    assert!(junit.contains(r#"<testcase name="neg64 0x123456789abcdef0" classname="interp.base64""#), "{junit}");
    let json: serde_json::Value = serde_json::from_str(&with("--json")).unwrap();
    assert_eq!((&json["schema"], &json["passed"]), (&"oxbpf.selftest/1".into(), &1.into()));
    assert_eq!(json["results"][0]["insn"], "neg64");
}

#[test]
fn an_engine_that_does_not_exist_is_named() {
    let output = oxbpf(&["selftest", "--engine", "jot"]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(stderr(&output), "error[selftest-engine]: no engine `jot`; there are interp, kernel\n");
}
