//! `oxbpf isa`, `helpers`, `maps`, `fields` and `explain`: the reference on the command line.

use oxbpf_abi::uapi::{self, HelperInfo};
use oxbpf_abi::{PROG_TYPES, ProgType};
use oxbpf_isa::catalog::{Group, Kind};
use serde_json::{Value, json};

use super::asm::output;
use super::{Exit, say};
use crate::near::near;
use crate::reference::{self, fields, helpers, insns, maps};

/// List the instructions, or show one.
#[derive(clap::Args, Clone, Debug)]
#[command(after_help = "\
Examples:
  oxbpf isa
  oxbpf isa add32
  oxbpf isa 0x37
  oxbpf isa --group atomic64 --json")]
pub(super) struct IsaArguments {
    /// One instruction: its name, its opcode as 0x37, or its text
    insn: Option<String>,
    /// Only those of this conformance group
    #[arg(long, value_parser = group, conflicts_with = "insn")]
    group: Option<Group>,
    /// A JSON document
    #[arg(long)]
    json: bool,
}

/// List the helpers of Linux 6.18, or show one.
#[derive(clap::Args, Clone, Debug)]
#[command(after_help = "\
Examples:
  oxbpf helpers
  oxbpf helpers skb_vlan_push
  oxbpf helpers --type xdp --implemented
  oxbpf helpers --kfuncs --json

The column run says which helpers this toolchain's engines run.")]
pub(super) struct HelpersArguments {
    /// One helper: its name, with or without bpf_, or its number
    helper: Option<String>,
    /// Only those that programs of this type may call
    #[arg(long = "type", value_name = "TYPE", value_parser = any_prog_type)]
    prog_type: Option<&'static str>,
    /// Only those that need a licence compatible with the GPL
    #[arg(long)]
    gpl: bool,
    /// Only those that this toolchain's engines run
    #[arg(long)]
    implemented: bool,
    /// Kernel functions that networking programs call, instead of helpers
    #[arg(long, conflicts_with_all = ["helper", "prog_type", "gpl", "implemented"])]
    kfuncs: bool,
    /// A JSON document
    #[arg(long)]
    json: bool,
}

/// List the map types, or show one.
#[derive(clap::Args, Clone, Debug)]
#[command(after_help = "\
Examples:
  oxbpf maps --types
  oxbpf maps --types lpm_trie
  oxbpf maps --types --json")]
pub(super) struct MapsArguments {
    /// The types that there are; one of them by name
    #[arg(long, required = true, num_args = 0..=1, value_name = "TYPE")]
    types: Option<Option<String>>,
    /// A JSON document
    #[arg(long)]
    json: bool,
}

/// List the fields of programs' contexts, or show one.
#[derive(clap::Args, Clone, Debug)]
#[command(after_help = "\
Examples:
  oxbpf fields
  oxbpf fields tc_classid
  oxbpf fields --type cgroup_skb --json")]
pub(super) struct FieldsArguments {
    /// One field
    field: Option<String>,
    /// Only those that programs of this type may access
    #[arg(long = "type", value_name = "TYPE", value_parser = super::asm::prog_type, conflicts_with = "field")]
    prog_type: Option<ProgType>,
    /// A JSON document
    #[arg(long)]
    json: bool,
}

/// Explain an opcode, an instruction, a helper, a context field, a map type, a program type, a code of the verifier or a
/// term.
#[derive(clap::Args, Clone, Debug)]
#[command(after_help = "\
Examples:
  oxbpf explain 0x37
  oxbpf explain 'r1 s>>= 3'
  oxbpf explain skb_vlan_push
  oxbpf explain tc_classid
  oxbpf explain OX301
  oxbpf explain 'direct action'
  oxbpf explain --terms")]
pub(super) struct ExplainArguments {
    /// What to explain
    #[arg(required_unless_present = "terms")]
    word: Option<String>,
    /// List the terms that are explained
    #[arg(long)]
    terms: bool,
}

fn group(name: &str) -> Result<Group, String> {
    let names = || Group::ROWS.map(|row| row.name).join(", ");
    Group::by_name(name).ok_or_else(|| format!("no such group; there are {}", names()))
}

/// A program type of Linux by its name; of those known here, also by an alias.
fn any_prog_type(name: &str) -> Result<&'static str, String> {
    let alias = PROG_TYPES.iter().find(|row| row.aliases.contains(&name)).map_or(name, |row| row.name);
    let found = uapi::PROG_TYPES.iter().find(|t| t.name == alias).map(|t| t.name);
    let names = || uapi::PROG_TYPES.map(|t| t.name).join(", ");
    found.ok_or_else(|| format!("no such program type; there are {}", names()))
}

