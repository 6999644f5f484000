//! The world of a program's runs: what helpers act on and engines consult.
#![allow(unsafe_code)]

mod maps;

use std::sync::Arc;

use oxbpf_abi::layout::{SkBuff, VmHead};
use oxbpf_abi::{MapType, ProgType};
use oxbpf_ir::{MapIdx, ProgIdx, RegionClass};
use oxbpf_isa::{AtomicOp, MemSize, Narrow, Width};
use thiserror::Error;

use crate::classic::PacketView;
use crate::context;
use crate::engine::{Env, Input};
use crate::events::{Event, EventKind, Redirect, Sent, Target};
use crate::helpers::Helpers;
use crate::maps::{Map, MapError, MapSet};
use crate::memory::{ArenaError, Block, Elements, Located, Memory, Region, RegionKind};
use crate::packet::{Packet, PacketMeta};
use crate::random::Random;
use crate::skb;
use crate::trap::{Access, TrapKind};

/// Bytes of a function's frame.
const FRAME_SIZE: u64 = 512;
/// Distance between frames: the gap catches accesses at and above the frame pointer.
const FRAME_STRIDE: u64 = 1024;
/// Functions of one program that may be active at once, the entry included: the kernel's limit.
pub const MAX_CALL_DEPTH: u32 = 8;
/// Tail calls in one run: the kernel's limit, so that 34 programs run.
pub const MAX_TAIL_CALLS: u32 = 33;
/// Frames at once: a tail call in a subprogram keeps its callers' frames and may go as deep again, and between any two
/// may be that of a helper which calls back.
pub const MAX_FRAMES: u32 = 2 * (MAX_CALL_DEPTH + MAX_TAIL_CALLS * (MAX_CALL_DEPTH - 1));
/// Distance between map handles.
const HANDLE_STRIDE: u64 = 64;
/// Handles that fit: address space without memory, so that maps may come later than their world.
const MAX_HANDLES: u64 = 1 << 16;
/// Functions that handles can name: as many as there are calls in the longest program.
const MAX_FUNCS: u64 = 1 << 20;
/// Text that one run may print; more is dropped and counted.
const MAX_TRACE: usize = 1 << 20;
/// Bytes that a helper moves for one instruction's worth of fuel.
const BYTES_PER_FUEL: u64 = 64;

/// A line that a program printed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TraceLine {
    /// The text, without a line end that the format may carry.
    pub text: String,
}

