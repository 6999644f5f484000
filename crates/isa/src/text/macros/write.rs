//! Instructions as macros.

use core::fmt::{Result, Write};

use crate::insn::{CallTarget, Insn, Operand, Pseudo};
use crate::ops::{AluOp, AtomicOp, EndianOp, MemSize, Width};
use crate::raw::Reg;
use crate::text::digits::{dec, hex};
use crate::text::print::Shown;

/// One instruction, with a comma behind it; `shown` says what stands in place of a number.
pub(in crate::text) fn write<W: Write>(w: &mut W, insn: &Insn, shown: Shown<'_>) -> Result {
    let mut call = Call { w, first: true };
    call.insn(insn, shown)?;
    w.write_str("),")
}

/// A macro that is being written.
struct Call<'a, W> {
    w: &'a mut W,
    first: bool,
}

fn register(reg: Reg) -> &'static str {
    const NAMES: [&str; 11] = [
        "BPF_REG_0",
        "BPF_REG_1",
        "BPF_REG_2",
        "BPF_REG_3",
        "BPF_REG_4",
        "BPF_REG_5",
        "BPF_REG_6",
        "BPF_REG_7",
        "BPF_REG_8",
        "BPF_REG_9",
        "BPF_REG_10",
    ];
    NAMES[reg.index()]
}

fn size_name(size: MemSize) -> &'static str {
    match size {
        MemSize::B => "BPF_B",
        MemSize::H => "BPF_H",
        MemSize::W => "BPF_W",
        MemSize::Dw => "BPF_DW",
    }
}

/// The name's part that says the width: `32` or `64`.
fn bits(width: Width) -> &'static str {
    match width {
        Width::W32 => "32",
        Width::W64 => "64",
    }
}

