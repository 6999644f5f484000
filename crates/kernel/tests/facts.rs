//! What `docs/kernel-engine.md` says of test runs, asked of the kernel it was measured on.

mod common;

use std::time::{Duration, Instant};

use common::*;
use oxbpf_kernel::{KernelError, KernelMap, KernelProg, LoadSpec, MapSpec, TestRun, TestRunResult};

fn run(prog: &KernelProg, data: &[u8], ctx: &[u8]) -> Result<TestRunResult, KernelError> {
    prog.test_run(&TestRun::new(data, ctx))
}

/// Loads `body`, which finds the context in r1, and answers what it leaves in r0.
fn answer(prog_type: u32, body: &[Insn], data: &[u8]) -> u32 {
    let prog = load(prog_type, &[body, &[exit()]].concat());
    run(&prog, data, &[]).unwrap().retval
}

/// `struct __sk_buff` with one word set.
fn skb(off: usize, value: u32) -> Vec<u8> {
    let mut ctx = vec![0; SKB_SIZE];
    ctx[off..off + 4].copy_from_slice(&value.to_le_bytes());
    ctx
}

const SKB_SIZE: usize = 192;
const PKT_TYPE: i16 = 4;
const MARK: i16 = 8;
const QUEUE_MAPPING: i16 = 12;
const PROTOCOL: i16 = 16;
const VLAN_PRESENT: i16 = 20;
const IFINDEX: usize = 40;
const TC_INDEX: i16 = 44;
const CB: i16 = 48;
const TC_CLASSID: i16 = 72;
const WIRE_LEN: usize = 160;
const GSO_SEGS: usize = 164;
const GSO_SIZE: usize = 176;

const ARP: u16 = 0x0806;
const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86dd;
const VLAN: u16 = 0x8100;

#[test]
fn least_and_greatest_packet() {
    if !measured("least_and_greatest_packet") {
        return;
    }
    let rows = [
        (SOCKET_FILTER, IPV4, 34, 3712),
        (SCHED_CLS, IPV4, 34, 3712),
        (SCHED_ACT, IPV4, 34, 3712),
        (CGROUP_SKB, IPV4, 34, 3712),
        (XDP, IPV4, 14, 73152),
        (SCHED_CLS, IPV6, 54, 3712),
        (CGROUP_SKB, IPV6, 54, 3712),
        (XDP, IPV6, 14, 73152),
        (SCHED_CLS, ARP, 14, 3712),
        (XDP, ARP, 14, 73152),
    ];
    for (prog_type, ether_type, least, greatest) in rows {
        let prog = load(prog_type, &[mov(0, 1), exit()]);
        let runs = |len| run(&prog, &frame(len, ether_type), &[]).is_ok();
        let got = [least - 1, least, greatest, greatest + 1].map(runs);
        assert_eq!(got, [false, true, true, false], "type {prog_type} {ether_type:#06x}");
    }
}

#[test]
fn xdp_sees_3520_bytes_in_line() {
    if !measured("xdp_sees_3520_bytes_in_line") {
        return;
    }
    let len = [load32(2, 1, 0), load32(0, 1, 4), insn(0x1f, 0, 2, 0, 0)];
    assert_eq!([3520, 9000].map(|size| answer(XDP, &len, &frame(size, ARP))), [3520, 3520]);
    // A context asked for but not given is zero, data_end included.
    let prog = load(XDP, &[&len[..], &[exit()]].concat());
    let data = frame(60, ARP);
    let run = |ctx: &[u8]| prog.test_run(&TestRun { ctx_out_size: 24, ..TestRun::new(&data, ctx) }).unwrap().retval;
    assert_eq!((run(&[]), run(&[0, 0, 0, 0, 60, 0, 0, 0])), (0, 60));
}

