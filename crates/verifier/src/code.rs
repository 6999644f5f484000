//! The reasons for which programs are refused, each with a stable code.

macro_rules! codes {
    ($($number:literal $variant:ident $title:literal)*) => {
        /// Why a program is refused. The number never changes its meaning.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum Code {
            $(#[doc = $title] $variant = $number),*
        }

        impl Code {
            /// All codes, by number.
            pub const ALL: &'static [Code] = &[$(Code::$variant),*];

            /// What is wrong, in a clause.
            pub const fn title(self) -> &'static str {
                match self { $(Code::$variant => $title),* }
            }

            /// Its page: what is missing, what helps, prose, and a rejected and an accepted program.
            pub const fn page(self) -> &'static str {
                match self { $(Code::$variant => include_str!(concat!("../codes/OX", $number, ".md"))),* }
            }
        }
    };
}

codes! {
    101 Unreachable "an instruction cannot be reached"
    102 BadJump "a jump leads out of the function or into the middle of an instruction"
    103 FallsOff "control runs off the end of a function"
    104 BadInsn "an instruction is not known or uses reserved bits"
    105 CallDepth "calls are nested too deeply"
    106 StackTooDeep "the frames of nested functions together are too large"
    107 BadCallTarget "a call names what is not a function"
    108 TooManyMaps "too many maps"
    201 UninitRegister "a register is read before it is written"
    202 PointerArithmetic "arithmetic on a pointer that the kernel does not allow"
    203 PointerOffset "a pointer is moved by a number that is not bounded"
    204 PointerComparison "a comparison of a pointer that the kernel does not allow"
    205 PointerLeak "a pointer would become visible outside of the program"
    206 DivisionByZero "a division by the constant zero"
    207 BadShift "a shift by more than the operand's width"
    208 FramePointer "the frame pointer is read-only"
    301 PacketBounds "a packet access is not covered by a comparison with data_end"
    302 MapValueBounds "an access outside of a map's value"
    303 StackBounds "a stack access outside of the frame"
    304 StackUninit "stack is read before it is written"
    305 StackSpill "a spilled pointer is stored or loaded in part"
    306 Misaligned "a misaligned access"
    307 ContextAccess "an access to the context that programs of this type may not make"
    308 NotAPointer "a number is used as an address"
    309 MaybeNull "a pointer that may be null is used"
    310 ReadOnly "a store to read-only memory"
    311 PacketWrite "a store to the packet, which programs of this type may not make"
    312 MemoryBounds "an access outside of the memory that a pointer points to"
    313 UnboundedAccess "an access at an offset that is not bounded"
    314 SocketAccess "an access to a socket's field that is not allowed"
    315 BadAtomic "an atomic operation on memory or of a width that the kernel does not allow"
    316 MixedPointers "one instruction accesses memory of different kinds"
    317 LegacyLoad "a legacy packet load that the kernel does not allow here"
    318 SpecialField "an access to a field of a map value that only helpers may touch"
    401 UnknownHelper "a helper that the kernel does not have"
    402 HelperForbidden "a helper that programs of this type may not call"
    403 LicenseGpl "a helper for programs under a GPL-compatible licence only"
    404 ArgumentType "an argument of the wrong kind"
    405 ArgumentSize "a size argument that is not bounded, negative or zero"
    406 ArgumentConstant "an argument that must be a known constant"
    407 MapMismatch "a helper cannot be used with a map of this type"
    408 ArgumentMemory "memory given to a helper is too small or not initialised"
    409 MapCompat "a map that programs of this type may not use"
    410 CallbackContract "a callback that does not keep the rules of callbacks"
    501 ReferenceLeak "a reference is not released"
    502 NotAReference "what is released was not acquired"
    503 LockMisuse "a spin lock used against its rules"
    504 LockedCall "a call while a spin lock is held"
    601 ReturnRange "a return value outside of what programs of this type may return"
    602 ReturnPointer "a pointer is returned"
    603 ReturnUninit "r0 is not set at exit"
    701 InfiniteLoop "a loop that makes no progress"
    702 TooComplex "more instructions to visit than the kernel is willing to"
    703 TooManyStates "too many pending branches"
    801 BadGlobalFunc "a global function with a signature that the kernel does not take"
    802 GlobalFuncArgument "an argument of a global function that does not match its type"
    901 Unsupported "something that this verifier does not judge yet"
}

impl Code {
    /// The code as it is written: `OX301`.
    pub fn name(self) -> String {
        format!("OX{}", self as u16)
    }

    /// What a program with this fault lacks, in a clause.
    pub fn missing(self) -> &'static str {
        self.field("missing: ")
    }

    /// What to do about it, in a clause.
    pub fn help(self) -> &'static str {
        self.field("help: ")
    }

    /// A line at the head of the page.
    fn field(self, key: &str) -> &'static str {
        self.page().lines().find_map(|line| line.strip_prefix(key)).unwrap_or_default()
    }

    /// What the page says about it at length.
    pub fn prose(self) -> &'static str {
        let body = self.page().split_once("\n\n").map_or("", |(_, body)| body);
        body.split("\n## ").next().unwrap_or_default().trim()
    }

    /// The page's program that is rejected for this reason, as text; none where text cannot show it.
    pub fn rejected(self) -> Option<&'static str> {
        self.example("\n## Rejected\n")
    }

    /// The page's program next to it that is accepted.
    pub fn accepted(self) -> Option<&'static str> {
        self.example("\n## Accepted\n")
    }

    fn example(self, heading: &str) -> Option<&'static str> {
        let (_, after) = self.page().split_once(heading)?;
        let (_, program) = after.split_once("```bpf\n")?;
        program.split_once("```").map(|(program, _)| program)
    }

    /// The code of this name, `OX301` or `301`.
    pub fn by_name(name: &str) -> Option<Code> {
        let digits = name.strip_prefix("OX").or_else(|| name.strip_prefix("ox")).unwrap_or(name);
        let number: u16 = digits.parse().ok()?;
        Code::ALL.iter().copied().find(|code| *code as u16 == number)
    }
}

impl core::fmt::Display for Code {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(&self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_whole() {
        for code in Code::ALL {
            assert!(!code.missing().is_empty() && !code.help().is_empty() && !code.prose().is_empty(), "{code}");
            assert_eq!(code.rejected().is_some(), code.accepted().is_some(), "{code}");
            assert!(!code.help().ends_with('.') && !code.missing().ends_with('.'), "{code}: clauses");
        }
    }

    #[test]
    fn names_lead_back() {
        for code in Code::ALL {
            assert_eq!(Code::by_name(&code.name()), Some(*code));
        }
        assert_eq!(Code::by_name("ox301"), Some(Code::PacketBounds));
        assert_eq!(Code::by_name("OX999"), None);
    }
}
