//! Every kind of mistake, as it is shown: `tests/filters/errors.txt`. `BLESS=1` writes the messages again.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use oxbpf_cbpf_asm::filter::{Fault, FilterError, Link, MAX_TEXT, Options, compile};

fn error(link: Link, expr: &str) -> FilterError {
    match compile(link, expr, &Options::default()) {
        Err(error) => error,
        Ok(_) => panic!("{link} {expr} compiles"),
    }
}

/// The mistakes of expressions that are too large to be shown whole, with the place that is told.
fn large() -> Vec<(String, Fault, (u32, u32, u32))> {
    let deep = format!("{}ip{}", "(".repeat(129), ")".repeat(129));
    let nots = format!("{}ip", "not ".repeat(129));
    let sum = format!("len = 1{}", " + len".repeat(129));
    let hosts = (0..4_200).map(|i| format!("10.0.{}.{}", i / 250, i % 250)).collect::<Vec<_>>().join(" or ");
    let hosts = format!("ip src {hosts}");
    let (width, long) = (hosts.len() as u32, " ".repeat(MAX_TEXT + 1));
    vec![
        (deep, Fault::Depth { max: 128 }, (1, 130, 2)),
        (nots, Fault::Depth { max: 128 }, (1, 517, 2)),
        (sum, Fault::Operators { max: 128 }, (1, 777, 1)),
        (hosts, Fault::TooLong { max: 4_096 }, (1, 1, width)),
        (long, Fault::Text { bytes: MAX_TEXT + 1 }, (1, 1, 1)),
    ]
}

#[test]
fn messages_are_as_committed() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/filters/errors.txt");
    let committed = fs::read_to_string(&path).unwrap();
    let mut made = String::new();
    for line in committed.lines().filter_map(|line| line.strip_prefix("> ")) {
        let (link, expr) = line.split_once(' ').unwrap();
        let link = Link::by_name(link).unwrap_or_else(|| panic!("{line}"));
        made += &format!("> {line}\n{}\n", error(link, expr).render(expr, "filter"));
    }
    if std::env::var_os("BLESS").is_some() {
        fs::write(&path, &made).unwrap();
        return;
    }
    let differs = committed.lines().zip(made.lines()).enumerate().find(|(_, (a, b))| a != b);
    assert!(committed == made, "{differs:?}; BLESS=1 writes it again");
}

#[test]
fn limits_are_told_with_their_place() {
    for (expr, fault, place) in large() {
        let found = error(Link::Ethernet, &expr);
        assert_eq!((&found.fault, found.place(&expr)), (&fault, place));
        assert!(found.fault.is_limit() && !found.fault.is_unsupported());
        assert!(found.render(&expr, "x").lines().all(|line| line.chars().count() < 200));
    }
    let text = large().pop().unwrap().0;
    assert_eq!(error(Link::Ethernet, &text).to_string(), "an expression of 65537 bytes; at most 65536 are read");
}

#[test]
fn every_kind_is_shown() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/filters/errors.txt");
    let committed = fs::read_to_string(path).unwrap();
    let code = |line: &str| Some(line.strip_prefix("error[")?.split_once(']')?.0.to_string());
    let mut shown: BTreeSet<String> = committed.lines().filter_map(code).collect();
    shown.extend(large().iter().map(|(_, fault, _)| fault.code().to_string()));
    let all = [
        "address",
        "bare",
        "character",
        "depth",
        "division",
        "family",
        "host-bits",
        "host-name",
        "index",
        "layer",
        "link",
        "masked",
        "never",
        "number",
        "offset",
        "operators",
        "qualifier",
        "range",
        "service",
        "shift",
        "size",
        "syntax",
        "text",
        "too-long",
        "unknown",
        "unsupported",
    ];
    let all: BTreeSet<String> = all.iter().map(|code| format!("filter-{code}")).collect();
    assert_eq!(shown, all);
}

#[test]
fn places_count_characters_and_lines() {
    let error = error(Link::Ethernet, "ip or\n  host ä");
    assert_eq!(error.place("ip or\n  host ä"), (2, 8, 1));
    assert_eq!(error.fault, Fault::Character { found: 'ä' });
}
