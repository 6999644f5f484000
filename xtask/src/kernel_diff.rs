//! `cargo xtask kernel-diff`: the rows of `oxbpf-abi` beside the running kernel.
//!
//! Numbers and names of helpers, map types and program types, offsets of context fields, and names of kernel functions
//! are compared with the kernel's BTF. Which program types may call a helper, and under which licence, is asked by
//! loading a program that calls it. An installed header that is older is only told.

use std::collections::BTreeMap;

use oxbpf_abi::ctx::{Layout, SKB, XDP};
use oxbpf_abi::{MAP_TYPES, PROG_TYPES, uapi};
use oxbpf_btf::{Btf, Kind, Type, TypeId};
use oxbpf_kernel::{KernelProg, LoadError, LoadSpec};

const VMLINUX: &str = "/sys/kernel/btf/vmlinux";
const HEADER: &str = "/usr/include/linux/bpf.h";

pub fn run(rest: &[String]) -> Result<(), String> {
    if let [other, ..] = rest {
        return Err(format!("kernel-diff takes no arguments, and was given `{other}`"));
    }
    let bytes = std::fs::read(VMLINUX).map_err(|e| format!("{VMLINUX}: {e}"))?;
    let btf = Btf::parse(&bytes).map_err(|e| format!("{VMLINUX}: {e}"))?;
    let mut wrong = Vec::new();
    let helpers = uapi::HELPERS.iter().map(|h| (h.id, h.name.to_string()));
    numbers(&btf, "bpf_func_id", "BPF_FUNC_", helpers, &mut wrong);
    numbers(
        &btf,
        "bpf_map_type",
        "BPF_MAP_TYPE_",
        MAP_TYPES.iter().map(|m| (m.map_type.0, m.name.to_string())),
        &mut wrong,
    );
    let types = uapi::PROG_TYPES.iter().map(|t| (t.id, t.name.to_string()));
    numbers(&btf, "bpf_prog_type", "BPF_PROG_TYPE_", types, &mut wrong);
    for layout in [&SKB, &XDP] {
        fields(&btf, layout, &mut wrong);
    }
    for kfunc in uapi::KFUNCS {
        if btf.find(Kind::Func, kfunc.name).is_none() {
            wrong.push(format!("kernel function {}: the running kernel has none", kfunc.name));
        }
    }
    callers(&mut wrong)?;
    header();
    match wrong.len() {
        0 => {
            println!(
                "no difference: {} helpers, {} map types, {} program types, {} kernel functions",
                uapi::HELPERS.len(),
                MAP_TYPES.len(),
                uapi::PROG_TYPES.len(),
                uapi::KFUNCS.len()
            );
            Ok(())
        }
        n => Err(format!("{n} differences from the running kernel:\n{}", wrong.join("\n"))),
    }
}

/// Compares an enumeration's names and numbers with ours, both ways. Of numbers with several names, one must be ours.
fn numbers(btf: &Btf, name: &str, prefix: &str, ours: impl Iterator<Item = (u32, String)>, wrong: &mut Vec<String>) {
    let mut theirs: BTreeMap<u32, Vec<String>> = BTreeMap::new();
    for value in enum_values(btf, name) {
        // The enumeration's end has another prefix: it is no entry.
        if let Some(name) = value.0.strip_prefix(prefix).filter(|name| *name != "unspec" && *name != "UNSPEC") {
            theirs.entry(value.1).or_default().push(name.to_lowercase());
        }
    }
    for (id, ours) in ours {
        match theirs.remove(&id) {
            None => wrong.push(format!("{name}: {id} {ours} is not in the running kernel")),
            Some(names) if !names.contains(&ours) => {
                wrong.push(format!("{name}: {id} is {} in the running kernel, not {ours}", names.join(" or ")));
            }
            Some(_) => {}
        }
    }
    let missing = theirs.into_iter().map(|(id, names)| format!("{name}: {id} {} is missing here", names.join(" or ")));
    wrong.extend(missing);
}

