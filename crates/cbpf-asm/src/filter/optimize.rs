//! Takes tests out of a graph whose outcome is known or does not matter, and puts those of one value together.
//!
//! A load that is out of range ends the program with 0, so that a test is left out only where what it looks at must be
//! there. The one exception is libpcap's too: of `src port 1 or dst port 1 or src port 2` both sources are compared first,
//! so that a packet that is cut before the destination can match.

use oxbpf_isa::cbpf::Cond as Op;

use super::cond::{Test, With};
use super::facts::{Facts, Known, NOTHING};
use super::graph::{Graph, Node, NodeId, REJECT, is_verdict};
use super::hash::FastMap;
use super::value::{ValueId, Values};

/// How often the whole graph is walked at most; most are done after three rounds.
const MAX_ROUNDS: usize = 12;

/// Makes a graph smaller.
pub(super) fn optimize(graph: &mut Graph, values: &Values) {
    let mut known = Known::with_capacity(2 * graph.nodes().len());
    let (mut grouped, mut regrouped) = (false, false);
    for _ in 0..MAX_ROUNDS {
        if skip_decided(graph, values, &mut known, std::mem::take(&mut regrouped)) {
            continue;
        }
        if grouped || !group(graph) {
            break;
        }
        (grouped, regrouped) = (true, true);
    }
}

/// What is known at a node on all ways to it.
#[derive(Clone, Copy)]
struct At {
    facts: Facts,
    /// How many bytes the packet has at least.
    bytes: u32,
}

/// A walk over a graph from its root.
struct Walk<'a> {
    graph: &'a mut Graph,
    values: &'a Values,
    known: &'a mut Known,
    /// None where nothing leads.
    at: Vec<Option<At>>,
}

/// Leads past tests whose outcome is known on the way to them or makes no difference. Where that changes anything, or
/// something has been changed before, equal nodes are made one. Whether there was any change.
fn skip_decided(graph: &mut Graph, values: &Values, known: &mut Known, mut changed: bool) -> bool {
    let root = graph.root();
    if is_verdict(root) {
        return false;
    }
    known.clear();
    let mut at = vec![None; root as usize + 1];
    at[root as usize] = Some(At { facts: NOTHING, bytes: 0 });
    let mut walk = Walk { graph, values, known, at };
    let mut idle = vec![false; root as usize + 1];
    for id in (0..=root).rev() {
        let Some(at) = walk.at[id as usize] else { continue };
        let Node { test, yes, no } = walk.graph.node(id);
        let after = At { bytes: at.bytes.max(walk.bytes(&test)), ..at };
        let node = Node { test, yes: walk.follow(after, test, yes, true), no: walk.follow(after, test, no, false) };
        idle[id as usize] = node.yes == node.no && (node.yes == REJECT || walk.cannot_fail(at, &test));
        changed |= idle[id as usize] || (node.yes, node.no) != (yes, no);
        *walk.graph.node_mut(id) = node;
    }
    if changed {
        let Walk { at, .. } = walk;
        merge(graph, &at, &idle);
    }
    changed
}

impl Walk<'_> {
    /// How many bytes a packet has that a test has been made on.
    fn bytes(&self, test: &Test) -> u32 {
        let right = match test.with {
            With::K(_) => 0,
            With::Value(right) => self.values.needs(right).unwrap_or(0),
        };
        self.values.needs(test.value).unwrap_or(0).max(right)
    }

    /// Whether a test can be left out: what it looks at has been looked at, or must be there.
    fn cannot_fail(&self, at: At, test: &Test) -> bool {
        let there =
            |value| self.values.needs(value).is_some_and(|n| n <= at.bytes) || self.known.computed(at.facts, value);
        there(test.value) && !matches!(test.with, With::Value(right) if !there(right))
    }

    /// Where an outcome of a test leads in the end, and takes what is known there.
    fn follow(&mut self, at: At, test: Test, first: NodeId, holds: bool) -> NodeId {
        let facts = self.known.and(at.facts, test, holds);
        let mut to = first;
        while !is_verdict(to) {
            let next = self.graph.node(to);
            match self.known.decide(self.values, facts, &next.test) {
                Some(true) => to = next.yes,
                Some(false) => to = next.no,
                None => break,
            }
        }
        if !is_verdict(to) {
            let met = match self.at[to as usize] {
                Some(before) => {
                    At { facts: self.known.meet(self.values, before.facts, facts), bytes: before.bytes.min(at.bytes) }
                }
                None => At { facts, bytes: at.bytes },
            };
            self.at[to as usize] = Some(met);
        }
        to
    }
}

