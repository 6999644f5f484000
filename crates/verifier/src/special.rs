//! Members of map values that only helpers and kernel functions may touch.

use std::collections::HashSet;

use oxbpf_btf::{Btf, Type, TypeId};
use oxbpf_ir::{MapDef, Unit};

use crate::report::{Checked, Fault};

/// Structures that the kernel looks for in values; spin locks are followed, and known of before.
const STRUCTURES: [&str; 7] =
    ["bpf_timer", "bpf_wq", "bpf_task_work", "bpf_list_head", "bpf_rb_root", "bpf_refcount", "bpf_res_spin_lock"];

/// Tags of pointers that the kernel follows.
const TAGS: [&str; 4] = ["kptr", "kptr_untrusted", "percpu_kptr", "uptr"];

/// Refuses to judge programs whose maps hold what is not followed: its accesses have rules of their own.
pub(crate) fn check_special(unit: &Unit, def: &MapDef) -> Checked {
    let (Some(types), Some(of)) = (unit.types(), def.types) else { return Ok(()) };
    match find(types, of.value, &mut HashSet::new()) {
        Some(what) => Err(Fault::unsupported(format!("map {} with a {what} in its values", def.name))),
        None => Ok(()),
    }
}

/// What is found in a type, each type looked into once.
fn find(types: &Btf, id: TypeId, seen: &mut HashSet<TypeId>) -> Option<String> {
    if !seen.insert(id) {
        return None;
    }
    match types.resolved(id).ok()? {
        Type::Ptr(target) => match types.get(*target).ok()? {
            Type::TypeTag { name, .. } => {
                let name = types.str(*name);
                TAGS.contains(&name).then(|| name.to_string())
            }
            _ => None,
        },
        Type::Array(array) => find(types, array.elem, seen),
        Type::Struct(composite) | Type::Union(composite) => {
            let name = types.str(composite.name);
            if STRUCTURES.contains(&name) {
                return Some(name.to_string());
            }
            types.members(id).find_map(|(_, member)| find(types, member.target, seen))
        }
        _ => None,
    }
}
