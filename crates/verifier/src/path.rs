//! A path through the program, and what is remembered of it.

use crate::reg::Id;
use crate::state::State;

/// A remembered state, by its place in [`Nodes`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct NodeId(pub u32);

/// A register or a slot of stack whose value is tied to others' by a name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Place {
    /// Frame and register.
    Reg(u8, u8),
    /// Frame and slot.
    Slot(u8, u8),
}

/// The most values that one comparison is known to say something about.
pub(crate) const MAX_LINKED: usize = 6;

/// The places that share a name, as they were when a comparison used them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Linked {
    places: [Option<Place>; MAX_LINKED],
    count: u8,
}

impl Linked {
    /// Adds a place; false where there is no room.
    pub fn push(&mut self, place: Place) -> bool {
        let Some(free) = self.places.get_mut(self.count as usize) else { return false };
        *free = Some(place);
        self.count += 1;
        true
    }

    pub fn iter(&self) -> impl Iterator<Item = Place> + '_ {
        self.places[..self.count as usize].iter().flatten().copied()
    }

    pub fn len(&self) -> usize {
        self.count as usize
    }
}

/// What a path did at an instruction, where walking back needs to know.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Step {
    /// The instruction.
    pub insn: u32,
    /// The instruction before it on this path.
    pub from: u32,
    /// The frame and slot of stack that it spilled to or filled from.
    pub stack: Option<(u8, u8)>,
    /// The comparison's left side was a stack pointer.
    pub dst_stack: bool,
    /// The comparison's right side was a stack pointer.
    pub src_stack: bool,
    /// Which values the comparison spoke of.
    pub linked: Linked,
}

impl Step {
    pub fn new(insn: u32, from: u32) -> Step {
        Step { insn, from, stack: None, dst_stack: false, src_stack: false, linked: Linked::default() }
    }
}

/// What is known at the end of a path, and how it was got to since the last remembered state.
#[derive(Clone, Debug)]
pub(crate) struct Path {
    pub state: State,
    /// The remembered state that it comes from.
    pub parent: Option<NodeId>,
    /// The first instruction after that.
    pub first: u32,
    /// The last instruction that was done.
    pub last: u32,
    pub history: Vec<Step>,
}

impl Path {
    /// A path that begins at an instruction.
    pub fn starting(first: u32, state: State) -> Path {
        Path { state, parent: None, first, last: START, history: Vec::new() }
    }
}

/// No instruction: a path that has not begun.
pub(crate) const START: u32 = u32::MAX;

/// A remembered state.
#[derive(Debug)]
pub(crate) struct Node {
    pub path: Path,
    /// The instruction that was about to be done.
    pub insn: u32,
    /// Paths from here that have not ended.
    pub branches: u32,
    pub hits: u32,
    pub misses: u32,
    /// Whether what is not read any more was forgotten.
    pub cleaned: bool,
    /// Whether it is still compared with.
    pub listed: bool,
}

/// The remembered states; places are used again.
#[derive(Default)]
pub(crate) struct Nodes {
    nodes: Vec<Option<Box<Node>>>,
    free: Vec<NodeId>,
}

impl Nodes {
    pub fn add(&mut self, node: Node) -> NodeId {
        let node = Some(Box::new(node));
        match self.free.pop() {
            Some(id) => {
                self.nodes[id.0 as usize] = node;
                id
            }
            None => {
                self.nodes.push(node);
                NodeId(self.nodes.len() as u32 - 1)
            }
        }
    }

    pub fn get(&self, id: NodeId) -> &Node {
        self.nodes[id.0 as usize].as_ref().expect("a remembered state")
    }

    pub fn get_mut(&mut self, id: NodeId) -> &mut Node {
        self.nodes[id.0 as usize].as_mut().expect("a remembered state")
    }

    pub fn remove(&mut self, id: NodeId) -> Option<Box<Node>> {
        self.free.push(id);
        self.nodes[id.0 as usize].take()
    }

    pub fn count(&self) -> u32 {
        (self.nodes.len() - self.free.len()) as u32
    }
}

/// Names in two states that stand for the same thing.
#[derive(Default)]
pub(crate) struct IdMap {
    pairs: Vec<(Id, Id)>,
    /// Stands for values of the newer state that have no name.
    fresh: Id,
}

impl IdMap {
    pub fn reset(&mut self) {
        self.pairs.clear();
        self.fresh = Id::MAX / 2;
    }

    /// Whether two names may be taken for each other from now on.
    pub fn agree(&mut self, old: Id, new: Id) -> bool {
        if (old == 0) != (new == 0) {
            return false;
        }
        if old == 0 {
            return true;
        }
        for (o, n) in &self.pairs {
            if *o == old || *n == new {
                return *o == old && *n == new;
            }
        }
        self.pairs.push((old, new));
        true
    }

    /// The same for numbers: a name that only the newer state has does no harm, and none is a name of its own.
    pub fn agree_numbers(&mut self, old: Id, new: Id) -> bool {
        if old == 0 {
            return true;
        }
        let new = if new == 0 {
            self.fresh += 1;
            self.fresh
        } else {
            new
        };
        self.agree(old, new)
    }
}
