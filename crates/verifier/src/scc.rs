//! Loops that are left when what is known stops changing: `may_goto` and callbacks.
//!
//! A path that ends in a state of its own loop leaves a mark: once the loop has been walked through, what acceptance
//! rests on in that state is carried back along the path, round after round, until nothing is new.

use std::collections::HashMap;

use crate::equal::frame_insn;
use crate::explore::Explorer;
use crate::path::{NodeId, Path};
use crate::report::Checked;
use crate::shape::Shape;
use crate::state::State;

/// Rounds after which everything is taken to matter.
const MAX_ROUNDS: u32 = 64;

/// The outermost loop that a state is in: its callers' call sites, and the loop's number.
type Key = (Vec<u32>, u32);

#[derive(Debug)]
pub(crate) struct Backedge {
    /// The state that the path ended in.
    old: NodeId,
    path: Path,
    insn: u32,
}

#[derive(Default, Debug)]
struct Visit {
    /// The first state in the loop.
    entry: Option<NodeId>,
    backedges: Vec<Backedge>,
}

/// The loops that the walk is in.
#[derive(Default)]
pub(crate) struct Loops {
    visits: HashMap<Key, Visit>,
    /// Backedges in all.
    count: usize,
}

fn key(shape: &Shape, state: &State, insn: u32) -> Option<Key> {
    let mut callsites = Vec::new();
    for frame in 0..state.frames.len() {
        let at = frame_insn(state, frame, insn);
        let scc = shape.points[at as usize].scc;
        if scc != 0 {
            return Some((callsites, scc));
        }
        callsites.push(at);
    }
    None
}

impl Loops {
    pub fn enter(&mut self, shape: &Shape, id: NodeId, state: &State, insn: u32) {
        if shape.open_ended
            && let Some(key) = key(shape, state, insn)
        {
            self.visits.entry(key).or_default().entry.get_or_insert(id);
        }
    }

    pub fn has_backedges(&self, shape: &Shape, state: &State, insn: u32) -> bool {
        self.count > 0
            && key(shape, state, insn)
                .is_some_and(|key| self.visits.get(&key).is_some_and(|visit| !visit.backedges.is_empty()))
    }

    pub fn add_backedge(&mut self, shape: &Shape, old: NodeId, path: Path, insn: u32) {
        if let Some(key) = key(shape, &path.state, insn) {
            self.visits.entry(key).or_default().backedges.push(Backedge { old, path, insn });
            self.count += 1;
        }
    }

    /// The backedges of the loop that was entered with this state.
    fn left(&mut self, key: &Key, id: NodeId) -> Vec<Backedge> {
        match self.visits.get_mut(key) {
            Some(visit) if visit.entry == Some(id) => {
                visit.entry = None;
                std::mem::take(&mut visit.backedges)
            }
            _ => Vec::new(),
        }
    }
}

impl Explorer<'_> {
    /// All paths from this state have ended: if it began a loop, that has been walked through.
    pub(crate) fn leave_loop(&mut self, id: NodeId) -> Checked {
        if !self.shape.open_ended {
            return Ok(());
        }
        let node = self.nodes.get(id);
        let Some(key) = key(&self.shape, &node.path.state, node.insn) else { return Ok(()) };
        let backedges = self.loops.left(&key, id);
        let mut changed = !backedges.is_empty();
        let mut rounds = 0;
        while std::mem::take(&mut changed) && rounds < MAX_ROUNDS {
            rounds += 1;
            for edge in &backedges {
                changed |= self.adopt_precision(edge.old, Some((&edge.path, edge.insn)));
            }
        }
        if rounds == MAX_ROUNDS {
            backedges.iter().for_each(|edge| self.mark_all_precise(edge.path.parent));
        }
        self.loops.count -= backedges.len();
        Ok(())
    }
}
