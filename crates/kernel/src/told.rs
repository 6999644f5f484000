//! What a test run can be told of an input, and what it tells afterwards. Measured: see `docs/kernel-engine.md`.

use oxbpf_abi::ProgType;
use oxbpf_abi::ctx::{BESIDE, Field, Shape};
use oxbpf_abi::layout::SkBuff;
use oxbpf_runtime::skb::{self, Link};
use oxbpf_runtime::{Input, Refusal};

/// The shortest packet that runs, by program type and EtherType.
fn least(prog_type: ProgType, ether_type: Option<[u8; 2]>) -> usize {
    match (prog_type, ether_type) {
        (ProgType::Xdp, _) => 14,
        (_, Some([0x08, 0x00])) => 34,
        (_, Some([0x86, 0xdd])) => 54,
        _ => 14,
    }
}

/// The longest packet of which a program sees all. XDP runs on more, but `data_end` then is not the end.
fn greatest(prog_type: ProgType) -> usize {
    match prog_type {
        ProgType::Xdp => 3520,
        _ => 3712,
    }
}

/// The greatest `wire_len`.
const GREATEST_WIRE_LEN: u64 = 65_536;

/// What of this input a test run cannot be told.
pub(crate) fn refusals(prog_type: ProgType, input: &Input<'_>) -> Vec<Refusal> {
    let captured = input.data.len();
    let ether_type = input.data.get(12..14).map(|bytes| [bytes[0], bytes[1]]);
    let (min, max) = (least(prog_type, ether_type), greatest(prog_type));
    let rules = [
        (captured < min, Refusal::TooShort { min }),
        (captured > max, Refusal::TooLong { max }),
        (input.skb.len as usize > captured, Refusal::Snapped),
        (input.link == Link::Ip, Refusal::LinkType),
    ];
    let mut refusals: Vec<Refusal> = rules.into_iter().filter(|rule| rule.0).map(|rule| rule.1).collect();
    let derived = derived(input);
    let untold = |field: &&Field| !can_tell(field, &input.skb, &derived);
    // What stands beside the context is the kernel's own: of the task that asks for the run, and of no route.
    let beside = BESIDE.fields.iter().filter(|field| skb::get(&input.skb, field) != skb::get(&derived, field));
    refusals.extend(beside.map(|field| Refusal::Field { name: field.name }));
    refusals.extend(fields(prog_type).filter(untold).map(|field| Refusal::Field { name: field.name }));
    refusals
}

/// The context that a test run makes of the packet by itself. Of a packet that is cut off, the length is the whole's.
fn derived(input: &Input<'_>) -> SkBuff {
    let len = u32::try_from(input.data.len()).unwrap_or(u32::MAX);
    skb::derive(input.data, input.skb.len.max(len), input.link)
}

/// The fields that are numbers.
fn fields(prog_type: ProgType) -> impl Iterator<Item = &'static Field> {
    prog_type.ctx().fields.iter().filter(|field| !matches!(field.shape, Shape::Pointer | Shape::Opaque))
}

fn can_tell(field: &Field, given: &SkBuff, derived: &SkBuff) -> bool {
    let values = skb::get(given, field);
    if values == skb::get(derived, field) {
        return true;
    }
    let value = values.first().copied().unwrap_or(0);
    match field.name {
        // Only of an interface that exists, and the packet type then depends on its address.
        "ifindex" => false,
        // Zero stands for the length.
        "wire_len" => (u64::from(given.len)..=GREATEST_WIRE_LEN).contains(&value),
        _ => field.test_run_in && (field.kept >= 4 || value >> (8 * field.kept) == 0),
    }
}

/// The context to run with: zero where the kernel is to use what it derives. XDP's says how long the packet is.
pub(crate) fn ctx_in(prog_type: ProgType, input: &Input<'_>) -> Vec<u8> {
    if prog_type == ProgType::Xdp {
        let mut ctx = vec![0; prog_type.ctx().size as usize];
        let end = prog_type.ctx().field("data_end").map_or(0, |field| field.off as usize);
        ctx[end..end + 4].copy_from_slice(&(input.data.len() as u32).to_le_bytes());
        return ctx;
    }
    let mut ctx = vec![0; prog_type.ctx().size as usize];
    let derived = derived(input);
    for field in fields(prog_type).filter(|field| field.test_run_in) {
        let values = skb::get(&input.skb, field);
        if values != skb::get(&derived, field) {
            for (place, value) in elements(&mut ctx, field, values.len()).zip(values) {
                place.copy_from_slice(&value.to_le_bytes()[..place.len()]);
            }
        }
    }
    ctx
}

/// How many bytes of metadata an XDP program left before the packet: where in what came back the packet starts.
pub(crate) fn metadata_len(ctx: &[u8]) -> usize {
    let data = ProgType::Xdp.ctx().field("data").and_then(|field| ctx.get(field.off as usize..)?.first_chunk());
    data.map_or(0, |&data| u32::from_le_bytes(data) as usize)
}

/// Whether a test run tells what a program left in a field. Of one that programs of a type cannot load, what comes back
/// is the kernel's own affair: `wire_len` without the link header, for types that do not see it.
pub(crate) fn reports(prog_type: ProgType, field: &Field) -> bool {
    field.test_run_out && field.readable_by(prog_type)
}

/// The context after a run: as it was before, but for the fields that the kernel reports.
pub(crate) fn ctx_out(prog_type: ProgType, before: &SkBuff, ctx: &[u8]) -> SkBuff {
    let mut after = *before;
    let mut ctx = ctx.to_vec();
    if ctx.len() < prog_type.ctx().size as usize {
        return after;
    }
    for field in fields(prog_type).filter(|field| reports(prog_type, field)) {
        let count = skb::get(before, field).len();
        for (index, place) in elements(&mut ctx, field, count).enumerate() {
            let mut value = [0; 8];
            value[..place.len()].copy_from_slice(place);
            // An element's bytes always fit the element.
            let _ = skb::set_element(&mut after, field.name, index, u64::from_le_bytes(value));
        }
    }
    after
}

/// The bytes of each of a field's elements.
fn elements<'a>(ctx: &'a mut [u8], field: &Field, count: usize) -> std::slice::ChunksExactMut<'a, u8> {
    let range = field.off as usize..(field.off + field.size) as usize;
    ctx[range].chunks_exact_mut(field.size as usize / count.max(1))
}
