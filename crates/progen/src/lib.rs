//! Generated BPF programs for tests: valid by construction, varied by seed.
//!
//! [`Generator`] makes programs that the Linux verifier accepts in nearly all cases and whose results are
//! determined, so that two engines can be compared on them. A generator keeps account of what each register
//! and stack byte holds: no address and no uninitialised byte reaches a register, stack byte, map value,
//! packet byte or context field that is compared, nor decides a branch. At its end a program stores all
//! numbers that it still has into its map 0 and returns one of them.
//!
//! ```
//! use oxbpf_progen::{Generator, Topic};
//!
//! let generated = Generator::new(7).program();
//! assert_eq!(generated, Generator::new(7).program());
//! assert!(generated.maps[0].value_size >= 256);
//! println!("{} instructions, loops: {}", generated.insns.len(), generated.features.has(Topic::Loops));
//! ```
//!
//! What the programs avoid, because results would differ by nature: comparing pointers other than a packet
//! pointer with the packet's end or a look-up's result with null, pointers to elements of a hash map after
//! that map changed, times, random numbers and processor numbers (the helpers are called, their results are
//! dropped). A path is bounded to a few thousand instructions, loops to 16 rounds.
//!
//! [`checked`] makes programs whose safety takes proof, and faults in them, to test verifiers with.
//!
//! [`classic()`] makes classic programs, which the kernel's check accepts. [`insns()`] makes lists of instructions of
//! every row, for codecs and texts: they are no programs that anything would run.
#![forbid(unsafe_code)]

mod alu;
mod branches;
mod calls;
pub mod checked;
mod classic;
mod code;
mod ctx;
mod frames;
mod fun;
mod helpers;
mod insns;
mod loops;
mod main_fn;
mod maps;
mod memory;
mod packet;
mod rng;
mod rows;
mod state;
mod stmt;

use oxbpf_isa::Insn;

use fun::World;
use rng::Rng;

pub use classic::{ClassicFeatures, classic, classic_packet, with_result};
pub use insns::insns;
pub use maps::{MapKind, MapSpec};
pub use rows::{Features, HELPERS, Row, RowSet, Topic};

/// The types of programs that are generated.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum ProgType {
    /// `BPF_PROG_TYPE_SCHED_CLS`, number 3.
    #[default]
    SchedCls,
    /// `BPF_PROG_TYPE_SOCKET_FILTER`, number 1: no direct packet access.
    SocketFilter,
    /// `BPF_PROG_TYPE_XDP`, number 6: no legacy loads.
    Xdp,
}

impl ProgType {
    /// The type's number in bpf(2).
    pub const fn number(self) -> u32 {
        match self {
            ProgType::SchedCls => 3,
            ProgType::SocketFilter => 1,
            ProgType::Xdp => 6,
        }
    }

    /// The type as a set of one, for rows that say which types may do something.
    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

const CLS: u8 = ProgType::SchedCls.bit();
const SOCKET: u8 = ProgType::SocketFilter.bit();
const XDP: u8 = ProgType::Xdp.bit();

/// The most slots a program takes.
pub const MAX_SLOTS: u32 = 600;

/// A program and everything it is to be run with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Generated {
    /// What it was made from.
    pub seed: u64,
    /// The program's type.
    pub prog_type: ProgType,
    /// The instructions. `Pseudo::MapFd` and `Pseudo::MapValue` hold indices into `maps`, which whoever loads
    /// the program replaces by descriptors.
    pub insns: Vec<Insn>,
    /// The maps. The first is an array of one element that the program stores its results in.
    pub maps: Vec<MapSpec>,
    /// The Ethernet frame to run it on, 64 to 200 bytes.
    pub packet: Vec<u8>,
    /// What the program contains.
    pub features: Features,
}

/// Makes a program from a seed.
#[derive(Clone, Debug)]
pub struct Generator {
    seed: u64,
    prog_type: ProgType,
}

impl Generator {
    /// A generator of a classifier; the same seed makes the same program.
    pub fn new(seed: u64) -> Generator {
        Generator::of_type(seed, ProgType::SchedCls)
    }

    /// A generator of a program of the given type.
    pub fn of_type(seed: u64, prog_type: ProgType) -> Generator {
        Generator { seed, prog_type }
    }

    /// The program.
    pub fn program(&self) -> Generated {
        let mut rng = Rng::new(self.seed);
        let packet = frames::frame(&mut rng);
        let seen = match self.prog_type {
            ProgType::SocketFilter => packet.len() - frames::ETH_LEN,
            ProgType::SchedCls | ProgType::Xdp => packet.len(),
        };
        let world = World {
            rng,
            prog_type: self.prog_type,
            packet_len: seen as u32,
            maps: vec![MapSpec::result()],
            subs: Vec::new(),
            checkpoints: 0,
            slots: 0,
            features: Features::default(),
        };
        let (main, world) = main_fn::generate(world);
        let mut functions = vec![&main];
        functions.extend(world.subs.iter().map(|s| &s.code));
        let insns = code::link(&functions);
        let mut features = world.features;
        for row in insns.iter().filter_map(Row::of) {
            features.rows.insert(row);
        }
        Generated { seed: self.seed, prog_type: self.prog_type, insns, maps: world.maps, packet, features }
    }
}