#[test]
fn skb_fields_that_a_run_refuses() {
    if !measured("skb_fields_that_a_run_refuses") {
        return;
    }
    let settable = [8, 32, 36, 40, 48, 52, 56, 60, 64, 152, 156, 160, 164, 176, 184, 188];
    for prog_type in [SOCKET_FILTER, SCHED_CLS, SCHED_ACT, CGROUP_SKB] {
        let prog = load(prog_type, &[mov(0, 1), exit()]);
        for off in (0..SKB_SIZE).step_by(4) {
            let value = if off == WIRE_LEN { 60 } else { 1 };
            let taken = run(&prog, &frame(60, ARP), &skb(off, value)).is_ok();
            assert_eq!(taken, settable.contains(&off), "type {prog_type} offset {off}");
        }
    }
    let prog = load(SCHED_CLS, &[mov(0, 1), exit()]);
    let name = |ctx: Vec<u8>| run(&prog, &frame(60, ARP), &ctx).map_err(|error| error.to_string()).err();
    assert_eq!(name(skb(IFINDEX, 9999)).as_deref(), Some("prog_test_run: ENODEV"));
    assert_eq!(name(skb(WIRE_LEN, 59)).as_deref(), Some("prog_test_run: EINVAL"));
    assert_eq!(name(skb(WIRE_LEN, 65_536)), None);
    assert_eq!(name(skb(WIRE_LEN, 65_537)).as_deref(), Some("prog_test_run: EINVAL"));
    assert_eq!(name(skb(GSO_SEGS, 65535)), None);
    let gso_size = load(SCHED_CLS, &[load32(0, 1, GSO_SIZE as i16), exit()]);
    assert_eq!(run(&gso_size, &frame(60, ARP), &skb(GSO_SIZE, 0x1_0005)).unwrap().retval, 5, "16 bits of it");
    assert_eq!(name(skb(GSO_SEGS, 65536)).as_deref(), Some("prog_test_run: EINVAL"));
}

#[test]
fn what_a_program_reads_by_default() {
    if !measured("what_a_program_reads_by_default") {
        return;
    }
    // offset and value for packets of 60 bytes: L2 types, L3 types; None where the type may not read it
    let (zero, none) = (Some(0), None);
    let rows = [
        ("len", 0, Some(60), Some(46)),
        ("pkt_type", 4, Some(3), Some(3)),
        ("mark", 8, zero, zero),
        ("queue_mapping", 12, zero, zero),
        ("protocol", 16, Some(0x0608), Some(0x0608)),
        ("vlan_present", 20, zero, zero),
        ("priority", 32, zero, zero),
        ("ingress_ifindex", 36, zero, zero),
        ("ifindex", 40, Some(1), Some(1)),
        ("tc_index", 44, zero, zero),
        ("cb[0]", 48, zero, zero),
        ("hash", 68, zero, zero),
        ("tc_classid", 72, zero, none),
        ("napi_id", 84, zero, zero),
        ("wire_len", 160, zero, none),
        ("gso_segs", 164, zero, zero),
        ("gso_size", 176, zero, zero),
    ];
    for (field, off, l2, l3) in rows {
        for (prog_type, want) in [(SCHED_CLS, l2), (SCHED_ACT, l2), (SOCKET_FILTER, l3), (CGROUP_SKB, l3)] {
            assert_eq!(field_of(prog_type, off, &frame(60, ARP)), want, "type {prog_type} {field}");
        }
    }
}

#[test]
fn wire_len_is_the_length_once_there_is_a_context() {
    if !measured("wire_len_is_the_length_once_there_is_a_context") {
        return;
    }
    let prog = load(SCHED_CLS, &[load32(0, 1, WIRE_LEN as i16), exit()]);
    let data = frame(60, ARP);
    let asked = TestRun { ctx_out_size: SKB_SIZE, ..TestRun::new(&data, &[]) };
    let runs = [TestRun::new(&data, &[]), TestRun::new(&data, &[0; SKB_SIZE]), asked];
    assert_eq!(runs.map(|run| prog.test_run(&run).unwrap().retval), [0, 60, 60]);
}

/// A context field as the program reads it; `None` when the verifier refuses.
fn field_of(prog_type: u32, off: i16, data: &[u8]) -> Option<u64> {
    let map = array(8);
    let insns = with_value(&map, &[load32(1, 6, off), store64(7, 1, 0), mov(0, 1)]);
    let prog = KernelProg::load(&LoadSpec::new(prog_type, &insns)).ok()?.prog;
    run(&prog, data, &[]).unwrap();
    let value = map.lookup(&[0; 4]).unwrap().unwrap();
    Some(u64::from_le_bytes(value.try_into().unwrap()))
}

