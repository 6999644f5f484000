//! What each classic instruction becomes.

use oxbpf_abi::ctx::SKB;
use oxbpf_abi::helper_by_name;
use oxbpf_isa::cbpf::{self, AluOp as ClassicAlu, Cond as ClassicCond, Ext, M, Operand as ClassicOperand};
use oxbpf_isa::{AluOp, CallTarget, Cond, EndianOp, Insn, MemSize, Narrow, Operand, Reg, Width};

use crate::emit::Emitter;
use crate::live::Live;

/// The accumulator: legacy loads and calls answer here.
const A: Reg = Reg::R0;
/// The index register: survives calls.
const X: Reg = Reg::R7;
/// The context, where legacy loads want it.
const CTX: Reg = Reg::R6;
/// Keeps A over a load for X.
const KEPT: Reg = Reg::R8;
/// A field on its way to A.
const FIELD: Reg = Reg::R1;

/// Sets up what the program relies on.
pub(crate) fn prologue(code: &mut Emitter, insns: &[cbpf::Insn], live: &Live) {
    if insns.iter().enumerate().any(|(at, insn)| live.reached(at) && wants_context(insn)) {
        code.push(Insn::Alu { op: AluOp::Mov, width: Width::W64, dst: CTX, src: Operand::Reg(Reg::R1) });
    }
    if live.a_at_start() {
        code.push(mov(A, Operand::Imm(0)));
    }
    if live.x_at_start() {
        code.push(mov(X, Operand::Imm(0)));
    }
}

fn wants_context(insn: &cbpf::Insn) -> bool {
    use cbpf::Insn::{LdAbs, LdExt, LdInd, LdLen, LdxLen, LdxMsh};
    match insn {
        LdExt { ext, .. } => !matches!(ext, Ext::XorX | Ext::Cpu | Ext::Rand),
        insn => matches!(insn, LdAbs { .. } | LdInd { .. } | LdLen | LdxLen | LdxMsh(_)),
    }
}

/// Emits a reached instruction: at most [`crate::emit::MOST`].
pub(crate) fn insn(code: &mut Emitter, at: usize, insn: &cbpf::Insn, live: &Live) {
    match *insn {
        cbpf::Insn::LdImm(k) => code.push(mov(A, imm(k))),
        cbpf::Insn::LdLen => code.push(field(A, "len")),
        cbpf::Insn::LdMem(m) => code.push(load(A, m)),
        cbpf::Insn::LdAbs { size, k } => code.push(Insn::LdAbs { size, imm: k.k() as i32 }),
        cbpf::Insn::LdInd { size, k } => code.push(Insn::LdInd { size, src: X, imm: k as i32 }),
        cbpf::Insn::LdExt { ext, .. } => extension(code, ext),
        cbpf::Insn::LdxImm(k) => code.push(mov(X, imm(k))),
        cbpf::Insn::LdxLen => code.push(field(X, "len")),
        cbpf::Insn::LdxMem(m) => code.push(load(X, m)),
        cbpf::Insn::LdxMsh(k) => header_length(code, k, live.a_after(at)),
        cbpf::Insn::St(m) => code.push(store(m, A)),
        cbpf::Insn::Stx(m) => code.push(store(m, X)),
        cbpf::Insn::Alu { op, src } => arithmetic(code, op, src),
        cbpf::Insn::Neg => code.push(Insn::Neg { width: Width::W32, dst: A }),
        cbpf::Insn::Ja(k) => go(code, at, k),
        cbpf::Insn::JumpIf { cond, src, jt, jf } => branch(code, at, cond, operand(src), [jt.into(), jf.into()]),
        cbpf::Insn::RetK(k) => {
            code.push(mov(A, imm(k)));
            code.push(Insn::Exit);
        }
        cbpf::Insn::RetA => code.push(Insn::Exit),
        // No checked program has it; this is what it would mean.
        cbpf::Insn::RetX => {
            code.push(mov(A, Operand::Reg(X)));
            code.push(Insn::Exit);
        }
        cbpf::Insn::Tax => code.push(mov(X, Operand::Reg(A))),
        cbpf::Insn::Txa => code.push(mov(A, Operand::Reg(X))),
    }
}

/// The number as the immediate of a 32-bit operation.
fn imm(k: u32) -> Operand {
    Operand::Imm(k as i32)
}

fn operand(src: ClassicOperand) -> Operand {
    match src {
        ClassicOperand::K(k) => imm(k),
        ClassicOperand::X => Operand::Reg(X),
    }
}

fn alu(op: AluOp, dst: Reg, src: Operand) -> Insn {
    Insn::Alu { op, width: Width::W32, dst, src }
}

fn mov(dst: Reg, src: Operand) -> Insn {
    alu(AluOp::Mov, dst, src)
}

fn call(name: &str) -> Insn {
    let row = helper_by_name(name).expect("a helper of the table");
    Insn::Call(CallTarget::Helper(row.id as i32))
}

/// A load of a context field of four bytes.
fn field(dst: Reg, name: &str) -> Insn {
    let field = SKB.field(name).expect("a field of __sk_buff");
    Insn::Load { size: MemSize::W, dst, base: CTX, off: field.off as i16 }
}

fn scratch(m: M) -> i16 {
    4 * m.index() as i16 - 4 * M::COUNT as i16
}

fn load(dst: Reg, m: M) -> Insn {
    Insn::Load { size: MemSize::W, dst, base: Reg::R10, off: scratch(m) }
}

fn store(m: M, src: Reg) -> Insn {
    Insn::Store { size: MemSize::W, base: Reg::R10, off: scratch(m), src: Operand::Reg(src) }
}

