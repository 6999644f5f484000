//! Running a program on another engine beside the interpreter, and saying where they differ.
//!
//! What an engine cannot be told, it is not asked. So that maps stay comparable, each engine is compared with
//! an interpreter of its own, which sees exactly the packets that the engine saw.

use std::collections::{BTreeMap, BTreeSet};

use oxbpf_abi::MapType;
use oxbpf_abi::ctx::Field;
use oxbpf_ir::{MapDef, MapIdx, Unit};
use oxbpf_isa::{CallTarget, Insn};
use oxbpf_runtime::maps::Entry;
use oxbpf_runtime::{Engine, EngineError, Env, Image, Input, Instance, Outcome, Refusal, skb};

/// Differences kept for the report; the rest are counted.
const KEPT: usize = 10;

/// Something that two engines did not do alike.
#[derive(Clone, PartialEq, Eq, Debug)]
#[allow(missing_docs)]
pub enum Difference {
    Verdict { ours: Outcome, theirs: Outcome },
    PacketLength { ours: usize, theirs: usize },
    PacketByte { at: usize, ours: u8, theirs: u8 },
    Field { name: &'static str, ours: Vec<u64>, theirs: Vec<u64> },
    Map { name: String, key: Vec<u8>, ours: Option<Vec<u8>>, theirs: Option<Vec<u8>> },
}

/// An engine, its twin, and what came of them.
pub struct Comparison {
    /// The engine's name.
    pub name: &'static str,
    engine: Box<dyn Instance>,
    twin: Box<dyn Instance>,
    fields: &'static [Field],
    maps: Vec<MapDef>,
    /// Packets that both ran.
    pub ran: u64,
    /// Packets that the engine could not be told, by reason.
    pub left_out: BTreeMap<Refusal, u64>,
    /// The first differences, with the packet's number; 0 for what maps held in the end.
    pub differences: Vec<(u64, Difference)>,
    /// All differences.
    pub different: u64,
    /// Helpers of the unit whose answers are each host's own: what maps hold may differ by nature.
    pub hosts_own: Vec<&'static str>,
    /// Map entries that differ in a unit that calls such helpers; not among `different`.
    pub by_nature: u64,
}

impl Comparison {
    /// Makes both ready.
    pub fn new(engine: &dyn Engine, reference: &dyn Engine, image: &Image, env: &Env) -> Result<Self, EngineError> {
        Comparison::with(engine, reference, image, &|engine| engine.prepare(image, env))
    }

    /// Makes both ready as `prepare` does it.
    pub fn with(
        engine: &dyn Engine,
        reference: &dyn Engine,
        image: &Image,
        prepare: &Prepare<'_>,
    ) -> Result<Self, EngineError> {
        Ok(Comparison {
            name: engine.name(),
            engine: prepare(engine)?,
            twin: prepare(reference)?,
            fields: image.prog_type().ctx().fields,
            maps: image.unit().maps().to_vec(),
            ran: 0,
            left_out: BTreeMap::new(),
            differences: Vec::new(),
            different: 0,
            hosts_own: hosts_own(image.unit()),
            by_nature: 0,
        })
    }

    /// The engine's own side.
    pub fn engine(&self) -> &dyn Instance {
        &*self.engine
    }

    /// The interpreter that saw the same packets.
    pub fn twin(&self) -> &dyn Instance {
        &*self.twin
    }

    /// Runs a packet on both. An error is what the engine could not be told.
    pub fn run(&mut self, number: u64, input: &Input<'_>) -> Result<Result<Outcome, Vec<Refusal>>, EngineError> {
        let refusals = self.engine.refuses(input);
        if !refusals.is_empty() {
            for refusal in &refusals {
                *self.left_out.entry(refusal.clone()).or_default() += 1;
            }
            return Ok(Err(refusals));
        }
        let ours = self.twin.run(input)?;
        let theirs = self.engine.run(input)?;
        self.ran += 1;
        if ours.verdict() != theirs.verdict() {
            self.note(number, Difference::Verdict { ours, theirs: theirs.clone() });
        }
        self.compare_packet(number);
        self.compare_context(number);
        Ok(Ok(theirs))
    }

    fn note(&mut self, number: u64, difference: Difference) {
        self.different += 1;
        if self.differences.len() < KEPT {
            self.differences.push((number, difference));
        }
    }

    fn compare_packet(&mut self, number: u64) {
        let (ours, theirs) = (self.twin.packet(), self.engine.packet());
        if ours.len() != theirs.len() {
            return self.note(number, Difference::PacketLength { ours: ours.len(), theirs: theirs.len() });
        }
        if let Some(at) = (0..ours.len()).find(|&i| ours[i] != theirs[i]) {
            self.note(number, Difference::PacketByte { at, ours: ours[at], theirs: theirs[at] });
        }
    }

