//! One instruction of the family of assignments, from its first word to its last operand.

use super::operand::{Access, Register, Target, cast_fault};
use crate::decode::decode;
use crate::insn::{CallTarget, Insn, Operand, Pseudo};
use crate::ops::{AluOp, AtomicOp, Cond, EndianOp, MemSize, MovSx, Narrow, Width};
use crate::raw::{RawInsn, Reg, Slot};
use crate::text::cursor::{Cursor, LineError, Result, Token};
use crate::text::error::{TextFault, quote};
use crate::text::fields::{IMM, pseudo_named};
use crate::text::statement::{NameKind, Statement};

/// Opcode of wide loads, which the kernel prints in front instead of `ll` behind.
const WIDE: u8 = 0x18;

/// The instruction that comes next; `opcode` is the one printed in front of it, if any.
pub(in crate::text) fn statement<'a>(c: &mut Cursor<'a>, opcode: Option<u8>) -> Result<Statement<'a>> {
    if c.at_register() {
        return assignment(c, opcode == Some(WIDE));
    }
    if c.eat("*") {
        return store(c).map(Into::into);
    }
    let word = c.word().ok_or_else(|| c.expected("an instruction"))?;
    match word.text {
        "goto" => near(c, |off| Insn::Jump { off }),
        "may_goto" => near(c, |off| Insn::MayGoto { off }),
        "gotol" => match c.target()? {
            Target::Distance(n) => Ok(Insn::JumpLong { off: n.to_i32("a 32-bit jump distance")? }.into()),
            Target::Label(token) => Ok(jump_to(token, Insn::JumpLong { off: 0 })),
        },
        "if" => jump_if(c),
        "call" => call(c),
        "callx" => Ok(Insn::CallX { target: c.register()?.whole()? }.into()),
        "exit" => Ok(Insn::Exit.into()),
        "ld_pseudo" => ld_pseudo(c, word).map(Into::into),
        "lock" => lock(c).map(Into::into),
        "store_release" => store_release(c).map(Into::into),
        name => Err(word.fault(TextFault::Mnemonic { name: quote(name) })),
    }
}

/// After `ld_pseudo`, LLVM's text of a wide load that names something: `r1, 0x1, 0x5`.
fn ld_pseudo(c: &mut Cursor<'_>, word: Token<'_>) -> Result<Insn> {
    let dst = c.register()?.whole()?;
    c.expect(",")?;
    let kind = c.number()?.below(16, "a kind of address")? as u8;
    c.expect(",")?;
    let imm = c.imm()?;
    let raw = RawInsn { code: WIDE, regs: kind << 4 | dst.number(), off: 0, imm };
    let decoded = decode(&[raw, RawInsn::default()], Slot(0));
    decoded.map(|(insn, _)| insn).map_err(|e| c.since(word.at).fault(TextFault::Fields { fault: e.fault }))
}

fn jump_to(token: Token<'_>, insn: Insn) -> Statement<'_> {
    Statement::named(insn, NameKind::Jump, token, 0)
}

/// A jump whose distance has 16 bits.
fn near<'a>(c: &mut Cursor<'a>, insn: impl Fn(i16) -> Insn) -> Result<Statement<'a>> {
    match c.target()? {
        Target::Distance(n) => Ok(insn(n.to_i16("a 16-bit jump distance")?).into()),
        Target::Label(token) => Ok(jump_to(token, insn(0))),
    }
}

/// A register like `dst`, or an immediate.
fn operand(c: &mut Cursor<'_>, width: Width) -> Result<Operand> {
    if c.at_number() {
        return c.imm().map(Operand::Imm);
    }
    if c.at_register() {
        return c.register()?.of_width(width).map(Operand::Reg);
    }
    match c.peek_word() {
        Some(name) => {
            let start = c.place();
            let token = Token { text: name, at: start };
            Err(token.fault(TextFault::Operand { name: quote(name) }))
        }
        None => Err(c.expected("a register or a number")),
    }
}

fn jump_if<'a>(c: &mut Cursor<'a>) -> Result<Statement<'a>> {
    let Register { reg: dst, width, .. } = c.register()?;
    let row = c.longest(&Cond::ROWS, |r| r.symbol).ok_or_else(|| c.expected("a comparison"))?;
    let src = operand(c, width)?;
    if !c.eat_word("goto") {
        return Err(c.expected("`goto`"));
    }
    near(c, |off| Insn::JumpIf { cond: row.cond, width, dst, src, off })
}

