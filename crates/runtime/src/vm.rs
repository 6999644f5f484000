//! One run's world: what helpers act on and engines consult.
#![allow(unsafe_code)]

use oxbpf_abi::layout::SkBuff;
use oxbpf_abi::{ProgType, errno, map_flags};
use oxbpf_ir::{MapDef, MapIdx, ProgIdx, RegionClass};
use oxbpf_isa::{AtomicOp, MemSize, Narrow, Width};
use thiserror::Error;

use crate::context;
use crate::engine::{Env, Input};
use crate::helpers::{HelperFn, Helpers};
use crate::maps::{Map, MapError};
use crate::memory::{ArenaError, Block, Elements, Located, Memory, Region, RegionKind};
use crate::packet::Packet;
use crate::trap::{Access, TrapKind};

/// Bytes of a function's frame.
const FRAME_SIZE: u64 = 512;
/// Distance between frames: the gap catches accesses at and above the frame pointer.
const FRAME_STRIDE: u64 = 1024;
/// Functions of one program that may be active at once, the entry included: the kernel's limit.
pub const MAX_CALL_DEPTH: u32 = 8;
/// Tail calls in one run: the kernel's limit, so that 34 programs run.
pub const MAX_TAIL_CALLS: u32 = 33;
/// Frames at once: a tail call in a subprogram keeps its callers' frames and may go as deep again.
pub const MAX_FRAMES: u32 = MAX_CALL_DEPTH + MAX_TAIL_CALLS * (MAX_CALL_DEPTH - 1);
/// Distance between map handles.
const HANDLE_STRIDE: u64 = 64;

/// Instructions left to a run, and how many it got.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fuel {
    limit: u64,
    left: u64,
}

impl Fuel {
    /// Instructions used up so far.
    pub fn used(&self) -> u64 {
        self.limit - self.left
    }
}

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

/// Memory, packet, context, maps and environment of runs of programs of one type.
#[derive(Debug)]
pub struct Vm {
    memory: Memory,
    prog_type: ProgType,
    pub(crate) skb: SkBuff,
    pub(crate) packet: Packet,
    maps: Vec<Map>,
    stack: Block,
    context_addr: u64,
    handles_addr: u64,
    fields: &'static context::Table,
    helpers: Helpers,
    fuel: Fuel,
    tail_calls: u32,
    skip_link: bool,
    pub(crate) cpu: u32,
    pub(crate) time_ns: u64,
    pub(crate) random: u64,
    pub(crate) trace: Vec<TraceLine>,
    pub(crate) trap: Option<TrapKind>,
    /// Reused for copies of guest memory.
    pub(crate) scratch: Vec<u8>,
}

impl Vm {
    /// A world for programs of this type with these maps.
    ///
    /// Fails when memory is out or a map's definition is not one that the kernel takes.
    pub fn new(prog_type: ProgType, maps: &[MapDef], env: &Env) -> Result<Vm, VmError> {
        let mut memory = Memory::new()?;
        let stack_len = u64::from(MAX_FRAMES) * FRAME_STRIDE;
        let stack = memory.alloc(stack_len as usize)?;
        let frames = Elements { stride: FRAME_STRIDE, off: 0, size: FRAME_SIZE };
        memory.add_region(&stack, 0, Region::sized("stack", RegionKind::Stack, stack_len).with_elements(frames));
        let (_, context_addr) = memory.add_opaque("context", RegionKind::Context, prog_type.ctx().size.into())?;
        let packet = Packet::new(prog_type, &mut memory)?;
        let handles = (maps.len() as u64).max(1) * HANDLE_STRIDE;
        let (_, handles_addr) = memory.add_opaque("map handle", RegionKind::Handles, handles)?;
        let new_map = |(i, def): (usize, &MapDef)| Map::new(def, MapIdx(i as u32), &mut memory);
        let maps = maps.iter().enumerate().map(new_map).collect::<Result<_, _>>()?;
        Ok(Vm {
            memory,
            prog_type,
            skb: SkBuff::default(),
            packet,
            maps,
            stack,
            context_addr,
            handles_addr,
            fields: context::Table::of(prog_type),
            helpers: Helpers::of(prog_type),
            fuel: Fuel { limit: env.fuel, left: env.fuel },
            tail_calls: 0,
            skip_link: prog_type.row().starts_at_l3,
            cpu: env.cpu,
            time_ns: 0,
            random: env.seed,
            trace: Vec::new(),
            trap: None,
            scratch: Vec::new(),
        })
    }

