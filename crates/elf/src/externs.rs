//! What an object takes from the kernel: settings (`.kconfig`), functions and
//! variables (`.ksyms`).

use std::collections::HashMap;

use oxbpf_abi::{MapType, map_flags};
use oxbpf_btf::{Btf, Type, TypeId};
use oxbpf_ir::{MapDef, MapInit, MapPurpose};

use crate::error::ElfError;
use crate::file::{Elf, Symbol};
use crate::kconfig::{Kconfig, Variable};

/// The section of settings, and the name of the map that holds them.
pub(crate) const KCONFIG: &str = ".kconfig";

/// The section of the kernel's functions and variables.
const KSYMS: &str = ".ksyms";

/// The most externs of one object.
const MAX_EXTERNS: usize = 4096;

/// The most bytes that settings take together.
const MAX_SETTINGS: u32 = 1 << 16;

/// What an [`Extern`] is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ExternKind {
    /// A setting of the kernel, or its version.
    Setting,
    /// A function of the kernel.
    Function,
    /// A variable of the kernel.
    Variable,
    /// A symbol that the debug types do not describe.
    Unknown,
}

impl ExternKind {
    /// What it is called in messages.
    pub const fn name(self) -> &'static str {
        match self {
            ExternKind::Setting => "kernel setting",
            ExternKind::Function => "kernel function",
            ExternKind::Variable => "kernel variable",
            ExternKind::Unknown => "undefined symbol",
        }
    }
}

/// Something that an object takes from the kernel.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Extern {
    pub(crate) name: String,
    pub(crate) kind: ExternKind,
    pub(crate) weak: bool,
    /// Of a setting: its type, and where it is in the map.
    place: Option<(TypeId, u32)>,
    /// Of a setting: its bytes, once they are known.
    value: Option<Vec<u8>>,
    /// Of a setting: why programs cannot use it.
    pub(crate) fault: Option<ElfError>,
}

impl Extern {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it is.
    pub fn kind(&self) -> ExternKind {
        self.kind
    }

    /// Whether programs can do without it: then its value or address is 0.
    pub fn is_weak(&self) -> bool {
        self.weak
    }

    /// Of a setting, its bytes, where [`crate::Object::resolve_kconfig`] found them.
    pub fn value(&self) -> Option<&[u8]> {
        self.value.as_deref()
    }

    /// Where a setting is in the map of settings.
    pub(crate) fn offset(&self) -> Option<u32> {
        self.place.map(|p| p.1)
    }
}

/// All externs of an object.
#[derive(Default)]
pub(crate) struct Externs {
    pub(crate) all: Vec<Extern>,
    by_name: HashMap<String, u32>,
    /// Bytes of all settings.
    size: u32,
}

impl Externs {
    /// All undefined symbols, as the debug types describe them.
    pub(crate) fn read(elf: &Elf<'_>, types: Option<&Btf>) -> Result<Externs, ElfError> {
        let declared = types.map(declared).unwrap_or_default();
        let mut externs = Externs::default();
        for symbol in elf.symbols.iter().filter(|s| s.undefined && s.global) {
            let name = elf.symbol_name(symbol)?;
            if name.is_empty() || externs.by_name.contains_key(name) {
                continue;
            }
            let (kind, target) = declared.get(name).copied().unwrap_or((ExternKind::Unknown, TypeId::VOID));
            let count = externs.all.len() as u64 + 1;
            if count > MAX_EXTERNS as u64 {
                return Err(ElfError::TooMany { what: "externs", count, limit: MAX_EXTERNS as u64 });
            }
            externs.push(types, symbol, name, kind, target)?;
        }
        Ok(externs)
    }

