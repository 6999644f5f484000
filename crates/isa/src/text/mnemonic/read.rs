//! One instruction of a mnemonic dialect: the name selects the row, the row says which operands follow.

use super::names::row;
use super::{Style, Swaps};
use crate::insn::{CallTarget, Insn, Operand};
use crate::ops::{EndianOp, MovSx};
use crate::raw::Reg;
use crate::rows::Fields;
use crate::text::Dialect;
use crate::text::cursor::{Cursor, LineError, Result, Token};
use crate::text::error::{TextFault, quote};
use crate::text::fields::{IMM, pseudo_named};
use crate::text::number::Number;
use crate::text::statement::{NameKind, Statement};

/// The instruction that comes next.
pub(in crate::text) fn statement<'a>(c: &mut Cursor<'a>, dialect: Dialect) -> Result<Statement<'a>> {
    let word = c.word().ok_or_else(|| c.expected("an instruction"))?;
    let row = match word.text {
        "lock" => locked(c, dialect, word)?,
        name => row(dialect, &[name]).ok_or_else(|| unknown(word))?,
    };
    operands(c, super::style(dialect), row)
}

fn unknown(word: Token<'_>) -> LineError {
    word.fault(TextFault::Mnemonic { name: quote(word.text) })
}

/// After `lock`: `add`, `fetch add32`, `cmpxchg`.
fn locked(c: &mut Cursor<'_>, dialect: Dialect, lock: Token<'_>) -> Result<Insn> {
    let first = c.word().ok_or_else(|| c.expected("an atomic operation"))?;
    let fetch = first.text == "fetch";
    let op = if fetch { c.word().ok_or_else(|| c.expected("an atomic operation"))? } else { first };
    row(dialect, &["lock ", if fetch { "fetch " } else { "" }, op.text]).ok_or_else(|| {
        let whole = c.since(lock.at);
        whole.fault(TextFault::Mnemonic { name: quote(whole.text) })
    })
}

/// Reads what the row wants and fills it in.
fn operands<'a>(c: &mut Cursor<'a>, style: &Style, row: Insn) -> Result<Statement<'a>> {
    let mut fields = Fields::default();
    let row = match row {
        Insn::Alu { op, width, dst, .. } => {
            fields.dst = register(c)?;
            comma(c)?;
            Insn::Alu { op, width, dst, src: operand(c, &mut fields)? }
        }
        Insn::Neg { .. } => {
            fields.dst = register(c)?;
            row
        }
        Insn::MovSx { op, .. } => {
            fields.dst = register(c)?;
            comma(c)?;
            fields.src = register(c)?;
            let op = if style.movs { extension(c, op)? } else { op };
            Insn::MovSx { op, dst: Reg::R0, src: Reg::R0 }
        }
        Insn::Endian { op, .. } => {
            fields.dst = register(c)?;
            let op = if style.swaps == Swaps::Operand { swap(c, op)? } else { op };
            Insn::Endian { op, dst: Reg::R0 }
        }
        Insn::AddrSpaceCast { .. } => return addr_space_cast(c),
        Insn::LoadImm64 { .. } | Insn::LoadPseudo { .. } => return wide(c),
        Insn::Load { .. } | Insn::LoadSx { .. } | Insn::LoadAcquire { .. } => {
            fields.dst = register(c)?;
            comma(c)?;
            (fields.src, fields.off) = memory(c)?;
            row
        }
        Insn::Store { src, .. } => {
            (fields.dst, fields.off) = memory(c)?;
            comma(c)?;
            match src {
                Operand::Reg(_) => fields.src = register(c)?,
                Operand::Imm(_) => fields.imm = c.number()?.to_bits32(IMM)?,
            }
            row
        }
        Insn::Atomic { .. } | Insn::StoreRelease { .. } => {
            (fields.dst, fields.off) = memory(c)?;
            comma(c)?;
            fields.src = register(c)?;
            row
        }
        Insn::LdAbs { .. } => {
            fields.imm = c.number()?.to_bits32(IMM)?;
            row
        }
        Insn::LdInd { .. } => {
            fields.src = register(c)?;
            comma(c)?;
            fields.imm = c.number()?.to_bits32(IMM)?;
            row
        }
        Insn::Jump { .. } | Insn::MayGoto { .. } => return near(c, row, fields),
        Insn::JumpLong { .. } => {
            return match target(c)? {
                Ok(distance) => {
                    fields.imm = distance.to_bits32("a 32-bit jump distance")?;
                    Ok(row.with(&fields).into())
                }
                Err(label) => Ok(Statement::named(row, NameKind::Jump, label, 0)),
            };
        }
        Insn::JumpIf { cond, width, dst, off, .. } => {
            fields.dst = register(c)?;
            comma(c)?;
            let src = operand(c, &mut fields)?;
            comma(c)?;
            return near(c, Insn::JumpIf { cond, width, dst, src, off }, fields);
        }
        Insn::Call(_) => return call(c),
        Insn::CallX { .. } => {
            fields.dst = register(c)?;
            row
        }
        Insn::Exit => row,
    };
    Ok(row.with(&fields).into())
}

