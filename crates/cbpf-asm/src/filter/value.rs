//! What programs compute: pure values of a packet, each kept once, so that equal ones have equal ids.

use oxbpf_isa::Narrow;
use oxbpf_isa::cbpf::{AluOp, Ext};

use super::error::Fault;
use super::hash::Interned;

/// The number of a value.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(super) struct ValueId(u32);

/// A value of 32 bits. Loads that are out of range end the program with 0, and so does division by a zero value.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Value {
    Const(u32),
    /// The packet's length.
    Len,
    /// What the host knows of the packet.
    Ext(Ext),
    /// The length of the IPv4 header at this offset: `4 * (packet[k] & 0xf)`.
    HeaderLen(u32),
    /// `packet[k]`.
    Load {
        size: Narrow,
        k: u32,
    },
    /// `packet[index + k]`.
    LoadAt {
        size: Narrow,
        index: ValueId,
        k: u32,
    },
    Binary(AluOp, ValueId, ValueId),
    Neg(ValueId),
}

/// All values of an expression. Operands have smaller ids than what is computed of them.
pub(super) struct Values {
    list: Interned<Value>,
    /// For each value how many bytes of a packet suffice to compute it; none where that depends on the packet.
    needs: Vec<Option<u32>>,
    /// For each value how many intermediate results must be kept for it, where they are computed in the best order.
    slots: Vec<u32>,
}

impl ValueId {
    /// A set of few values, as a bit of those whose numbers end alike.
    pub(super) fn bit(self) -> u64 {
        1 << (self.0 % u64::BITS)
    }
}

impl Values {
    /// No values yet.
    pub(super) fn new() -> Values {
        let few = 32;
        Values { list: Interned::with_capacity(few), needs: Vec::with_capacity(few), slots: Vec::with_capacity(few) }
    }

    /// The value of an id.
    pub(super) fn get(&self, id: ValueId) -> Value {
        self.list.list()[id.0 as usize]
    }

    /// The constant that a value is, if it is one.
    pub(super) fn as_const(&self, id: ValueId) -> Option<u32> {
        match self.get(id) {
            Value::Const(k) => Some(k),
            _ => None,
        }
    }

    /// The id of a value.
    pub(super) fn intern(&mut self, value: Value) -> ValueId {
        let id = self.list.intern(value);
        if id as usize == self.needs.len() {
            self.needs.push(self.need(value));
            self.slots.push(self.slot(value));
        }
        ValueId(id)
    }

    /// How many bytes of a packet suffice to compute a value; none where that depends on the packet.
    pub(super) fn needs(&self, id: ValueId) -> Option<u32> {
        self.needs[id.0 as usize]
    }

    /// How many intermediate results must be kept to compute a value, at least: at most 7, as that many take 2^7 operands.
    pub(super) fn slots(&self, id: ValueId) -> u32 {
        self.slots[id.0 as usize]
    }

    fn slot(&self, value: Value) -> u32 {
        match value {
            Value::LoadAt { index, .. } => self.slots(index),
            Value::Neg(operand) => self.slots(operand),
            Value::Binary(_, left, right) if self.as_const(right).is_some() => self.slots(left),
            Value::Binary(_, left, right) => match (self.slots(left), self.slots(right)) {
                (left, right) if left == right => left + 1,
                (left, right) => left.max(right),
            },
            _ => 0,
        }
    }

    fn need(&self, value: Value) -> Option<u32> {
        match value {
            Value::Const(_) | Value::Len | Value::Ext(_) => Some(0),
            Value::HeaderLen(k) => k.checked_add(1),
            Value::Load { size, k } => k.checked_add(match size {
                Narrow::B => 1,
                Narrow::H => 2,
                Narrow::W => 4,
            }),
            Value::LoadAt { .. } => None,
            Value::Neg(operand) => self.needs(operand),
            // A divisor may be zero.
            Value::Binary(op, _, right) if op.divides() && self.as_const(right).is_none() => None,
            Value::Binary(_, left, right) => Some(self.needs(left)?.max(self.needs(right)?)),
        }
    }

