//! Decisions: each node is a test and where to go on, in the end to one of two verdicts.

use super::ast::Join;
use super::cond::{Cond, Test};
use super::error::Fault;
use super::hash::Interned;

/// A node, or a verdict.
pub(super) type NodeId = u32;

/// The verdict that the packet matches.
pub(super) const ACCEPT: NodeId = u32::MAX;
/// The verdict that it does not.
pub(super) const REJECT: NodeId = u32::MAX - 1;

/// Whether this is a verdict and no node.
pub(super) const fn is_verdict(id: NodeId) -> bool {
    id >= REJECT
}

/// A test and where to go on.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct Node {
    pub(super) test: Test,
    /// Where the test holds.
    pub(super) yes: NodeId,
    /// Where it does not.
    pub(super) no: NodeId,
}

/// Nodes that lead to nodes of smaller ids only, so that there are no loops and ids are an order.
pub(super) struct Graph {
    nodes: Interned<Node>,
    root: NodeId,
}

/// The most nodes before optimisation: eight times what an unoptimised program has room for, as most of the tests in long
/// lists of ports are redundant.
const MAX_NODES: usize = 32_768;

impl Graph {
    /// The decisions of a condition. Fails where there are too many.
    pub(super) fn build(cond: &Cond) -> Result<Graph, Fault> {
        let mut graph = Graph::empty(64);
        graph.root = graph.add(cond, ACCEPT, REJECT)?;
        Ok(graph)
    }

    /// A graph without nodes, to which those of another are added.
    pub(super) fn empty(capacity: usize) -> Graph {
        Graph { nodes: Interned::with_capacity(capacity), root: REJECT }
    }

    /// Where to begin.
    pub(super) fn root(&self) -> NodeId {
        self.root
    }

    pub(super) fn set_root(&mut self, root: NodeId) {
        self.root = root;
    }

    pub(super) fn nodes(&self) -> &[Node] {
        self.nodes.list()
    }

    pub(super) fn node(&self, id: NodeId) -> Node {
        self.nodes()[id as usize]
    }

    pub(super) fn node_mut(&mut self, id: NodeId) -> &mut Node {
        &mut self.nodes.list_mut()[id as usize]
    }

    /// The id of a node, which is added where there is none like it.
    pub(super) fn intern(&mut self, node: Node) -> NodeId {
        self.nodes.intern(node)
    }

    /// The decisions of a condition, which lead to `yes` or `no`. The last part is added first.
    fn add(&mut self, cond: &Cond, yes: NodeId, no: NodeId) -> Result<NodeId, Fault> {
        match cond {
            Cond::Const(true) => Ok(yes),
            Cond::Const(false) => Ok(no),
            Cond::Not(inner) => self.add(inner, no, yes),
            Cond::Test(test) => {
                if self.nodes().len() == MAX_NODES {
                    return Err(Fault::TooLong { max: oxbpf_isa::cbpf::MAX_INSNS });
                }
                Ok(self.intern(Node { test: *test, yes, no }))
            }
            Cond::Chain(first, rest) => {
                let (mut yes, mut no) = (yes, no);
                for (join, part) in rest.iter().rev() {
                    let node = self.add(part, yes, no)?;
                    match join {
                        Join::And => yes = node,
                        Join::Or => no = node,
                    }
                }
                self.add(first, yes, no)
            }
        }
    }
}
