//! What is known of a program beyond its text, and who may say so.

use std::sync::Arc;

use crate::program::{InsnId, Program};
use crate::unit::MapIdx;

/// The kind of memory that an access was proved to stay in.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum RegionClass {
    /// The frame of this or a calling function.
    Stack,
    /// The packet between `data_meta` and `data_end`.
    Packet,
    /// One value of this map.
    MapValue(MapIdx),
    /// The context: answered by field.
    Context,
}

/// Something that holds at **every** visit of an instruction: the meet over all states explored or pruned there.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Fact {
    /// The load or store stays inside one region of this class, which programs may read or write as it does.
    InBounds(RegionClass),
    /// Control never gets here.
    Dead,
    /// The map argument of this call is always this map.
    MapConst(MapIdx),
    /// The 32-bit array key of this call is always this number.
    KeyConst(u32),
    /// The upper half of the register written is zero.
    UpperZero,
    /// The divisor is never zero.
    DivisorNonZero,
}

/// Facts by instruction.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Facts {
    /// Sorted by instruction.
    rows: Vec<(InsnId, Fact)>,
}

impl Facts {
    /// These facts.
    pub fn new(mut rows: Vec<(InsnId, Fact)>) -> Facts {
        rows.sort_by_key(|r| r.0);
        Facts { rows }
    }

    /// What is known at an instruction.
    pub fn at(&self, insn: InsnId) -> impl Iterator<Item = Fact> + '_ {
        let from = self.rows.partition_point(|r| r.0 < insn);
        self.rows[from..].iter().take_while(move |r| r.0 == insn).map(|r| r.1)
    }

    /// The region class that the access at an instruction is known to stay in.
    pub fn in_bounds(&self, insn: InsnId) -> Option<RegionClass> {
        self.at(insn).find_map(|f| match f {
            Fact::InBounds(class) => Some(class),
            _ => None,
        })
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

/// A program and what is known about it. Immutable; engines trust the facts.
#[derive(Clone, Debug)]
pub struct Vetted {
    program: Arc<Program>,
    facts: Facts,
}

impl Vetted {
    /// A program of which nothing is known: every access is checked as it runs.
    pub fn unproven(program: Arc<Program>) -> Vetted {
        Vetted { program, facts: Facts::default() }
    }

    /// A program with facts that someone has proved. Called by the verifier, and by nobody else.
    ///
    /// # Safety
    ///
    /// Each fact must hold at every visit of its instruction, for every input. Engines elide the checks that
    /// facts license; a false fact is a wild memory access.
    #[allow(unsafe_code)]
    pub unsafe fn assume(program: Arc<Program>, facts: Facts) -> Vetted {
        Vetted { program, facts }
    }

    /// The program.
    pub fn program(&self) -> &Arc<Program> {
        &self.program
    }

    /// What is known about it.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }
}
