//! A bound on the time that hostile types can take.

use super::{CoreError, MAX_WORK};

/// Bytes of a name that are compared in one step.
const NAME_PER_STEP: usize = 32;

/// What looking at a type costs beside looking at its members.
const STEPS_PER_TYPE: u64 = 16;

/// Steps taken for one object.
#[derive(Debug, Default)]
pub(super) struct Work {
    done: u64,
}

impl Work {
    /// Takes steps, or says that it has been enough.
    pub(super) fn charge(&mut self, steps: u64) -> Result<(), CoreError> {
        self.done = self.done.saturating_add(steps);
        match self.done > MAX_WORK {
            true => Err(CoreError::TooComplex { limit: MAX_WORK }),
            false => Ok(()),
        }
    }

    /// Takes the steps that looking at a type costs.
    pub(super) fn charge_type(&mut self) -> Result<(), CoreError> {
        self.charge(STEPS_PER_TYPE)
    }

    /// Takes the steps that comparing names costs.
    pub(super) fn charge_names(&mut self, names: &[&str]) -> Result<(), CoreError> {
        let bytes: usize = names.iter().map(|name| name.len()).sum();
        self.charge(1 + (bytes / NAME_PER_STEP) as u64)
    }
}
