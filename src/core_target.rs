//! The types that CO-RE objects are adapted to: of a BTF file, or of the running kernel.

use std::fs::File;
use std::io;
use std::path::Path;

use oxbpf_btf::core::CoreTarget;
use oxbpf_elf::Object;

use crate::prog::ProgError;

/// Where the running kernel shows its types.
pub const KERNEL_BTF: &str = "/sys/kernel/btf/vmlinux";

/// What an object was adapted to.
#[derive(Debug, Default)]
pub struct Adapted {
    /// The types; none where nothing needed them, or there are none.
    pub target: Option<CoreTarget>,
    /// What is to be said of it.
    pub notes: Vec<String>,
}

/// Adapts an object to the types in the file `btf` (BTF as it is, or an ELF file with a section `.BTF`), or to the
/// running kernel's for `None`. Objects without CO-RE records stay as they are and nothing is read.
///
/// # Errors
/// What keeps the types from being read. A kernel without types is no error here but where a program needs them.
pub fn adapt(object: &mut Object, btf: Option<&Path>) -> Result<Adapted, ProgError> {
    if !object.needs_core_target() {
        return Ok(Adapted::default());
    }
    let path = btf.unwrap_or(Path::new(KERNEL_BTF));
    let shown = path.display().to_string();
    let file = match File::open(path) {
        Ok(file) => file,
        Err(e) if btf.is_none() && e.kind() == io::ErrorKind::NotFound => {
            let note = format!("the running kernel shows no types ({KERNEL_BTF}: {e}); --btf FILE gives some");
            return Ok(Adapted { target: None, notes: vec![note] });
        }
        Err(source) => return Err(ProgError::Read { path: shown, source }),
    };
    let types = oxbpf_elf::core::read_target(file);
    let target = CoreTarget::new(types.map_err(|source| ProgError::Object { path: shown, source: Box::new(source) })?);
    object.relocate_core(&target);
    let of_kernel = "CO-RE: adapted to the types of the running kernel; --btf FILE names others";
    let notes = if btf.is_none() { vec![of_kernel.to_string()] } else { Vec::new() };
    Ok(Adapted { target: Some(target), notes })
}