#[test]
fn where_the_packet_starts() {
    if !measured("where_the_packet_starts") {
        return;
    }
    for (prog_type, first) in [(SCHED_CLS, 2u8), (SCHED_ACT, 2), (SOCKET_FILTER, 14), (CGROUP_SKB, 14)] {
        let map = array(8);
        let bytes = [
            mov(1, 0),
            store64(10, 1, -16),
            mov_reg(1, 6),
            mov(2, 0),
            mov_reg(3, 10),
            add(3, -16),
            mov(4, 1),
            call(26),
            load64(1, 10, -16),
            store64(7, 1, 0),
            mov(0, 1),
        ];
        let prog = load(prog_type, &with_value(&map, &bytes));
        let left = run(&prog, &frame(60, IPV4), &[]).unwrap();
        assert_eq!(map.lookup(&[0; 4]).unwrap().unwrap()[0], first, "type {prog_type}");
        // The header that an L3 program does not see comes back as zeros.
        let mut want = frame(60, IPV4);
        if first == 14 {
            want[..14].fill(0);
        }
        assert_eq!(left.data, want, "type {prog_type}");
    }
}

#[test]
fn link_layer_loads_reach_the_header() {
    if !measured("link_layer_loads_reach_the_header") {
        return;
    }
    let byte = |prog_type, off| answer(prog_type, &[mov_reg(6, 1), insn(0x30, 0, 0, 0, off)], &frame(60, IPV4));
    assert_eq!([0, -0x20_0000, -0x10_0000].map(|off| byte(SCHED_CLS, off)), [2, 2, 14]);
    assert_eq!([0, -0x20_0000, -0x10_0000].map(|off| byte(SOCKET_FILTER, off)), [14, 2, 14]);
    assert_eq!(byte(SCHED_CLS, 60), 0);
}

#[test]
fn protocol_and_packet_type_follow_the_header() {
    if !measured("protocol_and_packet_type_follow_the_header") {
        return;
    }
    let protocol = |ether_type| answer(SCHED_CLS, &[load32(0, 1, PROTOCOL)], &frame(60, ether_type));
    assert_eq!([IPV4, IPV6, VLAN, 0x600, 0x5ff, 0].map(protocol), [0x0008, 0xdd86, 0x0081, 0x0006, 0x0400, 0x0400]);
    let kind = |mac: [u8; 6]| {
        let mut data = frame(60, ARP);
        data[..6].copy_from_slice(&mac);
        answer(SCHED_CLS, &[load32(0, 1, PKT_TYPE)], &data)
    };
    assert_eq!([[0; 6], [2, 0, 0, 0, 0, 1], [1, 0, 0x5e, 0, 0, 1], [0xff; 6]].map(kind), [0, 3, 2, 2]);
}

#[test]
fn a_tag_in_the_packet_stays_there() {
    if !measured("a_tag_in_the_packet_stays_there") {
        return;
    }
    assert_eq!(answer(SCHED_CLS, &[load32(0, 1, VLAN_PRESENT)], &frame(60, VLAN)), 0);
    // A pushed tag is kept beside the packet, and does not come back.
    let push = [mov_reg(6, 1), mov(2, 0x0081), mov(3, 5), call(18), load32(0, 6, VLAN_PRESENT), exit()];
    let left = run(&load(SCHED_CLS, &push), &frame(60, IPV4), &[]).unwrap();
    assert_eq!((left.retval, left.data), (1, frame(60, IPV4)));
}

#[test]
fn which_writes_come_back() {
    if !measured("which_writes_come_back") {
        return;
    }
    let back = |off: i16| {
        let prog = load(SCHED_CLS, &[store32_imm(1, off, 0x55), load32(0, 1, off), exit()]);
        let left = run(&prog, &frame(60, ARP), &[0; SKB_SIZE]).unwrap();
        let at = off as usize;
        (left.retval, u32::from_le_bytes(left.ctx[at..at + 4].try_into().unwrap()))
    };
    assert_eq!([MARK, CB, CB + 16].map(back), [(0x55, 0x55); 3]);
    assert_eq!([QUEUE_MAPPING, TC_INDEX, TC_CLASSID].map(back), [(0x55, 0); 3]);
    // What was given comes back where the program leaves it alone.
    let mut given = vec![0; SKB_SIZE];
    for off in [8, 32, 36, 40, 48, 52, 56, 60, 64, 152, 156, 164, 176, 184, 188] {
        given[off] = 1;
    }
    given[WIRE_LEN] = 77;
    let left = run(&load(SCHED_CLS, &[mov(0, 1), exit()]), &frame(60, ARP), &given).unwrap();
    assert_eq!(left.ctx, given);
    let count = load(SCHED_CLS, &[load32(0, 1, MARK), add(0, 1), insn(0x63, 1, 0, MARK, 0), exit()]);
    let five = count.test_run(&TestRun { repeat: 5, ..TestRun::new(&frame(60, ARP), &[]) }).unwrap();
    assert_eq!(five.retval, 5, "repeated runs share one skb");
}

