//! What Linux 6.18 offers programs, whether this toolchain implements it or not: helpers, program types, map types and
//! kernel functions, for messages and reference pages.
//!
//! ```
//! use oxbpf_abi::uapi;
//!
//! let helper = uapi::helper("redirect").unwrap();
//! assert_eq!(helper.signature(), "long bpf_redirect(u32 ifindex, u64 flags)");
//! assert!(helper.callers.allows("xdp") && !helper.callers.allows("kprobe"));
//! ```

mod fields;
mod helpers;
mod types;

pub use fields::FIELDS;
pub use helpers::HELPERS;
pub use types::{KFUNCS, MAP_TYPES, PROG_TYPES};

/// Which program types may call a helper, by name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Callers {
    /// Only these.
    Only(&'static [&'static str]),
    /// All that can be loaded without attaching to something (see [`Callers::asked`]), except for these.
    Except(&'static [&'static str]),
}

/// A helper.
#[derive(Clone, Copy, Debug)]
pub struct HelperInfo {
    /// `BPF_FUNC_…` number.
    pub id: u32,
    /// The name without `bpf_`.
    pub name: &'static str,
    /// The type it returns, as C writes it.
    pub returns: &'static str,
    /// Its parameters, as C writes them; empty where there are none.
    pub params: &'static str,
    /// The first Linux that has it.
    pub since: &'static str,
    /// Only programs under a licence compatible with the GPL may call it.
    pub gpl_only: bool,
    /// Which program types may call it.
    pub callers: Callers,
    /// What it does or returns, in one clause.
    pub does: &'static str,
}

/// A program type.
#[derive(Clone, Copy, Debug)]
pub struct ProgTypeInfo {
    /// `enum bpf_prog_type`.
    pub id: u32,
    /// The name as bpftool writes it.
    pub name: &'static str,
    /// The first Linux that has it.
    pub since: &'static str,
    /// When such a program runs.
    pub runs: &'static str,
}

/// A map type, besides its name.
#[derive(Clone, Copy, Debug)]
pub struct MapTypeInfo {
    /// `enum bpf_map_type`.
    pub id: u32,
    /// The first Linux that has it.
    pub since: &'static str,
    /// What a key is.
    pub key: &'static str,
    /// What a value is.
    pub value: &'static str,
    /// What such a map is.
    pub is: &'static str,
}

/// A kernel function.
#[derive(Clone, Copy, Debug)]
pub struct KfuncInfo {
    /// Its name.
    pub name: &'static str,
    /// The type it returns, as C writes it.
    pub returns: &'static str,
    /// Its parameters, as C writes them.
    pub params: &'static str,
    /// The first Linux that has it.
    pub since: &'static str,
    /// What it does or returns, in one clause.
    pub does: &'static str,
}

/// A field of a context.
#[derive(Clone, Copy, Debug)]
pub struct FieldInfo {
    /// The context's structure.
    pub ctx: &'static str,
    /// The field's name.
    pub name: &'static str,
    /// The first Linux that has it.
    pub since: &'static str,
    /// What it holds.
    pub is: &'static str,
}

/// Program types of which the kernel was not asked: a load names something to attach to, or 6.18 as built has no such
/// type.
const NOT_ASKED: [&str; 6] = ["lirc_mode2", "raw_tracepoint_writable", "tracing", "struct_ops", "ext", "lsm"];

impl Callers {
    /// Whether programs of this type may call it.
    pub fn allows(self, prog_type: &str) -> bool {
        match self {
            Callers::Only(types) => types.contains(&prog_type),
            Callers::Except(types) => Callers::asked(prog_type) && !types.contains(&prog_type),
        }
    }

    /// Whether the kernel was asked about this program type. Of others only what is theirs alone is said.
    pub fn asked(prog_type: &str) -> bool {
        !NOT_ASKED.contains(&prog_type)
    }
}

impl HelperInfo {
    /// Its declaration in C.
    pub fn signature(&self) -> String {
        signature(self.returns, &format!("bpf_{}", self.name), self.params)
    }
}

impl KfuncInfo {
    /// Its declaration in C.
    pub fn signature(&self) -> String {
        signature(self.returns, self.name, self.params)
    }
}

fn signature(returns: &str, name: &str, params: &str) -> String {
    let gap = if returns.ends_with('*') { "" } else { " " };
    let params = if params.is_empty() { "void" } else { params };
    format!("{returns}{gap}{name}({params})")
}

/// The helper of this name, with or without `bpf_`, or of this number.
pub fn helper(name: &str) -> Option<&'static HelperInfo> {
    let plain = name.strip_prefix("bpf_").unwrap_or(name);
    let id: Option<u32> = name.parse().ok();
    HELPERS.iter().find(|h| h.name == plain || Some(h.id) == id)
}

/// The helper of this number.
pub fn helper_by_id(id: u32) -> Option<&'static HelperInfo> {
    HELPERS.get((id as usize).checked_sub(1)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ProgType;

    #[test]
    fn numbers_have_no_gaps() {
        assert!(HELPERS.iter().map(|h| h.id).eq(1..=211));
        assert!(PROG_TYPES.iter().map(|t| t.id).eq(1..=32));
        assert!(MAP_TYPES.iter().map(|t| t.id).eq(crate::MAP_TYPES.iter().map(|t| t.map_type.0)));
    }

    #[test]
    fn every_context_field_is_described() {
        let layouts = [&crate::ctx::SKB, &crate::ctx::XDP];
        let fields = layouts.iter().flat_map(|layout| layout.fields.iter().map(|field| (layout.name, field.name)));
        assert!(FIELDS.iter().map(|f| (f.ctx, f.name)).eq(fields));
    }

    #[test]
    fn program_types_of_callers_exist() {
        let known = |name: &&str| PROG_TYPES.iter().any(|t| t.name == *name);
        for helper in HELPERS {
            let (Callers::Only(types) | Callers::Except(types)) = helper.callers;
            assert!(types.iter().all(known), "{}", helper.name);
        }
        assert!(NOT_ASKED.iter().all(known));
        for row in crate::PROG_TYPES {
            assert!(known(&row.name) && ProgType::by_name(row.name) == Some(row.prog_type));
        }
    }
}
