//! What each operation does. All of them are safe functions that call the next one last: control of classic programs
//! only moves forward, so that a chain of calls is no longer than what it is given.

use std::hint::{black_box, select_unpredictable};

use oxbpf_isa::cbpf::{AluOp, Cond, Ext, M};
use oxbpf_runtime::Random;

use super::op::{Op, Step, Way};
use super::{Code, Packet};

/// What a run has besides A and X.
pub(super) struct State<'a> {
    data: &'a [u8],
    packet: &'a Packet<'a>,
    m: [u32; M::COUNT],
    random: Random,
    /// Where a chain of calls has ended that the program has not: how far behind, A and X.
    left: Option<(usize, u32, u32)>,
}

/// The longest chain of calls. A build that does not turn last calls into jumps needs stack for so many.
const CHAIN: usize = 256;

/// Runs a checked program.
#[inline]
pub(super) fn run(code: &Code, packet: &Packet<'_>) -> u32 {
    let data = packet.view.data();
    let mut state = State { data, packet, m: [0; M::COUNT], random: packet.random, left: None };
    let (mut at, mut a, mut x) = (0, 0, 0);
    loop {
        let end = code.ops.len().min(at + CHAIN);
        let chain = &code.ops[at..end];
        let result = (chain[0].run)(chain, &mut state, a, x);
        match state.left.take() {
            None => return result,
            Some((behind, left_a, left_x)) => (at, a, x) = (end + behind, left_a, left_x),
        }
    }
}

/// Goes on with the operation so many behind the first.
#[inline(always)]
fn go(ops: &[Op], skip: usize, state: &mut State<'_>, a: u32, x: u32) -> u32 {
    match ops.get(skip) {
        Some(op) => (op.run)(&ops[skip..], state, a, x),
        None => leave(state, skip - ops.len(), a, x),
    }
}

/// Ends a chain that is as long as it may be. What it answers is of no use; that this is not known where it is called
/// makes the call a jump.
#[cold]
#[inline(never)]
fn leave(state: &mut State<'_>, behind: usize, a: u32, x: u32) -> u32 {
    state.left = Some((behind, a, x));
    black_box(0)
}

