//! Every helper that a test run can reach, in the kernel and in the interpreter: sequences of one to four calls with edge
//! values, on packets of several shapes, between loads of the context and of the packet. What is compared is a table
//! ([`table::ROWS`]), from which `docs/helpers.md` is made.
//!
//! `ORACLE_ROUNDS=20 cargo test -p oxbpf-kernel --test helper_campaigns` runs 1,000 cases of each helper.
//! `BLESS=1` rewrites the document.

#[path = "../common/mod.rs"]
mod common;

mod calls;
mod case;
mod document;
mod moves;
mod network;
mod packets;
mod table;
mod texts;

use case::{Case, Outcome};
use common::measured;
use common::pair::{Rng, programs};
use oxbpf_abi::HELPERS;
use table::{Compared, ROWS, Row};

/// Cases of each helper in one round.
const CASES: u64 = 50;

#[test]
fn each_helper_equals_the_kernel() {
    if !measured("each_helper_equals_the_kernel") || !network::of_our_own("each_helper_equals_the_kernel") {
        return;
    }
    let only = std::env::var("ORACLE_HELPER").ok();
    let mut different = Vec::new();
    for (seed, row) in ROWS.iter().enumerate() {
        if only.as_ref().is_none_or(|name| name == row.helper) {
            different.extend(campaign(seed as u64, row));
        }
    }
    let first = different.iter().take(20).cloned().collect::<Vec<_>>().join("\n");
    assert!(different.is_empty(), "{} differ:\n{first}", different.len());
}

/// The cases of a helper: what differs, in words.
fn campaign(seed: u64, row: &Row) -> Vec<String> {
    let Compared::Calls { types, call } = row.compared else { return Vec::new() };
    let (mut different, mut refused) = (Vec::new(), 0);
    let count = programs(CASES);
    let mut rng = Rng(seed << 32);
    for i in 0..count {
        let prog_type = types[(i % types.len() as u64) as usize];
        let case = Case::new(&mut rng, prog_type, call);
        match case.run() {
            Outcome::Same => {}
            Outcome::Different(what) => different.extend(what.into_iter().map(|w| format!("{} {i}: {w}", row.helper))),
            Outcome::Rejected(why) => {
                refused += 1;
                if refused == 1 {
                    println!("{} {i}: the verifier refuses {why}", row.helper);
                }
            }
        }
    }
    println!("{}: {count} cases, {} different, {refused} refused by the verifier", row.helper, different.len());
    assert!(refused * 50 <= count, "{}: the verifier refuses {refused} of {count}", row.helper);
    different
}

#[test]
fn every_helper_has_a_row() {
    let rows: Vec<_> = ROWS.iter().map(|row| row.helper).collect();
    let helpers: Vec<_> = HELPERS.iter().filter(|row| !row.private()).map(|row| row.name).collect();
    let missing: Vec<_> = helpers.iter().filter(|name| !rows.contains(name)).collect();
    assert!(missing.is_empty(), "no row in table.rs: {missing:?}");
    assert_eq!(rows.len(), helpers.len(), "a row is there twice, or of no helper");
}

#[test]
fn packet_pointers_are_void_after_the_helpers_that_say_so() {
    if measured("packet_pointers_are_void_after_the_helpers_that_say_so") {
        let (asked, different) = moves::differences();
        assert!(asked > 30, "{asked}");
        assert!(different.is_empty(), "{different:#?}");
    }
}

/// A row that names a test elsewhere names one that is there.
#[test]
fn tests_that_rows_name_exist() {
    for row in ROWS {
        if let Compared::By { file, test } = row.compared {
            let path = format!("{}/tests/{file}", env!("CARGO_MANIFEST_DIR"));
            let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path}: {e}"));
            assert!(text.contains(&format!("#[test]\nfn {test}()")), "{}: {file} has no test {test}", row.helper);
        }
    }
}

#[test]
fn the_document_is_what_the_tables_say() {
    document::check();
}
