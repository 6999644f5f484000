//! Which slots of stack are read later on: learnt while the program is walked through.
//!
//! What is read and written is noted by instruction, for each way that a function is called on; whichever path did it.

use std::collections::HashMap;

use oxbpf_ir::{FuncIdx, Program};

use crate::shape::Shape;
use crate::state::State;

/// Slots of one frame as bits.
type Slots = u64;

/// What the instructions of a function do to the slots of one frame.
#[derive(Clone, Debug)]
struct Marks {
    read: Vec<Slots>,
    written: Vec<Slots>,
    live: Vec<Slots>,
    /// Slots that every way on from here writes.
    surely: Vec<Slots>,
}

impl Marks {
    fn new(len: usize) -> Marks {
        let none = vec![0; len];
        Marks { read: none.clone(), written: none.clone(), live: none.clone(), surely: none }
    }
}

/// A function, called in one way.
#[derive(Debug)]
struct Instance {
    start: u32,
    /// Its caller and where it was called.
    caller: Option<(usize, u32)>,
    visited: Vec<bool>,
    /// By frame, up to its own.
    frames: Vec<Option<Box<Marks>>>,
    dirty: bool,
}

/// What is known of stack that is read.
pub(crate) struct StackLive {
    instances: Vec<Instance>,
    by_call: HashMap<(usize, u32, FuncIdx), usize>,
    /// The instances of the frames at hand.
    chain: Vec<usize>,
    /// The instruction at hand.
    pub insn: u32,
    /// What it writes, by frame.
    writes: [Slots; 8],
}

impl StackLive {
    pub fn new() -> StackLive {
        StackLive { instances: Vec::new(), by_call: HashMap::new(), chain: Vec::new(), insn: 0, writes: [0; 8] }
    }

    /// From here on what is done is done in these frames.
    pub fn follow(&mut self, program: &Program, state: &State) {
        self.chain.clear();
        for (depth, frame) in state.frames.iter().enumerate() {
            let caller = self.chain.last().map(|at| (*at, frame.callsite));
            let key = (caller.map_or(usize::MAX, |c| c.0), frame.callsite, frame.func);
            let next = self.instances.len();
            let at = *self.by_call.entry(key).or_insert(next);
            if at == next {
                let insns = &program.functions()[frame.func.index()].insns;
                let len = insns.len();
                let frames = vec![None; depth + 1];
                self.instances.push(Instance {
                    start: insns.start,
                    caller,
                    visited: vec![false; len],
                    frames,
                    dirty: false,
                });
            }
            self.chain.push(at);
        }
    }

    fn innermost(&mut self) -> &mut Instance {
        let at = *self.chain.last().expect("frames are followed");
        &mut self.instances[at]
    }

    pub fn read(&mut self, frame: u8, spi: usize) {
        let insn = self.insn;
        self.innermost().mark_read(frame as usize, insn, 1 << spi);
    }

    pub fn write(&mut self, frame: u8, spi: usize) {
        self.writes[frame as usize] |= 1 << spi;
    }

    /// The instruction is done: it writes what it wrote at every visit.
    pub fn commit(&mut self, insn: u32, chain_at: usize) {
        let writes = std::mem::take(&mut self.writes);
        let instance = &mut self.instances[chain_at];
        let at = (insn - instance.start) as usize;
        let first = !std::mem::replace(&mut instance.visited[at], true);
        let len = instance.visited.len();
        for (frame, new) in instance.frames.iter_mut().zip(writes) {
            if frame.is_none() && new == 0 {
                continue;
            }
            let marks = frame.get_or_insert_with(|| Box::new(Marks::new(len)));
            let old = marks.written[at];
            let both = if first { new } else { old & new };
            if both != old {
                marks.written[at] = both;
                instance.dirty = true;
            }
        }
    }

    /// The instance that the instruction at hand belongs to.
    pub fn current(&self) -> usize {
        *self.chain.last().expect("frames are followed")
    }

    /// Brings what is known of the frames at hand up to date, innermost first.
    pub fn settle(&mut self, shape: &Shape) {
        for i in (0..self.chain.len()).rev() {
            let at = self.chain[i];
            if !std::mem::replace(&mut self.instances[at].dirty, false) {
                continue;
            }
            self.instances[at].solve(shape);
            self.tell_caller(at);
        }
    }

    /// What a function does to its callers' frames, its call does.
    fn tell_caller(&mut self, at: usize) {
        let Some((caller, callsite)) = self.instances[at].caller else { return };
        let depth = self.instances[at].frames.len() - 1;
        for frame in 0..depth {
            let Some(marks) = &self.instances[at].frames[frame] else { continue };
            let (live, surely) = (marks.live[0], marks.surely[0]);
            let caller = &mut self.instances[caller];
            caller.mark_read(frame, callsite, live);
            caller.mark_written(frame, callsite, surely);
        }
    }

    /// The slots of each frame of a state that are read later on; its callers are those at hand.
    pub fn query(&mut self, shape: &Shape, state: &State, insn: u32) -> [Slots; 8] {
        self.settle(shape);
        let mut alive = [0; 8];
        let depth = state.frames.len() - 1;
        for (f, slots) in alive.iter_mut().enumerate().take(depth + 1) {
            *slots = self.instances[self.chain[depth]].live_at(f, insn);
            for i in f..depth {
                let callsite = state.frames[i + 1].callsite;
                let at = if shape.points[callsite as usize].calls_back { callsite } else { callsite + 1 };
                *slots |= self.instances[self.chain[i]].live_at(f, at);
            }
        }
        alive
    }
}

impl Instance {
    fn marks(&mut self, frame: usize) -> &mut Marks {
        let len = self.visited.len();
        self.frames[frame].get_or_insert_with(|| Box::new(Marks::new(len)))
    }

    fn mark_read(&mut self, frame: usize, insn: u32, slots: Slots) {
        let at = (insn - self.start) as usize;
        let read = &mut self.marks(frame).read[at];
        if *read | slots != *read {
            *read |= slots;
            self.dirty = true;
        }
    }

    fn mark_written(&mut self, frame: usize, insn: u32, slots: Slots) {
        let at = (insn - self.start) as usize;
        let written = &mut self.marks(frame).written[at];
        if *written != slots {
            *written = slots;
            self.dirty = true;
        }
    }

    fn live_at(&self, frame: usize, insn: u32) -> Slots {
        let at = insn.wrapping_sub(self.start) as usize;
        match &self.frames[frame] {
            Some(marks) => marks.live.get(at).copied().unwrap_or(0),
            None => 0,
        }
    }

    /// Solves the flow equations of this function.
    fn solve(&mut self, shape: &Shape) {
        let start = self.start;
        for marks in self.frames.iter_mut().flatten() {
            marks.surely.fill(Slots::MAX);
            let mut changed = true;
            while changed {
                changed = false;
                for at in (0..marks.live.len()).rev() {
                    let (mut after, mut surely, mut ends) = (0, Slots::MAX, true);
                    for next in shape.next(start + at as u32) {
                        let next = (next - start) as usize;
                        after |= marks.live.get(next).copied().unwrap_or(0);
                        surely &= marks.surely.get(next).copied().unwrap_or(0);
                        ends = false;
                    }
                    let surely = marks.written[at] | if ends { 0 } else { surely };
                    let live = marks.read[at] | (after & !marks.written[at]);
                    changed |= live != marks.live[at] || surely != marks.surely[at];
                    (marks.live[at], marks.surely[at]) = (live, surely);
                }
            }
        }
    }
}
