//! Classic programs that the kernel's check accepts, and packets for them.

use oxbpf_isa::Narrow;
use oxbpf_isa::cbpf::{AluOp, Cond, Ext, Insn, LL_OFF, M, NET_OFF, Operand, Program, SockFilter};

use crate::rng::Rng;

/// What a generated program may ask for besides packet and registers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ClassicFeatures {
    /// Loads from the network and link headers.
    pub headers: bool,
    /// The CPU and random numbers, which each host answers by itself.
    pub hosts_own: bool,
    /// About the packet's length: loads lie before and behind it.
    pub packet_len: u32,
}

/// A program of at most 48 instructions. `ret a` stands at the end only, so that what the program returns can be cut
/// into parts by putting instructions before it.
pub fn classic(seed: u64, features: &ClassicFeatures) -> Program {
    let mut rng = Rng::new(seed);
    let len = rng.range(2, 44);
    let mut make = Maker { written: Vec::new(), len, features: *features, rng, insns: Vec::new() };
    make.setup();
    make.len += make.insns.len() as u32;
    while (make.insns.len() as u32) < make.len - 1 {
        let insn = make.insn();
        make.insns.push(insn);
    }
    let last = if make.rng.chance(90) { Insn::RetA } else { Insn::RetK(make.number()) };
    make.insns.push(last);
    let raw: Vec<SockFilter> = make.insns.iter().map(Insn::encode).collect();
    Program::check(&raw).expect("generated programs keep the rules")
}

struct Maker {
    rng: Rng,
    insns: Vec<Insn>,
    len: u32,
    features: ClassicFeatures,
    /// Words of scratch memory that were written before everything else.
    written: Vec<M>,
}

impl Maker {
    /// Sets registers and scratch memory, as far as the program will.
    fn setup(&mut self) {
        if self.rng.chance(70) {
            let k = self.number();
            self.insns.push(Insn::LdImm(k));
        }
        if self.rng.chance(70) {
            let k = self.number();
            self.insns.push(Insn::LdxImm(k));
        }
        for _ in 0..self.rng.below(3) {
            let m = M::new(self.rng.below(16)).expect("below 16");
            let store = if self.rng.chance(50) { Insn::St(m) } else { Insn::Stx(m) };
            self.insns.push(store);
            self.written.push(m);
        }
    }

    fn insn(&mut self) -> Insn {
        let kind = self.rng.weighted(&[
            (20, Self::packet as fn(&mut Self) -> Insn),
            (25, Self::arithmetic),
            (22, Self::branch),
            (8, Self::extension),
            (8, Self::memory),
            (13, Self::plain),
            (3, Self::skip),
            (1, |s| Insn::RetK(s.number())),
        ]);
        kind(self)
    }

    /// A number at an edge, about the packet's length, or any.
    fn number(&mut self) -> u32 {
        const EDGES: [u32; 12] =
            [0, 1, 2, 4, 0x7f, 0xff, 0xffff, 0x1_0000, 0x7fff_ffff, 0x8000_0000, 0xffff_fffe, u32::MAX];
        match self.rng.below(4) {
            0 => self.rng.pick(&EDGES),
            1 => self.offset(),
            2 => self.rng.below(64),
            _ => self.rng.word() as u32,
        }
    }

    /// An offset in the packet, or just behind it.
    fn offset(&mut self) -> u32 {
        let len = self.features.packet_len;
        match self.rng.below(8) {
            0 => (len + 4).saturating_sub(self.rng.below(10)),
            1 => self.rng.below(len + 1),
            _ => self.rng.below(len.min(40)),
        }
    }

    fn load_offset(&mut self) -> u32 {
        match self.rng.below(20) {
            0 if self.features.headers => NET_OFF.wrapping_add(self.offset()),
            1 if self.features.headers => LL_OFF.wrapping_add(self.offset()),
            2 if self.features.headers => NET_OFF - 1 - self.rng.below(20),
            _ => self.offset(),
        }
    }