    /// Makes everything ready for one run; maps and the random sequence go on.
    pub fn begin(&mut self, input: &Input<'_>) {
        self.skb = input.skb;
        self.packet.fill(input.data, input.link, self.skip_link, &mut self.skb, &mut self.memory);
        self.time_ns = input.time_ns;
        self.fuel.left = self.fuel.limit;
        self.tail_calls = 0;
        self.trace.clear();
        self.trap = None;
    }

    /// The context after a run.
    pub fn skb(&self) -> &SkBuff {
        &self.skb
    }

    /// The packet after a run.
    pub fn packet(&self) -> &Packet {
        &self.packet
    }

    /// The lines that the last run printed.
    pub fn trace(&self) -> &[TraceLine] {
        &self.trace
    }

    /// The fuel of the last run.
    pub fn fuel(&self) -> Fuel {
        self.fuel
    }

    /// Guest memory.
    pub fn memory(&self) -> &Memory {
        &self.memory
    }

    /// A map.
    pub fn map(&self, map: MapIdx) -> &Map {
        &self.maps[map.index()]
    }

    /// A map, to change it.
    pub fn map_mut(&mut self, map: MapIdx) -> &mut Map {
        &mut self.maps[map.index()]
    }

    /// The type of programs that run here.
    pub fn prog_type(&self) -> ProgType {
        self.prog_type
    }

    /// What r1 holds at the start.
    pub fn context_addr(&self) -> u64 {
        self.context_addr
    }

    /// Takes instructions from the fuel.
    #[inline]
    pub fn charge(&mut self, insns: u32) -> Result<(), TrapKind> {
        match self.fuel.left.checked_sub(insns.into()) {
            Some(left) => {
                self.fuel.left = left;
                Ok(())
            }
            None => Err(self.out_of_fuel()),
        }
    }

    #[cold]
    fn out_of_fuel(&mut self) -> TrapKind {
        self.fuel.left = 0;
        TrapKind::OutOfFuel { limit: self.fuel.limit }
    }

    /// A zeroed frame: what r10 holds in it.
    ///
    /// `frame` is below [`MAX_FRAMES`].
    pub fn enter_frame(&mut self, frame: u32) -> u64 {
        let off = u64::from(frame) * FRAME_STRIDE;
        self.stack.clear(off as usize, FRAME_SIZE as usize);
        self.stack.addr() + off + FRAME_SIZE
    }

    /// A load by the program.
    #[inline]
    pub fn load(&self, addr: u64, size: MemSize) -> Result<u64, TrapKind> {
        match self.memory.locate(addr, size.bytes().into(), Access::Read)? {
            // SAFETY: just located.
            Located::Bytes => Ok(unsafe { self.memory.load_unchecked(addr, size) }),
            Located::Context(off) => self.fields.load(&self.skb, off, size),
        }
    }

    /// A sign-extending load by the program; of the context, unsigned fields extend as they come.
    #[inline]
    pub fn load_sx(&self, addr: u64, size: Narrow) -> Result<u64, TrapKind> {
        let value = self.load(addr, size.size())?;
        Ok(oxbpf_isa::sign_extend(value, size.size().bytes() * 8))
    }

    /// A store by the program.
    #[inline]
    pub fn store(&mut self, addr: u64, size: MemSize, value: u64) -> Result<(), TrapKind> {
        match self.memory.locate(addr, size.bytes().into(), Access::Write)? {
            Located::Bytes => {
                // SAFETY: just located.
                unsafe { self.memory.store_unchecked(addr, size, value) };
                Ok(())
            }
            Located::Context(off) => self.fields.store(&mut self.skb, off, size, value, false),
        }
    }

    /// A store of an immediate by the program: as [`Vm::store`], but that a context field may treat it otherwise.
    #[inline]
    pub fn store_imm(&mut self, addr: u64, size: MemSize, imm: i32) -> Result<(), TrapKind> {
        let value = imm as i64 as u64;
        match self.memory.locate(addr, size.bytes().into(), Access::Write)? {
            Located::Bytes => {
                // SAFETY: just located.
                unsafe { self.memory.store_unchecked(addr, size, value) };
                Ok(())
            }
            Located::Context(off) => self.fields.store(&mut self.skb, off, size, value, true),
        }
    }

    /// A load that a fact licenses to go unchecked.
    ///
    /// # Safety
    ///
    /// The fact holds: the access stays in one region of this class.
    #[inline]
    pub unsafe fn load_proven(&self, addr: u64, size: MemSize, class: RegionClass) -> Result<u64, TrapKind> {
        match class {
            RegionClass::Context => self.fields.load(&self.skb, addr.wrapping_sub(self.context_addr), size),
            // SAFETY: the caller's fact.
            _ => Ok(unsafe { self.memory.load_unchecked(addr, size) }),
        }
    }

