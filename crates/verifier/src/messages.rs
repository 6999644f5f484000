//! What the kernel prints when it refuses a program, and which of our codes says the same.

use oxbpf_isa::{CallTarget, Insn};

use crate::code::Code;

impl Code {
    /// The code for what a kernel printed: one line, or the lines of an error, of which the first that is known decides.
    ///
    /// ```
    /// use oxbpf_verifier::Code;
    ///
    /// let text = "invalid access to packet, off=12 size=2, R7(id=0,off=12,r=0)\nR7 offset is outside of the packet";
    /// assert_eq!(Code::of_kernel_message(text), Some(Code::PacketBounds));
    /// assert_eq!(Code::of_kernel_message("R0 !read_ok"), Some(Code::UninitRegister));
    /// assert_eq!(Code::of_kernel_message("good morning"), None);
    /// ```
    pub fn of_kernel_message(text: &str) -> Option<Code> {
        text.lines().find_map(of_line)
    }

    /// The code at an instruction of this kind: kernels print the same of an access by an instruction and by a helper,
    /// and of a register that is not set, whatever reads it.
    ///
    /// ```
    /// use oxbpf_isa::Insn;
    /// use oxbpf_verifier::Code;
    ///
    /// assert_eq!(Code::UninitRegister.at(&Insn::Exit), Code::ReturnUninit);
    /// ```
    pub fn at(self, insn: &Insn) -> Code {
        let row = PLACES.iter().find(|(code, _)| *code == self);
        match (insn, row) {
            (Insn::Exit, _) if self == UninitRegister => ReturnUninit,
            (Insn::Call(CallTarget::Helper(_)), Some((_, at_call))) => *at_call,
            // Of arguments only those of global functions are looked at.
            (Insn::Call(CallTarget::Local(_)), row) if row.is_some() || matches!(self, ArgumentType | MaybeNull) => {
                GlobalFuncArgument
            }
            _ => self,
        }
    }
}

/// What an access is called that a helper makes.
const PLACES: [(Code, Code); 6] = [
    (PacketBounds, ArgumentMemory),
    (MapValueBounds, ArgumentMemory),
    (StackBounds, ArgumentMemory),
    (StackUninit, ArgumentMemory),
    (MemoryBounds, ArgumentMemory),
    (UnboundedAccess, ArgumentSize),
];

fn of_line(line: &str) -> Option<Code> {
    let line = line.trim();
    let code = ROWS.iter().find(|(pattern, _)| matches(pattern, line)).map(|row| row.1)?;
    let uninit = code == StackBounds && line.starts_with("invalid read") && inside_frame(line);
    Some(if uninit { StackUninit } else { code })
}

/// Whether the `off=-8 size=8` of a line is in a frame: then what is wrong is not the place.
fn inside_frame(line: &str) -> bool {
    let number = |key: &str| -> Option<i64> {
        let (_, rest) = line.split_once(key)?;
        rest.split(' ').next()?.parse().ok()
    };
    match (number("off="), number("size=")) {
        (Some(off), Some(size)) => off >= -512 && off.saturating_add(size) <= 0,
        _ => false,
    }
}

