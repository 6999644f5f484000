//! Programs that compilers make: `tests/verifier/programs`, by each clang there is, at each level of instructions.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use oxbpf::isa::encode_all;

use crate::case::Case;

/// Compilers, and the levels of instructions each has.
const COMPILERS: [(&str, &[&str]); 3] =
    [("clang-14", &["v1", "v2", "v3"]), ("clang-16", &["v1", "v2", "v3"]), ("clang-19", &["v1", "v2", "v3", "v4"])];

const SOURCES: &str = "tests/verifier/programs";

/// Where Debian keeps `asm/types.h`, which `-target bpf` does not search.
fn multiarch_include() -> Option<PathBuf> {
    let dirs = std::fs::read_dir("/usr/include").ok()?.filter_map(|entry| Some(entry.ok()?.path()));
    dirs.filter(|dir| dir.join("asm/types.h").is_file()).min()
}

fn compile(compiler: &str, level: &str, source: &Path, object: &Path) -> Result<Vec<u8>, String> {
    let mut command = Command::new(compiler);
    command.args(["-O2", "-g", "-target", "bpf", "-Iexamples/include", &format!("-mcpu={level}"), "-c"]);
    command.arg(source).arg("-o").arg(object).args(multiarch_include().map(|dir| format!("-I{}", dir.display())));
    let output = command.output().map_err(|e| e.to_string())?;
    match output.status.success() {
        true => std::fs::read(object).map_err(|e| e.to_string()),
        false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
    }
}

/// The compilers that are installed.
pub fn compilers() -> Vec<(&'static str, &'static [&'static str])> {
    let installed = |compiler: &str| Command::new(compiler).arg("--version").output().is_ok();
    COMPILERS.into_iter().filter(|(compiler, _)| installed(compiler)).collect()
}

/// All programs of all sources by these compilers, and what would not compile.
pub fn all(compilers: &[(&str, &[&str])], reduced: bool) -> (Vec<Case>, Vec<String>) {
    let mut sources: Vec<PathBuf> =
        std::fs::read_dir(SOURCES).expect("sources").map(|entry| entry.expect("an entry").path()).collect();
    sources.retain(|path| path.extension().is_some_and(|ext| ext == "c"));
    sources.sort();
    let dir = PathBuf::from("target/verdicts/objects");
    std::fs::create_dir_all(&dir).expect("a directory");
    let (mut cases, mut refused) = (Vec::new(), Vec::new());
    for (compiler, levels) in compilers {
        for level in if reduced { &levels[levels.len() - 1..] } else { levels } {
            for source in &sources {
                let stem = source.file_stem().and_then(|s| s.to_str()).unwrap_or_default();
                let name = format!("{stem} {compiler} {level}");
                let object = dir.join(format!("{stem}-{compiler}-{level}.o"));
                match compile(compiler, level, source, &object) {
                    Ok(bytes) => cases.extend(programs(&name, &bytes)),
                    Err(error) => refused.push(format!("{name}: {error}")),
                }
            }
        }
    }
    (cases, refused)
}

/// The programs of an object, each with the maps it needs.
pub fn programs(name: &str, bytes: &[u8]) -> Vec<Case> {
    let object = oxbpf_elf::load(bytes).unwrap_or_else(|e| panic!("{name}: {e}"));
    let entries = (0..object.programs().len()).filter(|i| !object.programs()[*i].is_tail());
    let case = |index: usize| {
        let unit = object.unit(name, &[index], |program| program.prog_type()).unwrap_or_else(|e| panic!("{name}: {e}"));
        let wanted = object.programs()[index].name();
        let at = unit.programs().iter().position(|p| p.name() == wanted).expect("the program itself");
        let program = unit.programs()[at].clone();
        Case {
            name: format!("{name} {wanted}"),
            prog_type: program.prog_type(),
            attach: program.prog_type().row().attach_type,
            flags: 0,
            license: unit.license().to_string(),
            words: encode_all(program.insns()),
            maps: Arc::new(unit.maps().to_vec()),
            types: None,
            unit: Some((Arc::new(unit), oxbpf::ir::ProgIdx(at as u32))),
            typed: true,
        }
    };
    entries.map(case).collect()
}
