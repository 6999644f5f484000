//! Every program that PROG names: all of an object or a text where no one of them is named.

use std::sync::Arc;

use oxbpf_elf::{ElfError, Object};
use oxbpf_ir::{BuildFault, ProgIdx, Unit};

use super::{ProgError, Types, file_name, load_raw, read, shown_name, split};
use crate::text_unit::{self, UnitTextFault};
use crate::{core_target, kconfig};

/// A program, or why there is none.
pub(crate) struct Candidate {
    /// Its name.
    pub name: String,
    /// The unit that it is in, and where; or what keeps it from being loaded.
    pub loaded: Result<(Arc<Unit>, ProgIdx), NotLoaded>,
}

/// Why a program is not there.
pub(crate) struct NotLoaded {
    /// Of a program with a wrong shape, what is wrong with it.
    pub shape: Option<BuildFault>,
    /// Whether its bytes are no instructions.
    pub undecodable: bool,
    pub error: ProgError,
}

impl From<ProgError> for NotLoaded {
    fn from(error: ProgError) -> NotLoaded {
        let shape = match &error {
            ProgError::Build { source, .. } => Some(source.fault.clone()),
            ProgError::Object { source, .. } => match &**source {
                ElfError::Build { error, .. } => Some(error.fault.clone()),
                _ => None,
            },
            _ => None,
        };
        let undecodable = match &error {
            ProgError::Decode { .. } => true,
            ProgError::Object { source, .. } => matches!(**source, ElfError::Decode { .. }),
            _ => false,
        };
        NotLoaded { shape, undecodable, error }
    }
}

/// What was found, and what had to be assumed.
pub(crate) struct Found {
    pub programs: Vec<Candidate>,
    pub notes: Vec<String>,
}

/// The programs of an eBPF PROG, whatever their licences say: that is for verdicts to tell.
///
/// Fails where there is nothing to be found programs in.
pub(crate) fn load_each(prog: &str, bytes: Option<Vec<u8>>, types: Types) -> Result<Found, ProgError> {
    let (raw, name) = match prog.strip_prefix("raw:ebpf:") {
        Some(name) => (true, name),
        None => (false, prog),
    };
    let (path, section) = if raw { (name, None) } else { split(name) };
    let bytes = match bytes {
        Some(bytes) => bytes,
        None => read(path)?,
    };
    let path = shown_name(path);
    let raw = raw || (section.is_none() && super::is_bytecode(path, &bytes));
    if raw {
        let one = load_raw(path, &bytes, types).map(|l| (l.unit, l.entry)).map_err(NotLoaded::from);
        let programs = vec![Candidate { name: file_name(path).to_string(), loaded: one }];
        return Ok(Found { programs, notes: Vec::new() });
    }
    if bytes.starts_with(b"\x7fELF") {
        return of_object(path, &bytes, section, types);
    }
    match section {
        Some(section) => Err(ProgError::NoSections { path: path.into(), section: section.into() }),
        None => of_text(path, &bytes, types),
    }
}

fn of_object(path: &str, bytes: &[u8], section: Option<&str>, types: Types) -> Result<Found, ProgError> {
    let error = |source| ProgError::Object { path: path.into(), source: Box::new(source) };
    let mut object: Object = oxbpf_elf::load(bytes).map_err(error)?;
    let adapted = core_target::adapt(&mut object, types.btf)?;
    let settled = kconfig::settle(&mut object, types.kconfig)?;
    let chosen: Vec<usize> = match section {
        // A section may hold several programs: all of them are meant.
        Some(section) if object.programs().iter().any(|p| p.section() == section) => {
            (0..object.programs().len()).filter(|&i| object.programs()[i].section() == section).collect()
        }
        Some(section) => vec![object.select(Some(section)).map_err(error)?],
        None => (0..object.programs().len()).collect(),
    };
    let program = |&index: &usize| {
        let program = &object.programs()[index];
        Candidate {
            name: program.name().to_string(),
            loaded: linked(path, &object, index, types).map_err(NotLoaded::from),
        }
    };
    let programs = chosen.iter().map(program).collect();
    let notes = object.notes().iter().map(|n| n.to_string()).chain(adapted.notes).chain(settled).collect();
    Ok(Found { programs, notes })
}

fn linked(path: &str, object: &Object, index: usize, types: Types) -> Result<(Arc<Unit>, ProgIdx), ProgError> {
    let prog_type = super::type_of(&object.programs()[index], types, "judges")?;
    let unit = object.unit(file_name(path), &[index], |_| Some(prog_type));
    let unit = unit.map_err(|source| ProgError::Object { path: path.into(), source: Box::new(source) })?;
    Ok((Arc::new(unit), ProgIdx(0)))
}

fn of_text(path: &str, bytes: &[u8], types: Types) -> Result<Found, ProgError> {
    let source = std::str::from_utf8(bytes).map_err(|source| ProgError::NotText { path: path.into(), source })?;
    let options = text_unit::Options { prog_type: types.forced, default_type: types.fallback, ..Default::default() };
    let programs = match text_unit::parse(source, file_name(path), &options) {
        Ok(unit) => {
            let unit = Arc::new(unit);
            let program = |i: usize| {
                let name = unit.programs()[i].name().to_string();
                Candidate { name, loaded: Ok((unit.clone(), ProgIdx(i as u32))) }
            };
            (0..unit.programs().len()).map(program).collect()
        }
        Err(errors) => {
            let shape = errors.iter().find_map(|e| match &e.fault {
                UnitTextFault::Build(fault) => Some(fault.clone()),
                _ => None,
            });
            let error = ProgError::Text { rendered: text_unit::render(&errors, source, path) };
            // A mistake in the text comes before one in the program.
            if shape.is_none() || errors.iter().any(|e| !matches!(e.fault, UnitTextFault::Build(_))) {
                return Err(error);
            }
            let name = file_name(path).to_string();
            vec![Candidate { name, loaded: Err(NotLoaded { shape, undecodable: false, error }) }]
        }
    };
    Ok(Found { programs, notes: Vec::new() })
}
