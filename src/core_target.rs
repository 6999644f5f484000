//! The types that CO-RE objects are adapted to: of a BTF file, or of the running kernel.

use std::fs::File;
use std::io;
use std::path::Path;

use oxbpf_btf::core::CoreTarget;
use oxbpf_elf::Object;

use crate::prog::ProgError;

/// Where the running kernel shows its types.
pub const KERNEL_BTF: &str = "/sys/kernel/btf/vmlinux";

/// Adapts an object to the types in the file `btf` (BTF as it is, or an ELF file with a section `.BTF`), or to the
/// running kernel's for `None`. Objects without CO-RE records stay as they are and nothing is read. Gives what is to
/// be said of it.
///
/// # Errors
/// What keeps the types from being read. A kernel without types is no error here but where a program needs them.
pub fn adapt(object: &mut Object, btf: Option<&Path>) -> Result<Vec<String>, ProgError> {
    if !object.needs_core_target() {
        return Ok(Vec::new());
    }
    let path = btf.unwrap_or(Path::new(KERNEL_BTF));
    let shown = path.display().to_string();
    let file = match File::open(path) {
        Ok(file) => file,
        Err(e) if btf.is_none() && e.kind() == io::ErrorKind::NotFound => {
            return Ok(vec![format!("the running kernel shows no types ({KERNEL_BTF}: {e}); --btf FILE gives some")]);
        }
        Err(source) => return Err(ProgError::Read { path: shown, source }),
    };
    let types = oxbpf_elf::core::read_target(file);
    let target = CoreTarget::new(types.map_err(|source| ProgError::Object { path: shown, source })?);
    object.relocate_core(&target);
    match btf {
        Some(_) => Ok(Vec::new()),
        None => Ok(vec!["CO-RE: adapted to the types of the running kernel; --btf FILE names others".to_string()]),
    }
}
