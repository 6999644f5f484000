//! What the outcomes of earlier tests tell of later ones.

use oxbpf_isa::cbpf::Cond as Op;

use super::cond::{Test, With};
use super::value::{ValueId, Values};

/// A list of facts by its last one; 0 is the empty list. Lists share what they have in common.
pub(super) type Facts = u32;

/// No facts.
pub(super) const NOTHING: Facts = 0;

/// How many facts back are looked at. What is further back is forgotten, which costs nothing but a test.
const MAX_LOOK: usize = 256;
/// How many facts of two ways are compared where they meet.
const MAX_MEET: usize = 24;

/// A test whose outcome is known, and the fact before it.
#[derive(Clone, Copy)]
struct Fact {
    test: Test,
    holds: bool,
    before: Facts,
    depth: u32,
    /// Which values this fact and those before it tell of: a bit for each, by the last bits of its number.
    of: u64,
}

/// All facts of one walk over a graph.
pub(super) struct Known {
    facts: Vec<Fact>,
}

impl Known {
    /// No facts, and room for some.
    pub(super) fn with_capacity(capacity: usize) -> Known {
        Known { facts: Vec::with_capacity(capacity) }
    }

    /// Forgets all facts.
    pub(super) fn clear(&mut self) {
        self.facts.clear();
    }

    fn get(&self, facts: Facts) -> Option<&Fact> {
        self.facts.get((facts as usize).checked_sub(1)?)
    }

    fn depth(&self, facts: Facts) -> u32 {
        self.get(facts).map_or(0, |fact| fact.depth)
    }

    /// The facts, and one more.
    pub(super) fn and(&mut self, before: Facts, test: Test, holds: bool) -> Facts {
        let (depth, of) = self.get(before).map_or((0, 0), |fact| (fact.depth, fact.of));
        let right = match test.with {
            With::K(_) => 0,
            With::Value(right) => right.bit(),
        };
        self.facts.push(Fact { test, holds, before, depth: depth + 1, of: of | test.value.bit() | right });
        self.facts.len() as Facts
    }

    /// The latest facts, as far back as one of them may tell of a value.
    fn list(&self, facts: Facts, value: ValueId) -> impl Iterator<Item = &Fact> {
        let list = std::iter::successors(self.get(facts), |fact| self.get(fact.before));
        list.take(MAX_LOOK).take_while(move |fact| fact.of & value.bit() != 0)
    }

    /// Whether a value has been computed where these facts hold.
    pub(super) fn computed(&self, facts: Facts, value: ValueId) -> bool {
        let sees = |fact: &Fact| fact.test.value == value || fact.test.with == With::Value(value);
        self.list(facts, value).any(sees)
    }

    /// Whether a test holds where these facts do; none where they do not tell.
    pub(super) fn decide(&self, values: &Values, facts: Facts, test: &Test) -> Option<bool> {
        let With::K(k) = test.with else {
            return self.list(facts, test.value).find(|fact| fact.test == *test).map(|fact| fact.holds);
        };
        let mut range: Option<Range> = None;
        for fact in self.list(facts, test.value).filter(|fact| fact.test.value == test.value) {
            let With::K(known) = fact.test.with else { continue };
            let range = range.get_or_insert_with(|| Range::of(values, test.value));
            if let Some(outcome) = range.narrow(fact.test.op, known, fact.holds, test.op, k) {
                return Some(outcome);
            }
        }
        range?.decide(test.op, k)
    }

    /// What holds on both of two ways that meet.
    pub(super) fn meet(&mut self, values: &Values, a: Facts, b: Facts) -> Facts {
        let (mut left, mut right) = (a, b);
        let (mut only_left, mut only_right) = (Latest::default(), Latest::default());
        while left != right {
            // The longer list cannot have its end in the other.
            if self.depth(left) >= self.depth(right) {
                only_left.push(left);
                left = self.get(left).map_or(NOTHING, |fact| fact.before);
            } else {
                only_right.push(right);
                right = self.get(right).map_or(NOTHING, |fact| fact.before);
            }
        }
        let mut met = left;
        for (own, other) in [(&only_left, b), (&only_right, a)] {
            // The oldest first, so that the order stays.
            for &fact in own.facts[..own.len].iter().rev() {
                let Some(&Fact { test, holds, .. }) = self.get(fact) else { continue };
                if self.decide(values, other, &test) == Some(holds) {
                    met = self.and(met, test, holds);
                }
            }
        }
        met
    }
}

/// The latest facts of one of two ways that meet.
#[derive(Default)]
struct Latest {
    facts: [Facts; MAX_MEET],
    len: usize,
}

impl Latest {
    /// Takes an older one, if there is room.
    fn push(&mut self, fact: Facts) {
        if let Some(place) = self.facts.get_mut(self.len) {
            *place = fact;
            self.len += 1;
        }
    }
}

/// What is known of a value that has been compared with constants.
#[derive(Clone, Copy)]
struct Range {
    low: u32,
    high: u32,
    /// Bits that are 0.
    zeros: u32,
}

impl Range {
    /// What holds of a value by what it is.
    fn of(values: &Values, value: ValueId) -> Range {
        let high = values.max(value);
        let zeros = u32::MAX.checked_shl(u32::BITS - high.leading_zeros()).unwrap_or(0);
        Range { low: 0, high, zeros }
    }

    /// Takes a fact to what is known; what it tells alone of the test that is asked for.
    fn narrow(&mut self, op: Op, known: u32, holds: bool, asked: Op, k: u32) -> Option<bool> {
        match (op, holds) {
            (Op::Eq, true) => return Some(asked.eval(known, k)),
            (Op::Eq, false) if asked == Op::Eq && known == k => return Some(false),
            (Op::Eq, false) => {
                // At an edge it moves the edge.
                if known == self.low {
                    self.low = self.low.saturating_add(1);
                } else if known == self.high {
                    self.high = self.high.saturating_sub(1);
                }
            }
            (Op::Gt, true) => self.low = self.low.max(known.saturating_add(1)),
            (Op::Gt, false) => self.high = self.high.min(known),
            (Op::Ge, true) => self.low = self.low.max(known),
            (Op::Ge, false) => self.high = self.high.min(known.saturating_sub(1)),
            (Op::Set, false) => self.zeros |= known,
            // One of these bits is set.
            (Op::Set, true) => match asked {
                Op::Eq if k & known == 0 => return Some(false),
                Op::Set if known & !k == 0 => return Some(true),
                _ => {}
            },
        }
        None
    }

    fn decide(&self, op: Op, k: u32) -> Option<bool> {
        let Range { low, high, zeros } = *self;
        match op {
            Op::Eq if low > k || high < k || k & zeros != 0 => Some(false),
            Op::Eq if low == high => Some(low == k),
            Op::Gt if low > k => Some(true),
            Op::Gt if high <= k => Some(false),
            Op::Ge if low >= k => Some(true),
            Op::Ge if high < k => Some(false),
            Op::Set if k & !zeros == 0 => Some(false),
            Op::Set if low == high => Some(low & k != 0),
            _ => None,
        }
    }
}
