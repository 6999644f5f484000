//! Filter expressions: `tcp port 80 and host 10.0.0.1` compiled to classic BPF, in the language of pcap-filter(7).
//!
//! [`compile`] is the door. An expression goes through four forms:
//!
//! ```text
//! text ─ lex, parse ─→ ast::Expr ─ lower ─→ cond::Cond over value::Value ─→ graph::Graph ─ emit ─→ SockFilter
//!                      what is said         what is read and compared        decisions, optimised
//! ```
//!
//! ```
//! use oxbpf_cbpf_asm::filter::{Link, Options, compile};
//!
//! let code = compile(Link::Ethernet, "ip and tcp", &Options::default()).unwrap();
//! assert_eq!(code.len(), 6);
//! let error = compile(Link::Ethernet, "tcp prot 80", &Options::default()).unwrap_err();
//! assert_eq!(error.code(), "filter-syntax");
//! ```

mod arith;
mod ast;
mod cond;
mod emit;
mod error;
mod facts;
mod graph;
mod hash;
mod ids;
mod layers;
mod layout;
mod lex;
mod link;
mod lower;
mod names;
mod optimize;
mod parse;
mod registers;
mod value;

pub use error::{Fault, FilterError};
pub use link::{Link, LinkRow};

use oxbpf_isa::cbpf::SockFilter;

/// The longest expression that is read, in bytes.
pub const MAX_TEXT: usize = 64 << 10;

/// How an expression is compiled.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Options {
    /// Whether redundant loads and tests are removed.
    pub optimize: bool,
    /// What the program returns for a packet that matches: how many bytes of it to keep.
    pub snaplen: u32,
}

impl Default for Options {
    /// As tcpdump does it: optimised, with 262,144 bytes of each packet.
    fn default() -> Self {
        Options { optimize: true, snaplen: 262_144 }
    }
}

/// The program of an expression over packets that begin with `link`: it returns the snap length for a packet that matches
/// and 0 for others. At most 4,096 instructions, which keep the kernel's rules.
///
/// An empty expression matches every packet. An expression that can match none is an error, [`Fault::Never`], where the
/// optimiser sees it, as in tcpdump.
pub fn compile(link: Link, text: &str, options: &Options) -> Result<Vec<SockFilter>, FilterError> {
    if text.len() > MAX_TEXT {
        return Err(FilterError { fault: Fault::Text { bytes: text.len() }, at: 0, len: 0 });
    }
    let whole = |fault| FilterError { fault, at: 0, len: text.trim_end().len() };
    let tokens = lex::lex(text)?;
    let expr = parse::parse(text, &tokens)?;
    let mut values = value::Values::new();
    let cond = match &expr {
        Some(expr) => lower::lower(link, expr, &mut values)?,
        None => cond::Cond::Const(true),
    };
    let mut graph = graph::Graph::build(&cond).map_err(whole)?;
    if options.optimize {
        optimize::optimize(&mut graph, &values);
        if graph.root() == graph::REJECT {
            return Err(whole(Fault::Never { link }));
        }
    }
    emit::emit(&graph, &values, options).map_err(whole)
}
