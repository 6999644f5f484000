//! A unit in the kernel: its descriptors, and what the last run left behind.

use std::collections::BTreeMap;
use std::time::Duration;

use oxbpf_abi::ctx::Field;
use oxbpf_abi::layout::SkBuff;
use oxbpf_abi::{ProgType, errno};
use oxbpf_ir::{MapIdx, ProgIdx, Program};
use oxbpf_isa::{CallTarget, Insn, Pseudo};
use oxbpf_runtime::maps::Entry;
use oxbpf_runtime::skb::ETH_HLEN;
use oxbpf_runtime::{EngineError, Event, EventKind, Image, Input, Instance, Outcome, Refusal, Sent, TraceLine};

use crate::engine::failed;
use crate::unit_maps::{self, UnitMap};
use crate::{KernelProg, TestRun, sys, told};

/// How long a program may run that the verifier does not bound: seconds where others take microseconds.
const RUN_DEADLINE: Duration = Duration::from_secs(10);
/// Room for what helpers may add to a packet: more than the kernel lets a test run's packet grow.
const GROWTH: usize = 20_480;

/// A unit in the kernel. Programs and maps live as long as their descriptors, which are held here.
#[derive(Debug)]
pub(crate) struct Loaded {
    prog_type: ProgType,
    entry: ProgIdx,
    programs: BTreeMap<ProgIdx, KernelProg>,
    maps: Vec<UnitMap>,
    /// Runs are to be on the input's CPU.
    on_cpu: bool,
    deadline: Option<Duration>,
    packet: Vec<u8>,
    skb: SkBuff,
    sent: Sent,
}

impl Loaded {
    pub(crate) fn new(image: &Image, maps: Vec<UnitMap>, programs: BTreeMap<ProgIdx, KernelProg>) -> Loaded {
        let unbounded = programs.keys().any(|p| may_run_long(&image.unit().programs()[p.index()]));
        Loaded {
            prog_type: image.prog_type(),
            entry: image.entry(),
            programs,
            on_cpu: maps.iter().any(UnitMap::of_cpus),
            maps,
            deadline: unbounded.then_some(RUN_DEADLINE),
            packet: Vec::new(),
            skb: SkBuff::default(),
            sent: Sent::default(),
        }
    }
}

/// Whether the verifier's budget does not bound a program's run: callbacks, `may_goto` and iterators.
fn may_run_long(program: &Program) -> bool {
    program.insns().iter().any(|insn| {
        matches!(
            insn,
            Insn::MayGoto { .. }
                | Insn::LoadPseudo { value: Pseudo::Func(_), .. }
                | Insn::Call(CallTarget::Kfunc { .. })
        )
    })
}

impl Instance for Loaded {
    fn refuses(&self, input: &Input<'_>) -> Vec<Refusal> {
        told::refusals(self.prog_type, input)
    }

    fn run(&mut self, input: &Input<'_>) -> Result<Outcome, EngineError> {
        let ctx = told::ctx_in(self.prog_type, input);
        let run = TestRun {
            data_out_size: input.data.len() + GROWTH,
            deadline: self.deadline,
            ..TestRun::new(input.data, &ctx)
        };
        let program = &self.programs[&self.entry];
        let result = if self.on_cpu {
            let on_cpu = sys::on_cpu(input.cpu, || program.test_run(&run));
            on_cpu.map_err(|errno| failed(format!("CPU {}: {errno}", input.cpu)))?
        } else {
            program.test_run(&run)
        };
        let result = result.map_err(|error| failed(error.to_string()))?;
        self.read_out(input);
        self.packet = result.data;
        if self.prog_type == ProgType::Xdp {
            // Metadata come back before the packet, and are none of it.
            self.packet.drain(..told::metadata_len(&result.ctx).min(self.packet.len()));
        }
        if self.prog_type.row().starts_at_l3 {
            // The header that such a program does not see comes back as zeros.
            let header = ETH_HLEN.min(self.packet.len()).min(input.data.len());
            self.packet[..header].copy_from_slice(&input.data[..header]);
        }
        self.skb = told::ctx_out(self.prog_type, &input.skb, &result.ctx);
        Ok(Outcome::Return(result.retval.into()))
    }

    fn packet(&self) -> Vec<u8> {
        self.packet.clone()
    }

    fn skb(&self) -> SkBuff {
        self.skb
    }

    fn reports(&self, field: &Field) -> bool {
        told::reports(self.prog_type, field)
    }

    fn trace(&self) -> Option<Vec<TraceLine>> {
        None
    }

    fn executed(&self) -> Option<u64> {
        None
    }

    fn events(&self) -> Option<&[Event]> {
        Some(self.sent.events())
    }

    fn map_entries(&self, map: MapIdx) -> Result<Vec<Entry>, EngineError> {
        let index = map.index();
        let map = self.maps.get(index).ok_or_else(|| failed(format!("there is no map {index}")))?;
        map.entries().map_err(|error| failed(error.to_string()))
    }

    fn update_map(&mut self, map: MapIdx, key: &[u8], value: &[u8], flags: u64) -> Result<(), i64> {
        match self.maps.get(map.index()) {
            None => Err(errno::ENOENT),
            Some(outer) if outer.holds_maps() => match value.try_into() {
                Ok(inner) => unit_maps::put_map(&mut self.maps, map, key, MapIdx(u32::from_le_bytes(inner)), flags),
                Err(_) => Err(errno::EINVAL),
            },
            Some(map) => map.update(key, value, flags),
        }
    }
}

impl Loaded {
    /// Takes out what the run sent through maps.
    fn read_out(&mut self, input: &Input<'_>) {
        self.sent.clear();
        for (map, index) in self.maps.iter_mut().zip(0..) {
            map.drain(MapIdx(index), |event| {
                let cpu = if event.kind == EventKind::Perf { event.cpu } else { input.cpu };
                self.sent.emit(Event { packet: input.number, time_ns: input.time_ns, cpu, ..event });
            });
        }
    }
}
