//! What executes programs: one interface for the interpreter, the JITs and the running kernel.

use std::fmt;
use std::sync::Arc;

use oxbpf_abi::ProgType;
use oxbpf_abi::ctx::Field;
use oxbpf_abi::layout::SkBuff;
use oxbpf_ir::{MapIdx, ProgIdx, Program, Unit, Vetted};
use thiserror::Error;

use crate::events::{Event, Sent};
use crate::maps::{Entry, MapSet};
use crate::skb::Link;
use crate::trap::Trap;
use crate::vm::{TraceLine, VmError};

/// A unit with what is known of each of its programs, and which of them is entered.
#[derive(Clone, Debug)]
pub struct Image {
    unit: Arc<Unit>,
    vetted: Vec<Vetted>,
    entry: ProgIdx,
}

impl Image {
    /// A unit with what is known of each of its programs, in their order.
    ///
    /// Panics where the unit has no such entry, or `vetted` is not about its programs.
    pub fn new(unit: Arc<Unit>, vetted: Vec<Vetted>, entry: ProgIdx) -> Image {
        assert!(entry.index() < unit.programs().len(), "the entry is a program of the unit");
        let same = vetted.iter().map(Vetted::program).zip(unit.programs()).all(|(a, b)| Arc::ptr_eq(a, b));
        assert!(same && vetted.len() == unit.programs().len(), "what is known is about the unit's programs");
        Image { unit, vetted, entry }
    }

    /// A unit of which nothing is proved: every engine checks as it runs.
    ///
    /// Panics where the unit has no such entry.
    pub fn unproven(unit: Arc<Unit>, entry: ProgIdx) -> Image {
        let vetted = unit.programs().iter().map(|p| Vetted::unproven(p.clone())).collect();
        Image::new(unit, vetted, entry)
    }

    /// The unit.
    pub fn unit(&self) -> &Arc<Unit> {
        &self.unit
    }

    /// Its programs with what is known of them, by [`ProgIdx`].
    pub fn vetted(&self) -> &[Vetted] {
        &self.vetted
    }

    /// Which program is entered.
    pub fn entry(&self) -> ProgIdx {
        self.entry
    }

    /// The program that is entered.
    pub fn entry_program(&self) -> &Arc<Program> {
        &self.unit.programs()[self.entry.index()]
    }

    /// The type of the program that is entered.
    pub fn prog_type(&self) -> ProgType {
        self.entry_program().prog_type()
    }

    /// Whether tail calls through these maps stay among the image's programs of the entry's type: others have another
    /// context.
    ///
    /// Fails naming the first that does not.
    pub fn check_tail_calls(&self, maps: &MapSet) -> Result<(), String> {
        for map in maps.iter() {
            let mut fault = None;
            map.for_each_program(&mut |index, program| {
                let what = match self.unit.programs().get(program.index()) {
                    None => format!("no program {}", program.0),
                    Some(p) if p.prog_type() != self.prog_type() => {
                        format!("program {} of type {}", p.name(), p.prog_type())
                    }
                    Some(_) => return,
                };
                fault.get_or_insert(format!("map {} leads at {index} to {what}", map.def().name));
            });
            fault.map_or(Ok(()), Err)?;
        }
        Ok(())
    }
}

/// What surrounds a program and does not come with the packet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Env {
    /// Start of the random sequence.
    pub seed: u64,
    /// The most instructions one run may execute.
    pub fuel: u64,
    /// The most bytes that a unit's maps may take together.
    pub memory: u64,
    /// How many CPUs there are: per-CPU maps have as many values, and runs are on one of them.
    pub cpus: u32,
}

impl Default for Env {
    /// Seed 0, ten times the fuel of the longest program without loops that the kernel takes, 4 GiB of maps, one CPU. So
    /// an endless program costs a tenth of a second for each packet, not more.
    fn default() -> Env {
        Env { seed: 0, fuel: 10_000_000, memory: 4 << 30, cpus: 1 }
    }
}

/// What one run gets.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// The captured bytes.
    pub data: &'a [u8],
    /// What they start with.
    pub link: Link,
    /// The context's fields; `data`, `data_end` and `data_meta` are set by the engine.
    pub skb: SkBuff,
    /// When the packet was captured, in nanoseconds: what the clock shows.
    pub time_ns: u64,
    /// The packet's number from 1: with the seed, it determines what is random in the run.
    pub number: u64,
    /// The CPU that the run is said to be on.
    pub cpu: u32,
}

impl<'a> Input<'a> {
    /// A whole packet with the context that follows from it: the first packet, at time 0, on CPU 0.
    pub fn new(data: &'a [u8], link: Link) -> Input<'a> {
        let skb = crate::skb::derive(data, data.len() as u32, link);
        Input { data, link, skb, time_ns: 0, number: 1, cpu: 0 }
    }
}

/// How a run ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// With r0. The kernel answers the low 32 bits only.
    Return(u64),
    /// Stopped.
    Trap(Trap),
}

