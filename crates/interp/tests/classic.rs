//! The direct classic interpreter where its operations are fused or its chains of calls end.

use std::thread;

use oxbpf_interp::classic::{Code, Packet};
use oxbpf_isa::Narrow;
use oxbpf_isa::cbpf::{AluOp, Cond, Insn, MAX_INSNS, NET_OFF, Operand, Program};
use oxbpf_runtime::Input;
use oxbpf_runtime::skb::Link;

fn run(insns: &[Insn], frame: &[u8]) -> u32 {
    let raw: Vec<_> = insns.iter().map(Insn::encode).collect();
    let code = Code::new(&Program::check(&raw).unwrap());
    code.run(&Packet::new(&Input::new(frame, Link::Ethernet), false, 0))
}

const ONE: Insn = Insn::Alu { op: AluOp::Add, src: Operand::K(1) };

fn equal(k: u32, jt: u8, jf: u8) -> Insn {
    Insn::JumpIf { cond: Cond::Eq, src: Operand::K(k), jt, jf }
}

/// Even where each operation's last call is a call, a program takes little stack.
#[test]
fn the_longest_program_needs_little_stack() {
    let mut insns = vec![ONE; MAX_INSNS - 1];
    insns.push(Insn::RetA);
    let thread = thread::Builder::new().stack_size(256 << 10);
    assert_eq!(thread.spawn(move || run(&insns, &[])).unwrap().join().unwrap(), MAX_INSNS as u32 - 1);
}

/// Every distance of a jump, from every place: chains of calls end at some of them.
#[test]
fn jumps_land_where_they_should() {
    let mut insns: Vec<Insn> = (0..MAX_INSNS - 1).map(|_| ONE).collect();
    insns.push(Insn::RetA);
    for at in [0, 1, 2, 254, 255, 256, 257, 511, 1000, 4000] {
        for skip in [0, 1, 2, 50, 253, 254, 255, 256, 257, 258, 511, 512, 513, 3000, 4094 - at] {
            if at + skip > 4094 {
                continue;
            }
            let mut jumps = insns.clone();
            jumps[at] = Insn::Ja(skip as u32);
            assert_eq!(run(&jumps, &[]), (4094 - skip) as u32, "ja {skip} at {at}");
            if let Ok(far) = u8::try_from(skip) {
                jumps[at] = equal(at as u32, far, 0);
                assert_eq!(run(&jumps, &[]), (4094 - skip) as u32, "jeq at {at} skips {skip}");
                jumps[at] = equal(at as u32, 0, far);
                assert_eq!(run(&jumps, &[]), 4094, "jeq at {at} does not skip {skip}");
            }
        }
    }
}

/// A load, a mask and a comparison, and jumps between them.
#[test]
fn fused_instructions_can_be_entered_in_the_middle() {
    let load = Insn::ld_abs(Narrow::B, 0);
    let mask = Insn::Alu { op: AluOp::And, src: Operand::K(0x0f) };
    let tail = [load, mask, equal(5, 0, 1), Insn::RetK(1), Insn::RetA];
    for (byte, skip, expected) in [(0x35, 0, 1), (0x36, 0, 6), (0, 1, 1), (0, 2, 0x25), (0xff, 1, 1), (0x15, 3, 1)] {
        let mut insns = vec![Insn::LdImm(0x25), Insn::Ja(skip)];
        insns.extend(tail);
        assert_eq!(run(&insns, &[byte; 1]), expected, "{byte:#x}, {skip}");
    }
    assert_eq!(run(&tail, &[]), 0, "out of range");
}

/// Two loads that are compared with one number: each may be out of range, and the first alone may decide.
#[test]
fn either_of_two_loads_decides() {
    let load = |k| Insn::ld_abs(Narrow::H, k);
    let program =
        |first, second| [load(first), equal(7, 2, 0), load(second), equal(7, 0, 1), Insn::RetK(10), Insn::RetK(20)];
    let frame = |a: u8, b: u8| [vec![0; 14], vec![0, a, 0, b]].concat();
    for (a, b, expected) in [(7, 0, 10), (0, 7, 10), (7, 7, 10), (0, 0, 20)] {
        assert_eq!(run(&program(14, 16), &frame(a, b)), expected);
        assert_eq!(run(&program(NET_OFF, NET_OFF + 2), &frame(a, b)), expected);
    }
    assert_eq!(run(&program(14, 100), &frame(7, 0)), 10, "the second is not looked at");
    assert_eq!(run(&program(14, 100), &frame(0, 0)), 0);
    assert_eq!(run(&program(100, 14), &frame(7, 0)), 0);
}
