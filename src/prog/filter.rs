//! `filter:DLT:'EXPR'`: a filter expression as a program.

use oxbpf_cbpf_asm::filter::{FilterError, Link, Options, compile};
use oxbpf_isa::cbpf::SockFilter;

use super::ProgError;

/// The prefix of a filter expression in PROG.
pub(crate) const PREFIX: &str = "filter:";

/// How an expression is called in messages.
pub(crate) const NAME: &str = "filter";

/// The link type that `rest`, what stands behind the prefix, names, and the program that it compiles to.
pub(crate) fn compile_prog(rest: &str) -> Result<(Link, Vec<SockFilter>), ProgError> {
    let (name, expr) = rest.split_once(':').unwrap_or((rest, ""));
    let link = Link::by_name(name).ok_or_else(|| ProgError::LinkType { name: oxbpf_isa::text::quote(name) })?;
    Ok((link, compile_expr(link, expr, &Options::default())?))
}

/// The program of an expression.
pub(crate) fn compile_expr(link: Link, expr: &str, options: &Options) -> Result<Vec<SockFilter>, ProgError> {
    let rendered = |source: FilterError| ProgError::Filter { rendered: source.render(expr, NAME), source };
    compile(link, expr, options).map_err(rendered)
}

/// The names of all link types, for messages.
pub(crate) fn link_names() -> String {
    Link::ROWS.map(|row| row.name).join(", ")
}
