//! Generated expressions say of every packet what tcpdump's programs say.

use oxbpf_cbpf_asm::filter::{Link, Options, compile};
use oxbpf_isa::cbpf::SockFilter;

use crate::generate::expression;
use crate::oracle::{Answer, available, in_parallel, tcpdump, verdicts};
use crate::packets::packets;

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |v| v.parse().unwrap_or_else(|_| panic!("{name} is not a number: {v}")))
}

/// What became of the comparison of one expression.
#[derive(Clone, Default, Debug)]
pub struct Outcome {
    pub wrong: Vec<String>,
    /// Both compile it.
    compiled: usize,
    /// Some packets match and some do not.
    telling: usize,
    /// Packets about which the optimised and the unoptimised program of tcpdump differ.
    doubtful: usize,
    /// Instructions here and there.
    lengths: (usize, usize),
}

/// Compares one expression. Where tcpdump's optimised and unoptimised programs differ about a packet, which is cut where
/// one of them looks, either is right.
pub fn compare(link: Link, expr: &str, packets: &[Vec<u8>]) -> Outcome {
    let mut outcome = Outcome::default();
    let mut wrong = |what: String| outcome.wrong.push(format!("{link} {expr}\n    {what}"));
    let ours = compile(link, expr, &Options::default());
    let reject: Vec<SockFilter> = vec![SockFilter::stmt(0x06, 0)];
    let (ours, theirs) = match (ours, tcpdump(link, expr, true)) {
        (Ok(ours), Answer::Program(theirs)) => (ours, theirs),
        (Ok(ours), Answer::Never) => (ours, reject),
        (Err(e), Answer::Program(theirs)) if e.code() == "filter-never" => (reject, theirs),
        (Err(e), Answer::Never) if e.code() == "filter-never" => (reject.clone(), reject),
        (Err(_), Answer::Refused(_)) => return outcome,
        (Ok(_), Answer::Refused(message)) => {
            wrong(format!("only tcpdump refuses it: {message}"));
            return outcome;
        }
        (Err(e), _) => {
            wrong(format!("only we refuse it: {e}"));
            return outcome;
        }
    };
    let Answer::Program(unoptimized) = tcpdump(link, expr, false) else {
        wrong("tcpdump -O refuses it".into());
        return outcome;
    };
    let (a, b) = (verdicts(link, &ours, packets), verdicts(link, &theirs, packets));
    let c = verdicts(link, &unoptimized, packets);
    outcome.doubtful = b.iter().zip(&c).filter(|(b, c)| b != c).count();
    if let Some(i) = (0..packets.len()).find(|&i| a[i] != b[i] && b[i] == c[i]) {
        let (cut, whole) = (packets[i].len(), &packets[i]);
        wrong(format!("packet {i} of {cut} bytes: here {}, tcpdump {}: {whole:02x?}", a[i], b[i]));
    }
    outcome.compiled = 1;
    outcome.telling = usize::from(a.contains(&true) && a.contains(&false));
    outcome.lengths = (ours.len(), theirs.len());
    outcome
}

fn generated(links: &[Link]) {
    if !available() {
        return;
    }
    let (first, count) = (setting("OXBPF_SEED", 0), setting("OXBPF_PROGRAMS", 1000));
    let captures: Vec<(Link, Vec<Vec<u8>>)> = links.iter().map(|&link| (link, packets(link))).collect();
    let seeds: Vec<u64> = (first..first + count).collect();
    let outcomes = in_parallel(&seeds, |&seed| {
        let (link, packets) = &captures[seed as usize % captures.len()];
        compare(*link, &expression(*link, seed), packets)
    });
    let total = |of: fn(&Outcome) -> usize| outcomes.iter().map(of).sum::<usize>();
    let (compiled, telling) = (total(|o| o.compiled), total(|o| o.telling));
    let (ours, theirs) = (total(|o| o.lengths.0), total(|o| o.lengths.1));
    println!(
        "{count} expressions over {links:?}: {compiled} compiled, {telling} with both verdicts, {} doubtful verdicts; \
        {ours} instructions, tcpdump {theirs}",
        total(|o| o.doubtful)
    );
    let wrong: Vec<_> = outcomes.iter().flat_map(|o| &o.wrong).collect();
    let shown: Vec<String> = wrong.iter().take(20).map(|w| w.to_string()).collect();
    assert!(wrong.is_empty(), "{} expressions differ:\n{}", wrong.len(), shown.join("\n"));
    assert!(compiled * 10 > seeds.len() * 9, "{compiled} of {count} compile: the generator writes nonsense");
    assert!(telling * 3 > seeds.len(), "{telling} of {count} tell packets apart: the packets do not fit");
}

#[test]
fn ethernet_agrees_with_tcpdump() {
    generated(&[Link::Ethernet]);
}

#[test]
fn other_link_types_agree_with_tcpdump() {
    generated(&[Link::Raw, Link::Sll, Link::Sll2, Link::Null, Link::Loop, Link::Ipv4, Link::Ipv6]);
}