pub(super) fn isa(arguments: &IsaArguments) -> Exit {
    let kinds = match &arguments.insn {
        None => Kind::all().filter(|kind| arguments.group.is_none_or(|group| kind.group() == group)).collect(),
        Some(word) => insns::named(word),
    };
    match &arguments.insn {
        Some(word) if kinds.is_empty() => unknown("instruction", word, Kind::all().map(Kind::name)),
        _ if arguments.json => document("isa", "insns", kinds.iter().map(|kind| insns::value(*kind)).collect()),
        None => printed(&insns::list(&kinds)),
        Some(_) => printed(&kinds.into_iter().map(insns::page).collect::<Vec<_>>().join("\n")),
    }
}

pub(super) fn helpers(arguments: &HelpersArguments) -> Exit {
    if arguments.kfuncs {
        return match arguments.json {
            true => document("helpers", "kfuncs", uapi::KFUNCS.iter().map(helpers::kfunc_value).collect()),
            false => printed(&helpers::kfuncs()),
        };
    }
    let wanted = |h: &&HelperInfo| {
        arguments.prog_type.is_none_or(|t| h.callers.allows(t))
            && (!arguments.gpl || h.gpl_only)
            && (!arguments.implemented || helpers::implemented(h))
    };
    let chosen: Vec<_> = match &arguments.helper {
        None => uapi::HELPERS.iter().filter(wanted).collect(),
        Some(word) => uapi::helper(word).into_iter().collect(),
    };
    match &arguments.helper {
        Some(word) if chosen.is_empty() => unknown("helper", word, uapi::HELPERS.iter().map(|h| h.name)),
        _ if arguments.json => document("helpers", "helpers", chosen.into_iter().map(helpers::value).collect()),
        None => printed(&helpers::list(&chosen)),
        Some(_) => printed(&helpers::page(chosen[0])),
    }
}

pub(super) fn maps(arguments: &MapsArguments) -> Exit {
    let found = arguments.types.as_ref().and_then(Option::as_deref).map(|word| (word, maps::find(word)));
    match found {
        None if arguments.json => document("maps", "types", uapi::MAP_TYPES.iter().map(maps::value).collect()),
        None => printed(&maps::list()),
        Some((word, None)) => unknown("map type", word, oxbpf_abi::MAP_TYPES.iter().map(|row| row.name)),
        Some((_, Some(info))) if arguments.json => document("maps", "types", vec![maps::value(info)]),
        Some((_, Some(info))) => printed(&maps::page(info)),
    }
}

pub(super) fn fields(arguments: &FieldsArguments) -> Exit {
    let named = |name: &str| arguments.field.as_ref().is_none_or(|field| field == name);
    let allowed = |field: &oxbpf_abi::ctx::Field| {
        arguments.prog_type.is_none_or(|t| field.readable_by(t) || field.writable_by(t))
    };
    match &arguments.field {
        Some(word) if fields::explain(word).is_none() => unknown("field", word, uapi::FIELDS.map(|f| f.name)),
        _ if arguments.json => {
            let ours = fields::all().filter(|(_, field, _)| named(field.name) && allowed(field));
            document("fields", "fields", ours.map(|(layout, field, info)| fields::value(layout, field, info)).collect())
        }
        Some(word) => printed(&fields::explain(word).unwrap_or_default()),
        None => printed(&fields::list(arguments.prog_type)),
    }
}

pub(super) fn explain(arguments: &ExplainArguments) -> Exit {
    let Some(word) = arguments.word.as_deref().filter(|_| !arguments.terms) else {
        return printed(&reference::terms::TERMS.iter().map(|(term, _)| format!("{term}\n")).collect::<String>());
    };
    match reference::explain(word) {
        Some(page) => printed(&page),
        None => unknown("word", word, reference::words()),
    }
}

/// Says that there is no such thing, and what it may have been meant to be.
fn unknown(what: &str, word: &str, known: impl IntoIterator<Item = impl Into<String>>) -> Exit {
    let known: Vec<String> = known.into_iter().map(Into::into).collect();
    let near = near(word, known.iter().map(String::as_str));
    let hint = near.map(|known| format!("; did you mean `{known}`?")).unwrap_or_default();
    let code = what.split(' ').next().unwrap_or(what);
    say(format_args!("error[unknown-{code}]: no {what} `{}`{hint}", oxbpf_isa::text::quote(word)));
    Exit::Usage
}

fn document(verb: &str, of: &str, values: Vec<Value>) -> Exit {
    let document = json!({ "schema": format!("oxbpf.{verb}/1"), of: values });
    printed(&format!("{document:#}\n"))
}

fn printed(text: &str) -> Exit {
    match output::to_stdout(text.as_bytes()) {
        Ok(()) => Exit::Ok,
        Err(e) => {
            say(format_args!("error[output]: {e}"));
            Exit::Usage
        }
    }
}
