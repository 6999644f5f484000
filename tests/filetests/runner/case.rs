//! One file: what it says in its comments, and its program's text.

use std::path::{Path, PathBuf};

use oxbpf::abi::ProgType;
use oxbpf::runtime::Env;

use super::ENGINES;
use super::expect::{self, Expect};

/// What is done with the program.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// It runs in engines.
    Run,
    /// It is read, and either fails as the annotations say or prints back to itself.
    Text,
}

/// `error[code]` or `trap[code]` in a comment on the line it is about.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Annotation {
    pub line: u32,
    pub code: String,
    pub column: Option<u32>,
}

#[derive(Debug)]
pub struct Case {
    pub file: PathBuf,
    pub name: String,
    pub text: String,
    pub mode: Mode,
    pub prog_type: Option<ProgType>,
    pub entry: Option<String>,
    pub engines: Vec<String>,
    /// The kernel must refuse to load it; with what its log says somewhere.
    pub kernel_rejects: Option<String>,
    /// Engines that cannot answer this by nature, with the reason.
    pub skips: Vec<(String, String)>,
    /// Engines that are known to answer something else, with what is wrong. The test fails once they do not.
    pub known: Vec<(String, String)>,
    pub packet: Vec<u8>,
    pub ctx: Vec<(String, usize, u64)>,
    pub env: Env,
    pub cpu: u32,
    pub runs: u32,
    pub expects: Vec<Expect>,
    pub errors: Vec<Annotation>,
    pub trap: Option<Annotation>,
}

/// The packet of files that name none: of no known EtherType, so that every engine takes it.
const DEFAULT_PACKET: [u8; 64] = [0; 64];

impl Case {
    /// Whether the file itself, or the nature of the engine, says that it is not for this engine.
    pub fn skipped_by_rule(&self, engine: &str) -> bool {
        self.skips.iter().any(|s| s.0 == engine)
    }

    pub fn parse(file: &Path, name: &str, text: &str) -> Result<Case, String> {
        let mut case = Case {
            file: file.to_path_buf(),
            name: name.to_string(),
            text: text.to_string(),
            mode: Mode::Run,
            prog_type: None,
            entry: None,
            engines: ENGINES.iter().map(|e| e.name.to_string()).collect(),
            kernel_rejects: None,
            skips: vec![],
            known: vec![],
            packet: vec![],
            ctx: vec![],
            env: Env { fuel: 2_000_000, ..Env::default() },
            cpu: 0,
            runs: 1,
            expects: vec![],
            errors: vec![],
            trap: None,
        };
        for (line, number) in text.lines().zip(1..) {
            let at = |e: String| format!("line {number}: {e}");
            if let Some((key, value)) = header(line) {
                case.set(key, value, number).map_err(at)?;
            } else {
                case.annotate(line, number).map_err(at)?;
            }
        }
        if case.packet.is_empty() && !text.contains("; packet:") {
            case.packet = DEFAULT_PACKET.to_vec();
        }
        case.check().map(|()| case)
    }

    fn set(&mut self, key: &str, value: &str, number: u32) -> Result<(), String> {
        match key {
            "test" => {
                self.mode = match value {
                    "run" => Mode::Run,
                    "text" => Mode::Text,
                    other => return Err(format!("no test `{other}`: run, text")),
                }
            }
            "type" => self.prog_type = Some(ProgType::by_name(value).ok_or(format!("no program type {value}"))?),
            "entry" => self.entry = Some(value.to_string()),
            "engines" => self.engines = value.split_whitespace().map(str::to_string).collect(),
            "kernel" => match value.split_once(char::is_whitespace).map_or((value, ""), |(a, b)| (a, b.trim())) {
                ("rejects", why) => self.kernel_rejects = Some(why.trim_matches('"').to_string()),
                ("skip", reason) if !reason.is_empty() => self.skips.push(("kernel".into(), reason.to_string())),
                _ => return Err("`rejects`, `rejects \"PART OF ITS LOG\"` or `skip REASON`".to_string()),
            },
            "known" => {
                let (engine, what) = value.split_once(char::is_whitespace).ok_or("ENGINE WHAT IS WRONG")?;
                self.known.push((engine.to_string(), what.trim().to_string()));
            }
            "packet" => self.packet.extend(packet(value, &self.file)?),
            "ctx" => {
                for item in value.split_whitespace() {
                    self.ctx.push(expect::field(item)?);
                }
            }
            "env" => {
                for item in value.split_whitespace() {
                    let (key, value) = item.split_once('=').ok_or("KEY=VALUE")?;
                    let value = expect::number(value)?;
                    match key {
                        "fuel" => self.env.fuel = value,
                        "seed" => self.env.seed = value,
                        "cpu" => self.cpu = value as u32,
                        "cpus" => self.env.cpus = value as u32,
                        _ => return Err(format!("no environment {key}: fuel, seed, cpu, cpus")),
                    }
                }
            }
            "runs" => self.runs = expect::number(value)? as u32,
            "expect" => self.expects.push(Expect::parse(value, number)?),
            _ => return Err(format!("unknown key `{key}`")),
        }
        Ok(())
    }

    /// `; error[code] at 5` or `; trap[code]` behind an instruction or directive.
    fn annotate(&mut self, line: &str, number: u32) -> Result<(), String> {
        for kind in ["error", "trap"] {
            let Some((_, rest)) = line.split_once(&format!("; {kind}[")) else { continue };
            let (code, rest) = rest.split_once(']').ok_or("no `]`")?;
            let column = match rest.trim().strip_prefix("at ") {
                None if rest.trim().is_empty() => None,
                None => return Err(format!("`at COLUMN`, not `{rest}`")),
                Some(column) => Some(expect::number(column.trim())? as u32),
            };
            let annotation = Annotation { line: number, code: code.to_string(), column };
            match kind {
                "error" => self.errors.push(annotation),
                _ if self.trap.is_some() => return Err("a second trap".to_string()),
                _ => self.trap = Some(annotation),
            }
        }
        Ok(())
    }

    fn check(&self) -> Result<(), String> {
        if let Some(name) = self.engines.iter().find(|n| ENGINES.iter().all(|e| e.name != *n)) {
            return Err(format!("no engine {name}"));
        }
        let told = self.trap.is_some() || !self.expects.is_empty() || super::bless::wanted();
        match self.mode {
            Mode::Run if !self.errors.is_empty() => Err("error[…] is for `; test: text`".to_string()),
            Mode::Run if !told => Err("nothing is expected".to_string()),
            Mode::Text if self.trap.is_some() || !self.expects.is_empty() => {
                Err("`; test: text` does not run".to_string())
            }
            _ => Ok(()),
        }
    }
}

/// The keys of header lines; other comments are for people.
const KEYS: [&str; 11] =
    ["test", "type", "entry", "engines", "kernel", "known", "packet", "ctx", "env", "runs", "expect"];

/// `; key: value`, at the start of a line.
fn header(line: &str) -> Option<(&str, &str)> {
    let (key, value) = line.strip_prefix("; ")?.split_once(':')?;
    KEYS.contains(&key).then_some((key, value.trim()))
}

/// Bytes in hexadecimal, `BYTES*COUNT`, or `file PATH` relative to the test.
fn packet(text: &str, file: &Path) -> Result<Vec<u8>, String> {
    if let Some(path) = text.strip_prefix("file ") {
        let path = file.with_file_name(path.trim());
        return std::fs::read(&path).map_err(|e| format!("{}: {e}", path.display()));
    }
    expect::bytes(text)
}
