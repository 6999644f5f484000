//! Every argument of every helper, given what it wants and what it does not.

use std::collections::BTreeMap;

use oxbpf_abi::{Arg, PROTOS, ProgType, Proto, proto, proto_for, uapi};
use oxbpf_isa::{AluOp, CallTarget, Cond, Insn, MemSize, Operand, Pseudo, Reg, Width};

use crate::kernel::{copy, imm, load, measured, or_leave, unit, verdicts};

const CTX: Reg = Reg::R6;
const VALUE: Reg = Reg::R7;
const SOCK: Reg = Reg::R8;
const PACKET: Reg = Reg::R9;

/// What is given in the place of an argument.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Given {
    Four,
    Zero,
    Huge,
    Unknown,
    Ctx,
    MovedCtx,
    Stack,
    OddStack,
    Map(i32),
    Value,
    OddValue,
    ReadOnly,
    WriteOnly,
    Sock,
    Packet,
    Nothing,
}

const GIVEN: [Given; 16] = [
    Given::Four,
    Given::Zero,
    Given::Huge,
    Given::Unknown,
    Given::Ctx,
    Given::MovedCtx,
    Given::Stack,
    Given::OddStack,
    Given::Map(0),
    Given::Value,
    Given::OddValue,
    Given::ReadOnly,
    Given::WriteOnly,
    Given::Sock,
    Given::Packet,
    Given::Nothing,
];

fn add(dst: Reg, by: i32) -> Insn {
    Insn::Alu { op: AluOp::Add, width: Width::W64, dst, src: Operand::Imm(by) }
}

fn map(dst: Reg, index: i32) -> Insn {
    Insn::LoadPseudo { dst, value: Pseudo::MapFd(index) }
}

fn value(dst: Reg, index: i32, off: i32) -> Insn {
    Insn::LoadPseudo { dst, value: Pseudo::MapValue { fd: index, off } }
}

impl Given {
    fn insns(self, reg: Reg) -> Vec<Insn> {
        match self {
            Given::Four => vec![imm(reg, 4)],
            Given::Zero => vec![imm(reg, 0)],
            Given::Huge => vec![imm(reg, -1)],
            Given::Unknown => vec![load(MemSize::Dw, reg, VALUE, 0)],
            Given::Ctx => vec![copy(reg, CTX)],
            Given::MovedCtx => vec![copy(reg, CTX), add(reg, 8)],
            Given::Stack => vec![copy(reg, Reg::R10), add(reg, -72)],
            Given::OddStack => vec![copy(reg, Reg::R10), add(reg, -71)],
            Given::Map(index) => vec![map(reg, index)],
            Given::Value => vec![copy(reg, VALUE)],
            Given::OddValue => vec![copy(reg, VALUE), add(reg, 1)],
            Given::ReadOnly => vec![value(reg, 10, 0)],
            Given::WriteOnly => vec![value(reg, 15, 0)],
            Given::Sock => vec![copy(reg, SOCK)],
            Given::Packet => vec![copy(reg, PACKET)],
            Given::Nothing => vec![],
        }
    }
}

/// A map that the helper takes.
fn fitting(proto: &Proto) -> i32 {
    match proto.id {
        12 => 3,
        22 | 25 | 55 => 11,
        33 | 37 => 14,
        51 => 6,
        87..=89 => 7,
        130 | 131 | 134 | 198 => 2,
        195 => 4,
        _ => 0,
    }
}

/// What satisfies an argument, as far as anything here does.
fn good(proto: &Proto, arg: Arg) -> Given {
    match arg {
        Arg::Ctx | Arg::CtxOrNull => Given::Ctx,
        Arg::Map => Given::Map(fitting(proto)),
        Arg::Sock | Arg::AnySock => Given::Sock,
        Arg::Size | Arg::SizeOrZero | Arg::RecordSize | Arg::SliceSize => Given::Four,
        Arg::Anything | Arg::StackOrNull | Arg::TaskOrNull | Arg::CgroupOrNull => Given::Zero,
        Arg::ConstStr => Given::ReadOnly,
        _ => Given::Value,
    }
}

/// r6 to r9 hold the context, a map's value, a socket and the packet.
fn before(prog_type: ProgType) -> Vec<Insn> {
    let mut insns = vec![copy(CTX, Reg::R1)];
    let field = |name| prog_type.ctx().field(name).map(|field| field.off as i16);
    if prog_type != ProgType::Xdp {
        insns.push(load(MemSize::Dw, SOCK, CTX, 168));
        insns.extend(or_leave(SOCK));
    }
    if let (Some(data), Some(end)) = (field("data"), field("data_end"))
        && prog_type != ProgType::SocketFilter
    {
        insns.extend([load(MemSize::W, PACKET, CTX, data), load(MemSize::W, Reg::R3, CTX, end)]);
        insns.extend([copy(Reg::R2, PACKET), add(Reg::R2, 64)]);
        let (dst, src) = (Reg::R2, Operand::Reg(Reg::R3));
        insns.push(Insn::JumpIf { cond: Cond::Le, width: Width::W64, dst, src, off: 2 });
        insns.extend([imm(Reg::R0, 0), Insn::Exit]);
    }
    for slot in 1..=9 {
        insns.push(Insn::Store { size: MemSize::Dw, base: Reg::R10, off: -8 * slot, src: Operand::Imm(0) });
    }
    insns.push(value(VALUE, 0, 0));
    insns
}