    fn compare_context(&mut self, number: u64) {
        let (ours, theirs) = (self.twin.skb(), self.engine.skb());
        let fields = self.fields;
        for field in fields {
            let (a, b) = (skb::get(&ours, field), skb::get(&theirs, field));
            if a != b && self.engine.reports(field) && self.twin.reports(field) {
                self.note(number, Difference::Field { name: field.name, ours: a, theirs: b });
            }
        }
    }

    /// Compares what the maps hold in the end.
    pub fn finish(&mut self) -> Result<(), EngineError> {
        for i in 0..self.maps.len() {
            let map = MapIdx(i as u32);
            let keyless = self.maps[i].key_size == 0;
            let ours = by_key(self.twin.map_entries(map)?, keyless);
            let theirs = by_key(self.engine.map_entries(map)?, keyless);
            let keys = ours.keys().chain(theirs.keys().filter(|k| !ours.contains_key(*k)));
            let different = keys.filter(|k| !alike(ours.get(*k), theirs.get(*k))).cloned().collect::<Vec<_>>();
            for key in different {
                let (a, b) = (ours.get(&key).cloned(), theirs.get(&key).cloned());
                if self.hosts_own.is_empty() && !drops(&self.maps[i]) {
                    self.note(0, Difference::Map { name: self.maps[i].name.clone(), key, ours: a, theirs: b });
                } else {
                    self.by_nature += 1;
                }
            }
        }
        Ok(())
    }
}

/// How an engine is made ready.
pub type Prepare<'a> = dyn Fn(&dyn Engine) -> Result<Box<dyn Instance>, EngineError> + 'a;

/// Entries by their keys; of a map without keys, by their places.
fn by_key(entries: Vec<Entry>, keyless: bool) -> BTreeMap<Vec<u8>, Vec<u8>> {
    match keyless {
        false => entries.into_iter().collect(),
        true => entries.into_iter().zip(0u32..).map(|((_, value), i)| (i.to_be_bytes().to_vec(), value)).collect(),
    }
}

/// Whether values are the same: of a per-CPU map, CPUs that only one engine has hold zero.
fn alike(a: Option<&Vec<u8>>, b: Option<&Vec<u8>>) -> bool {
    let (Some(a), Some(b)) = (a, b) else { return a == b };
    let (short, long) = if a.len() < b.len() { (a, b) } else { (b, a) };
    long.starts_with(short) && long[short.len()..].iter().all(|b| *b == 0)
}

/// Whether a map drops entries that each host chooses itself.
fn drops(def: &MapDef) -> bool {
    matches!(def.map_type, MapType::LRU_HASH | MapType::LRU_PERCPU_HASH)
}

/// Helpers that the unit's programs call and whose answers are each host's own.
fn hosts_own(unit: &Unit) -> Vec<&'static str> {
    let insns = unit.programs().iter().flat_map(|p| p.insns());
    let helpers = insns.filter_map(|insn| match insn {
        Insn::Call(CallTarget::Helper(id)) => oxbpf_abi::helper_by_id(*id as u32),
        _ => None,
    });
    let names: BTreeSet<_> = helpers.filter(|h| h.hosts_own).map(|h| h.name).collect();
    names.into_iter().collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let outcome = |o: &Outcome| match o {
            Outcome::Return(r0) => format!("{:#x}", *r0 as u32),
            Outcome::Trap(t) => t.to_string(),
        };
        match self {
            Difference::Verdict { ours, theirs } => write!(f, "returns {} against {}", outcome(ours), outcome(theirs)),
            Difference::PacketLength { ours, theirs } => write!(f, "leaves {ours} packet bytes against {theirs}"),
            Difference::PacketByte { at, ours, theirs } => {
                write!(f, "leaves packet byte {at} as {ours:#04x} against {theirs:#04x}")
            }
            Difference::Field { name, ours, theirs } => write!(f, "leaves {name} as {ours:x?} against {theirs:x?}"),
            Difference::Map { name, key, ours: Some(ours), theirs: Some(theirs) } => {
                // Values may be long: from the first byte that differs, eight bytes tell enough.
                let at = ours.iter().zip(theirs).take_while(|(a, b)| a == b).count();
                let part = |v: &[u8]| hex(&v[at.min(v.len())..v.len().min(at + 8)]);
                write!(f, "map {name}, key {}, holds from byte {at} {} against {}", hex(key), part(ours), part(theirs))
            }
            Difference::Map { name, key, ours, .. } => {
                let who =
                    if ours.is_some() { "has an entry that is not there" } else { "lacks an entry that is there" };
                write!(f, "map {name}, key {}, {who}", hex(key))
            }
        }
    }
}
