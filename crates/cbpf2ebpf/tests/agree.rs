//! Generated classic programs give the same results directly, migrated, and in the running kernel.
//!
//! `cargo test` runs 2,000 of each kind; `OXBPF_PROGRAMS=100000 OXBPF_SEED=0 cargo test --release -p oxbpf-cbpf2ebpf`
//! runs more.

use std::sync::Arc;

use oxbpf_abi::ProgType;
use oxbpf_abi::layout::SkBuff;
use oxbpf_cbpf2ebpf::migrate;
use oxbpf_interp::Interp;
use oxbpf_interp::classic::{Code, Packet};
use oxbpf_ir::{ProgIdx, Unit};
use oxbpf_isa::cbpf::{AluOp, Ext, Insn, Operand, Program};
use oxbpf_kernel::{Kernel, SocketFilter};
use oxbpf_progen::{ClassicFeatures, classic, classic_packet, with_result};
use oxbpf_runtime::skb::Link;
use oxbpf_runtime::{Availability, Engine, EngineError, Env, Image, Input, Instance, Outcome};

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |v| v.parse().unwrap_or_else(|_| panic!("{name} is not a number: {v}")))
}

fn seeds() -> std::ops::Range<u64> {
    let first = setting("OXBPF_SEED", 0);
    first..first + setting("OXBPF_PROGRAMS", 2000)
}

fn image(program: &Program, prog_type: ProgType) -> Image {
    let migrated = migrate(program, "generated", prog_type).unwrap();
    let unit = Unit::new("generated", "GPL", Vec::new(), vec![migrated.into_program()]).unwrap();
    Image::unproven(Arc::new(unit), ProgIdx(0))
}

fn value(outcome: Outcome) -> u64 {
    match outcome {
        Outcome::Return(value) => value,
        Outcome::Trap(trap) => panic!("{trap}"),
    }
}

/// A program in both forms.
struct Both {
    code: Code,
    migrated: Box<dyn Instance>,
    skip_link: bool,
}

impl Both {
    fn new(program: &Program, prog_type: ProgType) -> Both {
        let migrated = Interp.prepare(&image(program, prog_type), &Env::default()).unwrap();
        Both { code: Code::new(program), migrated, skip_link: prog_type.row().starts_at_l3 }
    }

    fn run(&mut self, input: &Input<'_>, what: &dyn Fn() -> String) -> u32 {
        let direct = self.code.run(&Packet::new(input, self.skip_link, Env::default().seed));
        let migrated = value(self.migrated.run(input).unwrap());
        assert_eq!(u64::from(direct), migrated, "direct against migrated: {}", what());
        direct
    }
}

fn dump(seed: u64, program: &Program) -> String {
    let insns = program.insns().iter().enumerate().map(|(i, insn)| format!("\n{i:3}  {insn:?}"));
    format!("seed {seed}{}", insns.collect::<String>())
}

/// A packet as a Unix socket has it: no device, no protocol.
fn bare(data: &[u8]) -> Input<'_> {
    let skb = SkBuff { len: data.len() as u32, ..SkBuff::default() };
    Input { skb, ..Input::new(data, Link::Ip) }
}

/// Says that a test is skipped; on a development machine it must not be.
fn skipped(reason: impl std::fmt::Display) {
    assert_ne!(std::env::var("OXBPF_DEV").as_deref(), Ok("1"), "skipped: {reason}");
    println!("skipped: {reason}");
}