#[test]
fn results_are_the_low_half() {
    if !measured("results_are_the_low_half") {
        return;
    }
    let wide = [insn(0x18, 0, 0, 0, -2), insn(0, 0, 0, 0, 1)];
    assert_eq!(answer(SCHED_CLS, &wide, &frame(60, ARP)), u32::MAX - 1);
}

#[test]
fn the_cpu_cannot_be_chosen() {
    if !measured("the_cpu_cannot_be_chosen") {
        return;
    }
    let prog = load(SCHED_CLS, &[call(8), exit()]);
    let data = frame(60, ARP);
    assert!(prog.test_run(&TestRun::new(&data, &[])).unwrap().retval < 4096);
    assert!(prog.test_run(&TestRun { flags: 1, ..TestRun::new(&data, &[]) }).is_err());
}

#[test]
fn a_prog_array_empties_with_its_last_descriptor() {
    if !measured("a_prog_array_empties_with_its_last_descriptor") {
        return;
    }
    let array = KernelMap::create(&MapSpec::new(PROG_ARRAY, 4, 4, 2)).unwrap();
    let target = load(SCHED_CLS, &[mov(0, 42), exit()]);
    let tail = [&map_of(2, &array)[..], &[mov(3, 0), call(12), mov(0, 7), exit()]].concat();
    let caller = load(SCHED_CLS, &tail);
    let result = || run(&caller, &frame(60, ARP), &[]).unwrap().retval;
    assert_eq!(result(), 7, "an empty slot falls through");
    array.update(&[0; 4], &target.raw_fd().to_ne_bytes(), 0).unwrap();
    assert_eq!(result(), 42);
    let id = target.info().unwrap().id;
    assert_eq!(array.lookup(&[0; 4]).unwrap(), Some(id.to_ne_bytes().to_vec()), "user space reads ids");
    assert_eq!(array.lookup(&[1, 0, 0, 0]).unwrap(), None);
    assert_eq!(array.keys().unwrap().len(), 2);
    let action = load(SCHED_ACT, &[mov(0, 1), exit()]);
    assert!(array.update(&[1, 0, 0, 0], &action.raw_fd().to_ne_bytes(), 0).is_err(), "one type per array");
    drop(target);
    assert_eq!(result(), 42, "the array holds the program");
    drop(array);
    // The caller's reference holds the array, not its slots; the kernel clears them a little later, in a worker of its own.
    let late = Instant::now() + Duration::from_secs(10);
    while result() != 7 {
        assert!(Instant::now() < late, "the slots are still filled");
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn parts_of_the_tags_fields() {
    if !measured("parts_of_the_tags_fields") {
        return;
    }
    // A part at least as wide as what the kernel keeps reads as the whole, wherever it starts.
    let part = |code: u8, off: i16| {
        let push = [mov_reg(6, 1), mov(2, 0x0081), mov(3, 0x123), call(18), insn(code, 0, 6, off, 0)];
        answer(SCHED_CLS, &push, &frame(60, IPV4))
    };
    const HALF: u8 = 0x69;
    const BYTE: u8 = 0x71;
    assert_eq!([24, 26].map(|off| part(HALF, off)), [0x123, 0x123], "vlan_tci");
    assert_eq!([24, 25, 26, 27].map(|off| part(BYTE, off)), [0x23, 0x01, 0, 0], "vlan_tci");
    assert_eq!([28, 30].map(|off| part(HALF, off)), [0x81, 0x81], "vlan_proto");
    assert_eq!([20, 22].map(|off| part(HALF, off)), [1, 0], "vlan_present");
    assert_eq!([20, 21, 22, 23].map(|off| part(BYTE, off)), [1, 0, 0, 0], "vlan_present");
}
