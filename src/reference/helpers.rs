//! Pages about helpers, kernel functions and program types.

use std::fmt::Write;

use oxbpf_abi::uapi::{self, Callers, HelperInfo, KfuncInfo, ProgTypeInfo};
use oxbpf_abi::{HELPERS, ProgType};
use serde_json::{Value, json};

use super::line;

/// Helpers, a line each: number, name, since, what it does.
pub fn list(helpers: &[&HelperInfo]) -> String {
    let row = |h: &&HelperInfo| {
        let here = if implemented(h) { "yes" } else { "-" };
        let gpl = if h.gpl_only { "GPL" } else { "" };
        format!("{:>3} {:30} {:5} {gpl:3} {here:3} {}\n", h.id, h.name, h.since, h.does)
    };
    format!("{:>3} {:30} {:5} {:3} {:3} {}\n", "id", "helper", "since", "", "run", "what it does")
        + &helpers.iter().map(row).collect::<String>()
}

/// Kernel functions, a line each.
pub fn kfuncs() -> String {
    let row = |k: &KfuncInfo| format!("{:30} {:5} {}\n", k.name, k.since, k.does);
    uapi::KFUNCS.iter().map(row).collect()
}

/// Pages about the helper, kernel function or program type of this name.
pub fn explain(word: &str) -> Option<String> {
    // A bare number is no name: it could be anything.
    let named = |h: &&HelperInfo| h.name == word.strip_prefix("bpf_").unwrap_or(word);
    let helper = uapi::HELPERS.iter().find(named).map(page);
    let kfunc = uapi::KFUNCS.iter().find(|k| k.name == word).map(kfunc);
    let forms = |t: &ProgTypeInfo| [t.name.to_string(), format!("BPF_PROG_TYPE_{}", t.name.to_uppercase())];
    let known = ProgType::by_name(word).map(|t| t.row().name);
    let prog = uapi::PROG_TYPES.iter().find(|t| forms(t).iter().any(|f| f == word) || known == Some(t.name));
    [helper, kfunc, prog.map(prog_type)].into_iter().flatten().reduce(|a, b| a + "\n" + &b)
}

/// The page about a helper.
pub fn page(helper: &HelperInfo) -> String {
    let mut out = format!("bpf_{}\n  {}\n\n  {}\n\n", helper.name, helper.does, helper.signature());
    out += &line("number", &helper.id.to_string());
    out += &line("since", &format!("Linux {}", helper.since));
    out += &line("licence", if helper.gpl_only { "compatible with the GPL" } else { "any" });
    out += &line("callers", &callers(helper.callers));
    let here = match HELPERS.iter().find(|row| row.id == helper.id) {
        None => "not run by this toolchain's engines",
        Some(row) if row.proto.moves_packet => {
            "run by this toolchain's engines; packet pointers from before are void after it"
        }
        Some(_) => "run by this toolchain's engines",
    };
    out + &line("here", here)
}

fn kfunc(kfunc: &KfuncInfo) -> String {
    let mut out = format!("{}\n  {}\n\n  {}\n\n", kfunc.name, kfunc.does, kfunc.signature());
    out += &line("since", &format!("Linux {}", kfunc.since));
    out + &line("called", "by its BTF id in the running kernel; not run by this toolchain's engines")
}

/// The page about a program type.
pub fn prog_type(info: &ProgTypeInfo) -> String {
    let mut out = format!("{}\n  {}\n\n", info.name, info.runs);
    out += &line("number", &info.id.to_string());
    out += &line("since", &format!("Linux {}", info.since));
    if let Some(row) = oxbpf_abi::PROG_TYPES.iter().find(|row| row.id == info.id) {
        out += &line("sections", &row.sections.join(", "));
        out += &line("also called", &row.aliases.join(", "));
        out += &line("context", row.prog_type.ctx().name);
    }
    let allowed = uapi::HELPERS.iter().filter(|h| h.callers.allows(info.name)).map(|h| h.name);
    if Callers::asked(info.name) {
        let mut text = String::new();
        for name in allowed {
            let _ = write!(text, "{}{name}", if text.is_empty() { "" } else { ", " });
        }
        out += &line("helpers", &text);
    }
    out
}

/// A helper as a JSON value.
pub fn value(helper: &HelperInfo) -> Value {
    let types = uapi::PROG_TYPES.iter().map(|t| t.name).filter(|name| helper.callers.allows(name));
    json!({
        "id": helper.id,
        "name": helper.name,
        "signature": helper.signature(),
        "since": helper.since,
        "gpl_only": helper.gpl_only,
        "program_types": types.collect::<Vec<_>>(),
        "does": helper.does,
        "implemented": implemented(helper),
    })
}

/// A kernel function as a JSON value.
pub fn kfunc_value(kfunc: &KfuncInfo) -> Value {
    json!({ "name": kfunc.name, "signature": kfunc.signature(), "since": kfunc.since, "does": kfunc.does })
}

/// Whether this toolchain's engines run it.
pub fn implemented(helper: &HelperInfo) -> bool {
    HELPERS.iter().any(|row| row.id == helper.id)
}

fn callers(callers: Callers) -> String {
    match callers {
        Callers::Only(types) => types.join(", "),
        Callers::Except([]) => "all program types".to_string(),
        Callers::Except(types) => format!("all program types except {}", types.join(", ")),
    }
}
