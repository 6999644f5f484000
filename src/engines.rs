//! The engines that there are, by name.

use oxbpf_interp::Interp;
use oxbpf_kernel::Kernel;
use oxbpf_runtime::{Availability, Engine};

/// Every engine for extended programs, the reference first. One that is listed need not be available here.
pub fn all() -> Vec<Box<dyn Engine>> {
    vec![Box::new(Interp), Box::new(Kernel)]
}

/// The engine of this name.
///
/// Fails with what to say: that there is none, with the names there are, or why it cannot be used here.
pub fn by_name(name: &str) -> Result<Box<dyn Engine>, String> {
    let engines = all();
    let names: Vec<_> = engines.iter().map(|e| e.name()).collect();
    let none = || format!("no engine `{name}`; there are {}", names.join(", "));
    let engine = engines.into_iter().find(|e| e.name() == name).ok_or_else(none)?;
    match engine.availability() {
        Availability::Available(_) => Ok(engine),
        Availability::Unavailable(reason) => Err(format!("engine {name} is unavailable: {reason}")),
    }
}
