//! A unit in the kernel: its descriptors, and what the last run left behind.

use std::collections::BTreeMap;
use std::time::Duration;

use oxbpf_abi::ctx::Field;
use oxbpf_abi::layout::SkBuff;
use oxbpf_abi::{MapType, ProgType, errno};
use oxbpf_ir::{MapIdx, ProgIdx, Program};
use oxbpf_isa::{CallTarget, Insn, Pseudo};
use oxbpf_runtime::maps::Entry;
use oxbpf_runtime::skb::ETH_HLEN;
use oxbpf_runtime::{EngineError, Image, Input, Instance, Outcome, Refusal, TraceLine};

use crate::engine::failed;
use crate::{KernelError, KernelMap, KernelProg, TestRun, told};

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
    map_types: Vec<MapType>,
    maps: Vec<KernelMap>,
    /// By map: what was put into a program array. The kernel answers ids, not what they mean here.
    filled: Vec<BTreeMap<u32, ProgIdx>>,
    deadline: Option<Duration>,
    packet: Vec<u8>,
    skb: SkBuff,
}

impl Loaded {
    pub(crate) fn new(
        image: &Image,
        maps: Vec<KernelMap>,
        programs: BTreeMap<ProgIdx, KernelProg>,
        filled: Vec<BTreeMap<u32, ProgIdx>>,
    ) -> Loaded {
        let unbounded = programs.keys().any(|p| may_run_long(&image.unit().programs()[p.index()]));
        Loaded {
            prog_type: image.prog_type(),
            entry: image.entry(),
            programs,
            map_types: image.unit().maps().iter().map(|def| def.map_type).collect(),
            maps,
            filled,
            deadline: unbounded.then_some(RUN_DEADLINE),
            packet: Vec::new(),
            skb: SkBuff::default(),
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
        let result = self.programs[&self.entry].test_run(&run).map_err(|error| failed(error.to_string()))?;
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

    fn map_entries(&self, map: MapIdx) -> Result<Vec<Entry>, EngineError> {
        let index = map.index();
        match self.map_types.get(index) {
            Some(&MapType::PROG_ARRAY) => {
                let row =
                    |(key, program): (&u32, &ProgIdx)| (key.to_ne_bytes().to_vec(), program.0.to_ne_bytes().to_vec());
                Ok(self.filled[index].iter().map(row).collect())
            }
            Some(_) => self.maps[index].entries().map_err(|error| failed(error.to_string())),
            None => Err(failed(format!("there is no map {index}"))),
        }
    }

    fn update_map(&mut self, map: MapIdx, key: &[u8], value: &[u8], flags: u64) -> Result<(), i64> {
        match self.map_types.get(map.index()) {
            None => Err(errno::ENOENT),
            // Its values are descriptors of this process, which callers do not have.
            Some(&MapType::PROG_ARRAY) => Err(errno::EINVAL),
            Some(_) => self.maps[map.index()].update(key, value, flags).map_err(|error| match error {
                KernelError::Refused { errno, .. } => errno.0.into(),
                _ => errno::EINVAL,
            }),
        }
    }
}