/// Whether a text is the pattern, in which `*` stands for anything.
fn matches(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| text.strip_prefix(first)) else {
        return false;
    };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else {
        return rest.is_empty();
    };
    // The leftmost place of each part leaves the most for those behind it.
    for part in middle {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

use Code::*;

/// Patterns and codes; the first that matches counts.
const ROWS: &[(&str, Code)] = &[
    // The program's shape.
    ("unreachable insn *", Unreachable),
    ("jump out of range from insn *", BadJump),
    ("jump into the middle of ldimm64 insn *", BadJump),
    ("jump to reserved code from insn *", BadJump),
    ("invalid jump*", BadJump),
    ("last insn is not an exit or jmp", FallsOff),
    ("no program exit*", FallsOff),
    ("unknown opcode *", BadInsn),
    ("unknown insn class *", BadInsn),
    ("BPF_*reserved field*", BadInsn),
    ("*uses reserved fields", BadInsn),
    ("invalid BPF_ALU opcode *", BadInsn),
    ("invalid BPF_ST* opcode *", BadInsn),
    ("invalid BPF_JMP opcode *", BadInsn),
    ("invalid BPF_LD mode", BadInsn),
    ("BPF_* invalid", BadInsn),
    ("invalid BPF_LD_IMM insn", BadInsn),
    ("invalid bpf_ld_imm64 insn", BadInsn),
    ("unrecognized bpf_ld_imm64 insn", BadInsn),
    ("R* is invalid", BadInsn),
    ("invalid program size", BadInsn),
    ("invalid may_goto*", BadInsn),
    ("the call stack of * frames is too deep*", CallDepth),
    ("recursive call from *", CallDepth),
    ("combined stack size of * calls is *", StackTooDeep),
    ("stack size * is too large", StackTooDeep),
    ("tail_calls are not allowed when call stack of previous frames is *", StackTooDeep),
    ("call to invalid destination*", BadCallTarget),
    ("callback function not static", BadCallTarget),
    ("invalid func * pointer*", BadCallTarget),
    ("verifier bug. * No program starts at insn *", BadCallTarget),
    ("BPF_PSEUDO_FUNC*", BadCallTarget),
    ("missing btf func_info*", BadCallTarget),
    ("The total number of maps per program has reached the limit of *", TooManyMaps),
    // Registers and arithmetic.
    ("frame pointer is read only", FramePointer),
    ("R* !read_ok", UninitRegister),
    ("R* pointer arithmetic on *_or_null prohibited*", MaybeNull),
    ("R* pointer arithmetic on * prohibited*", PointerArithmetic),
    ("R* * pointer arithmetic prohibited", PointerArithmetic),
    ("R* pointer arithmetic with * operator*", PointerArithmetic),
    ("R* pointer * pointer prohibited", PointerArithmetic),
    ("R* bitwise operator*", PointerArithmetic),
    ("R* tried to subtract pointer from scalar", PointerArithmetic),
    ("R* tried to * from different maps, paths or scalars*", PointerArithmetic),
    ("R* tried to * pointer*", PointerArithmetic),
    ("R* subtraction from stack pointer prohibited", PointerArithmetic),
    ("R* sign-extension part of pointer", PointerLeak),
    ("R* pointer arithmetic prohibited", PointerArithmetic),
    ("R* has pointer with unsupported alu operation*", PointerArithmetic),
    ("R* pointer arithmetic of map value goes out of range*", MapValueBounds),
    ("R* stack pointer arithmetic goes out of range*", PointerArithmetic),
    ("*pointer operation*prohibited", PointerArithmetic),
    ("R* partial copy of pointer", PointerLeak),
    ("math between * pointer and *", PointerOffset),
    ("value * makes * pointer be out of bounds", PointerOffset),
    ("* pointer offset * is not allowed", PointerOffset),
    ("R* has unknown scalar with mixed signed bounds*", PointerOffset),
    ("R* pointer comparison prohibited", PointerComparison),
    ("R* leaks addr *", PointerLeak),
    ("div by zero", DivisionByZero),
    ("invalid shift *", BadShift),
    // Memory.
    ("invalid access to packet, *", PacketBounds),
    ("R* offset is outside of the packet", PacketBounds),
    ("invalid access to map value, *", MapValueBounds),
    ("invalid access to map key, *", MapValueBounds),
    ("invalid access to memory, *", MemoryBounds),
    ("R* min value is outside of the allowed memory range", MapValueBounds),
    ("R* max value is outside of the allowed memory range", MapValueBounds),
    ("R* min value is negative, either use unsigned index or do a if (index >=0) check.", UnboundedAccess),
    ("R* unbounded memory access, make sure to bounds check any such access", UnboundedAccess),
    ("invalid unbounded variable-offset*", StackBounds),
    ("invalid zero-sized read*", ArgumentSize),
    ("R* invalid zero-size*", ArgumentSize),
    ("invalid read from stack off *", StackUninit),
    ("invalid read from stack R* off *+* size *", StackUninit),
    ("invalid read from stack R* var_off * size *", StackUninit),
    ("invalid indirect read from stack*", StackUninit),
    ("invalid variable-offset * stack R* var_off=*", StackBounds),
    ("invalid * stack R* off=* size=*", StackBounds),
    ("invalid stack *off=* size=*", StackBounds),
    ("invalid stack type R* off=* access_size=*", StackBounds),
    ("R* variable* stack access prohibited*", StackBounds),
    ("variable offset stack pointer cannot be passed into helper function*", StackBounds),
    ("uninitialized stack accessed by R*", StackUninit),
    ("*uninitialized stack*", StackUninit),
    ("invalid size of register fill", StackSpill),
    ("invalid size of register spill", StackSpill),
    ("corrupted spill memory", StackSpill),
    ("cannot spill pointers to stack into stack frame of the caller", StackSpill),
    ("attempt to corrupt spilled pointer on stack", StackSpill),
    ("leaking pointer from stack*", PointerLeak),
    ("misaligned *access off *", Misaligned),
    ("invalid bpf_context access *", ContextAccess),
    ("variable ctx access *", ContextAccess),
    ("negative offset ctx ptr *", ContextAccess),
    ("dereference of modified ctx ptr *", ContextAccess),
    ("*Pointer to ctx*", ContextAccess),
    ("invalid variable-offset ctx*", ContextAccess),
    ("BPF_ST stores into R* ctx is not allowed", ContextAccess),
    ("R* invalid mem access '*_or_null'", MaybeNull),
    ("R* invalid mem access '*_or_null_'", MaybeNull),
    ("R* invalid mem access 'mem_or_null'*", MaybeNull),
    ("R* invalid mem access '*", NotAPointer),
    ("write into map forbidden*", ReadOnly),
    ("read from map forbidden*", ReadOnly),
    ("R* cannot write into rdonly_*", ReadOnly),
    ("cannot write into packet", PacketWrite),
    ("cannot write into map_key", ReadOnly),
    ("write to change key R* not allowed", ReadOnly),
    ("*map forbidden, value_size=*", ReadOnly),
    ("R* is bpf_array invalid negative access*", MemoryBounds),
    ("cannot write into sock*", SocketAccess),
    ("R* cannot write into sock*", SocketAccess),
    ("R* cannot write into *", ReadOnly),
    ("cannot write into *", ReadOnly),
    ("R* invalid *sock* access off=* size=*", SocketAccess),
    ("R* invalid sock access*", SocketAccess),
    ("invalid sock access *", SocketAccess),
    ("invalid sock_common access *", SocketAccess),
    ("invalid tcp_sock access *", SocketAccess),
    ("BPF_ATOMIC * is not allowed", BadAtomic),
    ("invalid atomic operand size", BadAtomic),
    ("invalid atomic *", BadAtomic),
    ("BPF_ATOMIC uses invalid atomic opcode *", BadAtomic),
    ("same insn cannot be used with different pointers", MixedPointers),
    ("BPF_LD_[ABS|IND] * reference leak", ReferenceLeak),
    ("BPF_LD_[ABS|IND] *bpf_spin_lock*", LockMisuse),
    ("BPF_LD_[ABS|IND] *", LegacyLoad),
    ("at the time of BPF_LD_ABS|IND R6 != pointer to skb", LegacyLoad),
    ("gen_ld_abs is null", LegacyLoad),
    ("* cannot be accessed directly by load/store", SpecialField),
    ("direct access to * is disallowed", SpecialField),
    ("* access cannot have variable offset", SpecialField),
    // Helpers.
    ("invalid func unknown#*", UnknownHelper),
    ("unknown func *", HelperForbidden),
    ("program of this type cannot use helper *", HelperForbidden),
    ("helper call might sleep*", HelperForbidden),
    ("calling kernel function * is not allowed", HelperForbidden),
    ("cannot call GPL-restricted function from non-GPL compatible program", LicenseGpl),
    ("*cannot pass map_type * into func *", MapMismatch),
    ("callback function not allowed for map", MapMismatch),
    ("cannot update sockmap in this context", MapMismatch),
    ("invalid arg_type for sockmap/sockhash", ArgumentType),
    ("expected prog array map for tail call*", MapMismatch),
    ("kernel subsystem misconfigured func *", MapMismatch),
    ("R* type=*_or_null expected=*", MaybeNull),
    ("Possibly NULL pointer passed to * arg*", MaybeNull),
    ("R* must be referenced when passed to release function*", NotAReference),
    ("R* type=* expected=*", ArgumentType),
    ("arg#* *expected *", ArgumentType),
    ("R* expected a scalar*", ArgumentType),
    ("R* doesn't point to *", ArgumentType),
    ("R* invalid mem size*", ArgumentSize),
    ("R* min value is negative, either use unsigned or 'var &= const'", ArgumentSize),
    ("R* unbounded memory access, use 'var &= const' or 'if (var < const)'", ArgumentSize),
    ("R* is not a known constant*", ArgumentConstant),
    ("get_local_storage() doesn't support non-zero flags", ArgumentConstant),
    ("R* does not point to a readonly map*", ArgumentConstant),
    ("R* is not a constant address*", ArgumentConstant),
    ("no direct value access support for this map type", ArgumentConstant),
    ("string is not zero-terminated", ArgumentConstant),
    ("R* must have zero offset when passed to release func*", NotAReference),
    ("more than one arg with ref_obj_id *", NotAReference),
    ("R* must be a known constant*", ArgumentConstant),
    ("R* must have zero offset when passed to *", ArgumentType),
    ("negative offset * ptr R* off=* disallowed", ArgumentType),
    ("dereference of modified * ptr R* off=* disallowed", ArgumentType),
    ("R* is not a pointer to *", ArgumentType),
    ("R* pointer has *", ArgumentType),
    ("R* has to be at the constant offset*", ArgumentType),
    ("helper access to the packet is not allowed", ArgumentType),
    ("invalid map_ptr to access map->*", ArgumentType),
    ("map_ptr access*", ArgumentType),
    ("map type * is not *", MapMismatch),
    ("*run-time allocated hash maps are unsafe", MapCompat),
    ("* progs cannot use bpf_spin_lock yet", MapCompat),
    ("* progs cannot use bpf_res_spin_lock yet", MapCompat),
    ("* progs cannot use bpf_timer yet", MapCompat),
    ("Sleepable programs can only use *", MapCompat),
    ("offload device mismatch between prog and map", MapCompat),
    ("bpf_struct_ops map cannot be used in prog", MapCompat),
    ("fd * is not pointing to valid bpf_map", MapCompat),
    ("direct value offset of * is not allowed*", MapValueBounds),
    ("invalid access to map value pointer, value_size=*", MapValueBounds),
    ("At callback return the register R*", CallbackContract),
    ("At async callback return the register R*", CallbackContract),
    ("R* not a scalar value*", CallbackContract),
    ("callback * not supported*", CallbackContract),
    // References and locks.
    ("Unreleased reference id=* alloc_insn=*", ReferenceLeak),
    ("* would lead to reference leak", ReferenceLeak),
    ("release helper * expects referenced *", NotAReference),
    ("release kernel function * expects *", NotAReference),
    ("arg * is an unacquired reference", NotAReference),
    ("func * reference has not been acquired before", NotAReference),
    ("* cannot be used inside bpf_spin_lock-ed region", LockMisuse),
    ("* inside bpf_*lock-ed region", LockMisuse),
    ("bpf_spin_unlock without taking a lock", LockMisuse),
    ("bpf_spin_unlock of different lock", LockMisuse),
    ("bpf_*unlock of different lock", LockMisuse),
    ("bpf_*unlock without *", LockMisuse),
    ("Locking two bpf_spin_locks are not allowed", LockMisuse),
    ("R* doesn't have constant offset. bpf_spin_lock has to be at the constant offset", LockMisuse),
    ("map '*' has no valid bpf_spin_lock", LockMisuse),
    ("map '*' has to have BTF in order to use bpf_spin_lock", LockMisuse),
    ("off * doesn't point to 'struct bpf_spin_lock' that is at *", LockMisuse),
    ("function calls are not allowed while holding a lock", LockedCall),
    // The end.
    ("cannot return stack pointer to the caller", ReturnPointer),
    ("At program exit the register R* is not a known value *", ReturnPointer),
    ("At program exit the register R* has *", ReturnRange),
    ("At program exit the register R* has unknown scalar value *", ReturnRange),
    ("At subprogram exit the register R0 is not a scalar value *", ReturnPointer),
    ("At subprogram exit the register R*", ReturnRange),
    // The way there.
    ("infinite loop detected at insn *", InfiniteLoop),
    ("back-edge from insn * to *", InfiniteLoop),
    ("BPF program is too large. Processed * insn", TooComplex),
    ("The sequence of * jumps is too complex.", TooManyStates),
    // Global functions.
    ("Global function *() doesn't return scalar. Only those are supported.", BadGlobalFunc),
    ("Arg#* type * in *() is not supported yet.", BadGlobalFunc),
    ("arg#* reference type('*') size cannot be determined: *", BadGlobalFunc),
    ("Caller passes invalid args into func#* ('*')", GlobalFuncArgument),
    ("R* is not a scalar", GlobalFuncArgument),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_have_holes() {
        assert!(matches("R* !read_ok", "R0 !read_ok"));
        assert!(!matches("R* !read_ok", "R0 !read_ok, really"));
        assert!(matches("a*b*c", "a-b-b-c") && !matches("a*b*c", "a-c-b"));
        assert!(matches("div by zero", "div by zero") && !matches("div by zero", "div by zero!"));
        assert!(!matches("ab*b", "ab"));
    }

    #[test]
    fn the_first_line_that_is_known_decides() {
        let text =
            "invalid access to memory, mem_size=16 off=16 size=8\nR0 min value is outside of the allowed memory range";
        assert_eq!(Code::of_kernel_message(text), Some(MemoryBounds));
    }
}
