//! The interpreter over lowered code: three workloads and the lowering of a long program.
//!
//! `cargo bench --bench interp`; throughput is in executed BPF instructions. With `OXBPF_COUNT=WORKLOAD:RUNS` it
//! runs one workload so often and nothing else, for tools that count the machine's instructions.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use criterion::{Criterion, Throughput};
use oxbpf_abi::ProgType;
use oxbpf_interp::Interp;
use oxbpf_ir::{LowerOptions, ProgIdx, Program, ProgramParts, Unit, Vetted, lower};
use oxbpf_isa::text::parse;
use oxbpf_runtime::skb::Link;
use oxbpf_runtime::{Engine, Env, Image, Input, Instance, Outcome};

/// A loop of 64-bit operators in registers, 1,000 rounds.
const ALU: &str = "
    r0 = 1
    r1 = 1000
    r2 = 0x1234567
round:
    r3 = r0
    r3 <<= 7
    r0 ^= r3
    r3 = r0
    r3 >>= 9
    r0 ^= r3
    r0 *= r2
    r0 += r1
    r1 += -1
    if r1 != 0 goto round
    exit";

/// The ones' complement sum over a packet's 16-bit words.
const CHECKSUM: &str = "
    r2 = *(u32 *)(r1 + 76)          # data
    r3 = *(u32 *)(r1 + 80)          # data_end
    r0 = 0
word:
    r4 = r2
    r4 += 2
    if r4 > r3 goto fold
    r5 = *(u16 *)(r2 + 0)
    r0 += r5
    r2 = r4
    goto word
fold:
    r1 = r0
    r1 >>= 16
    r0 &= 0xffff
    r0 += r1
    r1 = r0
    r1 >>= 16
    r0 += r1
    r0 &= 0xffff
    exit";

/// Classes for TCP port 80, other TCP, UDP port 53, other UDP, IPv6 and the rest; VLAN tags are skipped.
const CLASSIFY: &str = "
    r2 = *(u32 *)(r1 + 76)          # data
    r3 = *(u32 *)(r1 + 80)          # data_end
    r0 = 0
    r4 = r2
    r4 += 14
    if r4 > r3 goto out
    r5 = *(u16 *)(r2 + 12)
    if r5 != 0x0081 goto untagged
    r2 += 4
    r4 += 4
    if r4 > r3 goto out
    r5 = *(u16 *)(r2 + 12)
untagged:
    if r5 == 0xdd86 goto ipv6
    if r5 != 0x0008 goto out
    r5 = r4
    r5 += 20
    if r5 > r3 goto out
    r6 = *(u8 *)(r4 + 0)
    r6 &= 15
    r6 <<= 2
    r7 = *(u8 *)(r4 + 9)
    r4 += r6
    r5 = r4
    r5 += 4
    if r5 > r3 goto out
    r8 = *(u16 *)(r4 + 2)
    r8 = be16 r8
    if r7 == 6 goto tcp
    if r7 != 17 goto out
    r0 = 3
    if r8 != 53 goto out
    r0 = 4
    exit
tcp:
    r0 = 1
    if r8 != 80 goto out
    r0 = 2
    exit
ipv6:
    r0 = 5
out:
    exit";

/// Instructions of the program whose lowering is measured.
const LONG: usize = 4_000;

/// A program made ready, and the packets that it runs over in turn.
struct Workload {
    name: &'static str,
    instance: Box<dyn Instance>,
    packets: Vec<Vec<u8>>,
}

impl Workload {
    fn new(name: &'static str, text: &str, packets: Vec<Vec<u8>>) -> Workload {
        let unit = Arc::new(Unit::new(name, "GPL", vec![], vec![program(text)]).expect("no maps"));
        let instance = Interp.prepare(&Image::unproven(unit, ProgIdx(0)), &Env::default()).expect("it runs anywhere");
        Workload { name, instance, packets }
    }

