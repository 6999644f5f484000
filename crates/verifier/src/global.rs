//! Functions that other files see: a call trusts their type, and they are judged by it once, for all arguments.

use std::collections::BTreeSet;

use oxbpf_abi::{ProgType, TAIL_CALL, proto};
use oxbpf_btf::{Btf, Linkage, Type, TypeId};
use oxbpf_ir::{FuncIdx, InsnId, Program, Unit};
use oxbpf_isa::{CallTarget, Insn, Reg as R};

use crate::code::Code;
use crate::ctx;
use crate::explore::Explorer;
use crate::memory::Access;
use crate::path::Nodes;
use crate::reg::{Kind, Mem, Reg};
use crate::report::{Checked, Fault};
use crate::scc::Loops;
use crate::state::{Frame, NO_CALLSITE, State};

const ARGS: [R; 5] = [R::R1, R::R2, R::R3, R::R4, R::R5];

/// What a parameter wants.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Param {
    /// A number.
    Number,
    /// The context.
    Ctx,
    /// Memory of this size.
    Memory { size: u32, or_null: bool },
}

/// What a function takes; or why the kernel takes no such function.
pub(crate) type Signature = Result<Vec<Param>, Box<Fault>>;

/// The signatures of a program's global functions.
pub(crate) fn signatures(unit: &Unit, program: &Program) -> Vec<Option<Signature>> {
    let of = |(i, function): (usize, &oxbpf_ir::Function)| {
        let btf = unit.types().filter(|_| i > 0 && function.global)?;
        let (id, proto) = btf.types().find_map(|(id, t)| match t {
            Type::Func(f) if f.linkage == Linkage::Global && btf.str_is(f.name, &function.name) => Some((id, f.proto)),
            _ => None,
        })?;
        Some(Reader { btf, func: id, name: &function.name, prog_type: program.prog_type() }.signature(proto))
    };
    program.functions().iter().enumerate().map(of).collect()
}

/// Reads one function's type.
struct Reader<'a> {
    btf: &'a Btf,
    func: TypeId,
    name: &'a str,
    prog_type: ProgType,
}

fn bad<T>(text: String) -> Result<T, Box<Fault>> {
    Err(Fault::new(Code::BadGlobalFunc, text))
}

impl Reader<'_> {
    fn signature(&self, proto: TypeId) -> Signature {
        let name = self.name;
        let Ok(Type::FuncProto(proto)) = self.btf.get(proto) else {
            return bad(format!("Invalid type of function {name}()"));
        };
        if proto.params.len() > ARGS.len() {
            let text = format!("Global function {name}() with {} > 5 args. Buggy compiler.", proto.params.len());
            return bad(text);
        }
        if !self.is_number(proto.ret) {
            return bad(format!("Global function {name}() doesn't return scalar. Only those are supported."));
        }
        proto.params.iter().enumerate().map(|(i, param)| self.param(i, param.target)).collect()
    }

    fn is_number(&self, id: TypeId) -> bool {
        matches!(self.btf.resolved(id), Ok(Type::Int(_) | Type::Enum(_) | Type::Enum64(_)))
    }

    /// Tags on a parameter, `arg:` cut off.
    fn tags(&self, i: usize) -> impl Iterator<Item = &str> {
        self.btf.types().filter_map(move |(_, t)| match t {
            Type::DeclTag { name, target, component } if *target == self.func && *component == Some(i as u32) => {
                self.btf.str(*name).strip_prefix("arg:")
            }
            _ => None,
        })
    }

    fn param(&self, i: usize, id: TypeId) -> Result<Param, Box<Fault>> {
        let (mut ctx, mut nonnull, mut tagged) = (false, false, false);
        for tag in self.tags(i) {
            tagged = true;
            match tag {
                "ctx" => ctx = true,
                "nonnull" => nonnull = true,
                "trusted" | "untrusted" | "nullable" | "arena" => {
                    return Err(Fault::unsupported(format!("arguments tagged {tag}")));
                }
                _ => return bad(format!("arg#{i} has unsupported set of tags")),
            }
        }
        let target = match self.btf.resolved(id) {
            Ok(Type::Ptr(target)) => *target,
            _ if tagged => return bad(format!("arg#{i} has pointer tag, but is not a pointer type")),
            Ok(Type::Int(_) | Type::Enum(_) | Type::Enum64(_)) => return Ok(Param::Number),
            Ok(other) => {
                let kind = format!("{:?}", other.kind()).to_uppercase();
                return bad(format!("Arg#{i} type {kind} in {}() is not supported yet.", self.name));
            }
            Err(_) => return bad(format!("Invalid type of function {}()", self.name)),
        };
        if ctx || self.is_context(target) {
            return Ok(Param::Ctx);
        }
        let pointee = self.btf.resolve(target).unwrap_or(target);
        if self.btf.name(pointee) == "bpf_dynptr" {
            return Err(Fault::unsupported("dynamic pointers as arguments"));
        }
        match self.btf.size_of(pointee).map(u32::try_from) {
            Ok(Ok(size))
                if !matches!(self.btf.get(pointee), Ok(Type::Void | Type::FuncProto(_) | Type::Fwd { .. })) =>
            {
                Ok(Param::Memory { size, or_null: !nonnull })
            }
            _ => {
                let kind = self.btf.get(pointee).map_or(String::new(), |t| format!("{:?}", t.kind()).to_uppercase());
                let name = Some(self.btf.name(pointee)).filter(|name| !name.is_empty()).unwrap_or("(anon)");
                let kind = if kind == "VOID" { "UNKNOWN" } else { &kind };
                let text = format!("arg#{i} reference type('{kind} {name}') size cannot be determined: -22");
                bad(text)
            }
        }
    }

    fn is_context(&self, target: TypeId) -> bool {
        let pointee = self.btf.resolve(target).ok();
        let structure = pointee.filter(|id| matches!(self.btf.get(*id), Ok(Type::Struct(_) | Type::Fwd { .. })));
        structure.is_some_and(|id| self.btf.name(id) == self.prog_type.ctx().name)
    }
}

