//! The loop: one `match` over operations. Jumps lead forward only, so that it ends after as many rounds as there are
//! operations.

use std::hint::black_box;

use oxbpf_isa::cbpf::{AluOp, Cond, Ext, M};

use oxbpf_runtime::Random;

use super::Packet;
use super::op::{Op, Ways, for_each_fused};

/// Registers and scratch memory.
struct State {
    a: u32,
    x: u32,
    m: [u32; M::COUNT],
    random: Random,
}

/// Reads `N` bytes in network order; none where they are out of range.
#[inline(always)]
fn load<const N: usize>(packet: &Packet<'_>, off: u32) -> Option<u32> {
    let bytes: [u8; N] = packet.view.load(off)?;
    Some(bytes.iter().fold(0, |value, byte| value << 8 | u32::from(*byte)))
}

/// Where to go on. Without the barrier the two ways become a choice between values, and the processor cannot predict
/// the next operation from the outcome of the condition.
#[inline(always)]
fn go(holds: bool, ways: Ways) -> usize {
    if holds {
        black_box(());
        ways.holds.into()
    } else {
        ways.fails.into()
    }
}

/// Runs operations of a checked program.
pub(super) fn run(ops: &[Op], packet: &Packet<'_>) -> u32 {
    // Out of range and division by zero: the program ends with 0.
    steps(ops, packet).unwrap_or(0)
}

#[inline(always)]
fn steps(ops: &[Op], packet: &Packet<'_>) -> Option<u32> {
    let mut s = State { a: 0, x: 0, m: [0; M::COUNT], random: packet.random };
    let mut pc = 0;
    macro_rules! the_match {
        ($($fused:ident $kind:ident $bytes:literal $cond:ident,)*) => {
            match ops[pc] {
                $(Op::$fused(f) => {
                    s.a = load::<$bytes>(packet, the_match!(@ $kind f))?;
                    pc = go(Cond::$cond.eval(s.a, f.k), f.ways);
                    continue;
                })*
                Op::LdImm(k) => s.a = k,
                Op::LdLen => s.a = packet.len,
                Op::LdMem(m) => s.a = s.m[m.index()],
                Op::AbsB(k) => s.a = load::<1>(packet, k)?,
                Op::AbsH(k) => s.a = load::<2>(packet, k)?,
                Op::AbsW(k) => s.a = load::<4>(packet, k)?,
                Op::IndB(k) => s.a = load::<1>(packet, s.x.wrapping_add(k))?,
                Op::IndH(k) => s.a = load::<2>(packet, s.x.wrapping_add(k))?,
                Op::IndW(k) => s.a = load::<4>(packet, s.x.wrapping_add(k))?,
                Op::Ext(ext) => match extension(packet, ext, &mut s) {
                    Some(value) => s.a = value,
                    None => return Some(s.a),
                },
                Op::LdxImm(k) => s.x = k,
                Op::LdxLen => s.x = packet.len,
                Op::LdxMem(m) => s.x = s.m[m.index()],
                Op::LdxMsh(k) => s.x = (load::<1>(packet, k)? & 0xf) << 2,
                Op::St(m) => s.m[m.index()] = s.a,
                Op::Stx(m) => s.m[m.index()] = s.x,
                Op::AddK(k) => s.a = AluOp::Add.eval(s.a, k)?,
                Op::SubK(k) => s.a = AluOp::Sub.eval(s.a, k)?,
                Op::MulK(k) => s.a = AluOp::Mul.eval(s.a, k)?,
                Op::DivK(k) => s.a = AluOp::Div.eval(s.a, k)?,
                Op::OrK(k) => s.a = AluOp::Or.eval(s.a, k)?,
                Op::AndK(k) => s.a = AluOp::And.eval(s.a, k)?,
                Op::LshK(k) => s.a = AluOp::Lsh.eval(s.a, k)?,
                Op::RshK(k) => s.a = AluOp::Rsh.eval(s.a, k)?,
                Op::ModK(k) => s.a = AluOp::Mod.eval(s.a, k)?,
                Op::XorK(k) => s.a = AluOp::Xor.eval(s.a, k)?,
                Op::AddX => s.a = AluOp::Add.eval(s.a, s.x)?,
                Op::SubX => s.a = AluOp::Sub.eval(s.a, s.x)?,
                Op::MulX => s.a = AluOp::Mul.eval(s.a, s.x)?,
                Op::DivX => s.a = AluOp::Div.eval(s.a, s.x)?,
                Op::OrX => s.a = AluOp::Or.eval(s.a, s.x)?,
                Op::AndX => s.a = AluOp::And.eval(s.a, s.x)?,
                Op::LshX => s.a = AluOp::Lsh.eval(s.a, s.x)?,
                Op::RshX => s.a = AluOp::Rsh.eval(s.a, s.x)?,
                Op::ModX => s.a = AluOp::Mod.eval(s.a, s.x)?,
                Op::XorX => s.a = AluOp::Xor.eval(s.a, s.x)?,
                Op::Neg => s.a = s.a.wrapping_neg(),
                Op::Jump(to) => {
                    pc = to.into();
                    continue;
                }
                Op::EqK(k, ways) => {
                    pc = go(Cond::Eq.eval(s.a, k), ways);
                    continue;
                }
                Op::GtK(k, ways) => {
                    pc = go(Cond::Gt.eval(s.a, k), ways);
                    continue;
                }
                Op::GeK(k, ways) => {
                    pc = go(Cond::Ge.eval(s.a, k), ways);
                    continue;
                }
                Op::SetK(k, ways) => {
                    pc = go(Cond::Set.eval(s.a, k), ways);
                    continue;
                }
                Op::EqX(ways) => {
                    pc = go(Cond::Eq.eval(s.a, s.x), ways);
                    continue;
                }
                Op::GtX(ways) => {
                    pc = go(Cond::Gt.eval(s.a, s.x), ways);
                    continue;
                }
                Op::GeX(ways) => {
                    pc = go(Cond::Ge.eval(s.a, s.x), ways);
                    continue;
                }
                Op::SetX(ways) => {
                    pc = go(Cond::Set.eval(s.a, s.x), ways);
                    continue;
                }
                Op::RetK(k) => return Some(k),
                Op::RetA => return Some(s.a),
                Op::RetX => return Some(s.x),
                Op::Tax => s.x = s.a,
                Op::Txa => s.a = s.x,
            }
        };
        (@ abs $f:ident) => { $f.off };
        (@ ind $f:ident) => { s.x.wrapping_add($f.off) };
    }
    loop {
        for_each_fused!(the_match);
        pc += 1;
    }
}

