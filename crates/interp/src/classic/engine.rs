//! The direct interpreter in an engine's place, beside those that run the migrated program.

use std::sync::Arc;

use oxbpf_abi::ctx::{Field, Shape};
use oxbpf_abi::errno::ENOENT;
use oxbpf_abi::layout::SkBuff;
use oxbpf_ir::MapIdx;
use oxbpf_isa::cbpf::Program;
use oxbpf_runtime::maps::{Entry, MapSet};
use oxbpf_runtime::{
    Availability, Compiled, Engine, EngineError, Env, Image, Input, Instance, MAX_PACKET, Outcome, Refusal, TraceLine,
};

use super::{Code, Packet};

/// Runs a classic program; images it is given are of that program migrated, and tell it only their type.
#[derive(Clone, Debug)]
pub struct Classic {
    code: Arc<Code>,
}

impl Classic {
    /// An engine for this program.
    pub fn new(program: &Program) -> Classic {
        Classic { code: Arc::new(Code::new(program)) }
    }
}

impl Engine for Classic {
    fn name(&self) -> &'static str {
        "cbpf"
    }

    fn availability(&self) -> Availability {
        Availability::Available(format!("oxbpf {}", env!("CARGO_PKG_VERSION")))
    }

    fn compile(&self, image: &Image) -> Result<Arc<dyn Compiled>, EngineError> {
        Ok(Arc::new(Ready { code: self.code.clone(), skip_link: image.prog_type().row().starts_at_l3 }))
    }
}

struct Ready {
    code: Arc<Code>,
    skip_link: bool,
}

impl Compiled for Ready {
    fn instance(&self, _: &MapSet, env: &Env) -> Result<Box<dyn Instance>, EngineError> {
        let (code, skip_link) = (self.code.clone(), self.skip_link);
        Ok(Box::new(Running { code, skip_link, seed: env.seed, packet: Vec::new(), skb: SkBuff::default() }))
    }
}

struct Running {
    code: Arc<Code>,
    skip_link: bool,
    seed: u64,
    /// The last packet, to be told as it was: classic programs change nothing.
    packet: Vec<u8>,
    skb: SkBuff,
}

impl Instance for Running {
    fn refuses(&self, input: &Input<'_>) -> Vec<Refusal> {
        if input.data.len() > MAX_PACKET { vec![Refusal::TooLong { max: MAX_PACKET }] } else { Vec::new() }
    }

    fn run(&mut self, input: &Input<'_>) -> Result<Outcome, EngineError> {
        let packet = Packet::new(input, self.skip_link, self.seed);
        let result = self.code.run(&packet);
        self.skb = SkBuff { len: packet.len, ..input.skb };
        self.packet.clear();
        self.packet.extend_from_slice(input.data);
        Ok(Outcome::Return(result.into()))
    }

    fn packet(&self) -> Vec<u8> {
        self.packet.clone()
    }

    fn skb(&self) -> SkBuff {
        self.skb
    }

    /// There are no addresses here.
    fn reports(&self, field: &Field) -> bool {
        !matches!(field.shape, Shape::Pointer | Shape::Opaque)
    }

    fn trace(&self) -> Option<Vec<TraceLine>> {
        Some(Vec::new())
    }

    fn executed(&self) -> Option<u64> {
        None
    }

    fn map_entries(&self, _: MapIdx) -> Result<Vec<Entry>, EngineError> {
        Ok(Vec::new())
    }

    fn update_map(&mut self, _: MapIdx, _: &[u8], _: &[u8], _: u64) -> Result<(), i64> {
        Err(ENOENT)
    }
}
