//! `cargo xtask objects`: rebuilds the committed objects in `examples/` from
//! the C sources beside them. Tests use the committed objects, so that no
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
const FLAGS: &[&str] = &[
    "-O2",
    "-g",
    "-target",
    "bpf",
    "-mcpu=v3",
    "-Wall",
    "-Werror",
    "-Iinclude",
    "-fdebug-compilation-dir=.",
];

/// Runs the verb with the arguments after its name.
pub fn run(args: &[String]) -> Result<(), String> {
    let check = match args {
        [] => false,
        [flag] if flag == "--check" => true,
        _ => return Err("usage: cargo xtask objects [--check]".into()),
    };
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    let out = if check {
        std::env::temp_dir().join(format!("oxbpf-objects-{}", std::process::id()))
    } else {
        examples.clone()
    };
    std::fs::create_dir_all(&out).map_err(|e| io_error(&out, &e))?;
    let result = build_all(&examples, &out, check);
    if check {
        // A scratch directory left behind does no harm.
        let _ = std::fs::remove_dir_all(&out);
    }
    result
}

/// Builds each source into `out`; with `check`, compares with the committed object.
fn build_all(examples: &Path, out: &Path, check: bool) -> Result<(), String> {
    let mut stale = Vec::new();
    for source in sources(examples)? {
        let object = out.join(&source).with_extension("o");
        build(examples, &source, &object)?;
        if !check {
            println!("{}", source.with_extension("o").display());
            continue;
        }
        let committed = examples.join(&source).with_extension("o");
        let fresh = std::fs::read(&object).map_err(|e| io_error(&object, &e))?;
        if std::fs::read(&committed).ok().as_deref() != Some(&fresh) {
            stale.push(source.with_extension("o").display().to_string());
        }
    }
    if stale.is_empty() {
        return Ok(());
    }
    Err(format!(
        "objects differ from their sources: {}",
        stale.join(", ")
    ))
}

/// The names of the C files in `examples`, sorted.
fn sources(examples: &Path) -> Result<Vec<PathBuf>, String> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(examples).map_err(|e| io_error(examples, &e))? {
        let name = PathBuf::from(entry.map_err(|e| io_error(examples, &e))?.file_name());
        if name.extension().is_some_and(|e| e == "c") {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

/// Compiles one source, by its relative name, and strips the result.
fn build(examples: &Path, source: &Path, object: &Path) -> Result<(), String> {
    let mut clang = Command::new(CLANG);
    clang
        .current_dir(examples)
        .args(FLAGS)
        .args(multiarch_include());
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