    /// A store that a fact licenses to go unchecked.
    ///
    /// # Safety
    ///
    /// As for [`Vm::load_proven`].
    #[inline]
    pub unsafe fn store_proven(
        &mut self,
        addr: u64,
        size: MemSize,
        value: u64,
        class: RegionClass,
    ) -> Result<(), TrapKind> {
        match class {
            RegionClass::Context => {
                self.fields.store(&mut self.skb, addr.wrapping_sub(self.context_addr), size, value, false)
            }
            _ => {
                // SAFETY: the caller's fact.
                unsafe { self.memory.store_unchecked(addr, size, value) };
                Ok(())
            }
        }
    }

    /// An atomic operation by the program; returns what memory held.
    pub fn atomic(&self, op: AtomicOp, width: Width, addr: u64, src: u64, r0: u64) -> Result<u64, TrapKind> {
        self.memory.atomic(op, width, addr, src, r0)
    }

    /// A legacy packet load; none where it ends the program.
    ///
    /// `context` is what r6 holds: the load wants the context there.
    pub fn legacy_load(&self, size: Narrow, off: i32, context: u64) -> Result<Option<u64>, TrapKind> {
        if context != self.context_addr {
            return Err(TrapKind::LegacyWithoutContext);
        }
        let mut bytes = [0u8; 4];
        let n = size.size().bytes() as usize;
        // Network order: the bytes stand at the number's end.
        let loaded = self.packet.legacy(off, &mut bytes[4 - n..]);
        Ok(loaded.map(|()| u32::from_be_bytes(bytes).into()))
    }

    /// Calls a helper.
    #[inline]
    pub fn call_helper(&mut self, id: u32, args: [u64; 5]) -> Result<u64, TrapKind> {
        let function = self.helper(id)?;
        let [r1, r2, r3, r4, r5] = args;
        // SAFETY: the table's functions take this structure, which nobody else borrows now.
        let result = unsafe { function(self, r1, r2, r3, r4, r5) };
        match self.trap.take() {
            None => Ok(result),
            Some(trap) => Err(trap),
        }
    }

    fn helper(&self, id: u32) -> Result<HelperFn, TrapKind> {
        self.helpers.get(id)
    }

    /// What a map reference yields.
    pub fn map_handle(&self, map: MapIdx) -> u64 {
        self.handles_addr + u64::from(map.0) * HANDLE_STRIDE
    }

    /// The map that a helper's argument refers to.
    pub fn map_of_handle(&self, handle: u64) -> Option<MapIdx> {
        let off = handle.wrapping_sub(self.handles_addr);
        let index = off / HANDLE_STRIDE;
        (off.is_multiple_of(HANDLE_STRIDE) && index < self.maps.len() as u64).then_some(MapIdx(index as u32))
    }

    /// What a reference into a map's value yields.
    pub fn map_value(&self, map: MapIdx, off: u32) -> Result<u64, TrapKind> {
        let unsupported =
            || TrapKind::Unsupported { what: format!("address of byte {off} in map {}", self.map(map).def().name) };
        self.map(map).value_addr(off).ok_or_else(unsupported)
    }

    /// Where `tail_call(r1, r2, r3)` goes; none where it falls through.
    pub fn tail_call(&mut self, r1: u64, r2: u64, r3: u64) -> Result<Option<ProgIdx>, TrapKind> {
        let helper = "tail_call";
        if r1 != self.context_addr {
            return Err(TrapKind::HelperArg { helper, reg: 1, wanted: "the context" });
        }
        let map = self.map_of_handle(r2).ok_or(TrapKind::HelperArg { helper, reg: 2, wanted: "a map" })?;
        if self.map(map).def().map_type != oxbpf_abi::MapType::PROG_ARRAY {
            return Err(TrapKind::HelperArg { helper, reg: 2, wanted: "a program array" });
        }
        let Some(program) = self.map(map).program(r3 as u32) else { return Ok(None) };
        if self.tail_calls == MAX_TAIL_CALLS {
            return Ok(None);
        }
        self.tail_calls += 1;
        Ok(Some(program))
    }

    /// Sets an entry from outside the program; a failure is the kernel's error number, positive.
    pub fn update_map(&mut self, map: MapIdx, key: &[u8], value: &[u8], flags: u64) -> Result<(), i64> {
        let map = self.maps.get_mut(map.index()).ok_or(errno::ENOENT)?;
        // From outside, the kernel asks for the value's lock before anything else.
        if flags & map_flags::F_LOCK != 0 { Err(errno::EINVAL) } else { map.update(key, value, flags) }
    }
}
