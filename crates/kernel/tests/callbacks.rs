//! Helpers that call back: `loop` and `for_each_map_elem` with generated counts, flags, maps and functions.

mod common;

use common::pair::*;
use common::{frame, measured};
use oxbpf_abi::{MapType, ProgType};
use oxbpf_ir::{MapDef, MapInit};
use oxbpf_isa::{AluOp, Cond, Insn, MemSize, Operand, Pseudo, Reg, Width};

const LOOP: i32 = 181;
const FOR_EACH: i32 = 164;

const PROGRAMS: u64 = 170;
const CASES: usize = 6;

/// What is called is put behind the program; until then it is known by number.
struct Program {
    insns: Vec<Insn>,
    /// Instructions that refer to a function, and which.
    refs: Vec<(usize, usize)>,
    functions: Vec<Vec<Insn>>,
}

impl Program {
    /// Loads the address of a function.
    fn function(&mut self, dst: Reg, body: Vec<Insn>) {
        self.refs.push((self.insns.len(), self.functions.len()));
        self.insns.push(Insn::LoadPseudo { dst, value: Pseudo::Func(0) });
        self.functions.push(body);
    }

    /// All instructions, with references made distances.
    fn finish(mut self) -> Vec<Insn> {
        let mut slots = Vec::new();
        let mut at = 0;
        for insn in &self.insns {
            slots.push(at);
            at += insn.slots() as i32;
        }
        let mut starts = Vec::new();
        for body in &self.functions {
            starts.push(at);
            at += body.iter().map(|insn| insn.slots() as i32).sum::<i32>();
        }
        for (insn, function) in self.refs {
            let Insn::LoadPseudo { dst, .. } = self.insns[insn] else { panic!("a reference to a function") };
            let distance = starts[function] - (slots[insn] + 1);
            self.insns[insn] = Insn::LoadPseudo { dst, value: Pseudo::Func(distance) };
        }
        self.insns.extend(self.functions.into_iter().flatten());
        self.insns
    }
}

fn alu(op: AluOp, dst: Reg, src: Operand) -> Insn {
    Insn::Alu { op, width: Width::W64, dst, src }
}

/// `*(u64 *)base += value`
fn count(base: Reg, off: i16, value: Operand) -> [Insn; 3] {
    [load(MemSize::Dw, R[0], base, off), alu(AluOp::Add, R[0], value), store(MemSize::Dw, base, off, R[0])]
}

/// Returns 1 where `reg` is `stop`, else 0.
fn stop_at(reg: Reg, stop: i32) -> [Insn; 4] {
    let src = Operand::Imm(stop);
    [imm(R[0], 1), Insn::JumpIf { cond: Cond::Eq, width: Width::W64, dst: reg, src, off: 1 }, imm(R[0], 0), Insn::Exit]
}

/// `loop(count, function, stack, flags)`, where the function adds its index to the stack and perhaps ends early.
fn loop_case(p: &mut Program, rng: &mut Rng) -> String {
    let rounds = match rng.below(10) {
        0 => rng.pick(&[1 << 23, (1 << 23) + 1, u64::from(u32::MAX), 1 << 32, (1 << 32) + 3]),
        1 => rng.below(5000),
        _ => rng.below(20),
    };
    let flags = if rng.below(5) == 0 { rng.pick(&[1, 1 << 32, u64::MAX]) } else { 0 };
    // The longest are cut short.
    let stop = if rounds > 5000 { rng.below(300) as i32 } else { rng.pick(&[-1, 0, 3, 7, 19]) };
    let mut body = count(R[2], 0, Operand::Reg(R[1])).to_vec();
    body.extend(stop_at(R[1], stop));
    // A count that the verifier knows to be 0 leaves the function dead, and this kernel fails over its address.
    p.insns.extend([store_imm(MemSize::Dw, R[10], -8, 5), wide(R[1], rounds)]);
    p.insns.extend([store(MemSize::Dw, R[7], 0, R[1]), load(MemSize::Dw, R[1], R[7], 0)]);
    p.function(R[2], body);
    p.insns.extend([copy(R[3], R[10]), add(R[3], -8), wide(R[4], flags), call(LOOP)]);
    format!("loop({rounds:#x}, stop at {stop}, {flags:#x})")
}

/// `for_each_map_elem(map, function, stack, flags)`, where the function sums keys and values, perhaps changes the value, and
/// perhaps ends early: of a hash only by count, since its order is each host's own.
fn for_each_case(p: &mut Program, rng: &mut Rng, defs: &[MapDef]) -> String {
    let index = rng.below(defs.len() as u64) as usize;
    let flags = if rng.below(6) == 0 { rng.pick(&[1, 2, 1 << 40]) } else { 0 };
    let ordered = matches!(defs[index].map_type, MapType::ARRAY | MapType::PERCPU_ARRAY);
    let stop = if ordered { rng.pick(&[-1, 0, 2]) } else { -1 };
    // r2 is the key, r3 the value, r4 the stack.
    let mut body = vec![load(MemSize::W, R[5], R[2], 0), load(MemSize::W, R[1], R[3], 0)];
    body.extend(count(R[4], 0, Operand::Reg(R[1])));
    body.extend(count(R[4], 8, Operand::Reg(R[5])));
    match rng.below(3) {
        0 => body.extend([add(R[1], 3), store(MemSize::W, R[3], 0, R[1])]),
        1 => body.push(store_imm(MemSize::W, R[3], 0, rng.below(100) as i32)),
        _ => {}
    }
    body.extend(stop_at(R[5], stop));
    p.insns.extend([store_imm(MemSize::Dw, R[10], -8, 0), store_imm(MemSize::Dw, R[10], -16, 0)]);
    p.insns.push(map(R[1], index as i32 + 1));
    p.function(R[2], body);
    p.insns.extend([copy(R[3], R[10]), add(R[3], -16), wide(R[4], flags), call(FOR_EACH)]);
    // The sum of keys behind that of values.
    format!("for_each({}, stop at {stop}, {flags:#x})", defs[index].name)
}

