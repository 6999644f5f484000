//! Helpers on packets of every length, cut off or whole, with and without link header, and contexts that say anything:
//! none fails inside, and the packet's ends stay its ends.

use oxbpf_abi::layout::SkBuff;
use oxbpf_abi::{Arg, HELPERS, HelperRow, ProgType};
use oxbpf_ir::Unit;
use oxbpf_runtime::maps::MapSet;
use oxbpf_runtime::skb::{self, Link};
use oxbpf_runtime::{Env, Input, MAX_PACKET, TrapKind, Vm};

/// SplitMix64.
struct Rng(u64);

impl Rng {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[(self.next() % from.len() as u64) as usize]
    }
}

/// Packets of a network that may be anything: an EtherType that means something, random otherwise.
fn packet(rng: &mut Rng) -> Vec<u8> {
    let len = rng.pick(&[
        0,
        1,
        12,
        13,
        14,
        15,
        17,
        18,
        20,
        34,
        54,
        60,
        200,
        1500,
        16_060,
        16_100,
        MAX_PACKET - 1,
        MAX_PACKET,
    ]);
    let mut bytes: Vec<u8> = (0..len.min(64)).map(|_| rng.next() as u8).collect();
    bytes.resize(len, 7);
    let kind = rng.pick(&[[0x08, 0x00], [0x86, 0xdd], [0x81, 0x00], [0x88, 0xa8], [0, 9]]);
    for (place, byte) in bytes.iter_mut().skip(12).zip(kind.into_iter().cycle().take(6)) {
        *place = byte;
    }
    bytes
}

fn context(rng: &mut Rng, bytes: &[u8], link: Link) -> SkBuff {
    let len = match rng.next() % 4 {
        0 => rng.pick(&[0, 1, 100, 70_000, u32::MAX, u32::MAX]),
        _ => bytes.len() as u32,
    };
    let mut skb = skb::derive(bytes, len, link);
    if rng.next().is_multiple_of(3) {
        skb.protocol = rng.pick(&[0x0008, 0xdd86, 0x0081, 0xa888]);
        skb.gso_size = rng.pick(&[0, 0, 100]);
        skb.vlan_present = rng.pick(&[0, 1]);
        skb.pkt_type = rng.pick(&[0, 3, 9]);
    }
    skb
}

fn argument(rng: &mut Rng, arg: Arg, vm: &Vm, memory: u64) -> u64 {
    match arg {
        Arg::Ctx => vm.context_addr(),
        Arg::Size | Arg::SizeOrZero => rng.next() % 64,
        Arg::Anything => match rng.next() % 10 {
            0 => rng.next(),
            1 => rng.pick(&[0, 1, 2, 4095, 4096, 16_064, 0x7fff_ffff, 0xffff_ffff, u64::MAX, (-216i64) as u64]),
            2 => rng.pick(&[0x0008, 0xdd86, 0x0081, 0xa888]),
            3 => (rng.next() % 80).wrapping_neg(),
            4 => rng.next() % 80,
            _ => rng.next() % 3,
        },
        _ => memory,
    }
}

fn on_packets(row: &HelperRow) -> bool {
    let wants = |arg: &Arg| matches!(arg, Arg::Map | Arg::Func);
    row.proto.args.first() == Some(&Arg::Ctx) && !row.proto.args.iter().any(wants) && row.name != "tail_call"
}

#[test]
fn no_helper_fails_inside_whatever_the_packet() {
    let mut rng = Rng(5);
    let maps = MapSet::new(&Unit::new("none", "GPL", vec![], vec![]).expect("nothing is missing"), 0).expect("no maps");
    for prog_type in [ProgType::SchedCls, ProgType::Xdp, ProgType::CgroupSkb, ProgType::SocketFilter] {
        let mut vm = Vm::new(prog_type, &maps, &Env::default()).expect("there is memory");
        let rows: Vec<_> = HELPERS.iter().filter(|row| on_packets(row) && row.callable_by(prog_type)).collect();
        assert!(rows.len() > 3);
        for round in 0..500 {
            let bytes = packet(&mut rng);
            let link = rng.pick(&[Link::Ethernet, Link::Ethernet, Link::Ip]);
            let skb = context(&mut rng, &bytes, link);
            vm.begin(&Input { skb, ..Input::new(&bytes, link) });
            let memory = vm.enter_frame(0) - 64;
            for _ in 0..12 {
                let row = rng.pick(&rows);
                let mut args = [0; 5];
                for (place, &arg) in args.iter_mut().zip(row.proto.args) {
                    *place = argument(&mut rng, arg, &vm, memory);
                }
                let answer = vm.call_helper(row.id, args);
                let what = format!("{prog_type} round {round}: {}{args:x?} on {} bytes", row.name, bytes.len());
                assert!(!matches!(answer, Err(TrapKind::HelperPanic { .. })), "{what}: {answer:?}");
                let skb = *vm.skb();
                assert!(skb.data_meta <= skb.data && skb.data <= skb.data_end, "{what}: {skb:x?}");
                assert!(vm.packet_bytes().len() as u64 >= skb.data_end - skb.data, "{what}");
            }
        }
    }
}
