//! The maps that a program names: how many, of what types, and where into their values it points.

use std::collections::BTreeSet;

use oxbpf_abi::{MapType, ProgType};
use oxbpf_ir::{InsnId, MapDef, Program, Unit, map_ref};
use oxbpf_isa::{CallTarget, Insn, Pseudo};

use crate::code::Code;
use crate::pointer::MAX_OFFSET;
use crate::report::{Checked, Fault};
use crate::special::check_special;

/// The most maps of one program.
const MAX_MAPS: usize = 64;

/// Checks the maps that a program names.
pub(crate) fn check_maps(unit: &Unit, program: &Program) -> Checked {
    let mut used = BTreeSet::new();
    for (i, insn) in (0..).zip(program.insns()) {
        let placed = |mut fault: Box<Fault>| {
            fault.insn = Some(InsnId(i));
            fault
        };
        match insn {
            Insn::LoadPseudo { value: Pseudo::BtfVar { .. }, .. } => {
                return Err(placed(Fault::unsupported("kernel variables")));
            }
            // The kernel looks them all up, reached or not.
            Insn::Call(CallTarget::Kfunc { .. }) => return Err(placed(Fault::unsupported("kernel functions"))),
            _ => {}
        }
        let Some(index) = map_ref(insn) else { continue };
        let def = &unit.maps()[index as usize];
        if let Insn::LoadPseudo { value: Pseudo::MapValue { off, .. } | Pseudo::MapIdxValue { off, .. }, .. } = insn {
            check_offset(def, *off as u32).map_err(placed)?;
        }
        if used.insert(index) {
            check_use(def, program.prog_type()).map_err(placed)?;
            check_special(unit, def).map_err(placed)?;
        }
        if used.len() > MAX_MAPS {
            let text = format!("The total number of maps per program has reached the limit of {MAX_MAPS}");
            return Err(placed(Fault::new(Code::TooManyMaps, text)));
        }
    }
    Ok(())
}

/// A pointer into the value of a map: only arrays of one value give it away.
fn check_offset(def: &MapDef, off: u32) -> Checked {
    let refuse = |text: String| Err(Fault::new(Code::MapValueBounds, text));
    if i64::from(off) >= MAX_OFFSET {
        return refuse(format!("direct value offset of {off} is not allowed"));
    }
    if def.map_type != MapType::ARRAY {
        return refuse("no direct value access support for this map type".to_string());
    }
    if def.max_entries != 1 || off >= def.value_size {
        return refuse(format!("invalid access to map value pointer, value_size={} off={off}", def.value_size));
    }
    Ok(())
}

/// Maps that programs of some types may not use.
fn check_use(def: &MapDef, prog_type: ProgType) -> Checked {
    if def.lock.is_some() && prog_type == ProgType::SocketFilter {
        let text = "socket filter progs cannot use bpf_spin_lock yet";
        return Err(Fault::new(Code::MapCompat, text));
    }
    Ok(())
}
