//! Stack: spills and fills, bytes written and read.

use oxbpf_isa::Reg as R;

use crate::code::Code;
use crate::explore::Explorer;
use crate::memory::{Access, Value};
use crate::pointer::MAX_OFFSET;
use crate::reg::{Kind, Reg};
use crate::report::{Checked, Fault};
use crate::scalar::Link;
use crate::state::{Byte, Frame, StackSlot};

/// The largest stack of one function.
pub(crate) const MAX_STACK: i64 = 512;

/// The slot that a byte of stack belongs to, and its place in it.
fn place(off: i64) -> (usize, usize) {
    (((-off - 1) / 8) as usize, off.rem_euclid(8) as usize)
}

fn scrub(slot: &mut StackSlot) {
    for byte in slot.bytes.iter_mut().filter(|b| **b != Byte::Invalid) {
        *byte = Byte::Misc;
    }
    slot.spill = Reg::NOT_INIT;
}

impl Explorer<'_> {
    fn frame_at(&mut self, frame: u8) -> &mut Frame {
        &mut self.cur.state.frames[frame as usize]
    }

    fn byte(&self, frame: u8, off: i64) -> Byte {
        let (spi, at) = place(off);
        self.cur.state.frames[frame as usize].stack.get(spi).map_or(Byte::Invalid, |slot| slot.bytes[at])
    }

    #[allow(clippy::too_many_arguments)]
    pub(super) fn stack_access(
        &mut self,
        base: R,
        reg: &Reg,
        frame: u8,
        off: i64,
        size: u32,
        access: Access,
        value: Value,
    ) -> Checked {
        let bytes = i64::from(size);
        self.stack_bounds(base, reg, frame, off, bytes, access)?;
        match (reg.num.as_const(), access) {
            (Some(var), Access::Read) => self.read_fixed(frame, off + var as i64, bytes, value),
            (Some(var), Access::Write) => self.write_fixed(frame, off + var as i64, bytes, value),
            (None, Access::Read) => self.read_variable(base, reg, frame, off, bytes, value),
            (None, Access::Write) => self.write_variable(base, reg, frame, off, bytes, value),
        }
    }

    /// Bounds of a stack access; the frame grows as deep as it reaches.
    fn stack_bounds(&mut self, base: R, reg: &Reg, frame: u8, off: i64, size: i64, access: Access) -> Checked {
        let n = base as u8;
        let what = if access == Access::Read { "read from" } else { "write to" };
        let (low, high) = match reg.num.as_const() {
            Some(var) => (var as i64 + off, var as i64 + off + size),
            None if reg.num.smax >= MAX_OFFSET || reg.num.smin <= -MAX_OFFSET => {
                let text = format!("invalid unbounded variable-offset {what} stack R{n}");
                return Err(Fault::new(Code::StackBounds, text));
            }
            None => (reg.num.smin + off, reg.num.smax + off + size),
        };
        let free = access == Access::Write || self.options.caps.perfmon;
        let deepest = if free { MAX_STACK } else { 8 * self.frame_at(frame).stack.len() as i64 };
        if low < -deepest || low > -1 || high > 0 {
            let text = match reg.num.as_const() {
                Some(_) => format!("invalid {what} stack R{n} off={low} size={size}"),
                None => {
                    format!("invalid variable-offset {what} stack R{n} var_off={} off={off} size={size}", reg.num.tnum)
                }
            };
            // What is inside of a frame, and still too deep to be read, was never written.
            let unwritten = reg.num.as_const().is_some() && (-MAX_STACK..0).contains(&low) && high <= 0;
            return Err(Fault::new(if unwritten { Code::StackUninit } else { Code::StackBounds }, text));
        }
        self.grow(frame, -low);
        Ok(())
    }

    fn grow(&mut self, frame: u8, bytes: i64) {
        let slots = (bytes as usize).div_ceil(8);
        let target = self.frame_at(frame);
        if target.stack.len() < slots {
            target.stack.resize(slots, StackSlot::EMPTY);
        }
        let func = target.func.index();
        self.stack_depth[func] = self.stack_depth[func].max(8 * slots as u32);
    }

    fn note_stack(&mut self, frame: u8, spi: usize) {
        self.step().stack = Some((frame, spi as u8));
    }

    fn write_fixed(&mut self, frame: u8, off: i64, size: i64, value: Value) -> Checked {
        let (spi, at) = place(off);
        let caps = self.options.caps;
        let old = self.frame_at(frame).stack[spi];
        if !caps.perfmon && old.is_spill() && !old.spill.is_scalar() && size != 8 {
            return Err(Fault::new(Code::StackSpill, "attempt to corrupt spilled pointer on stack"));
        }
        if at == 0 && size == 8 {
            self.stack_live.write(frame, spi);
        }
        let own = usize::from(frame) == self.cur.state.depth();
        let stored = match value {
            Value::Reg(reg) => Some(*self.reg(reg)),
            Value::Imm(imm) if caps.bpf => Some(Reg::constant(imm as i64 as u64)),
            _ => None,
        };
        match stored {
            Some(mut reg) if at == 0 && reg.is_scalar() && caps.bpf => {
                let fits = fits(&reg, size);
                if let (Value::Reg(from), true) = (value, fits) {
                    self.name_number(from);
                    reg = *self.reg(from);
                }
                if !fits {
                    reg.set_link(Link::NONE);
                }
                self.spill(frame, spi, reg, size);
            }
            Some(reg) if reg.is_pointer() => {
                if size != 8 {
                    return Err(Fault::new(Code::StackSpill, "invalid size of register spill"));
                }
                if !own && matches!(reg.kind, Kind::Stack(_)) {
                    let text = "cannot spill pointers to stack into stack frame of the caller";
                    return Err(Fault::new(Code::StackSpill, text));
                }
                self.spill(frame, spi, reg, size);
            }
            _ => return self.write_bytes(frame, off, size, value),
        }
        self.note_stack(frame, spi);
        Ok(())
    }

    fn spill(&mut self, frame: u8, spi: usize, reg: Reg, size: i64) {
        let leaks = self.options.caps.perfmon;
        let slot = &mut self.frame_at(frame).stack[spi];
        slot.spill = reg;
        for (i, byte) in (0..).zip(slot.bytes.iter_mut()) {
            if i < size {
                *byte = Byte::Spill;
            } else if *byte != Byte::Zero && !(leaks && *byte == Byte::Invalid) {
                *byte = Byte::Misc;
            }
        }
    }

    /// Bytes that are no spill.
    fn write_bytes(&mut self, frame: u8, off: i64, size: i64, value: Value) -> Checked {
        let (spi, at) = place(off);
        let slot = &mut self.frame_at(frame).stack[spi];
        if slot.is_spill() {
            scrub(slot);
        }
        slot.spill = Reg::NOT_INIT;
        let byte = match value {
            Value::Reg(reg) if self.reg(reg).is_null() => {
                self.mark_precise(reg);
                Byte::Zero
            }
            Value::Imm(0) => Byte::Zero,
            _ => Byte::Misc,
        };
        self.frame_at(frame).stack[spi].bytes[at..at + size as usize].fill(byte);
        Ok(())
    }

    fn write_variable(&mut self, base: R, reg: &Reg, frame: u8, off: i64, size: i64, value: Value) -> Checked {
        let caps = self.options.caps;
        if !caps.perfmon {
            return Err(self.variable_prohibited(base, reg, off));
        }
        let zero = match value {
            Value::Reg(reg) => self.reg(reg).is_null(),
            Value::Imm(imm) => imm == 0,
            Value::Other => false,
        };
        let mut zero_kept = false;
        for at in reg.num.smin + off..reg.num.smax + off + size {
            let (spi, i) = place(at);
            let slot = &mut self.frame_at(frame).stack[spi];
            if zero && slot.bytes[i] == Byte::Spill && slot.is_spill() && slot.spill.is_null() {
                zero_kept = true;
                continue;
            }
            if slot.is_spill() {
                scrub(slot);
            }
            let keeps = zero && slot.bytes[i] == Byte::Zero;
            zero_kept |= keeps;
            slot.bytes[i] = if keeps { Byte::Zero } else { Byte::Misc };
        }
        if let (Value::Reg(reg), true) = (value, zero_kept) {
            self.mark_precise(reg);
        }
        Ok(())
    }

    fn read_variable(&mut self, base: R, reg: &Reg, frame: u8, off: i64, size: i64, value: Value) -> Checked {
        let Value::Reg(dst) = value else {
            let text = format!(
                "variable offset stack pointer cannot be passed into helper function; var_off={} off={off} size={size}",
                reg.num.tnum
            );
            return Err(Fault::new(Code::StackBounds, text));
        };
        if !self.options.caps.perfmon {
            return Err(self.variable_prohibited(base, reg, off));
        }
        self.stack_range(base, reg, frame, off, size, Access::Read, false, false)?;
        self.read_bytes(frame, reg.num.smin + off, reg.num.smax + off + size, dst);
        Ok(())
    }

    fn variable_prohibited(&self, base: R, reg: &Reg, off: i64) -> Box<Fault> {
        let text = format!(
            "R{} variable offset stack access prohibited for !root, var_off={} off={off}",
            base as u8, reg.num.tnum
        );
        Fault::new(Code::StackBounds, text)
    }

    /// A number read from bytes of stack: zero where all are.
    fn read_bytes(&mut self, frame: u8, low: i64, high: i64, dst: R) {
        let zero = (low..high).all(|off| self.byte(frame, off) == Byte::Zero);
        self.set(dst, if zero { Reg::constant(0) } else { Reg::UNKNOWN });
    }

    fn read_fixed(&mut self, frame: u8, off: i64, size: i64, value: Value) -> Checked {
        let (spi, at) = place(off);
        self.stack_live.read(frame, spi);
        let slot = self.frame_at(frame).stack[spi];
        if !slot.is_spill() {
            self.check_bytes(frame, off, size)?;
            if let Value::Reg(dst) = value {
                self.read_bytes(frame, off, off + size, dst);
            }
            return Ok(());
        }
        let spilled = slot.bytes.iter().take_while(|b| **b == Byte::Spill).count() as i64;
        if size == 8 && spilled == 8 {
            return self.fill(frame, spi, off, value);
        }
        if !slot.spill.is_scalar() {
            return Err(Fault::new(Code::StackSpill, "invalid size of register fill"));
        }
        let Value::Reg(dst) = value else { return Ok(()) };
        if size <= spilled && at == 0 {
            if self.options.caps.bpf && size == 4 && spilled == 4 && fits(&slot.spill, 4) {
                self.name_slot(frame, spi);
            }
            let mut reg = self.frame_at(frame).stack[spi].spill;
            if !fits(&reg, size) {
                reg.set_link(Link::NONE);
            }
            *self.reg_mut(dst) = reg;
            self.note_stack(frame, spi);
            return Ok(());
        }
        self.check_bytes(frame, off, size)?;
        let count = |kind: Byte| (0..size).filter(|i| self.byte(frame, off + i) == kind).count() as i64;
        if count(Byte::Spill) == size && slot.spill.is_null() {
            self.set(dst, Reg::constant(0));
            self.note_stack(frame, spi);
        } else {
            let zero = count(Byte::Zero) == size;
            self.set(dst, if zero { Reg::constant(0) } else { Reg::UNKNOWN });
        }
        Ok(())
    }

    /// A whole spilled register comes back.
    fn fill(&mut self, frame: u8, spi: usize, off: i64, value: Value) -> Checked {
        match value {
            Value::Reg(dst) => {
                if self.options.caps.bpf {
                    self.name_slot(frame, spi);
                }
                *self.reg_mut(dst) = self.frame_at(frame).stack[spi].spill;
                self.note_stack(frame, spi);
                Ok(())
            }
            _ if self.secret(&self.cur.state.frames[frame as usize].stack[spi].spill) => {
                Err(Fault::new(Code::PointerLeak, format!("leaking pointer from stack off {off}")))
            }
            _ => {
                self.note_stack(frame, spi);
                Ok(())
            }
        }
    }

    fn name_slot(&mut self, frame: u8, spi: usize) {
        let mut spill = self.frame_at(frame).stack[spi].spill;
        self.name(&mut spill);
        self.frame_at(frame).stack[spi].spill = spill;
    }

    /// Bytes that are read as a number must have been written, unless the process may read anything.
    fn check_bytes(&self, frame: u8, off: i64, size: i64) -> Checked {
        let free = self.options.caps.perfmon;
        for i in 0..size {
            if self.byte(frame, off + i) == Byte::Invalid && !free {
                let text = format!("invalid read from stack off {off}+{i} size {size}");
                return Err(Fault::new(Code::StackUninit, text));
            }
        }
        Ok(())
    }

    /// Stack that a helper is given, or that is read at an offset that varies.
    #[allow(clippy::too_many_arguments)]
    pub(crate) fn stack_range(
        &mut self,
        base: R,
        reg: &Reg,
        frame: u8,
        off: i64,
        size: i64,
        access: Access,
        zero_ok: bool,
        raw: bool,
    ) -> Checked {
        if size == 0 && !zero_ok {
            return Err(Fault::new(Code::ArgumentSize, "invalid zero-sized read"));
        }
        let bounds = if access == Access::Write || raw { Access::Write } else { Access::Read };
        self.stack_bounds(base, reg, frame, off, size, bounds)?;
        let known = reg.num.as_const();
        if known.is_none() && !self.options.caps.perfmon {
            let text =
                format!("R{} variable offset stack access prohibited for !root, var_off={}", base as u8, reg.num.tnum);
            return Err(Fault::new(Code::StackBounds, text));
        }
        if raw && known.is_some() {
            self.raw_fill = Some((base, size as u32));
            return Ok(());
        }
        let (low, high) = match known {
            Some(var) => (off + var as i64, off + var as i64),
            None => (reg.num.smin + off, reg.num.smax + off),
        };
        for at in low..high + size {
            self.range_byte(base, reg, frame, at, at - low, size, access)?;
        }
        Ok(())
    }

    #[allow(clippy::too_many_arguments)]
    fn range_byte(&mut self, base: R, reg: &Reg, frame: u8, at: i64, i: i64, size: i64, access: Access) -> Checked {
        let caps = self.options.caps;
        let clobber = access == Access::Write;
        let (spi, b) = place(at);
        let slot = &mut self.frame_at(frame).stack[spi];
        match slot.bytes[b] {
            Byte::Misc => {}
            Byte::Zero => {
                if clobber {
                    slot.bytes[b] = Byte::Misc;
                }
            }
            Byte::Invalid if caps.perfmon => {
                if clobber {
                    slot.bytes[b] = Byte::Misc;
                }
            }
            Byte::Spill if slot.spill.is_scalar() || caps.perfmon => {
                if clobber {
                    scrub(slot);
                }
            }
            _ => {
                let (n, low) = (base as u8, at - i);
                let text = match reg.num.as_const() {
                    Some(_) => format!("invalid read from stack R{n} off {low}+{i} size {size}"),
                    None => format!("invalid read from stack R{n} var_off {}+{i} size {size}", reg.num.tnum),
                };
                return Err(Fault::new(Code::StackUninit, text));
            }
        }
        self.stack_live.read(frame, spi);
        Ok(())
    }

    /// A helper has filled the memory that it was given.
    pub(crate) fn fill_raw(&mut self) -> Checked {
        let Some((base, size)) = self.raw_fill.take() else { return Ok(()) };
        for off in 0..size {
            self.access(base, off.into(), 1, Access::Write, Value::Other, false, false)?;
        }
        Ok(())
    }
}

/// Whether a number fits into so many bytes.
fn fits(reg: &Reg, bytes: i64) -> bool {
    bytes >= 8 || reg.num.umax < 1 << (8 * bytes)
}