    pub(super) fn constant(&mut self, k: u32) -> ValueId {
        self.intern(Value::Const(k))
    }

    /// Bytes at `index + k`. Fails where that is a constant outside of every packet, as loads from there mean something
    /// else.
    pub(super) fn load_at(&mut self, size: Narrow, index: ValueId, k: u32) -> Result<ValueId, Fault> {
        match self.get(index) {
            Value::Const(c) => {
                let k = c.wrapping_add(k);
                match i32::try_from(k) {
                    Ok(_) => Ok(self.intern(Value::Load { size, k })),
                    Err(_) => Err(Fault::Offset { off: i64::from(k as i32) }),
                }
            }
            Value::Binary(AluOp::Add, index, c) if self.as_const(c).is_some() => {
                let c = self.as_const(c).unwrap_or_default();
                Ok(self.intern(Value::LoadAt { size, index, k: k.wrapping_add(c) }))
            }
            Value::Binary(AluOp::Sub, index, c) if self.as_const(c).is_some() => {
                let c = self.as_const(c).unwrap_or_default();
                Ok(self.intern(Value::LoadAt { size, index, k: k.wrapping_sub(c) }))
            }
            _ => Ok(self.intern(Value::LoadAt { size, index, k })),
        }
    }

    pub(super) fn neg(&mut self, operand: ValueId) -> ValueId {
        match self.get(operand) {
            Value::Const(k) => self.constant(k.wrapping_neg()),
            _ => self.intern(Value::Neg(operand)),
        }
    }

    /// `left op right`, computed now where both are constant, with constants on the right where order does not matter.
    pub(super) fn binary(&mut self, op: AluOp, left: ValueId, right: ValueId) -> Result<ValueId, Fault> {
        let (l, r) = (self.as_const(left), self.as_const(right));
        match r {
            Some(0) if op.divides() => return Err(Fault::Division),
            Some(by @ 32..) if op.shifts() => return Err(Fault::Shift { by }),
            _ => {}
        }
        match (l, r) {
            (Some(l), Some(r)) => match op.eval(l, r) {
                Some(k) => Ok(self.constant(k)),
                None => Err(Fault::Division),
            },
            (None, Some(r)) if is_neutral(op, r) => Ok(left),
            (Some(_), None) if commutes(op) => self.binary(op, right, left),
            _ => Ok(self.intern(Value::Binary(op, left, right))),
        }
    }

    /// The largest number that a value can be.
    pub(super) fn max(&self, id: ValueId) -> u32 {
        match self.get(id) {
            Value::Const(k) => k,
            Value::HeaderLen(_) => 60,
            Value::Load { size, .. } | Value::LoadAt { size, .. } => match size {
                Narrow::B => 0xff,
                Narrow::H => 0xffff,
                Narrow::W => u32::MAX,
            },
            Value::Binary(AluOp::And, left, right) => match self.as_const(right) {
                Some(mask) => mask.min(self.max_of_leaf(left)),
                None => u32::MAX,
            },
            _ => u32::MAX,
        }
    }

    fn max_of_leaf(&self, id: ValueId) -> u32 {
        match self.get(id) {
            Value::Load { .. } | Value::LoadAt { .. } => self.max(id),
            _ => u32::MAX,
        }
    }
}

/// Whether both sides can be exchanged.
pub(super) const fn commutes(op: AluOp) -> bool {
    matches!(op, AluOp::Add | AluOp::Mul | AluOp::And | AluOp::Or | AluOp::Xor)
}

/// Whether `x op k` is x.
const fn is_neutral(op: AluOp, k: u32) -> bool {
    match op {
        AluOp::Add | AluOp::Sub | AluOp::Or | AluOp::Xor | AluOp::Lsh | AluOp::Rsh => k == 0,
        AluOp::Mul | AluOp::Div => k == 1,
        AluOp::And => k == u32::MAX,
        AluOp::Mod => false,
    }
}
