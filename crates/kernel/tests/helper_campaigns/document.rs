//! `docs/helpers.md`: every helper of Linux 6.18, whether it is implemented, and whether it is compared.

use std::fmt::Write;

use crate::table::{Compared, ROWS};
use oxbpf_abi::uapi::{self, HelperInfo};
use oxbpf_abi::{HELPERS, PROG_TYPES};
use oxbpf_runtime::helpers::refusal;

const HEAD: &str = "\
# Helpers

Made by `BLESS=1 cargo test -p oxbpf-kernel --test helper_campaigns` (`cargo xtask docs`) from the rows of `oxbpf_abi::uapi`, of
`oxbpf_abi::HELPERS` and of the campaign's table in `crates/kernel/tests/helper_campaigns/table.rs`; a test fails where this page differs.

*Types* are the program types of this toolchain that may call a helper: cls (`sched_cls`), act (`sched_act`), xdp, sock
(`socket_filter`), cg (`cgroup_skb`). A licence of *GPL* means that only programs under a compatible one may.

*Compared* says what stands behind it: a campaign runs 50 random cases of the helper in `cargo test`, and 1,000 with
`ORACLE_ROUNDS=20`, in the running kernel and in the interpreter, and compares return values, packet, context and maps. A case is
a program of one to four calls with edge values on a packet of some shape (IPv4, IPv6, ARP, tagged once to three times, unknown, short,
long, standing for several), and reads the context and the packet after each. Other tests are named with their file in
`crates/kernel/tests`.
";

/// Short names of the program types, in the order of their rows.
const TYPES: [&str; 5] = ["sock", "cls", "act", "xdp", "cg"];

/// Fails where the page differs from the tables; with `BLESS=1` it is written.
pub fn check() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/helpers.md");
    let fresh = text();
    if std::env::var_os("BLESS").is_some_and(|value| value == "1") {
        std::fs::write(path, &fresh).expect("docs can be written");
    }
    let stands = std::fs::read_to_string(path).unwrap_or_default();
    let line = stands.lines().zip(fresh.lines()).position(|(a, b)| a != b);
    assert!(stands == fresh, "docs/helpers.md is stale, from line {line:?} on: run with BLESS=1");
}

fn text() -> String {
    let mut out = String::from(HEAD);
    out.push_str("\n## Implemented\n\n| | helper | types | licence | since | compared with the kernel |\n|---|---|---|---|---|---|\n");
    for row in HELPERS.iter().filter(|row| !row.private()) {
        let info = uapi::helper(row.name).expect("rows are of the kernel's helpers");
        let types = PROG_TYPES.iter().zip(TYPES).filter(|(t, _)| row.callable_by(t.prog_type)).map(|(_, name)| name);
        line(&mut out, info, types, &compared(row.name));
    }
    out.push_str("\n## Refused\n\nA program that calls one of these stops there, with the trap `unsupported` and the helper's name.\n");
    out.push_str("\n| | helper | types | licence | since | why |\n|---|---|---|---|---|---|\n");
    for info in uapi::HELPERS.iter().filter(|info| oxbpf_abi::helper_by_id(info.id).is_none()) {
        let types = PROG_TYPES.iter().zip(TYPES).filter(|(t, _)| info.callers.allows(t.name)).map(|(_, name)| name);
        let types: Vec<_> = types.collect();
        let why = match refusal(info.name) {
            Some(why) => why,
            None if types.is_empty() => "for program types that are not run here",
            None => "not implemented",
        };
        line(&mut out, info, types.into_iter(), why);
    }
    out.push_str("\n## This toolchain's own\n\nNo kernel has them. Migrated classic programs call them (`classic-run.md`), and what lowering makes of callbacks.\n\n| | helper |\n|---|---|\n");
    for row in HELPERS.iter().filter(|row| row.private()) {
        writeln!(out, "| {:#x} | `{}` |", row.id, row.name).expect("strings grow");
    }
    out
}

fn line(out: &mut String, info: &HelperInfo, types: impl Iterator<Item = &'static str>, last: &str) {
    let types: Vec<_> = types.collect();
    let types = if types.len() == TYPES.len() { "all".to_string() } else { types.join(" ") };
    let licence = if info.gpl_only { "GPL" } else { "any" };
    let signature = info.signature();
    writeln!(out, "| {} | `{signature}` | {types} | {licence} | {} | {last} |", info.id, info.since)
        .expect("strings grow");
}

fn compared(helper: &str) -> String {
    let row = ROWS.iter().find(|row| row.helper == helper);
    match row.map(|row| row.compared) {
        Some(Compared::Calls { .. }) => "yes: campaign".into(),
        Some(Compared::By { file, test }) => format!("yes: `{test}` in `{file}`"),
        Some(Compared::No(why)) => format!("no: {why}"),
        None => "no: not in the campaign's table".into(),
    }
}
