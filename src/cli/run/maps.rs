//! `--map-init` and `--map-check`: what maps hold at first and in the end.

use std::sync::Arc;

use oxbpf_ir::Unit;
use oxbpf_runtime::maps::MapSet;
use oxbpf_runtime::{Engine, EngineError, Env, Image, Instance, VmError};

use super::Failure;
use crate::map_json::{Contents, MapJsonError};

/// What was said about the contents of maps.
pub(super) struct Maps {
    unit: Arc<Unit>,
    init: Option<Contents>,
    check: Option<Contents>,
}

impl Maps {
    /// Reads the options' texts, or the files that `@FILE` names, and tries the first contents.
    pub(super) fn new(unit: &Arc<Unit>, init: Option<&str>, check: Option<&str>, env: &Env) -> Result<Maps, Failure> {
        let read = |option: &str, text: &str| {
            let text = match text.strip_prefix('@') {
                Some(file) => std::fs::read_to_string(file)
                    .map_err(|e| Failure::usage(format!("error[{option}]: {file}: {e}")))?,
                None => text.to_string(),
            };
            Contents::parse(&text, unit).map_err(|e| wrong(option, &e))
        };
        let init = init.map(|text| read("map-init", text)).transpose()?;
        let check = check.map(|text| read("map-check", text)).transpose()?;
        let maps = Maps { unit: unit.clone(), init, check };
        if let Some(init) = &maps.init {
            let mut set = MapSet::in_env(unit, env).map_err(|e| EngineError::Vm(VmError::Map(e)))?;
            init.put(unit, &mut set).map_err(|e| wrong("map-init", &e))?;
        }
        Ok(maps)
    }

    /// Makes an image ready to run in an engine with these first contents.
    pub(super) fn prepare(
        &self,
        engine: &dyn Engine,
        image: &Image,
        env: &Env,
    ) -> Result<Box<dyn Instance>, EngineError> {
        let Some(init) = &self.init else { return engine.prepare(image, env) };
        let mut set = MapSet::in_env(&self.unit, env).map_err(|e| EngineError::Vm(VmError::Map(e)))?;
        let failed = |e: MapJsonError| EngineError::Failed { engine: engine.name(), what: e.to_string() };
        init.put(&self.unit, &mut set).map_err(failed)?;
        engine.compile(image)?.instance(&set, env)
    }

    /// What maps hold in the end and were not to, a line each.
    pub(super) fn unexpected(&self, instance: &dyn Instance) -> Result<Vec<String>, EngineError> {
        self.check.as_ref().map_or(Ok(Vec::new()), |check| check.differences(&self.unit, instance))
    }
}

fn wrong(option: &str, error: &MapJsonError) -> Failure {
    Failure::usage(format!("error[{}]: --{option}: {error}", error.code()))
}
