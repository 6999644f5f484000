//! Takes tests out of a graph whose outcome is known or does not matter, and puts those of one value together.
//!
//! What the optimiser may change: where a load that is out of range would have ended the program with 0, and its value
//! would not have mattered, the program may go on instead, as with libpcap's optimiser. All else stays.

use super::cond::With;
use super::facts::{Facts, Known, NOTHING};
use super::graph::{Graph, Node, NodeId, REJECT, is_verdict};
use super::hash::FastMap;
use super::value::{ValueId, Values};

/// How often the whole graph is walked at most; most are done after three rounds.
const MAX_ROUNDS: usize = 12;

/// Makes a graph smaller.
pub(super) fn optimize(graph: &mut Graph, values: &Values) {
    let mut known = Known::default();
    let mut grouped = false;
    for _ in 0..MAX_ROUNDS {
        let changed = skip_decided(graph, values, &mut known);
        merge(graph);
        if changed {
            continue;
        }
        if grouped || !group(graph) {
            break;
        }
        grouped = true;
    }
}

/// Leads past tests whose outcome is known on the way to them. Whether there were any.
fn skip_decided(graph: &mut Graph, values: &Values, known: &mut Known) -> bool {
    let root = graph.root();
    if is_verdict(root) {
        return false;
    }
    known.clear();
    let mut changed = false;
    // What is known at each node on all ways to it; none where nothing leads.
    let mut at: Vec<Option<Facts>> = vec![None; root as usize + 1];
    at[root as usize] = Some(NOTHING);
    for id in (0..=root).rev() {
        let Some(facts) = at[id as usize] else { continue };
        let Node { test, yes, no } = graph.node(id);
        let mut follow = |first: NodeId, holds: bool| {
            let facts = known.and(facts, test, holds);
            let mut to = first;
            while !is_verdict(to) {
                let next = graph.node(to);
                match known.decide(values, facts, &next.test) {
                    Some(true) => to = next.yes,
                    Some(false) => to = next.no,
                    None => break,
                }
            }
            if !is_verdict(to) {
                let met = match at[to as usize] {
                    Some(before) => known.meet(values, before, facts),
                    None => facts,
                };
                at[to as usize] = Some(met);
            }
            changed |= to != first;
            to
        };
        let (yes, no) = (follow(yes, true), follow(no, false));
        *graph.node_mut(id) = Node { test, yes, no };
    }
    changed
}

/// Keeps what can be reached, makes equal nodes one, and drops tests that lead to the same place.
fn merge(graph: &mut Graph) {
    let root = graph.root();
    if is_verdict(root) {
        return;
    }
    let mut reached = vec![false; root as usize + 1];
    reached[root as usize] = true;
    for id in (0..=root).rev() {
        if !reached[id as usize] {
            continue;
        }
        let node = graph.node(id);
        for to in [node.yes, node.no].into_iter().filter(|&to| !is_verdict(to)) {
            reached[to as usize] = true;
        }
    }
    let mut merged = Graph::empty(root as usize + 1);
    let mut new = vec![REJECT; root as usize + 1];
    let place = |new: &[NodeId], id: NodeId| if is_verdict(id) { id } else { new[id as usize] };
    for id in (0..=root).filter(|&id| reached[id as usize]) {
        let Node { test, yes, no } = graph.node(id);
        let (yes, no) = (place(&new, yes), place(&new, no));
        new[id as usize] = if yes == no { yes } else { merged.intern(Node { test, yes, no }) };
    }
    merged.set_root(new[root as usize]);
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
        let (links, out) = if a.len() >= b.len() { (a, node.yes) } else { (b, node.no) };
        links.iter().for_each(|&link| seen[link as usize] = true);
        changed |= links.len() > 2 && regroup(graph, &links, out);
    }
    changed
}

/// The nodes from `first` on that lead to `out` or to the next one, and to which nothing else leads.
fn chain(graph: &Graph, ways: &[u32], first: NodeId, out: NodeId) -> Vec<NodeId> {
    let mut links = vec![first];
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
    let place = |(i, node): (usize, &Node)| match node.test.with {
        With::K(_) => *first.entry(node.test.value).or_insert(i),
        // Moved to the front, it would read its right side before what now stands in front of it.
        With::Value(_) => i,
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
