//! The loop: one `match` over operations. Jumps lead forward only, so that it ends after as many rounds as there are
//! operations.

use std::hint::{black_box, select_unpredictable};

use oxbpf_isa::cbpf::{AluOp, Cond, Ext, M};

use oxbpf_runtime::Random;

use super::Packet;
use super::op::{Op, Ways, for_each_fused};

/// Reads `N` bytes in network order; none where they are out of range. The short loop knows no offsets relative to
/// headers.
#[inline(always)]
fn load<const N: usize, const WHOLE: bool>(packet: &Packet<'_>, off: u32) -> Option<u32> {
    let bytes: [u8; N] = if WHOLE { packet.view.load(off)? } else { packet.view.load_data(off)? };
    Some(match bytes[..] {
        [a] => a.into(),
        [a, b] => u16::from_be_bytes([a, b]).into(),
        [a, b, c, d] => u32::from_be_bytes([a, b, c, d]),
        _ => unreachable!("loads have one, two or four bytes"),
    })
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

/// Where to go on if both ways are the same operation: then there is nothing to predict in a choice between values.
#[inline(always)]
fn pick(holds: bool, ways: Ways) -> usize {
    select_unpredictable(holds, ways.holds, ways.fails).into()
}

/// Runs operations of a checked program.
///
/// Nearly all programs ask the host nothing (`short`). The loop for these calls nothing and has little to set up. Where it has no answer, the program runs from the start in the whole loop, as nothing has changed.
#[inline]
pub(super) fn run(ops: &[Op], short: bool, packet: &Packet<'_>) -> u32 {
    match short {
        true => steps::<false>(ops, packet).unwrap_or_else(|| whole(ops, packet)),
        false => whole(ops, packet),
    }
}

#[cold]
fn whole(ops: &[Op], packet: &Packet<'_>) -> u32 {
    // Out of range and division by zero: the program ends with 0.
    steps::<true>(ops, packet).unwrap_or(0)
}

#[inline(always)]
fn steps<const WHOLE: bool>(ops: &[Op], packet: &Packet<'_>) -> Option<u32> {
    // Locals, none of which but the last is lent out: they stay in the machine's registers.
    let (mut a, mut x) = (0u32, 0u32);
    let mut m = [0u32; M::COUNT];
    let mut random = packet.random;
    let mut pc = 0;
    macro_rules! the_match {
        ($($fused:ident $kind:ident $bytes:literal $cond:ident $way:ident,)*) => {
            match ops[pc] {
                $(Op::$fused(f) => {
                    a = load::<$bytes, WHOLE>(packet, the_match!(@ $kind f))?;
                    pc = $way(Cond::$cond.eval(a, f.k), f.ways);
                    continue;
                })*
                op if !WHOLE && op.needs_whole() => return None,
                Op::LdImm(k) => a = k,
                Op::LdLen => a = packet.len,
                Op::LdMem(n) => a = m[n.index()],
                Op::AbsB(k) => a = load::<1, WHOLE>(packet, k)?,
                Op::AbsH(k) => a = load::<2, WHOLE>(packet, k)?,
                Op::AbsW(k) => a = load::<4, WHOLE>(packet, k)?,
                Op::IndB(k) => a = load::<1, WHOLE>(packet, x.wrapping_add(k))?,
                Op::IndH(k) => a = load::<2, WHOLE>(packet, x.wrapping_add(k))?,
                Op::IndW(k) => a = load::<4, WHOLE>(packet, x.wrapping_add(k))?,
                Op::Ext(ext) => match extension(packet, ext, a, x, &mut random) {
                    Some(value) => a = value,
                    None => return Some(a),
                },
                Op::LdxImm(k) => x = k,
                Op::LdxLen => x = packet.len,
                Op::LdxMem(n) => x = m[n.index()],
                Op::LdxMsh(k) => x = (load::<1, WHOLE>(packet, k)? & 0xf) << 2,
                Op::St(n) => m[n.index()] = a,
                Op::Stx(n) => m[n.index()] = x,
                Op::AddK(k) => a = AluOp::Add.eval(a, k)?,
                Op::SubK(k) => a = AluOp::Sub.eval(a, k)?,
                Op::MulK(k) => a = AluOp::Mul.eval(a, k)?,
                Op::DivK(k) => a = AluOp::Div.eval(a, k)?,
                Op::OrK(k) => a = AluOp::Or.eval(a, k)?,
                Op::AndK(k) => a = AluOp::And.eval(a, k)?,
                Op::LshK(k) => a = AluOp::Lsh.eval(a, k)?,
                Op::RshK(k) => a = AluOp::Rsh.eval(a, k)?,
                Op::ModK(k) => a = AluOp::Mod.eval(a, k)?,
                Op::XorK(k) => a = AluOp::Xor.eval(a, k)?,
                Op::AddX => a = AluOp::Add.eval(a, x)?,
                Op::SubX => a = AluOp::Sub.eval(a, x)?,
                Op::MulX => a = AluOp::Mul.eval(a, x)?,
                Op::DivX => a = AluOp::Div.eval(a, x)?,
                Op::OrX => a = AluOp::Or.eval(a, x)?,
                Op::AndX => a = AluOp::And.eval(a, x)?,
                Op::LshX => a = AluOp::Lsh.eval(a, x)?,
                Op::RshX => a = AluOp::Rsh.eval(a, x)?,
                Op::ModX => a = AluOp::Mod.eval(a, x)?,
                Op::XorX => a = AluOp::Xor.eval(a, x)?,
                Op::Neg => a = a.wrapping_neg(),
                Op::Jump(to) => {
                    pc = to.into();
                    continue;
                }
                Op::EqK(k, ways) => {
                    pc = go(Cond::Eq.eval(a, k), ways);
                    continue;
                }
                Op::EqEitherK([k, l], ways) => {
                    pc = go((a == k) | (a == l), ways);
                    continue;
                }
                Op::GtK(k, ways) => {
                    pc = go(Cond::Gt.eval(a, k), ways);
                    continue;
                }
                Op::GeK(k, ways) => {
                    pc = go(Cond::Ge.eval(a, k), ways);
                    continue;
                }
                Op::SetK(k, ways) => {
                    pc = go(Cond::Set.eval(a, k), ways);
                    continue;
                }
                Op::EqX(ways) => {
                    pc = go(Cond::Eq.eval(a, x), ways);
                    continue;
                }
                Op::GtX(ways) => {
                    pc = go(Cond::Gt.eval(a, x), ways);
                    continue;
                }
                Op::GeX(ways) => {
                    pc = go(Cond::Ge.eval(a, x), ways);
                    continue;
                }
                Op::SetX(ways) => {
                    pc = go(Cond::Set.eval(a, x), ways);
                    continue;
                }
                Op::RetK(k) => return Some(k),
                Op::RetA => return Some(a),
                Op::RetX => return Some(x),
                Op::Tax => x = a,
                Op::Txa => a = x,
            }
        };
        (@ abs $f:ident) => { $f.off };
        (@ ind $f:ident) => { x.wrapping_add($f.off) };
    }
    loop {
        for_each_fused!(the_match);
        pc += 1;
    }
}

/// What the host knows of a packet. None where there is no device to ask: the program ends with what A holds
/// (measured on Linux 6.18: a filter on a Unix socket).
#[cold]
fn extension(packet: &Packet<'_>, ext: Ext, a: u32, x: u32, random: &mut Random) -> Option<u32> {
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
        Ext::Rand => random.next_u32(),
        Ext::VlanTpid => from_network(skb.vlan_proto),
    })
}