/// `X = 4 * (packet[k] & 0xf)`; the load goes by way of A.
fn header_length(code: &mut Emitter, k: u32, keep_a: bool) {
    if keep_a {
        code.push(mov(KEPT, Operand::Reg(A)));
    }
    code.push(Insn::LdAbs { size: Narrow::B, imm: k as i32 });
    code.push(alu(AluOp::And, A, Operand::Imm(0xf)));
    code.push(alu(AluOp::Lsh, A, Operand::Imm(2)));
    code.push(mov(X, Operand::Reg(A)));
    if keep_a {
        code.push(mov(A, Operand::Reg(KEPT)));
    }
}

const fn ebpf_alu(op: ClassicAlu) -> AluOp {
    match op {
        ClassicAlu::Add => AluOp::Add,
        ClassicAlu::Sub => AluOp::Sub,
        ClassicAlu::Mul => AluOp::Mul,
        ClassicAlu::Div => AluOp::Div,
        ClassicAlu::Or => AluOp::Or,
        ClassicAlu::And => AluOp::And,
        ClassicAlu::Lsh => AluOp::Lsh,
        ClassicAlu::Rsh => AluOp::Rsh,
        ClassicAlu::Mod => AluOp::Mod,
        ClassicAlu::Xor => AluOp::Xor,
    }
}

/// A division by X where X is 0 ends a classic program with 0, and goes on in eBPF. Distances of shifts are taken
/// modulo 32 by both.
fn arithmetic(code: &mut Emitter, op: ClassicAlu, src: ClassicOperand) {
    if op.divides() && src == ClassicOperand::X {
        let src = Operand::Imm(0);
        code.push(Insn::JumpIf { cond: Cond::Ne, width: Width::W32, dst: X, src, off: 2 });
        code.push(mov(A, Operand::Imm(0)));
        code.push(Insn::Exit);
    }
    code.push(alu(ebpf_alu(op), A, operand(src)));
}

fn go(code: &mut Emitter, at: usize, skip: u32) {
    if skip > 0 {
        code.jump(Insn::Jump { off: 0 }, at + 1 + skip as usize);
    }
}

/// One instruction where either way is the next instruction, if the condition can be turned round; else two.
fn branch(code: &mut Emitter, at: usize, cond: ClassicCond, src: Operand, [jt, jf]: [u32; 2]) {
    let (holds, fails) = match cond {
        ClassicCond::Eq => (Cond::Eq, Some(Cond::Ne)),
        ClassicCond::Gt => (Cond::Gt, Some(Cond::Le)),
        ClassicCond::Ge => (Cond::Ge, Some(Cond::Lt)),
        ClassicCond::Set => (Cond::Set, None),
    };
    let jump = |cond| Insn::JumpIf { cond, width: Width::W32, dst: A, src, off: 0 };
    let to = |skip: u32| at + 1 + skip as usize;
    match (jt, fails) {
        _ if jt == jf => go(code, at, jt),
        (0, Some(fails)) => code.jump(jump(fails), to(jf)),
        _ => {
            code.jump(jump(holds), to(jt));
            go(code, at, jf);
        }
    }
}

/// A field, a helper, or what else an extension is.
fn extension(code: &mut Emitter, ext: Ext) {
    match ext {
        Ext::Proto => network_order(code, "protocol"),
        Ext::Type => code.push(field(A, "pkt_type")),
        Ext::Ifindex => {
            device(code);
            code.push(mov(A, Operand::Reg(FIELD)));
        }
        Ext::Nla => attribute(code, "classic_nlattr"),
        Ext::Nlan => attribute(code, "classic_nlattr_nest"),
        Ext::Mark => code.push(field(A, "mark")),
        Ext::Queue => code.push(field(A, "queue_mapping")),
        Ext::Hatype => {
            device(code);
            ask(code, "classic_hatype");
        }
        Ext::Rxhash => code.push(field(A, "hash")),
        Ext::Cpu => code.push(call("get_smp_processor_id")),
        Ext::XorX => code.push(alu(AluOp::Xor, A, Operand::Reg(X))),
        Ext::VlanTci => code.push(field(A, "vlan_tci")),
        Ext::VlanAvail => code.push(field(A, "vlan_present")),
        Ext::Poff => ask(code, "classic_pay_offset"),
        Ext::Rand => code.push(call("get_prandom_u32")),
        Ext::VlanTpid => network_order(code, "vlan_proto"),
    }
}

/// A field that holds two bytes in network order.
fn network_order(code: &mut Emitter, name: &str) {
    code.push(field(A, name));
    code.push(Insn::Endian { op: EndianOp::Be16, dst: A });
}

/// The device's number in [`FIELD`]; where there is no device the program ends with what A holds.
/// Measured on Linux 6.18: a filter on a Unix socket.
fn device(code: &mut Emitter) {
    code.push(field(FIELD, "ifindex"));
    let src = Operand::Imm(0);
    code.push(Insn::JumpIf { cond: Cond::Ne, width: Width::W32, dst: FIELD, src, off: 1 });
    code.push(Insn::Exit);
}

fn pass_context(code: &mut Emitter) {
    code.push(Insn::Alu { op: AluOp::Mov, width: Width::W64, dst: Reg::R1, src: Operand::Reg(CTX) });
}

fn ask(code: &mut Emitter, helper: &str) {
    pass_context(code);
    code.push(call(helper));
}

fn attribute(code: &mut Emitter, helper: &str) {
    pass_context(code);
    code.push(mov(Reg::R2, Operand::Reg(A)));
    code.push(mov(Reg::R3, Operand::Reg(X)));
    code.push(call(helper));
}
