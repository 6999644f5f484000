//! `oxbpf obj`: what an object consists of.

mod json;
mod text;

use oxbpf_abi::{ProgType, is_gpl_compatible, uapi};
use oxbpf_btf::core::CoreTarget;
use oxbpf_elf::{ElfError, Inspection, ObjProgram, Object, Survey};

use super::asm::{output, prog_type};
use super::{Exit, say};
use crate::prog::{ProgError, file_name, read, shown_name};
use crate::{core_target, kconfig};

const EXAMPLES: &str = "\
Examples:
  oxbpf obj examples/tc_flow.o
  oxbpf obj cls.o --json
  oxbpf obj cls.o --lines
  oxbpf obj cls.o --kconfig /boot/config-6.12

Listed are sections, programs, maps, what is taken from the kernel, relocations, and the debug information.
What programs cannot be loaded with is told with them; it is no error here. Objects for big-endian machines are listed too.";

/// List what an object consists of: sections, programs, maps, relocations, licence, debug information.
#[derive(clap::Args, Clone, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// The object; - for standard input
    file: String,
    /// A JSON document instead of text
    #[arg(long)]
    json: bool,
    /// The source lines of each program too
    #[arg(long)]
    lines: bool,
    /// The type of programs whose section tells none
    #[arg(long = "type", value_name = "TYPE", value_parser = prog_type)]
    prog_type: Option<ProgType>,
    /// The kernel's types that a CO-RE object is adapted to, as BTF or ELF file; without it the running kernel's
    #[arg(long, value_name = "FILE")]
    btf: Option<std::path::PathBuf>,
    /// The kernel's configuration for programs that ask for settings; without it the running kernel's
    #[arg(long, value_name = "FILE")]
    kconfig: Option<std::path::PathBuf>,
}

pub(super) fn main(arguments: Arguments) -> Exit {
    let shown = match facts(&arguments) {
        Ok(facts) if arguments.json => json::document(&facts),
        Ok(facts) => text::listing(&facts),
        Err(error) => {
            say(error.shown());
            return Exit::Usage;
        }
    };
    match output::to_stdout(shown.as_bytes()) {
        Ok(()) => Exit::Ok,
        Err(e) => {
            say(format_args!("error: standard output: {e}"));
            Exit::Usage
        }
    }
}

/// All there is to say of an object.
struct Facts {
    name: String,
    object: Object,
    found: Inspection,
    survey: Vec<Survey>,
    /// Lines of each program.
    lines: Option<Vec<Vec<SourceLine>>>,
    types: ProgTypes,
    notes: Vec<String>,
    /// What CO-RE records were answered from.
    target: Option<CoreTarget>,
}

/// A line of source, and the first slot it is about.
struct SourceLine {
    slot: u32,
    file: String,
    line: u32,
    text: String,
}

/// How programs get their types.
struct ProgTypes {
    given: Option<ProgType>,
}

impl ProgTypes {
    fn of(&self, program: &ObjProgram) -> Option<ProgType> {
        program.prog_type().or(self.given)
    }
}

fn facts(arguments: &Arguments) -> Result<Facts, ProgError> {
    let bytes = read(&arguments.file)?;
    let name = shown_name(&arguments.file);
    let error = |source: ElfError| ProgError::Object { path: name.to_string(), source: Box::new(source) };
    let found = oxbpf_elf::inspect(&bytes).map_err(error)?;
    let mut object = oxbpf_elf::load(&bytes).map_err(error)?;
    let adapted = core_target::adapt(&mut object, arguments.btf.as_deref())?;
    let settled = kconfig::settle(&mut object, arguments.kconfig.as_deref())?;
    let survey = object.survey();
    let lines = arguments.lines.then(|| (0..survey.len()).map(|i| lines(&object, i)).collect());
    let notes = object.notes().iter().map(|n| n.to_string()).chain(adapted.notes).chain(settled).collect();
    let types = ProgTypes { given: arguments.prog_type };
    Ok(Facts { name: file_name(name).to_string(), found, survey, lines, types, notes, object, target: adapted.target })
}

/// The lines of a program, none where it cannot be linked.
fn lines(object: &Object, program: usize) -> Vec<SourceLine> {
    let unit = object.unit_to_list("lines", &[program], |_| Some(ProgType::SchedCls));
    let Ok(unit) = unit else { return Vec::new() };
    let program = &unit.programs()[0];
    let line = |l: &oxbpf_ir::LineRef| SourceLine {
        slot: program.slot(l.insn).0,
        file: l.file.to_string(),
        line: l.line,
        text: l.text.to_string(),
    };
    program.lines().iter().map(line).collect()
}

impl Facts {
    /// Names of the helpers that a program calls; numbers where there is no name.
    fn helpers(&self, program: usize) -> Vec<String> {
        let name = |id: &i32| helper(*id).map_or_else(|| format!("#{id}"), |h| h.name.to_string());
        self.survey[program].helpers.iter().map(name).collect()
    }

    /// Names of the helpers it calls that are for compatible licences only.
    fn gpl_only(&self, program: usize) -> Vec<&'static str> {
        let called = self.survey[program].helpers.iter().filter_map(|id| helper(*id));
        called.filter(|h| h.gpl_only).map(|h| h.name).collect()
    }

    /// Whether the object's licence allows what this program calls.
    fn licensed(&self, program: usize) -> bool {
        is_gpl_compatible(self.object.license()) || self.gpl_only(program).is_empty()
    }

    fn map_names(&self, program: usize) -> Vec<&str> {
        let name = |map: &usize| self.object.maps().nth(*map).map_or("", |def| def.name.as_str());
        self.survey[program].maps.iter().map(name).collect()
    }
}

fn helper(id: i32) -> Option<&'static uapi::HelperInfo> {
    uapi::helper_by_id(u32::try_from(id).ok()?)
}
