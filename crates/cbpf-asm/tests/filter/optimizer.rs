//! The optimiser changes no verdict, and programs of any size are laid out right.

use oxbpf_cbpf_asm::filter::{Fault, Link, Options, compile};
use oxbpf_isa::cbpf::{Insn, Program, SockFilter};

use crate::generate::expression;
use crate::oracle::verdicts;
use crate::packets::{Rng, packets, random};
use crate::steps::run;

const UNOPTIMIZED: Options = Options { optimize: false, snaplen: 262_144 };

fn program(link: Link, expr: &str, options: &Options) -> Option<Vec<Insn>> {
    match compile(link, expr, options) {
        Ok(code) => Some(Program::check(&code).unwrap_or_else(|e| panic!("{link} {expr}: {e}")).insns().to_vec()),
        Err(e) if e.code() == "filter-never" => Some(vec![Insn::RetK(0)]),
        Err(_) => None,
    }
}

/// Where the unoptimised program comes to an end by itself, the optimised one says the same. Where it ends with 0 because
/// of a load, the optimised one mostly does; a load whose value does not matter may be left out.
#[test]
fn optimized_programs_say_the_same() {
    let (mut compared, mut ended, mut differ, mut shorter) = (0u32, 0u32, 0u32, 0u32);
    for seed in 0..3_000 {
        let mut rng = Rng::new(seed ^ 0xc0de);
        let link = Link::ROWS[if seed % 2 == 0 { 0 } else { rng.below(8) }].link;
        let expr = expression(link, seed ^ 0xffff_0000);
        let (Some(ours), Some(plain)) = (program(link, &expr, &Options::default()), program(link, &expr, &UNOPTIMIZED))
        else {
            continue;
        };
        assert!(ours.len() <= plain.len(), "{link} {expr}: {} to {}", ours.len(), plain.len());
        shorter += u32::from(ours.len() < plain.len());
        for _ in 0..60 {
            let packet = random(link, &mut rng);
            let optimized = run(&ours, &packet).unwrap_or(0) != 0;
            match run(&plain, &packet) {
                Some(verdict) => {
                    compared += 1;
                    assert_eq!(optimized, verdict != 0, "{link} {expr}: {packet:02x?}");
                }
                None => {
                    ended += 1;
                    differ += u32::from(optimized);
                }
            }
        }
    }
    println!(
        "{compared} verdicts alike; of {ended} packets that a load ends, {differ} match; {shorter} programs shorter"
    );
    assert!(compared > 100_000 && ended > 1_000 && shorter > 2_000);
    assert!(differ * 500 < ended, "{differ} of {ended} packets that are cut match");
}

/// Conditions that reach over 255 instructions, to verdicts and to others, optimised and not.
#[test]
fn long_lists_reach_their_verdicts() {
    let ports: Vec<String> = (0..600).map(|i| format!("{}", 1000 + 7 * i)).collect();
    let hosts: Vec<String> = (0..900).map(|i| format!("10.{}.{}.1", i / 250, i % 250)).collect();
    let expressions = [
        format!("tcp dst port {}", ports.join(" or ")),
        format!("ip src host {} and tcp", hosts.join(" or ")),
        format!("not (ip dst host {}) and (udp or arp)", hosts.join(" or ")),
        format!("(ip src {}) or (udp dst port {})", hosts[..300].join(" or "), ports[..300].join(" or ")),
    ];
    for expr in &expressions {
        let code = compile(Link::Ethernet, expr, &Options::default()).unwrap();
        assert!(code.len() > 300);
        let insns = Program::check(&code).unwrap().insns().to_vec();
        assert!(insns.iter().any(|i| matches!(i, Insn::JumpIf { jt: 0..=1, jf: 0..=2, .. })));
        let short = expr.len();
        for packet in packets(Link::Ethernet) {
            let verdict = run(&insns, &packet).unwrap_or(0) != 0;
            assert_eq!(verdict, by_hand(expr, &packet), "{short} characters: {packet:02x?}");
        }
    }
}