impl Explorer<'_> {
    /// Whether a function is verified on its own, by its signature.
    pub(crate) fn is_global(&self, func: FuncIdx) -> bool {
        self.signatures[func.index()].is_some()
    }

    /// A call that trusts the function's type.
    pub(crate) fn call_global(&mut self, func: FuncIdx) -> Checked {
        if self.cur.state.locked() {
            let text = "global function calls are not allowed while holding a lock,\nuse static function instead";
            return Err(Fault::new(Code::LockedCall, text));
        }
        let params = self.signatures[func.index()].clone().unwrap_or(Ok(Vec::new()));
        let params = params.map_err(|fault| self.caller_is_wrong(func, fault))?;
        for (i, param) in params.into_iter().enumerate() {
            self.check_param(i, param).map_err(|fault| self.caller_is_wrong(func, fault))?;
        }
        if self.may_move_packet(func, &mut vec![false; self.program.functions().len()]) {
            self.void_packet_pointers();
        }
        self.called[func.index()] = true;
        self.clobber();
        self.set_unknown(R::R0);
        Ok(())
    }

    fn caller_is_wrong(&self, func: FuncIdx, mut fault: Box<Fault>) -> Box<Fault> {
        if fault.code == Code::Unsupported {
            return fault;
        }
        // The kernel numbers the functions that something names.
        let ids = (0..self.program.insns().len() as u32).map(InsnId);
        let named: BTreeSet<_> = ids.filter_map(|id| self.program.callee(id)).filter(|f| *f <= func).collect();
        let name = &self.program.functions()[func.index()].name;
        fault.kernel += &format!("\nCaller passes invalid args into func#{} ('{name}')", named.len());
        fault
    }

    fn check_param(&mut self, i: usize, param: Param) -> Checked {
        let reg = ARGS[i];
        let value = *self.reg(reg);
        let wrong = |text: String| Err(Fault::new(Code::GlobalFuncArgument, text));
        match param {
            Param::Number if value.is_scalar() => Ok(()),
            Param::Number => wrong(format!("R{} is not a scalar", reg as u8)),
            Param::Ctx => {
                if value.kind != Kind::Ctx {
                    return wrong(format!("arg#{i} expects pointer to ctx"));
                }
                ctx::unmoved(reg, &value)
            }
            Param::Memory { size, or_null } => {
                if !value.is_null() {
                    self.helper_memory(reg, size, Access::Read, true, false)?;
                    self.helper_memory(reg, size, Access::Write, true, false)?;
                }
                if !or_null && value.or_null {
                    return wrong(format!("arg#{i} is expected to be non-NULL"));
                }
                Ok(())
            }
        }
    }

    /// Whether a function, or one that it calls, may move the packet.
    fn may_move_packet(&self, func: FuncIdx, seen: &mut Vec<bool>) -> bool {
        if std::mem::replace(&mut seen[func.index()], true) {
            return false;
        }
        let moves = |insn: &Insn| match *insn {
            Insn::Call(CallTarget::Helper(id)) => {
                let id = id.cast_unsigned();
                id == TAIL_CALL || proto(id).is_some_and(|proto| proto.moves_packet)
            }
            _ => false,
        };
        let body = self.program.functions()[func.index()].insns.clone();
        body.clone().any(|i| moves(&self.program.insns()[i as usize]))
            || body.filter_map(|i| self.program.callee(InsnId(i))).any(|callee| self.may_move_packet(callee, seen))
    }

    /// Judges the global functions that were called, and those that they call.
    pub(crate) fn explore_globals(&mut self) -> Checked {
        let mut judged = vec![false; self.called.len()];
        loop {
            let mut more = false;
            for (i, judged) in judged.iter_mut().enumerate().skip(1) {
                if self.called[i] && !*judged {
                    self.explore_global(FuncIdx(i as u32))?;
                    (*judged, more) = (true, true);
                }
            }
            if !more {
                return Ok(());
            }
        }
    }

    fn explore_global(&mut self, func: FuncIdx) -> Checked {
        // What was found safe in other functions' paths is of no use here.
        (self.nodes, self.loops) = (Nodes::default(), Loops::default());
        self.remembered.iter_mut().for_each(Vec::clear);
        let params = match &self.signatures[func.index()] {
            Some(signature) => signature.clone()?,
            None => Vec::new(),
        };
        let mut frame = Frame::new(func, NO_CALLSITE, 0);
        for (param, reg) in params.into_iter().zip(ARGS) {
            *frame.reg_mut(reg) = match param {
                Param::Number => Reg { precise: !self.options.caps.bpf, ..Reg::UNKNOWN },
                Param::Ctx => Reg::pointer(Kind::Ctx),
                Param::Memory { size, or_null } => {
                    let mem = Mem { size, read_only: false, record: false };
                    Reg { or_null, id: self.new_id(), ..Reg::pointer(Kind::Mem(mem)) }
                }
            };
        }
        self.explore(func, State::starting(frame))
    }
}
