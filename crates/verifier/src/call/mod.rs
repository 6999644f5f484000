//! Calls of helpers: whether the program may, what it gives, what it gets.

mod args;
mod callback;
mod callers;
mod format;
mod lock;
pub(crate) mod maps;

use oxbpf_abi::{MapType, Proto, Ret, TAIL_CALL, call_name, is_gpl_compatible, proto_for, uapi};
use oxbpf_ir::FuncIdx;
use oxbpf_isa::Reg as R;

use crate::code::Code;
use crate::explore::{Explorer, Flow};
use crate::reg::{Id, Kind, MapRef, Mem, Reg, Sock};
use crate::report::{Checked, Fault};
use crate::scalar::Scalar;
use crate::state::{Held, Reference};

const MAP_LOOKUP: u32 = 1;
const CPU: u32 = 8;
const GET_LOCAL_STORAGE: u32 = 81;
const SPIN_LOCK: u32 = 93;
pub(crate) const SPIN_UNLOCK: u32 = 94;
const FOR_EACH: u32 = 164;
const SNPRINTF: u32 = 165;
const LOOP: u32 = 181;
/// Helpers that answer how many bytes they filled, or an error.
const FILLS: [u32; 3] = [114, 115, 141];
/// Helpers that give back the socket they are given as another kind.
const CASTS: [u32; 2] = [95, 96];

/// Errors are numbers from here to -1.
const LEAST_ERROR: i64 = -4095;

/// A call under inspection: what its arguments turned out to be.
pub(crate) struct Call {
    proto: &'static Proto,
    map: Option<MapRef>,
    map_uid: Id,
    /// The array key, where it is known.
    key: Option<u64>,
    /// The largest size of memory.
    size_max: u64,
    /// The size of a record.
    record: u32,
    func: Option<FuncIdx>,
    /// The reference among the arguments.
    ref_id: Id,
    /// The argument that is given back.
    release: Option<R>,
}

impl Call {
    /// The helper as messages name it.
    fn named(&self) -> String {
        named(self.proto.id as i32)
    }

    fn unsupported(&self) -> Box<Fault> {
        Fault::unsupported(format!("helper bpf_{}", self.proto.name))
    }
}

fn named(id: i32) -> String {
    if id == 0 {
        return "bpf_unspec#0".to_string();
    }
    let name = if uapi::helper_by_id(id.cast_unsigned()).is_some() { call_name(id) } else { None };
    format!("{}#{id}", name.as_deref().unwrap_or("unknown"))
}