impl<W: Write> Call<'_, W> {
    /// Begins a macro whose name has these parts.
    fn begin(&mut self, parts: &[&str]) -> Result {
        parts.iter().try_for_each(|p| self.w.write_str(p))?;
        self.w.write_str("(")
    }

    fn comma(&mut self) -> Result {
        if core::mem::take(&mut self.first) { Ok(()) } else { self.w.write_str(", ") }
    }

    fn word(&mut self, word: &str) -> Result {
        self.comma()?;
        self.w.write_str(word)
    }

    fn number(&mut self, value: i64) -> Result {
        self.comma()?;
        dec(self.w, value)
    }

    fn register(&mut self, reg: Reg) -> Result {
        self.word(register(reg))
    }

    /// The name of an operator, which is its mnemonic in capitals.
    fn operator(&mut self, mnemonic: &str) -> Result {
        self.word("BPF_")?;
        mnemonic.bytes().try_for_each(|b| self.w.write_char(b.to_ascii_uppercase().into()))
    }

    fn operand(&mut self, operand: Operand) -> Result {
        match operand {
            Operand::Reg(reg) => self.register(reg),
            Operand::Imm(imm) => self.number(imm.into()),
        }
    }

    fn insn(&mut self, insn: &Insn, shown: Shown<'_>) -> Result {
        match *insn {
            Insn::Alu { op, width, dst, src } => self.alu(op, width, dst, src),
            Insn::Neg { width, dst } => {
                self.begin(&["BPF_ALU", bits(width), "_IMM"])?;
                self.word("BPF_NEG")?;
                self.register(dst)?;
                self.number(0)
            }
            Insn::MovSx { op, dst, src } => {
                self.begin(&["BPF_MOVSX", bits(op.width()), "_REG"])?;
                self.register(dst)?;
                self.register(src)?;
                self.number(op.from_bits().into())
            }
            Insn::Endian { op, dst } => self.endian(op, dst),
            Insn::AddrSpaceCast { dst, src, to, from } => {
                self.raw("BPF_ALU64 | BPF_MOV | BPF_X", [register(dst), register(src)])?;
                self.word("BPF_ADDR_SPACE_CAST")?;
                self.number((u32::from(to) << 16 | u32::from(from)).cast_signed().into())
            }
            Insn::LoadImm64 { dst, value } => {
                self.begin(&["BPF_LD_IMM64"])?;
                self.register(dst)?;
                self.comma()?;
                hex(self.w, value)
            }
            Insn::LoadPseudo { dst, value } => self.address(dst, value, shown),
            Insn::Load { size, dst, base, off } => self.memory("BPF_LDX_MEM", size, dst, base, off),
            Insn::LoadSx { size, dst, base, off } => self.memory("BPF_LDX_MEMSX", size.size(), dst, base, off),
            Insn::Store { size, base, off, src: Operand::Reg(src) } => self.memory("BPF_STX_MEM", size, base, src, off),
            Insn::Store { size, base, off, src: Operand::Imm(imm) } => {
                self.begin(&["BPF_ST_MEM"])?;
                self.word(size_name(size))?;
                self.register(base)?;
                self.number(off.into())?;
                self.number(imm.into())
            }
            Insn::Atomic { op, width, base, off, src } => {
                let size = if width == Width::W32 { MemSize::W } else { MemSize::Dw };
                self.atomic(size, atomic_name(op), base, src, off)
            }
            Insn::LoadAcquire { size, dst, base, off } => self.atomic(size, "BPF_LOAD_ACQ", dst, base, off),
            Insn::StoreRelease { size, base, off, src } => self.atomic(size, "BPF_STORE_REL", base, src, off),
            Insn::LdAbs { size, imm } => {
                self.begin(&["BPF_LD_ABS"])?;
                self.word(size_name(size.size()))?;
                self.number(imm.into())
            }
            Insn::LdInd { size, src, imm } => {
                self.begin(&["BPF_LD_IND"])?;
                self.word(size_name(size.size()))?;
                self.register(src)?;
                self.number(imm.into())
            }
            Insn::Jump { off } => {
                self.begin(&["BPF_JMP_A"])?;
                self.target(off.into(), shown)
            }
            Insn::JumpLong { off } => {
                self.begin(&["BPF_JMP32_A"])?;
                self.target(off, shown)
            }
            Insn::MayGoto { off } => {
                self.raw("BPF_JMP | BPF_JCOND", ["0", "0"])?;
                self.target(off.into(), shown)?;
                self.number(0)
            }
            Insn::JumpIf { cond, width, dst, src, off } => {
                let class = if width == Width::W32 { "BPF_JMP32" } else { "BPF_JMP" };
                self.begin(&[class, if matches!(src, Operand::Reg(_)) { "_REG" } else { "_IMM" }])?;
                self.operator(cond.row().mnemonic)?;
                self.register(dst)?;
                self.operand(src)?;
                self.target(off.into(), shown)
            }
            Insn::Call(target) => self.call(target, shown),
            Insn::CallX { target } => {
                self.raw("BPF_JMP | BPF_CALL | BPF_X", [register(target), "0"])?;
                self.number(0)?;
                self.number(0)
            }
            Insn::Exit => self.begin(&["BPF_EXIT_INSN"]),
        }
    }

    /// `BPF_RAW_INSN`, up to the source.
    fn raw(&mut self, code: &str, [dst, src]: [&str; 2]) -> Result {
        self.begin(&["BPF_RAW_INSN"])?;
        [code, dst, src].iter().try_for_each(|w| self.word(w))
    }

    fn alu(&mut self, op: AluOp, width: Width, dst: Reg, src: Operand) -> Result {
        let kind = if matches!(src, Operand::Reg(_)) { "_REG" } else { "_IMM" };
        if op == AluOp::Mov {
            self.begin(&["BPF_MOV", bits(width), kind])?;
            self.register(dst)?;
            return self.operand(src);
        }
        let row = op.row();
        self.begin(&["BPF_ALU", bits(width), kind, if row.off == 0 { "" } else { "_OFF" }])?;
        // Signed division is division with an offset.
        let plain = AluOp::ROWS.iter().find(|r| r.code == row.code && r.off == 0).unwrap_or(row);
        self.operator(plain.mnemonic)?;
        self.register(dst)?;
        self.operand(src)?;
        if row.off == 0 { Ok(()) } else { self.number(row.off.into()) }
    }

    fn endian(&mut self, op: EndianOp, dst: Reg) -> Result {
        let order = match op {
            EndianOp::Le16 | EndianOp::Le32 | EndianOp::Le64 => Some("BPF_TO_LE"),
            EndianOp::Be16 | EndianOp::Be32 | EndianOp::Be64 => Some("BPF_TO_BE"),
            EndianOp::Swap16 | EndianOp::Swap32 | EndianOp::Swap64 => None,
        };
        self.begin(&[if order.is_some() { "BPF_ENDIAN" } else { "BPF_BSWAP" }])?;
        order.map_or(Ok(()), |order| self.word(order))?;
        self.register(dst)?;
        self.number(op.row().bits.into())
    }

    fn memory(&mut self, name: &str, size: MemSize, dst: Reg, src: Reg, off: i16) -> Result {
        self.begin(&[name])?;
        self.word(size_name(size))?;
        self.register(dst)?;
        self.register(src)?;
        self.number(off.into())
    }

    fn atomic(&mut self, size: MemSize, op: &str, dst: Reg, src: Reg, off: i16) -> Result {
        self.begin(&["BPF_ATOMIC_OP"])?;
        self.word(size_name(size))?;
        self.word(op)?;
        self.register(dst)?;
        self.register(src)?;
        self.number(off.into())
    }

    fn target(&mut self, off: i32, shown: Shown<'_>) -> Result {
        match shown {
            Shown::Label(label) => self.word(label),
            _ => self.number(off.into()),
        }
    }

    fn call(&mut self, target: CallTarget, shown: Shown<'_>) -> Result {
        match (target, shown) {
            (CallTarget::Local(off), _) => {
                self.begin(&["BPF_CALL_REL"])?;
                self.target(off, shown)
            }
            (_, Shown::Call(name)) => {
                self.begin(&["BPF_EMIT_CALL"])?;
                self.word("BPF_FUNC_")?;
                self.w.write_str(name.strip_prefix("bpf_").unwrap_or(name))
            }
            (CallTarget::Helper(id), _) => {
                self.begin(&["BPF_EMIT_CALL"])?;
                self.number(id.into())
            }
            (CallTarget::Kfunc { id, fd_idx }, _) => {
                self.begin(&["BPF_CALL_KFUNC"])?;
                self.number(fd_idx.into())?;
                self.number(id.into())
            }
        }
    }

    fn address(&mut self, dst: Reg, value: Pseudo, shown: Shown<'_>) -> Result {
        if let Shown::Address(name, addend) = shown {
            self.begin(&["BPF_LD_MAP_FD"])?;
            self.register(dst)?;
            self.word(name)?;
            if addend != 0 {
                self.w.write_str(if addend < 0 { " - " } else { " + " })?;
                dec(self.w, addend.unsigned_abs() as i64)?;
            }
            return Ok(());
        }
        let (kind, first, second) = match value {
            Pseudo::MapFd(fd) => {
                self.begin(&["BPF_LD_MAP_FD"])?;
                self.register(dst)?;
                return self.number(fd.into());
            }
            Pseudo::MapValue { fd, off } => {
                self.begin(&["BPF_LD_MAP_VALUE"])?;
                self.register(dst)?;
                self.number(fd.into())?;
                return self.number(off.into());
            }
            Pseudo::BtfVar { id, fd } => ("BPF_PSEUDO_BTF_ID", id, fd),
            Pseudo::Func(off) => ("BPF_PSEUDO_FUNC", off, 0),
            Pseudo::MapIdx(idx) => ("BPF_PSEUDO_MAP_IDX", idx, 0),
            Pseudo::MapIdxValue { idx, off } => ("BPF_PSEUDO_MAP_IDX_VALUE", idx, off),
        };
        self.begin(&["BPF_LD_IMM64_RAW"])?;
        self.register(dst)?;
        self.word(kind)?;
        if let Shown::Label(label) = shown {
            return self.word(label);
        }
        self.comma()?;
        hex(self.w, u64::from(first as u32) | u64::from(second as u32) << 32)
    }
}

fn atomic_name(op: AtomicOp) -> &'static str {
    match op {
        AtomicOp::Add => "BPF_ADD",
        AtomicOp::Or => "BPF_OR",
        AtomicOp::And => "BPF_AND",
        AtomicOp::Xor => "BPF_XOR",
        AtomicOp::FetchAdd => "BPF_ADD | BPF_FETCH",
        AtomicOp::FetchOr => "BPF_OR | BPF_FETCH",
        AtomicOp::FetchAnd => "BPF_AND | BPF_FETCH",
        AtomicOp::FetchXor => "BPF_XOR | BPF_FETCH",
        AtomicOp::Xchg => "BPF_XCHG",
        AtomicOp::Cmpxchg => "BPF_CMPXCHG",
    }
}