/// Keeps what is reached, leads past what is idle, and makes equal nodes one.
fn merge(graph: &mut Graph, reached: &[Option<At>], idle: &[bool]) {
    let mut merged = Graph::empty(reached.iter().flatten().count());
    let mut new = vec![REJECT; reached.len()];
    let place = |new: &[NodeId], id: NodeId| if is_verdict(id) { id } else { new[id as usize] };
    for id in (0..reached.len()).filter(|&id| reached[id].is_some()) {
        let Node { test, yes, no } = graph.node(id as NodeId);
        let (yes, no) = (place(&new, yes), place(&new, no));
        new[id] = if idle[id] { yes } else { merged.intern(Node { test, yes, no }) };
    }
    merged.set_root(new[graph.root() as usize]);
    *graph = merged;
}

/// Puts tests of one value together in chains of tests that all lead to one place or to the next one, so that the value
/// is loaded once: `src a or dst a or src b or dst b`. Whether there were any.
fn group(graph: &mut Graph) -> bool {
    let mut ways = vec![0u32; graph.nodes().len()];
    for node in graph.nodes() {
        for to in [node.yes, node.no].into_iter().filter(|&to| !is_verdict(to)) {
            ways[to as usize] += 1;
        }
    }
    let mut seen = vec![false; ways.len()];
    let mut changed = false;
    for id in (0..ways.len() as NodeId).rev() {
        if seen[id as usize] {
            continue;
        }
        let node = graph.node(id);
        let chains = [node.yes, node.no].map(|out| chain(graph, &ways, id, out));
        let [a, b] = chains;
        let (behind, out) = if a.len() >= b.len() { (a, node.yes) } else { (b, node.no) };
        behind.iter().for_each(|&link| seen[link as usize] = true);
        changed |= behind.len() > 1 && regroup(graph, &[&[id], &behind[..]].concat(), out);
    }
    changed
}

/// The nodes behind `first` that, like it, lead to `out` or to the next one, and to which nothing else leads.
fn chain(graph: &Graph, ways: &[u32], first: NodeId, out: NodeId) -> Vec<NodeId> {
    let mut links = Vec::new();
    let mut last = graph.node(first);
    loop {
        let next = if last.yes == out { last.no } else { last.yes };
        if is_verdict(next) || next == out || ways[next as usize] != 1 {
            return links;
        }
        last = graph.node(next);
        if last.yes != out && last.no != out {
            return links;
        }
        links.push(next);
    }
}

/// Sorts the tests of a chain by the first place of their value. Whether that changed anything.
fn regroup(graph: &mut Graph, links: &[NodeId], out: NodeId) -> bool {
    let nodes: Vec<Node> = links.iter().map(|&link| graph.node(link)).collect();
    let mut first: FastMap<ValueId, usize> = FastMap::default();
    // Where the chain leads to the packet's rejection, a load that fails there makes no difference. Elsewhere it does; only
    // comparisons of addresses and ports are worth it.
    let movable = |op| out == REJECT || op == Op::Eq;
    let place = |(i, node): (usize, &Node)| match node.test.with {
        With::K(_) if movable(node.test.op) => *first.entry(node.test.value).or_insert(i),
        // Moved to the front, it would read its right side before what now stands in front of it.
        With::K(_) | With::Value(_) => i,
    };
    let places: Vec<usize> = nodes.iter().enumerate().map(place).collect();
    if places.is_sorted() {
        return false;
    }
    let mut order: Vec<usize> = (0..nodes.len()).collect();
    order.sort_by_key(|&i| places[i]);
    let last = nodes[nodes.len() - 1];
    let behind = if last.yes == out { last.no } else { last.yes };
    for (place, &from) in order.iter().enumerate() {
        let next = links.get(place + 1).copied().unwrap_or(behind);
        let Node { test, yes, .. } = nodes[from];
        let (yes, no) = if yes == out { (out, next) } else { (next, out) };
        *graph.node_mut(links[place]) = Node { test, yes, no };
    }
    true
}
