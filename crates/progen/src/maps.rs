//! Maps: made on demand, looked up with a null check, updated and deleted from.

use oxbpf_isa::{CallTarget, Cond, Insn, MemSize, Operand, Pseudo, Reg, Width};

use crate::fun::{Fun, World};
use crate::rows::Topic;
use crate::state::{Kind, Owner, Regs};

/// What kind of map.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum MapKind {
    /// `BPF_MAP_TYPE_ARRAY`, number 2.
    Array,
    /// `BPF_MAP_TYPE_HASH`, number 1.
    Hash,
}

/// A map that a program needs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MapSpec {
    /// Its kind.
    pub kind: MapKind,
    /// Bytes of a key; 4 for arrays.
    pub key_size: u32,
    /// Bytes of a value, a multiple of 8.
    pub value_size: u32,
    /// How many elements it holds at most.
    pub max_entries: u32,
    /// Elements to put in before the run, in this order.
    pub initial: Vec<(Vec<u8>, Vec<u8>)>,
}

/// Where the numbered registers stand in the result map's value.
pub(crate) const RESULT_REGS: u16 = 0;
/// Where the frame stands.
pub(crate) const RESULT_FRAME: u16 = 128;
/// Where checkpoints stand, each of [`CHECKPOINT_LEN`].
pub(crate) const RESULT_CHECKPOINTS: u16 = RESULT_FRAME + crate::state::MAX_FRAME;
pub(crate) const CHECKPOINT_LEN: u16 = 64;
pub(crate) const MAX_CHECKPOINTS: u16 = 6;
/// From here on, the value is the program's own to use.
pub(crate) const RESULT_FREE: u16 = RESULT_CHECKPOINTS + CHECKPOINT_LEN * MAX_CHECKPOINTS;
/// Size of the result map's value.
pub(crate) const RESULT_LEN: u16 = RESULT_FREE + 128;

const MAX_MAPS: usize = 4;
const VALUE_SIZES: [u32; 6] = [8, 16, 24, 32, 48, 64];
const KEY_SIZES: [u32; 4] = [4, 4, 8, 16];

/// The flags of an update: any, only new, only existing, and one that does not exist.
const UPDATE_FLAGS: [(u32, i32); 4] = [(6, 0), (2, 1), (2, 2), (1, 3)];

const LOOKUP: i32 = 1;
const UPDATE: i32 = 2;
const DELETE: i32 = 3;

impl MapSpec {
    /// The map that results are written to.
    pub(crate) fn result() -> MapSpec {
        MapSpec {
            kind: MapKind::Array,
            key_size: 4,
            value_size: RESULT_LEN.into(),
            max_entries: 1,
            initial: Vec::new(),
        }
    }
}

impl World {
    fn new_map(&mut self) -> MapSpec {
        let rng = &mut self.rng;
        let kind = if rng.chance(50) { MapKind::Array } else { MapKind::Hash };
        let (key_size, max_entries) = match kind {
            MapKind::Array => (4, rng.pick(&[1, 1, 2, 3, 8])),
            MapKind::Hash => (rng.pick(&KEY_SIZES), rng.range(2, 8)),
        };
        let value_size = rng.pick(&VALUE_SIZES);
        let mut initial = Vec::new();
        for key in 0..max_entries {
            if rng.chance(50) {
                let mut bytes = key.to_le_bytes().to_vec();
                bytes.resize(key_size as usize, 0);
                initial.push((bytes, rng.bytes(value_size as usize)));
            }
        }
        MapSpec { kind, key_size, value_size, max_entries, initial }
    }

    /// The index of a map, rather not the result map.
    fn some_map(&mut self) -> usize {
        let known = self.maps.len();
        if known == 1 || known < MAX_MAPS && self.rng.chance(35) {
            let map = self.new_map();
            self.maps.push(map);
            return known;
        }
        if self.rng.chance(10) { 0 } else { self.rng.range(1, known as u32 - 1) as usize }
    }
}

impl Fun {
    pub(crate) fn call_helper(&mut self, id: i32) {
        self.push(Insn::Call(CallTarget::Helper(id)));
        self.state.call();
        self.note(Topic::Helpers);
    }

    /// A pointer into the value of an array of one element, by its address alone.
    pub(crate) fn map_value_stmt(&mut self) {
        let single: Vec<usize> = (0..self.world.maps.len())
            .filter(|&m| self.world.maps[m].kind == MapKind::Array && self.world.maps[m].max_entries == 1)
            .collect();
        let map = self.rng().pick(&single);
        let dst = self.fresh(Regs::NONE);
        self.map_value(dst, map);
        self.mem_touch_stmt();
    }