fn call<'a>(c: &mut Cursor<'a>) -> Result<Statement<'a>> {
    if c.at_number() {
        return Ok(Insn::Call(CallTarget::Helper(c.number()?.to_i32("a helper's number")?)).into());
    }
    if let Some(distance) = c.after_pc() {
        let insn = Insn::Call(CallTarget::Local(distance?.to_i32("a 32-bit call distance")?));
        // The kernel appends the function's name, which says nothing more.
        if c.eat_glued("#") {
            c.word();
        }
        return Ok(insn.into());
    }
    let token = c.word().ok_or_else(|| c.expected("what is called"))?;
    if token.text == "kfunc" && c.eat("(") {
        let id = c.imm()?;
        c.expect(",")?;
        let fd_idx = c.number()?.to_i16("a 16-bit descriptor index")?;
        c.expect(")")?;
        return Ok(Insn::Call(CallTarget::Kfunc { id, fd_idx }).into());
    }
    // The kernel prints `call name#id`; `#` behind a blank begins a comment.
    let hashed = c.eat_glued("#");
    let id = if hashed { c.number()?.to_i32("a helper's number")? } else { 0 };
    let insn = Insn::Call(CallTarget::Helper(id));
    // The kernel's name of what it does not know says nothing more than the number.
    if token.text == "unknown" && hashed {
        Ok(insn.into())
    } else {
        Ok(Statement::named(insn, NameKind::Call, token, id.into()))
    }
}

/// After `*`: `(u32 *)(r10 - 4) = r1`.
fn store(c: &mut Cursor<'_>) -> Result<Insn> {
    let size = c.unsigned_access()?;
    let (base, off) = c.address()?;
    c.expect("=")?;
    let src = if c.at_register() { Operand::Reg(c.register()?.holding(size)?) } else { operand(c, Width::W64)? };
    Ok(Insn::Store { size, base, off, src })
}

/// After `lock`: `*(u32 *)(r1 + 0) += w2`.
fn lock(c: &mut Cursor<'_>) -> Result<Insn> {
    c.expect("*")?;
    let width = c.atomic_access()?;
    let (base, off) = c.address()?;
    let row = c.longest(&AtomicOp::ROWS, |r| r.symbol).ok_or_else(|| c.expected("`+=`, `|=`, `&=` or `^=`"))?;
    let src = c.register()?.holding(size_of_width(width))?;
    Ok(Insn::Atomic { op: row.op, width, base, off, src })
}

fn size_of_width(width: Width) -> MemSize {
    match width {
        Width::W32 => MemSize::W,
        Width::W64 => MemSize::Dw,
    }
}

/// After `store_release`: `((u64 *)(r1 + 0), r2)`.
fn store_release(c: &mut Cursor<'_>) -> Result<Insn> {
    c.expect("(")?;
    let size = c.unsigned_access()?;
    let (base, off) = c.address()?;
    c.expect(",")?;
    let src = c.register()?.holding(size)?;
    c.expect(")")?;
    Ok(Insn::StoreRelease { size, base, off, src })
}

/// `dst op …`.
fn assignment<'a>(c: &mut Cursor<'a>, wide: bool) -> Result<Statement<'a>> {
    let dst = c.register()?;
    let row = c.longest(&AluOp::ROWS, |r| r.symbol).ok_or_else(|| c.expected("an assignment like `=` or `+=`"))?;
    if row.op != AluOp::Mov {
        let src = operand(c, dst.width)?;
        return Ok(Insn::Alu { op: row.op, width: dst.width, dst: dst.reg, src }.into());
    }
    if c.at_register() {
        let src = Operand::Reg(c.register()?.of_width(dst.width)?);
        return Ok(Insn::Alu { op: AluOp::Mov, width: dst.width, dst: dst.reg, src }.into());
    }
    if c.at_number() {
        return move_number(c, dst, wide).map(Into::into);
    }
    if c.eat("-") {
        let src = c.register()?;
        src.same_as(dst.reg, "negation, which works in place,")?;
        src.of_width(dst.width)?;
        return Ok(Insn::Neg { width: dst.width, dst: dst.reg }.into());
    }
    if c.eat("*") {
        return load(c, dst).map(Into::into);
    }
    if c.rest().starts_with('(') {
        return sign_extension(c, dst).map(Into::into);
    }
    let word = c.word().ok_or_else(|| c.expected("a register, a number, memory or an operation"))?;
    named(c, dst, word, wide)
}

