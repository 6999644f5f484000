//! What must hold of a packet: comparisons of values, joined in the order in which they are made.

use oxbpf_isa::cbpf::{AluOp, Cond as Op};

use super::ast::{Join, Relation};
use super::value::{Value, ValueId, Values};

/// A comparison, as one conditional jump makes it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct Test {
    pub(super) value: ValueId,
    pub(super) op: Op,
    pub(super) with: With,
}

/// What a value is compared with.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum With {
    K(u32),
    Value(ValueId),
}

/// A condition. Later parts of a chain are looked at only where the earlier ones do not decide.
#[derive(Clone, Debug)]
pub(super) enum Cond {
    Const(bool),
    Test(Test),
    Not(Box<Cond>),
    /// The first, and what is joined to all before it.
    Chain(Box<Cond>, Vec<(Join, Cond)>),
}

impl std::ops::Not for Cond {
    type Output = Cond;

    fn not(self) -> Cond {
        match self {
            Cond::Const(k) => Cond::Const(!k),
            Cond::Not(inner) => *inner,
            other => Cond::Not(Box::new(other)),
        }
    }
}

/// All of them, in this order.
pub(super) fn all(parts: impl IntoIterator<Item = Cond>) -> Cond {
    joined(Join::And, parts)
}

/// One of them, in this order.
pub(super) fn any(parts: impl IntoIterator<Item = Cond>) -> Cond {
    joined(Join::Or, parts)
}

fn joined(join: Join, parts: impl IntoIterator<Item = Cond>) -> Cond {
    // Of nothing, all is true and any is false.
    let neutral = join == Join::And;
    let mut parts = parts.into_iter().filter(|part| !matches!(part, Cond::Const(k) if *k == neutral));
    let Some(first) = parts.next() else { return Cond::Const(neutral) };
    let rest: Vec<_> = parts.map(|part| (join, part)).collect();
    if rest.is_empty() { first } else { Cond::Chain(Box::new(first), rest) }
}

/// `left relation right` as a jump can test it: a constant on the right, in the form that costs least.
pub(super) fn compare(values: &mut Values, left: ValueId, relation: Relation, right: ValueId) -> Cond {
    match (values.as_const(left), values.as_const(right)) {
        (Some(l), Some(r)) => Cond::Const(holds(l, relation, r)),
        (Some(_), None) => compare(values, right, mirrored(relation), left),
        (_, k) => {
            let (op, positive) = jump(relation);
            let with = k.map_or(With::Value(right), With::K);
            let cond = simplest(values, Test { value: left, op, with });
            if positive { cond } else { !cond }
        }
    }
}

/// `value == k`.
pub(super) fn equals(values: &mut Values, value: ValueId, k: u32) -> Cond {
    simplest(values, Test { value, op: Op::Eq, with: With::K(k) })
}

/// A comparison that holds of the same packets and needs fewer instructions, or the same.
fn simplest(values: &Values, test: Test) -> Cond {
    let Test { value, op: Op::Eq, with: With::K(k) } = test else { return Cond::Test(test) };
    let Value::Binary(op, left, right) = values.get(value) else { return Cond::Test(test) };
    let equal = |value, with| Test { value, op: Op::Eq, with };
    match (op, values.as_const(right)) {
        (AluOp::And, Some(mask)) if k == 0 => !Cond::Test(Test { value: left, op: Op::Set, with: With::K(mask) }),
        (AluOp::And, Some(mask)) if k == mask && mask.is_power_of_two() => {
            Cond::Test(Test { value: left, op: Op::Set, with: With::K(mask) })
        }
        (AluOp::Add, Some(c)) => simplest(values, equal(left, With::K(k.wrapping_sub(c)))),
        (AluOp::Sub, Some(c)) => simplest(values, equal(left, With::K(k.wrapping_add(c)))),
        (AluOp::Xor, Some(c)) => simplest(values, equal(left, With::K(k ^ c))),
        (AluOp::Sub | AluOp::Xor, None) if k == 0 && values.as_const(left).is_none() => {
            Cond::Test(equal(left, With::Value(right)))
        }
        (AluOp::Sub, None) if k == 0 => match values.as_const(left) {
            Some(c) => simplest(values, equal(right, With::K(c))),
            None => Cond::Test(test),
        },
        _ => Cond::Test(test),
    }
}

fn holds(left: u32, relation: Relation, right: u32) -> bool {
    let (op, positive) = jump(relation);
    op.eval(left, right) == positive
}

/// The jump that tells whether a relation holds, and whether it holds where the jump's condition does.
const fn jump(relation: Relation) -> (Op, bool) {
    match relation {
        Relation::Eq => (Op::Eq, true),
        Relation::Ne => (Op::Eq, false),
        Relation::Gt => (Op::Gt, true),
        Relation::Le => (Op::Gt, false),
        Relation::Ge => (Op::Ge, true),
        Relation::Lt => (Op::Ge, false),
    }
}

/// The relation with both sides exchanged.
const fn mirrored(relation: Relation) -> Relation {
    match relation {
        Relation::Eq => Relation::Eq,
        Relation::Ne => Relation::Ne,
        Relation::Lt => Relation::Gt,
        Relation::Le => Relation::Ge,
        Relation::Gt => Relation::Lt,
        Relation::Ge => Relation::Le,
    }
}
