//! The direct classic interpreter: a checked program decoded once, run over borrowed packets without allocating.
//!
//! ```
//! use oxbpf_interp::classic::{Code, Packet};
//! use oxbpf_isa::cbpf::{Program, SockFilter};
//! use oxbpf_runtime::Input;
//! use oxbpf_runtime::skb::Link;
//!
//! // ldh [12]; ret a
//! let program = Program::check(&[SockFilter::stmt(0x28, 12), SockFilter::stmt(0x16, 0)]).unwrap();
//! let code = Code::new(&program);
//! let mut frame = [0; 60];
//! frame[12] = 8;
//! let input = Input::new(&frame, Link::Ethernet);
//! assert_eq!(code.run(&Packet::new(&input, false, 0)), 0x0800);
//! ```

mod decode;
mod engine;
mod op;
mod run;

use oxbpf_abi::layout::SkBuff;
use oxbpf_isa::cbpf::Program;
use oxbpf_runtime::classic::PacketView;
use oxbpf_runtime::{Input, Random};

pub use engine::Classic;
use op::Op;

/// A program ready to run. Operation and instruction of the same index belong together.
#[derive(Clone, Debug)]
pub struct Code {
    /// At least one, as of all checked programs.
    ops: Box<[Op]>,
}

impl Code {
    /// Decodes a program.
    pub fn new(program: &Program) -> Code {
        Code { ops: decode::decode(program.insns()) }
    }

    /// Runs the program: what it returns, 0 where a load is out of range or a divisor is 0.
    #[inline]
    pub fn run(&self, packet: &Packet<'_>) -> u32 {
        run::run(self, packet)
    }
}

/// A packet and what a program may ask about it.
#[derive(Clone, Copy, Debug)]
pub struct Packet<'a> {
    view: PacketView<'a>,
    skb: &'a SkBuff,
    len: u32,
    cpu: u32,
    random: Random,
}

impl<'a> Packet<'a> {
    /// The packet of an input; `skip_link` makes the program see it from the network header on. With the packet's
    /// number, `seed` determines what is random.
    pub fn new(input: &'a Input<'a>, skip_link: bool, seed: u64) -> Packet<'a> {
        let view = PacketView::new(input.data, input.link, skip_link);
        let skipped = (input.data.len() - view.data().len()) as u32;
        Packet {
            view,
            skb: &input.skb,
            len: input.skb.len.saturating_sub(skipped),
            cpu: input.cpu,
            random: Random::of_run(seed, input.number, input.cpu),
        }
    }
}