fn program(prog_type: ProgType, proto: &Proto, wrong: Option<(usize, Given)>) -> Vec<Insn> {
    let mut insns = before(prog_type);
    // Nothing is left in r1 to r5.
    insns.push(Insn::Call(CallTarget::Helper(5)));
    for (i, (arg, reg)) in proto.args.iter().zip([Reg::R1, Reg::R2, Reg::R3, Reg::R4, Reg::R5]).enumerate() {
        let given = wrong.filter(|(at, _)| *at == i).map_or_else(|| good(proto, *arg), |(_, given)| given);
        insns.extend(given.insns(reg));
    }
    insns.extend([Insn::Call(CallTarget::Helper(proto.id as i32)), copy(Reg::R1, Reg::R0)]);
    insns.extend([imm(Reg::R0, 0), Insn::Exit]);
    insns
}

#[test]
fn arguments_are_as_the_kernel_wants_them() {
    if !measured() {
        return;
    }
    let types = [ProgType::SchedCls, ProgType::Xdp, ProgType::CgroupSkb, ProgType::SocketFilter];
    let (mut asked, mut accepted, mut different) = (0, 0, Vec::new());
    let mut unjudged: BTreeMap<String, usize> = BTreeMap::new();
    for proto in PROTOS {
        let Some(info) = uapi::helper_by_id(proto.id) else { continue };
        for (n, prog_type) in types.into_iter().filter(|t| info.callers.allows(t.row().name)).enumerate() {
            let Some(proto) = proto_for(proto.id, prog_type) else { continue };
            // Of further types it is asked whether anything differs at all.
            let given = if n == 0 { GIVEN.to_vec() } else { vec![Given::Nothing] };
            let places = (0..proto.args.len()).flat_map(|i| given.iter().map(move |given| Some((i, *given))));
            for wrong in std::iter::once(None).chain(places) {
                let absent = |given| given == Given::Sock && prog_type == ProgType::Xdp;
                if wrong.is_some_and(|(_, given)| absent(given)) {
                    continue;
                }
                asked += 1;
                let both = verdicts(&unit(prog_type, "GPL", program(prog_type, proto, wrong)));
                if let Some(what) = both.unsupported {
                    *unjudged.entry(what).or_default() += 1;
                    continue;
                }
                accepted += usize::from(both.kernel.is_none());
                if both.ours != both.kernel {
                    let (name, ours, kernel) = (proto.name, both.ours, both.kernel);
                    different.push(format!("{name} {prog_type} {wrong:?}: {ours:?}, kernel {kernel:?}"));
                }
            }
        }
    }
    println!("{asked} calls, {accepted} accepted, not judged: {unjudged:?}");
    assert!(asked > 3_000 && accepted * 10 > asked, "{asked} {accepted}");
    assert!(different.is_empty(), "{} of {asked}:\n{}", different.len(), different.join("\n"));
}

#[test]
fn helpers_are_refused_by_type_and_licence_as_by_the_kernel() {
    if !measured() {
        return;
    }
    let (mut asked, mut different) = (0, Vec::new());
    for id in (0..=212).chain([-1, 0x0bad_2310]) {
        for prog_type in [ProgType::SocketFilter, ProgType::SchedCls, ProgType::Xdp, ProgType::CgroupSkb] {
            for license in ["GPL", "MIT"] {
                asked += 1;
                let call = Insn::Call(CallTarget::Helper(id));
                // Nothing is in r1: who may call at all is refused for that.
                let clear = Insn::Call(CallTarget::Helper(5));
                let both = verdicts(&unit(prog_type, license, vec![clear, call, imm(Reg::R0, 0), Insn::Exit]));
                let known = u32::try_from(id).ok().and_then(proto).is_some();
                if both.unsupported.is_none() && both.ours != both.kernel {
                    different.push(format!("{id} {prog_type} {license}: {:?}, kernel {:?}", both.ours, both.kernel));
                }
                assert!(both.unsupported.is_none() || known, "{id}: {:?}", both.unsupported);
            }
        }
    }
    assert!(different.is_empty(), "{} of {asked}:\n{}", different.len(), different.join("\n"));
}