    fn all() -> [Workload; 3] {
        let bulk: Vec<u8> = (0..1500u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        [
            Workload::new("alu", ALU, vec![vec![0; 60]]),
            Workload::new("checksum", CHECKSUM, vec![bulk]),
            Workload::new("classify", CLASSIFY, varied()),
        ]
    }

    /// Runs once over every packet; answers how many BPF instructions that took.
    fn run(&mut self) -> u64 {
        let mut executed = 0;
        for data in &self.packets {
            let input = Input::new(data, Link::Ethernet);
            match self.instance.run(black_box(&input)) {
                Ok(Outcome::Return(r0)) => black_box(r0),
                other => panic!("{}: {other:?}", self.name),
            };
            executed += self.instance.executed().expect("the interpreter counts");
        }
        executed
    }
}

fn program(text: &str) -> Program {
    let source = parse(text).unwrap_or_else(|errors| panic!("{}", errors[0].render(text, "program")));
    Program::new(ProgramParts::new("bench", ProgType::SchedCls, source.insns)).expect("a well-shaped program")
}

/// Packets of all classes in an order that repeats late: a fixed sequence of pseudo-random choices.
fn varied() -> Vec<Vec<u8>> {
    let mut state = 1u32;
    let mut next = move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state >> 16
    };
    (0..1024).map(|_| frame(next() % 2 == 0, next() % 5, next() as u16 % 128)).collect()
}

/// A frame of 80 bytes: TCP (0, 1), UDP (2), IPv6 (3) or ARP (4).
fn frame(tagged: bool, kind: u32, port: u16) -> Vec<u8> {
    let mut bytes = vec![0; 12];
    if tagged {
        bytes.extend([0x81, 0x00, 0x00, 0x07]);
    }
    bytes.extend(match kind {
        3 => [0x86, 0xdd],
        4 => [0x08, 0x06],
        _ => [0x08, 0x00],
    });
    let ip = bytes.len();
    bytes.resize(80, 0);
    if kind < 3 {
        let port = [80, 443, 53][kind as usize] + if port < 64 { 0 } else { port };
        bytes[ip] = 0x45;
        bytes[ip + 9] = if kind == 2 { 17 } else { 6 };
        bytes[ip + 22..ip + 24].copy_from_slice(&port.to_be_bytes());
    }
    bytes
}

/// `LONG` instructions in blocks of about eight.
fn long() -> String {
    let mut text = String::new();
    for i in 0..LONG - 1 {
        match i % 8 {
            0 => text.push_str("if r1 == 7 goto end\n"),
            1 => text.push_str("r2 = *(u32 *)(r10 - 8)\n"),
            2 => text.push_str("*(u64 *)(r10 - 8) = r2\n"),
            _ => text.push_str("r0 += r2\n"),
        }
    }
    text + "end: exit"
}

fn bench(c: &mut Criterion) {
    let mut group = c.benchmark_group("interp");
    for mut workload in Workload::all() {
        group.throughput(Throughput::Elements(workload.run()));
        group.bench_function(workload.name, |b| b.iter(|| workload.run()));
    }
    group.finish();

    let vetted = Vetted::unproven(program(&long()).into());
    let mut group = c.benchmark_group("lower");
    group.throughput(Throughput::Elements(LONG as u64));
    group.bench_function("4000 instructions", |b| b.iter(|| lower(black_box(&vetted), &LowerOptions::default())));
    group.finish();
}

/// Runs one workload and tells how many BPF instructions it took.
fn count(order: &str) {
    let (name, runs) = order.split_once(':').expect("WORKLOAD:RUNS");
    let runs: u64 = runs.parse().expect("a number of runs");
    let mut all = Workload::all();
    let workload = all.iter_mut().find(|w| w.name == name).expect("a workload's name");
    let executed: u64 = (0..runs).map(|_| workload.run()).sum();
    println!("{executed} BPF instructions, {} runs of the program", runs * workload.packets.len() as u64);
}

fn main() {
    if let Ok(order) = std::env::var("OXBPF_COUNT") {
        return count(&order);
    }
    let mut c = Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .sample_size(40)
        .configure_from_args();
    bench(&mut c);
    c.final_summary();
}