    fn packet(&mut self) -> Insn {
        let size = self.rng.pick(&Narrow::ALL);
        match self.rng.below(10) {
            0..5 => Insn::ld_abs(size, self.load_offset()),
            5..7 => Insn::LdInd { size, k: self.rng.below(24) },
            // The sum wraps round to small offsets, or is out of range.
            7 => Insn::LdInd { size, k: (self.rng.below(48) as i32 - 24) as u32 },
            _ => Insn::LdxMsh(self.load_offset()),
        }
    }

    fn arithmetic(&mut self) -> Insn {
        let op = self.rng.pick(&AluOp::ROWS).op;
        if self.rng.chance(10) {
            return Insn::Neg;
        }
        let k = match op {
            op if op.shifts() => self.rng.below(32),
            op if op.divides() => self.number().max(1),
            _ => self.number(),
        };
        let src = if self.rng.chance(40) { Operand::X } else { Operand::K(k) };
        Insn::Alu { op, src }
    }

    /// A distance that stays in the program.
    fn distance(&mut self) -> u32 {
        let room = self.len - self.insns.len() as u32 - 1;
        let most = if self.rng.chance(80) { 4 } else { 255 };
        self.rng.below(room.min(most))
    }

    fn branch(&mut self) -> Insn {
        let cond = self.rng.pick(&Cond::ROWS).cond;
        let src = if self.rng.chance(30) { Operand::X } else { Operand::K(self.number()) };
        let (jt, jf) = match self.rng.below(3) {
            0 => (0, self.distance()),
            1 => (self.distance(), 0),
            _ => (self.distance(), self.distance()),
        };
        Insn::JumpIf { cond, src, jt: jt as u8, jf: jf as u8 }
    }

    fn skip(&mut self) -> Insn {
        Insn::Ja(self.distance())
    }

    fn extension(&mut self) -> Insn {
        let size = self.rng.pick(&Narrow::ALL);
        let hosts_own = self.features.hosts_own;
        let ext = loop {
            match self.rng.pick(&Ext::ROWS).ext {
                Ext::Cpu | Ext::Rand if !hosts_own => {}
                ext => break ext,
            }
        };
        Insn::LdExt { size, ext }
    }

    fn memory(&mut self) -> Insn {
        if self.written.is_empty() {
            return self.plain();
        }
        let list = std::mem::take(&mut self.written);
        let m = self.rng.pick(&list);
        self.written = list;
        self.rng.pick(&[Insn::LdMem(m), Insn::LdxMem(m), Insn::St(m), Insn::Stx(m)])
    }

    fn plain(&mut self) -> Insn {
        match self.rng.below(8) {
            0 => Insn::LdLen,
            1 => Insn::LdxLen,
            2 => Insn::LdImm(self.number()),
            // Small ones are offsets for loads.
            3 => Insn::LdxImm(self.rng.below(32)),
            4 => Insn::LdxImm(self.number()),
            5 | 6 => Insn::Tax,
            _ => Insn::Txa,
        }
    }
}

/// The program with `before` put in front of what a final `ret a` returns, and `constant` done to other results.
///
/// Jumps to the end lead to the inserted instruction.
pub fn with_result(program: &Program, before: Insn, constant: impl Fn(u32) -> u32) -> Program {
    let mut raw = Vec::with_capacity(program.len() + 1);
    for insn in program.insns() {
        match insn {
            Insn::RetA => raw.extend([before.encode(), Insn::RetA.encode()]),
            Insn::RetK(k) => raw.push(Insn::RetK(constant(*k)).encode()),
            other => raw.push(other.encode()),
        }
    }
    Program::check(&raw).expect("one instruction more at the end changes no rule")
}

/// A packet of random bytes with runs of small numbers, among them what looks like netlink attributes.
pub fn classic_packet(seed: u64, len: usize) -> Vec<u8> {
    let mut rng = Rng::new(seed ^ 0x7061_636b_6574);
    let mut bytes = rng.bytes(len);
    let mut at = 0;
    while at + 4 <= len.min(256) {
        if rng.chance(50) {
            bytes[at..at + 4].copy_from_slice(&[rng.range(3, 16) as u8, 0, rng.below(8) as u8, 0]);
        }
        at += 4;
    }
    bytes
}
