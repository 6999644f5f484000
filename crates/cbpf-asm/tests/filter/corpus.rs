//! Expressions as people write them, with their listings: `tests/filters/DLT.txt`. `BLESS=1` writes the listings again.

use std::fs;
use std::path::{Path, PathBuf};

use oxbpf_cbpf_asm::filter::{Link, Options, compile};
use oxbpf_cbpf_asm::{Format, write};

use crate::agree;
use crate::oracle::{Answer, available, in_parallel, tcpdump};
use crate::packets::packets;

/// How many expressions there are at least.
const EXPRESSIONS: usize = 300;
/// How much longer than tcpdump's the programs may be on average.
const RATIO: f64 = 1.2;

fn file(link: Link) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/filters").join(format!("{link}.txt"))
}

fn expressions(text: &str) -> Vec<&str> {
    text.lines().filter_map(|line| line.strip_prefix("> ")).collect()
}

/// All expressions of the corpus.
fn all() -> Vec<(Link, String)> {
    let of = |row: oxbpf_cbpf_asm::filter::LinkRow| {
        let text = fs::read_to_string(file(row.link)).unwrap_or_else(|e| panic!("{}: {e}", row.name));
        expressions(&text).into_iter().map(|e| (row.link, e.to_string())).collect::<Vec<_>>()
    };
    Link::ROWS.into_iter().flat_map(of).collect()
}

fn listing(link: Link, expr: &str) -> String {
    let code = compile(link, expr, &Options::default()).unwrap_or_else(|e| panic!("{}", e.render(expr, "corpus")));
    String::from_utf8(write(Format::D, &code).unwrap()).unwrap()
}

#[test]
fn listings_are_as_committed() {
    for row in Link::ROWS {
        let path = file(row.link);
        let committed = fs::read_to_string(&path).unwrap();
        let blocks = expressions(&committed).into_iter().map(|e| format!("> {e}\n{}\n", listing(row.link, e)));
        let made: String = blocks.collect();
        if std::env::var_os("BLESS").is_some() {
            fs::write(&path, made).unwrap();
            continue;
        }
        let differs = committed.lines().zip(made.lines()).enumerate().find(|(_, (a, b))| a != b);
        assert!(committed == made, "{}: {differs:?}; BLESS=1 writes it again", path.display());
    }
    assert!(all().len() >= EXPRESSIONS, "{} expressions", all().len());
}

#[test]
fn programs_are_about_as_long_as_those_of_tcpdump() {
    if !available() {
        return;
    }
    let all = all();
    let lengths = in_parallel(&all, |(link, expr)| {
        let ours = compile(*link, expr, &Options::default()).unwrap().len();
        match tcpdump(*link, expr, true) {
            Answer::Program(theirs) => (ours, theirs.len()),
            other => panic!("{link} {expr}: {other:?}"),
        }
    });
    let ratios: Vec<f64> = lengths.iter().map(|&(a, b)| a as f64 / b as f64).collect();
    let average = ratios.iter().sum::<f64>() / ratios.len() as f64;
    let sums = lengths.iter().fold((0, 0), |(a, b), (c, d)| (a + c, b + d));
    println!(
        "{} expressions: {average:.3} of tcpdump's length on average, {} instructions to {}",
        ratios.len(),
        sums.0,
        sums.1
    );
    let mut order: Vec<usize> = (0..all.len()).collect();
    order.sort_by(|&a, &b| ratios[b].total_cmp(&ratios[a]));
    for &i in &order[..8] {
        println!("  {:.2}: {} to {}: {} {}", ratios[i], lengths[i].0, lengths[i].1, all[i].0, all[i].1);
    }
    assert!(average <= RATIO, "{average:.3} of tcpdump's length");
}

#[test]
fn the_corpus_agrees_with_tcpdump() {
    if !available() {
        return;
    }
    let packets = Link::ROWS.map(|row| packets(row.link));
    let wrong: Vec<String> =
        in_parallel(&all(), |(link, expr)| agree::compare(*link, expr, &packets[*link as usize]).wrong)
            .into_iter()
            .flatten()
            .collect();
    assert!(wrong.is_empty(), "{} expressions differ:\n{}", wrong.len(), wrong.join("\n"));
}