/// What the host knows of a packet. None where there is no device to ask: the program ends with what A holds
/// (measured on Linux 6.18: a filter on a Unix socket).
#[cold]
fn extension(packet: &Packet<'_>, ext: Ext, state: &mut State) -> Option<u32> {
    let State { a, x, .. } = *state;
    let skb = packet.skb;
    let from_network = |field: u32| u32::from(u16::from_be(field as u16));
    Some(match ext {
        Ext::Proto => from_network(skb.protocol),
        Ext::Type => skb.pkt_type,
        Ext::Ifindex | Ext::Hatype if skb.ifindex == 0 => return None,
        Ext::Ifindex => skb.ifindex,
        Ext::Nla => packet.view.nlattr(a, x),
        Ext::Nlan => packet.view.nlattr_nest(a, x),
        Ext::Mark => skb.mark,
        Ext::Queue => skb.queue_mapping,
        Ext::Hatype => u32::from(skb.hatype as u16),
        Ext::Rxhash => skb.hash,
        Ext::Cpu => packet.cpu,
        Ext::XorX => a ^ x,
        Ext::VlanTci => skb.vlan_tci,
        Ext::VlanAvail => skb.vlan_present,
        Ext::Poff => packet.view.payload_offset(from_network(skb.protocol) as u16),
        Ext::Rand => state.random.next_u32(),
        Ext::VlanTpid => from_network(skb.vlan_proto),
    })
}
