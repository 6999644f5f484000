//! From decisions to instructions.

use oxbpf_isa::cbpf::{Insn, SockFilter};

use super::Options;
use super::error::Fault;
use super::graph::{ACCEPT, Graph, NodeId, REJECT, is_verdict};
use super::hash::FastMap;
use super::layout::{self, Block, Target};
use super::registers::{Compare, State, Writer};
use super::value::Values;

/// The program of a graph. Fails where it would be too long, or needs too much scratch memory.
pub(super) fn emit(graph: &Graph, values: &Values, options: &Options) -> Result<Vec<SockFilter>, Fault> {
    let root = graph.root();
    if is_verdict(root) {
        return Ok(vec![Insn::RetK(if root == ACCEPT { options.snaplen } else { 0 }).encode()]);
    }
    let (code, blocks) = blocks(graph, values, options.optimize)?;
    let (blocks, first) = if options.optimize { merged(&code, &blocks, root) } else { (blocks, root) };
    layout::lay_out(&code, &blocks, first, options.snaplen)
}

/// The instructions of each node that is reached, by its id.
///
/// Nodes are walked from the root on, so that what is in the registers is known from all that lead to one.
fn blocks(graph: &Graph, values: &Values, keep: bool) -> Result<(Vec<Insn>, Vec<Option<Block>>), Fault> {
    let root = graph.root() as usize;
    let mut states: Vec<Option<State>> = vec![None; root + 1];
    let mut blocks = vec![None; root + 1];
    let mut writer = Writer::new(values);
    states[root] = Some(State::default());
    for id in (0..=root).rev() {
        let Some(state) = states[id] else { continue };
        let node = graph.node(id as NodeId);
        writer.state = if keep { state } else { State::default() };
        let start = writer.code.len();
        let compare = writer.test(&node.test)?;
        for to in [node.yes, node.no].into_iter().filter(|&to| !is_verdict(to)) {
            let state = &mut states[to as usize];
            *state = Some(state.map_or(writer.state, |known| known.meet(writer.state)));
        }
        let (yes, no) = if compare.positive { (node.yes, node.no) } else { (node.no, node.yes) };
        let code = (start, writer.code.len());
        blocks[id] = Some(Block { code, op: compare.op, with: compare.with, yes: target(yes), no: target(no) });
    }
    Ok((writer.code, blocks))
}

fn target(id: NodeId) -> Target {
    match id {
        ACCEPT => Target::Accept,
        REJECT => Target::Reject,
        id => Target::Block(id),
    }
}

/// Makes blocks one that do the same and lead to the same, which nodes that test different values can: what they load
/// may already be there. Answers where to begin, too.
fn merged(code: &[Insn], blocks: &[Option<Block>], root: NodeId) -> (Vec<Option<Block>>, NodeId) {
    let mut kept: Vec<Option<Block>> = vec![None; blocks.len()];
    let mut new: Vec<NodeId> = (0..blocks.len() as NodeId).collect();
    let mut same: FastMap<(&[Insn], Compare, Target, Target), NodeId> = FastMap::default();
    let place = |new: &[NodeId], target: Target| match target {
        Target::Block(id) => Target::Block(new[id as usize]),
        verdict => verdict,
    };
    for (id, block) in blocks.iter().enumerate() {
        let Some(block) = block else { continue };
        let (yes, no) = (place(&new, block.yes), place(&new, block.no));
        let compare = Compare { op: block.op, with: block.with, positive: true };
        let key = (&code[block.code.0..block.code.1], compare, yes, no);
        new[id] = *same.entry(key).or_insert(id as NodeId);
        if new[id] == id as NodeId {
            kept[id] = Some(Block { yes, no, ..*block });
        }
    }
    (kept, new[root as usize])
}