/// `5` or `5 ll`.
fn move_number(c: &mut Cursor<'_>, dst: Register<'_>, wide: bool) -> Result<Insn> {
    let number = c.number()?;
    if c.eat_word("ll") || wide {
        return Ok(Insn::LoadImm64 { dst: dst.whole()?, value: number.to_bits64("a 64-bit immediate")? });
    }
    let src = Operand::Imm(number.to_i32(IMM)?);
    Ok(Insn::Alu { op: AluOp::Mov, width: dst.width, dst: dst.reg, src })
}

/// `(s8)r2`.
fn sign_extension(c: &mut Cursor<'_>, dst: Register<'_>) -> Result<Insn> {
    let (narrow, token) = c.signed_cast()?;
    let bits = narrow.size().bytes() * 8;
    let found = MovSx::ALL.into_iter().find(|m| m.width() == dst.width && m.from_bits() == bits);
    let op = found.ok_or_else(|| cast_fault(token))?;
    let src = c.register()?.of_width(dst.width)?;
    Ok(Insn::MovSx { op, dst: dst.reg, src })
}

/// After `*`: `(u32 *)(r6 + 112)`, or `(u16 *)skb[r1 + 4]`.
fn load(c: &mut Cursor<'_>, dst: Register<'_>) -> Result<Insn> {
    let (access, token) = c.access()?;
    if c.eat_word("skb") {
        let size = match access {
            Access::Unsigned(size) => Narrow::from_size(size),
            Access::Signed(_) => None,
        };
        let packet_type = |name| TextFault::Type { what: "packet load", name, choices: "u8, u16, u32" };
        let size = size.ok_or_else(|| token.fault(packet_type(quote(token.text))))?;
        dst.whole()?;
        dst.same_as(Reg::R0, "a packet load")?;
        return packet_load(c, size);
    }
    let (base, off) = c.address()?;
    match access {
        Access::Unsigned(size) => Ok(Insn::Load { size, dst: dst.holding(size)?, base, off }),
        Access::Signed(size) => Ok(Insn::LoadSx { size, dst: dst.whole()?, base, off }),
    }
}

/// `[12]`, `[r1]` or `[r1 + 4]`.
fn packet_load(c: &mut Cursor<'_>, size: Narrow) -> Result<Insn> {
    c.expect("[")?;
    let insn = if c.at_register() {
        let src = c.register()?.whole()?;
        let imm = c.displacement()?.map_or(Ok(0), |n| n.to_i32(IMM))?;
        Insn::LdInd { size, src, imm }
    } else {
        Insn::LdAbs { size, imm: c.imm()? }
    };
    c.expect("]")?;
    Ok(insn)
}

/// `dst = word …`: what is written like a function, and what is not is the name of an address.
fn named<'a>(c: &mut Cursor<'a>, dst: Register<'a>, word: Token<'a>, wide: bool) -> Result<Statement<'a>> {
    if let Some(row) = EndianOp::ROWS.iter().find(|r| r.name == word.text && c.at_register()) {
        dst.whole()?;
        let src = c.register()?;
        src.same_as(dst.reg, "a byte swap, which works in place,")?;
        src.whole()?;
        return Ok(Insn::Endian { op: row.op, dst: dst.reg }.into());
    }
    if c.eat("(") {
        if let Some((op, width)) = atomic_named(word.text) {
            return atomic(c, dst, op, width).map(Into::into);
        }
        return function(c, dst, word, wide).map(Into::into);
    }
    if let Some(value) = bracketed(c, word)? {
        return Ok(Insn::LoadPseudo { dst: dst.whole()?, value }.into());
    }
    let addend = c.displacement()?.map_or(Ok(0), |n| n.to_i64("an offset"))?;
    if !c.eat_word("ll") && !wide {
        let known = c.at_end() && addend == 0;
        let operand = word.fault(TextFault::Operand { name: quote(word.text) });
        return Err(if known { operand } else { c.expected("`ll`") });
    }
    let insn = Insn::LoadImm64 { dst: dst.whole()?, value: 0 };
    Ok(Statement::named(insn, NameKind::Address, word, addend))
}

