//! The optimiser changes no verdict, and programs of any size are laid out right.

use oxbpf_cbpf_asm::filter::{Fault, Link, Options, compile};
use oxbpf_isa::cbpf::{Cond, Ext, Insn, Operand, Program, SockFilter};

use crate::generate::expression;
use crate::oracle::verdicts;
use crate::packets::{Rng, packets, random};

const UNOPTIMIZED: Options = Options { optimize: false, snaplen: 262_144 };

/// Runs a program step by step; none where a load is out of range or a divisor is 0.
fn run(program: &[Insn], packet: &[u8]) -> Option<u32> {
    let (mut a, mut x, mut m, mut pc) = (0u32, 0u32, [0u32; 16], 0);
    let load = |off: u32, size: oxbpf_isa::Narrow| {
        let len = match size {
            oxbpf_isa::Narrow::B => 1,
            oxbpf_isa::Narrow::H => 2,
            oxbpf_isa::Narrow::W => 4,
        };
        let bytes = packet.get(off as usize..)?.get(..len)?;
        Some(bytes.iter().fold(0u32, |n, &b| n << 8 | u32::from(b)))
    };
    loop {
        let insn = program[pc];
        pc += 1;
        match insn {
            Insn::LdImm(k) => a = k,
            Insn::LdLen => a = packet.len() as u32,
            Insn::LdMem(n) => a = m[n.index()],
            Insn::LdAbs { size, k } => a = load(k.k(), size)?,
            Insn::LdInd { size, k } => a = load(x.wrapping_add(k), size)?,
            Insn::LdExt { ext: Ext::Type, .. } => a = 0,
            Insn::LdExt { .. } => a = 1,
            Insn::LdxImm(k) => x = k,
            Insn::LdxLen => x = packet.len() as u32,
            Insn::LdxMem(n) => x = m[n.index()],
            Insn::LdxMsh(k) => x = 4 * (load(k, oxbpf_isa::Narrow::B)? & 0xf),
            Insn::St(n) => m[n.index()] = a,
            Insn::Stx(n) => m[n.index()] = x,
            Insn::Alu { op, src } => {
                let right = if let Operand::K(k) = src { k } else { x };
                a = op.eval(a, right)?;
            }
            Insn::Neg => a = a.wrapping_neg(),
            Insn::Ja(k) => pc += k as usize,
            Insn::JumpIf { cond, src, jt, jf } => {
                let right = if let Operand::K(k) = src { k } else { x };
                pc += usize::from(if Cond::eval(cond, a, right) { jt } else { jf });
            }
            Insn::RetK(k) => return Some(k),
            Insn::RetA => return Some(a),
            Insn::RetX => return Some(x),
            Insn::Tax => x = a,
            Insn::Txa => a = x,
        }
    }
}

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
