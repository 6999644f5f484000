//! One case: a program of a few calls on one packet, with everything that both engines tell.

use crate::calls;
use crate::common::pair::*;
use crate::packets;
use oxbpf_abi::MapType;
use oxbpf_abi::ProgType;
use oxbpf_ir::{MapDef, MapInit, MapPurpose};
use oxbpf_isa::{AluOp, Cond, Insn, MemSize, Operand, Reg, Width};
use oxbpf_runtime::EngineError;
use oxbpf_runtime::skb;

/// What emits one call of a helper with arguments.
pub type Call = fn(&mut Case<'_>);

pub enum Outcome {
    Same,
    Different(Vec<String>),
    Rejected(String),
}

/// A case in the making.
pub struct Case<'a> {
    pub cases: Cases,
    pub rng: &'a mut Rng,
    pub prog_type: ProgType,
    pub packet: Vec<u8>,
    pub gso_size: u64,
    /// Texts that the program finds in a frozen map.
    pub constants: Vec<u8>,
    /// Text and numbers that it finds in another.
    pub data: Vec<u8>,
}

/// Positions of the maps.
pub const CONSTANTS: i32 = 1;
pub const DATA: i32 = 2;

impl<'a> Case<'a> {
    pub fn new(rng: &'a mut Rng, prog_type: ProgType, call: Call) -> Case<'a> {
        let packet = packets::packet(rng, prog_type);
        let cases = Cases::new(rng);
        let gso_size = if rng.below(10) == 0 { 1 + rng.below(1500) } else { 0 };
        let mut case = Case { cases, rng, prog_type, packet, gso_size, constants: Vec::new(), data: Vec::new() };
        let count = 1 + case.rng.below(4);
        let here = case.rng.below(count);
        for i in 0..count {
            let others = calls::mixed(case.prog_type);
            let other = case.rng.pick(others);
            (if i == here { call } else { other })(&mut case);
            case.observe();
        }
        case
    }

    /// Keeps a register, under a name.
    pub fn keep(&mut self, name: impl Into<String>, src: Reg) {
        self.cases.keep(name.into(), src);
    }

    pub fn push(&mut self, insns: impl IntoIterator<Item = Insn>) {
        self.cases.push(insns);
    }

    /// Calls a helper with the context and these arguments, and keeps what it returns.
    pub fn call_ctx(&mut self, name: &str, args: &[u64]) {
        self.push([copy(R[1], R[6])]);
        for (i, &value) in args.iter().enumerate() {
            self.push([wide(R[2 + i], value)]);
        }
        self.call(name, format!("{name}{args:x?}"));
    }

    /// Calls a helper whose arguments are in place, and keeps what it returns.
    pub fn call(&mut self, name: &str, shown: String) {
        let row = oxbpf_abi::helper_by_name(name).expect("rows name helpers");
        self.push([call(row.id as i32)]);
        self.keep(shown, R[0]);
    }

    /// Puts bytes into the data map; their offset there.
    pub fn place(&mut self, bytes: &[u8]) -> i32 {
        self.data.resize(self.data.len().next_multiple_of(8), 0);
        let at = self.data.len();
        self.data.extend(bytes);
        at as i32
    }

    /// Puts a text into the frozen map; its offset there.
    pub fn constant(&mut self, text: &[u8]) -> i32 {
        let at = self.constants.len();
        self.constants.extend(text);
        self.constants.push(0);
        at as i32
    }

    /// Stores into the context now and then, loads fields and bytes of the packet, and sometimes stores a byte.
    fn observe(&mut self) {
        if matches!(self.prog_type, ProgType::SchedCls | ProgType::SchedAct) && self.rng.below(3) == 0 {
            let name = self.rng.pick(&["mark", "priority", "tc_index", "queue_mapping", "cb", "tc_classid"]);
            let field = self.prog_type.ctx().field(name).expect("fields exist");
            let value = self.rng.below(0x2_0000) as i32;
            self.push([store_imm(MemSize::W, R[6], field.off as i16, value)]);
        }
        let fields: &[&str] = match self.prog_type {
            ProgType::Xdp => &[],
            ProgType::SchedCls | ProgType::SchedAct => &TC_FIELDS,
            _ => &SKB_FIELDS,
        };
        for name in fields {
            let field = self.prog_type.ctx().field(name).expect("fields exist");
            self.push([load(MemSize::W, R[1], R[6], field.off as i16)]);
            self.keep(format!("  {name}"), R[1]);
        }
        if !matches!(self.prog_type, ProgType::SocketFilter) {
            self.observe_packet();
        }
    }

    fn observe_packet(&mut self) {
        let off = |name| self.prog_type.ctx().field(name).expect("fields exist").off as i16;
        let (data, end) = (off("data"), off("data_end"));
        let at = match self.rng.below(4) {
            0 => self.rng.below(400) as i32,
            _ => self.rng.below(64) as i32,
        };
        self.push([load(MemSize::W, R[8], R[6], data), load(MemSize::W, R[9], R[6], end)]);
        self.push([copy(R[1], R[9]), sub(R[1], R[8])]);
        self.keep("  data_end - data", R[1]);
        if self.prog_type != ProgType::CgroupSkb {
            let meta = self.prog_type.ctx().field("data_meta").expect("fields exist").off as i16;
            self.push([load(MemSize::W, R[1], R[6], meta), copy(R[2], R[8]), sub(R[2], R[1])]);
            self.keep("  data - data_meta", R[2]);
        }
        let stores = self.prog_type != ProgType::CgroupSkb && self.rng.below(3) == 0;
        self.push([imm(R[2], -1), copy(R[1], R[8]), add(R[1], at + 8)]);
        let off = if stores { 2 } else { 1 };
        self.push([Insn::JumpIf { cond: Cond::Gt, width: Width::W64, dst: R[1], src: Operand::Reg(R[9]), off }]);
        self.push([load(MemSize::Dw, R[2], R[8], at as i16)]);
        if stores {
            let byte = self.rng.below(256) as i32;
            self.push([store_imm(MemSize::B, R[8], at as i16 + 3, byte)]);
        }
        self.keep(format!("  packet at {at}"), R[2]);
    }

    /// Keeps what stands in the scratch memory.
    pub fn keep_scratch(&mut self, name: String) {
        self.push([imm(R[1], 0)]);
        for off in (-SCRATCH..0).step_by(8) {
            let mul = Insn::Alu { op: AluOp::Mul, width: Width::W64, dst: R[1], src: Operand::Imm(31) };
            let add = Insn::Alu { op: AluOp::Add, width: Width::W64, dst: R[1], src: Operand::Reg(R[2]) };
            self.push([load(MemSize::Dw, R[2], R[10], off), mul, add]);
        }
        self.keep(name, R[1]);
    }

    /// An address in the scratch memory with so many bytes behind it.
    pub fn scratch(&mut self, dst: Reg, len: i32) {
        self.push([copy(dst, R[10]), add(dst, -i32::from(SCRATCH).max(len))]);
    }

    pub fn run(self) -> Outcome {
        let verdict = match self.prog_type {
            ProgType::CgroupSkb => 1,
            _ => self.rng.pick(&[0, 1, 2, 7]),
        };
        let filled = |name: &str, mut bytes: Vec<u8>| {
            bytes.resize(bytes.len().max(8).next_multiple_of(8), 0);
            let mut def = MapDef::new(name, MapType::ARRAY, 4, bytes.len() as u32, 1);
            def.init = MapInit::Entries(vec![(vec![0; 4], bytes)]);
            def
        };
        let mut maps = vec![result_map(self.cases.names.len().max(1) as u32 * 8)];
        // Most cases have no texts, and a load without maps for them is cheaper.
        if !self.constants.is_empty() || !self.data.is_empty() {
            let mut constants = filled("constants", self.constants);
            constants.purpose = MapPurpose::Rodata;
            maps.extend([constants, filled("data", self.data)]);
        }
        let mut insns = self.cases.insns;
        insns.extend(end(verdict));
        let mut pair = match Pair::new(&unit(self.prog_type, maps, vec![insns])) {
            Ok(pair) => pair,
            Err(EngineError::Rejected { log, .. }) => {
                let calls: Vec<_> = self.cases.names.iter().filter(|name| !name.starts_with(' ')).cloned().collect();
                let end = log.trim_end().len();
                return Outcome::Rejected(format!("{calls:?}: {}", &log[end.saturating_sub(300)..end]));
            }
            Err(error) => panic!("{error}"),
        };
        let rng = self.rng;
        let mut input = input(&self.packet);
        if self.prog_type != ProgType::Xdp {
            for (field, most) in [("mark", 1 << 32), ("priority", 1 << 32), ("tstamp", 1 << 40)] {
                if rng.below(2) == 0 {
                    skb::set(&mut input.skb, field, rng.below(most)).expect("fields exist");
                }
            }
            skb::set(&mut input.skb, "gso_size", self.gso_size).expect("fields exist");
            if self.gso_size > 0 && rng.below(2) == 0 {
                skb::set(&mut input.skb, "gso_segs", 1 + rng.below(9)).expect("fields exist");
            }
        }
        let what = format!(
            "{} {} bytes {:02x?} gso {}",
            self.prog_type,
            self.packet.len(),
            &self.packet[12..self.packet.len().min(20)],
            input.skb.gso_size
        );
        let different = compare(&mut pair, &self.cases.names, &input, &what);
        if different.is_empty() {
            return Outcome::Same;
        }
        let calls: Vec<_> = self.cases.names.iter().filter(|name| !name.starts_with(' ')).collect();
        Outcome::Different(vec![format!(
            "{calls:?}\n    {}",
            different.iter().take(4).cloned().collect::<Vec<_>>().join("\n    ")
        )])
    }
}

/// What every program of an skb's type may load.
const SKB_FIELDS: [&str; 5] = ["len", "pkt_type", "protocol", "vlan_present", "hash"];
const TC_FIELDS: [&str; 15] = [
    "len",
    "pkt_type",
    "mark",
    "queue_mapping",
    "protocol",
    "vlan_present",
    "vlan_tci",
    "vlan_proto",
    "priority",
    "tc_index",
    "tc_classid",
    "hash",
    "wire_len",
    "gso_size",
    "gso_segs",
];