/// Why a world cannot be made.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[allow(missing_docs)]
pub enum VmError {
    #[error(transparent)]
    Memory(#[from] ArenaError),
    #[error(transparent)]
    Map(#[from] MapError),
}

/// A map as programs of this world see it: its bytes at an address of the world's own arena.
#[derive(Debug)]
struct View {
    map: Arc<Map>,
    /// Where the map's storage starts; 0 where programs cannot reach its values.
    base: u64,
}

/// Memory, packet, context, maps and environment of runs of programs of one type.
///
/// The head comes first: code generators name its fields.
#[repr(C)]
#[derive(Debug)]
pub struct Vm {
    head: VmHead,
    memory: Memory,
    prog_type: ProgType,
    packet: Packet,
    maps: MapSet,
    views: Vec<View>,
    stack: Block,
    context_addr: u64,
    handles_addr: u64,
    funcs_addr: u64,
    /// The lock that the program holds.
    lock: Option<u64>,
    fields: &'static context::Table,
    helpers: &'static Helpers,
    fuel: u64,
    seed: u64,
    skip_link: bool,
    cpu: u32,
    time_ns: u64,
    random: Random,
    trace: Vec<TraceLine>,
    traced: usize,
    /// The number of the run's packet.
    number: u64,
    sent: Sent,
    meta: PacketMeta,
    trap: Option<TrapKind>,
    /// Reused for copies of guest memory.
    scratch: Vec<u8>,
}

impl Vm {
    /// A world for programs of this type with these maps.
    ///
    /// Fails when memory is out.
    pub fn new(prog_type: ProgType, maps: &MapSet, env: &Env) -> Result<Vm, VmError> {
        let mut memory = Memory::new()?;
        let stack_len = u64::from(MAX_FRAMES) * FRAME_STRIDE;
        let stack = memory.alloc(stack_len as usize)?;
        let frames = Elements { stride: FRAME_STRIDE, off: 0, size: FRAME_SIZE };
        memory.add_region(stack, 0, Region::new("stack", RegionKind::Stack, stack_len).with_elements(frames));
        let context_addr = memory.add_opaque("context", RegionKind::Context, prog_type.ctx().size.into())?;
        let packet = Packet::new(prog_type, &mut memory)?;
        let handles_addr = memory.add_opaque("map handle", RegionKind::Handles, MAX_HANDLES * HANDLE_STRIDE)?;
        let funcs_addr = memory.add_opaque("function handle", RegionKind::Handles, MAX_FUNCS * HANDLE_STRIDE)?;
        let mut vm = Vm {
            head: VmHead::default(),
            memory,
            prog_type,
            packet,
            maps: maps.clone(),
            views: Vec::new(),
            stack,
            context_addr,
            handles_addr,
            funcs_addr,
            lock: None,
            fields: context::Table::of(prog_type),
            helpers: Helpers::of(prog_type),
            fuel: env.fuel,
            seed: env.seed,
            skip_link: prog_type.row().starts_at_l3,
            cpu: 0,
            time_ns: 0,
            random: Random::default(),
            trace: Vec::new(),
            traced: 0,
            number: 0,
            sent: Sent::default(),
            meta: PacketMeta::default(),
            trap: None,
            scratch: Vec::new(),
        };
        maps.iter().try_for_each(|map| vm.attach(map.clone()))?;
        Ok(vm)
    }

    /// Makes everything ready for one run; only maps go on.
    pub fn begin(&mut self, input: &Input<'_>) {
        self.head = VmHead { fuel_left: self.fuel, trapped: 0, tail_calls: 0, skb: input.skb };
        self.packet.fill(input.data, input.link, self.skip_link, &mut self.head.skb, &mut self.memory);
        self.time_ns = input.time_ns;
        self.cpu = input.cpu;
        self.random = Random::of_run(self.seed, input.number, input.cpu);
        self.trace.clear();
        self.traced = 0;
        self.number = input.number;
        self.sent.clear();
        self.meta = PacketMeta { hash_known: input.skb.hash != 0, ..PacketMeta::default() };
        self.lock = None;
        self.trap = None;
    }

    /// The context after a run.
    pub fn skb(&self) -> &SkBuff {
        &self.head.skb
    }

    pub(crate) fn skb_mut(&mut self) -> &mut SkBuff {
        &mut self.head.skb
    }

    /// The packet after a run, link header included.
    pub fn packet_bytes(&self) -> Vec<u8> {
        self.packet.bytes(&self.memory)
    }

    /// The lines that the last run printed.
    pub fn trace(&self) -> &[TraceLine] {
        &self.trace
    }

    /// What the last run sent to the world outside.
    pub fn sent(&self) -> &Sent {
        &self.sent
    }

    /// Sends an event through a map; false where the run has no room left for it.
    ///
    /// Bytes are charged by who copies them.
    pub fn emit(&mut self, map: MapIdx, kind: EventKind, bytes: Vec<u8>) -> bool {
        let (cpu, packet, time_ns) = (self.cpu, self.number, self.time_ns);
        self.sent.emit(Event { map, kind, cpu, packet, time_ns, bytes })
    }

    /// Sends a copy of the packet as it is now to another interface; false where the run has no room left for it.
    pub fn send_clone(&mut self, target: Target) -> Result<bool, TrapKind> {
        self.charge_bytes(self.packet.layout().len as u64)?;
        let packet = skb::on_wire(self.packet_bytes(), &self.head.skb);
        Ok(self.sent.send_clone(Redirect { target, packet }))
    }

    /// Says where the packet goes, should the verdict be redirect.
    pub fn set_redirect(&mut self, target: Target) {
        self.sent.set_target(target);
    }

    /// Instructions of the blocks that the last run entered, and what its helpers moved.
    pub fn fuel_used(&self) -> u64 {
        self.fuel - self.head.fuel_left
    }

    /// Guest memory.
    pub fn memory(&self) -> &Memory {
        &self.memory
    }

    /// The type of programs that run here.
    pub fn prog_type(&self) -> ProgType {
        self.prog_type
    }

    /// What r1 holds at the start.
    pub fn context_addr(&self) -> u64 {
        self.context_addr
    }

    /// Nanoseconds, as the program's clock shows them.
    pub fn time_ns(&self) -> u64 {
        self.time_ns
    }

    /// The CPU that the run is said to be on.
    pub fn cpu(&self) -> u32 {
        self.cpu
    }

    /// The next number that the run's programs get as a random one.
    pub(crate) fn next_random(&mut self) -> u32 {
        self.random.next_u32()
    }

    /// Keeps a printed line, as far as there is room.
    pub(crate) fn print(&mut self, text: String) {
        self.traced += text.len() + size_of::<TraceLine>();
        if self.traced <= MAX_TRACE {
            self.trace.push(TraceLine { text });
        }
    }

    /// Instructions that the run still has fuel for.
    pub(crate) fn fuel_left(&self) -> u64 {
        self.head.fuel_left
    }

    /// Takes instructions from the fuel.
    #[inline(always)]
    pub fn charge(&mut self, insns: u64) -> Result<(), TrapKind> {
        match self.head.fuel_left.checked_sub(insns) {
            Some(left) => {
                self.head.fuel_left = left;
                Ok(())
            }
            None => Err(self.out_of_fuel()),
        }
    }

    #[cold]
    fn out_of_fuel(&mut self) -> TrapKind {
        self.head.fuel_left = 0;
        TrapKind::OutOfFuel { limit: self.fuel }
    }

    /// Takes fuel for bytes that a helper moves.
    pub(crate) fn charge_bytes(&mut self, bytes: u64) -> Result<(), TrapKind> {
        self.charge(bytes / BYTES_PER_FUEL)
    }

    /// Calls `then` with a copy of guest memory, which is bounded and charged before there is room for it.
    pub(crate) fn with_copy<T>(
        &mut self,
        addr: u64,
        size: u64,
        then: impl FnOnce(&mut Vm, &[u8]) -> T,
    ) -> Result<T, TrapKind> {
        self.memory.span(addr, size, Access::Read)?;
        self.charge_bytes(size)?;
        let mut bytes = std::mem::take(&mut self.scratch);
        bytes.resize(size as usize, 0);
        let copied = self.memory.copy_in(addr, &mut bytes);
        let result = copied.map(|()| then(self, &bytes));
        self.scratch = bytes;
        result
    }

    /// A zeroed frame: what r10 holds in it.
    ///
    /// `frame` is below [`MAX_FRAMES`].
    pub fn enter_frame(&mut self, frame: u32) -> u64 {
        let off = u64::from(frame) * FRAME_STRIDE;
        self.memory.clear_block(self.stack, off as usize, FRAME_SIZE as usize);
        self.stack.addr() + off + FRAME_SIZE
    }

    /// A load by the program.
    #[inline(always)]
    pub fn load(&self, addr: u64, size: MemSize) -> Result<u64, TrapKind> {
        match self.memory.locate(addr, size.bytes().into(), Access::Read)? {
            // SAFETY: just located.
            Located::Bytes => Ok(unsafe { self.memory.load_unchecked(addr, size) }),
            Located::Context(off) => self.fields.load(&self.head.skb, off, size),
        }
    }

    /// A store by the program. `immediate` says that the value comes from the instruction, sign-extended: a
    /// context field may treat that otherwise.
    #[inline(always)]
    pub fn store(&mut self, addr: u64, size: MemSize, value: u64, immediate: bool) -> Result<(), TrapKind> {
        match self.memory.locate(addr, size.bytes().into(), Access::Write)? {
            Located::Bytes => {
                // SAFETY: just located.
                unsafe { self.memory.store_unchecked(addr, size, value) };
                Ok(())
            }
            Located::Context(off) => self.fields.store(&mut self.head.skb, off, size, value, immediate),
        }
    }

    /// A load that a fact licenses to go unchecked.
    ///
    /// # Safety
    ///
    /// The fact holds: the access stays in one region of this class.
    #[inline(always)]
    pub unsafe fn load_proven(&self, addr: u64, size: MemSize, class: RegionClass) -> Result<u64, TrapKind> {
        match class {
            RegionClass::Context => self.fields.load(&self.head.skb, addr.wrapping_sub(self.context_addr), size),
            // SAFETY: the caller's fact.
            _ => Ok(unsafe { self.memory.load_unchecked(addr, size) }),
        }
    }

    /// A store that a fact licenses to go unchecked; `immediate` as in [`Vm::store`].
    ///
    /// # Safety
    ///
    /// The fact holds: the access stays in one region of this class, which programs may write.
    #[inline(always)]
    pub unsafe fn store_proven(
        &mut self,
        addr: u64,
        size: MemSize,
        value: u64,
        immediate: bool,
        class: RegionClass,
    ) -> Result<(), TrapKind> {
        if class == RegionClass::Context {
            let off = addr.wrapping_sub(self.context_addr);
            return self.fields.store(&mut self.head.skb, off, size, value, immediate);
        }
        // SAFETY: the caller's fact.
        unsafe { self.memory.store_unchecked(addr, size, value) };
        Ok(())
    }

    /// An atomic operation by the program; returns what memory held.
    pub fn atomic(&self, op: AtomicOp, width: Width, addr: u64, src: u64, r0: u64) -> Result<u64, TrapKind> {
        self.memory.atomic(op, width, addr, src, r0)
    }

    /// A legacy packet load; none where it is out of range.
    ///
    /// `context` is what r6 holds: the load wants the context there.
    pub fn legacy_load(&self, size: Narrow, off: i32, context: u64) -> Result<Option<u64>, TrapKind> {
        if context != self.context_addr {
            return Err(TrapKind::LegacyWithoutContext);
        }
        if self.lock.is_some() {
            return Err(TrapKind::LegacyUnderLock);
        }
        let mut bytes = [0u8; 4];
        let n = size.size().bytes() as usize;
        // Network order: the bytes stand at the number's end.
        let loaded = self.packet.legacy(off, &mut bytes[4 - n..], &self.memory);
        Ok(loaded.map(|()| u32::from_be_bytes(bytes).into()))
    }

    /// Calls `then` with a copy of the packet as the program sees it first, and where its network header is there.
    pub(crate) fn with_packet<T>(&mut self, then: impl FnOnce(&PacketView<'_>) -> T) -> Result<T, TrapKind> {
        let layout = self.packet.layout();
        self.charge_bytes(layout.len as u64)?;
        let mut bytes = std::mem::take(&mut self.scratch);
        bytes.resize(layout.len, 0);
        self.packet.read_all(&mut bytes, &self.memory);
        let result = then(&PacketView::at(&bytes, layout.data, layout.network));
        self.scratch = bytes;
        Ok(result)
    }

    /// Where the packet is and how long.
    pub(crate) fn packet(&self) -> &Packet {
        &self.packet
    }

    /// What helpers know of the packet and no program reads.
    pub(crate) fn meta(&self) -> &PacketMeta {
        &self.meta
    }

    pub(crate) fn meta_mut(&mut self) -> &mut PacketMeta {
        &mut self.meta
    }

    /// Whether the packet stands for several that a device will make of it.
    pub(crate) fn is_gso(&self) -> bool {
        self.head.skb.gso_size != 0
    }

    /// Takes fuel for what moves the whole packet.
    pub(crate) fn charge_packet(&mut self) -> Result<(), TrapKind> {
        self.charge_bytes(self.packet.len() as u64)
    }

    /// Changes where the packet begins or ends; the program's pointers from before are void.
    pub(crate) fn reshape<T>(&mut self, change: impl FnOnce(&mut Packet, &mut Memory) -> T) -> T {
        let result = change(&mut self.packet, &mut self.memory);
        self.packet.publish(&mut self.head.skb, &mut self.memory);
        result
    }

    /// Reads packet bytes at an offset from what the program sees first; false where that is out of range.
    pub(crate) fn read_packet(&self, off: usize, to: &mut [u8]) -> bool {
        self.packet.read(off, to, &self.memory)
    }

    /// Writes packet bytes at an offset from what the program sees first; false where that is out of range.
    pub(crate) fn write_packet(&mut self, off: usize, from: &[u8]) -> bool {
        self.packet.write(off, from, &mut self.memory)
    }

    /// Calls a helper.
    #[inline(always)]
    pub fn call_helper(&mut self, id: u32, args: [u64; 5]) -> Result<u64, TrapKind> {
        let function = self.helpers.get(id)?;
        let [r1, r2, r3, r4, r5] = args;
        // SAFETY: the table's functions take this structure, which nobody else borrows now.
        let result = unsafe { function(self, r1, r2, r3, r4, r5) };
        if self.head.trapped != 0 { Err(self.take_trap()) } else { Ok(result) }
    }

    /// Stops the program once its helper returns.
    pub(crate) fn raise(&mut self, trap: TrapKind) {
        self.trap = Some(trap);
        self.head.trapped = 1;
    }

    #[cold]
    fn take_trap(&mut self) -> TrapKind {
        self.head.trapped = 0;
        self.trap.take().unwrap_or(TrapKind::HelperPanic { helper: "unknown" })
    }

    /// Where `tail_call(r1, r2, r3)` goes; none where it falls through.
    pub fn tail_call(&mut self, r1: u64, r2: u64, r3: u64) -> Result<Option<ProgIdx>, TrapKind> {
        let helper = "tail_call";
        self.without_lock(helper)?;
        if r1 != self.context_addr {
            return Err(TrapKind::HelperArg { helper, reg: 1, wanted: "the context" });
        }
        let map = self.map_of_handle(r2).ok_or(TrapKind::HelperArg { helper, reg: 2, wanted: "a map" })?;
        if self.map(map).def().map_type != MapType::PROG_ARRAY {
            return Err(TrapKind::HelperArg { helper, reg: 2, wanted: "a program array" });
        }
        let Some(program) = self.map(map).program(r3 as u32) else { return Ok(None) };
        if self.head.tail_calls == MAX_TAIL_CALLS {
            return Ok(None);
        }
        self.head.tail_calls += 1;
        Ok(Some(program))
    }
}