fn comma(c: &mut Cursor<'_>) -> Result<()> {
    if c.next_byte() == Some(b',') {
        c.pass();
        return Ok(());
    }
    Err(c.expected("`,`"))
}

/// Whether a register comes next, or what is meant for one.
fn at_register(c: &Cursor<'_>) -> bool {
    let mut ahead = *c;
    ahead.next_byte() == Some(b'%') || ahead.at_register()
}

/// `%r3`, `r3`, or the GNU assembler's `%fp`.
fn register(c: &mut Cursor<'_>) -> Result<Reg> {
    let (before, start) = (*c, c.place());
    let percent = c.next_byte() == Some(b'%');
    if percent {
        c.pass();
    }
    let number = match c.run().text.as_bytes() {
        [b'r', digit @ b'0'..=b'9'] => Some(digit - b'0'),
        b"r10" => Some(10),
        b"fp" if percent => Some(10),
        _ => None,
    };
    number.and_then(Reg::new).ok_or_else(|| no_register(before, c.since(start)))
}

#[cold]
fn no_register(mut before: Cursor<'_>, token: Token<'_>) -> LineError {
    if at_register(&before) {
        return token.fault(TextFault::NumberedRegister { name: quote(token.text) });
    }
    before.expected("a register")
}

/// A register or an immediate; the value goes to the fields.
fn operand(c: &mut Cursor<'_>, fields: &mut Fields) -> Result<Operand> {
    if at_register(c) {
        fields.src = register(c)?;
        return Ok(Operand::Reg(Reg::R0));
    }
    if !c.at_number() {
        return Err(c.expected("a register or a number"));
    }
    fields.imm = c.number()?.to_bits32(IMM)?;
    Ok(Operand::Imm(0))
}

/// `[%r6+112]`, `[%r6 - 8]` or `[%r6]`.
fn memory(c: &mut Cursor<'_>) -> Result<(Reg, i16)> {
    c.expect("[")?;
    let base = register(c)?;
    let off = c.displacement()?.map_or(Ok(0), |n| n.to_bits16("a 16-bit offset"))?;
    c.expect("]")?;
    Ok((base, off))
}

/// A distance, or the label that stands for one.
fn target<'a>(c: &mut Cursor<'a>) -> Result<core::result::Result<Number<'a>, Token<'a>>> {
    if c.at_number() {
        return c.number().map(Ok);
    }
    c.word().map(Err).ok_or_else(|| c.expected("a distance or a label"))
}

/// A jump of 16 bits, whose other operands are read.
fn near<'a>(c: &mut Cursor<'a>, row: Insn, fields: Fields) -> Result<Statement<'a>> {
    match target(c)? {
        Ok(distance) => {
            let off = distance.to_bits16("a 16-bit jump distance")?;
            Ok(row.with(&Fields { off, ..fields }).into())
        }
        Err(label) => Ok(Statement::named(row.with(&fields), NameKind::Jump, label, 0)),
    }
}

/// The width behind the operands, where the name has none: `, 16`.
fn width(c: &mut Cursor<'_>, choices: &'static str) -> Result<(u32, Token<'static>)> {
    comma(c)?;
    let start = c.place();
    let bits = c.number()?.to_u16(choices)?;
    Ok((bits.into(), Token { text: "", at: start }))
}

