//! One macro: its arguments to fields, its fields to an instruction.

use super::expr::{Value, argument};
use super::rows::{Field, Row, by_name};
use crate::decode::decode;
use crate::insn::{CallTarget, Insn};
use crate::raw::{RawInsn, Reg, Slot};
use crate::text::cursor::{Cursor, LineError, Result, Token};
use crate::text::error::{TextFault, quote};
use crate::text::fields::IMM;
use crate::text::statement::{NameKind, Statement};

/// Lines of C around the macros of a program: `struct bpf_insn prog[] = {` and `};`.
pub(in crate::text) fn boilerplate(line: &str) -> bool {
    // Most lines are macros, which is told at once.
    if line.starts_with("BPF_") {
        return false;
    }
    let line = line.trim();
    let opens = line.ends_with('{') && ["struct ", "static ", "const ", "{"].iter().any(|w| line.starts_with(w));
    opens || matches!(line, "}" | "};" | "},")
}

/// The macro that comes next, and the comma behind it.
pub(in crate::text) fn statement<'a>(c: &mut Cursor<'a>) -> Result<Statement<'a>> {
    let word = c.word().ok_or_else(|| c.expected("a macro"))?;
    let row = by_name(word.text).ok_or_else(|| word.fault(TextFault::Mnemonic { name: quote(word.text) }))?;
    let mut filled = Filled::new(row);
    c.expect("(")?;
    for (n, &field) in row.fields.iter().enumerate() {
        if n > 0 && c.next_byte() == Some(b')') {
            return Err(count(c, word, row, n));
        }
        if n > 0 {
            c.expect(",")?;
        }
        filled.take(field, argument(c)?)?;
    }
    if c.next_byte() == Some(b',') {
        return Err(count(c, word, row, arguments_in(*c, row.fields.len())));
    }
    c.expect(")")?;
    let whole = c.since(word.at);
    if let Some(b',' | b';') = c.next_byte() {
        c.pass();
    }
    filled.statement(whole)
}

/// How many arguments there are, at least `read`.
fn arguments_in(mut c: Cursor<'_>, read: usize) -> usize {
    let mut n = read;
    while c.next_byte() == Some(b',') {
        c.pass();
        n += 1;
        if argument(&mut c).is_err() {
            break;
        }
    }
    n
}

fn count(c: &Cursor<'_>, word: Token<'_>, row: &Row, found: usize) -> LineError {
    c.since(word.at).fault(TextFault::Arguments { name: row.name, want: row.fields.len(), found })
}

/// The fields so far.
struct Filled<'a> {
    raw: RawInsn,
    next: i32,
    name: Option<(Field, Token<'a>, i64)>,
}

impl<'a> Filled<'a> {
    fn new(row: &Row) -> Self {
        Filled { raw: RawInsn { code: row.code, regs: row.src << 4, off: 0, imm: 0 }, next: 0, name: None }
    }

    fn take(&mut self, field: Field, value: Value<'a>) -> Result<()> {
        let raw = &mut self.raw;
        match (field, value) {
            (Field::Off | Field::Imm | Field::Imm64, Value::Name(token, addend)) => {
                self.name = Some((field, token, addend));
            }
            (Field::Op, value) => raw.code |= value.number()?.below(256, "an opcode")? as u8 & 0xf0,
            (Field::Size, value) => raw.code |= value.number()?.below(256, "an opcode")? as u8 & 0x18,
            (Field::Order, value) => raw.code |= value.number()?.below(256, "an opcode")? as u8 & 0x08,
            (Field::Code, value) => raw.code = value.number()?.below(256, "an opcode")? as u8,
            (Field::Dst, value) => raw.regs |= value.number()?.below(11, "a register's number")? as u8,
            (Field::Src, value) => raw.regs |= (value.number()?.below(11, "a register's number")? as u8) << 4,
            (Field::Off, value) => raw.off = value.number()?.to_i16("a 16-bit offset")?,
            (Field::Imm, value) => raw.imm = value.number()?.to_bits32(IMM)?,
            (Field::Next, value) => self.next = value.number()?.to_bits32(IMM)?,
            (Field::Imm64, value) => {
                let bits = value.number()?.to_bits64("a 64-bit immediate")?;
                (raw.imm, self.next) = (bits as u32 as i32, (bits >> 32) as u32 as i32);
            }
        }
        Ok(())
    }

    fn statement(self, whole: Token<'a>) -> Result<Statement<'a>> {
        let words = [self.raw, RawInsn { imm: self.next, ..RawInsn::default() }];
        // A name behind a wide load is an address, whatever else is said of it.
        if let (0x18, Some((_, token, addend))) = (self.raw.code, self.name) {
            let dst = Reg::new(self.raw.dst()).unwrap_or(Reg::R0);
            return Ok(Statement::named(Insn::LoadImm64 { dst, value: 0 }, NameKind::Address, token, addend));
        }
        let fault = |fault| whole.fault(TextFault::Fields { fault });
        let (insn, _) = decode(&words, Slot(0)).map_err(|e| fault(e.fault))?;
        let Some((field, token, addend)) = self.name else { return Ok(insn.into()) };
        let unknown = token.fault(TextFault::Constant { name: quote(token.text) });
        let kind = match insn {
            _ if addend != 0 => return Err(unknown),
            Insn::Call(CallTarget::Local(_)) => NameKind::Local,
            Insn::Call(CallTarget::Helper(_)) if field == Field::Imm => {
                let name = token.text.strip_prefix("BPF_FUNC_").unwrap_or(token.text);
                let token = Token { text: name, at: token.at + token.text.len() - name.len() };
                return Ok(Statement::named(insn, NameKind::Call, token, 0));
            }
            Insn::JumpLong { .. } if field == Field::Imm => NameKind::Jump,
            Insn::Jump { .. } | Insn::MayGoto { .. } | Insn::JumpIf { .. } if field == Field::Off => NameKind::Jump,
            _ => return Err(unknown),
        };
        Ok(Statement::named(insn, kind, token, 0))
    }
}