fn maps() -> Vec<MapDef> {
    let entries = |keys: &[u8]| {
        MapInit::Entries(keys.iter().map(|&k| (vec![k, 0, 0, 0], vec![k + 10, 0, 0, 0, 0, 0, 0, 0])).collect())
    };
    let filled = |name: &str, map_type, count, keys: &[u8]| MapDef {
        init: entries(keys),
        ..MapDef::new(name, map_type, 4, 8, count)
    };
    vec![
        filled("array", MapType::ARRAY, 5, &[1, 3]),
        filled("percpu_array", MapType::PERCPU_ARRAY, 4, &[0, 2]),
        filled("hash", MapType::HASH, 8, &[1, 2, 3, 9, 77]),
        MapDef::new("empty", MapType::HASH, 4, 8, 8),
        filled("percpu_hash", MapType::PERCPU_HASH, 8, &[4, 5]),
        filled("lru", MapType::LRU_HASH, 64, &[4, 5, 6]),
        filled("lru_percpu", MapType::LRU_PERCPU_HASH, 64, &[7]),
    ]
}

fn campaign(seed: u64, case: impl Fn(&mut Program, &mut Rng) -> String) {
    let mut rng = Rng(seed);
    let (mut different, mut count) = (Vec::new(), 0);
    let bytes = frame(60, 0x0800);
    for i in 0..programs(PROGRAMS) {
        let mut p = Program { insns: prologue(), refs: Vec::new(), functions: Vec::new() };
        let mut names = Vec::new();
        for _ in 0..CASES {
            let name = case(&mut p, &mut rng);
            let at = names.len() as i16 * 8;
            p.insns.push(store(MemSize::Dw, R[7], at, R[0]));
            for (k, off) in [(1, -8), (2, -16)] {
                p.insns.extend([load(MemSize::Dw, R[1], R[10], off), store(MemSize::Dw, R[7], at + k * 8, R[1])]);
            }
            names.extend([name.clone(), format!("{name} first sum"), format!("{name} second sum")]);
        }
        p.insns.extend(end(0));
        // What the second sum reads where a case has only one.
        p.insns.insert(2, store_imm(MemSize::Dw, R[10], -16, 0));
        p.refs.iter_mut().for_each(|r| r.0 += 1);
        let all = [vec![result_map(names.len() as u32 * 8)], maps()].concat();
        let prog_type = [ProgType::SchedCls, ProgType::Xdp][(i % 2) as usize];
        let unit = unit(prog_type, all, vec![p.finish()]);
        let mut pair = Pair::new(&unit).unwrap_or_else(|error| panic!("{error}: {error:?}"));
        for run in 0..2 {
            different.extend(compare(&mut pair, &names, &input(&bytes), &format!("program {i} run {run}")));
            count += names.len() / 3;
        }
    }
    all_same(count, &different);
}

#[test]
fn loops() {
    if measured("loops") {
        campaign(51, loop_case);
    }
}

#[test]
fn entries_one_by_one() {
    if measured("entries_one_by_one") {
        campaign(52, |p, rng| for_each_case(p, rng, &maps()));
    }
}

/// A loop in a loop, and functions that are called from a function that is called back.
#[test]
fn callbacks_nest() {
    if !measured("callbacks_nest") {
        return;
    }
    let mut p = Program { insns: prologue(), refs: Vec::new(), functions: Vec::new() };
    p.insns.extend([store_imm(MemSize::Dw, R[10], -8, 0), imm(R[1], 5)]);
    // The function behind the next one: the distance is from the reference to it.
    let inner = [count(R[2], 0, Operand::Imm(1)).to_vec(), vec![imm(R[0], 0), Insn::Exit]].concat();
    let mut outer = vec![copy(R[3], R[2]), imm(R[1], 7), Insn::LoadPseudo { dst: R[2], value: Pseudo::Func(0) }];
    outer.extend([imm(R[4], 0), call(LOOP), imm(R[0], 0), Insn::Exit]);
    let behind: i32 = outer[3..].iter().map(|insn| insn.slots() as i32).sum();
    outer[2] = Insn::LoadPseudo { dst: R[2], value: Pseudo::Func(behind + 1) };
    p.function(R[2], outer);
    p.functions.push(inner);
    p.insns.extend([copy(R[3], R[10]), add(R[3], -8), imm(R[4], 0), call(LOOP), keep(0)]);
    p.insns.extend([load(MemSize::Dw, R[0], R[10], -8), keep(1)]);
    p.insns.extend(end(0));
    let unit = unit(ProgType::SchedCls, vec![result_map(16)], vec![p.finish()]);
    let mut pair = Pair::new(&unit).unwrap_or_else(|error| panic!("{error:?}"));
    let [ours, kernel] = pair.run(&input(&frame(60, 0x0800))).unwrap();
    assert_eq!(ours, kernel);
    assert_eq!(ours.results(), [5, 35]);
}
