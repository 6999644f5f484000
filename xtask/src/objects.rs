//! `cargo xtask objects`: rebuilds the committed objects of the examples and of
//! tests from the C sources beside them. Tests use the committed objects, so that no
//! compiler is needed to run them.
//!
//! `cargo xtask objects --check` rebuilds into a scratch directory and tells
//! which committed object differs, leaving them as they are.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The compiler, fixed to one version: another one makes other objects.
const CLANG: &str = "clang-19";

/// Drops DWARF and keeps BTF.
const STRIP: &str = "llvm-strip-19";

/// `-mcpu=v3` has 32-bit operations and atomics and needs no kernel newer than
/// 5.12. The debug directory is `.`, so that objects do not depend on where
/// they were built.
const FLAGS: &[&str] = &["-O2", "-g", "-mcpu=v3", "-Wall", "-Werror", "-fdebug-compilation-dir=."];

/// The targets: sources whose names end in `_be.c` are for big-endian machines.
const TARGETS: [(&str, &str); 2] = [("_be.c", "bpfeb"), (".c", "bpf")];

/// Where sources are, and from there the examples' headers.
const PLACES: &[(&str, &str)] = &[
    ("examples", "-Iinclude"),
    ("examples/core", "-I../include"),
    ("crates/elf/tests/objects", "-I../../../../examples/include"),
];

/// Runs the verb with the arguments after its name.
pub fn run(args: &[String]) -> Result<(), String> {
    let check = match args {
        [] => false,
        [flag] if flag == "--check" => true,
        _ => return Err("usage: cargo xtask objects [--check]".into()),
    };
    let scratch = std::env::temp_dir().join(format!("oxbpf-objects-{}", std::process::id()));
    std::fs::create_dir_all(&scratch).map_err(|e| io_error(&scratch, &e))?;
    let mut stale = Vec::new();
    let result = PLACES.iter().try_for_each(|place| build_all(place, &scratch, check, &mut stale));
    // A scratch directory left behind does no harm.
    let _ = std::fs::remove_dir_all(&scratch);
    result?;
    if stale.is_empty() { Ok(()) } else { Err(format!("objects differ from their sources: {}", stale.join(", "))) }
}

/// Builds the sources of one place in `scratch`; with `check`, notes which
/// committed object differs, else replaces it.
fn build_all(place: &(&str, &str), scratch: &Path, check: bool, stale: &mut Vec<String>) -> Result<(), String> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(place.0);
    for source in sources(&dir)? {
        let name = source.with_extension("o");
        let (object, committed) = (scratch.join(&name), dir.join(&name));
        build(&dir, place.1, &source, &object)?;
        let fresh = std::fs::read(&object).map_err(|e| io_error(&object, &e))?;
        let shown = Path::new(place.0).join(&name).display().to_string();
        if !check {
            std::fs::write(&committed, fresh).map_err(|e| io_error(&committed, &e))?;
            println!("{shown}");
        } else if std::fs::read(&committed).ok() != Some(fresh) {
            stale.push(shown);
        }
    }
    Ok(())
}

/// The names of the C files in a directory, sorted.
fn sources(dir: &Path) -> Result<Vec<PathBuf>, String> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(|e| io_error(dir, &e))? {
        let name = PathBuf::from(entry.map_err(|e| io_error(dir, &e))?.file_name());
        if name.extension().is_some_and(|e| e == "c") {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

/// Compiles one source, by its relative name, and strips the result.
fn build(dir: &Path, include: &str, source: &Path, object: &Path) -> Result<(), String> {
    let mut clang = Command::new(CLANG);
    let name = source.to_string_lossy();
    let target = TARGETS.iter().find(|row| name.ends_with(row.0)).map_or("bpf", |row| row.1);
    clang.current_dir(dir).args(FLAGS).args(["-target", target]).arg(include).args(multiarch_include());
    run_tool(clang.arg("-c").arg(source).arg("-o").arg(object))?;
    run_tool(Command::new(STRIP).arg("-g").arg(object))
}

/// Where Debian keeps `asm/types.h`, which `-target bpf` does not search.
fn multiarch_include() -> Option<OsString> {
    let dir = std::fs::read_dir("/usr/include")
        .ok()?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|dir| dir.join("asm/types.h").is_file())
        .min()?;
    let mut flag = OsString::from("-I");
    flag.push(dir);
    Some(flag)
}

fn run_tool(command: &mut Command) -> Result<(), String> {
    let tool = command.get_program().to_string_lossy().into_owned();
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{tool}: {status}")),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Err(format!("{tool} is not installed")),
        Err(e) => Err(format!("{tool}: {e}")),
    }
}

fn io_error(path: &Path, e: &io::Error) -> String {
    format!("{}: {e}", path.display())
}
