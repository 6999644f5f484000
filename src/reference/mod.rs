//! The reference: pages about instructions, helpers, map types, context fields and terms, made from the rows that
//! everything else reads too.
//!
//! ```
//! use oxbpf::reference;
//!
//! let page = reference::explain("0x37").unwrap();
//! assert!(page.starts_with("div64\n"));
//! assert!(reference::explain("skb_vlan_push").unwrap().contains("sched_cls"));
//! ```

pub mod book;
pub mod codes;
pub mod fields;
pub mod helpers;
pub mod insns;
pub mod maps;
pub mod terms;

/// The page or pages about an opcode, an instruction, a helper, a kernel function, a field, a map type, a program type,
/// a term or a code of the verifier's; none where the word is none of these.
pub fn explain(word: &str) -> Option<String> {
    let word = word.trim();
    let pages = [
        insns::explain(word),
        helpers::explain(word),
        fields::explain(word),
        maps::explain(word),
        terms::explain(word),
        codes::explain(word),
    ];
    let pages: Vec<String> = pages.into_iter().flatten().collect();
    if pages.is_empty() { None } else { Some(pages.join("\n")) }
}

/// Every word that [`explain`] knows by name, for suggestions.
pub fn words() -> impl Iterator<Item = String> {
    let insns = oxbpf_isa::catalog::Kind::all().map(|kind| kind.name());
    let helpers = oxbpf_abi::uapi::HELPERS.iter().map(|h| h.name.to_string());
    let kfuncs = oxbpf_abi::uapi::KFUNCS.iter().map(|k| k.name.to_string());
    let fields = oxbpf_abi::uapi::FIELDS.iter().map(|f| f.name.to_string());
    let maps = oxbpf_abi::MAP_TYPES.iter().map(|m| m.name.to_string());
    let progs = oxbpf_abi::uapi::PROG_TYPES.iter().map(|p| p.name.to_string());
    let terms = terms::TERMS.iter().map(|t| t.0.to_string());
    let codes = oxbpf_verifier::Code::ALL.iter().map(|c| c.name());
    insns.chain(helpers).chain(kfuncs).chain(fields).chain(maps).chain(progs).chain(terms).chain(codes)
}

/// A line `name: text` of a page, with the names in a column.
fn line(name: &str, text: &str) -> String {
    format!("  {name:14} {text}\n")
}
