//! `oxbpf filter`: a filter expression as a classic program.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use oxbpf_cbpf_asm::filter::{FilterError, Link, Options};
use oxbpf_cbpf_asm::{Format, insn_text, write};
use oxbpf_isa::cbpf::SockFilter;
use serde_json::json;

use super::asm::output;
use super::{Exit, classic, say};
use crate::prog::ProgError;
use crate::prog::filter::compile_expr;

const EXAMPLES: &str = "\
Examples:
  oxbpf filter 'tcp port 80 and host 10.0.0.1'
  oxbpf filter RAW 'icmp6 or icmp' --emit tc
  oxbpf filter LINUX_SLL2 'udp portrange 5000-5100' --json
  oxbpf filter 'vlan 100 and net 10.1.0.0/16' --emit raw-le -o vlan100.bpf
  oxbpf run filter:EN10MB:'port domain' --pcap examples/captures/mixed.pcap

The language is that of pcap-filter(7); docs/filter.md says what of it there is. Link types: EN10MB (where none is
given), RAW, LINUX_SLL, LINUX_SLL2, NULL, LOOP, IPV4, IPV6. An empty expression matches every packet.";

/// Compile a filter expression, as tcpdump -d does.
#[derive(clap::Args, Clone, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// The link type, then the expression; several words are joined
    #[arg(required = true, value_name = "[DLT] EXPR")]
    words: Vec<String>,
    /// The format of the program: text, tc, asm-c, d, dd, ddd, raw-le, raw-be, c, rust, json
    #[arg(long, value_name = "FORMAT", value_parser = classic::format, default_value = "d")]
    emit: Format,
    /// Where the result goes instead of standard output; a file is replaced as a whole
    #[arg(short, long, value_name = "OUT")]
    output: Option<PathBuf>,
    /// Keep what is redundant, as tcpdump -O does
    #[arg(long)]
    no_optimize: bool,
    /// How many bytes of a matching packet are kept: what the program returns
    #[arg(short, long, value_name = "N", default_value_t = Options::default().snaplen)]
    snaplen: u32,
    /// A JSON document with link type, expression and program
    #[arg(long, conflicts_with = "emit")]
    json: bool,
}

pub(super) fn main(arguments: Arguments) -> Exit {
    let (link, expr) = match arguments.words.split_first() {
        Some((name, rest)) if is_link(name) => (Link::by_name(name).unwrap_or(Link::Ethernet), rest.join(" ")),
        _ => (Link::Ethernet, arguments.words.join(" ")),
    };
    let options = Options { optimize: !arguments.no_optimize, snaplen: arguments.snaplen };
    let code = match compile_expr(link, &expr, &options) {
        Ok(code) => code,
        Err(e) => {
            say(e.shown());
            return match &e {
                ProgError::Filter { source, .. } => exit(source),
                _ => Exit::Usage,
            };
        }
    };
    let bytes = match arguments.json {
        true => Ok(document(link, &expr, &arguments, &code).into_bytes()),
        false => write(arguments.emit, &code).map_err(|e| format!("error[{}]: {e}", e.code())),
    };
    classic::ended(bytes.and_then(|bytes| out(&arguments, &bytes)))
}

/// Names of link types are in upper case, so that none is a word of the language.
fn is_link(name: &str) -> bool {
    Link::by_name(name).is_some_and(|link| link.row().name == name)
}

/// The exit code of a mistake in an expression.
pub(super) fn exit(error: &FilterError) -> Exit {
    match &error.fault {
        fault if fault.is_unsupported() => Exit::Unsupported,
        fault if fault.is_limit() => Exit::Limit,
        _ => Exit::Usage,
    }
}

fn out(arguments: &Arguments, bytes: &[u8]) -> Result<(), String> {
    match arguments.output.as_deref().filter(|o| *o != Path::new("-")) {
        Some(path) => output::to_file(path, bytes).map_err(|e| format!("error: {}: {e}", path.display())),
        None if !arguments.json && arguments.emit.is_binary() && std::io::stdout().is_terminal() => {
            Err("error: bytes would spoil the terminal; give -o FILE, or another --emit".to_string())
        }
        None => output::to_stdout(bytes).map_err(|e| format!("error: standard output: {e}")),
    }
}

fn document(link: Link, expr: &str, arguments: &Arguments, code: &[SockFilter]) -> String {
    let insn = |(at, i): (usize, &SockFilter)| json!({ "code": i.code, "jt": i.jt, "jf": i.jf, "k": i.k, "text": insn_text(at, *i) });
    let document = json!({
        "schema": "oxbpf.filter/1",
        "link": link.row().name,
        "expression": expr,
        "optimized": !arguments.no_optimize,
        "snaplen": arguments.snaplen,
        "length": code.len(),
        "insns": code.iter().enumerate().map(insn).collect::<Vec<_>>(),
    });
    format!("{document:#}\n")
}