    pub(crate) fn map_value(&mut self, dst: Reg, map: usize) {
        let size = self.world.maps[map].value_size;
        let first = if map == 0 && self.rng().chance(60) { u32::from(RESULT_FREE) } else { 0 };
        let off = self.rng().range(first / 8, size / 8 - 1) * 8;
        let value = Pseudo::MapValue { fd: map as i32, off: off as i32 };
        self.load_pseudo(dst, value, Kind::Mem { len: (size - off) as u16, of: Owner::Array });
        self.note(Topic::Maps);
    }

    /// Puts a key for the map on the stack: often that of an element.
    fn map_key(&mut self, map: usize) -> Option<u16> {
        let MapSpec { key_size, max_entries, .. } = self.world.maps[map];
        let at = self.region(key_size as u16)?;
        let off = self.frame_off(at);
        let src = if self.rng().chance(60) {
            let over = if self.rng().chance(15) { 3 } else { 0 };
            Operand::Imm(self.rng().below(max_entries + over) as i32)
        } else {
            Operand::Reg(self.masked(7, Regs::NONE))
        };
        self.store(MemSize::W, Reg::R10, off, src);
        for word in 1..key_size as i16 / 4 {
            self.store(MemSize::W, Reg::R10, off + word * 4, Operand::Imm(0));
        }
        Some(at)
    }

    /// r1 = the map, r2 = the key's address.
    fn map_and_key(&mut self, map: usize, key: u16) {
        self.load_pseudo(Reg::R1, Pseudo::MapFd(map as i32), Kind::Unknown);
        self.frame_address(Reg::R2, key);
        self.note(Topic::Maps);
    }

    pub(crate) fn map_lookup_stmt(&mut self) {
        let map = self.world.some_map();
        let Some(key) = self.map_key(map) else { return };
        self.map_and_key(map, key);
        self.call_helper(LOOKUP);
        self.state.set(Reg::R0, Kind::Unknown);
        let of = match self.world.maps[map].kind {
            MapKind::Array => Owner::Array,
            MapKind::Hash => Owner::Element,
        };
        let ptr = if self.rng().chance(40) { self.fresh(Regs::CALLER_SAVED) } else { Reg::R0 };
        self.copy(ptr, Reg::R0);
        let found = Kind::Mem { len: self.world.maps[map].value_size as u16, of };
        if of == Owner::Array && self.rng().chance(20) {
            return self.use_or_exit(ptr, found);
        }
        let (none, missing) = (self.code.label(), self.state.clone());
        self.jump_if_null(ptr, none);
        self.found(ptr, found);
        self.nested(|f| {
            f.mem_touch_stmt();
            f.block(2);
        });
        self.code.place(none);
        self.state.meet(&missing);
    }

    /// Ends the function if nothing was found; else the pointer stays at hand.
    fn use_or_exit(&mut self, ptr: Reg, found: Kind) {
        self.reaches_exit();
        self.jump_if_null(ptr, self.exit);
        self.found(ptr, found);
        self.mem_touch_stmt();
    }

    fn found(&mut self, ptr: Reg, kind: Kind) {
        self.state.set(Reg::R0, kind);
        self.state.set(ptr, kind);
    }

    fn jump_if_null(&mut self, dst: Reg, to: crate::code::Label) {
        let src = Operand::Imm(0);
        let jump = |cond| Insn::JumpIf { cond, width: Width::W64, dst, src, off: 0 };
        if self.rng().chance(70) {
            return self.jump(jump(Cond::Eq), to);
        }
        let some = self.code.label();
        self.jump(jump(Cond::Ne), some);
        self.goto(to);
        self.code.place(some);
    }

    pub(crate) fn map_update_stmt(&mut self) {
        let map = self.world.some_map();
        let size = self.world.maps[map].value_size as u16;
        // The result map's value is larger than a frame.
        if map == 0 || size > self.frame / 2 {
            return;
        }
        let Some(value) = self.region(size) else { return };
        let Some(key) = self.map_key(map) else { return };
        self.map_and_key(map, key);
        self.frame_address(Reg::R3, value);
        let flags = self.rng().weighted(&UPDATE_FLAGS);
        self.set_imm(Reg::R4, flags);
        self.call_helper(UPDATE);
        self.map_changed(map);
    }

    pub(crate) fn map_delete_stmt(&mut self) {
        let map = self.world.some_map();
        let Some(key) = self.map_key(map) else { return };
        self.map_and_key(map, key);
        self.call_helper(DELETE);
        self.map_changed(map);
    }

    fn map_changed(&mut self, map: usize) {
        if self.world.maps[map].kind == MapKind::Hash {
            self.effects.hash = true;
            self.state.forget_elements();
        }
    }
}