fn enum_values<'a>(btf: &'a Btf, name: &str) -> Vec<(&'a str, u32)> {
    let id = btf.find(Kind::Enum, name);
    match id.and_then(|id| btf.get(id).ok()) {
        Some(Type::Enum(e)) => e.values.iter().map(|v| (btf.str(v.name), v.value as u32)).collect(),
        _ => Vec::new(),
    }
}

fn fields(btf: &Btf, layout: &Layout, wrong: &mut Vec<String>) {
    let Some(id) = btf.find(Kind::Struct, layout.name) else {
        wrong.push(format!("struct {} is not in the running kernel", layout.name));
        return;
    };
    let offsets = members(btf, id, 0);
    for field in layout.fields {
        match offsets.get(field.name) {
            None => wrong.push(format!("{}: the running kernel has no field {}", layout.name, field.name)),
            Some(off) if *off != field.off => {
                wrong.push(format!(
                    "{}: {} is at {off} in the running kernel, not {}",
                    layout.name, field.name, field.off
                ));
            }
            Some(_) => {}
        }
    }
    for name in offsets.keys().filter(|name| !layout.fields.iter().any(|f| f.name == **name)) {
        wrong.push(format!("{}: field {name} is missing here", layout.name));
    }
}

/// Offsets in bytes of the named members, those of unnamed structures and unions included.
fn members(btf: &Btf, id: TypeId, base: u32) -> BTreeMap<&str, u32> {
    let mut out = BTreeMap::new();
    let Some(composite) = btf.composite(id) else {
        return out;
    };
    for member in &composite.members {
        let off = base + member.bit_offset / 8;
        match btf.str(member.name) {
            "" => out.extend(members(btf, member.target, off)),
            name if member.bitfield == 0 => {
                out.insert(name, off);
            }
            _ => {}
        }
    }
    out
}

/// Asks the kernel, for each helper and networking program type, whether a program may call it.
fn callers(wrong: &mut Vec<String>) -> Result<(), String> {
    for row in PROG_TYPES {
        for helper in &uapi::HELPERS {
            let refused = refusal(row.id, row.attach_type, helper.id, "GPL")?;
            let allowed =
                !refused.as_ref().is_some_and(|log| log.contains("cannot use helper") || log.contains("unknown func"));
            if allowed != helper.callers.allows(row.name) {
                wrong.push(format!("helper {} in {}: the running kernel says {allowed}", helper.name, row.name));
            }
            if allowed {
                let gpl = refusal(row.id, row.attach_type, helper.id, "Proprietary")?;
                let gpl = gpl.is_some_and(|log| log.contains("GPL"));
                if gpl != helper.gpl_only {
                    wrong.push(format!("helper {}: only under the GPL is {gpl} in the running kernel", helper.name));
                }
            }
        }
    }
    Ok(())
}

/// The log of a refusal to load a program that calls this helper; none where it loads.
fn refusal(prog_type: u32, attach_type: u32, helper: u32, license: &str) -> Result<Option<String>, String> {
    let [a, b, c, d] = helper.to_le_bytes();
    let insns = [[0x85, 0, 0, 0, a, b, c, d], [0xb7, 0, 0, 0, 0, 0, 0, 0], [0x95, 0, 0, 0, 0, 0, 0, 0]];
    let spec = LoadSpec { license, expected_attach_type: attach_type, ..LoadSpec::new(prog_type, &insns) };
    match KernelProg::load(&spec) {
        Ok(_) => Ok(None),
        Err(LoadError::Rejected { log, .. }) => Ok(Some(log.text)),
        Err(e) => Err(format!("asking about helper {helper}: {e}")),
    }
}

/// Tells what an installed header knows: it may be older than the kernel, which is no fault.
fn header() {
    let Ok(text) = std::fs::read_to_string(HEADER) else {
        println!("note: no installed header");
        return;
    };
    let missing =
        uapi::PROG_TYPES.iter().filter(|t| !text.contains(&format!("BPF_PROG_TYPE_{}", t.name.to_uppercase())));
    let missing: Vec<_> = missing.map(|t| t.name).collect();
    if !missing.is_empty() {
        println!("note: the installed header is older: it has no program type {}", missing.join(", "));
    }
}