impl Outcome {
    /// The low 32 bits of r0, as every engine can answer them.
    pub fn verdict(&self) -> Option<u32> {
        match self {
            Outcome::Return(r0) => Some(*r0 as u32),
            Outcome::Trap(_) => None,
        }
    }
}

/// Whether an engine can be used here.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Availability {
    /// It can; with a description such as a release.
    Available(String),
    /// It cannot, and why.
    Unavailable(String),
}

/// Something of an input that an engine cannot be told. Its run would answer another question.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[allow(missing_docs)]
pub enum Refusal {
    TooShort { min: usize },
    TooLong { max: usize },
    Snapped,
    LinkType,
    Field { name: &'static str },
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::TooShort { min } => write!(f, "shorter than {min} bytes"),
            Refusal::TooLong { max } => write!(f, "longer than {max} bytes"),
            Refusal::Snapped => f.write_str("cut off by the capture"),
            Refusal::LinkType => f.write_str("no Ethernet header"),
            Refusal::Field { name } => write!(f, "context field {name} cannot be set"),
        }
    }
}

/// Why an engine did not run a program. Says whose fault it is.
#[derive(Debug, Error)]
#[allow(missing_docs)]
pub enum EngineError {
    #[error("engine {engine} is unavailable: {reason}")]
    Unavailable { engine: &'static str, reason: String },
    #[error("engine {engine} rejects program {program}: {message}")]
    Rejected { engine: &'static str, program: String, message: String, log: String },
    #[error("engine {engine} does not support {what}")]
    Unsupported { engine: &'static str, what: String },
    #[error("engine {engine} failed: {what}")]
    Failed { engine: &'static str, what: String },
    #[error(transparent)]
    Vm(#[from] VmError),
}

impl EngineError {
    /// A stable code, `engine-…` or that of the map at fault.
    pub fn code(&self) -> &'static str {
        match self {
            EngineError::Unavailable { .. } => "engine-unavailable",
            EngineError::Rejected { .. } => "engine-rejected",
            EngineError::Unsupported { .. } => "engine-unsupported",
            EngineError::Failed { .. } => "engine-failed",
            EngineError::Vm(VmError::Map(e)) => e.code(),
            EngineError::Vm(VmError::Memory(_)) => "engine-memory",
        }
    }
}

/// Something that executes programs.
pub trait Engine {
    /// Its name on the command line.
    fn name(&self) -> &'static str;

    /// Whether it can be used here.
    fn availability(&self) -> Availability;

    /// Translates an image. What comes of it has no maps yet, and can be shared by threads.
    fn compile(&self, image: &Image) -> Result<Arc<dyn Compiled>, EngineError>;

    /// Makes an image ready to run with new maps of its own.
    fn prepare(&self, image: &Image, env: &Env) -> Result<Box<dyn Instance>, EngineError> {
        let maps = MapSet::in_env(image.unit(), env).map_err(VmError::Map)?;
        self.compile(image)?.instance(&maps, env)
    }
}

/// A translated image.
pub trait Compiled: Send + Sync {
    /// A world for it with these maps, of the image's unit. Several worlds may share maps; the kernel copies them.
    ///
    /// Fails where a program array holds what is no program of the image, or one of another type.
    fn instance(&self, maps: &MapSet, env: &Env) -> Result<Box<dyn Instance>, EngineError>;
}

/// A program made ready, its maps, and what the last run left behind.
pub trait Instance: Send {
    /// What of this input the engine cannot be told; empty where it can run it.
    fn refuses(&self, input: &Input<'_>) -> Vec<Refusal>;

    /// Runs the program once.
    fn run(&mut self, input: &Input<'_>) -> Result<Outcome, EngineError>;

    /// The packet as the last run left it, link header included.
    fn packet(&self) -> Vec<u8>;

    /// The context as the last run left it; see [`Instance::reports`].
    fn skb(&self) -> SkBuff;

    /// Whether the engine tells what a run left in this field.
    fn reports(&self, field: &Field) -> bool;

    /// The lines that the last run printed; none where the engine cannot tell.
    fn trace(&self) -> Option<Vec<TraceLine>>;

    /// What the last run sent to the world outside; none where the engine cannot tell.
    fn sent(&self) -> Option<&Sent> {
        None
    }

    /// Events that the last run sent through maps, in order for each map and CPU; none where the engine cannot tell. The
    /// kernel's of a perf event array end in up to seven bytes that mean nothing.
    fn events(&self) -> Option<&[Event]> {
        self.sent().map(Sent::events)
    }

    /// Instructions of the blocks that the last run entered, which it may have left early, and what its helpers moved in
    /// the units of fuel; none where the engine cannot tell.
    fn executed(&self) -> Option<u64>;

    /// All keys and values of a map. Of a program array, indices and what stands there.
    fn map_entries(&self, map: MapIdx) -> Result<Vec<Entry>, EngineError>;

    /// Sets an entry of a map from outside; a failure is the kernel's error number, positive.
    fn update_map(&mut self, map: MapIdx, key: &[u8], value: &[u8], flags: u64) -> Result<(), i64>;
}
