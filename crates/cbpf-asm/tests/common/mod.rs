//! Programs for properties: generated ones, mutants of them, and heaps of jumps and scratch memory.

use oxbpf_isa::cbpf::{AluOp, Cond, Ext, SockFilter};
use oxbpf_progen::{ClassicFeatures, classic};

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |v| v.parse().unwrap_or_else(|_| panic!("{name} is not a number: {v}")))
}

/// Seeds of the programs to try: 2,000, or as the environment says.
pub fn seeds() -> std::ops::Range<u64> {
    let first = setting("OXBPF_SEED", 0);
    first..first + setting("OXBPF_PROGRAMS", 2000)
}

/// A seeded source of numbers.
pub struct Rng(u64);

impl Rng {
    pub fn new(seed: u64) -> Rng {
        Rng(seed.wrapping_mul(0xd134_2543_de82_ef95) | 1)
    }

    pub fn word(&mut self) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let x = ((self.0 >> 18) ^ self.0) >> 27;
        (x as u32).rotate_right((self.0 >> 59) as u32)
    }

    pub fn below(&mut self, n: usize) -> usize {
        self.word() as usize % n.max(1)
    }

    pub fn pick<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.below(list.len())]
    }
}

/// Every opcode that decodes.
pub fn opcodes() -> Vec<u16> {
    (0..=u16::MAX).filter(|&code| SockFilter::stmt(code, 0).decode().is_ok()).collect()
}

fn number(rng: &mut Rng) -> u32 {
    let edges = [0, 1, 15, 16, 31, 32, 33, 0xff, 0xfff, 0x7fff_ffff, 0x8000_0000, u32::MAX, Ext::BASE - 1];
    match rng.below(5) {
        0 => rng.pick(&edges),
        1 => Ext::BASE.wrapping_add(rng.below(72) as u32),
        2 => rng.word(),
        _ => rng.below(40) as u32,
    }
}

pub fn generated(seed: u64) -> Vec<SockFilter> {
    classic(seed, &ClassicFeatures { headers: true, hosts_own: true, packet_len: 64 }).encode()
}

/// A generated program with a few changes that may break any rule.
pub fn mutant(seed: u64, opcodes: &[u16]) -> Vec<SockFilter> {
    let mut rng = Rng::new(seed);
    let mut code = generated(seed);
    for _ in 0..1 + rng.below(3) {
        let at = rng.below(code.len());
        match rng.below(10) {
            0 => code[at].code = rng.pick(opcodes),
            1 => code[at].code ^= 1 << rng.below(16),
            2 => code[at].jt = number(&mut rng) as u8,
            3 => code[at].jf = number(&mut rng) as u8,
            4 | 5 => code[at].k = number(&mut rng),
            6 => drop(code.remove(at)),
            7 => code.insert(at, code[at]),
            8 => {
                let other = rng.below(code.len());
                code.swap(at, other);
            }
            _ => code.insert(at, SockFilter::stmt(rng.pick(opcodes), number(&mut rng))),
        }
        if code.is_empty() {
            break;
        }
    }
    code
}

#[allow(dead_code)]
/// A program of little else than jumps and scratch memory, mostly with jumps inside.
pub fn scratch(seed: u64) -> Vec<SockFilter> {
    let mut rng = Rng::new(!seed);
    let len = 2 + rng.below(14);
    let words = 1 + rng.below(3);
    let mut code: Vec<SockFilter> = (0..len)
        .map(|at| {
            let left = len - at - 1;
            let mut skip = || rng.below(left.clamp(1, 4)) as u8;
            let (jt, jf) = (skip(), skip());
            let m = rng.below(words) as u32;
            match rng.below(9) {
                0..=3 => SockFilter::stmt(rng.pick(&[0x02, 0x03]), m),
                4 | 5 => SockFilter::stmt(rng.pick(&[0x60, 0x61]), m),
                6 => SockFilter { code: 0x05 | rng.pick(&Cond::ROWS).code, jt, jf, k: 1 },
                7 => SockFilter::stmt(0x05, jt.into()),
                _ => SockFilter::stmt(rng.pick(&[0x06, 0x04 | AluOp::Add.row().code]), 0),
            }
        })
        .collect();
    if rng.below(20) != 0 {
        code[len - 1] = SockFilter::stmt(0x06, 1);
    }
    code
}
