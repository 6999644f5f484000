//! CO-RE: instructions made right for the types of a kernel.
//!
//! [`Object::relocate_core`] asks [`oxbpf_btf::core`] for the answer to each
//! record and puts it into the instruction, before [`Object::unit`] links
//! programs. [`Object::core_relocations`] lists the records with what became of
//! them. [`read_target`] reads the types to adapt to.
//!
//! ```
//! use oxbpf_btf::core::CoreTarget;
//!
//! let mut object = oxbpf_elf::load(&std::fs::read("tests/core/fields.o")?)?;
//! let target = std::fs::File::open("tests/core/target.o")?;
//! let target = CoreTarget::new(oxbpf_elf::core::read_target(target)?);
//! object.relocate_core(&target);
//! let first = object.core_relocations().next().expect("there are some");
//! assert_eq!(first.local(), "struct packet.len at byte 4");
//! assert_eq!(first.answer(&target), "struct packet.len at byte 16");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod fault;
mod patch;
mod read;

use std::sync::Arc;

use oxbpf_btf::core::{CoreResolver, CoreTarget, Resolved};
use oxbpf_btf::{CoreKind, CoreRelo};
use oxbpf_isa::RawInsn;

use crate::error::ElfError;
use crate::functions::{Function, SLOT};
use crate::object::Object;

pub use fault::CoreFault;
pub use patch::POISON;
pub use read::read_target;

/// A record of a function.
pub(crate) struct CoreSite {
    relo: CoreRelo,
    /// The section of its instruction.
    section: Arc<str>,
    /// The slot of its instruction and the one behind, as compiled; none
    /// before they are changed.
    compiled: Option<[RawInsn; 2]>,
    outcome: Option<Result<Arc<Resolved>, CoreFault>>,
}

impl CoreSite {
    pub(crate) fn new(relo: CoreRelo, section: Arc<str>) -> CoreSite {
        CoreSite { relo, section, compiled: None, outcome: None }
    }

    fn slot(&self, function_start: u64) -> usize {
        // The function was found by this offset, so it lies inside.
        ((u64::from(self.relo.insn_off) - function_start) / SLOT) as usize
    }
}

/// A CO-RE record of an object and what became of it.
#[derive(Clone, Copy)]
pub struct CoreRelocation<'o> {
    object: &'o Object,
    function: &'o Function,
    site: &'o CoreSite,
}

impl<'o> CoreRelocation<'o> {
    /// The section of the instruction.
    pub fn section(&self) -> &'o str {
        &self.site.section
    }

    /// The function of the instruction.
    pub fn function(&self) -> &'o str {
        &self.function.name
    }

    /// The instruction's slot in its function.
    pub fn slot(&self) -> usize {
        self.site.slot(self.function.start)
    }

    /// The record.
    pub fn record(&self) -> &'o CoreRelo {
        &self.site.relo
    }

    /// What is asked, by clang's name for it: `byte_off`, `type_exists`.
    pub fn kind(&self) -> &'static str {
        self.site.relo.kind.name()
    }

    /// The answer; none before [`Object::relocate_core`].
    pub fn outcome(&self) -> Option<Result<&'o Resolved, &'o CoreFault>> {
        self.site.outcome.as_ref().map(|outcome| outcome.as_deref())
    }

    /// What is asked about, in the object's types: `struct sk_buff.len at byte 8`.
    pub fn local(&self) -> String {
        let (types, relo) = (self.object.types(), self.record());
        let name = |id| types.map_or("", |t| t.name(id)).to_string();
        match (self.outcome(), types) {
            (Some(Ok(resolved)), Some(types)) => resolved.local.describe(types),
            _ => format!("type {} {}", relo.type_id, name(relo.type_id)).trim_end().to_string(),
        }
    }

    /// What the target has of it, or what became of the instruction, for
    /// people. `target` is the one that was given to [`Object::relocate_core`].
    pub fn answer(&self, target: &CoreTarget) -> String {
        match self.outcome() {
            None => "not looked up".to_string(),
            Some(Err(fault)) => format!("error[{}]: {fault}", fault.code()),
            Some(Ok(Resolved { target: Some(spec), .. })) if self.traps() => {
                format!("{}, of another width: the instruction traps", spec.describe(target.btf()))
            }
            Some(Ok(Resolved { kind, target: Some(spec), value: Some(value), .. })) => {
                let spec = spec.describe(target.btf());
                match kind {
                    CoreKind::FieldByteOffset => spec,
                    _ => format!("{spec} = {}", value.cast_signed()),
                }
            }
            Some(Ok(Resolved { kind: CoreKind::TypeIdLocal, value: Some(value), .. })) => {
                format!("the object's own = {value}")
            }
            Some(Ok(Resolved { value: Some(value), .. })) => format!("absent: {value}"),
            Some(Ok(Resolved { value: None, .. })) => "absent: the instruction traps".to_string(),
        }
    }

    /// Whether the instruction was made one that traps.
    pub fn traps(&self) -> bool {
        self.function.code.get(self.slot()) == Some(&patch::TRAP)
    }
}