#[test]
fn with_the_kernels_socket_filters() {
    let mut oracle = match SocketFilter::new().and_then(|o| {
        o.attach(&[Insn::RetK(0).encode()]).map(|()| o).map_err(|e| std::io::Error::from_raw_os_error(e.0))
    }) {
        Ok(oracle) => oracle,
        Err(e) => return skipped(format_args!("no socket filters: {e}")),
    };
    let programs = setting("OXBPF_PROGRAMS", 2000);
    let mut headers = 0;
    // A Unix socket has no link header. Once in some ten thousand programs, X leads there by chance: then the kernel
    // ends with 0 where packet sockets (the veth test) go on.
    let mut headerless = |program: &Program, theirs: usize| {
        headers += 1;
        theirs == 0 && program.insns().iter().any(|i| matches!(i, Insn::LdInd { .. })) && headers <= 1 + programs / 2000
    };
    for seed in seeds() {
        let len = 1 + seed as usize % 90;
        let features = ClassicFeatures { headers: false, hosts_own: false, packet_len: len as u32 };
        let program = classic(seed, &features);
        // Of a short packet at most its length is kept.
        let packet = classic_packet(seed, len);
        oracle.attach(&program.encode()).unwrap_or_else(|e| panic!("{e}: {}", dump(seed, &program)));
        let what = || dump(seed, &program);
        let ours = Both::new(&program, ProgType::SchedCls).run(&bare(&packet), &what);
        let theirs = oracle.kept(&packet).unwrap();
        assert!(theirs == len.min(ours as usize) || headerless(&program, theirs), "{}", what());
        // A long one shows 16 bits at a time. The kernel has it in pieces, and finds no attributes in such.
        if program.insns().iter().any(|i| matches!(i, Insn::LdExt { ext: Ext::Nla | Ext::Nlan, .. })) {
            continue;
        }
        let long = classic_packet(seed, 0xffff);
        Both::new(&program, ProgType::SchedCls).run(&bare(&long), &what);
        for (op, k) in [(AluOp::And, 0xffff), (AluOp::Rsh, 16)] {
            let part = |result| op.eval(result, k).unwrap();
            let half = with_result(&program, Insn::Alu { op, src: Operand::K(k) }, part);
            oracle.attach(&half.encode()).unwrap();
            let theirs = oracle.kept(&long).unwrap();
            // Nothing is cut off but what a program without a device ends with early.
            let ours = Both::new(&half, ProgType::SchedCls).run(&bare(&long), &what);
            let same = theirs == ours.min(0xffff) as usize;
            assert!(same || headerless(&half, theirs), "{theirs} against {ours}, {op:?} {k:#x}: {}", what());
        }
    }
}

#[test]
fn with_every_extension_and_header() {
    for seed in seeds() {
        let len = 14 + seed as usize % 80;
        let features = ClassicFeatures { headers: true, hosts_own: true, packet_len: len as u32 };
        let program = classic(seed, &features);
        let packet = classic_packet(seed, len);
        let mut input = Input { number: seed, cpu: 3, ..Input::new(&packet, Link::Ethernet) };
        input.skb = SkBuff {
            mark: 0x1234_5678,
            queue_mapping: 5,
            hash: 0x8765_4321,
            vlan_tci: 0x2fff,
            vlan_present: 1,
            vlan_proto: u32::from(0x8100u16.to_be()),
            ifindex: seed as u32 % 3,
            ..input.skb
        };
        for prog_type in [ProgType::SchedCls, ProgType::SocketFilter] {
            Both::new(&program, prog_type).run(&input, &|| dump(seed, &program));
        }
    }
}

#[test]
fn with_the_kernels_verifier_and_test_runs() {
    if let Availability::Unavailable(reason) = Kernel.availability() {
        return skipped(reason);
    }
    let (mut ran, mut private) = (0, 0);
    // A load takes a child process: a tenth is enough.
    for seed in seeds().step_by(10) {
        let features = ClassicFeatures { headers: true, hosts_own: false, packet_len: 60 };
        let program = classic(seed, &features);
        let mut packet = classic_packet(seed, 60);
        packet[12..14].copy_from_slice(&[0x12, 0x34]);
        let image = image(&program, ProgType::SchedCls);
        let calls = image.entry_program().insns().iter().any(|insn| match insn {
            oxbpf_isa::Insn::Call(oxbpf_isa::CallTarget::Helper(id)) => *id as u32 >= oxbpf_abi::PRIVATE_HELPERS,
            _ => false,
        });
        let mut kernel = match Kernel.prepare(&image, &Env::default()) {
            Ok(kernel) => kernel,
            // Where the verifier sees that the call is never reached, it takes the program.
            Err(EngineError::Rejected { .. }) if calls => {
                private += 1;
                continue;
            }
            Err(EngineError::Rejected { log, .. }) => panic!("rejected: {log}\n{}", dump(seed, &program)),
            Err(e) => {
                println!("seed {seed}: {e}");
                continue;
            }
        };
        let input = Input::new(&packet, Link::Ethernet);
        let theirs = kernel.run(&input).unwrap().verdict();
        let ours = Both::new(&program, ProgType::SchedCls).run(&input, &|| dump(seed, &program));
        assert_eq!(theirs, Some(ours), "{}", dump(seed, &program));
        ran += 1;
    }
    println!("{ran} run, {private} with private helpers");
    assert!(ran > private);
}
