//! The programs of `pairs.txt` with one instruction changed, left out or done twice.

use oxbpf_abi::ProgType;
use oxbpf_ir::{Program, ProgramParts};
use oxbpf_isa::{CallTarget, Insn, Operand, Reg};

use crate::kernel::{measured, unit, verdicts, without};
use crate::pairs::programs;

/// Numbers that follow from a seed.
struct Rng(u64);

impl Rng {
    fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % most as u64) as usize
    }

    fn number(&mut self, near: i32) -> i32 {
        [near.wrapping_add(1), near.wrapping_sub(1), near.wrapping_mul(8), 0, 1, 4, 8, 64, -1, i32::MAX][self.below(10)]
    }

    fn reg(&mut self) -> Reg {
        Reg::new(self.below(11) as u8).expect("a register")
    }
}

/// Helpers that a call may become.
const HELPERS: [i32; 14] = [1, 2, 3, 5, 26, 28, 39, 84, 86, 93, 94, 131, 132, 133];

/// The instruction with one of its parts changed.
fn changed(insn: Insn, rng: &mut Rng) -> Insn {
    match insn {
        Insn::Alu { op, width, dst, src: Operand::Imm(imm) } if rng.below(3) > 0 => {
            Insn::Alu { op, width, dst, src: Operand::Imm(rng.number(imm)) }
        }
        Insn::Alu { op, width, dst, src: Operand::Reg(_) } => {
            Insn::Alu { op, width, dst, src: Operand::Reg(rng.reg()) }
        }
        Insn::Alu { op, width, dst: _, src } => Insn::Alu { op, width, dst: rng.reg(), src },
        Insn::Load { size, dst, base, off } => match rng.below(3) {
            0 => Insn::Load { size, dst, base, off: rng.number(off.into()) as i16 },
            1 => Insn::Load { size, dst, base: rng.reg(), off },
            _ => Insn::Load { size, dst: rng.reg(), base, off },
        },
        Insn::Store { size, base, off, src } => match rng.below(3) {
            0 => Insn::Store { size, base, off: rng.number(off.into()) as i16, src },
            1 => Insn::Store { size, base: rng.reg(), off, src },
            _ => Insn::Store { size, base, off, src: Operand::Reg(rng.reg()) },
        },
        Insn::JumpIf { cond, width, dst: _, src, off } => Insn::JumpIf { cond, width, dst: rng.reg(), src, off },
        Insn::Call(CallTarget::Helper(_)) => Insn::Call(CallTarget::Helper(HELPERS[rng.below(HELPERS.len())])),
        other => other,
    }
}

fn mutated(insns: &[Insn], rng: &mut Rng) -> Vec<Insn> {
    let mut insns = insns.to_vec();
    let at = rng.below(insns.len());
    match rng.below(6) {
        // What follows stays where it is, so that jumps do.
        0 => {
            insns[at] = Insn::Alu {
                op: oxbpf_isa::AluOp::Mov,
                width: oxbpf_isa::Width::W64,
                dst: Reg::R9,
                src: Operand::Imm(0),
            }
        }
        1 if at + 1 < insns.len() => insns[at] = insns[at + 1],
        _ => insns[at] = changed(insns[at], rng),
    }
    insns
}

#[test]
fn programs_with_one_change_are_judged_as_by_the_kernel() {
    if !measured() {
        return;
    }
    let setting =
        |name: &str, default: u64| std::env::var(name).map_or(default, |text| text.parse::<u64>().expect("a number"));
    let (count, seed) = (setting("OXBPF_PROGRAMS", 600), setting("OXBPF_SEED", 1));
    let changes = setting("OXBPF_CHANGES", 1);
    let programs: Vec<(ProgType, Vec<Insn>)> = programs();
    let mut rng = Rng(seed.max(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let (mut asked, mut accepted, mut unjudged, mut different) = (0, 0, 0, Vec::new());
    while asked < count {
        let (prog_type, insns) = &programs[rng.below(programs.len())];
        let insns = (0..changes).fold(insns.clone(), |insns, _| mutated(&insns, &mut rng));
        if Program::new(ProgramParts::new("test", *prog_type, insns.clone())).is_err() {
            continue;
        }
        asked += 1;
        let both = verdicts(&unit(*prog_type, "GPL", insns.clone()));
        accepted += u64::from(both.kernel.is_none());
        unjudged += u64::from(both.unsupported.is_some());
        // Of a program that is too large the kernel has more to say than there is room for.
        let too_large = both.kernel.as_deref() == Some("E2BIG") && both.ours.is_some();
        if both.unsupported.is_none() && both.ours != both.kernel && !too_large {
            let text = oxbpf_isa::text::print(&insns, &Default::default(), &());
            different.push(format!("{prog_type}: {:?}, kernel {:?}\n{text}", both.ours, both.kernel));
        }
    }
    println!("{asked} programs, {accepted} accepted, {unjudged} not judged, {} differ", different.len());
    assert!(different.is_empty(), "{} of {asked}:\n{}", different.len(), different.join("\n"));
}

#[test]
fn programs_with_one_change_are_judged_as_by_the_kernel_without_perfmon() {
    if measured() {
        without("perfmon", &["mutated::programs_with_one_change_are_judged_as_by_the_kernel"]);
    }
}
