//! Types for functions that the kernel wants to know: those that tail-call or load from the packet by LD_ABS and LD_IND
//! must return a number, and callbacks must be static, which only BTF tells it.

use std::collections::BTreeSet;

use oxbpf_abi::TAIL_CALL;
use oxbpf_ir::{FuncIdx, InsnId, Program};
use oxbpf_isa::{CallTarget, Insn, Pseudo};

use crate::{KernelBtf, KernelError, ProgBtf};

/// The BTF of a program's functions, and the records that name them.
#[derive(Debug)]
pub struct FuncInfo {
    pub(crate) btf: KernelBtf,
    /// `bpf_func_info` records.
    pub(crate) records: Vec<u8>,
}

/// Bytes of a `bpf_func_info`: slot and type.
const RECORD_SIZE: u32 = 8;

impl FuncInfo {
    /// What a program needs, if anything. Every function is static and returns `int`; of its arguments nothing is said,
    /// so that the kernel looks at each call.
    ///
    /// # Errors
    /// What the kernel refuses.
    pub fn of(program: &Program) -> Result<Option<FuncInfo>, KernelError> {
        if !wants_types(program) {
            return Ok(None);
        }
        let functions = called(program);
        let mut btf = Btf::default();
        let int = btf.add_int("int", 4);
        let prototype = btf.add_prototype(int);
        let mut records = Vec::new();
        for function in functions {
            let function = &program.functions()[function.index()];
            let id = btf.add_function(&function.name, prototype);
            let slot = program.slot(InsnId(function.insns.start));
            records.extend([slot.0, id].iter().flat_map(|word| word.to_le_bytes()));
        }
        Ok(Some(FuncInfo { btf: KernelBtf::load(&btf.bytes())?, records }))
    }
}

impl FuncInfo {
    /// As a load takes it.
    pub fn prog_btf(&self) -> ProgBtf<'_> {
        ProgBtf {
            btf: &self.btf,
            func_info: &self.records,
            func_info_rec_size: RECORD_SIZE,
            line_info: &[],
            line_info_rec_size: 0,
        }
    }
}

/// Whether a function beside the first holds an instruction that wants it to return a number, or any takes a callback.
fn wants_types(program: &Program) -> bool {
    if program.insns().iter().any(|insn| matches!(insn, Insn::LoadPseudo { value: Pseudo::Func(_), .. })) {
        return true;
    }
    let others = program.functions().iter().skip(1).flat_map(|f| f.insns.clone());
    others.map(|i| &program.insns()[i as usize]).any(|insn| match insn {
        Insn::LdAbs { .. } | Insn::LdInd { .. } => true,
        Insn::Call(CallTarget::Helper(id)) => id.cast_unsigned() == TAIL_CALL,
        _ => false,
    })
}

/// The functions that the kernel counts: the first, and those that something names.
pub(crate) fn called(program: &Program) -> BTreeSet<FuncIdx> {
    let ids = (0..program.insns().len() as u32).map(InsnId);
    ids.filter_map(|id| program.callee(id)).chain([FuncIdx(0)]).collect()
}

/// BTF in the making.
#[derive(Default)]
pub(crate) struct Btf {
    types: Vec<u8>,
    strings: Vec<u8>,
    count: u32,
}

const KIND_INT: u32 = 1;
const KIND_ARRAY: u32 = 3;
const KIND_STRUCT: u32 = 4;
const KIND_FUNC: u32 = 12;
const KIND_FUNC_PROTO: u32 = 13;

impl Btf {
    fn string(&mut self, text: &str) -> u32 {
        // Offset 0 is the empty string.
        let off = self.strings.len() as u32 + 1;
        self.strings.extend(text.bytes());
        self.strings.push(0);
        off
    }

    /// A type's three words; answers its id.
    fn add(&mut self, name: u32, kind: u32, size_or_type: u32) -> u32 {
        self.types.extend([name, kind << 24, size_or_type].iter().flat_map(|word| word.to_le_bytes()));
        self.count += 1;
        self.count
    }

    pub(crate) fn add_array(&mut self, of: u32, index: u32, len: u32) -> u32 {
        let id = self.add(0, KIND_ARRAY, 0);
        self.types.extend([of, index, len].iter().flat_map(|word| word.to_le_bytes()));
        id
    }

    /// A structure of members with their types and byte offsets.
    pub(crate) fn add_struct(&mut self, name: &str, size: u32, members: &[(&str, u32, u32)]) -> u32 {
        let name = self.string(name);
        let id = self.add(name, KIND_STRUCT, size);
        let count = self.types.len() - 8;
        self.types[count..count + 2].copy_from_slice(&(members.len() as u16).to_le_bytes());
        for (name, member, off) in members {
            let name = self.string(name);
            self.types.extend([name, *member, off * 8].iter().flat_map(|word| word.to_le_bytes()));
        }
        id
    }

    pub(crate) fn add_int(&mut self, name: &str, size: u32) -> u32 {
        const SIGNED: u32 = 1 << 24;
        let name = self.string(name);
        let id = self.add(name, KIND_INT, size);
        self.types.extend((SIGNED + size * 8).to_le_bytes());
        id
    }

    fn add_prototype(&mut self, returns: u32) -> u32 {
        self.add(0, KIND_FUNC_PROTO, returns)
    }

    fn add_function(&mut self, name: &str, prototype: u32) -> u32 {
        let name = self.string(&identifier(name));
        self.add(name, KIND_FUNC, prototype)
    }

    /// The header, then types, then strings.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        const MAGIC_AND_VERSION: u32 = 0x1_eb9f;
        const HEADER: u32 = 24;
        let (types, strings) = (self.types.len() as u32, self.strings.len() as u32 + 1);
        let words = [MAGIC_AND_VERSION, HEADER, 0, types, types, strings];
        let mut bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        bytes.extend(&self.types);
        bytes.push(0);
        bytes.extend(&self.strings);
        bytes
    }
}

/// A name as BTF takes it: an identifier of C, not too long.
fn identifier(name: &str) -> String {
    const LONGEST: usize = 63;
    let clean = name.bytes().map(|b| if b.is_ascii_alphanumeric() { char::from(b) } else { '_' });
    let text: String = clean.take(LONGEST).collect();
    match text.bytes().next() {
        Some(b'0'..=b'9') | None => format!("f{text}"),
        Some(_) => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_identifiers() {
        assert_eq!(["main", "a.b-c", "1st", "", "\u{e4}"].map(identifier), ["main", "a_b_c", "f1st", "f", "__"]);
        assert_eq!(identifier(&"x".repeat(200)).len(), 63);
    }
}