/// The sign extension from as many bits as an operand says.
fn extension(c: &mut Cursor<'_>, op: MovSx) -> Result<MovSx> {
    let (bits, token) = width(c, "a width")?;
    let found = MovSx::ALL.into_iter().find(|m| m.width() == op.width() && m.from_bits() == bits);
    found.ok_or_else(|| c.since(token.at).fault(TextFault::Bits { bits, choices: "8, 16, and 32 to a whole register" }))
}

/// The byte swap of as many bits as an operand says.
fn swap(c: &mut Cursor<'_>, op: EndianOp) -> Result<EndianOp> {
    let (bits, token) = width(c, "a width")?;
    let same = |r: &&crate::EndianRow| r.code == op.row().code && r.bits as u32 == bits;
    let found = EndianOp::ROWS.iter().find(same).map(|r| r.op);
    found.ok_or_else(|| c.since(token.at).fault(TextFault::Bits { bits, choices: "16, 32, 64" }))
}

fn addr_space_cast<'a>(c: &mut Cursor<'a>) -> Result<Statement<'a>> {
    let dst = register(c)?;
    comma(c)?;
    let src = register(c)?;
    comma(c)?;
    let to = c.number()?.to_u16("an address space")?;
    comma(c)?;
    let from = c.number()?.to_u16("an address space")?;
    Ok(Insn::AddrSpaceCast { dst, src, to, from }.into())
}

/// `%r1, 0x12345678`, `%r1, map_fd(3)`, or `%r1, flows + 8`.
fn wide<'a>(c: &mut Cursor<'a>) -> Result<Statement<'a>> {
    let dst = register(c)?;
    comma(c)?;
    if c.at_number() {
        let value = c.number()?.to_bits64("a 64-bit immediate")?;
        return Ok(Insn::LoadImm64 { dst, value }.into());
    }
    let word = c.word().ok_or_else(|| c.expected("a number or a name"))?;
    if c.next_byte() == Some(b'(') {
        c.pass();
        let value = pseudo_named(c, word.text).unwrap_or_else(|| Err(unknown(word)))?;
        return Ok(Insn::LoadPseudo { dst, value }.into());
    }
    let addend = c.displacement()?.map_or(Ok(0), |n| n.to_i64("an offset"))?;
    Ok(Statement::named(Insn::LoadImm64 { dst, value: 0 }, NameKind::Address, word, addend))
}

/// `7`, `bpf_map_lookup_elem`, `helper 7`, `local +4`, `local func`, `runtime 12`, `kfunc(12, 0)`, or a register.
fn call<'a>(c: &mut Cursor<'a>) -> Result<Statement<'a>> {
    const ID: &str = "a helper's number";
    if at_register(c) {
        return Ok(Insn::CallX { target: register(c)? }.into());
    }
    if c.at_number() {
        return Ok(Insn::Call(CallTarget::Helper(c.number()?.to_bits32(ID)?)).into());
    }
    let word = c.word().ok_or_else(|| c.expected("what is called"))?;
    let target = match word.text {
        _ if c.at_end() => return Ok(Statement::named(Insn::Call(CallTarget::Helper(0)), NameKind::Call, word, 0)),
        "helper" => CallTarget::Helper(c.number()?.to_bits32(ID)?),
        "runtime" => CallTarget::Kfunc { id: c.number()?.to_bits32("a BTF id")?, fd_idx: 0 },
        "local" => match self::target(c)? {
            Ok(distance) => CallTarget::Local(distance.to_bits32("a 32-bit call distance")?),
            Err(label) => {
                return Ok(Statement::named(Insn::Call(CallTarget::Local(0)), NameKind::Local, label, 0));
            }
        },
        "kfunc" if c.eat("(") => {
            let id = c.number()?.to_bits32(IMM)?;
            comma(c)?;
            let fd_idx = c.number()?.to_i16("a 16-bit descriptor index")?;
            c.expect(")")?;
            CallTarget::Kfunc { id, fd_idx }
        }
        _ => return Ok(Statement::named(Insn::Call(CallTarget::Helper(0)), NameKind::Call, word, 0)),
    };
    Ok(Insn::Call(target).into())
}