    fn push(
        &mut self,
        types: Option<&Btf>,
        symbol: &Symbol,
        name: &str,
        kind: ExternKind,
        target: TypeId,
    ) -> Result<(), ElfError> {
        let mut new = Extern { name: name.to_string(), kind, weak: symbol.weak, place: None, value: None, fault: None };
        if let (ExternKind::Setting, Some(types)) = (kind, types) {
            match Variable::new(types, name, target) {
                Ok(variable) => {
                    // Numbers are as large as their alignment; texts need none.
                    let align = (variable.size as u32).next_power_of_two().min(8);
                    let at = self.size.next_multiple_of(align);
                    self.size = at + variable.size as u32;
                    new.place = Some((target, at));
                }
                Err(error) => new.fault = Some(error),
            }
        }
        if self.size > MAX_SETTINGS {
            let (count, limit) = (self.size.into(), MAX_SETTINGS.into());
            return Err(ElfError::TooMany { what: "bytes of kernel settings", count, limit });
        }
        self.by_name.insert(name.to_string(), self.all.len() as u32);
        self.all.push(new);
        Ok(())
    }

    /// The number of the extern of this name.
    pub(crate) fn named(&self, name: &str) -> Option<u32> {
        self.by_name.get(name).copied()
    }

    /// The map of settings, if there are any; their values come with [`Externs::resolve`].
    pub(crate) fn map(&self) -> Option<MapDef> {
        (self.size > 0).then(|| {
            let mut def = MapDef::new(KCONFIG, MapType::ARRAY, 4, self.size, 1);
            def.purpose = MapPurpose::Rodata;
            def.flags = map_flags::RDONLY_PROG;
            def.init = self.contents();
            def
        })
    }

    /// The settings' bytes; those that are not known are zero.
    pub(crate) fn contents(&self) -> MapInit {
        let mut bytes = vec![0; self.size as usize];
        for known in &self.all {
            if let (Some((_, at)), Some(value)) = (known.place, &known.value) {
                bytes[at as usize..][..value.len()].copy_from_slice(value);
            }
        }
        MapInit::Entries(vec![(vec![0; 4], bytes)])
    }

    /// Takes the settings from a configuration.
    pub(crate) fn resolve(&mut self, types: &Btf, config: &Kconfig) {
        for setting in &mut self.all {
            let Some((target, _)) = setting.place else {
                continue;
            };
            let found = Variable::new(types, &setting.name, target).and_then(|v| v.fill(config));
            (setting.value, setting.fault) = match found {
                Ok(value) => (value, None),
                Err(error) => (None, Some(error)),
            };
            if setting.value.is_none() && setting.fault.is_none() && !setting.weak {
                let what = "the kernel's configuration does not set it, and it is not weak".to_string();
                setting.fault = Some(ElfError::Kconfig { name: setting.name.clone(), what });
            }
        }
    }

    /// Why programs cannot use this setting.
    pub(crate) fn setting_fault(&self, index: u32) -> Option<ElfError> {
        let setting = &self.all[index as usize];
        let missing = setting.place.is_some() && setting.value.is_none() && !setting.weak;
        let unread = || ElfError::Kconfig {
            name: setting.name.clone(),
            what: "no configuration of a kernel was given".to_string(),
        };
        setting.fault.clone().or_else(|| missing.then(unread))
    }
}

/// Externs by name, with their type: those of `.kconfig` and `.ksyms`.
fn declared(types: &Btf) -> HashMap<&str, (ExternKind, TypeId)> {
    let mut declared = HashMap::new();
    for section in [KCONFIG, KSYMS] {
        let vars = types.datasec(section).map_or(&[][..], |d| &d.vars);
        for var in vars {
            let row = match types.get(var.var) {
                Ok(Type::Var(v)) if section == KCONFIG => (v.name, (ExternKind::Setting, v.target)),
                Ok(Type::Var(v)) => (v.name, (ExternKind::Variable, v.target)),
                Ok(Type::Func(f)) => (f.name, (ExternKind::Function, f.proto)),
                _ => continue,
            };
            declared.insert(types.str(row.0), row.1);
        }
    }
    declared
}