impl Explorer<'_> {
    /// Does the call of a helper.
    pub(crate) fn call_helper(&mut self, id: i32) -> Checked<Flow> {
        let mut call = self.check_callable(id)?;
        for index in 0..call.proto.args.len() {
            self.check_argument(&mut call, index)?;
        }
        self.check_map_change(&call)?;
        if call.proto.id == TAIL_CALL {
            self.check_tail_call(&call)?;
        }
        self.fill_raw()?;
        self.release(&call)?;
        match call.proto.id {
            TAIL_CALL => self.check_nothing_held("tail_call", true)?,
            GET_LOCAL_STORAGE if !self.reg(R::R2).is_null() => {
                let text = "get_local_storage() doesn't support non-zero flags";
                return Err(Fault::new(Code::ArgumentConstant, text));
            }
            FOR_EACH => self.each_element(&call)?,
            LOOP => self.each_round(&call)?,
            SNPRINTF => self.check_format()?,
            // What else calls back would have to be followed.
            _ if call.func.is_some() => return Err(call.unsupported()),
            _ => {}
        }
        self.clobber();
        let result = self.result(&call)?;
        self.set(R::R0, result);
        self.check_map_fits(&call)?;
        if call.proto.id == TAIL_CALL && self.cur.state.depth() > 0 {
            return self.followed_tail_call();
        }
        if call.proto.moves_packet {
            self.void_packet_pointers();
        }
        Ok(Flow::To(self.insn + 1))
    }

    /// Whether there is such a helper, and the program may call it.
    fn check_callable(&self, id: i32) -> Checked<Call> {
        let refuse = |code, text: &str| Err(Fault::new(code, format!("{text} {}", named(id))));
        let Some(info) = uapi::helper_by_id(id.cast_unsigned()) else {
            return match id {
                0 => refuse(Code::HelperForbidden, "program of this type cannot use helper"),
                _ => refuse(Code::UnknownHelper, "invalid func"),
            };
        };
        if !callers::may_call(info.id, self.prog_type(), self.options.caps) {
            return refuse(Code::HelperForbidden, "program of this type cannot use helper");
        }
        if info.gpl_only && !is_gpl_compatible(self.unit.license()) {
            let text = "cannot call GPL-restricted function from non-GPL compatible program";
            return Err(Fault::new(Code::LicenseGpl, text));
        }
        let proto = proto_for(info.id, self.prog_type()).expect("what networking may call has a prototype");
        if proto.sleeps {
            let text = "helper call might sleep in a non-sleepable prog";
            return Err(Fault::new(Code::HelperForbidden, text));
        }
        Ok(Call {
            proto,
            map: None,
            map_uid: 0,
            key: None,
            size_max: 0,
            record: 0,
            func: None,
            ref_id: 0,
            release: None,
        })
    }

    /// The map must hold programs; acceptance may rest on a known index.
    fn check_tail_call(&mut self, call: &Call) -> Checked {
        let def = call.map.map(|map| self.map(map));
        let Some(def) = def.filter(|def| def.map_type == MapType::PROG_ARRAY) else {
            return Err(Fault::new(Code::MapMismatch, "expected prog array map for tail call"));
        };
        let most = u64::from(def.max_entries);
        let index = self.reg(R::R3).as_const().filter(|index| *index < most);
        if index.is_some() {
            self.mark_precise(R::R3);
        }
        self.notes[self.insn as usize].key.meet(index.map(|index| index as u32));
        Ok(())
    }

    /// Beside a tail call that is not followed, one that is: it returns to the function's caller.
    fn followed_tail_call(&mut self) -> Checked<Flow> {
        self.push(self.insn + 1)?;
        self.void_packet_pointers();
        self.set_unknown(R::R0);
        self.leave()
    }

    /// Gives back what the call releases.
    fn release(&mut self, call: &Call) -> Checked {
        let Some(reg) = call.release else { return Ok(()) };
        let held = |r: &Reference| r.held == Held::Reference && r.id == call.ref_id;
        let found = self.cur.state.refs.iter().position(held);
        match found {
            Some(at) if call.ref_id != 0 => {
                self.cur.state.refs.remove(at);
                let unknown = self.options.caps.perfmon;
                self.cur.state.each_reg_mut(|reg| {
                    if reg.ref_id == call.ref_id {
                        *reg = invalid(unknown);
                    }
                });
                Ok(())
            }
            _ if call.ref_id == 0 && self.reg(reg).is_null() => Ok(()),
            _ => {
                let text = format!("func {} reference has not been acquired before", call.named());
                Err(Fault::new(Code::NotAReference, text))
            }
        }
    }

    /// What the call leaves in r0.
    fn result(&mut self, call: &Call) -> Checked<Reg> {
        let id = call.proto.id;
        let mut reg = match call.proto.ret {
            Ret::Void => return Ok(Reg::NOT_INIT),
            Ret::Scalar => return Ok(self.number_from(call)),
            Ret::MapValue | Ret::MapValueOrNull => {
                let Some(map) = call.map else { return Err(call.unsupported()) };
                let def = self.map(map);
                let in_range = |key| key < u64::from(def.max_entries);
                let sure = call.proto.ret == Ret::MapValue || (id == MAP_LOOKUP && call.key.is_some_and(in_range));
                let locked = def.lock.is_some();
                let id = if sure && locked { self.new_id() } else { 0 };
                Reg { id, or_null: !sure, map_uid: call.map_uid, ..Reg::pointer(Kind::MapValue(map)) }
            }
            Ret::RecordOrNull => or_null(Kind::Mem(Mem { size: call.record, read_only: false, record: true })),
            Ret::SockOrNull => or_null(Kind::Sock(Sock::Full)),
            Ret::SockCommonOrNull => or_null(Kind::Sock(Sock::Common)),
            Ret::TcpSockOrNull => or_null(Kind::Sock(Sock::Tcp)),
            Ret::SliceOrNull | Ret::KernelOrNull | Ret::Kernel | Ret::VarOrNull | Ret::Var => {
                return Err(call.unsupported());
            }
        };
        if reg.or_null {
            reg.id = self.new_id();
        }
        if CASTS.contains(&id) {
            reg.ref_id = call.ref_id;
        } else if call.proto.acquires || self.looks_up_socket(call) {
            let name = self.new_id();
            (reg.id, reg.ref_id) = (name, name);
            let insn = self.insn;
            self.cur.state.refs.push(Reference { id: name, insn, held: Held::Reference });
        }
        Ok(reg)
    }

    fn looks_up_socket(&self, call: &Call) -> bool {
        let map_type = call.map.map(|map| self.map(map).map_type);
        call.proto.id == MAP_LOOKUP && matches!(map_type, Some(MapType::SOCKMAP | MapType::SOCKHASH))
    }

    fn number_from(&self, call: &Call) -> Reg {
        let bounds = |mut num: Scalar| {
            num.sync();
            Reg::number(num)
        };
        let id = call.proto.id;
        if FILLS.contains(&id) {
            let most = call.size_max as i64;
            let num = Scalar { smin: LEAST_ERROR, s32_min: LEAST_ERROR as i32, ..Scalar::UNKNOWN };
            return bounds(Scalar { smax: most, s32_max: most as i32, ..num });
        }
        if id == CPU {
            let most = self.options.cpus.saturating_sub(1);
            let num = Scalar { umin: 0, umax: most.into(), smin: 0, smax: most.into(), ..Scalar::UNKNOWN };
            return bounds(Scalar { u32_min: 0, u32_max: most, s32_min: 0, s32_max: most as i32, ..num });
        }
        Reg::UNKNOWN
    }

    /// The packet may be elsewhere now.
    pub(crate) fn void_packet_pointers(&mut self) {
        let unknown = self.options.caps.perfmon;
        self.cur.state.each_reg_mut(|reg| {
            if matches!(reg.kind, Kind::Packet | Kind::PacketMeta | Kind::PacketEnd) {
                *reg = invalid(unknown);
            }
        });
    }
}

fn or_null(kind: Kind) -> Reg {
    Reg { or_null: true, ..Reg::pointer(kind) }
}

/// What is left of a pointer that is void: a number, where pointers may be seen as numbers.
fn invalid(unknown: bool) -> Reg {
    if unknown { Reg::UNKNOWN } else { Reg::NOT_INIT }
}
