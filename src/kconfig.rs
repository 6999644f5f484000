//! The kernel's configuration for objects that ask for settings: of a file, or of the running kernel.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use oxbpf_elf::{ExternKind, Kconfig, Object};

use crate::prog::ProgError;

/// Where the running kernel tells its release, and its configuration.
const RELEASE: &str = "/proc/sys/kernel/osrelease";
const CONFIG: &str = "/proc/config.gz";

/// The largest configuration; real ones have some 300 KiB.
const MAX_CONFIG: u64 = 16 << 20;

/// Gives an object the settings that it asks for, out of the file `config` (the text, or compressed as the kernel
/// shows it) or, for `None`, of the running kernel. Objects that ask for none stay as they are and nothing is read.
/// Gives what is to be said of it.
///
/// # Errors
/// What keeps a named file from being read. A kernel that does not show its configuration is no error here, but where
/// a program needs a setting.
pub fn settle(object: &mut Object, config: Option<&Path>) -> Result<Vec<String>, ProgError> {
    if !object.externs().iter().any(|e| e.kind() == ExternKind::Setting) {
        return Ok(Vec::new());
    }
    let release = || std::fs::read_to_string(RELEASE).unwrap_or_default();
    let (path, config, notes) = match config {
        Some(path) => (path, read(path), Vec::new()),
        None => {
            let boot = format!("/boot/config-{}", release().trim());
            let found = read(Path::new(CONFIG)).or_else(|_| read(Path::new(&boot)));
            let note = match &found {
                Ok(_) => "kernel settings are the running kernel's; --kconfig FILE names others",
                Err(_) => "the running kernel does not show its settings; --kconfig FILE names some",
            };
            (Path::new(CONFIG), found.or_else(|_| Ok(String::new())), vec![note.to_string()])
        }
    };
    let text = config.map_err(|source| ProgError::Read { path: path.display().to_string(), source })?;
    // A file speaks of the kernel it is of, which need not be the running one.
    let config = Kconfig::parse(&text);
    object.resolve_kconfig(&if notes.is_empty() { config } else { config.or_release(release().trim()) });
    Ok(notes)
}

fn read(path: &Path) -> io::Result<String> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_CONFIG + 1).read_to_end(&mut bytes)?;
    if bytes.starts_with(&[0x1f, 0x8b]) {
        bytes = unpacked(&bytes)?;
    }
    match bytes.len() as u64 > MAX_CONFIG {
        true => Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("larger than {MAX_CONFIG} bytes"))),
        false => Ok(String::from_utf8_lossy(&bytes).into_owned()),
    }
}

#[cfg(feature = "compress")]
fn unpacked(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut out = Vec::new();
    flate2::read::GzDecoder::new(bytes).take(MAX_CONFIG + 1).read_to_end(&mut out)?;
    Ok(out)
}

#[cfg(not(feature = "compress"))]
fn unpacked(_: &[u8]) -> io::Result<Vec<u8>> {
    Err(io::Error::new(io::ErrorKind::Unsupported, "it is compressed, and this build has no feature compress"))
}