/// Where a number comes from that is loaded or tested.
pub(super) trait Source {
    /// How many instructions a test of it is.
    const INSNS: usize;
    /// None where it is not in what the program sees of the packet.
    fn get(state: &State<'_>, op: &Op, off: u32, a: u32, x: u32) -> Option<u32>;
    /// Loads what [`get`](Source::get) did not, relative to a header, and goes on with the next instruction.
    fn elsewhere(ops: &[Op], state: &mut State<'_>, a: u32, x: u32) -> u32;
}

/// A.
pub(super) struct Acc;
/// So many bytes of the packet at a constant offset.
pub(super) struct Abs<const N: usize>;
/// The same, of which some bits are kept (`and #k` before the test).
pub(super) struct Masked<const N: usize>;
/// The same as [`Abs`] with X added to the offset.
pub(super) struct Ind<const N: usize>;

impl Source for Acc {
    const INSNS: usize = 1;
    #[inline(always)]
    fn get(_: &State<'_>, _: &Op, _: u32, a: u32, _: u32) -> Option<u32> {
        Some(a)
    }
    fn elsewhere(_: &[Op], _: &mut State<'_>, _: u32, _: u32) -> u32 {
        0
    }
}

impl<const N: usize> Source for Abs<N> {
    const INSNS: usize = 2;
    #[inline(always)]
    fn get(state: &State<'_>, _: &Op, off: u32, _: u32, _: u32) -> Option<u32> {
        state.load::<N>(off)
    }
    #[cold]
    #[inline(never)]
    fn elsewhere(ops: &[Op], state: &mut State<'_>, _: u32, x: u32) -> u32 {
        header::<N>(ops, ops[0].off, state, x)
    }
}

impl<const N: usize> Source for Ind<N> {
    const INSNS: usize = 2;
    #[inline(always)]
    fn get(state: &State<'_>, _: &Op, off: u32, _: u32, x: u32) -> Option<u32> {
        state.load::<N>(off.wrapping_add(x))
    }
    #[cold]
    #[inline(never)]
    fn elsewhere(ops: &[Op], state: &mut State<'_>, _: u32, x: u32) -> u32 {
        header::<N>(ops, ops[0].off.wrapping_add(x), state, x)
    }
}

impl<const N: usize> Source for Masked<N> {
    const INSNS: usize = 3;
    #[inline(always)]
    fn get(state: &State<'_>, op: &Op, off: u32, _: u32, _: u32) -> Option<u32> {
        state.load::<N>(off).map(|value| value & op.more)
    }
    fn elsewhere(ops: &[Op], state: &mut State<'_>, a: u32, x: u32) -> u32 {
        Abs::<N>::elsewhere(ops, state, a, x)
    }
}

fn header<const N: usize>(ops: &[Op], off: u32, state: &mut State<'_>, x: u32) -> u32 {
    match state.packet.view.load(off).map(number::<N>) {
        Some(a) => go(ops, 1, state, a, x),
        None => 0,
    }
}

impl State<'_> {
    /// Reads `N` bytes in network order, where they are in what the program sees.
    #[inline(always)]
    fn load<const N: usize>(&self, off: u32) -> Option<u32> {
        let at = off as usize;
        let bytes = self.data.get(at..at.wrapping_add(N)).and_then(|bytes| bytes.first_chunk::<N>());
        bytes.map(|bytes| number(*bytes))
    }
}

#[inline(always)]
fn number<const N: usize>(bytes: [u8; N]) -> u32 {
    match bytes[..] {
        [a] => a.into(),
        [a, b] => u16::from_be_bytes([a, b]).into(),
        [a, b, c, d] => u32::from_be_bytes([a, b, c, d]),
        _ => unreachable!("loads have one, two or four bytes"),
    }
}

/// A load.
pub(super) fn load<S: Source>(ops: &[Op], state: &mut State<'_>, a: u32, x: u32) -> u32 {
    let Some(op) = ops.first() else { return 0 };
    match S::get(state, op, op.off, a, x) {
        Some(a) => go(ops, 1, state, a, x),
        None => S::elsewhere(ops, state, a, x),
    }
}

/// A condition on a number, by its index among [`Cond::ROWS`], and where it leads, by index among [`Way::ALL`].
fn test<S: Source, const COND: usize, const HOLDS: usize, const FAILS: usize>(
    ops: &[Op],
    state: &mut State<'_>,
    a: u32,
    x: u32,
) -> u32 {
    let Some(op) = ops.first() else { return 0 };
    let Some(a) = S::get(state, op, op.off, a, x) else { return S::elsewhere(ops, state, a, x) };
    let holds = const { Cond::ROWS[COND].cond }.eval(a, op.k);
    match const { (Way::ALL[HOLDS], Way::ALL[FAILS]) } {
        // Nothing to predict in a choice between values.
        (Way::Ret, Way::Ret) => select_unpredictable(holds, op.holds, op.fails),
        (way, _) if holds => follow::<S>(way, op.holds, ops, state, a, x),
        (_, way) => follow::<S>(way, op.fails, ops, state, a, x),
    }
}

#[inline(always)]
fn follow<S: Source>(way: Way, to: u32, ops: &[Op], state: &mut State<'_>, a: u32, x: u32) -> u32 {
    match way {
        Way::Next => go(ops, S::INSNS, state, a, x),
        Way::Skip => go(ops, to as usize, state, a, x),
        Way::Ret => to,
    }
}

/// Whether either of two numbers is the constant, and the result for both ways: of addresses and ports, source or
/// destination. To look at both costs less than to predict whether the second is needed.
pub(super) fn either<S: Source>(ops: &[Op], state: &mut State<'_>, a: u32, x: u32) -> u32 {
    let Some(op) = ops.first() else { return 0 };
    match (S::get(state, op, op.off, a, x), S::get(state, op, op.more, a, x)) {
        (Some(one), Some(other)) => select_unpredictable((one == op.k) | (other == op.k), op.holds, op.fails),
        // Which of them it is makes a difference: one by one.
        _ => S::elsewhere(ops, state, a, x),
    }
}

/// The tests of a source by condition and ways.
pub(super) const fn tests<S: Source>() -> [[[Step; 3]; 3]; 4] {
    macro_rules! table {
        ($($cond:literal)*) => { [$([
            [test::<S, $cond, 0, 0>, test::<S, $cond, 0, 1>, test::<S, $cond, 0, 2>],
            [test::<S, $cond, 1, 0>, test::<S, $cond, 1, 1>, test::<S, $cond, 1, 2>],
            [test::<S, $cond, 2, 0>, test::<S, $cond, 2, 1>, test::<S, $cond, 2, 2>],
        ]),*] };
    }
    table!(0 1 2 3)
}

/// Conditions on X, by index among [`Cond::ROWS`].
pub(super) const TESTS_X: [Step; 4] = [test_x::<0>, test_x::<1>, test_x::<2>, test_x::<3>];

fn test_x<const COND: usize>(ops: &[Op], state: &mut State<'_>, a: u32, x: u32) -> u32 {
    let holds = const { Cond::ROWS[COND].cond }.eval(a, x);
    let Some(op) = ops.first() else { return 0 };
    let skip = if holds { op.holds } else { op.fails };
    go(ops, skip as usize, state, a, x)
}

/// Operators by index among [`AluOp::ROWS`], with a constant on the right, and with X.
pub(super) const ALU: [[Step; 2]; 10] = {
    macro_rules! table {
        ($($op:literal)*) => { [$([alu::<$op, false>, alu::<$op, true>]),*] };
    }
    table!(0 1 2 3 4 5 6 7 8 9)
};

fn alu<const OP: usize, const X: bool>(ops: &[Op], state: &mut State<'_>, a: u32, x: u32) -> u32 {
    let Some(op) = ops.first() else { return 0 };
    let right = if X { x } else { op.k };
    match const { AluOp::ROWS[OP].op }.eval(a, right) {
        Some(a) => go(ops, 1, state, a, x),
        // Division by zero.
        None => 0,
    }
}

/// The operations of which there is one each: what A and X become.
macro_rules! plain {
    ($($name:ident($op:ident, $state:ident, $a:ident, $x:ident) => ($new_a:expr, $new_x:expr);)*) => {
        $(pub(super) fn $name(ops: &[Op], $state: &mut State<'_>, $a: u32, $x: u32) -> u32 {
            let Some($op) = ops.first() else { return 0 };
            let (a, x) = ($new_a, $new_x);
            go(ops, 1, $state, a, x)
        })*
    };
}

plain! {
    ld_imm(op, state, _a, x) => (op.k, x);
    ld_len(_op, state, _a, x) => (state.packet.len, x);
    ld_mem(op, state, _a, x) => (state.m[op.k as usize % M::COUNT], x);
    ldx_imm(op, state, a, _x) => (a, op.k);
    ldx_len(_op, state, a, _x) => (a, state.packet.len);
    ldx_mem(op, state, a, _x) => (a, state.m[op.k as usize % M::COUNT]);
    neg(_op, state, a, x) => (a.wrapping_neg(), x);
    tax(_op, state, a, _x) => (a, a);
    txa(_op, state, _a, x) => (x, x);
}

pub(super) fn ldx_msh(ops: &[Op], state: &mut State<'_>, a: u32, x: u32) -> u32 {
    let Some(op) = ops.first() else { return 0 };
    match state.load::<1>(op.off) {
        Some(byte) => go(ops, 1, state, a, (byte & 0xf) << 2),
        None => ldx_msh_header(ops, state, a, x),
    }
}

#[cold]
#[inline(never)]
fn ldx_msh_header(ops: &[Op], state: &mut State<'_>, a: u32, _: u32) -> u32 {
    match state.packet.view.load(ops[0].off) {
        Some([byte]) => go(ops, 1, state, a, (u32::from(byte) & 0xf) << 2),
        None => 0,
    }
}

pub(super) fn st(ops: &[Op], state: &mut State<'_>, a: u32, x: u32) -> u32 {
    state.m[ops[0].k as usize % M::COUNT] = a;
    go(ops, 1, state, a, x)
}

pub(super) fn stx(ops: &[Op], state: &mut State<'_>, a: u32, x: u32) -> u32 {
    state.m[ops[0].k as usize % M::COUNT] = x;
    go(ops, 1, state, a, x)
}

pub(super) fn jump(ops: &[Op], state: &mut State<'_>, a: u32, x: u32) -> u32 {
    go(ops, ops.first().map_or(0, |op| op.holds) as usize, state, a, x)
}

pub(super) fn ret_k(ops: &[Op], _: &mut State<'_>, _: u32, _: u32) -> u32 {
    ops[0].k
}

pub(super) fn ret_a(_: &[Op], _: &mut State<'_>, a: u32, _: u32) -> u32 {
    a
}

pub(super) fn ret_x(_: &[Op], _: &mut State<'_>, _: u32, x: u32) -> u32 {
    x
}

pub(super) fn ext(ops: &[Op], state: &mut State<'_>, a: u32, x: u32) -> u32 {
    match Ext::from_k(ops[0].k).and_then(|ext| extension(state, ext, a, x)) {
        Some(value) => go(ops, 1, state, value, x),
        None => a,
    }
}

/// What the host knows of a packet. None where there is no device to ask: the program ends with what A holds
/// (measured on Linux 6.18: a filter on a Unix socket).
fn extension(state: &mut State<'_>, ext: Ext, a: u32, x: u32) -> Option<u32> {
    let (packet, skb) = (state.packet, state.packet.skb);
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
