//! From values to instructions: what is computed in which register, and what need not be computed again.

use oxbpf_isa::Narrow;
use oxbpf_isa::cbpf::{Cond as Op, Ext, Insn, M, Operand};

use super::cond::{Test, With};
use super::error::Fault;
use super::value::{Value, ValueId, Values, commutes};

/// What is in the registers, as far as it is known.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct State {
    pub(super) a: Option<ValueId>,
    pub(super) x: Option<ValueId>,
}

impl State {
    /// What is known where two ways meet.
    pub(super) fn meet(self, other: State) -> State {
        State { a: self.a.filter(|_| self.a == other.a), x: self.x.filter(|_| self.x == other.x) }
    }
}

/// A comparison as an instruction makes it, and whether it holds where the test does.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct Compare {
    pub(super) op: Op,
    pub(super) with: Operand,
    pub(super) positive: bool,
}

/// Writes instructions that leave values in registers.
pub(super) struct Writer<'v> {
    values: &'v Values,
    /// What has been written.
    pub(super) code: Vec<Insn>,
    pub(super) state: State,
    /// How many words of scratch memory are in use.
    scratch: u32,
}

impl<'v> Writer<'v> {
    pub(super) fn new(values: &'v Values) -> Self {
        Writer { values, code: Vec::new(), state: State::default(), scratch: 0 }
    }

    /// Loads what a test compares.
    pub(super) fn test(&mut self, test: &Test) -> Result<Compare, Fault> {
        match test.with {
            With::K(k) => {
                self.load_a(test.value)?;
                Ok(Compare { op: test.op, with: Operand::K(k), positive: true })
            }
            With::Value(right) => {
                // a > b is !(b >= a), so that sides can be exchanged.
                let (mirrored, positive) = match test.op {
                    Op::Gt => (Op::Ge, false),
                    Op::Ge => (Op::Gt, false),
                    Op::Eq | Op::Set => (test.op, true),
                };
                let swapped = self.load_both(test.value, right, true)?;
                let (op, positive) = if swapped { (mirrored, positive) } else { (test.op, true) };
                Ok(Compare { op, with: Operand::X, positive })
            }
        }
    }

    fn push_a(&mut self, insn: Insn, value: ValueId) {
        self.code.push(insn);
        self.state.a = Some(value);
    }

    fn push_x(&mut self, insn: Insn, value: ValueId) {
        self.code.push(insn);
        self.state.x = Some(value);
    }

    /// Leaves a value in A.
    fn load_a(&mut self, id: ValueId) -> Result<(), Fault> {
        if self.state.a == Some(id) {
            return Ok(());
        }
        if self.state.x == Some(id) {
            self.push_a(Insn::Txa, id);
            return Ok(());
        }
        match self.values.get(id) {
            Value::Const(k) => self.push_a(Insn::LdImm(k), id),
            Value::Len => self.push_a(Insn::LdLen, id),
            Value::Ext(ext) => {
                // As tcpdump writes them; the size makes no difference.
                let size = if ext == Ext::Type { Narrow::H } else { Narrow::W };
                self.push_a(Insn::LdExt { size, ext }, id);
            }
            Value::Load { size, k } => self.push_a(Insn::ld_abs(size, k), id),
            Value::HeaderLen(k) => {
                self.push_x(Insn::LdxMsh(k), id);
                self.push_a(Insn::Txa, id);
            }
            Value::LoadAt { size, index, k } => {
                self.load_x(index)?;
                self.push_a(Insn::LdInd { size, k }, id);
            }
            Value::Neg(operand) => {
                self.load_a(operand)?;
                self.push_a(Insn::Neg, id);
            }
            Value::Binary(op, left, right) => {
                let src = match self.values.as_const(right) {
                    Some(k) => {
                        self.load_a(left)?;
                        Operand::K(k)
                    }
                    None => {
                        self.load_both(left, right, commutes(op))?;
                        Operand::X
                    }
                };
                self.push_a(Insn::Alu { op, src }, id);
            }
        }
        Ok(())
    }

    /// Leaves a value in X.
    fn load_x(&mut self, id: ValueId) -> Result<(), Fault> {
        if self.state.x == Some(id) {
            return Ok(());
        }
        if !self.load_x_alone(id) {
            self.load_a(id)?;
            self.push_x(Insn::Tax, id);
        }
        Ok(())
    }

