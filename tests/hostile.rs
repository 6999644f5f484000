//! Damaged objects, run as far as they go: an error or a result, never a crash.

use oxbpf::abi::ProgType;
use oxbpf::interp::Interp;
use oxbpf::prog::{self, Types};
use oxbpf::runtime::skb::Link;
use oxbpf::runtime::{Engine, Env, Input};

/// Mutations of each example.
const MUTATIONS: u64 = 10_000;

/// A small generator of numbers, so that failures repeat.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        ((self.0 >> 33) as usize) % below
    }
}

/// Flips bits, overwrites bytes, or cuts the file.
fn mutate(bytes: &mut Vec<u8>, numbers: &mut Numbers) {
    for _ in 0..1 + numbers.next(4) {
        let at = numbers.next(bytes.len());
        match numbers.next(8) {
            0..5 => bytes[at] ^= 1 << numbers.next(8),
            5 | 6 => bytes[at] = [0, 1, 0x7f, 0x80, 0xff][numbers.next(5)],
            _ => bytes.truncate(at.max(1)),
        }
    }
}

/// Loads and runs mutations of one example; returns how many loaded and how many ran.
fn mutations(name: &str, section: Option<&str>) -> (u64, u64) {
    let frame: Vec<u8> = (0..90u8).collect();
    let input = Input::new(&frame, Link::Ethernet);
    let types = Types::new(ProgType::SchedCls);
    let env = Env { fuel: 20_000, ..Env::default() };
    let (mut loaded, mut ran) = (0, 0);
    let original = std::fs::read(format!("examples/{name}.o")).unwrap();
    let mut numbers = Numbers(name.len() as u64);
    for _ in 0..MUTATIONS {
        let mut bytes = original.clone();
        mutate(&mut bytes, &mut numbers);
        let Ok(program) = prog::load_bytes(name, &bytes, section, types) else { continue };
        loaded += 1;
        let Ok(mut instance) = Interp.prepare(&program.image(), &env) else { continue };
        instance.run(&input).unwrap();
        ran += 1;
    }
    (loaded, ran)
}

/// The test is of use only where damage gets through to the engine.
fn some_get_through(name: &str, section: Option<&str>) {
    let (loaded, ran) = mutations(name, section);
    assert!(loaded > 500 && ran > 300, "{name}: {loaded} loaded, {ran} ran");
}

#[test]
fn minimal() {
    some_get_through("minimal", None);
}

#[test]
fn mark_stats() {
    some_get_through("mark_stats", None);
}

#[test]
fn port_redirect() {
    some_get_through("port_redirect", None);
}

#[test]
fn tail_call() {
    some_get_through("tail_call", Some("classifier"));
}

#[test]
fn tail_call_btf() {
    some_get_through("tail_call_btf", Some("tc/entry"));
}

#[test]
fn tc_flow() {
    some_get_through("tc_flow", None);
}