/// What the lists above say of a packet, found without a program.
fn by_hand(expr: &str, packet: &[u8]) -> bool {
    let kind = packet.get(12..14).map(|b| u16::from_be_bytes([b[0], b[1]]));
    let (v4, v6, arp) = (kind == Some(0x800), kind == Some(0x86dd), kind == Some(0x806));
    let has = |at: usize, len: usize| packet.get(at..at + len);
    let listed = |address: Option<&[u8]>| {
        address.map(|a| {
            let number = usize::from(a[1]) * 250 + usize::from(a[2]);
            a[0] == 10 && a[3] == 1 && a[2] < 250 && number < if expr.starts_with('(') { 300 } else { 900 }
        })
    };
    let port = |at: usize, count: u16| {
        has(at, 2)
            .map(|b| u16::from_be_bytes([b[0], b[1]]))
            .map(|p| (1000..1000 + 7 * count).contains(&p) && (p - 1000) % 7 == 0)
    };
    let dst_port = |proto: u8, count: u16| -> Option<bool> {
        if v6 {
            return if *packet.get(20)? == proto { port(56, count) } else { Some(false) };
        }
        if !v4 || *packet.get(23)? != proto {
            return Some(false);
        }
        let fragment = has(20, 2)?;
        if (u16::from(fragment[0]) << 8 | u16::from(fragment[1])) & 0x1fff != 0 {
            return Some(false);
        }
        port(14 + 4 * usize::from(packet[14] & 0xf) + 2, count)
    };
    let carries = |proto: u8| -> Option<bool> {
        if v4 {
            return Some(*packet.get(23)? == proto);
        }
        if !v6 {
            return Some(false);
        }
        let next = *packet.get(20)?;
        if next == 44 { Some(*packet.get(54)? == proto) } else { Some(next == proto) }
    };
    // None: a load ends the program.
    let verdict = || -> Option<bool> {
        kind?;
        if expr.starts_with("tcp dst port") {
            dst_port(6, 600)
        } else if expr.starts_with("ip src host") {
            Some(v4 && listed(has(26, 4))? && carries(6)?)
        } else if expr.starts_with("not") {
            Some(!(v4 && listed(has(30, 4))?) && (carries(17)? || arp))
        } else {
            Some((v4 && listed(has(26, 4))?) || dst_port(17, 300)?)
        }
    };
    verdict().unwrap_or(false)
}

#[test]
fn programs_have_at_most_4096_instructions() {
    let list = |n: usize| (0..n).map(|i| format!("10.{}.{}.1", i / 250, i % 250)).collect::<Vec<_>>().join(" or ");
    let longest = compile(Link::Ethernet, &format!("ip src host {}", list(3_500)), &Options::default()).unwrap();
    assert!((3_500..=4_096).contains(&longest.len()), "{}", longest.len());
    let error = compile(Link::Ethernet, &format!("ip src host {}", list(4_100)), &Options::default()).unwrap_err();
    assert_eq!(error.fault, Fault::TooLong { max: 4_096 });
    // Each port is some twenty tests before most of them turn out to be redundant.
    let ports = (1..4_000).map(|p| p.to_string()).collect::<Vec<_>>().join(" or ");
    let error = compile(Link::Ethernet, &format!("port {ports}"), &Options::default()).unwrap_err();
    assert_eq!(error.fault, Fault::TooLong { max: 4_096 });
}

/// Unoptimised, too, programs keep the kernel's rules and say the same of whole packets.
#[test]
fn unoptimized_programs_run() {
    for (link, expr) in
        [(Link::Ethernet, "tcp port 80 and host 10.0.0.1"), (Link::Raw, "arp or udp"), (Link::Ipv4, "ip6")]
    {
        let plain = compile(link, expr, &UNOPTIMIZED).unwrap();
        let ours = compile(link, expr, &Options::default()).unwrap_or(vec![SockFilter::stmt(0x06, 0)]);
        let packets: Vec<Vec<u8>> = packets(link).into_iter().take(400).collect();
        assert!(plain.len() > ours.len() || expr == "ip6", "{expr}");
        assert_eq!(verdicts(link, &plain, &packets), verdicts(link, &ours, &packets), "{expr}");
    }
}

/// Expressions spliced and damaged: an error at its place or a program that keeps the kernel's rules, never a panic.
#[test]
fn damaged_expressions_are_answered() {
    let words = [
        "and",
        "or",
        "not",
        "(",
        ")",
        "[",
        "]",
        ":",
        "!",
        "=",
        ">",
        "<<",
        "%",
        "^",
        "-",
        "&",
        "|",
        "port",
        "host",
        "net",
        "vlan",
        "mpls",
        "pppoes",
        "tcp[",
        "len",
        "proto",
        "src",
        "dst",
        "\\",
        "::",
        "0x",
        "4294967295",
        "1:2:3:4:5:6",
        "/",
        "mask",
        "ä",
        "10.1",
        "less",
        "portrange",
    ];
    let mut compiled = 0;
    for seed in 0..6_000 {
        let mut rng = Rng::new(seed ^ 0xdead);
        let link = Link::ROWS[rng.below(8)].link;
        let mut text = expression(link, seed ^ 0x7777_0000);
        for _ in 0..rng.pick(&[1, 1, 1, 2, 3]) {
            let mut at = rng.below(text.len() + 1);
            while !text.is_char_boundary(at) {
                at -= 1;
            }
            match rng.below(4) {
                0 => text.truncate(at.max(1)),
                1 => text.insert_str(at, &expression(link, seed + 9)),
                2 if at < text.len() => drop(text.remove(at)),
                _ => text.insert_str(at, &format!(" {} ", rng.pick(&words))),
            }
        }
        for optimize in [true, false] {
            match compile(link, &text, &Options { optimize, ..Options::default() }) {
                Ok(code) => {
                    compiled += 1;
                    Program::check(&code).unwrap_or_else(|e| panic!("{link} {text}: {e}"));
                }
                Err(error) => {
                    assert!(error.at + error.len <= text.len() && text.is_char_boundary(error.at), "{text}");
                    assert!(error.render(&text, "x").contains(error.code()), "{text}");
                }
            }
        }
    }
    assert!(compiled > 500, "{compiled} of them compile");
}