    /// Leaves a value in X without touching A, where there is an instruction for it.
    fn load_x_alone(&mut self, id: ValueId) -> bool {
        if self.state.a == Some(id) {
            self.push_x(Insn::Tax, id);
            return true;
        }
        match self.values.get(id) {
            Value::Const(k) => self.push_x(Insn::LdxImm(k), id),
            Value::Len => self.push_x(Insn::LdxLen, id),
            Value::HeaderLen(k) => self.push_x(Insn::LdxMsh(k), id),
            _ => return false,
        }
        true
    }

    /// Leaves one value in A and one in X; where they may be exchanged, it answers whether they are.
    fn load_both(&mut self, left: ValueId, right: ValueId, exchange: bool) -> Result<bool, Fault> {
        // What one instruction puts into X can wait until the other value is in A.
        let easy = |w: &Self, id| w.is_easy(id);
        let kept = |w: &Self, x, a| w.state.x == Some(x) && w.keeps_x(a, x);
        if kept(self, right, left) || (easy(self, right) && self.state.x != Some(right)) {
            self.load_a(left)?;
            self.load_x_late(right)?;
            return Ok(false);
        }
        if exchange && (kept(self, left, right) || (easy(self, left) && self.state.x != Some(left))) {
            self.load_a(right)?;
            self.load_x_late(left)?;
            return Ok(true);
        }
        if self.needs_no_x(left) {
            self.load_x(right)?;
            self.load_a(left)?;
            return Ok(false);
        }
        if exchange && self.needs_no_x(right) {
            self.load_x(left)?;
            self.load_a(right)?;
            return Ok(true);
        }
        // Right first takes one instruction less. Where much is kept already, what needs more comes first, so that what
        // is kept stays below 6 + 8.
        let right_first = self.scratch < 6 || self.values.slots(left) <= self.values.slots(right);
        let word = self.word()?;
        let (early, late) = if right_first { (right, left) } else { (left, right) };
        self.load_a(early)?;
        self.code.push(Insn::St(word));
        self.scratch += 1;
        self.load_a(late)?;
        self.scratch -= 1;
        if right_first {
            self.push_x(Insn::LdxMem(word), right);
        } else {
            self.push_x(Insn::Tax, right);
            self.push_a(Insn::LdMem(word), left);
        }
        Ok(false)
    }

    /// The next free word of scratch memory.
    fn word(&self) -> Result<M, Fault> {
        M::new(self.scratch).ok_or(Fault::Operators { max: M::COUNT })
    }

    /// Whether one instruction puts a value into X.
    fn is_easy(&self, id: ValueId) -> bool {
        matches!(self.values.get(id), Value::Const(_) | Value::Len | Value::HeaderLen(_))
    }

    /// Leaves a value in X behind the loading of A.
    fn load_x_late(&mut self, id: ValueId) -> Result<(), Fault> {
        if self.state.x == Some(id) || self.load_x_alone(id) {
            return Ok(());
        }
        // The callers have seen that one of both holds.
        debug_assert!(false, "X was to be kept");
        Err(Fault::Operators { max: M::COUNT })
    }

    /// Whether a value can be computed without changing X.
    fn needs_no_x(&self, id: ValueId) -> bool {
        match self.values.get(id) {
            Value::Const(_) | Value::Len | Value::Ext(_) | Value::Load { .. } => true,
            Value::HeaderLen(_) | Value::LoadAt { .. } => false,
            Value::Neg(operand) => self.needs_no_x(operand),
            Value::Binary(_, left, right) => self.values.as_const(right).is_some() && self.needs_no_x(left),
        }
    }

    /// Whether a value can be computed while X stays what it is.
    fn keeps_x(&self, id: ValueId, x: ValueId) -> bool {
        match self.values.get(id) {
            _ if id == x || self.state.a == Some(id) => true,
            Value::Const(_) | Value::Len | Value::Ext(_) | Value::Load { .. } => true,
            Value::HeaderLen(_) => false,
            Value::LoadAt { index, .. } => index == x,
            Value::Neg(operand) => self.keeps_x(operand, x),
            Value::Binary(op, left, right) => {
                let plain = self.values.as_const(right).is_some() || right == x;
                (plain && self.keeps_x(left, x))
                    || (commutes(op) && left == x && !self.is_easy(right) && self.keeps_x(right, x))
            }
        }
    }
}
