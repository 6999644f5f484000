//! An image made ready: all its programs lowered, one world for them.

use std::sync::Arc;

use oxbpf_abi::ctx::Field;
use oxbpf_abi::layout::SkBuff;
use oxbpf_ir::{Code, LowerOptions, MapIdx, ProgIdx, lower};
use oxbpf_runtime::maps::{Entry, MapSet};
use oxbpf_runtime::{
    Compiled, EngineError, Env, Image, Input, Instance, MAX_PACKET, Outcome, Refusal, Sent, TraceLine, Trap, Vm,
};

use crate::machine;

/// A lowered program and its name.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) name: Arc<str>,
    pub(crate) code: Code,
}

/// An image lowered, without maps.
pub(crate) struct Lowered {
    image: Image,
    programs: Arc<[Loaded]>,
}

impl Lowered {
    pub(crate) fn new(image: &Image) -> Lowered {
        let load = |v: &oxbpf_ir::Vetted| Loaded {
            name: v.program().name().into(),
            code: lower(v, &LowerOptions { fuel: true }),
        };
        Lowered { image: image.clone(), programs: image.vetted().iter().map(load).collect() }
    }
}

impl Compiled for Lowered {
    fn instance(&self, maps: &MapSet, env: &Env) -> Result<Box<dyn Instance>, EngineError> {
        let message = match self.image.check_tail_calls(maps) {
            Ok(()) if maps.iter().len() >= self.image.unit().maps().len() => None,
            Ok(()) => Some("the maps are another unit's".to_string()),
            Err(message) => Some(message),
        };
        if let Some(message) = message {
            let program = self.image.entry_program().name().to_string();
            return Err(EngineError::Rejected { engine: "interp", program, message, log: String::new() });
        }
        let vm = Box::new(Vm::new(self.image.prog_type(), maps, env)?);
        Ok(Box::new(Interpreted { programs: self.programs.clone(), entry: self.image.entry(), vm }))
    }
}

#[derive(Debug)]
struct Interpreted {
    programs: Arc<[Loaded]>,
    entry: ProgIdx,
    vm: Box<Vm>,
}

impl Instance for Interpreted {
    fn refuses(&self, input: &Input<'_>) -> Vec<Refusal> {
        if input.data.len() > MAX_PACKET { vec![Refusal::TooLong { max: MAX_PACKET }] } else { Vec::new() }
    }

    fn run(&mut self, input: &Input<'_>) -> Result<Outcome, EngineError> {
        self.vm.begin(input);
        let result = machine::run(&mut self.vm, &self.programs, self.entry);
        self.vm.end();
        Ok(match result {
            Ok(r0) => Outcome::Return(r0),
            Err(stop) => {
                let program = &self.programs[stop.program.index()];
                let slot = program.code.slots()[stop.op];
                Outcome::Trap(Trap { kind: stop.kind, program: program.name.clone(), slot })
            }
        })
    }

    fn packet(&self) -> Vec<u8> {
        self.vm.packet_bytes()
    }

    fn skb(&self) -> SkBuff {
        *self.vm.skb()
    }

    fn reports(&self, _: &Field) -> bool {
        true
    }

    fn trace(&self) -> Option<Vec<TraceLine>> {
        Some(self.vm.trace().to_vec())
    }

    fn sent(&self) -> Option<&Sent> {
        Some(self.vm.sent())
    }

    fn executed(&self) -> Option<u64> {
        Some(self.vm.fuel_used())
    }

    fn map_entries(&self, map: MapIdx) -> Result<Vec<Entry>, EngineError> {
        Ok(self.vm.map(map).entries())
    }

    fn update_map(&mut self, map: MapIdx, key: &[u8], value: &[u8], flags: u64) -> Result<(), i64> {
        self.vm.write_map(map, key, value, flags)
    }
}