/// What bpftool names by its id: `map[id:5]`, `map[id:5][0]+8`, `subprog[+7]`.
fn bracketed(c: &mut Cursor<'_>, word: Token<'_>) -> Result<Option<Pseudo>> {
    let known = matches!(word.text, "map" | "subprog");
    if !known || !c.eat_glued("[") {
        return Ok(None);
    }
    if word.text == "subprog" {
        let distance = c.imm()?;
        c.expect("]")?;
        return Ok(Some(Pseudo::Func(distance)));
    }
    c.expect("id")?;
    c.expect(":")?;
    let fd = c.imm()?;
    c.expect("]")?;
    if !c.eat_glued("[") {
        return Ok(Some(Pseudo::MapFd(fd)));
    }
    c.expect("0")?;
    c.expect("]")?;
    let off = c.displacement()?.map_or(Ok(0), |n| n.to_bits32("an offset"))?;
    Ok(Some(Pseudo::MapValue { fd, off }))
}

/// The operation of a name like `atomic_fetch_add`, `cmpxchg_64` or the kernel's `atomic64_xchg`; with the
/// width where the name says it.
fn atomic_named(name: &str) -> Option<(AtomicOp, Option<Width>)> {
    let sized = [("_64", Width::W64), ("32_32", Width::W32)];
    let sized = sized.into_iter().find_map(|(end, width)| Some((name.strip_suffix(end)?, width)));
    if let Some((base, width)) = sized {
        let row = AtomicOp::ROWS.iter().find(|r| r.mnemonic == base && r.symbol.is_empty())?;
        return matches!(row.op, AtomicOp::Xchg | AtomicOp::Cmpxchg).then_some((row.op, Some(width)));
    }
    let base = name.strip_prefix("atomic64_").or(name.strip_prefix("atomic_"))?;
    let same = |mnemonic: &str| mnemonic.strip_prefix("atomic_").unwrap_or(mnemonic) == base;
    AtomicOp::ROWS.iter().find(|r| r.op.fetches() && same(r.mnemonic)).map(|r| (r.op, None))
}

/// After the name and `(`: `(u64 *)(r1 + 0), r2)`, or `r1 + 0, r0, r2)` where the name says the width.
fn atomic(c: &mut Cursor<'_>, dst: Register<'_>, op: AtomicOp, named: Option<Width>) -> Result<Insn> {
    let (width, (base, off)) = match named {
        Some(width) => (width, c.base_and_off()?),
        None => (c.atomic_access()?, c.address()?),
    };
    let size = size_of_width(width);
    c.expect(",")?;
    dst.holding(size)?;
    if op == AtomicOp::Cmpxchg {
        let compared = c.register()?;
        compared.holding(size)?;
        compared.same_as(Reg::R0, "compare and exchange")?;
        dst.same_as(Reg::R0, "compare and exchange")?;
        c.expect(",")?;
    }
    let src = c.register()?;
    if op != AtomicOp::Cmpxchg {
        src.same_as(dst.reg, "an atomic operation that fetches")?;
    }
    let src = src.holding(size)?;
    c.expect(")")?;
    Ok(Insn::Atomic { op, width, base, off, src })
}

/// After `name(`: the other things that look like a function.
fn function(c: &mut Cursor<'_>, dst: Register<'_>, word: Token<'_>, wide: bool) -> Result<Insn> {
    match word.text {
        "load_acquire" => {
            let size = c.unsigned_access()?;
            let (base, off) = c.address()?;
            c.expect(")")?;
            Ok(Insn::LoadAcquire { size, dst: dst.holding(size)?, base, off })
        }
        "addr_space_cast" => {
            let dst = dst.whole()?;
            let src = c.register()?.whole()?;
            c.expect(",")?;
            let to = c.number()?.to_u16("an address space")?;
            c.expect(",")?;
            let from = c.number()?.to_u16("an address space")?;
            c.expect(")")?;
            Ok(Insn::AddrSpaceCast { dst, src, to, from })
        }
        name => {
            let value = pseudo_named(c, name).unwrap_or_else(|| Err(unknown_operation(word)))?;
            if !c.eat_word("ll") && !wide {
                return Err(c.expected("`ll`"));
            }
            Ok(Insn::LoadPseudo { dst: dst.whole()?, value })
        }
    }
}

fn unknown_operation(word: Token<'_>) -> LineError {
    word.fault(TextFault::Mnemonic { name: quote(word.text) })
}