impl Object {
    /// Whether a program depends on types of a kernel.
    pub fn needs_core_target(&self) -> bool {
        self.functions.all.iter().any(|f| f.core.iter().any(CoreSite::is_pending))
    }

    /// Adapts all instructions to `target`'s types. What that has not makes the
    /// instruction one that traps ([`POISON`]), or answers 0 where existence
    /// was asked for. Records without an answer are faults of their function,
    /// which [`Object::unit`] tells. Another call adapts to another target.
    pub fn relocate_core(&mut self, target: &CoreTarget) {
        let Some(types) = &self.types else { return };
        let mut resolver = CoreResolver::new(types, target);
        for function in &mut self.functions.all {
            restore(function);
            for index in 0..function.core.len() {
                let site = &mut function.core[index];
                let slot = site.slot(function.start);
                let second = function.code.get(slot + 1).copied();
                site.compiled = Some([function.code[slot], second.unwrap_or(function.code[slot])]);
                let resolved = resolver.resolve(&site.relo).map_err(CoreFault::Record);
                let done = resolved.and_then(|resolved| {
                    patch::apply(&mut function.code[slot..], &resolved)?;
                    Ok(resolved)
                });
                site.outcome = Some(done);
            }
        }
    }

    /// The CO-RE records of all functions, by section and place.
    pub fn core_relocations(&self) -> impl Iterator<Item = CoreRelocation<'_>> {
        let all = self.functions.all.iter().flat_map(|function| function.core.iter().map(move |site| (function, site)));
        all.map(|(function, site)| CoreRelocation { object: self, function, site })
    }

    /// Whether every record of a function has an answer.
    pub(crate) fn core_ready(&self, function: &Function) -> Result<(), ElfError> {
        for site in &function.core {
            let (at, kind) = (u64::from(site.relo.insn_off), site.relo.kind.name());
            let section = || site.section.to_string();
            match &site.outcome {
                Some(Err(fault)) => {
                    return Err(ElfError::Core { section: section(), at, kind, fault: fault.clone() });
                }
                _ if site.is_pending() => {
                    let what = self.types().map_or("", |t| t.name(site.relo.type_id)).to_string();
                    return Err(ElfError::NoCoreTarget { section: section(), at, kind, what });
                }
                _ => {}
            }
        }
        Ok(())
    }
}

impl CoreSite {
    /// Whether it still has to be answered. A type's number in the object is
    /// what the compiler wrote.
    fn is_pending(&self) -> bool {
        self.outcome.is_none() && self.relo.kind != CoreKind::TypeIdLocal
    }
}

/// Makes a function what was compiled.
fn restore(function: &mut Function) {
    for site in function.core.iter_mut().rev() {
        let slot = site.slot(function.start);
        if let Some([first, second]) = site.compiled.take() {
            function.code[slot] = first;
            if let Some(behind) = function.code.get_mut(slot + 1) {
                *behind = second;
            }
        }
    }
}
