//! An image made ready: all its programs lowered, one world for them.

use std::sync::Arc;

use oxbpf_abi::ctx::Field;
use oxbpf_abi::layout::SkBuff;
use oxbpf_ir::{Code, LowerOptions, MapIdx, ProgIdx, lower};
use oxbpf_runtime::maps::Entry;
use oxbpf_runtime::{EngineError, Env, Image, Input, Instance, Outcome, Refusal, TraceLine, Trap, Vm};

use crate::machine;

/// A lowered program and its name.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) name: Arc<str>,
    pub(crate) code: Code,
}

#[derive(Debug)]
pub(crate) struct Interpreted {
    programs: Vec<Loaded>,
    entry: ProgIdx,
    vm: Box<Vm>,
}

impl Interpreted {
    pub(crate) fn new(image: &Image, env: &Env) -> Result<Interpreted, EngineError> {
        let load = |v: &oxbpf_ir::Vetted| Loaded {
            name: v.program().name().into(),
            code: lower(v, &LowerOptions { fuel: true }),
        };
        let vm = Vm::new(image.prog_type(), image.unit().maps(), env)?;
        let programs = image.vetted().iter().map(load).collect();
        Ok(Interpreted { programs, entry: image.entry(), vm: Box::new(vm) })
    }
}

impl Instance for Interpreted {
    fn refuses(&self, _: &Input<'_>) -> Vec<Refusal> {
        Vec::new()
    }

    fn run(&mut self, input: &Input<'_>) -> Result<Outcome, EngineError> {
        self.vm.begin(input);
        Ok(match machine::run(&mut self.vm, &self.programs, self.entry) {
            Ok(r0) => Outcome::Return(r0),
            Err(stop) => {
                let program = &self.programs[stop.program.index()];
                let slot = program.code.slots()[stop.op];
                Outcome::Trap(Trap { kind: stop.kind, program: program.name.clone(), slot })
            }
        })
    }

    fn packet(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.vm.packet().copy_to(&mut bytes);
        bytes
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

    fn executed(&self) -> Option<u64> {
        Some(self.vm.fuel().used())
    }

    fn map_entries(&self, map: MapIdx) -> Result<Vec<Entry>, EngineError> {
        Ok(self.vm.map(map).entries())
    }

    fn update_map(&mut self, map: MapIdx, key: &[u8], value: &[u8], flags: u64) -> Result<(), i64> {
        self.vm.update_map(map, key, value, flags)
    }
}
